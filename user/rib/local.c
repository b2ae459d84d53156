// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the vnet originates: lists of prefixes, each replaced as a whole.
 */
#include <errno.h>
#include <stdlib.h>

#include "rib_internal.h"

static int add_local(struct rib *rib, enum rib_local_kind kind, const struct ip_prefix *prefix,
		     struct local_list *list)
{
	enum bgp_family family = prefix->addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
	struct adj_rib_in *in = &rib->in[family];
	uint32_t net = adj_rib_in_net(in, prefix, prefix_table_soon(in->prefixes, prefix));
	struct loc_rib_export before;

	if (net == PREFIX_ID_NONE)
		return -ENOMEM;
	if (in->nets[net].local & NET_F_KEEP)
		return 0; /* listed twice */
	list->nets[list->n++] = net;
	before = loc_rib_export(rib, family, net);
	in->nets[net].local |= (uint8_t)(1u << kind);
	loc_rib_settle(rib, family, net, prefix, &before);
	in->nets[net].local |= NET_F_KEEP;
	return 0;
}

/* Takes away what the new list does not have, and the marks of what it has. */
static void retire_local(struct rib *rib, enum bgp_family family, enum rib_local_kind kind,
			 const struct local_list *old, const struct local_list *list)
{
	struct adj_rib_in *in = &rib->in[family];

	for (size_t i = 0; i < old->n; i++) {
		uint32_t net = old->nets[i];
		struct ip_prefix prefix = prefix_table_key(in->prefixes, net);
		struct loc_rib_export before = loc_rib_export(rib, family, net);

		if (in->nets[net].local & NET_F_KEEP)
			continue;
		in->nets[net].local &= (uint8_t) ~(1u << kind);
		loc_rib_settle(rib, family, net, &prefix, &before);
	}
	for (size_t i = 0; i < list->n; i++)
		in->nets[list->nets[i]].local &= (uint8_t)~NET_F_KEEP;
}

int rib_set_local(struct rib *rib, enum rib_local_kind kind, const struct ip_prefix *prefixes,
		  size_t n)
{
	struct local_list lists[BGP_FAMILY_MAX] = { 0 };
	int err = 0;

	rib_because(rib, RIB_CAUSE_CONFIGURATION, RIB_PEER_NONE);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		lists[f].nets = calloc(n + 1, sizeof(*lists[f].nets));
		if (!lists[f].nets)
			err = -ENOMEM;
	}
	for (size_t i = 0; i < n && !err; i++) {
		bool v6 = prefixes[i].addr.family == IP_V6;

		err = add_local(rib, kind, &prefixes[i],
				&lists[v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST]);
	}
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		struct local_list *old = &rib->local[f][kind];

		if (!lists[f].nets)
			continue;
		retire_local(rib, f, kind, old, &lists[f]);
		free(old->nets);
		*old = lists[f];
	}
	return err;
}
