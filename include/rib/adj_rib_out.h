/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adj-RIB-Out of one vnet and family: the order of changes, and what each peer has been told of it.
 * Only user/rib calls it. Pure.
 *
 * One journal for all peers: each net that may have to be told stands in it once, at the place of its
 * last change. A peer is a cursor into the journal and a bit for each net (announced or not); what to
 * say about a net is worked out from Loc-RIB when the cursor gets there. So a change costs one append
 * whatever the number of peers, a slow peer costs nothing and is told the last state only, a new peer
 * starts at the head, and nobody keeps attributes twice: 8 octets and one bit a peer for each net.
 *
 *   journal  | n7 | -- | n2 | n9 | -- | n4 | n1 |
 *              ^head           ^cursor of A       ^end (cursor of B: nothing pending)
 */
#ifndef XRS_RIB_ADJ_RIB_OUT_H
#define XRS_RIB_ADJ_RIB_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUT_WINDOW 2048 /* nets that one peer looks at in one go */
/* ADD-PATH: paths of one net that a peer is told at most. */
#define OUT_PATHS_MAX 16

struct adj_rib_out {       /* the journal */
	uint32_t *entries; /* net, perhaps with a mark; see adj_rib_out.c */
	uint32_t end, cap;
	uint32_t *place; /* by net: where it stands, or PLACE_NONE */
	uint32_t place_cap;
	uint32_t holes;
	uint32_t high;    /* no cursor is above */
	uint32_t swept;   /* nothing retired stands below */
	uint32_t retired; /* nets that go when all peers have passed them */
	struct out_member **members;
	uint32_t n_members, member_cap;
	uint32_t idle; /* members that asked to be woken */
	/* Changes with members, their restarts, and whenever positions move: what was kept is void. */
	uint32_t epoch;
};

struct out_ref { /* what a peer is told of: a net, and with ADD-PATH one of its paths; 0: all of it */
	uint32_t net, path_id;
};

struct out_member { /* one established session; what it was told */
	uint16_t peer;
	bool idle; /* reached the end since it was last woken */
	bool dump; /* the first full dump is not over: End-of-RIB is owed */
	enum {
		REFRESH_NONE,
		REFRESH_WANTED,  /* after the dump: no BoRR before End-of-RIB (RFC 7313 4) */
		REFRESH_BEGINS,  /* BoRR is owed */
		REFRESH_RUNNING, /* EoRR is owed */
	} refresh;
	uint32_t cursor; /* next entry to look at */
	uint32_t
		floor; /* no entry below is needed any more: under `cursor` while some are left over */
	uint32_t dump_end; /* End-of-RIB or EoRR is due when `floor` has come here */
	uint64_t *told;    /* a bit for each net */
	uint32_t told_cap; /* in words */
	uint32_t n_told;   /* nets */
	unsigned int
		paths; /* ADD-PATH: told for each net at most; 0: one route without identifier */
	uint32_t *path_ids;   /* `paths` of them for each net, 0: none */
	struct out_ref *left; /* of the last window: not said yet */
	uint32_t n_left;
};

void adj_rib_out_init(struct adj_rib_out *out);
void adj_rib_out_done(struct adj_rib_out *out); /* members too */

/* The net changed: it moves behind all others. 0 or -ENOMEM. */
int adj_rib_out_touch(struct adj_rib_out *out, uint32_t net);
/*
 * The net is no more. True: nobody has been told of it and it is forgotten: its id is free. False:
 * its withdrawal waits in the journal; adj_rib_out_collect() gives the id when all were told.
 */
bool adj_rib_out_retire(struct adj_rib_out *out, uint32_t net);
/* It came back before that. */
void adj_rib_out_unretire(struct adj_rib_out *out, uint32_t net);
bool adj_rib_out_retired(const struct adj_rib_out *out, uint32_t net);
/* Gives @gone the retired nets that all members have passed, many at a time, each once. */
void adj_rib_out_collect(struct adj_rib_out *out,
			 void (*gone)(void *ctx, const uint32_t *nets, size_t n), void *ctx);

/* A session begins at the head; @paths: with ADD-PATH, at most OUT_PATHS_MAX. NULL: out of memory. */
struct out_member *adj_rib_out_join(struct adj_rib_out *out, uint16_t peer, unsigned int paths);
void adj_rib_out_leave(struct adj_rib_out *out, struct out_member *member);
/* Everything is looked at again. */
void out_member_restart(struct adj_rib_out *out, struct out_member *member);
/* The same between BoRR and EoRR. */
void out_member_refresh(struct adj_rib_out *out, struct out_member *member);

/*
 * What to look at now into @refs (room for OUT_WINDOW): what was left over, then nets in the order of their
 * last change. How many; 0: nothing.
 */
uint32_t out_member_window(struct adj_rib_out *out, struct out_member *member,
			   struct out_ref *refs);
/* The window just given ends before @from, one of its nets. */
void out_member_cut(const struct adj_rib_out *out, struct out_member *member, struct out_ref from);
/* The window is done but for these, at most OUT_WINDOW. */
void out_member_finish(struct adj_rib_out *out, struct out_member *member,
		       const struct out_ref *left, uint32_t n_left);
/* It was told everything below @to in another way. */
void out_member_advance(struct adj_rib_out *out, struct out_member *member, uint32_t to);
/* Another window follows the one just given, and no mark is due before it. */
bool out_member_more(const struct adj_rib_out *out, const struct out_member *member);
bool out_member_pending(const struct adj_rib_out *out, const struct out_member *member);
/* What has to be said now that is no route; out_member_mark_sent() when it was written. */
enum out_mark {
	OUT_MARK_NONE,
	OUT_MARK_EOR,  /* RFC 4724 2 */
	OUT_MARK_BORR, /* RFC 7313 3.2: before the next window */
	OUT_MARK_EORR,
};
enum out_mark out_member_mark(const struct out_member *member);
void out_member_mark_sent(struct adj_rib_out *out, struct out_member *member, enum out_mark mark);
/* Nothing is pending: the next touch has to wake it. */
void out_member_sleep(struct adj_rib_out *out, struct out_member *member);
/* The next sleeping member, woken by this; NULL: none. Start with *cursor = 0. */
struct out_member *adj_rib_out_wake(struct adj_rib_out *out, uint32_t *cursor);

bool out_member_told(const struct out_member *member, uint32_t net);
/* Bits for nets below @limit, before any of them is set. 0 or -ENOMEM. */
int out_member_reserve(struct out_member *member, uint32_t limit);
/* @path_id says nothing without ADD-PATH; with it never more than `paths` are told at once. */
void out_member_set_told(struct out_member *member, uint32_t net, uint32_t path_id, bool told);
/* Many, for a session without ADD-PATH. */
void out_member_set_refs_told(struct out_member *member, const struct out_ref *refs, size_t n,
			      bool told);
void out_member_set_all_told(struct out_member *member, const uint32_t *nets, uint32_t n);
bool out_member_told_path(const struct out_member *member, uint32_t net, uint32_t path_id);
/* The identifiers told of a net into ret[]; one, 0, without ADD-PATH. How many. */
unsigned int out_member_told_paths(const struct out_member *member, uint32_t net,
				   uint32_t ret[OUT_PATHS_MAX]);

size_t adj_rib_out_memory(const struct adj_rib_out *out);

#endif
