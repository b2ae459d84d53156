// SPDX-License-Identifier: GPL-2.0-only
/* AS_PATH: checks, counts, prepends across full segments, the AS4_PATH merge of RFC 6793, text. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/aspath.h"
#include "octets.h"
#include "util/wire.h"

static uint8_t store[4][8192];

/* One of four paths that a test may hold at once. */
static struct bgp_blob path(unsigned int slot, const char *text)
{
	return (struct bgp_blob){ store[slot],
				  (uint32_t)octets(text, store[slot], sizeof(store[slot])) };
}

static const char *text_of(struct bgp_blob blob)
{
	static char text[8192];

	return aspath_format(blob, text, sizeof(text));
}

#define SEQ_1_2_3 "02 03 00000001 00000002 00000003"

Test(aspath, faults)
{
	cr_assert_eq(aspath_check(path(0, ""), 4), ASPATH_OK);
	cr_assert_eq(aspath_check(path(0, SEQ_1_2_3), 4), ASPATH_OK);
	cr_assert_eq(aspath_check(path(0, "02 02 0001 0002"), 2), ASPATH_OK);
	cr_assert_eq(aspath_check(path(0, "02 01 00000000"), 4), ASPATH_AS_ZERO);
	cr_assert_eq(aspath_check(path(0, "02 02 0001 0000"), 2), ASPATH_AS_ZERO);
	cr_assert_eq(aspath_check(path(0, "02 01 00010000"), 4), ASPATH_OK);
	cr_assert_eq(aspath_check(path(0, "01 01 00000001"), 4), ASPATH_SET);
	cr_assert_eq(aspath_check(path(0, "04 01 00000001"), 4), ASPATH_SET);
	cr_assert_eq(aspath_check(path(0, "03 01 00000001"), 4), ASPATH_CONFED);
	cr_assert_eq(aspath_check(path(0, "00 01 00000001"), 4), ASPATH_MALFORMED);
	cr_assert_eq(aspath_check(path(0, "05 01 00000001"), 4), ASPATH_MALFORMED);
	cr_assert_eq(aspath_check(path(0, "02 00"), 4), ASPATH_MALFORMED);
	cr_assert_eq(aspath_check(path(0, "02"), 4), ASPATH_MALFORMED);
	cr_assert_eq(aspath_check(path(0, "02 02 00000001"), 4), ASPATH_MALFORMED);
}

Test(aspath, the_worst_fault_is_told)
{
	cr_assert_eq(aspath_check(path(0, "02 01 00000000 01 01 00000001"), 4), ASPATH_SET);
	cr_assert_eq(aspath_check(path(0, "03 01 00000001 01 01 00000000"), 4), ASPATH_SET);
	cr_assert_eq(aspath_check(path(0, "01 01 00000001 02"), 4), ASPATH_MALFORMED);
}

Test(aspath, length_counts_a_set_once_and_confederations_never)
{
	cr_assert_eq(aspath_length(path(0, "")), 0);
	cr_assert_eq(aspath_length(path(0, SEQ_1_2_3)), 3);
	cr_assert_eq(aspath_length(path(0, SEQ_1_2_3 "01 02 00000004 00000005")), 4);
	cr_assert_eq(aspath_length(path(0, "03 02 00000004 00000005 04 01 00000009" SEQ_1_2_3)), 3);
}

Test(aspath, finds_asns)
{
	struct bgp_blob p = path(0, "02 04 00000001 00000002 00000001 fa56ea01 01 01 00000001");

	cr_assert(aspath_contains(p, 4200000001u));
	cr_assert_not(aspath_contains(p, 3));
	cr_assert_eq(aspath_count_of(p, 1), 3);
	cr_assert_eq(aspath_first(p), 1);
	cr_assert_eq(aspath_origin(p), 1);
	cr_assert_eq(aspath_origin(path(0, SEQ_1_2_3)), 3);
	cr_assert_eq(aspath_first(path(0, "")), 0);
	cr_assert_eq(aspath_origin(path(0, "")), 0);
	cr_assert_eq(aspath_first(path(0, "01 01 00000007")), 0, "a set has no first");
}

static void append(void *ctx, uint32_t asn, enum bgp_as_segment type, bool start)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%s%u:%u ", start ? "|" : "", type, asn);
}

Test(aspath, each_in_order)
{
	char text[128] = "";

	aspath_each(path(0, "02 02 00000001 00000002 01 01 00000003"), append, text);
	cr_assert_str_eq(text, "|2:1 2:2 |1:3 ");
}

static struct bgp_blob prepended(struct bgp_blob p, uint32_t asn, unsigned int times)
{
	int len = aspath_prepend(p, asn, times, store[3], sizeof(store[3]));

	cr_assert_geq(len, 0);
	return (struct bgp_blob){ store[3], (uint32_t)len };
}

Test(aspath, prepend)
{
	cr_assert_str_eq(text_of(prepended(path(0, SEQ_1_2_3), 9, 1)), "9 1 2 3");
	cr_assert_str_eq(text_of(prepended(path(0, SEQ_1_2_3), 9, 3)), "9 9 9 1 2 3");
	cr_assert_str_eq(text_of(prepended(path(0, SEQ_1_2_3), 9, 0)), "1 2 3");
	cr_assert_str_eq(text_of(prepended(path(0, ""), 9, 1)), "9");
	cr_assert_eq(prepended(path(0, ""), 9, 0).len, 0);
	cr_assert_str_eq(text_of(prepended(path(0, "01 02 00000001 00000002"), 9, 1)), "9 {1 2}");
	cr_assert_str_eq(text_of(prepended(path(0, "01 02 00000001 00000002"), 9, 0)), "{1 2}");
}

/* Against the plain statement: the same ASNs, that many more in front, no segment over 255. */
Test(aspath, prepend_across_full_segments)
{
	static const unsigned int sizes[] = { 0, 1, 2, 100, 253, 254, 255 };
	static const unsigned int times[] = { 0, 1, 2, 3, 154, 155, 254, 255, 256, 510, 511, 700 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); j++) {
			uint32_t asns[255];
			struct bgp_blob p = { store[0], 0 }, q;

			for (unsigned int k = 0; k < sizes[i]; k++)
				asns[k] = 1000 + k;
			p.len = (uint32_t)aspath_from_asns(asns, sizes[i], store[0],
							   sizeof(store[0]));
			q = prepended(p, 7, times[j]);
			cr_assert_eq(aspath_check(q, 4), ASPATH_OK);
			cr_assert_eq(aspath_length(q), sizes[i] + times[j]);
			cr_assert_eq(aspath_count_of(q, 7), times[j]);
			cr_assert_eq(aspath_first(q), times[j] ? 7 : sizes[i] ? 1000 : 0);
			cr_assert_eq(aspath_origin(q),
				     sizes[i] ? 999 + sizes[i] : (times[j] ? 7 : 0));
			/* As few segments as can hold them. */
			cr_assert_eq(q.len, 4 * (sizes[i] + times[j]) +
						    2 * ((sizes[i] + times[j] + 254) / 255));
		}
	}
}

Test(aspath, too_little_room)
{
	uint32_t asns[] = { 1, 2, 3 };

	cr_assert_eq(aspath_from_asns(asns, 3, store[0], 13), -ENOSPC);
	cr_assert_eq(aspath_from_asns(asns, 3, store[0], 14), 14);
	cr_assert_eq(aspath_prepend(path(0, SEQ_1_2_3), 9, 1, store[1], 17), -ENOSPC);
	cr_assert_eq(aspath_prepend(path(0, SEQ_1_2_3), 9, 1, store[1], 18), 18);
	cr_assert_eq(aspath_prepend(path(0, ""), 9, 4000000000u, store[1], 100), -ENOSPC);
	cr_assert_eq(aspath_widen(path(0, "02 02 0001 0002"), store[1], 9), -ENOSPC);
	cr_assert_eq(aspath_widen(path(0, "02 02 0001 0002"), store[1], 10), 10);
}

Test(aspath, from_asns_opens_segments_of_255)
{
	static uint32_t asns[600];
	int len;

	for (unsigned int i = 0; i < 600; i++)
		asns[i] = i + 1;
	len = aspath_from_asns(asns, 600, store[0], sizeof(store[0]));
	cr_assert_eq(len, 600 * 4 + 3 * 2);
	cr_assert_eq(aspath_length((struct bgp_blob){ store[0], (uint32_t)len }), 600);
	cr_assert_eq(aspath_from_asns(asns, 0, store[0], 0), 0);
}

Test(aspath, narrow_and_widen)
{
	struct bgp_blob p = path(0, "02 02 0000fde9 fa56ea01"), wide = { store[2], 0 };
	struct wire_writer w;

	wire_write_init(&w, store[1], sizeof(store[1]));
	cr_assert(aspath_narrow(p, &w));
	wide.len = (uint32_t)aspath_widen((struct bgp_blob){ store[1], (uint32_t)w.pos }, store[2],
					  sizeof(store[2]));
	cr_assert_str_eq(text_of(wide), "65001 23456");
	wire_write_init(&w, store[1], sizeof(store[1]));
	cr_assert_not(aspath_narrow(path(0, SEQ_1_2_3), &w));
	cr_assert_eq(w.pos, 8);
}

static const char *merged(const char *as_path, const char *as4_path)
{
	int len = aspath_merge_as4(path(0, as_path), path(1, as4_path), store[2], sizeof(store[2]));
	struct bgp_blob p = { store[2], (uint32_t)len };

	cr_assert_geq(len, 0);
	cr_assert_neq(aspath_check(p, 4), ASPATH_MALFORMED);
	return text_of(p);
}

Test(aspath, merge_takes_the_head_of_the_old_path)
{
	cr_assert_str_eq(merged("02 03 00000001 00005ba0 00005ba0", "02 02 fa56ea01 fa56ea02"),
			 "1 4200000001 4200000002");
	cr_assert_str_eq(merged("02 02 00005ba0 00005ba0", "02 02 fa56ea01 fa56ea02"),
			 "4200000001 4200000002");
	cr_assert_str_eq(merged("02 01 00000001", "02 02 fa56ea01 fa56ea02"), "1",
			 "more hops in AS4_PATH: ignored");
	cr_assert_str_eq(merged("02 02 00000001 00000002", ""), "1 2");
}

Test(aspath, merge_counts_like_the_decision)
{
	/* The set counts once, and goes whole. */
	cr_assert_str_eq(merged("01 02 00000001 00000002 02 01 00005ba0", "02 01 fa56ea01"),
			 "{1 2} 4200000001");
	cr_assert_str_eq(merged("02 01 00000001 02 02 00000002 00005ba0", "02 01 fa56ea01"),
			 "1 2 4200000001");
}

Test(aspath, merge_joins_one_sequence)
{
	merged("02 03 00000001 00005ba0 00005ba0", "02 02 fa56ea01 fa56ea02");
	cr_assert_eq(store[2][1], 3, "one segment, as a 4-octet speaker would have sent it");
}

Test(aspath, merge_does_not_overfill_a_segment)
{
	struct bgp_blob p = path(0, "02 ff *255(00005ba0) 02 01 00000007");
	struct bgp_blob q = path(1, "02 c8 *200(fa56ea01)");
	int len = aspath_merge_as4(p, q, store[2], sizeof(store[2]));
	struct bgp_blob r = { store[2], (uint32_t)len };

	cr_assert_eq(aspath_check(r, 4), ASPATH_OK);
	cr_assert_eq(aspath_length(r), 256);
	cr_assert_eq(aspath_count_of(r, 4200000001u), 200);
	cr_assert_eq(aspath_merge_as4(p, q, store[2], 100), -ENOSPC);
}

Test(aspath, text)
{
	char text[16];

	cr_assert_str_eq(text_of(path(0, "")), "");
	cr_assert_str_eq(text_of(path(0, SEQ_1_2_3)), "1 2 3");
	cr_assert_str_eq(text_of(path(0, "02 01 00000001 01 02 00000002 00000003")), "1 {2 3}");
	cr_assert_str_eq(text_of(path(0, "03 01 00000001 04 01 00000002")), "(1) [2]");
	cr_assert_str_eq(aspath_format(path(0, "02 04 *4(fa56ea01)"), text, sizeof(text)),
			 "4200000001...");
	for (size_t cap = 1; cap < 16; cap++) {
		memset(text, 'x', sizeof(text));
		aspath_format(path(0, SEQ_1_2_3 SEQ_1_2_3 SEQ_1_2_3), text, cap);
		cr_assert_lt(strnlen(text, sizeof(text)), cap);
		cr_assert(cap == 16 || text[cap] == 'x', "nothing behind the end");
	}
	cr_assert_eq(aspath_format(path(0, ""), text, 0), text);
}
