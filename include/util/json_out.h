/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes JSON piece by piece into a growing buffer: no document tree, so that 100,000 routes never
 * exist twice. Commas and nesting are kept here; strings are escaped and made valid UTF-8 (invalid
 * octets become U+FFFD), so the output is always one valid document. Errors are sticky. No I/O.
 */
#ifndef XRS_UTIL_JSON_OUT_H
#define XRS_UTIL_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32

struct json_out {
	char *data; /* owned; not terminated */
	size_t len, cap;
	unsigned int depth;
	bool first[JSON_DEPTH_MAX];
	bool failed; /* out of memory or nested too deep */
};

void json_out_init(struct json_out *out);
void json_out_done(struct json_out *out);
/* Forgets what was written, keeps the nesting: for streams that hand a filled buffer over. */
void json_out_consume(struct json_out *out, size_t n);

/* @key is NULL inside an array or at the top. */
void json_out_begin_object(struct json_out *out, const char *key);
void json_out_end_object(struct json_out *out);
void json_out_begin_array(struct json_out *out, const char *key);
void json_out_end_array(struct json_out *out);
void json_out_string(struct json_out *out, const char *key, const char *value); /* NULL: null */
void json_out_string_n(struct json_out *out, const char *key, const char *value, size_t len);
void json_out_stringf(struct json_out *out, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A long string in pieces, each of whole characters. */
void json_out_begin_string(struct json_out *out, const char *key);
void json_out_add_string(struct json_out *out, const char *text, size_t len);
void json_out_end_string(struct json_out *out);
void json_out_uint(struct json_out *out, const char *key, uint64_t value);
void json_out_int(struct json_out *out, const char *key, int64_t value);
void json_out_double(struct json_out *out, const char *key, double value);
void json_out_bool(struct json_out *out, const char *key, bool value);
void json_out_null(struct json_out *out, const char *key);
/* A finished JSON value as it is. */
void json_out_raw(struct json_out *out, const char *key, const char *value, size_t len);
/* A bare octet outside the document (the newline that ends a record). */
void json_out_put_char(struct json_out *out, char c);

#endif
