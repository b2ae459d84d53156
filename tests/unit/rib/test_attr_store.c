// SPDX-License-Identifier: GPL-2.0-only
/* The attribute store: what comes out is what went in, once, and goes when nobody holds it. */
#include <criterion/criterion.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "rib/attr_store.h"

static struct attr_store *store;
static uint32_t released;
static unsigned int releases;

static void on_release(void *ctx, uint32_t tag)
{
	released = tag;
	releases++;
}

static void setup(void)
{
	store = attr_store_new();
	cr_assert_not_null(store);
	attr_store_on_release(store, on_release, NULL);
}

static void teardown(void)
{
	attr_store_free(store);
}

TestSuite(attr_store, .init = setup, .fini = teardown);

static uint8_t blob_bytes[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
				11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
static uint8_t path_bytes[] = { 2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0, 7 };

static struct bgp_blob blob(uint32_t len)
{
	return (struct bgp_blob){ blob_bytes, len };
}

static struct bgp_attrs everything(void)
{
	return (struct bgp_attrs){
		.has = (BGP_HAS_UNKNOWN << 1) - 1,
		.origin = BGP_ORIGIN_EGP,
		.aggregator_partial = true,
		.next_hop = { .family = IP_V6, .bytes = { 0xfd, [15] = 1 } },
		.link_local = { .family = IP_V6, .bytes = { 0xfe, 0x80, [15] = 2 } },
		.med = 1,
		.local_pref = 2,
		.aggregator_asn = 3,
		.aggregator_id = 4,
		.originator_id = 5,
		.otc = 6,
		.partial = BGP_HAS_COMMUNITIES,
		.as_path = { path_bytes, sizeof(path_bytes) },
		.communities = blob(8),
		.ext_communities = blob(16),
		.ipv6_ext = blob(20),
		.large_communities = blob(12),
		.cluster_list = blob(4),
		.unknown = blob(7),
	};
}

Test(attr_store, gives_back_everything)
{
	struct bgp_attrs in = everything(), out;
	uint32_t id = attr_store_intern(store, &in);

	cr_assert_neq(id, ATTR_NONE);
	attr_store_get(store, id, &out);
	cr_assert(bgp_attrs_equal(&in, &out));
	cr_assert(ip_equal(&in.next_hop, &out.next_hop) &&
		  ip_equal(&in.link_local, &out.link_local));
	cr_assert_eq(out.has, in.has);
	cr_assert_eq(out.origin, in.origin);
	cr_assert_eq(out.partial, in.partial);
	cr_assert(out.aggregator_partial);
	cr_assert_eq(out.otc, 6);
	cr_assert_eq(out.aggregator_asn, 3);
	cr_assert_eq(out.aggregator_id, 4);
	cr_assert_neq(out.as_path.data, in.as_path.data, "a copy, not a view of the message");
	attr_store_unref(store, id);
}

/* Each bit and each value alone makes another set. */
Test(attr_store, differences_are_seen)
{
	struct bgp_attrs in = everything();
	uint32_t whole = attr_store_intern(store, &in);
	uint32_t id;

	for (unsigned int bit = 0; bit < 15; bit++) {
		in = everything();
		in.has &= ~(1u << bit);
		id = attr_store_intern(store, &in);
		cr_assert_neq(id, whole, "bit %u", bit);
		attr_store_unref(store, id);
	}
	in = everything();
	in.next_hop.bytes[15]++;
	id = attr_store_intern(store, &in);
	cr_assert_neq(id, whole);
	attr_store_unref(store, id);
	in = everything();
	in.aggregator_partial = false;
	id = attr_store_intern(store, &in);
	cr_assert_neq(id, whole);
	attr_store_unref(store, id);
	cr_assert_eq(attr_store_count(store), 1);
}

/* What `has` does not name does not make a set different. */
Test(attr_store, values_without_their_bit_do_not_count)
{
	struct bgp_attrs a = { .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH }, b = a;
	uint32_t x, y;

	b.med = 77;
	b.communities = blob(8);
	x = attr_store_intern(store, &a);
	y = attr_store_intern(store, &b);
	cr_assert_eq(x, y);
	cr_assert_eq(attr_store_count(store), 1);
}

Test(attr_store, goes_with_its_last_reference)
{
	struct bgp_attrs in = everything();
	uint32_t id = attr_store_intern(store, &in), again = attr_store_intern(store, &in);

	cr_assert_eq(id, again);
	attr_store_ref(store, id);
	cr_assert_eq(attr_store_tag(store, id), 0);
	attr_store_set_tag(store, id, 42);
	attr_store_unref(store, id);
	attr_store_unref(store, id);
	cr_assert_eq(releases, 0);
	cr_assert_eq(attr_store_count(store), 1);
	attr_store_unref(store, id);
	cr_assert_eq(releases, 1);
	cr_assert_eq(released, 42);
	cr_assert_eq(attr_store_count(store), 0);
	attr_store_ref(store, ATTR_NONE);
	attr_store_unref(store, ATTR_NONE);
	again = attr_store_intern(store, &in);
	cr_assert_eq(attr_store_tag(store, again), 0, "an id that is given again starts anew");
}

/* So many that some go while others still come, and one that is wanted again before its turn. */
Test(attr_store, goes_together)
{
	struct bgp_attrs in = everything();
	uint32_t ids[100], kept;

	for (uint32_t i = 0; i < 100; i++) {
		in.med = i;
		ids[i] = attr_store_intern(store, &in);
		attr_store_set_tag(store, ids[i], i + 1);
	}
	attr_store_together(store, true);
	for (uint32_t i = 0; i < 50; i++)
		attr_store_unref(store, ids[i]);
	in.med = 49;
	kept = attr_store_intern(store, &in);
	cr_assert_eq(kept, ids[49], "it was not gone yet");
	cr_assert_eq(attr_store_tag(store, kept), 50);
	attr_store_unref(store, kept);
	cr_assert_eq(attr_store_intern(store, &in), kept, "nor now");
	for (uint32_t i = 50; i < 100; i++)
		attr_store_unref(store, ids[i]);
	attr_store_together(store, false);
	cr_assert_eq(attr_store_count(store), 1);
	cr_assert_eq(releases, 99);
	attr_store_unref(store, kept);
	cr_assert_eq(attr_store_count(store), 0);
	cr_assert_eq(releases, 100);
}

Test(attr_store, next_hop_alone)
{
	struct bgp_attrs in = everything(), none = { .has = BGP_HAS_ORIGIN };
	struct ip_addr next_hop;

	next_hop = attr_store_next_hop(store, attr_store_intern(store, &in));
	cr_assert(ip_equal(&next_hop, &in.next_hop));
	next_hop = attr_store_next_hop(store, attr_store_intern(store, &none));
	cr_assert_eq(next_hop.family, IP_NONE);
}

Test(attr_store, summary)
{
	uint8_t communities[12] = {
		0xff, 0xff, 0xff, 0x02, 0xff, 0xff, 0x00, 0x00, 0xfd, 0xe9, 0, 1
	};
	struct bgp_attrs in = { .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_COMMUNITIES,
				.as_path = { path_bytes, sizeof(path_bytes) },
				.communities = { communities, sizeof(communities) } };
	uint32_t id = attr_store_intern(store, &in);
	const struct attr_summary *s = attr_store_summary(store, id);

	cr_assert_eq(s->as_path_len, 2);
	cr_assert_eq(s->neighbour_as, 65001);
	cr_assert_eq(s->flags, ATTR_SUM_NO_ADVERTISE | ATTR_SUM_GRACEFUL_SHUTDOWN);
	cr_assert_eq(s->local_pref, 100);
	cr_assert_eq(s->med, 0);
	cr_assert_eq(s->cluster_len, 0);
	attr_store_unref(store, id);
	in = everything();
	id = attr_store_intern(store, &in);
	s = attr_store_summary(store, id);
	cr_assert_eq(s->flags, ATTR_SUM_ORIGINATOR | ATTR_SUM_OTC);
	cr_assert_eq(s->originator_id, 5);
	cr_assert_eq(s->local_pref, 2);
	cr_assert_eq(s->med, 1);
	cr_assert_eq(s->cluster_len, 1);
}

/* Many sets, half of them removed in between: ids stay, contents stay, memory goes back. */
Test(attr_store, many)
{
	enum {
		N = 20000
	};
	static uint32_t ids[N];
	struct bgp_attrs in = { .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_MED }, out;
	size_t peak;

	for (uint32_t i = 0; i < N; i++) {
		in.med = i;
		ids[i] = attr_store_intern(store, &in);
		cr_assert_neq(ids[i], ATTR_NONE);
	}
	peak = attr_store_memory(store);
	cr_assert_leq(peak / N, 120, "octets for a small set: %zu", peak / N);
	for (uint32_t i = 0; i < N; i += 2)
		attr_store_unref(store, ids[i]);
	for (uint32_t i = 1; i < N; i += 2) {
		in.med = i;
		attr_store_get(store, ids[i], &out);
		cr_assert_eq(out.med, i);
		cr_assert_eq(attr_store_intern(store, &in), ids[i]);
		attr_store_unref(store, ids[i]);
		attr_store_unref(store, ids[i]);
	}
	cr_assert_eq(attr_store_count(store), 0);
	cr_assert_lt(attr_store_memory(store), peak);
}

Test(attr_store, releases_when_freed)
{
	struct attr_store *other = attr_store_new();
	struct bgp_attrs in = everything();
	uint32_t id = attr_store_intern(other, &in);

	attr_store_on_release(other, on_release, NULL);
	attr_store_set_tag(other, id, 7);
	attr_store_free(other);
	cr_assert_eq(released, 7);
	attr_store_free(NULL);
}
