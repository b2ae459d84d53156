// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and prefixes: text forms, strictness, order, containment. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/prefix.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	cr_assert_eq(ip_parse(text, &a), 0, "%s", text);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	cr_assert_eq(prefix_parse(text, &p), 0, "%s", text);
	return p;
}

static void assert_text(const char *text, const char *want)
{
	char buf[IP_TEXT_MAX];
	struct ip_addr a = addr(text);

	cr_assert_str_eq(ip_format(&a, buf), want);
}

Test(prefix, family_sizes)
{
	cr_assert_eq(ip_bits(IP_V4), 32);
	cr_assert_eq(ip_bits(IP_V6), 128);
	cr_assert_eq(ip_bits(IP_NONE), 0);
	cr_assert_eq(ip_bytes(IP_V4), 4);
	cr_assert_eq(ip_bytes(IP_V6), 16);
	cr_assert_eq(ip_bytes(IP_NONE), 0);
}

Test(prefix, v4_number_and_back)
{
	struct ip_addr a = ip_from_v4(0x0a01ff04);
	struct ip_addr six = addr("fd00::1");

	cr_assert_eq(a.family, IP_V4);
	cr_assert_eq(a.bytes[0], 10);
	cr_assert_eq(a.bytes[3], 4);
	cr_assert_eq(ip_to_v4(&a), 0x0a01ff04);
	cr_assert_eq(ip_to_v4(&six), 0);
}

Test(prefix, from_bytes_zeroes_the_rest)
{
	static const uint8_t data[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct ip_addr four = ip_from_bytes(IP_V4, data);
	struct ip_addr six = ip_from_bytes(IP_V6, data);
	struct ip_addr none = ip_from_bytes(IP_NONE, data);

	cr_assert_eq(four.bytes[3], 4);
	cr_assert_eq(four.bytes[4], 0);
	cr_assert_arr_eq(six.bytes, data, 16);
	cr_assert_eq(none.bytes[0], 0);
	cr_assert_eq(none.family, IP_NONE);
}

Test(prefix, v4_text)
{
	assert_text("0.0.0.0", "0.0.0.0");
	assert_text("255.255.255.255", "255.255.255.255");
	assert_text("10.1.255.4", "10.1.255.4");
	assert_text("100.20.3.0", "100.20.3.0");
}

/* RFC 5952 section 4 and 5. */
Test(prefix, v6_text_is_canonical)
{
	static const char *const cases[][2] = {
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:DB8::AbCd", "2001:db8::abcd" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
		{ "0:0:3:4:5:6:7:8", "::3:4:5:6:7:8" },
		{ "0:2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0" },
		{ "fe80::1:0:0", "fe80::1:0:0" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "::ffff:0:0", "::ffff:0.0.0.0" },
		{ "::1.2.3.4", "::102:304" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_text(cases[i][0], cases[i][1]);
}

Test(prefix, text_survives_a_round_trip)
{
	srand(7);
	for (int i = 0; i < 20000; i++) {
		struct ip_addr a = { .family = IP_V6 };
		char text[IP_TEXT_MAX];
		struct ip_addr back;

		for (int j = 0; j < 16; j++)
			a.bytes[j] = rand() % 3 ? 0 : (uint8_t)rand();
		cr_assert_eq(ip_parse(ip_format(&a, text), &back), 0, "%s", text);
		cr_assert(ip_equal(&a, &back), "%s", text);
	}
}

Test(prefix, longest_texts_fit)
{
	struct ip_prefix p = { .addr.family = IP_V6, .len = 128 };
	char text[PREFIX_TEXT_MAX];

	memset(p.addr.bytes, 0xff, 16);
	cr_assert_str_eq(prefix_format(&p, text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	memset(p.addr.bytes, 0, 10);
	cr_assert_str_eq(prefix_format(&p, text), "::ffff:255.255.255.255/128");
}

Test(prefix, no_address_has_a_text)
{
	struct ip_addr none = { 0 };
	char buf[IP_TEXT_MAX];

	cr_assert_str_eq(ip_format(&none, buf), "-");
}

Test(prefix, address_errors_leave_the_result)
{
	static const char *const bad[] = {
		"",           " ",
		"10.1.2",     "10.1.2.3.4",
		"10.1.2.256", "10.1.2.03",
		"10.1.2.",    "10.1.2.3 ",
		" 10.1.2.3",  "0x0a.1.2.3",
		"fd00",       "fd00:",
		":",          ":::",
		"1::2::3",    "12345::",
		"::g",        "fe80::1%eth0",
		"::1/64",     "1:2:3:4:5:6:7",
		"localhost",  "::256.1.1.1",
		"[::1]",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ip_addr a = ip_from_v4(42);

		cr_assert_eq(ip_parse(bad[i], &a), -EINVAL, "'%s'", bad[i]);
		cr_assert_eq(ip_to_v4(&a), 42);
	}
}

Test(prefix, parse)
{
	struct ip_prefix p = prefix("10.1.0.0/16");

	cr_assert_eq(p.len, 16);
	cr_assert_eq(ip_to_v4(&p.addr), 0x0a010000);
	p = prefix("0.0.0.0/0");
	cr_assert_eq(p.len, 0);
	p = prefix("10.0.0.1/32");
	cr_assert_eq(p.len, 32);
	p = prefix("::/0");
	cr_assert_eq(p.addr.family, IP_V6);
	p = prefix("fd00:1::/48");
	cr_assert_eq(p.len, 48);
	p = prefix("::1/128");
	cr_assert_eq(p.len, 128);
}

Test(prefix, parse_errors_are_told_apart)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "10.1.0.0", -EINVAL },
		{ "10.1.0.0/", -EINVAL },
		{ "/8", -EINVAL },
		{ "10.1.0.0/1x", -EINVAL },
		{ "10.1.0.0/-1", -EINVAL },
		{ "10.1.0.0/+8", -EINVAL },
		{ "10.1.0.0/ 8", -EINVAL },
		{ "10.1.0.0/016", -EINVAL },
		{ "10.1.0.0/16 ", -EINVAL },
		{ "10.1.0.0/16/8", -EINVAL },
		{ "10.1.0/16", -EINVAL },
		{ "10.1.0.0/255.255.0.0", -EINVAL },
		{ "10.1.0.0/33", -ERANGE },
		{ "10.1.0.0/256", -ERANGE },
		{ "::/129", -ERANGE },
		{ "10.1.0.0/99999999999", -ERANGE },
		{ "10.1.0.1/16", -EDOM },
		{ "128.0.0.0/0", -EDOM },
		{ "10.1.0.1/31", -EDOM },
		{ "fd00::1/127", -EDOM },
		{ "fd00:0:0:1::/63", -EDOM },
		{ "x/8", -EINVAL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix p = { .len = 77 };

		cr_assert_eq(prefix_parse(cases[i].text, &p), cases[i].err, "'%s'", cases[i].text);
		cr_assert_eq(p.len, 77, "'%s'", cases[i].text);
	}
}

Test(prefix, mask_clears_host_bits)
{
	struct ip_addr four = addr("255.255.255.255");
	struct ip_addr six = addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	char text[PREFIX_TEXT_MAX];
	struct ip_prefix p;

	for (unsigned int len = 0; len <= 32; len++) {
		uint32_t want = len ? 0xffffffffU << (32 - len) : 0;

		p = prefix_of(&four, (uint8_t)len);
		cr_assert_eq(ip_to_v4(&p.addr), want, "/%u", len);
		cr_assert_eq(p.len, len);
	}
	p = prefix_of(&six, 65);
	cr_assert_str_eq(prefix_format(&p, text), "ffff:ffff:ffff:ffff:8000::/65");
	cr_assert_str_eq(prefix_format_short(&p, text), "ffff:ffff:ffff:ffff:8000::/65");
	cr_assert_not(prefix_is_host(&p));
	p = prefix_of(&six, 0);
	cr_assert_str_eq(prefix_format(&p, text), "::/0");
	p = prefix_of(&six, 128);
	cr_assert(ip_equal(&p.addr, &six));
	cr_assert(prefix_is_host(&p));
	cr_assert_str_eq(prefix_format_short(&p, text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	p = prefix_of(&four, 32);
	cr_assert(prefix_is_host(&p) && !strchr(prefix_format_short(&p, text), '/'));
	p = prefix_of(&six, 127);
	cr_assert_eq(p.addr.bytes[15], 0xfe);
}

Test(prefix, of_cuts_the_length)
{
	struct ip_addr a = addr("10.0.0.1");

	cr_assert_eq(prefix_of(&a, 200).len, 32);
}

Test(prefix, kinds_of_address)
{
	static const struct {
		const char *text;
		bool zero, multicast, link_local, loopback;
	} cases[] = {
		{ "0.0.0.0", true, false, false, false },
		{ "::", true, false, false, false },
		{ "224.0.0.0", false, true, false, false },
		{ "239.255.255.255", false, true, false, false },
		{ "240.0.0.0", false, false, false, false },
		{ "223.255.255.255", false, false, false, false },
		{ "ff02::1", false, true, false, false },
		{ "fe00::", false, false, false, false },
		{ "169.254.0.1", false, false, true, false },
		{ "169.253.255.255", false, false, false, false },
		{ "fe80::1", false, false, true, false },
		{ "febf::1", false, false, true, false },
		{ "fec0::1", false, false, false, false },
		{ "127.0.0.1", false, false, false, true },
		{ "127.255.0.0", false, false, false, true },
		{ "128.0.0.1", false, false, false, false },
		{ "::1", false, false, false, true },
		{ "::2", false, false, false, false },
		{ "1::1", false, false, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_addr a = addr(cases[i].text);

		cr_assert_eq(ip_is_zero(&a), cases[i].zero, "%s", cases[i].text);
		cr_assert_eq(ip_is_multicast(&a), cases[i].multicast, "%s", cases[i].text);
		cr_assert_eq(ip_is_link_local(&a), cases[i].link_local, "%s", cases[i].text);
		cr_assert_eq(ip_is_loopback(&a), cases[i].loopback, "%s", cases[i].text);
	}
}

Test(prefix, address_order)
{
	struct ip_addr none = { 0 }, a = addr("9.255.0.0"), b = addr("10.0.0.0"), c = addr("::");

	cr_assert_lt(ip_cmp(&none, &a), 0);
	cr_assert_lt(ip_cmp(&a, &b), 0);
	cr_assert_lt(ip_cmp(&b, &c), 0, "IPv4 comes before IPv6");
	cr_assert_gt(ip_cmp(&c, &a), 0);
	cr_assert_eq(ip_cmp(&b, &b), 0);
	cr_assert(ip_equal(&none, &none));
	cr_assert_not(ip_equal(&none, &a));
}

Test(prefix, prefix_order)
{
	static const char *const sorted[] = { "0.0.0.0/0",   "10.0.0.0/8",  "10.0.0.0/16",
					      "10.0.0.0/32", "10.1.0.0/16", "192.0.2.0/24",
					      "::/0",        "::/128",      "fd00::/8" };
	size_t n = sizeof(sorted) / sizeof(sorted[0]);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct ip_prefix a = prefix(sorted[i]), b = prefix(sorted[j]);
			int order = prefix_cmp(&a, &b);

			cr_assert((order < 0) == (i < j) && (order > 0) == (i > j), "%s %s",
				  sorted[i], sorted[j]);
			cr_assert_eq(prefix_equal(&a, &b), i == j);
		}
	}
}

Test(prefix, covers)
{
	struct ip_prefix all = prefix("0.0.0.0/0"), eight = prefix("10.0.0.0/8"),
			 sixteen = prefix("10.1.0.0/16"), other = prefix("11.0.0.0/8"),
			 all6 = prefix("::/0"), host = prefix("10.1.255.255/32");

	cr_assert(prefix_covers(&all, &eight));
	cr_assert(prefix_covers(&eight, &eight));
	cr_assert(prefix_covers(&eight, &sixteen));
	cr_assert(prefix_covers(&sixteen, &host));
	cr_assert_not(prefix_covers(&sixteen, &eight));
	cr_assert_not(prefix_covers(&other, &sixteen));
	cr_assert_not(prefix_covers(&all6, &eight), "families never mix");
	cr_assert_not(prefix_covers(&all, &all6));
}

Test(prefix, covers_compares_odd_bits)
{
	struct ip_prefix a = prefix("10.128.0.0/9"), b = prefix("10.64.0.0/10"),
			 c = prefix("10.192.0.0/10"), d = prefix("fc00::/7"),
			 e = prefix("fd00::/8"), f = prefix("fe00::/8");

	cr_assert_not(prefix_covers(&a, &b));
	cr_assert(prefix_covers(&a, &c));
	cr_assert(prefix_covers(&d, &e));
	cr_assert_not(prefix_covers(&d, &f));
}

Test(prefix, contains)
{
	struct ip_prefix p = prefix("10.1.2.0/23"), host = prefix("fd00::5/128"),
			 all = prefix("::/0");
	struct ip_addr in = addr("10.1.3.255"), out = addr("10.1.4.0"), five = addr("fd00::5"),
		       six = addr("fd00::6"), none = { 0 };

	cr_assert(prefix_contains(&p, &in));
	cr_assert_not(prefix_contains(&p, &out));
	cr_assert(prefix_contains(&host, &five));
	cr_assert_not(prefix_contains(&host, &six));
	cr_assert(prefix_contains(&all, &six));
	cr_assert_not(prefix_contains(&all, &in));
	cr_assert_not(prefix_contains(&all, &none));
}

Test(prefix, overlaps_both_ways)
{
	struct ip_prefix wide = prefix("10.0.0.0/8"), narrow = prefix("10.9.0.0/16"),
			 next = prefix("10.8.0.0/16");

	cr_assert(prefix_overlaps(&wide, &narrow));
	cr_assert(prefix_overlaps(&narrow, &wide));
	cr_assert_not(prefix_overlaps(&next, &narrow));
}

Test(prefix, hash_depends_on_all_parts)
{
	struct ip_prefix a = prefix("10.0.0.0/8"), b = prefix("10.0.0.0/9"),
			 c = prefix("11.0.0.0/8"), d = prefix("a00::/8"), e = prefix("10.0.0.0/8");

	cr_assert_eq(prefix_hash(&a), prefix_hash(&e));
	cr_assert_neq(prefix_hash(&a), prefix_hash(&b));
	cr_assert_neq(prefix_hash(&a), prefix_hash(&c));
	cr_assert_neq(prefix_hash(&a), prefix_hash(&d));
}
