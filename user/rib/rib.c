// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facade of a vnet's RIB: making and freeing it, the hold of a restart, changes of the surroundings.
 * session.c and the node call it; peers, UPDATEs and the walk are in peers.c, learn.c and walk.c, what
 * follows from a change in loc_rib.c. Must never do in one call what grows with the table, except rib_free().
 */
#include "rib/rib.h"

#include <stdlib.h>

#include "rib_internal.h"

static const char *const state_names[RIB_PATH_STATE_MAX] = {
	[RIB_PATH_OK] = "Ok",
	[RIB_PATH_FILTERED] = "Filtered",
	[RIB_PATH_LOOP] = "Loop",
	[RIB_PATH_NEXTHOP_SELF] = "NextHopSelf",
	[RIB_PATH_NEXTHOP_UNRESOLVED] = "NextHopUnresolved",
	[RIB_PATH_OTC_LEAK] = "OtcLeak",
	[RIB_PATH_OVER_LIMIT] = "OverLimit",
};

static const char *const cause_names[RIB_CAUSE_MAX] = {
	[RIB_CAUSE_NONE] = "",
	[RIB_CAUSE_ANNOUNCED] = "announced",
	[RIB_CAUSE_WITHDRAWN] = "withdrawn",
	[RIB_CAUSE_SESSION_ENDED] = "sessionEnded",
	[RIB_CAUSE_STALE_GONE] = "staleGone",
	[RIB_CAUSE_NEXT_HOP] = "nextHop",
	[RIB_CAUSE_CONFIGURATION] = "configuration",
	[RIB_CAUSE_LIMIT] = "limit",
	[RIB_CAUSE_RESTART] = "restart",
	[RIB_CAUSE_SEVERAL] = "several",
};

const char *rib_cause_name(enum rib_cause cause)
{
	return cause < RIB_CAUSE_MAX ? cause_names[cause] : "";
}

const char *rib_path_state_name(enum rib_path_state state)
{
	return state_names[state];
}

/* --- the RIB itself ------------------------------------------------------------------------------ */

static void release_nexthop(void *ctx, uint32_t tag)
{
	struct rib *rib = ctx;

	nexthop_unref(rib->nexthops, tag);
}

static bool init_parts(struct rib *rib)
{
	struct bgp_attrs local = {
		.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH,
		.origin = BGP_ORIGIN_IGP,
	};
	bool ok = true;

	rib->attrs = attr_store_new();
	rib->weights = calloc(1, sizeof(*rib->weights));
	rib->n_weights = 1;
	rib->export = export_scratch_new();
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		ok &= !adj_rib_in_init(&rib->in[f], bgp_family_ip(f));
		adj_rib_out_init(&rib->out[f]);
		rib->share[f] = out_share_new(); /* without memory for it nothing is shared */
	}
	if (!ok || !rib->attrs || !rib->weights || !rib->export)
		return false;
	attr_store_on_release(rib->attrs, release_nexthop, rib);
	rib->local_attrs = attr_store_intern(rib->attrs, &local);
	return rib->local_attrs != ATTR_NONE;
}

struct rib *rib_new(const struct rib_config *config, struct nexthop_table *nexthops,
		    const struct rib_callbacks *callbacks)
{
	struct rib *rib = calloc(1, sizeof(*rib));

	if (!rib)
		return NULL;
	rib->config = *config;
	rib->nexthops = nexthops;
	rib->callbacks = *callbacks;
	if (!init_parts(rib)) {
		rib_free(rib);
		return NULL;
	}
	return rib;
}

static void release_groups(struct rib *rib, const struct adj_rib_in *in)
{
	if (!in->prefixes)
		return;
	for (uint32_t net = prefix_table_next(in->prefixes, 0); net != PREFIX_ID_NONE;
	     net = prefix_table_next(in->prefixes, net + 1))
		group_unref(rib->nexthops, in->nets[net].group);
}

void rib_free(struct rib *rib)
{
	if (!rib)
		return;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		release_groups(rib, &rib->in[f]);
		adj_rib_in_done(&rib->in[f]);
		adj_rib_out_done(&rib->out[f]);
		out_share_free(rib->share[f]);
		for (unsigned int kind = 0; kind < LOCAL_KINDS; kind++)
			free(rib->local[f][kind].nets);
	}
	by_source_clear(rib);
	attr_store_free(rib->attrs); /* gives its next hops back */
	for (uint32_t i = 0; i < rib->peer_high; i++)
		free(rib->peers[i]);
	free(rib->decide.verdicts);
	free(rib->decide.paths);
	free(rib->decide.ids);
	free(rib->decide.nexthops);
	free(rib->decide.lost_at);
	free(rib->decide.backup_lost_at);
	free(rib->weights);
	export_scratch_free(rib->export);
	free(rib);
}

void rib_tell(const struct rib *rib, enum rib_event_type type, uint16_t peer,
	      enum bgp_family family, uint32_t count)
{
	if (rib->callbacks.event)
		rib->callbacks.event(rib->callbacks.ctx, type, peer, family, count);
}

void rib_wake(struct rib *rib, enum bgp_family family)
{
	uint32_t cursor = 0;
	const struct out_member *member;

	while ((member = adj_rib_out_wake(&rib->out[family], &cursor)))
		rib_tell(rib, RIB_EVENT_OUTPUT, member->peer, family, 0);
}

/* --- the hold of a restart ------------------------------------------------------------------------ */

void rib_hold(struct rib *rib, bool hold)
{
	if (hold) {
		rib->hold = HOLD_SELECTION;
		return;
	}
	if (rib->hold != HOLD_SELECTION)
		return;
	rib->hold = HOLD_OUTPUT;
	rib_because(rib, RIB_CAUSE_RESTART, RIB_PEER_NONE);
	rib_ask_walks(rib);
}

bool rib_held(const struct rib *rib)
{
	return rib->hold != HOLD_NONE;
}

/* --- changes of the surroundings ---------------------------------------------------------------------------- */

static bool admission_differs(const struct rib_config *a, const struct rib_config *b)
{
	bool same = a->local_asn == b->local_asn && a->local_id == b->local_id;

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		same &= ip_equal(&a->local_addr[f], &b->local_addr[f]);
	return !same;
}

void rib_reconfigure(struct rib *rib, const struct rib_config *config)
{
	bool again = admission_differs(&rib->config, config);
	bool told = again || rib->config.branch_to_branch != config->branch_to_branch;

	rib->config = *config;
	rib_forget_shared(rib);
	rib_because(rib, RIB_CAUSE_CONFIGURATION, RIB_PEER_NONE);
	for (uint16_t i = 0; i < rib->peer_high; i++) {
		struct rib_peer *peer = rib_peer_at(rib, i);

		if (!peer)
			continue;
		peer->reapply |= again;
		if (told)
			rib_resend_all(rib, i);
	}
	rib_ask_walks(rib);
}

void rib_nexthop_changed(struct rib *rib, uint32_t nexthop)
{
	const struct nexthop_info *info = nexthop_info(rib->nexthops, nexthop);

	rib_because(rib, RIB_CAUSE_NEXT_HOP, RIB_PEER_NONE);
	if (info && info->vnet == rib->config.vnet && !rib->config.nexthops_always_usable)
		rib_ask_walks(rib);
}
