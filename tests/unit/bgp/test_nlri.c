// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes on the wire: both ways, host bits, multicast, path identifiers, and what is refused. */
#include <criterion/criterion.h>
#include <errno.h>

#include "bgp/nlri.h"
#include "octets.h"

static uint8_t store[1024];

static struct bgp_nlri nlri(enum bgp_family family, bool add_path, const char *text)
{
	return (struct bgp_nlri){ store, (uint32_t)octets(text, store, sizeof(store)), family,
				  add_path };
}

static void expect_prefixes(struct bgp_nlri section, const char *const *texts, size_t n)
{
	struct ip_prefix prefix;
	struct nlri_iter it;
	uint32_t path_id;

	nlri_iter_init(&it, &section);
	for (size_t i = 0; i < n; i++) {
		char text[PREFIX_TEXT_MAX];

		cr_assert(nlri_next(&it, &prefix, &path_id));
		cr_assert_str_eq(prefix_format(&prefix, text), texts[i]);
	}
	cr_assert_not(nlri_next(&it, &prefix, &path_id));
	cr_assert_not(nlri_next(&it, &prefix, &path_id), "stays at the end");
}

Test(nlri, ipv4)
{
	static const char *const texts[] = { "0.0.0.0/0", "10.0.0.0/8", "10.1.2.0/23",
					     "10.1.2.128/25", "10.1.2.3/32" };
	struct bgp_nlri section =
		nlri(BGP_IPV4_UNICAST, false, "00 08 0a 17 0a0102 19 0a010280 20 0a010203");

	cr_assert_eq(nlri_validate(&section), 5);
	expect_prefixes(section, texts, 5);
}

Test(nlri, ipv6)
{
	static const char *const texts[] = { "::/0", "2001:db8::/32", "fd00::1/128" };
	struct bgp_nlri section =
		nlri(BGP_IPV6_UNICAST, false, "00 20 20010db8 80 fd00 *13(00) 01");

	cr_assert_eq(nlri_validate(&section), 3);
	expect_prefixes(section, texts, 3);
}

Test(nlri, host_bits_are_cleared)
{
	static const char *const texts[] = { "10.1.254.0/23", "128.0.0.0/1" };

	expect_prefixes(nlri(BGP_IPV4_UNICAST, false, "17 0a01ff 01 ff"), texts, 2);
}

Test(nlri, multicast_is_skipped_and_counted)
{
	static const char *const texts[] = { "10.0.0.0/8", "224.0.0.0/3", "240.0.0.0/4" };
	struct bgp_nlri section =
		nlri(BGP_IPV4_UNICAST, false, "08 e0 08 0a 20 ef010203 03 e0 04 f0 04 e0");
	unsigned int multicast;

	cr_assert_eq(nlri_scan(&section, &multicast), 6);
	cr_assert_eq(multicast, 3);
	expect_prefixes(section, texts, 3);
	section = nlri(BGP_IPV6_UNICAST, false, "10 ff02 07 fe 20 20010db8");
	cr_assert_eq(nlri_scan(&section, &multicast), 3);
	cr_assert_eq(multicast, 1);
}

Test(nlri, path_identifiers)
{
	struct bgp_nlri section = nlri(BGP_IPV4_UNICAST, true, "00000001 08 0a fffffffe 00");
	struct ip_prefix prefix;
	struct nlri_iter it;
	uint32_t path_id;

	cr_assert_eq(nlri_validate(&section), 2);
	nlri_iter_init(&it, &section);
	cr_assert(nlri_next(&it, &prefix, &path_id));
	cr_assert_eq(path_id, 1);
	cr_assert_eq(prefix.len, 8);
	cr_assert(nlri_next(&it, &prefix, &path_id));
	cr_assert_eq(path_id, 0xfffffffe);
	cr_assert_eq(prefix.len, 0);
}

Test(nlri, what_is_refused)
{
	static const struct {
		enum bgp_family family;
		bool add_path;
		const char *text;
	} bad[] = {
		{ BGP_IPV4_UNICAST, false, "21 0a01020304" },
		{ BGP_IPV4_UNICAST, false, "ff *32(00)" },
		{ BGP_IPV4_UNICAST, false, "18 0a01" },
		{ BGP_IPV4_UNICAST, false, "08 0a 01" },
		{ BGP_IPV6_UNICAST, false, "81 *17(00)" },
		{ BGP_IPV6_UNICAST, false, "80 *15(00)" },
		{ BGP_IPV4_UNICAST, true, "000000" },
		{ BGP_IPV4_UNICAST, true, "00000000" },
		{ BGP_IPV4_UNICAST, true, "00000000 18 0a01" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bgp_nlri section = nlri(bad[i].family, bad[i].add_path, bad[i].text);

		cr_assert_eq(nlri_validate(&section), -EBADMSG, "%s", bad[i].text);
	}
}

Test(nlri, nothing_is_no_prefix)
{
	struct bgp_nlri section = { .family = BGP_IPV4_UNICAST };

	cr_assert_eq(nlri_validate(&section), 0);
	expect_prefixes(section, NULL, 0);
}

Test(nlri, put_writes_what_size_says)
{
	for (unsigned int len = 0; len <= 128; len++) {
		struct ip_addr addr;
		struct ip_prefix prefix, again;
		struct bgp_nlri section = { store, 0, BGP_IPV6_UNICAST, len % 2 };
		struct wire_writer w;
		struct nlri_iter it;
		uint32_t path_id;

		cr_assert_eq(ip_parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", &addr), 0);
		prefix = prefix_of(&addr, (uint8_t)len);
		wire_write_init(&w, store, sizeof(store));
		nlri_put(&w, &prefix, section.add_path, len);
		cr_assert_eq(w.pos, nlri_size(&prefix, section.add_path));
		section.len = (uint32_t)w.pos;
		nlri_iter_init(&it, &section);
		cr_assert(nlri_next(&it, &again, &path_id));
		cr_assert(prefix_equal(&prefix, &again));
		cr_assert_eq(path_id, len % 2 ? len : 0);
	}
}

/* Whatever the room, no octet behind it is touched, and what is read back is the same. */
Test(nlri, append_writes_what_put_writes)
{
	for (unsigned int len = 0; len <= 32; len++) {
		struct ip_addr addr = ip_from_v4(0x0affffff);
		struct ip_prefix prefix = prefix_of(&addr, (uint8_t)len);
		size_t size = nlri_size(&prefix, false);
		uint8_t a[8], b[8];
		struct wire_writer w;

		for (size_t room = 0; room < sizeof(a); room++) {
			memset(a, 0xee, sizeof(a));
			memset(b, 0xee, sizeof(b));
			wire_write_init(&w, a, room);
			nlri_append(&w, &prefix, false, 0);
			cr_assert_eq(w.failed, room < size);
			cr_assert_eq(a[room], 0xee);
			wire_write_init(&w, b, room);
			nlri_put(&w, &prefix, false, 0);
			cr_assert(room < size || !memcmp(a, b, size));
		}
	}
}
