/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of the control API: one JSON-RPC 2.0 object a line becomes a method with checked parameters,
 * or an error object. Everything is refused before any effect: unknown methods, unknown, missing,
 * ill-typed and out-of-range parameters, duplicate keys, lines that are too long. Pure.
 */
#ifndef XRS_API_REQUEST_H
#define XRS_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/json_out.h"

#define API_LINE_MAX (1u << 20) /* octets of one request line, without the newline */
#define API_ID_MAX   128        /* octets of an id as JSON text */

enum api_code { /* data.reason is the stable key: api_code_reason() */
	API_PARSE_ERROR = -32700,
	API_INVALID_REQUEST = -32600,
	API_METHOD_NOT_FOUND = -32601,
	API_INVALID_PARAMS = -32602,
	API_INTERNAL = -32603,
	API_NOT_FOUND = -32001,
	API_ALREADY_EXISTS = -32002,
	API_PERMISSION_DENIED = -32003,
	API_MANAGED_BY_FILE = -32004,
	API_LIMIT_EXCEEDED = -32005,
	API_CONFLICT = -32006,
	API_DATAPLANE_ERROR = -32007,
	API_NOT_READY = -32008,
	API_INVALID_CONFIG = -32009,
};
const char *api_code_reason(int code); /* "NotFound" */

struct api_error {
	int code; /* enum api_code; 0: none */
	char message[512];
	char field[64];        /* the parameter at fault, or "" */
	char did_you_mean[64]; /* or "" */
	int error_number;      /* positive errno of API_DATAPLANE_ERROR, or 0 */
};
/* Returns -1, so that callers `return api_fail(...)`. */
int api_fail(struct api_error *error, int code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

enum api_param_type {
	API_TEXT,
	API_INTEGER, /* min..max */
	API_BOOL,
	API_WORD,    /* one of `words` */
	API_ADDRESS, /* IPv4 or IPv6 */
	API_PREFIX,
	API_OBJECT,    /* checked by the method */
	API_WORD_LIST, /* of `words` */
	API_KEYS, /* stands for the keys of `object`, which are checked with the configuration */
};

struct config_object;

struct api_param {
	const char *name; /* NULL ends a list */
	enum api_param_type type;
	bool required;
	int64_t min, max;         /* INTEGER; for TEXT max is octets, 0: 255 */
	const char *const *words; /* ends with NULL */
	const struct config_object *object;
	const char *doc;
};

enum api_access { /* what writes needs the right to, and is logged */
	API_READS,
	API_WRITES,
	API_WRITES_WITH_REPAIR, /* when the parameter `repair` is true */
};

struct api_call;
struct api_method {
	const char *name; /* "peering.show" */
	enum api_access access;
	const struct api_param *params;
	/* Writes the members of the result; 0, or -1 with the error filled. */
	int (*handle)(struct api_call *call);
	const char *summary;
	const char *result; /* names of the result's members, for people */
};
/* The object whose keys are parameters as well (API_KEYS); NULL: none. */
const struct config_object *api_method_object(const struct api_method *method);

struct api_request {
	char id[API_ID_MAX]; /* JSON text as it came; "" : a notification */
	const struct api_method *method;
	const json_t *params; /* an object, or NULL: none were given */
	json_t *root;         /* owned */
};

/*
 * One line without its newline. 0, or -1 with *ret_error filled; then the id is "null" when it could
 * not be read. request_done() in both cases.
 */
int request_parse(const char *line, size_t len, const struct api_method *methods, size_t n_methods,
		  struct api_request *ret_request, struct api_error *ret_error);
void request_done(struct api_request *request);
static inline bool request_is_notification(const struct api_request *request)
{
	return request->id[0] == 0;
}

/* The call changes something: it needs the right to, and is logged. */
bool request_writes(const struct api_request *request);

/* Parameters, already checked. NULL or @fallback: not given. */
const char *request_text(const struct api_request *request, const char *name);
int64_t request_integer(const struct api_request *request, const char *name, int64_t fallback);
bool request_bool(const struct api_request *request, const char *name, bool fallback);
const json_t *request_value(const struct api_request *request, const char *name);

/* {"jsonrpc":"2.0","id":...,"error":{...}} and a newline. @id "" is written as null. */
void api_write_error(struct json_out *out, const char *id, const struct api_error *error);

#endif
