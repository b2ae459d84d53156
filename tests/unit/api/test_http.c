// SPDX-License-Identifier: GPL-2.0-only
/* HTTP: which page is asked for, when more input is needed, what an answer looks like. */
#include <criterion/criterion.h>
#include <string.h>

#include "api/http.h"

static const struct row {
	const char *input;
	size_t used; /* SIZE_MAX: all of it */
	enum http_target target;
	bool head;
} rows[] = {
	{ "", 0, HTTP_ROOT, false },
	{ "GET /metrics HT", 0, HTTP_ROOT, false },
	{ "GET /metrics HTTP/1.1\r\n", 0, HTTP_ROOT, false },
	{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", SIZE_MAX, HTTP_METRICS, false },
	{ "GET /metrics?format=x HTTP/1.1\r\n\r\n", SIZE_MAX, HTTP_METRICS, false },
	{ "HEAD /healthz HTTP/1.0\r\n\r\n", SIZE_MAX, HTTP_HEALTH, true },
	{ "GET / HTTP/1.1\r\n\r\n", SIZE_MAX, HTTP_ROOT, false },
	{ "GET /metricsx HTTP/1.1\r\n\r\n", SIZE_MAX, HTTP_NOT_FOUND, false },
	{ "POST /metrics HTTP/1.1\r\n\r\n", SIZE_MAX, HTTP_BAD_METHOD, false },
	{ "hello\n", SIZE_MAX, HTTP_BAD_REQUEST, false },
	{ "GET /metrics\r\n", SIZE_MAX, HTTP_BAD_REQUEST, false },
	{ "\n", SIZE_MAX, HTTP_BAD_REQUEST, false },
};

Test(http, requests)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum http_target target = HTTP_ROOT;
		bool head = false;
		size_t want = rows[i].used == SIZE_MAX ? strlen(rows[i].input) : rows[i].used;

		cr_assert_eq(http_parse(rows[i].input, strlen(rows[i].input), &target, &head), want,
			     "%s", rows[i].input);
		cr_assert_eq(target, rows[i].target, "%s", rows[i].input);
		cr_assert_eq(head, rows[i].head, "%s", rows[i].input);
	}
}

Test(http, an_answer_has_its_length)
{
	struct json_out out;

	json_out_init(&out);
	http_respond(&out, 200, "text/plain", "body", 4, false);
	json_out_put_char(&out, 0);
	cr_assert_eq(strncmp(out.data, "HTTP/1.1 200 OK\r\n", 17), 0);
	cr_assert(strstr(out.data, "Content-Length: 4\r\n"));
	cr_assert_str_eq(strstr(out.data, "\r\n\r\n") + 4, "body");
	json_out_done(&out);
	http_respond(&out, 404, "text/plain", "body", 4, true);
	json_out_put_char(&out, 0);
	cr_assert_str_eq(strstr(out.data, "\r\n\r\n") + 4, "");
	json_out_done(&out);
}

/* A body whose length nobody knows yet ends with the connection (RFC 9112 section 6.3). */
Test(http, a_body_that_comes_in_pieces)
{
	struct json_out out;

	json_out_init(&out);
	http_begin(&out, "text/plain");
	json_out_put_char(&out, 0);
	cr_assert(strstr(out.data, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n") == out.data);
	cr_assert(!strstr(out.data, "Content-Length"));
	cr_assert(strstr(out.data, "Connection: close\r\n\r\n"));
	json_out_done(&out);
}
