// SPDX-License-Identifier: GPL-2.0-only
/* MRT records, octet by octet (RFC 6396 4.3). */
#include <criterion/criterion.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/mrt.h"

static uint8_t buf[4096], as_path[64];
static struct wire_writer w;

static struct ip_addr address(const char *text)
{
	struct ip_addr addr;

	cr_assert_eq(ip_parse(text, &addr), 0);
	return addr;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	cr_assert_eq(prefix_parse(text, &p), 0);
	return p;
}

static struct bgp_attrs attrs_via(const char *next_hop)
{
	uint32_t asn = 65001;
	int len = aspath_from_asns(&asn, 1, as_path, sizeof(as_path));

	return (struct bgp_attrs){ .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_NEXT_HOP,
				   .next_hop = address(next_hop),
				   .as_path = { as_path, (uint16_t)len } };
}

static void start(void)
{
	wire_write_init(&w, buf, sizeof(buf));
}

TestSuite(mrt, .init = start);

/* The length in the header is that of what follows it. */
static void check_header(const uint8_t *at, uint8_t subtype, size_t record)
{
	const uint8_t head[] = { 0, 0, 0, 9, 0, 13, 0, subtype, 0, 0, 0, (uint8_t)(record - 12) };

	cr_assert_arr_eq(at, head, sizeof(head));
}

Test(mrt, the_table_of_peers)
{
	const struct mrt_peer peers[] = {
		{ .router_id = 0x0a010204, .addr = address("10.1.2.4"), .asn = 4200000001u },
		{ .router_id = 0x0a010205, .addr = address("fd00::5"), .asn = 65002 },
	};
	const uint8_t body[] = { 10, 1, 255, 4, 0,    4, 'p', 'r', 'o',  'd',  0,    2,    2,
				 10, 1, 2,   4, 10,   1, 2,   4,   0xfa, 0x56, 0xea, 0x01, 3,
				 10, 1, 2,   5, 0xfd, 0, 0,   0,   0,    0,    0,    0,    0,
				 0,  0, 0,   0, 0,    0, 5,   0,   0,    0xfd, 0xea };

	mrt_put_peers(&w, 9, 0x0a01ff04, "prod", peers, 2);
	cr_assert_not(w.failed);
	cr_assert_eq(w.pos, 12 + sizeof(body));
	check_header(buf, 1, w.pos);
	cr_assert_arr_eq(buf + 12, body, sizeof(body));
}

Test(mrt, an_ipv4_prefix_with_two_paths)
{
	struct bgp_attrs attrs = attrs_via("10.1.2.4");
	struct ip_prefix p = prefix("10.250.0.0/15");
	const uint8_t head[] = { 0, 0, 0, 3, 15, 10, 250, 0, 2 };
	const uint8_t entry[] = { 0, 1, 0, 0, 0, 5,    0,    20,   0x40, 1, 1,  0, 0x40, 2,
				  6, 2, 1, 0, 0, 0xfd, 0xe9, 0x40, 3,    4, 10, 1, 2,    4 };
	struct mrt_rib rib;

	mrt_begin_rib(&w, 9, 3, &p, &rib);
	cr_assert(mrt_put_path(&w, &rib, BGP_IPV4_UNICAST, 1, 5, &attrs));
	cr_assert(mrt_put_path(&w, &rib, BGP_IPV4_UNICAST, 1, 5, &attrs));
	mrt_end_rib(&w, &rib);
	check_header(buf, 2, w.pos);
	cr_assert_eq(w.pos, 12 + sizeof(head) + 2 * sizeof(entry));
	cr_assert_arr_eq(buf + 12, head, sizeof(head));
	cr_assert_arr_eq(buf + 12 + sizeof(head), entry, sizeof(entry));
	cr_assert_arr_eq(buf + 12 + sizeof(head) + sizeof(entry), entry, sizeof(entry));
}

Test(mrt, an_ipv6_next_hop_stands_alone_in_mp_reach)
{
	struct bgp_attrs attrs = attrs_via("fd00::4");
	struct ip_prefix p = prefix("2001:db8::/32");
	const uint8_t mp_reach[] = { 0x80, 14, 17, 16, 0xfd, 0, 0, 0, 0, 0,
				     0,    0,  0,  0,  0,    0, 0, 0, 0, 4 };
	struct mrt_rib rib;

	attrs.has |= BGP_HAS_LOCAL_PREF;
	attrs.local_pref = 200;
	mrt_begin_rib(&w, 9, 0, &p, &rib);
	cr_assert(mrt_put_path(&w, &rib, BGP_IPV6_UNICAST, 0, 5, &attrs));
	mrt_end_rib(&w, &rib);
	check_header(buf, 4, w.pos);
	cr_assert_not_null(memmem(buf, w.pos, mp_reach, sizeof(mp_reach)));
	cr_assert_not_null(memmem(buf, w.pos, (uint8_t[]){ 0x40, 5, 4, 0, 0, 0, 200 }, 7),
			   "LOCAL_PREF is kept");
}

Test(mrt, a_path_that_can_not_be_written_is_left_out)
{
	struct bgp_attrs bare = { .next_hop = address("10.1.2.4") };
	struct ip_prefix p = prefix("10.0.0.0/8");
	struct mrt_rib rib;

	mrt_begin_rib(&w, 9, 0, &p, &rib);
	cr_assert_not(mrt_put_path(&w, &rib, BGP_IPV4_UNICAST, 0, 5, &bare));
	cr_assert_eq(rib.n, 0);
	wire_write_init(&w, buf, 19);
	mrt_begin_rib(&w, 9, 0, &p, &rib);
	cr_assert(w.failed, "no room");
}
