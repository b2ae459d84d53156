// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a line of octets to a method and checked parameters. socket.c calls it for each line; tests and
 * the fuzzer do the same. Pure: no sockets, no clock, no log. It must refuse before anything happens, and
 * it never looks at what a method means.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "api/request.h"
#include "util/closest.h"
#include "util/log.h"
#include "util/prefix.h"

#define SHOW_MAX 72

const char *api_code_reason(int code)
{
	static const struct {
		int code;
		const char *reason;
	} reasons[] = {
		{ API_PARSE_ERROR, "ParseError" },
		{ API_INVALID_REQUEST, "InvalidRequest" },
		{ API_METHOD_NOT_FOUND, "MethodNotFound" },
		{ API_INVALID_PARAMS, "InvalidParams" },
		{ API_INTERNAL, "InternalError" },
		{ API_NOT_FOUND, "NotFound" },
		{ API_ALREADY_EXISTS, "AlreadyExists" },
		{ API_PERMISSION_DENIED, "PermissionDenied" },
		{ API_MANAGED_BY_FILE, "ManagedByFile" },
		{ API_LIMIT_EXCEEDED, "LimitExceeded" },
		{ API_CONFLICT, "Conflict" },
		{ API_DATAPLANE_ERROR, "DataplaneError" },
		{ API_NOT_READY, "NotReady" },
		{ API_INVALID_CONFIG, "InvalidConfig" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].code == code)
			return reasons[i].reason;
	}
	return "Unknown";
}

int api_fail(struct api_error *error, int code, const char *field, const char *format, ...)
{
	va_list args;

	*error = (struct api_error){ .code = code };
	snprintf(error->field, sizeof(error->field), "%s", field ? field : "");
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return -1;
}

static char *show(const char *text, char buf[static SHOW_MAX])
{
	return log_escape(text, strlen(text), buf, SHOW_MAX);
}

/* "unknown KIND 'x'", with the nearest known one. */
static int fail_unknown(struct api_error *error, int code, const char *kind, const char *word,
			const struct closest *closest)
{
	const char *near = closest_best(closest);
	char shown[SHOW_MAX];

	show(word, shown);
	api_fail(error, code, shown, "unknown %s '%s'%s%s%s", kind, shown,
		 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	if (near)
		snprintf(error->did_you_mean, sizeof(error->did_you_mean), "%s", near);
	return -1;
}

/* --- checks of one parameter, by type ------------------------------------------------------------ */

typedef int (*check_fn)(const struct api_param *param, const json_t *value,
			struct api_error *error);

static int wrong_type(const struct api_param *param, struct api_error *error, const char *wanted)
{
	return api_fail(error, API_INVALID_PARAMS, param->name, "'%s' must be %s", param->name,
			wanted);
}

static int check_text(const struct api_param *param, const json_t *value, struct api_error *error)
{
	size_t max = param->max ? (size_t)param->max : 255;

	if (!json_is_string(value))
		return wrong_type(param, error, "a string");
	if (json_string_length(value) > max)
		return api_fail(error, API_INVALID_PARAMS, param->name,
				"'%s' is longer than %zu octets", param->name, max);
	return 0;
}

static int check_integer(const struct api_param *param, const json_t *value,
			 struct api_error *error)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return wrong_type(param, error, "an integer");
	if (number < param->min || number > param->max)
		return api_fail(error, API_INVALID_PARAMS, param->name, "'%s' must be %lld to %lld",
				param->name, (long long)param->min, (long long)param->max);
	return 0;
}

static int check_bool(const struct api_param *param, const json_t *value, struct api_error *error)
{
	return json_is_boolean(value) ? 0 : wrong_type(param, error, "true or false");
}

/* "'x' is none of a, b, c", as far as there is room for them, and the nearest. */
static int none_of(const struct api_param *param, const char *word, struct api_error *error)
{
	char shown[SHOW_MAX], all[320] = "";
	struct closest closest;
	size_t used = 0;

	closest_init(&closest, word);
	for (const char *const *known = param->words; *known; known++) {
		closest_offer(&closest, *known);
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
						 used ? ", " : "", *known);
	}
	api_fail(error, API_INVALID_PARAMS, param->name, "'%s': '%s' is none of %s", param->name,
		 show(word, shown), all);
	if (closest_best(&closest))
		snprintf(error->did_you_mean, sizeof(error->did_you_mean), "%s",
			 closest_best(&closest));
	return -1;
}

static int check_word(const struct api_param *param, const json_t *value, struct api_error *error)
{
	const char *word = json_string_value(value);

	if (!word)
		return wrong_type(param, error, "a string");
	for (const char *const *known = param->words; *known; known++) {
		if (strcmp(*known, word) == 0)
			return 0;
	}
	return none_of(param, word, error);
}

static int check_address(const struct api_param *param, const json_t *value,
			 struct api_error *error)
{
	const char *text = json_string_value(value);
	struct ip_addr addr;

	return text && ip_parse(text, &addr) == 0 ? 0 : wrong_type(param, error, "an IP address");
}

static int check_prefix(const struct api_param *param, const json_t *value, struct api_error *error)
{
	const char *text = json_string_value(value);
	struct ip_prefix prefix;

	if (text && prefix_parse(text, &prefix) == 0)
		return 0;
	return wrong_type(param, error, "a prefix such as \"10.1.0.0/16\" without host bits");
}

static int check_object(const struct api_param *param, const json_t *value, struct api_error *error)
{
	return json_is_object(value) ? 0 : wrong_type(param, error, "an object");
}

static int check_word_list(const struct api_param *param, const json_t *value,
			   struct api_error *error)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > 64)
		return wrong_type(param, error, "a list of at most 64 strings");
	json_array_foreach(value, i, item) {
		if (check_word(param, item, error) < 0)
			return -1;
	}
	return 0;
}

static const check_fn checks[] = {
	[API_TEXT] = check_text,     [API_INTEGER] = check_integer,     [API_BOOL] = check_bool,
	[API_WORD] = check_word,     [API_ADDRESS] = check_address,     [API_PREFIX] = check_prefix,
	[API_OBJECT] = check_object, [API_WORD_LIST] = check_word_list, [API_KEYS] = check_object,
};

static const struct api_param *find_param(const struct api_method *method, const char *name)
{
	for (const struct api_param *param = method->params; param && param->name; param++) {
		if (param->type != API_KEYS && strcmp(param->name, name) == 0)
			return param;
	}
	return NULL;
}

const struct config_object *api_method_object(const struct api_method *method)
{
	for (const struct api_param *param = method->params; param && param->name; param++) {
		if (param->type == API_KEYS)
			return param->object;
	}
	return NULL;
}

static const struct config_field *object_fields(const struct api_method *method)
{
	static const struct config_field none = { .key = NULL };
	const struct config_object *object = api_method_object(method);

	return object ? object->fields : &none;
}

static bool is_object_key(const struct api_method *method, const char *name)
{
	for (const struct config_field *field = object_fields(method); field->key; field++) {
		if (strcmp(field->key, name) == 0)
			return true;
	}
	return false;
}

static int unknown_param(const struct api_method *method, const char *name, struct api_error *error)
{
	struct closest closest;

	closest_init(&closest, name);
	for (const struct api_param *param = method->params; param && param->name; param++) {
		if (param->type != API_KEYS)
			closest_offer(&closest, param->name);
	}
	for (const struct config_field *field = object_fields(method); field->key; field++)
		closest_offer(&closest, field->key);
	return fail_unknown(error, API_INVALID_PARAMS, "parameter", name, &closest);
}

static int missing(const char *name, struct api_error *error)
{
	return api_fail(error, API_INVALID_PARAMS, name, "the parameter '%s' is missing", name);
}

static int check_params(const struct api_request *request, struct api_error *error)
{
	const struct api_method *method = request->method;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)request->params, name, value) {
		const struct api_param *param = find_param(method, name);

		if (!param && is_object_key(method, name))
			continue;
		if (!param)
			return unknown_param(method, name, error);
		if (checks[param->type](param, value, error) < 0)
			return -1;
	}
	for (const struct api_param *param = method->params; param && param->name; param++) {
		if (param->required && !json_object_get(request->params, param->name))
			return missing(param->name, error);
	}
	for (const struct config_field *field = object_fields(method); field->key; field++) {
		if ((field->flags & CONFIG_REQUIRED) &&
		    !json_object_get(request->params, field->key))
			return missing(field->key, error);
	}
	return 0;
}

/* --- the envelope ---------------------------------------------------------------------------------- */

static int find_method(struct api_request *request, const char *name,
		       const struct api_method *methods, size_t n, struct api_error *error)
{
	struct closest closest;

	closest_init(&closest, name);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			request->method = &methods[i];
			return 0;
		}
		closest_offer(&closest, methods[i].name);
	}
	fail_unknown(error, API_METHOD_NOT_FOUND, "method", name, &closest);
	error->field[0] = 0;
	return -1;
}

/* The id as text, so that it is echoed as it came. Afterwards errors can be answered. */
static int take_id(struct api_request *request, struct api_error *error)
{
	const json_t *id = json_object_get(request->root, "id");
	char text[API_ID_MAX];
	size_t len;

	if (!id) {
		request->id[0] = 0;
		return 0;
	}
	if (!json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return api_fail(error, API_INVALID_REQUEST, NULL,
				"'id' must be a string, a number or null");
	len = json_dumpb(id, text, sizeof(text), JSON_ENCODE_ANY | JSON_COMPACT);
	if (len == 0 || len >= sizeof(text))
		return api_fail(error, API_INVALID_REQUEST, NULL, "'id' is longer than %d octets",
				API_ID_MAX - 1);
	memcpy(request->id, text, len);
	request->id[len] = 0;
	return 0;
}

static int check_envelope(struct api_request *request, struct api_error *error)
{
	static const char *const known[] = { "jsonrpc", "id", "method", "params" };
	const char *version = json_string_value(json_object_get(request->root, "jsonrpc"));
	const char *key;
	json_t *value;

	if (!version || strcmp(version, "2.0") != 0)
		return api_fail(error, API_INVALID_REQUEST, NULL, "'jsonrpc' must be \"2.0\"");
	if (!json_is_string(json_object_get(request->root, "method")))
		return api_fail(error, API_INVALID_REQUEST, NULL, "'method' must be a string");
	json_object_foreach(request->root, key, value) {
		struct closest closest;
		bool found = false;

		closest_init(&closest, key);
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			found |= strcmp(known[i], key) == 0;
			closest_offer(&closest, known[i]);
		}
		if (!found)
			return fail_unknown(error, API_INVALID_REQUEST, "member", key, &closest);
	}
	value = json_object_get(request->root, "params");
	if (value && !json_is_object(value))
		return api_fail(error, API_INVALID_REQUEST, NULL,
				"'params' must be an object: parameters have names");
	request->params = value;
	return 0;
}

static int load(struct api_request *request, const char *line, size_t len, struct api_error *error)
{
	json_error_t json_error;

	if (len > API_LINE_MAX)
		return api_fail(error, API_INVALID_REQUEST, NULL,
				"the request is longer than %u octets", API_LINE_MAX);
	request->root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &json_error);
	if (!request->root) {
		char shown[160];

		log_escape(json_error.text, strlen(json_error.text), shown, sizeof(shown));
		return api_fail(error, API_PARSE_ERROR, NULL, "not valid JSON at octet %d: %s",
				json_error.position, shown);
	}
	if (json_is_array(request->root))
		return api_fail(error, API_INVALID_REQUEST, NULL,
				"batches are not supported: send one object a line");
	return 0;
}

int request_parse(const char *line, size_t len, const struct api_method *methods, size_t n_methods,
		  struct api_request *ret_request, struct api_error *ret_error)
{
	struct api_request *request = ret_request;

	*request = (struct api_request){ .id = "null" };
	*ret_error = (struct api_error){ .code = 0 };
	if (load(request, line, len, ret_error) < 0 || take_id(request, ret_error) < 0 ||
	    check_envelope(request, ret_error) < 0)
		return -1;
	if (find_method(request, json_string_value(json_object_get(request->root, "method")),
			methods, n_methods, ret_error) < 0)
		return -1;
	return check_params(request, ret_error);
}

void request_done(struct api_request *request)
{
	json_decref(request->root);
	request->root = NULL;
	request->params = NULL;
}

bool request_writes(const struct api_request *request)
{
	enum api_access access = request->method->access;

	return access == API_WRITES ||
	       (access == API_WRITES_WITH_REPAIR && request_bool(request, "repair", false));
}

/* --- reading parameters --------------------------------------------------------------------------- */

const json_t *request_value(const struct api_request *request, const char *name)
{
	return json_object_get(request->params, name);
}

const char *request_text(const struct api_request *request, const char *name)
{
	return json_string_value(request_value(request, name));
}

int64_t request_integer(const struct api_request *request, const char *name, int64_t fallback)
{
	const json_t *value = request_value(request, name);

	return value ? json_integer_value(value) : fallback;
}

bool request_bool(const struct api_request *request, const char *name, bool fallback)
{
	const json_t *value = request_value(request, name);

	return value ? json_is_true(value) : fallback;
}

void api_write_error(struct json_out *out, const char *id, const struct api_error *error)
{
	json_out_begin_object(out, NULL);
	json_out_string(out, "jsonrpc", "2.0");
	json_out_raw(out, "id", *id ? id : "null", *id ? strlen(id) : 4);
	json_out_begin_object(out, "error");
	json_out_int(out, "code", error->code);
	json_out_string(out, "message", error->message);
	json_out_begin_object(out, "data");
	json_out_string(out, "reason", api_code_reason(error->code));
	if (*error->field)
		json_out_string(out, "field", error->field);
	if (*error->did_you_mean)
		json_out_string(out, "didYouMean", error->did_you_mean);
	if (error->error_number)
		json_out_int(out, "errno", error->error_number);
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_put_char(out, '\n');
}
