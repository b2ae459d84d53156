// SPDX-License-Identifier: GPL-2.0-only
/*
 * `xrsctl route-map test`: a route through a map of a configuration file, offline. Parses the file with
 * the daemon's own schema and runs the daemon's own route_map_apply(), so that what is shown is what would
 * happen. Called by main.c; reads one file, speaks to nobody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "bgp/aspath.h"
#include "bgp/attr_json.h"
#include "bgp/community.h"
#include "ctl/ctl.h"
#include "util/closest.h"

#define BLOB_MAX 4096

struct given_route {
	struct ip_prefix prefix;
	struct bgp_attrs attrs;
	uint8_t as_path[BLOB_MAX], communities[BLOB_MAX], large[BLOB_MAX]; /* blobs point here */
};

static int fail(char text[static CTL_TEXT], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int fail(char text[static CTL_TEXT], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, CTL_TEXT, format, args);
	va_end(args);
	return -1;
}

/* --- the route ------------------------------------------------------------------------------------- */

/* A flag, else the member of --route; "network" and "prefix" are one. */
static const json_t *value_of(const json_t *params, const char *key)
{
	const json_t *value = json_object_get(params, key);

	return value ? value : json_object_get(json_object_get(params, "route"), key);
}

/* An array of numbers, as answers have it, or text as on the command line: "65001 65002". */
static int fill_as_path(const json_t *value, struct given_route *route, char *text)
{
	uint32_t asns[BLOB_MAX / 8];
	const char *words = json_string_value(value);
	const json_t *item;
	size_t n = 0, i;
	int len;

	json_array_foreach(value, i, item) {
		if (!json_is_integer(item) || n == sizeof(asns) / sizeof(asns[0]))
			return fail(text, "asPath must be a list of AS numbers");
		asns[n++] = (uint32_t)json_integer_value(item);
	}
	while (words && *words) {
		char *end;
		unsigned long asn = strtoul(words, &end, 10);

		if (end == words || asn > UINT32_MAX || n == sizeof(asns) / sizeof(asns[0]))
			return fail(text, "'%s' is not an AS number", words);
		asns[n++] = (uint32_t)asn;
		words = end + strspn(end, " ,");
	}
	len = aspath_from_asns(asns, n, route->as_path, sizeof(route->as_path));
	if (len < 0)
		return fail(text, "the AS_PATH is too long");
	route->attrs.as_path = (struct bgp_blob){ route->as_path, (uint16_t)len };
	return 0;
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int fill_communities(const json_t *list, struct given_route *route, char *text)
{
	const json_t *item;
	uint32_t value;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *word = json_string_value(item);

		if (4 * (i + 1) > BLOB_MAX || !word || community_parse(word, &value) < 0)
			return fail(text, "'%s' is not a community", word ? word : "");
		put32(route->communities + 4 * i, value);
	}
	route->attrs.communities =
		(struct bgp_blob){ route->communities, (uint16_t)(4 * json_array_size(list)) };
	return 0;
}

static int fill_large(const json_t *list, struct given_route *route, char *text)
{
	struct bgp_large_community value;
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *word = json_string_value(item);

		if (12 * (i + 1) > BLOB_MAX || !word || large_community_parse(word, &value) < 0)
			return fail(text, "'%s' is not a large community", word ? word : "");
		put32(route->large + 12 * i, value.global);
		put32(route->large + 12 * i + 4, value.local1);
		put32(route->large + 12 * i + 8, value.local2);
	}
	route->attrs.large_communities =
		(struct bgp_blob){ route->large, (uint16_t)(12 * json_array_size(list)) };
	return 0;
}

static int fill_origin(const char *word, struct given_route *route, char *text)
{
	for (uint8_t origin = 0; word && origin < 3; origin++) {
		if (strcmp(word, bgp_origin_name(origin)) == 0) {
			route->attrs.origin = origin;
			return 0;
		}
	}
	return word ? fail(text, "'%s' is none of igp, egp, incomplete", word) : 0;
}

static void fill_number(const json_t *value, uint32_t has, struct bgp_attrs *attrs,
			uint32_t *number)
{
	if (!json_is_integer(value))
		return;
	attrs->has |= has;
	*number = (uint32_t)json_integer_value(value);
}

static int fill_route(const json_t *params, struct given_route *route, char *text)
{
	const char *prefix = json_string_value(value_of(params, "prefix"));
	const char *hop = json_string_value(value_of(params, "nextHop"));

	if (!prefix)
		prefix = json_string_value(value_of(params, "network"));
	if (!prefix)
		return fail(text, "which route? Give at least --prefix");
	if (prefix_parse(prefix, &route->prefix) < 0)
		return fail(text, "'%s' is not a prefix such as 10.1.0.0/16 without host bits",
			    prefix);
	if (hop && ip_parse(hop, &route->attrs.next_hop) < 0)
		return fail(text, "'%s' is not an IP address", hop);
	route->attrs.has = hop ? BGP_HAS_NEXT_HOP : 0;
	fill_number(value_of(params, "med"), BGP_HAS_MED, &route->attrs, &route->attrs.med);
	fill_number(value_of(params, "localPref"), BGP_HAS_LOCAL_PREF, &route->attrs,
		    &route->attrs.local_pref);
	if (fill_origin(json_string_value(value_of(params, "origin")), route, text) < 0 ||
	    fill_as_path(value_of(params, "asPath"), route, text) < 0 ||
	    fill_communities(value_of(params, "communities"), route, text) < 0)
		return -1;
	return fill_large(value_of(params, "largeCommunities"), route, text);
}

/* --- the map ----------------------------------------------------------------------------------------- */

static const struct route_map *find_map(const struct config *config, const char *vnet,
					const char *name, char *text)
{
	const struct route_map *found = NULL;
	struct closest closest;
	const char *near;

	closest_init(&closest, name);
	for (size_t v = 0; v < config->n_vnets; v++) {
		const struct vnet_config *candidate = &config->vnets[v];
		const struct route_map *map = vnet_find_route_map(candidate, name);

		if (vnet && strcmp(vnet, candidate->name) != 0)
			continue;
		for (size_t i = 0; i < candidate->n_route_maps; i++)
			closest_offer(&closest, candidate->route_maps[i].name);
		if (map && found) {
			fail(text, "several vnets have a route map '%s': say which by --vnet",
			     name);
			return NULL;
		}
		found = map ? map : found;
	}
	near = closest_best(&closest);
	if (!found)
		fail(text, "no route map is named '%s'%s%s%s", name, near ? "; did you mean '" : "",
		     near ? near : "", near ? "'?" : "");
	return found;
}

/* The route as the first @n rules leave it. */
static json_t *after_rules(const struct route_map *map, size_t n, const struct given_route *route,
			   struct policy_result *result)
{
	struct route_map part = *map;
	struct json_out out;
	json_t *json;

	part.n_rules = n;
	route_map_apply(&part, &route->prefix, &route->attrs, result, NULL);
	json_out_init(&out);
	json_out_begin_object(&out, NULL);
	bgp_write_attrs(&out, &result->attrs);
	json_out_uint(&out, "weight", result->weight);
	json_out_end_object(&out);
	json = json_loadb(out.data, out.len, 0, NULL);
	json_out_done(&out);
	return json;
}

/* Members that the rule gave another value. */
static json_t *changes_of(const json_t *before, const json_t *after)
{
	json_t *changes = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)after, key, value) {
		if (!json_equal(json_object_get(before, key), value))
			json_object_set(changes, key, value);
	}
	return changes;
}

static json_t *verdict_of(const struct policy_rule *rule, size_t index, uint8_t verdict,
			  const json_t *before, const json_t *after)
{
	static const char *const words[] = { "not reached", "no match", "match" };
	const char *effect = verdict < 2 ? "" : rule->drop ? "drop" : "modify";

	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:o}", "rule", (int)index, "name", rule->name,
			 "verdict", words[verdict], "action", effect, "next",
			 verdict < 2                     ? ""
			 : rule->drop || rule->terminate ? "terminate"
							 : "continue",
			 "changes", changes_of(before, after));
}

static json_t *run(const struct route_map *map, const struct given_route *route)
{
	static struct policy_result result;
	uint8_t *verdicts = calloc(map->n_rules + 1, 1);
	json_t *rules = json_array(), *before, *after;

	route_map_apply(map, &route->prefix, &route->attrs, &result, verdicts);
	before = after_rules(map, 0, route, &result);
	for (size_t i = 0; i < map->n_rules; i++) {
		after = after_rules(map, i + 1, route, &result);
		json_array_append_new(rules,
				      verdict_of(&map->rules[i], i, verdicts[i], before, after));
		json_decref(before);
		before = after;
	}
	free(verdicts);
	/* The last run was with all rules. */
	return json_pack("{s:s,s:o,s:b,s:o}", "map", map->name, "rules", rules, "permit",
			 result.permit, "route", before);
}

json_t *ctl_route_map_test(const json_t *params, char text[static CTL_TEXT], bool *ret_not_found)
{
	const char *path = json_string_value(json_object_get(params, "config"));
	const char *name = json_string_value(json_object_get(params, "map"));
	static struct given_route route;
	struct config_error error = { .line = 0 };
	const struct route_map *map;
	struct config *config;
	json_t *result = NULL;

	*ret_not_found = false;
	if (!name) {
		fail(text, "which route map? usage: xrsctl route-map test MAP --prefix P");
		return NULL;
	}
	if (fill_route(params, &route, text) < 0)
		return NULL;
	path = path ? path : "/etc/xrs/xrs.json";
	config = config_load(path, &error);
	if (!config) {
		config_error_format(&error, path, text, CTL_TEXT);
		return NULL;
	}
	map = find_map(config, json_string_value(json_object_get(params, "vnet")), name, text);
	*ret_not_found = !map;
	if (map)
		result = run(map, &route);
	config_free(config);
	return result;
}
