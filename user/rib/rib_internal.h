/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of user/rib behind rib/rib.h share: the RIB of a vnet itself. Nobody else. */
#ifndef XRS_RIB_INTERNAL_H
#define XRS_RIB_INTERNAL_H

#include "rib/adj_rib_in.h"
#include "rib/adj_rib_out.h"
#include "rib/attr_store.h"
#include "rib/loc_rib.h"
#include "rib/rib.h"

struct rib_peer {
	struct rib_peer_config config;
	struct bgp_session_params params; /* of the session, or of the last one */
	struct ip_addr source;            /* our address of it; IP_NONE: not told */
	bool up;
	bool shutting_down; /* RFC 8326: what it is told carries GRACEFUL_SHUTDOWN */
	bool leaving;       /* removed; its slot waits until its paths are collected */
	bool no_room;       /* a path was refused for its memory, and none let in since */
	bool lacks;         /* a path was refused, and the peer was not asked for it again */
	bool reapply;       /* its paths have to meet admission and inbound map again */
	struct peer_in in[BGP_FAMILY_MAX];
	struct out_member *out[BGP_FAMILY_MAX]; /* NULL: not up, or not this family */
};

struct rib_why { /* what is going on, for rib_change */
	enum rib_cause cause;
	uint16_t peer;
};

/*
 * A walk over all nets that may be asked for again at any time: from where it stands to the end, then from
 * the beginning to where it stood when it was asked for last. Nets that are added meanwhile may be met.
 */
struct rib_walk {
	bool active;
	bool to_end; /* not turned round yet */
	uint32_t next, stop;
	struct rib_why why; /* it was asked for */
};

struct local_list { /* rib_set_local(): the nets of the present list */
	uint32_t *nets;
	size_t n;
};
#define LOCAL_KINDS 2

struct by_source { /* with offer_by_source: groups by net, each a reference */
	uint32_t (*groups)[RIB_SOURCES];
	uint32_t cap; /* nets that have an entry */
};

struct verdict { /* what a decision says of one path */
	enum rib_path_state state;
	uint8_t flags; /* PATH_F_BEST, PATH_F_MULTIPATH */
	uint8_t lost_at;
};

struct decide_scratch {
	struct verdict *verdicts;
	struct decision_path *paths;
	uint32_t *ids, *nexthops;
	uint8_t *lost_at, *backup_lost_at;
	uint32_t cap;
};

struct export_scratch;

struct rib {
	struct rib_config config;
	struct nexthop_table *nexthops;
	struct rib_callbacks callbacks;
	struct attr_store *attrs;
	struct adj_rib_in in[BGP_FAMILY_MAX];
	struct adj_rib_out out[BGP_FAMILY_MAX];
	struct out_share *share[BGP_FAMILY_MAX];
	struct rib_walk walk[BGP_FAMILY_MAX];
	struct local_list local[BGP_FAMILY_MAX][LOCAL_KINDS];
	struct by_source by_source[BGP_FAMILY_MAX];
	struct rib_why why;   /* of the call or the slice under way */
	uint64_t digest;      /* rib_digest() */
	uint32_t local_attrs; /* of what we originate: ORIGIN IGP, AS_PATH empty */
	uint32_t *weights;    /* distinct weights of route maps; [0] is 0 */
	uint32_t n_weights;
	struct decide_scratch decide;
	struct export_scratch *export;
	struct policy_result policy;
	struct rib_peer *peers[RIB_PEERS_MAX];
	uint32_t peer_high; /* one more than the highest in use */
	bool losing;        /* the net at hand had paths of sessions that ended */
	enum {
		HOLD_NONE,
		HOLD_SELECTION, /* rib_hold() */
		HOLD_OUTPUT,    /* released: until every net was decided */
	} hold;
};

/* --- rib.c -------------------------------------------------------------------------------------- */
/* What is done from here on is done for this. */
static inline void rib_because(struct rib *rib, enum rib_cause cause, uint16_t peer)
{
	rib->why = (struct rib_why){ cause, peer };
}
void rib_tell(const struct rib *rib, enum rib_event_type type, uint16_t peer,
	      enum bgp_family family, uint32_t count);
/* Wakes the sessions that sleep: something of this family became pending. */
void rib_wake(struct rib *rib, enum bgp_family family);

/* --- admission.c -------------------------------------------------------------------------------- */
/* What admission (loop check, route leaks, inbound map, own next hop) makes of a received set. */
struct admission {
	enum rib_path_state state;
	uint32_t attrs; /* a reference for the caller, or ATTR_NONE */
	uint16_t weight;
	int rule;    /* of the inbound map, or -1 */
	bool failed; /* out of memory */
};
/* @received is what @attrs_in names. */
struct admission rib_admit(struct rib *rib, const struct rib_peer *peer,
			   const struct ip_prefix *prefix, uint32_t attrs_in,
			   const struct bgp_attrs *received);
/* RFC 9494 4.3, for a path that is long-lived stale: LLGR_STALE in the set that is used. */
void rib_mark_llgr_stale(struct rib *rib, struct admission *a);

/* --- paths.c ------------------------------------------------------------------------------------ */
/* What a path with this received set is charged. */
uint32_t rib_path_octets(const struct rib *rib, uint32_t attrs_in);
/* A path comes (@by = 1) or goes (-1): counted and charged. */
void rib_path_account(const struct rib *rib, struct peer_in *in, const struct rib_path *path,
		      int by);
/* Takes a path out, with its references; where it carried the count of its peer another one does now. */
void rib_path_drop(struct rib *rib, enum bgp_family family, uint32_t net, uint32_t id);
/* A living path of this peer that carries the prefix in the peer's count, or PATH_NONE. */
uint32_t rib_counted_path(const struct rib *rib, enum bgp_family family, uint32_t net,
			  uint16_t peer);
/* No path over the limit may be let in while the limit is reached. */
bool rib_limit_reached(const struct rib_peer *peer, enum bgp_family family);
/* Blocked prefixes wait although there is room again. */
bool rib_can_unblock(const struct rib_peer *peer);

/* --- walk.c ------------------------------------------------------------------------------------- */
/* Has every net met from now on, once, for the reason at hand. */
void rib_ask_walk(struct rib *rib, enum bgp_family family);
void rib_ask_walks(struct rib *rib); /* of all families */

/* --- peers.c ------------------------------------------------------------------------------------ */
/* NULL: there is none, or it is leaving. */
static inline struct rib_peer *rib_peer_at(const struct rib *rib, uint16_t peer)
{
	return peer < rib->peer_high && rib->peers[peer] && !rib->peers[peer]->leaving
		       ? rib->peers[peer]
		       : NULL;
}
void rib_peer_free(struct rib *rib, uint32_t index);
/* Everything that the peer may be told is looked at again: more, less and other than before. */
void rib_resend_all(struct rib *rib, uint16_t index);
/* What peers were told under other policies is no example for others any more. */
void rib_forget_shared(struct rib *rib);

/* What its paths cost, of all families (rib_path_octets()). */
uint64_t rib_peer_octets(const struct rib_peer *peer);
/* Tells the owner when there is room for what was refused. */
void rib_check_room(struct rib *rib, uint16_t index);

/* --- otc.c: RFC 9234 5 ------------------------------------------------------------------------- */
struct otc_rule {
	bool refuse_in;   /* a route with OTC is a leak */
	bool only_own_in; /* the same, but for the peer's own ASN in it */
	bool add_in;      /* a route without it gets the peer's ASN */
	bool add_out;     /* a route without it is told with our ASN */
	bool refuse_out;  /* a route with it is not told */
};
struct otc_rule otc_rule(const struct rib_peer *peer);
bool otc_leaks_in(const struct rib_peer *peer, const struct bgp_attrs *attrs);

/* --- by_source.c -------------------------------------------------------------------------------- */
/* What is offered for a net now. */
struct rib_offer by_source_offer(const struct rib *rib, enum bgp_family family, uint32_t net);
/*
 * Takes over the references of @from (NULL: of none) as the groups of a net. The groups that were there
 * before come back in ret_old, for the caller to release. True when any differs.
 */
bool by_source_set(struct rib *rib, enum bgp_family family, uint32_t net, const uint32_t *from,
		   uint32_t ret_old[static RIB_SOURCES]);
/* Releases all. */
void by_source_clear(struct rib *rib);

/* --- out_share.c ------------------------------------------------------------------------------- */
#define SHARE_LIST  64  /* sources and next hops of one window; with more it is not shared */
#define SHARE_LEAST 3   /* peers of a family: below it is not worth the copy */
#define SHARE_RUN   256 /* routes of one source that are a window of their own */

struct share_notes { /* what a window depends on besides the export policy */
	bool good;
	unsigned int n_sources, n_hops;
	uint16_t sources[SHARE_LIST];
	struct ip_addr hops[SHARE_LIST];
};

struct share_window {               /* that was written whole */
	uint32_t from, to;          /* journal positions */
	const struct out_ref *refs; /* its nets */
	uint32_t n_nets;
	const uint8_t *octets;
	size_t len;
};

struct out_share;
struct stretch;
struct out_share *out_share_new(void);
void out_share_free(struct out_share *share);
size_t out_share_memory(const struct out_share *share);
/* Notes for the window that begins; clear `good` where it can not be shared. */
struct share_notes *share_begin(struct out_share *share);
void share_note_source(struct share_notes *notes, uint16_t source);
void share_note_next_hop(struct share_notes *notes, const struct ip_addr *addr);
/* Keeps the window just written for @member, unless the notes are bad. */
void share_keep(struct out_share *share, const struct adj_rib_out *out,
		const struct out_member *member, const struct share_window *window);
/* What the member is to be told next, if another one, that is @alike, was told it before; or NULL. */
const struct stretch *share_find(const struct out_share *share, const struct adj_rib_out *out,
				 const struct out_member *member, const struct ip_addr *addr,
				 bool (*alike)(const void *ctx, uint16_t a, uint16_t b),
				 const void *ctx);
size_t share_size(const struct stretch *stretch);
/* Copies its messages and notes that the member was told them. */
void share_take(const struct stretch *stretch, struct adj_rib_out *out, struct out_member *member,
		uint8_t *buf);

/* --- export.c ---------------------------------------------------------------------------------- */
struct export_scratch *export_scratch_new(void);
void export_scratch_free(struct export_scratch *scratch);
size_t export_scratch_size(void);
/* What @peer is to be told about a net, route by route, as each would stand in an UPDATE. */
struct export_view {
	bool shown; /* false: it can not be put so that this peer may have it */
	struct bgp_attrs attrs;
	uint16_t source;  /* peer, or RIB_PEER_NONE */
	uint32_t path_id; /* 0 without ADD-PATH */
};
/* False: there is no @nth. */
bool export_view(struct rib *rib, uint16_t peer, enum bgp_family family, uint32_t net,
		 unsigned int nth, struct export_view *ret_view);

#endif
