// SPDX-License-Identifier: GPL-2.0-only
/*
 * Learned and advertised routes in the JSON that `az network routeserver peering list-learned-routes` and
 * list-advertised-routes print, so that scripts keep working: one array for each of Azure's two instances,
 * RouteServiceRole_IN_0 and _IN_1. There is one instance here, so both say the same. Pure; main.c prints it.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

#define PATH_TEXT      4096
#define WEIGHT_LEARNED 32768 /* Azure's, where no route map has set one */

/* Azure writes "65001-65002". A set's numbers follow each other in the same way. */
static void join_path(const json_t *path, char *text, size_t cap, size_t *at)
{
	const json_t *hop;
	size_t i;

	json_array_foreach(path, i, hop) {
		if (json_is_array(hop))
			join_path(hop, text, cap, at);
		else if (*at < cap)
			*at += (size_t)snprintf(text + *at, cap - *at, "%s%lld", *at ? "-" : "",
						(long long)json_integer_value(hop));
	}
}

static json_t *copy(const json_t *route, const char *key)
{
	json_t *value = json_object_get(route, key);

	return json_is_string(value) ? json_incref(value) : json_string("");
}

/* What we originate has no source: "Igp", as Azure calls it. */
static bool is_network(const json_t *route)
{
	const char *source = json_string_value(json_object_get(route, "source"));

	return source && strcmp(source, "Network") == 0;
}

/* @peer_ip NULL: an advertised route, which Azure prints without a source and with weight 0. */
static json_t *azure_route(const json_t *route, const char *peer_ip)
{
	json_int_t weight = json_integer_value(json_object_get(route, "weight"));
	char path[PATH_TEXT] = "";
	size_t at = 0;
	json_t *out = json_object();

	join_path(json_object_get(route, "asPath"), path, sizeof(path), &at);
	json_object_set_new(out, "asPath", json_string(path));
	json_object_set_new(out, "localAddress", copy(route, "localAddress"));
	json_object_set_new(out, "network", copy(route, "network"));
	json_object_set_new(out, "nextHop", copy(route, "nextHop"));
	json_object_set_new(out, "origin",
			    is_network(route) ? json_string("Igp") : copy(route, "source"));
	if (peer_ip) {
		json_object_set_new(out, "sourcePeer", json_string(peer_ip));
		weight = weight ? weight : WEIGHT_LEARNED;
	} else {
		weight = 0;
	}
	json_object_set_new(out, "weight", json_integer(weight));
	return out;
}

json_t *ctl_azure_routes(const json_t *result, const char *peer_ip)
{
	json_t *routes = json_array(), *document = json_object();
	const json_t *route;
	size_t i;

	json_array_foreach(json_object_get(result, "value"), i, route) {
		/* Azure does not list what it refused. */
		if (!json_is_false(json_object_get(route, "valid")))
			json_array_append_new(routes, azure_route(route, peer_ip));
	}
	json_object_set(document, "RouteServiceRole_IN_0", routes);
	json_object_set_new(document, "RouteServiceRole_IN_1", routes);
	return document;
}
