// SPDX-License-Identifier: GPL-2.0-only
/* Communities: reading sets, and text both ways. */
#include <criterion/criterion.h>
#include <errno.h>

#include "bgp/community.h"
#include "octets.h"

static uint8_t store[256];

static struct bgp_blob blob(const char *text)
{
	return (struct bgp_blob){ store, (uint32_t)octets(text, store, sizeof(store)) };
}

Test(community, sets)
{
	struct bgp_blob set = blob("fde90001 ffffff02");

	cr_assert_eq(community_count(set), 2);
	cr_assert_eq(community_get(set, 0), 0xfde90001);
	cr_assert_eq(community_get(set, 2), 0, "beyond the end");
	cr_assert(community_contains(set, BGP_COMM_NO_ADVERTISE));
	cr_assert_not(community_contains(set, BGP_COMM_NO_EXPORT));
	cr_assert_not(community_contains((struct bgp_blob){ 0 }, 0));
}

Test(community, large_sets)
{
	struct bgp_blob set = blob("00000001 00000002 00000003 fa56ea01 00000000 ffffffff");
	struct bgp_large_community c = { 4200000001u, 0, UINT32_MAX };

	cr_assert_eq(large_community_count(set), 2);
	cr_assert_eq(large_community_get(set, 0).local2, 3);
	cr_assert(large_community_contains(set, c));
	c.local1 = 1;
	cr_assert_not(large_community_contains(set, c));
}

Test(community, text_both_ways)
{
	static const struct {
		uint32_t value;
		const char *text;
	} rows[] = {
		{ 0xfde90064, "65001:100" },
		{ 0, "0:0" },
		{ 0xffffffff, "65535:65535" },
		{ BGP_COMM_NO_EXPORT, "no-export" },
		{ BGP_COMM_NO_ADVERTISE, "no-advertise" },
		{ BGP_COMM_NO_EXPORT_SUBCONFED, "no-export-subconfed" },
		{ BGP_COMM_NOPEER, "no-peer" },
		{ BGP_COMM_BLACKHOLE, "blackhole" },
		{ BGP_COMM_GRACEFUL_SHUTDOWN, "graceful-shutdown" },
		{ BGP_COMM_LLGR_STALE, "llgr-stale" },
		{ BGP_COMM_NO_LLGR, "no-llgr" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[COMMUNITY_TEXT_MAX];
		uint32_t value;

		cr_assert_str_eq(community_format(rows[i].value, text), rows[i].text);
		cr_assert_eq(community_parse(rows[i].text, &value), 0);
		cr_assert_eq(value, rows[i].value);
	}
}

Test(community, numbers_of_a_well_known_one_parse_too)
{
	uint32_t value;

	cr_assert_eq(community_parse("65535:65281", &value), 0);
	cr_assert_eq(value, BGP_COMM_NO_EXPORT);
}

Test(community, nonsense_is_refused)
{
	static const char *const bad[] = { "",        "1",       ":",
					   "1:",      ":1",      "1:2:3",
					   "65536:1", "1:65536", " 1:2",
					   "1: 2",    "1:2 ",    "-1:2",
					   "+1:2",    "no-such", "1:99999999999999999999" };
	uint32_t value = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(community_parse(bad[i], &value), -EINVAL, "\"%s\"", bad[i]);
	cr_assert_eq(value, 7, "untouched on failure");
}

Test(community, large_text_both_ways)
{
	struct bgp_large_community c = { 4200000001u, 0, UINT32_MAX }, again;
	char text[LARGE_COMMUNITY_TEXT_MAX];

	cr_assert_str_eq(large_community_format(c, text), "4200000001:0:4294967295");
	cr_assert_eq(large_community_parse(text, &again), 0);
	cr_assert_eq(again.global, c.global);
	cr_assert_eq(again.local2, c.local2);
	cr_assert_eq(large_community_parse("1:2", &again), -EINVAL);
	cr_assert_eq(large_community_parse("1:2:3:4", &again), -EINVAL);
	cr_assert_eq(large_community_parse("1:2:4294967296", &again), -EINVAL);
}

Test(community, link_bandwidth)
{
	static const struct {
		uint8_t octets[2 * EXT_COMMUNITY_LEN];
		double bandwidth;
	} rows[] = {
		{ { 0x00, 0x02, 0xfd, 0xe9, 0, 1, 0x86, 0xa0, 0x40, 0x04, 0xfd, 0xe9, 0x4c, 0xee,
		    0x6b, 0x28 },
		  125e6 },
		{ { 0x00, 0x04, 0xfd, 0xe9, 0x3f, 0x00, 0x00, 0x00, 0x40, 0x04, 0xfd, 0xe9, 0x4c,
		    0xee, 0x6b, 0x28 },
		  0.5 },
		{ { 0x40, 0x05, 0xfd, 0xe9, 0x4c, 0xee, 0x6b, 0x28 }, 0 },
		{ { 0x40, 0x04, 0xfd, 0xe9, 0x7f, 0x80, 0x00, 0x00 }, 0 }, /* infinite */
		{ { 0x40, 0x04, 0xfd, 0xe9, 0x7f, 0xc0, 0x00, 0x00 }, 0 }, /* not a number */
		{ { 0x40, 0x04, 0xfd, 0xe9, 0xcc, 0xee, 0x6b, 0x28 }, 0 }, /* negative */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bgp_blob blob = { rows[i].octets, sizeof(rows[i].octets) };

		cr_assert_float_eq(ext_community_bandwidth(blob), rows[i].bandwidth, 1e-9,
				   "row %zu", i);
	}
	cr_assert_float_eq(ext_community_bandwidth((struct bgp_blob){ 0 }), 0, 1e-9);
}

Test(community, extended_text)
{
	static const struct {
		uint8_t octets[EXT_COMMUNITY_LEN];
		const char *text;
	} rows[] = {
		{ { 0x00, 0x02, 0xfd, 0xe9, 0, 1, 0x86, 0xa0 }, "rt:65001:100000" },
		{ { 0x00, 0x03, 0xfd, 0xe9, 0, 0, 0, 9 }, "soo:65001:9" },
		{ { 0x01, 0x02, 10, 1, 2, 4, 0x01, 0x00 }, "rt:10.1.2.4:256" },
		{ { 0x02, 0x02, 0xfa, 0x56, 0xea, 0x01, 0, 7 }, "rt:4200000001:7" },
		/* 125,000,000 octets a second: 1 Gbit/s, as RFC 4360's draft on link bandwidth writes it */
		{ { 0x40, 0x04, 0xfd, 0xe9, 0x4c, 0xee, 0x6b, 0x28 }, "bandwidth:65001:125000000" },
		{ { 0x00, 0x04, 0xfd, 0xe9, 0x3f, 0x00, 0x00, 0x00 }, "bandwidth:65001:0.5" },
		{ { 0x40, 0x02, 0xfd, 0xe9, 0, 0, 0, 9 }, "0x4002fde900000009" },
		{ { 0x03, 0x0c, 0, 0, 0, 0, 0, 8 }, "0x030c000000000008" },
		{ { 0x80, 0x06, 0, 0, 0, 0, 0, 0 }, "0x8006000000000000" },
	};
	char text[EXT_COMMUNITY_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(ext_community_format(rows[i].octets, text), rows[i].text);
}
