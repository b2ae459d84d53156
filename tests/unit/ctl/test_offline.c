// SPDX-License-Identifier: GPL-2.0-only
/* Commands that need no daemon: a route through a map, and two hosts' answers compared. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

static char path[] = "/tmp/xrs-map-XXXXXX", text[CTL_TEXT];

static const char config[] =
	"{ \"vnets\": [ { \"name\": \"prod\", \"addressPrefixes\": [\"10.1.0.0/16\"],\n"
	"  \"routeMaps\": [ { \"name\": \"in\", \"rules\": [ // a comment\n"
	"    { \"name\": \"no-default\", \"match\": { \"prefix\": [\"0.0.0.0/0\"] }, \"action\": "
	"\"drop\" },\n"
	"    { \"name\": \"second\", \"match\": { \"community\": { \"contains\": [\"65001:666\"] } "
	"},\n"
	"      \"modify\": { \"asPath\": { \"prepend\": [65001, 65001] }, \"med\": 7, \"weight\": "
	"3 } },\n"
	"    { \"name\": \"end\", \"match\": { \"asPath\": { \"contains\": [65009] } }, \"next\": "
	"\"terminate\" },\n"
	"    { \"name\": \"never\", \"modify\": { \"localPref\": 1 } } ] } ] } ] }\n";

static void make_file(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, config, strlen(config)), (ssize_t)strlen(config));
	close(fd);
}

static void remove_file(void)
{
	unlink(path);
}

/* @json: the parameters without the file. */
static json_t *test(const char *json, bool *ret_not_found)
{
	json_t *params = json_loads(json, 0, NULL), *result;

	cr_assert_not_null(params);
	json_object_set_new(params, "config", json_string(path));
	result = ctl_route_map_test(params, text, ret_not_found);
	json_decref(params);
	return result;
}

static const char *verdict(const json_t *result, size_t rule)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(result, "rules"), rule), "verdict"));
}

TestSuite(offline, .init = make_file, .fini = remove_file);

Test(offline, each_rule_has_a_verdict_and_the_route_is_as_it_would_be)
{
	bool not_found;
	json_t *result =
		test("{\"map\":\"in\",\"prefix\":\"10.9.0.0/16\",\"asPath\":\"65001 65009\","
		     "\"communities\":[\"65001:666\"],\"nextHop\":\"10.1.2.4\"}",
		     &not_found);
	json_t *route, *changes;

	cr_assert(result, "%s", text);
	cr_assert(json_is_true(json_object_get(result, "permit")));
	cr_assert_str_eq(verdict(result, 0), "no match");
	cr_assert_str_eq(verdict(result, 1), "match");
	cr_assert_str_eq(verdict(result, 2), "match");
	cr_assert_str_eq(verdict(result, 3), "not reached", "the rule before it ends the map");
	route = json_object_get(result, "route");
	cr_assert_eq(json_array_size(json_object_get(route, "asPath")), 4);
	cr_assert_eq(json_integer_value(json_object_get(route, "med")), 7);
	cr_assert_eq(json_integer_value(json_object_get(route, "weight")), 3);
	cr_assert(json_is_null(json_object_get(route, "localPref")));
	changes = json_object_get(json_array_get(json_object_get(result, "rules"), 1), "changes");
	cr_assert_eq(json_object_size(changes), 3, "what this rule changed");
	changes = json_object_get(json_array_get(json_object_get(result, "rules"), 2), "changes");
	cr_assert_eq(json_object_size(changes), 0);
	json_decref(result);
}

Test(offline, a_rule_that_drops_ends_it)
{
	bool not_found;
	json_t *result = test("{\"map\":\"in\",\"prefix\":\"0.0.0.0/0\"}", &not_found);

	cr_assert(json_is_false(json_object_get(result, "permit")));
	cr_assert_str_eq(verdict(result, 0), "match");
	cr_assert_str_eq(verdict(result, 1), "not reached");
	json_decref(result);
}

Test(offline, a_route_as_answers_have_it)
{
	bool not_found;
	json_t *result =
		test("{\"map\":\"in\",\"route\":{\"network\":\"10.9.0.0/16\",\"asPath\":[65001],"
		     "\"med\":null,\"origin\":\"egp\",\"communities\":[\"65001:666\"],"
		     "\"largeCommunities\":[\"1:2:3\"],\"nextHop\":\"10.1.2.4\"}}",
		     &not_found);
	json_t *route = json_object_get(result, "route");

	cr_assert(result, "%s", text);
	cr_assert_str_eq(json_string_value(json_object_get(route, "origin")), "egp");
	cr_assert_eq(json_array_size(json_object_get(route, "largeCommunities")), 1);
	cr_assert_str_eq(verdict(result, 3), "match", "nothing ended the map");
	json_decref(result);
}

Test(offline, what_is_wrong_is_said)
{
	static const struct {
		const char *params, *says;
		bool not_found;
	} rows[] = {
		{ "{\"prefix\":\"10.0.0.0/8\"}", "which route map", false },
		{ "{\"map\":\"in\"}", "--prefix", false },
		{ "{\"map\":\"inn\",\"prefix\":\"10.0.0.0/8\"}", "did you mean 'in'", true },
		{ "{\"map\":\"in\",\"prefix\":\"10.0.0.1/8\"}", "host bits", false },
		{ "{\"map\":\"in\",\"prefix\":\"10.0.0.0/8\",\"asPath\":\"x\"}", "AS number",
		  false },
		{ "{\"map\":\"in\",\"prefix\":\"10.0.0.0/8\",\"communities\":[\"x\"]}", "community",
		  false },
		{ "{\"map\":\"in\",\"prefix\":\"10.0.0.0/8\",\"origin\":\"x\"}", "igp", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool not_found = !rows[i].not_found;

		cr_assert_null(test(rows[i].params, &not_found), "%s", rows[i].params);
		cr_assert(strstr(text, rows[i].says), "%s: %s", rows[i].params, text);
		cr_assert_eq(not_found, rows[i].not_found, "%s", rows[i].params);
	}
}

/* --- compare --------------------------------------------------------------------------------------- */

#define PATH(prefix, hop, best, multi)                                                         \
	"{\"prefix\":\"" prefix "\",\"nextHop\":\"" hop "\",\"asPath\":[65001],\"best\":" best \
	",\"multipath\":" multi "}"

static json_t *compare(const char *a, const char *b)
{
	json_t *x = json_loads(a, 0, NULL), *y = json_loads(b, 0, NULL);
	json_t *result = ctl_compare(x, y, text);

	json_decref(x);
	json_decref(y);
	return result;
}

Test(offline, the_same_in_another_order_is_the_same)
{
	json_t *result =
		compare("{\"value\":[" PATH("10.0.0.0/8", "1.1.1.1", "true", "true") "," PATH(
				"10.0.0.0/8", "2.2.2.2", "false", "true") "]}",
			"{\"value\":[" PATH("10.0.0.0/8", "2.2.2.2", "true", "true") "," PATH(
				"10.0.0.0/8", "1.1.1.1", "false",
				"true") "," PATH("10.0.0.0/8", "3.3.3.3", "false", "false") "]}");

	cr_assert(result, "%s", text);
	cr_assert_eq(json_array_size(json_object_get(result, "value")), 0);
	cr_assert_eq(json_integer_value(json_object_get(result, "same")), 1);
	json_decref(result);
}

Test(offline, what_differs_is_named)
{
	json_t *result =
		compare("{\"value\":[" PATH("10.0.0.0/8", "1.1.1.1", "true", "true") "," PATH(
				"10.1.0.0/16", "1.1.1.1", "true",
				"true") "," PATH("10.2.0.0/16", "1.1.1.1", "true", "true") "]}",
			"{\"value\":[" PATH("10.0.0.0/8", "1.1.1.1", "true", "true") "," PATH(
				"10.1.0.0/16", "2.2.2.2", "true",
				"true") "," PATH("10.3.0.0/16", "1.1.1.1", "true", "true") "]}");
	const json_t *rows = json_object_get(result, "value");
	static const char *const want[] = { "10.1.0.0/16 leads elsewhere",
					    "10.2.0.0/16 only in the first",
					    "10.3.0.0/16 only in the second" };

	cr_assert_eq(json_array_size(rows), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *row = json_array_get(rows, i);
		char line[128];

		snprintf(line, sizeof(line), "%s %s",
			 json_string_value(json_object_get(row, "prefix")),
			 json_string_value(json_object_get(row, "difference")));
		cr_assert_str_eq(line, want[i]);
	}
	json_decref(result);
	cr_assert_null(compare("{}", "{\"value\":[]}"));
	cr_assert(strstr(text, "first"));
}
