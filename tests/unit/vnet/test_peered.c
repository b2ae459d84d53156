// SPDX-License-Identifier: GPL-2.0-only
/* Links between vnets from either side's list, and whose route server each uses. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/peered.h"

enum {
	HUB,
	SPOKE1,
	SPOKE2,
	ALONE,
	VNETS
};

/* A hub with a route server, two spokes and one vnet beside them; nobody is peered yet. */
static void make(struct vnet_config vnets[VNETS])
{
	static const char *const names[VNETS] = { "hub", "spoke1", "spoke2", "alone" };

	memset(vnets, 0, VNETS * sizeof(*vnets));
	for (size_t i = 0; i < VNETS; i++) {
		char text[PREFIX_TEXT_MAX];

		snprintf(vnets[i].name, sizeof(vnets[i].name), "%s", names[i]);
		vnets[i].prefixes = calloc(1, sizeof(*vnets[i].prefixes));
		vnets[i].n_prefixes = 1;
		snprintf(text, sizeof(text), "10.%zu.0.0/16", i + 1);
		cr_assert_eq(prefix_parse(text, &vnets[i].prefixes[0]), 0);
	}
	vnets[HUB].route_server.present = true;
}

static void peer(struct vnet_config *from, const char *remote, bool shares)
{
	struct vnet_peering_config *p;

	from->vnet_peerings =
		realloc(from->vnet_peerings, (from->n_vnet_peerings + 1) * sizeof(*p));
	p = &from->vnet_peerings[from->n_vnet_peerings++];
	memset(p, 0, sizeof(*p));
	snprintf(p->remote_vnet, sizeof(p->remote_vnet), "%s", remote);
	p->use_remote_route_server = shares;
}

static void release(struct vnet_config vnets[VNETS], struct peered *peered)
{
	peered_done(peered);
	for (size_t i = 0; i < VNETS; i++)
		vnet_config_done(&vnets[i]);
}

/* Prefixes of others that @index sees, as text. */
static const char *seen(const struct peered *peered, const struct vnet_config *vnets, size_t index,
			bool users)
{
	static char text[256];
	char one[PREFIX_TEXT_MAX];
	size_t n;
	int err;
	struct ip_prefix *list = peered_prefixes(peered, vnets, index, users, &n, &err);

	cr_assert_eq(err, 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, prefix_format(&list[i], one));
	}
	free(list);
	return text;
}

Test(peered, a_vnet_alone_uses_its_own_route_server_or_none)
{
	struct vnet_config vnets[VNETS];
	struct peered peered;

	make(vnets);
	cr_assert_eq(peered_build(vnets, VNETS, &peered), 0);
	cr_assert_eq(peered.vnets[HUB].source, HUB);
	cr_assert_eq(peered.vnets[ALONE].source, PEERED_NONE);
	cr_assert_str_eq(seen(&peered, vnets, HUB, false), "");
	release(vnets, &peered);
}

Test(peered, a_peering_is_one_link_whoever_lists_it)
{
	for (unsigned int sides = 1; sides < 4; sides++) {
		struct vnet_config vnets[VNETS];
		struct peered peered;

		make(vnets);
		if (sides & 1)
			peer(&vnets[SPOKE1], "hub", sides == 1);
		if (sides & 2)
			peer(&vnets[HUB], "spoke1", true);
		cr_assert_eq(peered_build(vnets, VNETS, &peered), 0);
		cr_assert_eq(peered.vnets[HUB].n_links, 1);
		cr_assert_eq(peered.vnets[SPOKE1].n_links, 1);
		cr_assert_eq(peered.vnets[SPOKE1].source, HUB, "sides %u", sides);
		cr_assert_str_eq(seen(&peered, vnets, SPOKE1, false), "10.1.0.0/16");
		cr_assert_str_eq(seen(&peered, vnets, HUB, true), "10.2.0.0/16");
		release(vnets, &peered);
	}
}

Test(peered, only_direct_peers_and_only_those_who_use_the_route_server_are_told)
{
	struct vnet_config vnets[VNETS];
	struct peered peered;

	make(vnets);
	peer(&vnets[SPOKE1], "hub", true);
	peer(&vnets[SPOKE2], "hub", false);
	peer(&vnets[ALONE], "spoke1", true); /* spoke1 has no route server to share */
	peer(&vnets[ALONE], "nobody", true);
	cr_assert_eq(peered_build(vnets, VNETS, &peered), 0);
	cr_assert_eq(peered.vnets[SPOKE2].source, PEERED_NONE);
	cr_assert_eq(peered.vnets[ALONE].source, PEERED_NONE);
	cr_assert_str_eq(seen(&peered, vnets, HUB, true), "10.2.0.0/16");
	cr_assert_str_eq(seen(&peered, vnets, HUB, false), "10.2.0.0/16 10.3.0.0/16");
	cr_assert_str_eq(seen(&peered, vnets, SPOKE1, false), "10.1.0.0/16 10.4.0.0/16");
	cr_assert_str_eq(seen(&peered, vnets, SPOKE2, false), "10.1.0.0/16", "not transitive");
	release(vnets, &peered);
}
