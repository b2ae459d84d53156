// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers and their sessions: coming, going, restarting, refreshing. Must never do in one call what grows
 * with the table, except (one session in 200 without a finished walk) rib_peer_down().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rib_internal.h"

int rib_peer_add(struct rib *rib, const struct rib_peer_config *config, uint16_t *ret_peer)
{
	struct rib_peer *peer;
	uint32_t index = 0;

	while (index < RIB_PEERS_MAX && rib->peers[index])
		index++;
	if (index == RIB_PEERS_MAX)
		return -ENOSPC;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->config = *config;
	rib->peers[index] = peer;
	if (index >= rib->peer_high)
		rib->peer_high = index + 1;
	*ret_peer = (uint16_t)index;
	return 0;
}

/* Everything that the peer may be told is looked at again: more, less and other than before. */
static void resend(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = rib->peers[index];

	if (!peer->out[family])
		return;
	out_member_restart(&rib->out[family], peer->out[family]);
	rib_tell(rib, RIB_EVENT_OUTPUT, index, family, 0);
}

void rib_resend_all(struct rib *rib, uint16_t index)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		resend(rib, index, f);
}

static bool differs_in_bgp_role(const struct rib_peer_config *a, const struct rib_peer_config *b)
{
	return a->has_bgp_role != b->has_bgp_role || a->bgp_role != b->bgp_role;
}

void rib_forget_shared(struct rib *rib)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		rib->out[f].epoch++;
}

uint64_t rib_peer_octets(const struct rib_peer *peer)
{
	uint64_t octets = 0;

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		octets += peer->in[f].octets[0] + peer->in[f].octets[1];
	return octets;
}

/* Room is an eighth of the bound: a peer that is at its bound is not asked at each withdrawal. */
void rib_check_room(struct rib *rib, uint16_t index)
{
	struct rib_peer *peer = rib->peers[index];
	uint64_t bound = peer->config.memory;

	if (!peer->lacks || !peer->up || (bound && rib_peer_octets(peer) > bound - bound / 8))
		return;
	peer->lacks = false;
	rib_tell(rib, RIB_EVENT_ROOM, index, BGP_IPV4_UNICAST, 0);
}

void rib_peer_reconfigure(struct rib *rib, uint16_t index, const struct rib_peer_config *config)
{
	struct rib_peer *peer = rib_peer_at(rib, index);
	struct rib_peer_config old;

	if (!peer)
		return;
	rib_because(rib, RIB_CAUSE_CONFIGURATION, index);
	old = peer->config;
	peer->config = *config;
	rib_forget_shared(rib);
	if (old.in || config->in || old.role != config->role || differs_in_bgp_role(&old, config) ||
	    memcmp(&old.limit, &config->limit, sizeof(old.limit))) {
		peer->reapply = true;
		rib_ask_walks(rib);
	}
	if (old.out || config->out || old.role != config->role ||
	    differs_in_bgp_role(&old, config) || old.advertise_vnet != config->advertise_vnet ||
	    old.advertise_learned != config->advertise_learned ||
	    old.advertise_host_routes != config->advertise_host_routes)
		rib_resend_all(rib, index);
	rib_check_room(rib, index);
	/* Its paths may go to others, or no longer. */
	for (uint16_t i = 0; old.role != config->role && i < rib->peer_high; i++) {
		if (rib_peer_at(rib, i))
			rib_resend_all(rib, i);
	}
}

static void leave(struct rib *rib, struct rib_peer *peer)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		rib->in[f].told_whole -= peer->out[f] && peer->out[f]->paths;
		adj_rib_out_leave(&rib->out[f], peer->out[f]);
		peer->out[f] = NULL;
		adj_rib_out_collect(&rib->out[f], adj_rib_in_drop_nets, &rib->in[f]);
	}
}

void rib_peer_source(struct rib *rib, uint16_t index, const struct ip_addr *addr)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (peer)
		peer->source = *addr;
}

/* RFC 7911: for how many paths of a prefix the session has identifiers; 0: it has none. */
static unsigned int paths_told(const struct rib_peer *peer, enum bgp_family family)
{
	if (!(peer->params.add_path_tx & BGP_FAMILY_BIT(family)))
		return 0;
	return peer->config.add_path_max ? peer->config.add_path_max : 1;
}

void rib_peer_up(struct rib *rib, uint16_t index, const struct bgp_session_params *params,
		 struct mono now)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (!peer)
		return;
	leave(rib, peer);
	peer->params = *params;
	peer->up = true;
	peer->lacks = false; /* it says everything */
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		peer->in[f].eor = peer->in[f].warned = peer->in[f].exceeded = false;
		peer->in[f].refreshing = false;
		peer->in[f].shadow = 0;
		if (!(params->families & BGP_FAMILY_BIT(f))) {
			/* RFC 4724 4.2: what it no longer speaks of can not be refreshed. */
			rib_peer_sweep(rib, index, f);
			continue;
		}
		peer->out[f] = adj_rib_out_join(&rib->out[f], index, paths_told(peer, f));
		rib->in[f].told_whole += peer->out[f] && peer->out[f]->paths;
		if (peer->out[f])
			rib_tell(rib, RIB_EVENT_OUTPUT, index, f, 0);
	}
}

static void end_family(struct rib *rib, struct rib_peer *peer, enum bgp_family family,
		       bool graceful)
{
	struct peer_in *in = &peer->in[family];

	if (graceful)
		peer_in_grace(in);
	else
		peer_in_end(in);
	in->eor = in->refreshing = in->long_lived = false;
	in->waiting = graceful;
	if (in->unpurged)
		rib_ask_walk(rib, family);
}

void rib_peer_down(struct rib *rib, uint16_t index, bool graceful, struct mono now)
{
	struct rib_peer *peer = rib_peer_at(rib, index);
	bool full = false;

	if (!peer)
		return;
	rib_because(rib, RIB_CAUSE_SESSION_ENDED, index);
	peer->up = peer->shutting_down = false;
	leave(rib, peer);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		end_family(rib, peer, f, graceful && peer->config.stale_allowed);
		full |= peer->in[f].unpurged >= PEER_EPOCHS_MAX;
	}
	/* Epochs would repeat: this once the walk is not put off. */
	while (full && rib_work(rib, 1024, now))
		;
}

void rib_peer_remove(struct rib *rib, uint16_t index)
{
	struct rib_peer *peer = rib_peer_at(rib, index);
	bool empty = true;

	if (!peer)
		return;
	rib_peer_down(rib, index, false, (struct mono){ 0 });
	peer->leaving = true;
	peer->reapply = false;
	peer->config.in = peer->config.out = NULL;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		empty &= !peer->in[f].unpurged;
	if (empty)
		rib_peer_free(rib, index);
	else
		rib_ask_walks(rib);
}

void rib_peer_sweep(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (!peer)
		return;
	rib_because(rib, RIB_CAUSE_STALE_GONE, index);
	peer->in[family].waiting = peer->in[family].long_lived = false;
	if (peer_in_sweep(&peer->in[family]))
		rib_ask_walk(rib, family);
}

void rib_peer_long_lived(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (!peer || !peer->in[family].waiting)
		return;
	rib_because(rib, RIB_CAUSE_STALE_GONE, index);
	peer->in[family].long_lived = true;
	peer->reapply = true;
	rib_ask_walk(rib, family);
}

bool rib_peer_waiting(const struct rib *rib, uint16_t index, enum bgp_family family)
{
	const struct rib_peer *peer = rib_peer_at(rib, index);

	return peer && peer->in[family].waiting;
}

void rib_peer_mark_stale(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (!peer)
		return;
	rib_because(rib, RIB_CAUSE_STALE_GONE, index);
	/* A peer that only ever begins and never ends a refresh: what is stale so long goes. */
	if (peer->in[family].unpurged + peer->in[family].kept >= PEER_EPOCHS_MAX) {
		peer_in_sweep(&peer->in[family]);
		rib_ask_walk(rib, family);
		while (rib_work(rib, 1024, (struct mono){ 0 }))
			;
	}
	peer_in_mark_stale(&peer->in[family]);
}

void rib_peer_resend(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (!peer || !peer->out[family])
		return;
	if (!peer->params.enhanced_refresh) {
		resend(rib, index, family);
		return;
	}
	out_member_refresh(&rib->out[family], peer->out[family]);
	rib_tell(rib, RIB_EVENT_OUTPUT, index, family, 0);
}

/*
 * RFC 7313 4. Between BoRR and EoRR what is not announced again is stale; a BoRR before the End-of-RIB
 * that a gracefully restarting peer owes is ignored, and so is an EoRR without its BoRR.
 */
bool rib_peer_refresh(struct rib *rib, uint16_t index, enum bgp_family family, bool begins)
{
	struct rib_peer *peer = rib_peer_at(rib, index);
	struct peer_in *in;

	if (!peer || !peer->up)
		return false;
	in = &peer->in[family];
	if (begins ? peer->params.peer_gr && !in->eor : !in->refreshing)
		return false;
	if (begins)
		rib_peer_mark_stale(rib, index, family);
	else
		rib_peer_sweep(rib, index, family);
	in->refreshing = begins;
	return true;
}

void rib_peer_shutting_down(struct rib *rib, uint16_t index, bool on)
{
	struct rib_peer *peer = rib_peer_at(rib, index);

	if (!peer || !peer->up || peer->shutting_down == on)
		return;
	peer->shutting_down = on;
	rib_resend_all(rib, index);
}

bool rib_peer_eor(const struct rib *rib, uint16_t index, enum bgp_family family)
{
	const struct rib_peer *peer = rib_peer_at(rib, index);

	return peer && peer->in[family].eor;
}

void rib_peer_free(struct rib *rib, uint32_t index)
{
	free(rib->peers[index]);
	rib->peers[index] = NULL;
	while (rib->peer_high && !rib->peers[rib->peer_high - 1])
		rib->peer_high--;
}
