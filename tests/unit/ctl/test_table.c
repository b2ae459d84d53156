// SPDX-License-Identifier: GPL-2.0-only
/* xrsctl's tables: widths, empty cells, lists, times, and text that must not reach a terminal as it is. */
#include <criterion/criterion.h>
#include <string.h>

#include "ctl/ctl.h"

static struct json_out out;

static const char *table(const struct ctl_column *columns, const char *rows, bool no_header)
{
	json_t *json = json_loads(rows, 0, NULL);

	cr_assert(json, "%s", rows);
	json_out_done(&out);
	ctl_print_table(columns, json, no_header, 1767225600000000, &out); /* 2026-01-01 */
	json_out_put_char(&out, 0);
	json_decref(json);
	return out.data;
}

static const struct ctl_column columns[] = {
	{ "NAME", "name", CTL_PLAIN }, { "AS PATH", "asPath", CTL_SPACED },
	{ "UP", "since", CTL_SINCE },  { "BEST", "best", CTL_FLAG },
	{ NULL, NULL, CTL_PLAIN },
};

Test(table, columns_are_as_wide_as_their_widest_cell)
{
	cr_assert_str_eq(table(columns,
			       "[{\"name\":\"fw-a\",\"asPath\":[65001,[1,2],3],\"since\":\"2025-12-"
			       "31T23:59:58.5Z\","
			       "\"best\":true},{\"name\":\"a-long-name\",\"asPath\":[],\"since\":"
			       "null,\"best\":"
			       "false}]",
			       false),
			 "NAME         AS PATH        UP  BEST\n"
			 "fw-a         65001 {1 2} 3  2s  yes\n"
			 "a-long-name  -              -   -\n");
}

Test(table, without_a_header)
{
	cr_assert_str_eq(table(columns,
			       "[{\"name\":\"x\",\"asPath\":[1],\"best\":true,\"since\":null}]",
			       true),
			 "x  1  -  yes\n");
	cr_assert_str_eq(table(columns, "[]", true), "");
	cr_assert_str_eq(table(columns, "[]", false), "NAME  AS PATH  UP  BEST\n");
}

Test(table, a_column_that_no_row_has_is_left_out)
{
	cr_assert_str_eq(table(columns, "[{\"name\":\"x\"}]", false), "NAME\nx\n");
}

Test(table, times_are_short)
{
	static const struct {
		const char *since, *text;
	} rows[] = {
		{ "2025-12-31T23:59:58Z", "2s" },    { "2025-12-31T23:58:00Z", "2m00s" },
		{ "2025-12-31T21:30:00Z", "2h30m" }, { "2025-12-29T12:00:00Z", "2d12h" },
		{ "2027-01-01T00:00:00Z", "0s" },    { "nonsense", "-" },
	};
	static const struct ctl_column one[] = { { "UP", "since", CTL_SINCE },
						 { NULL, NULL, CTL_PLAIN } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char json[96], want[32];

		snprintf(json, sizeof(json), "[{\"since\":\"%s\"}]", rows[i].since);
		snprintf(want, sizeof(want), "%s\n", rows[i].text);
		cr_assert_str_eq(table(one, json, true), want);
	}
}

Test(table, width_counts_characters_not_octets)
{
	cr_assert_eq(ctl_width("abc"), 3);
	cr_assert_eq(ctl_width("äöü"), 3);
	cr_assert_eq(ctl_width("日本"), 4);
	cr_assert_eq(ctl_width("e\xcc\x81"), 1, "a combining accent takes no column");
	cr_assert_str_eq(table(columns,
			       "[{\"name\":\"ä\",\"best\":true},{\"name\":\"ab\",\"best\":true}]",
			       true),
			 "ä   yes\nab  yes\n");
}

Test(table, what_a_peer_wrote_can_not_drive_the_terminal)
{
	const char *text =
		table(columns, "[{\"name\":\"a\\u001b[2Jb\\nc\\u009bd\\u202ee\"}]", true);

	cr_assert_str_eq(text, "a?[2Jb?c?d?e\n");
}

Test(table, an_object_is_written_member_by_member)
{
	static const struct ctl_command show = { .noun = "x", .verb = "show", .params = "" };
	json_t *json = json_loads(
		"{\"name\":\"fw\",\"a\":{\"b\":1},\"list\":[{\"c\":true}],\"n\":null}", 0, NULL);

	json_out_init(&out);
	ctl_print_result(&show, json, false, 0, &out);
	json_out_put_char(&out, 0);
	cr_assert_str_eq(out.data, "name                         fw\n"
				   "a:\n"
				   "  b                          1\n"
				   "list[0]:\n"
				   "  c                          yes\n"
				   "n                            -\n");
	json_decref(json);
	json_out_done(&out);
}

Test(table, the_completion_names_every_command)
{
	json_out_init(&out);
	ctl_completion(&out);
	json_out_put_char(&out, 0);
	for (size_t i = 0; i < ctl_n_commands; i++) {
		cr_assert(strstr(out.data, ctl_commands[i].noun));
		cr_assert(!ctl_commands[i].verb || strstr(out.data, ctl_commands[i].verb));
	}
	json_out_done(&out);
}
