// SPDX-License-Identifier: GPL-2.0-only
/* What the API made, put together with the file: who wins, what is marked, what is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/config_state.h"

static const char file_text[] =
	"{ // a comment\n"
	"  \"node\": { \"routerId\": \"10.1.255.4\" },\n"
	"  \"vnets\": [ { \"name\": \"prod\", \"addressPrefixes\": [\"10.1.0.0/16\"],\n"
	"    \"routeServer\": { \"localAddress\": \"10.1.255.4\", \"hubRoutingPreference\": "
	"\"ASPath\" },\n"
	"    \"peerings\": [ { \"name\": \"a\", \"peerAsn\": 65001, \"peerIp\": \"10.1.2.4\" } ],\n"
	"    \"routeTables\": [ { \"name\": \"dmz\", \"routes\": [\n"
	"      { \"addressPrefix\": \"10.9.0.0/16\", \"nextHopType\": \"None\" } ] } ] } ] }\n";

static const struct config_state_place prod = { .vnet = "prod" }, dmz = { "prod", "dmz" },
				       main_table = { "prod", "main" };
static struct config_error error;

/* Adds the object that @json says; takes over @state. */
static json_t *add(json_t *state, enum config_state_kind kind,
		   const struct config_state_place *place, const char *json)
{
	json_t *object = json_loads(json, 0, NULL);
	json_t *next = config_state_add(state, kind, place, object);

	cr_assert_not_null(object);
	cr_assert_not_null(next);
	cr_assert_null(config_state_problem(next));
	json_decref(object);
	json_decref(state);
	return next;
}

static struct config *parse(json_t *state)
{
	struct config *config = config_parse_both(file_text, strlen(file_text), state, &error);

	cr_assert(config, "%s: %s", error.path, error.message);
	return config;
}

Test(config_state, objects_of_the_api_are_added_and_marked)
{
	json_t *state = config_state_new();
	const struct vnet_config *vnet;
	struct config *config;

	state = add(state, CONFIG_STATE_PEERING, &prod,
		    "{\"name\":\"b\",\"peerAsn\":65002,\"peerIp\":\"10.1.2.5\"}");
	state = add(state, CONFIG_STATE_ROUTE, &dmz,
		    "{\"addressPrefix\":\"10.8.0.0/16\",\"nextHopType\":\"None\"}");
	state = add(state, CONFIG_STATE_ROUTE, &main_table,
		    "{\"addressPrefix\":\"10.7.0.0/16\",\"nextHopType\":\"None\"}");
	state = add(state, CONFIG_STATE_TABLE, &prod, "{\"name\":\"lab\"}");
	state = add(state, CONFIG_STATE_VNET, &prod,
		    "{\"name\":\"spoke\",\"addressPrefixes\":[\"10.2.0.0/16\"]}");
	config = parse(state);
	cr_assert_eq(config->n_vnets, 2);
	cr_assert_eq(config->n_warnings, 0);
	vnet = config_find_vnet(config, "prod");
	cr_assert_not(vnet->from_api);
	cr_assert_eq(vnet->n_peerings, 2);
	cr_assert_not(vnet_find_peering(vnet, "a")->from_api);
	cr_assert(vnet_find_peering(vnet, "b")->from_api);
	cr_assert_not(vnet_find_table(vnet, "dmz")->from_api);
	cr_assert_not(vnet_find_table(vnet, "dmz")->routes[0].from_api);
	cr_assert(vnet_find_table(vnet, "dmz")->routes[1].from_api);
	cr_assert(vnet_find_table(vnet, "lab")->from_api);
	cr_assert(vnet_find_table(vnet, "main")->from_api);
	cr_assert(vnet_find_table(vnet, "main")->routes[0].from_api);
	cr_assert(config_find_vnet(config, "spoke")->from_api);
	cr_assert(vnet_find_table(config_find_vnet(config, "spoke"), "main")->implied);
	config_free(config);
	json_decref(state);
}

Test(config_state, the_file_wins_and_says_so)
{
	json_t *state = config_state_new();
	struct config *config;

	state = add(state, CONFIG_STATE_PEERING, &prod,
		    "{\"name\":\"a\",\"peerAsn\":65009,\"peerIp\":\"10.1.2.9\"}");
	state = add(state, CONFIG_STATE_ROUTE, &dmz,
		    "{\"addressPrefix\":\"10.9.0.0/16\",\"nextHopType\":\"Internet\"}");
	state = add(state, CONFIG_STATE_TABLE, &prod, "{\"name\":\"dmz\"}");
	state = add(state, CONFIG_STATE_VNET, &prod,
		    "{\"name\":\"prod\",\"addressPrefixes\":[\"10.2.0.0/16\"]}");
	state = add(state, CONFIG_STATE_PEERING, &(struct config_state_place){ .vnet = "gone" },
		    "{\"name\":\"x\",\"peerAsn\":65009,\"peerIp\":\"10.1.2.9\"}");
	config = parse(state);
	cr_assert_eq(config->n_vnets, 1);
	cr_assert_eq(config->vnets[0].n_peerings, 1);
	cr_assert_eq(config->vnets[0].peerings[0].peer_asn, 65001);
	cr_assert_eq(vnet_find_table(&config->vnets[0], "dmz")->n_routes, 1);
	cr_assert_eq(config->n_warnings, 5, "each that is not used is named");
	config_free(config);
	json_decref(state);
}

Test(config_state, settings_of_a_route_server)
{
	json_t *values = json_pack("{s:b,s:s}", "allowBranchToBranchTraffic", 1,
				   "hubRoutingPreference", "VpnGateway");
	json_t *state = config_state_new();
	json_t *next = config_state_set_server(state, &prod, values);
	struct config *config = parse(next);
	json_t *file = config_file_json(config);

	cr_assert(config->vnets[0].route_server.branch_to_branch);
	cr_assert_eq(config->vnets[0].route_server.hub_preference, HUB_AS_PATH, "the file's");
	cr_assert_eq(config->n_warnings, 1);
	cr_assert(config_state_file_sets_server(file, "prod", "hubRoutingPreference"));
	cr_assert_not(config_state_file_sets_server(file, "prod", "allowBranchToBranchTraffic"));
	config_free(config);
	json_decref(file);
	json_decref(next);
	json_decref(state);
	json_decref(values);
}

Test(config_state, what_is_removed_leaves_no_shell)
{
	json_t *state = add(config_state_new(), CONFIG_STATE_ROUTE, &main_table,
			    "{\"addressPrefix\":\"FD00:0::/32\",\"nextHopType\":\"None\"}");
	json_t *next = config_state_remove(state, CONFIG_STATE_ROUTE, &main_table, "fd00::/32");

	cr_assert_not(config_state_is_empty(state), "the old one is as it was");
	cr_assert(config_state_is_empty(next), "a prefix is what it means, however it is written");
	json_decref(state);
	json_decref(next);
}

Test(config_state, an_error_of_both_together_has_no_line)
{
	json_t *state = add(config_state_new(), CONFIG_STATE_PEERING, &prod,
			    "{\"name\":\"b\",\"peerAsn\":0,\"peerIp\":\"10.1.2.5\"}");
	char text[1024];

	cr_assert_null(config_parse_both(file_text, strlen(file_text), state, &error));
	cr_assert_eq(error.line, 0);
	cr_assert(error.merged);
	cr_assert_str_eq(error.path, "vnets[0].peerings[1].peerAsn");
	cr_assert(strstr(config_error_format(&error, "x.json", text, sizeof(text)), "API"));
	json_decref(state);
}

Test(config_state, damaged_state_is_named)
{
	static const char *const bad[] = {
		"{}",
		"{\"version\":2,\"vnets\":[]}",
		"{\"version\":1,\"vnets\":{}}",
		"{\"version\":1,\"vnets\":[{}]}",
		"{\"version\":1,\"vnets\":[{\"name\":\"x\",\"peerings\":7}]}",
		"{\"version\":1,\"vnets\":[{\"name\":\"x\",\"routeServer\":[]}]}",
		"{\"version\":1,\"vnets\":[{\"name\":\"x\",\"routeTables\":[{\"name\":\"t\","
		"\"routes\":[1]}]}]}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *state = json_loads(bad[i], 0, NULL);

		cr_assert_not_null(config_state_problem(state), "%s", bad[i]);
		json_decref(state);
	}
}

Test(config_state, the_file_may_name_what_the_api_made)
{
	static const char text[] =
		"{ \"vnets\": [ { \"name\": \"prod\", \"addressPrefixes\": [\"10.1.0.0/16\"] } ],\n"
		"  \"nics\": [ { \"match\": { \"name\": \"tap*\" }, \"vnet\": \"prod\", "
		"\"routeTable\": \"lab\" } ] }";
	json_t *state = add(config_state_new(), CONFIG_STATE_TABLE, &prod, "{\"name\":\"lab\"}");
	json_t *without = config_state_remove(state, CONFIG_STATE_TABLE, &prod, "lab");
	struct config *config = config_parse_both(text, strlen(text), state, &error);

	cr_assert(config, "%s: %s", error.path, error.message);
	config_free(config);
	cr_assert_null(config_parse_both(text, strlen(text), without, &error));
	cr_assert_str_eq(error.path, "nics[0].routeTable");
	cr_assert_eq(error.line, 2, "the file's own error has its place");
	json_decref(state);
	json_decref(without);
}
