// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers that create, delete and update objects. Each makes a new set of what the API made and hands it
 * to node_change_state(), which checks it together with the file, saves it, and only then applies it. What
 * the file holds is never changed here: ManagedByFile.
 */
#include <errno.h>
#include <string.h>

#include "agent/config_schema.h"
#include "agent/config_state.h"
#include "api/api_impl.h"

const char *managed_by(bool from_api)
{
	return from_api ? "api" : "file";
}

/* --- what they share --------------------------------------------------------------------------- */

static int out_of_memory(struct api_call *call)
{
	return api_fail(call->error, API_INTERNAL, NULL, "out of memory");
}

static int already_exists(struct api_call *call, const char *field, const char *kind,
			  const char *name)
{
	return api_fail(call->error, API_ALREADY_EXISTS, field, "there is a %s '%s' already", kind,
			name);
}

static int managed_by_file(struct api_call *call, const char *kind, const char *name)
{
	return api_fail(call->error, API_MANAGED_BY_FILE, NULL,
			"%s '%s' comes from %s: change it there and run 'xrsctl config reload'",
			kind, name, call->node->config_path);
}

/* What the API made so far; a new reference. */
static json_t *present_state(const struct node *node)
{
	return node->config->state ? json_incref(node->config->state) : config_state_new();
}

/* Those parameters that are keys of the method's object. NULL: out of memory. */
static json_t *object_of(const struct api_call *call)
{
	json_t *object = json_object();

	for (const struct config_field *field = api_method_object(call->request->method)->fields;
	     field->key; field++) {
		json_t *value = (json_t *)request_value(call->request, field->key);

		if (value && json_object_set(object, field->key, value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* Puts @next in force; takes its reference. @code: how a refusal by the configuration is called. */
static int put_in_force(struct api_call *call, json_t *next, int code)
{
	struct config_error error = { .line = 0 };
	int r;

	if (!next)
		return out_of_memory(call);
	r = node_change_state(call->node, next, call->request->method->name, &error);
	json_decref(next);
	if (r == 0)
		return 0;
	if (r != -EINVAL && r != -EBUSY)
		return api_fail(call->error, API_INTERNAL, NULL, "%s", error.message);
	return call_config_failed(call, r, code, &error, NULL);
}

static int create_object(struct api_call *call, enum config_state_kind kind,
			 const struct config_state_place *place)
{
	json_t *state = present_state(call->node), *object = object_of(call), *next = NULL;

	if (state && object)
		next = config_state_add(state, kind, place, object);
	json_decref(object);
	json_decref(state);
	return put_in_force(call, next, API_INVALID_PARAMS);
}

static int delete_object(struct api_call *call, enum config_state_kind kind,
			 const struct config_state_place *place, const char *name)
{
	json_t *state = present_state(call->node);
	json_t *next = state ? config_state_remove(state, kind, place, name) : NULL;

	json_decref(state);
	return put_in_force(call, next, API_CONFLICT);
}

/* The parameters of @params without those that name the object. NULL: out of memory. */
static json_t *values_of(const struct api_call *call)
{
	const json_t *params = call->request->params;
	json_t *values = params ? json_copy((json_t *)params) : json_object();

	if (values) {
		json_object_del(values, "vnet");
		json_object_del(values, "name");
	}
	return values;
}

static int nothing_given(struct api_call *call, json_t *values)
{
	bool none = json_object_size(values) == 0;

	if (!none)
		return 0;
	json_decref(values);
	return api_fail(call->error, API_INVALID_PARAMS, NULL,
			"nothing is given that would change");
}

/* --- route servers --------------------------------------------------------------------------------- */

int method_routeserver_update(struct api_call *call)
{
	struct node_vnet *vnet = call_vnet(call);
	struct config_state_place place;
	json_t *values, *state, *file, *next = NULL, *value;
	const char *key;

	if (!vnet)
		return -1;
	if (!vnet->config->route_server.present)
		return api_fail(call->error, API_NOT_FOUND, "vnet",
				"the vnet '%s' has no route server", vnet->config->name);
	place = (struct config_state_place){ .vnet = vnet->config->name };
	values = values_of(call);
	if (nothing_given(call, values) < 0)
		return -1;
	state = present_state(call->node);
	file = config_file_json(call->node->config);
	json_object_foreach(values, key, value) {
		if (!config_state_file_sets_server(file, place.vnet, key))
			continue;
		managed_by_file(call, "the setting", key);
		snprintf(call->error->field, sizeof(call->error->field), "%s", key);
	}
	if (values && state && file)
		next = config_state_set_server(state, &place, values);
	json_decref(values);
	json_decref(state);
	json_decref(file);
	if (call->error->code) {
		json_decref(next);
		return -1;
	}
	if (put_in_force(call, next, API_INVALID_PARAMS) < 0)
		return -1;
	write_route_server(call->out, vnet);
	return 0;
}

/* --- vnets -------------------------------------------------------------------------------------------- */

int method_vnet_create(struct api_call *call)
{
	const char *name = request_text(call->request, "name");
	const struct config_state_place place = { .vnet = NULL };
	const struct node_vnet *vnet;

	if (name && node_find_vnet(call->node, name))
		return already_exists(call, "name", "vnet", name);
	if (create_object(call, CONFIG_STATE_VNET, &place) < 0)
		return -1;
	vnet = node_find_vnet(call->node, name);
	if (!vnet)
		return api_fail(call->error, API_INTERNAL, NULL, "it did not start: see the log");
	write_vnet(call->out, vnet);
	return 0;
}

int method_vnet_delete(struct api_call *call)
{
	const struct node_vnet *vnet = call_vnet(call);
	const struct config_state_place place = { .vnet = NULL };

	if (!vnet)
		return -1;
	if (!vnet->config->from_api)
		return managed_by_file(call, "vnet", vnet->config->name);
	if (vnet->n_peerings)
		return api_fail(call->error, API_CONFLICT, "name",
				"the vnet '%s' has %zu peerings: delete them first",
				vnet->config->name, vnet->n_peerings);
	return delete_object(call, CONFIG_STATE_VNET, &place, vnet->config->name);
}

/* --- peerings ----------------------------------------------------------------------------------------- */

int method_peering_create(struct api_call *call)
{
	const char *name = request_text(call->request, "name");
	struct node_vnet *vnet = call_vnet(call);
	const struct node_peering *peering;
	const struct node_range *range;
	bool ambiguous;

	if (!vnet)
		return -1;
	if (name && vnet_find_peering(vnet->config, name))
		return already_exists(call, "name", "peering", name);
	if (vnet->n_peerings >= RIB_PEERS_MAX)
		return api_fail(call->error, API_LIMIT_EXCEEDED, NULL,
				"a vnet has at most %u peerings", RIB_PEERS_MAX);
	if (create_object(call, CONFIG_STATE_PEERING,
			  &(struct config_state_place){ .vnet = vnet->config->name }) < 0)
		return -1;
	range = node_find_range(call->node, vnet->config->name, name, &ambiguous);
	if (range) {
		write_range(call->out, range);
		return 0;
	}
	peering = node_find_peering(call->node, vnet->config->name, name, &ambiguous);
	if (!peering)
		return api_fail(call->error, API_INTERNAL, NULL, "it did not start: see the log");
	write_peering(call->out, peering);
	return 0;
}

int method_peering_delete(struct api_call *call)
{
	const struct node_range *range = call_range(call);
	const struct node_peering *peering = range ? NULL : call_peering(call);
	const struct node_vnet *vnet = range ? range->vnet : peering ? peering->vnet : NULL;
	const struct peering_config *config;

	if (!vnet)
		return -1;
	if (peering && peering->range)
		return api_fail(call->error, API_CONFLICT, "name",
				"the range '%s' made it: disable it, or delete the range",
				peering->range->config->name);
	config = range ? range->config : peering->config;
	if (!config->from_api)
		return managed_by_file(call, "peering", config->name);
	return delete_object(call, CONFIG_STATE_PEERING,
			     &(struct config_state_place){ .vnet = vnet->config->name },
			     config->name);
}

/* --- route tables -------------------------------------------------------------------------------------- */

static int show_table(struct api_call *call, const struct node_vnet *vnet, const char *name)
{
	const struct node_table *table = node_find_table(vnet, name);

	if (!table)
		return api_fail(call->error, API_INTERNAL, NULL, "it did not start: see the log");
	write_route_table(call->out, table, true);
	return 0;
}

int method_route_table_create(struct api_call *call)
{
	const char *name = request_text(call->request, "name");
	const struct node_vnet *vnet = call_vnet(call);
	const struct route_table_config *table;

	if (!vnet)
		return -1;
	table = name ? vnet_find_table(vnet->config, name) : NULL;
	if (table && !table->implied)
		return already_exists(call, "name", "route table", name);
	if (create_object(call, CONFIG_STATE_TABLE,
			  &(struct config_state_place){ .vnet = vnet->config->name }) < 0)
		return -1;
	return show_table(call, vnet, name);
}

int method_route_table_update(struct api_call *call)
{
	struct node_vnet *vnet = call_vnet(call);
	const struct node_table *table = vnet ? call_table(call, vnet, "name") : NULL;
	struct config_state_place place;
	json_t *values, *state, *next = NULL;

	if (!table)
		return -1;
	if (!table->config->from_api && !table->config->implied)
		return managed_by_file(call, "route table", table->config->name);
	place = (struct config_state_place){ vnet->config->name, table->config->name };
	values = values_of(call);
	if (nothing_given(call, values) < 0)
		return -1;
	state = present_state(call->node);
	if (values && state)
		next = config_state_set_table(state, &place, values);
	json_decref(values);
	json_decref(state);
	if (put_in_force(call, next, API_INVALID_PARAMS) < 0)
		return -1;
	return show_table(call, vnet, request_text(call->request, "name"));
}

int method_route_table_delete(struct api_call *call)
{
	struct node_vnet *vnet = call_vnet(call);
	const struct node_table *table = vnet ? call_table(call, vnet, "name") : NULL;

	if (!table)
		return -1;
	if (table->config->implied)
		return api_fail(call->error, API_CONFLICT, "name",
				"the route table 'main' always exists");
	if (!table->config->from_api)
		return managed_by_file(call, "route table", table->config->name);
	return delete_object(call, CONFIG_STATE_TABLE,
			     &(struct config_state_place){ .vnet = vnet->config->name },
			     table->config->name);
}

/* --- user routes ------------------------------------------------------------------------------------------ */

static const struct user_route *find_route(const struct node_table *table, const char *text)
{
	const struct route_table_config *config = table->config;
	struct ip_prefix prefix;

	if (!text || prefix_parse(text, &prefix) < 0)
		return NULL; /* the schema will say so */
	for (size_t i = 0; i < config->n_routes; i++) {
		if (prefix_equal(&config->routes[i].prefix, &prefix))
			return &config->routes[i];
	}
	return NULL;
}

int method_route_create(struct api_call *call)
{
	struct node_vnet *vnet = call_vnet(call);
	struct node_table *table = vnet ? call_table(call, vnet, "routeTable") : NULL;
	const char *prefix = request_text(call->request, "addressPrefix");
	struct config_state_place place;
	const struct user_route *route;

	if (!table)
		return -1;
	if (find_route(table, prefix))
		return already_exists(call, "addressPrefix", "user route", prefix);
	place = (struct config_state_place){ vnet->config->name, table->config->name };
	if (create_object(call, CONFIG_STATE_ROUTE, &place) < 0)
		return -1;
	/* Tables were moved: look again. */
	table = node_find_table(vnet, request_text(call->request, "routeTable") ?: "main");
	route = table ? find_route(table, prefix) : NULL;
	if (!route)
		return api_fail(call->error, API_INTERNAL, NULL, "it did not start: see the log");
	json_out_string(call->out, "vnet", vnet->config->name);
	json_out_string(call->out, "routeTable", table->config->name);
	write_prefix(call->out, "addressPrefix", &route->prefix);
	json_out_string(call->out, "nextHopType", next_hop_type_name(route->type));
	write_addr(call->out, "nextHopIpAddress", &route->next_hop);
	json_out_string(call->out, "managedBy", managed_by(route->from_api));
	return 0;
}

int method_route_delete(struct api_call *call)
{
	struct node_vnet *vnet = call_vnet(call);
	const struct node_table *table = vnet ? call_table(call, vnet, "routeTable") : NULL;
	const char *prefix = request_text(call->request, "addressPrefix");
	const struct user_route *route = table ? find_route(table, prefix) : NULL;

	if (!table)
		return -1;
	if (!route)
		return api_fail(call->error, API_NOT_FOUND, "addressPrefix",
				"the route table '%s' has no user route for %s",
				table->config->name, prefix);
	if (!route->from_api)
		return managed_by_file(call, "user route", prefix);
	return delete_object(
		call, CONFIG_STATE_ROUTE,
		&(struct config_state_place){ vnet->config->name, table->config->name }, prefix);
}
