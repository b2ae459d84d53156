// SPDX-License-Identifier: GPL-2.0-only
/* Requests: what becomes a call, and every way to be refused before one. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_impl.h"

static struct api_request request;
static struct api_error error;

static int parse(const char *line)
{
	return request_parse(line, strlen(line), api_methods, api_n_methods, &request, &error);
}

#define RPC(rest) "{\"jsonrpc\":\"2.0\",\"id\":1," rest "}"

Test(request, a_call_with_parameters)
{
	cr_assert_eq(
		parse(RPC("\"method\":\"peering.listLearnedRoutes\",\"params\":{\"name\":\"fw-a\","
			  "\"prefix\":\"10.0.0.0/8\",\"match\":\"longer\",\"limit\":5}")),
		0, "%s", error.message);
	cr_assert_str_eq(request.method->name, "peering.listLearnedRoutes");
	cr_assert_str_eq(request_text(&request, "name"), "fw-a");
	cr_assert_eq(request_integer(&request, "limit", 0), 5);
	cr_assert_null(request_text(&request, "vnet"));
	cr_assert_str_eq(request.id, "1");
	cr_assert_not(request_writes(&request));
	request_done(&request);
}

Test(request, ids_come_back_as_they_were)
{
	static const char *const ids[] = { "0", "-7", "\"abc\"", "null", "1.5", "\"\\u0001\\\"\"" };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"nic.list\"}", ids[i]);
		cr_assert_eq(parse(line), 0);
		cr_assert_str_eq(request.id, ids[i]);
		cr_assert_not(request_is_notification(&request));
		request_done(&request);
	}
}

Test(request, without_an_id_it_is_a_notification)
{
	cr_assert_eq(parse("{\"jsonrpc\":\"2.0\",\"method\":\"log.setLevel\",\"params\":{\"level\":"
			   "\"debug\"}}"),
		     0);
	cr_assert(request_is_notification(&request));
	cr_assert(request_writes(&request));
	request_done(&request);
}

Test(request, repairing_is_writing_and_looking_is_not)
{
	cr_assert_eq(parse(RPC("\"method\":\"fib.verify\"")), 0);
	cr_assert_not(request_writes(&request));
	request_done(&request);
	cr_assert_eq(parse(RPC("\"method\":\"fib.verify\",\"params\":{\"repair\":false}")), 0);
	cr_assert_not(request_writes(&request));
	request_done(&request);
	cr_assert_eq(parse(RPC("\"method\":\"fib.verify\",\"params\":{\"repair\":true}")), 0);
	cr_assert(request_writes(&request));
	request_done(&request);
}

static const struct refusal {
	const char *line;
	int code;
	const char *id, *field, *near, *word;
} refusals[] = {
	{ "", API_PARSE_ERROR, "null", "", "", "not valid JSON" },
	{ "{", API_PARSE_ERROR, "null", "", "", "not valid JSON" },
	{ "{\"id\":1,\"id\":2}", API_PARSE_ERROR, "null", "", "", "uplicate" },
	{ "[]", API_INVALID_REQUEST, "null", "", "", "batches" },
	{ "[" RPC("\"method\":\"nic.list\"") "]", API_INVALID_REQUEST, "null", "", "", "batches" },
	{ "{}", API_INVALID_REQUEST, "", "", "", "jsonrpc" },
	{ "{\"id\":3}", API_INVALID_REQUEST, "3", "", "", "jsonrpc" },
	{ "{\"id\":{},\"jsonrpc\":\"2.0\"}", API_INVALID_REQUEST, "null", "", "", "'id'" },
	{ "{\"id\":true,\"jsonrpc\":\"2.0\"}", API_INVALID_REQUEST, "null", "", "", "'id'" },
	{ "{\"id\":3,\"jsonrpc\":\"1.0\",\"method\":\"nic.list\"}", API_INVALID_REQUEST, "3", "",
	  "", "2.0" },
	{ RPC("\"method\":7"), API_INVALID_REQUEST, "1", "", "", "'method'" },
	{ RPC("\"method\":\"nic.list\",\"params\":[]"), API_INVALID_REQUEST, "1", "", "",
	  "object" },
	{ RPC("\"method\":\"nic.list\",\"parms\":{}"), API_INVALID_REQUEST, "1", "parms", "params",
	  "parms" },
	{ RPC("\"method\":\"nic.lst\""), API_METHOD_NOT_FOUND, "1", "", "nic.list",
	  "did you mean" },
	{ RPC("\"method\":\"\""), API_METHOD_NOT_FOUND, "1", "", "", "unknown method" },
	{ RPC("\"method\":\"peering.show\""), API_INVALID_PARAMS, "1", "name", "", "missing" },
	{ RPC("\"method\":\"peering.show\",\"params\":{\"nmae\":\"x\"}"), API_INVALID_PARAMS, "1",
	  "nmae", "name", "unknown parameter" },
	{ RPC("\"method\":\"peering.show\",\"params\":{\"name\":7}"), API_INVALID_PARAMS, "1",
	  "name", "", "a string" },
	{ RPC("\"method\":\"nic.list\",\"params\":{\"limit\":0}"), API_INVALID_PARAMS, "1", "limit",
	  "", "1 to 1000000" },
	{ RPC("\"method\":\"nic.list\",\"params\":{\"limit\":\"1\"}"), API_INVALID_PARAMS, "1",
	  "limit", "", "an integer" },
	{ RPC("\"method\":\"peering.reset\",\"params\":{\"name\":\"a\",\"soft\":\"inn\"}"),
	  API_INVALID_PARAMS, "1", "soft", "in", "inn" },
	{ RPC("\"method\":\"route.explain\",\"params\":{\"prefix\":\"10.1.2.3/8\"}"),
	  API_INVALID_PARAMS, "1", "prefix", "", "a prefix" },
	{ RPC("\"method\":\"nic.showNextHop\",\"params\":{\"name\":\"a\",\"destinationIp\":\"x\"}"),
	  API_INVALID_PARAMS, "1", "destinationIp", "", "an IP address" },
	{ RPC("\"method\":\"fib.verify\",\"params\":{\"repair\":1}"), API_INVALID_PARAMS, "1",
	  "repair", "", "true or false" },
	{ RPC("\"method\":\"config.test\",\"params\":{\"config\":\"x\"}"), API_INVALID_PARAMS, "1",
	  "config", "", "an object" },
	{ RPC("\"method\":\"system.info\",\"params\":{\"x\":1}"), API_INVALID_PARAMS, "1", "x", "",
	  "unknown parameter" },
};

Test(request, every_refusal)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *want = &refusals[i];

		cr_assert_eq(parse(want->line), -1, "accepted: %s", want->line);
		cr_assert_eq(error.code, want->code, "%s: %d %s", want->line, error.code,
			     error.message);
		cr_assert_str_eq(request.id, want->id, "%s: id %s", want->line, request.id);
		cr_assert_str_eq(error.field, want->field, "%s: field %s", want->line, error.field);
		cr_assert_str_eq(error.did_you_mean, want->near, "%s: %s", want->line,
				 error.did_you_mean);
		cr_assert(strstr(error.message, want->word), "%s: %s", want->line, error.message);
		request_done(&request);
	}
}

Test(request, lines_and_ids_are_bounded)
{
	size_t len = API_LINE_MAX + 1;
	char *line = malloc(len);
	char id[2 * API_ID_MAX], small[4 * API_ID_MAX];

	memset(line, ' ', len);
	memcpy(line, RPC("\"method\":\"nic.list\""), strlen(RPC("\"method\":\"nic.list\"")));
	cr_assert_eq(request_parse(line, len, api_methods, api_n_methods, &request, &error), -1);
	cr_assert_eq(error.code, API_INVALID_REQUEST);
	request_done(&request);
	cr_assert_eq(request_parse(line, len - 1, api_methods, api_n_methods, &request, &error), 0);
	request_done(&request);
	free(line);
	memset(id, 'x', sizeof(id));
	id[sizeof(id) - 1] = 0;
	snprintf(small, sizeof(small),
		 "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"nic.list\"}", id);
	cr_assert_eq(parse(small), -1);
	cr_assert_eq(error.code, API_INVALID_REQUEST);
	request_done(&request);
}

Test(request, an_error_object)
{
	struct json_out out;
	json_t *json;

	api_fail(&error, API_NOT_FOUND, "name", "no peering named '%s'", "fw\n");
	strcpy(error.did_you_mean, "fw-a");
	json_out_init(&out);
	api_write_error(&out, "\"q\"", &error);
	cr_assert_eq(out.data[out.len - 1], '\n');
	json = json_loadb(out.data, out.len, 0, NULL);
	cr_assert(json);
	cr_assert_str_eq(json_string_value(json_object_get(json, "id")), "q");
	json_t *data = json_object_get(json_object_get(json, "error"), "data");
	cr_assert_str_eq(json_string_value(json_object_get(data, "reason")), "NotFound");
	cr_assert_str_eq(json_string_value(json_object_get(data, "field")), "name");
	cr_assert_str_eq(json_string_value(json_object_get(data, "didYouMean")), "fw-a");
	json_decref(json);
	json_out_done(&out);
}

Test(request, the_table_is_whole)
{
	for (size_t i = 0; i < api_n_methods; i++) {
		const struct api_method *method = &api_methods[i];

		cr_assert(method->name && method->handle && method->summary && method->result);
		for (size_t j = 0; j < i; j++)
			cr_assert_str_neq(method->name, api_methods[j].name);
		for (const struct api_param *p = method->params; p && p->name; p++) {
			cr_assert(p->type == API_KEYS ? p->object != NULL : p->doc != NULL, "%s.%s",
				  method->name, p->name);
			cr_assert_eq(p->type == API_WORD || p->type == API_WORD_LIST,
				     p->words != NULL, "%s.%s", method->name, p->name);
			cr_assert(p->type != API_INTEGER || p->min < p->max);
		}
	}
	cr_assert_leq(api_n_methods, API_METHODS_MAX, "struct api_stats has a row for each");
}
