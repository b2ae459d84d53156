// SPDX-License-Identifier: GPL-2.0-only
/* NOTIFICATION both ways, the shutdown text (RFC 9003), and that every code in use has a name. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/notification.h"
#include "octets.h"

static uint8_t buf[BGP_MSG_MAX];

static struct bgp_notification decoded(const char *body)
{
	struct bgp_notification note;
	size_t len = octets(body, buf, sizeof(buf));

	memset(&note, 0xaa, sizeof(note));
	cr_assert_eq(bgp_notification_decode(buf, len, &note), 0, "%s", body);
	return note;
}

Test(notification, error_set_copies_and_cuts)
{
	uint8_t data[BGP_ERROR_DATA_MAX + 10];
	struct bgp_error error;

	memset(data, 7, sizeof(data));
	bgp_error_set(&error, 3, 1, "why", data, sizeof(data));
	cr_assert_eq(error.data_len, BGP_ERROR_DATA_MAX);
	cr_assert_eq(error.data[BGP_ERROR_DATA_MAX - 1], 7);
	bgp_error_set(&error, 3, 1, "why", NULL, 5);
	cr_assert_eq(error.data_len, 0);
	cr_assert_str_eq(error.reason, "why");
}

Test(notification, written_and_read_again)
{
	struct bgp_notification note;
	struct bgp_error error;
	int len;

	bgp_error_set(&error, BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, "x", "\0\4", 2);
	len = bgp_notification_encode(&error, buf, sizeof(buf));
	cr_assert_eq(len, 23);
	cr_assert_eq(bgp_notification_decode(buf + BGP_HEADER_LEN, 4, &note), 0);
	cr_assert_eq(note.code, BGP_ERR_OPEN);
	cr_assert_eq(note.subcode, BGP_OPEN_BAD_VERSION);
	cr_assert_eq(note.data_len, 2);
	cr_assert_eq(note.data[1], 4);
	cr_assert_eq(bgp_notification_encode(&error, buf, 22), -ENOSPC);
}

Test(notification, shorter_than_two_octets_is_refused)
{
	struct bgp_notification note = { .code = 99 };

	cr_assert_eq(bgp_notification_decode((const uint8_t *)"\6", 1, &note), -EBADMSG);
	cr_assert_eq(bgp_notification_decode(NULL, 0, &note), -EBADMSG);
	cr_assert_eq(note.code, 99, "untouched on failure");
}

Test(notification, shutdown_text_is_read)
{
	struct bgp_notification note = decoded("0602 {1 676f6f64 20 627965}");

	cr_assert_str_eq(note.text, "good bye");
	note = decoded("0604 {1 676f}");
	cr_assert_str_eq(note.text, "go");
	note = decoded("0602");
	cr_assert_str_eq(note.text, "");
}

Test(notification, shutdown_text_longer_than_the_data_is_no_text)
{
	struct bgp_notification note = decoded("0602 {1+1 676f6f64}");

	cr_assert_str_eq(note.text, "");
	cr_assert_eq(note.data_len, 5, "the data are kept all the same");
}

Test(notification, other_codes_have_no_text)
{
	struct bgp_notification note = decoded("0601 {1 676f6f64}");

	cr_assert_str_eq(note.text, "");
	note = decoded("0302 {1 676f6f64}");
	cr_assert_str_eq(note.text, "");
}

Test(notification, hard_reset_carries_the_text_inside)
{
	struct bgp_notification note = decoded("0609 0602 {1 676f}");

	cr_assert(note.hard_reset);
	cr_assert_eq(note.subcode, BGP_CEASE_ADMIN_SHUTDOWN);
	cr_assert_str_eq(note.text, "go");
	note = decoded("0609 06");
	cr_assert_str_eq(note.text, "");
}

Test(notification, long_data_is_kept_in_part)
{
	struct bgp_notification note = decoded("0301 *1000(ab)");

	cr_assert_eq(note.data_len, 1000);
	cr_assert_eq(note.data[BGP_ERROR_DATA_MAX - 1], 0xab);
}

Test(notification, shutdown_text_is_written)
{
	struct bgp_notification note;
	struct bgp_error error;
	int len;

	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, "maintenance");
	len = bgp_notification_encode(&error, buf, sizeof(buf));
	cr_assert_eq(
		bgp_notification_decode(buf + BGP_HEADER_LEN, (size_t)len - BGP_HEADER_LEN, &note),
		0);
	cr_assert_str_eq(note.text, "maintenance");
	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, NULL);
	cr_assert_eq(error.data_len, 0);
	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, "");
	cr_assert_eq(error.data_len, 0);
}

Test(notification, shutdown_text_is_cut_between_characters)
{
	char text[300];
	struct bgp_error error;

	memset(text, 'a', sizeof(text));
	text[299] = '\0';
	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_RESET, text);
	cr_assert_eq(error.data[0], 255);
	cr_assert_eq(error.data_len, 256);
	/* The euro sign, three octets, would end at 257. */
	memcpy(text + 254, "\xe2\x82\xac", 3);
	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_RESET, text);
	cr_assert_eq(error.data[0], 254);
}

Test(notification, codes_in_use_have_names)
{
	static const uint8_t last[] = { 0, 3, 7, 11, 0, 3, 10, 1, 0 };

	for (uint8_t code = 1; code <= BGP_ERR_SEND_HOLD; code++) {
		cr_assert_str_neq(bgp_error_code_name(code), "Unknown", "%u", code);
		for (uint8_t sub = 0; sub <= last[code]; sub++) {
			if (code == BGP_ERR_OPEN && sub >= 8 && sub <= 10)
				continue;
			cr_assert_str_neq(bgp_error_subcode_name(code, sub), "Unknown", "%u/%u",
					  code, sub);
		}
	}
	cr_assert_str_eq(bgp_error_code_name(0), "Unknown");
	cr_assert_str_eq(bgp_error_code_name(255), "Unknown");
	cr_assert_str_eq(bgp_error_subcode_name(6, 200), "Unknown");
	cr_assert_str_eq(bgp_error_subcode_name(200, 1), "Unknown");
}
