// SPDX-License-Identifier: GPL-2.0-only
/*
 * Update groups: what one peer was told of a stretch of the journal is kept, and copied to the peers of the
 * same export policy that come by after it. export.c calls it around each window, and says who is alike. Must
 * never know what a route is: a stretch is a list of journal entries, and its messages are octets.
 *
 * A stretch holds for another peer while (share_find() checks all of it)
 *   - the journal still has exactly these entries there: a net that changed has moved to the end;
 *   - nobody joined, left or was restarted since: with that go all changes of policies;
 *   - none of its routes is the peer's own, and none has the peer as its next hop;
 *   - the peer was not told any of the nets that were passed over: it would have to hear of their end.
 */
#include <stdlib.h>
#include <string.h>

#include "rib_internal.h"

#define STRETCHES 32 /* kept for each family; at most 64 KiB of messages each */

struct stretch {
	uint32_t from, to; /* journal positions; 0, 0: none */
	uint32_t epoch;
	uint16_t by;
	uint32_t *entries; /* owned, and the two behind it: to - from, n_told, n_passed */
	uint32_t *told, *passed;
	uint32_t n_told, n_passed;
	uint8_t *octets; /* owned */
	size_t len;
	struct share_notes notes;
};

struct out_share {
	struct stretch ring[STRETCHES];
	unsigned int next;
	struct share_notes notes; /* of the window under way */
};

struct out_share *out_share_new(void)
{
	return calloc(1, sizeof(struct out_share));
}

static void drop(struct stretch *stretch)
{
	free(stretch->entries);
	free(stretch->octets);
	memset(stretch, 0, sizeof(*stretch));
}

void out_share_free(struct out_share *share)
{
	for (unsigned int i = 0; share && i < STRETCHES; i++)
		drop(&share->ring[i]);
	free(share);
}

size_t out_share_memory(const struct out_share *share)
{
	size_t size = sizeof(*share);

	for (unsigned int i = 0; i < STRETCHES; i++) {
		const struct stretch *s = &share->ring[i];

		size += s->len + (s->to - s->from + s->n_told + s->n_passed) * sizeof(*s->entries);
	}
	return size;
}

/* --- notes of the window under way ------------------------------------------------------------------ */

struct share_notes *share_begin(struct out_share *share)
{
	share->notes = (struct share_notes){ .good = true };
	return &share->notes;
}

void share_note_source(struct share_notes *notes, uint16_t source)
{
	for (unsigned int i = notes->n_sources; i-- > 0;) {
		if (notes->sources[i] == source)
			return;
	}
	if (notes->n_sources < SHARE_LIST)
		notes->sources[notes->n_sources++] = source;
	else
		notes->good = false;
}

void share_note_next_hop(struct share_notes *notes, const struct ip_addr *addr)
{
	for (unsigned int i = notes->n_hops; i-- > 0;) {
		if (ip_equal(&notes->hops[i], addr))
			return;
	}
	if (notes->n_hops < SHARE_LIST)
		notes->hops[notes->n_hops++] = *addr;
	else
		notes->good = false;
}

static bool concerns(const struct share_notes *notes, uint16_t peer, const struct ip_addr *addr)
{
	for (unsigned int i = 0; i < notes->n_sources; i++) {
		if (notes->sources[i] == peer)
			return true;
	}
	for (unsigned int i = 0; i < notes->n_hops; i++) {
		if (ip_equal(&notes->hops[i], addr))
			return true;
	}
	return false;
}

/* --- keeping ------------------------------------------------------------------------------------------ */

void share_keep(struct out_share *share, const struct adj_rib_out *out,
		const struct out_member *member, const struct share_window *window)
{
	struct stretch *s = &share->ring[share->next];
	uint32_t n = window->to - window->from;

	if (!share->notes.good)
		return;
	drop(s);
	s->entries = malloc((2 * (size_t)n + 1) * sizeof(*s->entries));
	s->octets = malloc(window->len + 1);
	if (!s->entries || !s->octets) {
		drop(s);
		return;
	}
	memcpy(s->entries, out->entries + window->from, n * sizeof(*s->entries));
	s->told = s->entries + n;
	/* Of the nets from the front those that the peer has now, from the back the others. */
	s->passed = s->told + window->n_nets;
	for (uint32_t i = 0; i < window->n_nets; i++) {
		uint32_t net = window->refs[i].net;

		if (out_member_told(member, net))
			s->told[s->n_told++] = net;
		else
			*--s->passed = net;
	}
	s->n_passed = window->n_nets - s->n_told;
	memcpy(s->octets, window->octets, window->len);
	s->len = window->len;
	s->from = window->from;
	s->to = window->to;
	s->epoch = out->epoch;
	s->by = member->peer;
	s->notes = share->notes;
	share->next = (share->next + 1) % STRETCHES;
}

/* --- finding -------------------------------------------------------------------------------------------- */

static bool still_holds(const struct stretch *s, const struct adj_rib_out *out,
			const struct out_member *member, const struct ip_addr *addr)
{
	if (concerns(&s->notes, member->peer, addr) ||
	    memcmp(s->entries, out->entries + s->from, (s->to - s->from) * sizeof(*s->entries)))
		return false;
	for (uint32_t i = 0; i < s->n_passed; i++) {
		if (out_member_told(member, s->passed[i]))
			return false;
	}
	return true;
}

const struct stretch *share_find(const struct out_share *share, const struct adj_rib_out *out,
				 const struct out_member *member, const struct ip_addr *addr,
				 bool (*alike)(const void *ctx, uint16_t a, uint16_t b),
				 const void *ctx)
{
	for (unsigned int i = 0; i < STRETCHES && !member->n_left; i++) {
		const struct stretch *s = &share->ring[i];

		if (s->to && s->from == member->cursor && s->epoch == out->epoch &&
		    alike(ctx, s->by, member->peer) && still_holds(s, out, member, addr))
			return s;
	}
	return NULL;
}

size_t share_size(const struct stretch *stretch)
{
	return stretch->len;
}

void share_take(const struct stretch *s, struct adj_rib_out *out, struct out_member *member,
		uint8_t *buf)
{
	memcpy(buf, s->octets, s->len);
	out_member_set_all_told(member, s->told, s->n_told);
	out_member_advance(out, member, s->to);
}
