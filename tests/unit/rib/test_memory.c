// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a route costs: octets all in (Adj-RIB-In, Loc-RIB, Adj-RIB-Out, attributes), against the figure
 * that user/rib/README.md states. The table is as mixed as the Internet's: one attribute set for five
 * prefixes, paths of four hops, some communities.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "rib_lab.h"

#define ROUTES       200000u
#define SET_SIZE     5u   /* prefixes that share a set */
#define OCTETS_LIMIT 100u /* user/rib/README.md */

/* Distinct prefixes in a shuffled order: an odd factor permutes the numbers below 2^22. */
static struct ip_prefix route_at(uint32_t i)
{
	struct ip_addr addr = ip_from_v4(((i * 2654435761u) % (1u << 22) + (1u << 20)) << 8);

	return prefix_of(&addr, 24);
}

static void announce_set(struct lab *lab, uint16_t peer, uint32_t first)
{
	static struct bgp_update u;
	uint8_t nlri[64], as_path[64], communities[16] = { 0xfd, 0xe9 };
	uint32_t asns[4] = { 65001, 3000 + first % 977, 100 + first % 60000, first / SET_SIZE };
	struct wire_writer w;

	wire_write_init(&w, nlri, sizeof(nlri));
	for (uint32_t i = first; i < first + SET_SIZE && i < ROUTES; i++) {
		struct ip_prefix prefix = route_at(i);

		nlri_put(&w, &prefix, false, 0);
	}
	u.attrs = (struct bgp_attrs){ .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH };
	u.attrs.as_path.data = as_path;
	u.attrs.as_path.len = (uint32_t)aspath_from_asns(asns, 4, as_path, sizeof(as_path));
	if (first % 3 == 0) {
		u.attrs.has |= BGP_HAS_COMMUNITIES;
		u.attrs.communities = (struct bgp_blob){ communities, 4 * (1 + first % 4) };
	}
	u.reach[0] = (struct bgp_nlri){ nlri, (uint32_t)w.pos, BGP_IPV4_UNICAST, false };
	u.next_hop[0] = ip_from_v4(0xc0000201u);
	cr_assert_eq(rib_update(lab->rib, peer, &u, lab_now), 0);
}

Test(memory, octets_a_route)
{
	static uint8_t buf[1 << 16];
	struct lab lab;
	struct rib_figures empty, full;
	size_t before, sent = 0, len;
	uint16_t from, to;

	lab_start(&lab);
	from = lab_peer(&lab, 65001, 1);
	to = lab_peer(&lab, 65002, 2);
	empty = rib_figures(lab.rib);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (uint32_t i = 0; i < ROUTES; i += SET_SIZE)
		announce_set(&lab, from, i);
	while ((len = rib_produce(lab.rib, to, buf, sizeof(buf))))
		sent += len;
	full = rib_figures(lab.rib);
	before = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	cr_log_info(
		"%u routes, %zu sets: %zu octets a route by our count, %zu by malloc's; sent %zu",
		full.prefixes[0], full.attr_sets, (full.memory - empty.memory) / ROUTES,
		before / ROUTES, sent);
	cr_assert_eq(rib_peer_counts(lab.rib, to, BGP_IPV4_UNICAST).advertised, ROUTES);
	cr_assert_leq((full.memory - empty.memory) / ROUTES, OCTETS_LIMIT);
#if !defined(__SANITIZE_ADDRESS__)
	cr_assert_leq(before / ROUTES, OCTETS_LIMIT, "our own count leaves something out");
#endif
	lab_stop(&lab);
}
