/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The routing information base of one vnet: Adj-RIB-In, policy, decision, Loc-RIB and Adj-RIB-Out
 * joined. Updates go in; changes of the selected routes come out through one callback; what each peer
 * has to be told is asked for with rib_produce(). Pure: no sockets, clock or logs; time is an argument.
 *
 *   rib_update() -> adj_rib_in -> policy -> decision -> loc_rib -> changed() callback (-> vnet/effective)
 *                                                          \-> adj_rib_out -> rib_produce() -> octets
 *
 * Anything that would touch many prefixes at once (a peer's end, a changed route map, a next hop that
 * became unusable) is queued and done in slices by rib_work().
 */
#ifndef XRS_RIB_RIB_H
#define XRS_RIB_RIB_H

#include "bgp/update_decode.h"
#include "bgp/update_encode.h"
#include "rib/decision.h"
#include "rib/nexthop_group.h"
#include "rib/policy.h"
#include "util/mono.h"

struct rib;

#define RIB_PEERS_MAX 4096
#define RIB_PEER_NONE UINT16_MAX

enum rib_path_state { /* why a path may or may not be used: installReason in the API */
	RIB_PATH_OK = 0,
	RIB_PATH_FILTERED,     /* dropped by the inbound route map */
	RIB_PATH_LOOP,         /* our ASN, or our identifier as ORIGINATOR_ID or in CLUSTER_LIST */
	RIB_PATH_NEXTHOP_SELF, /* next hop is our own address */
	RIB_PATH_NEXTHOP_UNRESOLVED,
	RIB_PATH_OTC_LEAK,   /* RFC 9234 */
	RIB_PATH_OVER_LIMIT, /* maxPrefixes with action block */
	RIB_PATH_STATE_MAX,
};
const char *rib_path_state_name(enum rib_path_state state); /* "NextHopUnresolved" */

struct rib_config {
	uint32_t vnet; /* number for nexthop_get() */
	uint32_t local_asn, local_id;
	struct ip_addr local_addr[BGP_FAMILY_MAX]; /* next hop of what we originate; IP_NONE: see
						rib_peer_source() */
	struct decision_config decision;
	bool branch_to_branch;
	bool nexthops_always_usable; /* dataplane.mode none */
	bool offer_by_source;        /* work out what each kind of source alone would offer */
};

/* What a route table may take out by itself: paths of gateway peerings, or those of all others. */
enum rib_source {
	RIB_SOURCE_NVA,
	RIB_SOURCE_GATEWAY,
	RIB_SOURCES
};

struct rib_offer {      /* next-hop groups, held by the RIB until the prefix changes */
	uint32_t group; /* what is selected; 0: nothing */
	uint32_t from
		[RIB_SOURCES]; /* of paths of one kind alone; as `group` without offer_by_source */
	/*
	 * Of a change: a path went because its session ended or its next hop can not be reached, not because
	 * somebody took it back or the configuration took it away.
	 */
	bool lost;
};

struct rib_limit {      /* maxPrefixes */
	uint32_t limit; /* 0: none */
	uint8_t warn_percent;
	enum {
		RIB_LIMIT_WARN,
		RIB_LIMIT_BLOCK,
		RIB_LIMIT_RESTART,
		RIB_LIMIT_SHUTDOWN
	} action;
	uint32_t restart_seconds; /* after RIB_LIMIT_RESTART; for the caller */
};

struct rib_peer_config {
	char name[64];
	struct ip_addr addr;
	uint32_t asn;
	enum peer_role role;
	struct rib_limit limit; /* for each family by itself */
	uint64_t memory;        /* octets that its paths may take, all families; 0: no limit */
	const struct route_map *in,
		*out; /* not owned; must outlive the peer's use; NULL: permit all */
	bool advertise_vnet, advertise_learned, advertise_host_routes;
	unsigned int
		add_path_max; /* ADD-PATH: paths of a prefix told at most; at the next session */
	bool has_bgp_role;
	enum bgp_role bgp_role; /* ours towards the peer (RFC 9234) */
	bool stale_allowed;     /* graceful restart helper: keep paths when the session ends so */
};

struct rib_peer_counts {   /* one family of one peer */
	uint32_t received; /* distinct prefixes in Adj-RIB-In */
	uint32_t accepted; /* usable ones */
	uint32_t filtered;
	uint32_t best;         /* chosen, alone or in a multipath set */
	uint32_t advertised;   /* in Adj-RIB-Out as sent */
	uint32_t blocked;      /* held, but over maxPrefixes with action block */
	uint64_t shadow_count; /* azureShadowCount: the highest "held + arriving" seen */
	uint64_t memory;       /* octets, as if no attribute set were shared */
	uint64_t refused;      /* paths refused for rib_peer_config.memory, ever */
};

enum rib_event_type {
	RIB_EVENT_LIMIT_WARN,     /* peer, family, count */
	RIB_EVENT_LIMIT_EXCEEDED, /* the caller acts: action block is already in force */
	RIB_EVENT_MEMORY,         /* the first path is refused since there was room */
	RIB_EVENT_ROOM,   /* there is room for what was refused: ask the peer for it again */
	RIB_EVENT_OUTPUT, /* something to send became pending for peer: wake its session */
};

enum rib_cause { /* why a selection changed; names: rib_cause_name() */
	RIB_CAUSE_NONE,
	RIB_CAUSE_ANNOUNCED, /* by a peer, this and the next three */
	RIB_CAUSE_WITHDRAWN,
	RIB_CAUSE_SESSION_ENDED,
	RIB_CAUSE_STALE_GONE, /* restart time over, End-of-RIB, EoRR */
	RIB_CAUSE_NEXT_HOP,   /* reachable, or not any more */
	RIB_CAUSE_CONFIGURATION,
	RIB_CAUSE_LIMIT,   /* there is room again below a limit */
	RIB_CAUSE_RESTART, /* the first selection after ours */
	RIB_CAUSE_SEVERAL,
	RIB_CAUSE_MAX,
};
const char *rib_cause_name(enum rib_cause cause); /* "sessionEnded"; NONE: "" */

/* A selected route changed. The last four are of rib_callbacks.changed only. */
struct rib_change {
	enum bgp_family family;
	struct ip_prefix prefix;
	struct rib_offer offer;
	uint32_t old_group; /* before; it still exists during the call */
	enum rib_cause cause;
	uint16_t cause_peer; /* or RIB_PEER_NONE */
	enum decision_step
		step; /* at which the best of the others lost; STEP_NONE: there is none */
};

struct rib_callbacks { /* none of them may call back into the RIB, but for reading */
	void *ctx;
	void (*changed)(void *ctx, const struct rib_change *change);
	void (*event)(void *ctx, enum rib_event_type type, uint16_t peer, enum bgp_family family,
		      uint32_t count);
	/* May be NULL: `changed` may soon be called for @prefix; the time to fetch memory for it. */
	void (*soon)(void *ctx, const struct ip_prefix *prefix);
};

/* @nexthops is shared by all vnets and outlives the RIB. NULL: out of memory. */
struct rib *rib_new(const struct rib_config *config, struct nexthop_table *nexthops,
		    const struct rib_callbacks *callbacks);
void rib_free(struct rib *rib);
/* New preference, branch-to-branch, ...: queues what has to be decided or sent again. */
void rib_reconfigure(struct rib *rib, const struct rib_config *config);

/*
 * RFC 4724 4.1, a restarting speaker: while @hold nothing is selected and no peer is told anything;
 * paths are kept and their next hops resolved. Released, everything is decided in slices, and then told.
 */
void rib_hold(struct rib *rib, bool hold);
bool rib_held(const struct rib *rib); /* also while the slices after a release are not done */

/* A configured peer; the index names it until rib_peer_remove(). 0 or -ENOSPC, -ENOMEM. */
int rib_peer_add(struct rib *rib, const struct rib_peer_config *config, uint16_t *ret_peer);
void rib_peer_reconfigure(struct rib *rib, uint16_t peer, const struct rib_peer_config *config);
void rib_peer_remove(struct rib *rib,
		     uint16_t peer); /* as rib_peer_down() without grace, then forgets */

/*
 * Our address of the session that is about to be up, before rib_peer_up(): the next hop of what we
 * originate (RFC 4271 5.1.3) in a family for which the configuration names none.
 */
void rib_peer_source(struct rib *rib, uint16_t peer, const struct ip_addr *addr);
/* The session is Established with these parameters: Adj-RIB-Out starts with a full dump and End-of-RIB. */
void rib_peer_up(struct rib *rib, uint16_t peer, const struct bgp_session_params *params,
		 struct mono now);
/*
 * The session ended. @graceful: keep its paths as stale until End-of-RIB or rib_peer_sweep(). Else they
 * stop counting at once for every prefix decided from now on, and are removed in slices.
 */
void rib_peer_down(struct rib *rib, uint16_t peer, bool graceful, struct mono now);
/* Drops what is still stale (restart time over, End-of-RIB, EoRR). */
void rib_peer_sweep(struct rib *rib, uint16_t peer, enum bgp_family family);
/* Paths of an earlier session are kept as stale: they go at End-of-RIB, or with rib_peer_sweep(). */
bool rib_peer_waiting(const struct rib *rib, uint16_t peer, enum bgp_family family);
/*
 * RFC 9494 4.2, after the restart time: stale paths stay, marked LLGR_STALE and least preferred, until
 * rib_peer_sweep() or End-of-RIB; those with NO_LLGR go.
 */
void rib_peer_long_lived(struct rib *rib, uint16_t peer, enum bgp_family family);
/* Marks all paths of a family stale (BoRR, RFC 7313); announcements refresh them. */
void rib_peer_mark_stale(struct rib *rib, uint16_t peer, enum bgp_family family);
/*
 * RFC 8326: while @on the peer is told every route with GRACEFUL_SHUTDOWN (and LOCAL_PREF 0 inside the
 * AS), so that it moves its traffic before the session ends. Ends with the session.
 */
void rib_peer_shutting_down(struct rib *rib, uint16_t peer, bool on);
/* BoRR (@begins) or EoRR from the peer. False: ignored, it is out of turn. */
bool rib_peer_refresh(struct rib *rib, uint16_t peer, enum bgp_family family, bool begins);
/*
 * ROUTE-REFRESH from the peer, or soft out: everything is sent again, between BoRR and EoRR where
 * enhanced route refresh is in force.
 */
void rib_peer_resend(struct rib *rib, uint16_t peer, enum bgp_family family);

/* One decoded UPDATE. Everything in it is applied, or for treat-as-withdraw withdrawn. 0 or -ENOMEM. */
int rib_update(struct rib *rib, uint16_t peer, const struct bgp_update *update, struct mono now);
/* End-of-RIB has been received from the peer since it came up. */
bool rib_peer_eor(const struct rib *rib, uint16_t peer, enum bgp_family family);

/* The vnet's own prefixes (AS_PATH empty, ORIGIN IGP, next hop ours), replacing the previous list. */
enum rib_local_kind {
	RIB_LOCAL_VNET,
	RIB_LOCAL_HOST
};
int rib_set_local(struct rib *rib, enum rib_local_kind kind, const struct ip_prefix *prefixes,
		  size_t n);

/* A next hop's state changed: prefixes through it are decided again in slices. */
void rib_nexthop_changed(struct rib *rib, uint32_t nexthop);

/* Runs queued work for about @budget prefixes. True: there is more. */
bool rib_work(struct rib *rib, unsigned int budget, struct mono now);

/*
 * Octets of whole messages for this peer, at most @cap (at least one message limit). 0: nothing is
 * pending. Withdrawals and announcements are grouped by attributes; End-of-RIB follows the first dump.
 */
size_t rib_produce(struct rib *rib, uint16_t peer, uint8_t *buf, size_t cap);
bool rib_output_pending(const struct rib *rib, uint16_t peer);

/* --- reading, for the API ------------------------------------------------------------------ */
struct rib_path_view {
	struct ip_prefix prefix;
	uint16_t peer;
	uint32_t path_id;
	const struct bgp_attrs *attrs_in; /* as received; both are valid during the call only */
	const struct bgp_attrs *attrs;    /* after the inbound map; NULL when it dropped the path */
	enum rib_path_state state;
	int policy_rule; /* rule that changed or dropped it, or -1 */
	bool stale;
	bool best, multipath;
	enum decision_step lost_at;
	uint32_t weight;
	struct mono since;
};

/*
 * Resumable walks. *cursor starts at 0. Each call hands at most @budget views to @fn; false when the
 * walk is over. @fn returns false to stop early: the paths of the prefix at hand still come, then the
 * cursor stands at the next prefix. A call also ends after passing over 16 times @budget prefixes.
 */
typedef bool (*rib_view_fn)(void *ctx, const struct rib_path_view *view);
bool rib_walk_learned(const struct rib *rib, uint16_t peer, enum bgp_family family,
		      uint32_t *cursor, unsigned int budget, rib_view_fn fn, void *ctx);
bool rib_walk_advertised(const struct rib *rib, uint16_t peer, enum bgp_family family,
			 uint32_t *cursor, unsigned int budget, rib_view_fn fn, void *ctx);
/* All paths of all prefixes, the best first within a prefix. */
bool rib_walk_all(const struct rib *rib, enum bgp_family family, uint32_t *cursor,
		  unsigned int budget, rib_view_fn fn, void *ctx);
/* The paths of one prefix, the best first. Returns how many. */
size_t rib_explain(const struct rib *rib, const struct ip_prefix *prefix, rib_view_fn fn,
		   void *ctx);
/* Selected prefixes and their groups, for a full recompute of effective routes. */
bool rib_walk_selected(const struct rib *rib, enum bgp_family family, uint32_t *cursor,
		       unsigned int budget, void (*fn)(void *ctx, const struct rib_change *change),
		       void *ctx);
/* The group that BGP offers for exactly this prefix, or 0. */
uint32_t rib_lookup(const struct rib *rib, const struct ip_prefix *prefix);
struct rib_offer rib_offer(const struct rib *rib, const struct ip_prefix *prefix);

struct rib_peer_counts rib_peer_counts(const struct rib *rib, uint16_t peer,
				       enum bgp_family family);
const struct rib_peer_config *rib_peer_get(const struct rib *rib, uint16_t peer); /* NULL: none */

/* What is in force for its session, or was for the last one; NULL: there was none. */
const struct bgp_session_params *rib_peer_params(const struct rib *rib, uint16_t peer);

/*
 * A number over all that is selected: prefix, next hops, AS_PATH of the best. The same on every host with
 * the same selection, whatever came in which order.
 */
uint64_t rib_digest(const struct rib *rib);

struct rib_figures {
	uint32_t prefixes[BGP_FAMILY_MAX], paths[BGP_FAMILY_MAX];
	size_t attr_sets;
	size_t memory; /* octets, all of it */
};
struct rib_figures rib_figures(const struct rib *rib);

#endif
