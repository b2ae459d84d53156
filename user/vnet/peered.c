// SPDX-License-Identifier: GPL-2.0-only
/*
 * From virtualNetworkPeerings as written to links between vnets. Called by agent/config_check_peered.c to
 * judge them and by agent/node_peered.c to act on them. Must never follow a link further than one step.
 */
#include "vnet/peered.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct vnet_config *vnets, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(vnets[i].name, name) == 0)
			return i;
	}
	return PEERED_NONE;
}

/* The link from @from to @to, made when it is new. NULL: no memory. */
static struct peered_link *link_to(struct peered_vnet *from, size_t to)
{
	struct peered_link *grown;

	for (size_t i = 0; i < from->n_links; i++) {
		if (from->links[i].remote == to)
			return &from->links[i];
	}
	grown = realloc(from->links, (from->n_links + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	from->links = grown;
	grown[from->n_links] = (struct peered_link){ .remote = to };
	return &grown[from->n_links++];
}

static int add(struct peered *peered, size_t a, size_t b, bool shares)
{
	struct peered_link *there = link_to(&peered->vnets[a], b);
	struct peered_link *back = link_to(&peered->vnets[b], a);

	if (!there || !back)
		return -ENOMEM;
	there->shares |= shares;
	back->shares |= shares;
	return 0;
}

static int add_links(struct peered *peered, const struct vnet_config *vnets, size_t index)
{
	const struct vnet_config *vnet = &vnets[index];
	int err = 0;

	for (size_t i = 0; i < vnet->n_vnet_peerings && err == 0; i++) {
		const struct vnet_peering_config *p = &vnet->vnet_peerings[i];
		size_t remote = find(vnets, peered->n, p->remote_vnet);

		if (remote != PEERED_NONE && remote != index)
			err = add(peered, index, remote, p->use_remote_route_server);
	}
	return err;
}

static size_t source_of(const struct peered *peered, const struct vnet_config *vnets, size_t index)
{
	const struct peered_vnet *vnet = &peered->vnets[index];

	if (vnets[index].route_server.present)
		return index;
	for (size_t i = 0; i < vnet->n_links; i++) {
		const struct peered_link *link = &vnet->links[i];

		if (link->shares && vnets[link->remote].route_server.present)
			return link->remote;
	}
	return PEERED_NONE;
}

int peered_build(const struct vnet_config *vnets, size_t n, struct peered *ret_peered)
{
	struct peered peered = { .vnets = calloc(n + 1, sizeof(*peered.vnets)), .n = n };
	int err = peered.vnets ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && err == 0; i++)
		err = add_links(&peered, vnets, i);
	if (err < 0) {
		peered_done(&peered);
	} else {
		for (size_t i = 0; i < n; i++)
			peered.vnets[i].source = source_of(&peered, vnets, i);
	}
	*ret_peered = peered;
	return err;
}

void peered_done(struct peered *peered)
{
	for (size_t i = 0; peered->vnets && i < peered->n; i++)
		free(peered->vnets[i].links);
	free(peered->vnets);
	*peered = (struct peered){ 0 };
}

struct ip_prefix *peered_prefixes(const struct peered *peered, const struct vnet_config *vnets,
				  size_t index, bool users, size_t *ret_n, int *ret_error)
{
	const struct peered_vnet *vnet = &peered->vnets[index];
	struct ip_prefix *list;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < vnet->n_links; i++)
		cap += vnets[vnet->links[i].remote].n_prefixes;
	list = cap ? calloc(cap, sizeof(*list)) : NULL;
	*ret_error = cap && !list ? -ENOMEM : 0;
	for (size_t i = 0; list && i < vnet->n_links; i++) {
		size_t remote = vnet->links[i].remote;

		if (users && peered->vnets[remote].source != index)
			continue;
		memcpy(list + n, vnets[remote].prefixes, vnets[remote].n_prefixes * sizeof(*list));
		n += vnets[remote].n_prefixes;
	}
	*ret_n = n;
	return list;
}
