// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graceful restart both ways (RFC 4724, RFC 9494). A peer that restarts: its paths stay as stale ones, with a bound
 * for each phase. We restarted: what our OPENs say of it, and whose End-of-RIB is awaited. Called by
 * node_peering.c and restart.c.
 */
#include "agent/node_impl.h"

#define SUBSYS "peering"

/* --- we restarted ---------------------------------------------------------------------------------------- */

/*
 * RFC 4724 3, for the next OPEN. R: the process restarted and its peers have not said everything yet. F:
 * what was learned from this peer is still forwarded, since before the restart or
 * since its last session.
 */
void node_graceful_tell(const struct node_peering *peering)
{
	const struct node *node = peering->vnet->node;
	bool forwarding = node->maps && (node->adopted || peering->was_up);

	session_set_restart(peering->session, node->adopted && !node->sweep_done,
			    forwarding ? peering->config->families : 0);
}

void node_peerings_restarted(const struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++)
			node_graceful_tell(node->vnets[v]->peerings[i]);
	}
}

static bool peering_complete(const struct node_peering *peering)
{
	const struct bgp_session_params *params = session_params(peering->session);

	if (!peering->config->enabled)
		return true;
	if (!params)
		return false;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if ((params->families & BGP_FAMILY_BIT(f)) &&
		    !rib_peer_eor(peering->vnet->rib, peering->rib_peer, f))
			return false;
	}
	return true;
}

/*
 * RFC 4724 4.1. Who restarts as well, and who does not know graceful restart, will send no End-of-RIB that
 * means anything.
 */
bool node_peering_awaited(const struct node_peering *peering)
{
	const struct bgp_session_params *params = session_params(peering->session);
	const struct bgp_caps *caps = session_peer_caps(peering->session);

	if (!peering->config->enabled || !peering->config->gr_enabled || peering->admin_down)
		return false;
	if (!params)
		return true;
	return params->peer_gr && !caps->gr_restarting && !peering_complete(peering);
}

bool node_vnet_awaits_peers(const struct node_vnet *vnet)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (node_peering_awaited(vnet->peerings[i]))
			return true;
	}
	return false;
}

bool node_peerings_complete(const struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++) {
			if (!peering_complete(node->vnets[v]->peerings[i]))
				return false;
		}
	}
	return true;
}

/* --- stale paths of one family ------------------------------------------------------------------ */

static const char *const stale_texts[] = {
	[STALE_RESTARTING] = "did not return in its restart time",
	[STALE_LONG_LIVED] = "did not return in its long-lived time",
	[STALE_RETURNED] = "returned and sent no End-of-RIB",
	[STALE_REFRESHING] = "began a refresh and did not end it",
};

static void stale_wait(struct node_peering *peering, enum bgp_family family, enum stale_phase phase,
		       uint32_t seconds)
{
	struct loop *loop = peering->vnet->node->loop;

	peering->stale[family].phase = phase;
	loop_timer_set(loop, &peering->stale[family].timer, mono_add_sec(loop_now(loop), seconds));
}

void node_stale_end(struct node_peering *peering, enum bgp_family family)
{
	loop_timer_stop(peering->vnet->node->loop, &peering->stale[family].timer);
}

/* RFC 9494 4.2: what the peer asks for, at most what is configured here; 0: not long-lived. */
static uint32_t long_lived_time(const struct node_peering *peering, enum bgp_family family)
{
	const struct bgp_caps *caps = session_peer_caps(peering->session);
	uint32_t ours = peering->config->gr_long_lived_time;

	if (!caps || !(caps->llgr_families & BGP_FAMILY_BIT(family)))
		return 0;
	return caps->llgr_time[family] < ours ? caps->llgr_time[family] : ours;
}

static void stale_over(struct loop_timer *timer)
{
	struct node_stale *stale = timer->ctx;
	struct node_peering *peering = stale->peering;
	struct node_vnet *vnet = peering->vnet;
	enum bgp_family family = (enum bgp_family)(stale - peering->stale);
	uint32_t longer = long_lived_time(peering, family);

	log_warn(SUBSYS, "peering=%s vnet=%s family=%s %s, stale paths %s", peering->config->name,
		 vnet->config->name, bgp_family_name(family), stale_texts[stale->phase],
		 stale->phase == STALE_RESTARTING && longer ? "are long-lived now" : "go");
	if (stale->phase == STALE_RESTARTING && longer) {
		rib_peer_long_lived(vnet->rib, peering->rib_peer, family);
		stale_wait(peering, family, STALE_LONG_LIVED, longer);
	} else {
		rib_peer_sweep(vnet->rib, peering->rib_peer, family);
	}
	node_vnet_rib_work(vnet);
}

/*
 * RFC 4724 4.2: the peer is back. What it did not keep forwarding goes at once, the rest waits for
 * End-of-RIB.
 */
void node_stale_returned(struct node_peering *peering)
{
	const struct bgp_caps *caps = session_peer_caps(peering->session);
	uint32_t kept = caps ? caps->gr_forwarding | caps->llgr_forwarding : 0;
	struct rib *rib = peering->vnet->rib;

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		node_stale_end(peering, f);
		if (!rib_peer_waiting(rib, peering->rib_peer, f))
			continue;
		if (kept & BGP_FAMILY_BIT(f))
			stale_wait(peering, f, STALE_RETURNED, peering->config->gr_stale_path_time);
		else
			rib_peer_sweep(rib, peering->rib_peer, f);
	}
}

void node_stale_init(struct node_peering *peering)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		peering->stale[f].peering = peering;
		peering->stale[f].timer =
			(struct loop_timer){ .fn = stale_over, .ctx = &peering->stale[f] };
	}
}

void node_stale_done(struct node_peering *peering)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		node_stale_end(peering, f);
}

/* Families whose paths are kept as stale: those that the peer listed (RFC 4724 3 and 4.2). */
uint32_t node_stale_kept(const struct node_peering *peering, const struct bgp_peer_down *down)
{
	const struct bgp_caps *caps = session_peer_caps(peering->session);

	if (!down->graceful || !peering->config->gr_enabled || !caps)
		return 0;
	return caps->gr_families & peering->config->families;
}

void node_stale_begin(struct node_peering *peering, uint32_t kept)
{
	struct rib *rib = peering->vnet->rib;

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		node_stale_end(peering, f);
		if (kept & BGP_FAMILY_BIT(f))
			stale_wait(peering, f, STALE_RESTARTING,
				   session_peer_caps(peering->session)->gr_time);
		else
			rib_peer_sweep(rib, peering->rib_peer, f);
	}
}

/* BoRR and EoRR (RFC 7313 4); a refresh that never ends has a bound. */
void node_stale_refresh(struct node_peering *peering, enum bgp_family family, bool begins)
{
	struct node_vnet *vnet = peering->vnet;

	if (!rib_peer_refresh(vnet->rib, peering->rib_peer, family, begins)) {
		log_info(SUBSYS, "peering=%s vnet=%s family=%s %s out of turn, ignored",
			 peering->config->name, vnet->config->name, bgp_family_name(family),
			 begins ? "BoRR" : "EoRR");
		return;
	}
	if (begins)
		stale_wait(peering, family, STALE_REFRESHING, peering->config->gr_stale_path_time);
	else
		node_stale_end(peering, family);
	node_vnet_rib_work(vnet);
}
