/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adj-RIB-In of one vnet and family: every path as received, of all peers, by prefix; and what each
 * peer's paths add up to. Only user/rib calls it. Pure.
 *
 * A prefix is a net: a dense id of prefix_table and 12 octets. Its paths are a list in one slab, 28
 * octets each. Whether a path still counts is never written into it: its epoch is compared with its
 * peer's, so the end of a session, stale marking and sweeping cost O(1), and the dead paths are
 * collected later.
 */
#ifndef XRS_RIB_ADJ_RIB_IN_H
#define XRS_RIB_ADJ_RIB_IN_H

#include "rib/rib.h"
#include "util/prefix_table.h"

#define PATH_NONE         UINT32_MAX
#define NET_PATHS_OF_PEER 16 /* ADD-PATH: paths of one peer for one prefix; more are not kept */

#define PATH_F_BEST       0x01u
#define PATH_F_MULTIPATH  0x02u /* the best has it too */
#define PATH_F_EXTRA      0x04u /* not the first path of its peer for the prefix: not counted twice */

struct rib_path {
	uint32_t next;     /* in the net's list: the best first; PATH_NONE ends it */
	uint32_t attrs_in; /* as received; a reference of the attribute store */
	uint32_t attrs; /* after the inbound map; ATTR_NONE when it dropped the path; a reference */
	uint32_t path_id; /* RFC 7911; 0 */
	uint32_t since;   /* seconds of the monotonic clock */
	uint16_t peer;
	uint16_t weight; /* index into the RIB's weights */
	uint8_t epoch;
	uint8_t state; /* enum rib_path_state */
	uint8_t lost_at;
	uint8_t flags; /* PATH_F_* */
};
static_assert(sizeof(struct rib_path) == 28, "a path costs 28 octets");

#define NET_F_KEEP 0x80u /* rib_set_local(): in the new list too */

struct rib_net {
	uint32_t head;  /* first path, or PATH_NONE */
	uint32_t group; /* offered next-hop group, a reference; GROUP_NONE: nothing selected */
	uint8_t local;  /* 1 << enum rib_local_kind: originated here; NET_F_KEEP */
	uint8_t pad[3];
};
static_assert(sizeof(struct rib_net) == 12, "a net costs 12 octets");

struct adj_rib_in {
	struct prefix_table *prefixes;
	struct rib_net *nets; /* by id */
	uint32_t net_cap;
	struct rib_path *paths;
	uint32_t path_cap, path_limit; /* slab: room, ever used */
	uint32_t path_free;            /* list through `next` */
	uint32_t n_paths;
	uint32_t told_whole; /* sessions that are told more than the best path (ADD-PATH) */
};

int adj_rib_in_init(struct adj_rib_in *in, enum ip_family family);
void adj_rib_in_done(struct adj_rib_in *in); /* releases no attributes and no groups */
/* Finds or adds; @hash is of prefix_table_soon(). PREFIX_ID_NONE: out of memory. */
uint32_t adj_rib_in_net(struct adj_rib_in *in, const struct ip_prefix *prefix, uint32_t hash);
/* Forgets a net without paths. */
void adj_rib_in_drop_net(struct adj_rib_in *in, uint32_t net);
/* Many; @in is a struct adj_rib_in: for adj_rib_out_collect(). */
void adj_rib_in_drop_nets(void *in, const uint32_t *nets, size_t n);
/* The path of (@peer, @path_id), or PATH_NONE. */
uint32_t adj_rib_in_find(const struct adj_rib_in *in, uint32_t net, uint16_t peer,
			 uint32_t path_id);
/* A new, zeroed path behind the best. PATH_NONE: out of memory. */
uint32_t adj_rib_in_add(struct adj_rib_in *in, uint32_t net);
/* Unlinks and frees; what it referred to is the caller's to release first. */
void adj_rib_in_remove(struct adj_rib_in *in, uint32_t net, uint32_t path);
size_t adj_rib_in_memory(const struct adj_rib_in *in);

/* --- one peer, one family ---------------------------------------------------------------------- */

enum {
	COUNT_STATE = 0,                  /* paths in each enum rib_path_state */
	COUNT_EXTRA = RIB_PATH_STATE_MAX, /* paths beyond the first of a prefix */
	COUNT_OVER_EXTRA,                 /* those of them that are over the limit */
	COUNT_BEST,                       /* chosen, alone or in a multipath set */
	COUNT_MAX
};

struct peer_in {
	uint8_t epoch;    /* of paths that are fresh */
	uint8_t kept;     /* so many epochs before it are stale but still used */
	uint8_t unpurged; /* epochs that ended since the last full walk */
	bool eor;         /* End-of-RIB came */
	bool refreshing;  /* BoRR came, EoRR did not yet */
	bool long_lived;  /* the stale ones are long-lived (RFC 9494) */
	bool waiting;     /* stale paths of an earlier session: until End-of-RIB of a new one */
	bool warned, exceeded;
	uint32_t counts[2]
		       [COUNT_MAX]; /* [0] of fresh paths, [1] of stale ones; of dead ones never */
	uint64_t shadow;            /* azureShadowCount */
	uint64_t octets[2];         /* of the paths counted in counts[], see rib_path_octets() */
	uint64_t refused;           /* paths for which there was no room */
};

enum path_age {
	PATH_FRESH = 0,
	PATH_STALE = 1,
	PATH_DEAD = 2
};
static inline enum path_age path_age(const struct peer_in *in, const struct rib_path *path)
{
	uint8_t age = (uint8_t)(in->epoch - path->epoch);

	return age == 0 ? PATH_FRESH : age <= in->kept ? PATH_STALE : PATH_DEAD;
}

/* Epochs differ in eight bits: at this many the dead paths have to be collected before the next. */
#define PEER_EPOCHS_MAX 200

/* All paths die. */
void peer_in_end(struct peer_in *in);
/* Fresh paths become stale; what was stale dies (RFC 4724 4.2). */
void peer_in_grace(struct peer_in *in);
/* Fresh paths become stale; what was stale stays so (RFC 7313 4, BoRR). */
void peer_in_mark_stale(struct peer_in *in);
/* Stale paths die. True when there were any. */
bool peer_in_sweep(struct peer_in *in);
/* Adds (@by = 1) or takes back (-1) a path's part of the counts; nothing for a dead one. */
void peer_in_count(struct peer_in *in, const struct rib_path *path, int by);
/* What else @flags in place of the path's own would count: chosen, or not any more. */
static inline void peer_in_count_best(struct peer_in *in, const struct rib_path *path,
				      uint8_t flags)
{
	enum path_age age = path_age(in, path);
	unsigned int is = (flags & PATH_F_MULTIPATH) != 0,
		     was = (path->flags & PATH_F_MULTIPATH) != 0;

	if (age != PATH_DEAD)
		in->counts[age][COUNT_BEST] += is - was;
}
/* The same for the @octets of a path: what it takes, not how it is chosen. */
void peer_in_charge(struct peer_in *in, const struct rib_path *path, uint32_t octets, int by);
/* Distinct prefixes held; without those over the limit. */
uint32_t peer_in_held(const struct peer_in *in);
uint32_t peer_in_within_limit(const struct peer_in *in);
uint32_t peer_in_sum(const struct peer_in *in, unsigned int what);

#endif
