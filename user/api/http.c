// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP for scrapers and probes on the control socket: which page a GET asks for, and the answer around a
 * body. socket.c calls it when a connection's first octet is not '{'. Pure. No keep-alive, no bodies.
 */
#include <stdio.h>
#include <string.h>

#include "api/http.h"

static enum http_target find_target(const char *path, size_t len)
{
	static const struct {
		const char *path;
		enum http_target target;
	} pages[] = {
		{ "/metrics", HTTP_METRICS },
		{ "/healthz", HTTP_HEALTH },
		{ "/", HTTP_ROOT },
	};
	const char *query = memchr(path, '?', len);

	if (query)
		len = (size_t)(query - path);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strlen(pages[i].path) == len && memcmp(pages[i].path, path, len) == 0)
			return pages[i].target;
	}
	return HTTP_NOT_FOUND;
}

static enum http_target parse_line(const char *line, size_t len, bool *ret_head_only)
{
	const char *path = memchr(line, ' ', len);
	const char *end = path ? memchr(path + 1, ' ', len - (size_t)(path + 1 - line)) : NULL;
	size_t method = path ? (size_t)(path - line) : 0;

	if (!end || (size_t)(line + len - end) < 6 || memcmp(end + 1, "HTTP/", 5) != 0)
		return HTTP_BAD_REQUEST;
	*ret_head_only = method == 4 && memcmp(line, "HEAD", 4) == 0;
	if (!*ret_head_only && !(method == 3 && memcmp(line, "GET", 3) == 0))
		return HTTP_BAD_METHOD;
	return find_target(path + 1, (size_t)(end - path - 1));
}

size_t http_parse(const char *data, size_t len, enum http_target *ret_target, bool *ret_head_only)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	const char *line = memchr(data, '\n', len);
	bool head_only = false;

	/* Something that never was HTTP is answered after its first line. */
	if (line && parse_line(data, (size_t)(line - data), &head_only) == HTTP_BAD_REQUEST)
		end = line;
	if (!end)
		return 0;
	*ret_target = parse_line(data, (size_t)(line - data), &head_only);
	*ret_head_only = head_only;
	return (size_t)(end - data) + (end == line ? 1 : 4);
}

static void put(struct json_out *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		json_out_put_char(out, text[i]);
}

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 503:
		return "Service Unavailable";
	default:
		return "Bad Request";
	}
}

static void put_head(struct json_out *out, int status, const char *content_type, const char *length)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s"
			 "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
			 status, status_text(status), content_type, length);

	put(out, head, (size_t)n);
}

void http_respond(struct json_out *out, int status, const char *content_type, const char *body,
		  size_t body_len, bool head_only)
{
	char length[64];

	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", body_len);
	put_head(out, status, content_type, length);
	if (!head_only)
		put(out, body, body_len);
}

void http_begin(struct json_out *out, const char *content_type)
{
	put_head(out, 200, content_type, "");
}
