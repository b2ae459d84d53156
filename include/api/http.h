/* SPDX-License-Identifier: GPL-2.0-only */
/* The few lines of HTTP/1.1 that a scraper needs: GET without a body, one answer, close. Pure. */
#ifndef XRS_API_HTTP_H
#define XRS_API_HTTP_H

#include <stddef.h>

#include "util/json_out.h"

enum http_target {
	HTTP_METRICS,
	HTTP_HEALTH,
	HTTP_ROOT,
	HTTP_NOT_FOUND,
	HTTP_BAD_METHOD,
	HTTP_BAD_REQUEST,
};

/*
 * Looks for a whole request head. 0: more input is needed; else its octets, with *ret_target and whether
 * only the head of the answer is wanted (HEAD).
 */
size_t http_parse(const char *data, size_t len, enum http_target *ret_target, bool *ret_head_only);
/* Status line and headers of a body that ends with the connection. */
void http_begin(struct json_out *out, const char *content_type);
/* Status line, headers, and @body unless @head_only. */
void http_respond(struct json_out *out, int status, const char *content_type, const char *body,
		  size_t body_len, bool head_only);

#endif
