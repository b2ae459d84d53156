// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was made through the API, as a partial configuration: put into the file's JSON before that is
 * parsed, and changed one object at a time. Called by config.c (merge) and by the API's handlers. It
 * never looks at values: the schema does, when both are parsed as one. Pure.
 */
#include <errno.h>
#include <string.h>

#include "agent/config_schema.h"
#include "agent/config_state.h"

#define CREATED "created" /* the vnet or route table itself is the API's, not only what is in it */

static const char *const lists[] = {
	[CONFIG_STATE_VNET] = "vnets",
	[CONFIG_STATE_PEERING] = "peerings",
	[CONFIG_STATE_TABLE] = "routeTables",
	[CONFIG_STATE_ROUTE] = "routes",
};

static const char *key_of(enum config_state_kind kind)
{
	return kind == CONFIG_STATE_ROUTE ? "addressPrefix" : "name";
}

static const char *name_of(const json_t *object, enum config_state_kind kind)
{
	const char *name = json_string_value(json_object_get(object, key_of(kind)));

	return name ? name : "";
}

static bool is_created(const json_t *object)
{
	return json_is_true(json_object_get(object, CREATED));
}

/* Routes are told apart by what their prefix means, not by how it is written. */
static bool same_name(enum config_state_kind kind, const char *a, const char *b)
{
	struct ip_prefix x, y;

	if (kind != CONFIG_STATE_ROUTE || prefix_parse(a, &x) < 0 || prefix_parse(b, &y) < 0)
		return strcmp(a, b) == 0;
	return prefix_equal(&x, &y);
}

/* Index in the list of this kind in @parent, or its size. */
static size_t find_index(const json_t *parent, enum config_state_kind kind, const char *name)
{
	const json_t *list = json_object_get(parent, lists[kind]);
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (same_name(kind, name_of(item, kind), name))
			return i;
	}
	return json_array_size(list);
}

static json_t *find(const json_t *parent, enum config_state_kind kind, const char *name)
{
	return json_array_get(json_object_get(parent, lists[kind]), find_index(parent, kind, name));
}

/* Appends @object (a reference that is taken over) to that list of @parent, which is made when absent. */
static int append(json_t *parent, enum config_state_kind kind, json_t *object)
{
	json_t *list = json_object_get(parent, lists[kind]);

	if (!list) {
		list = json_array();
		if (json_object_set_new(parent, lists[kind], list) < 0) {
			json_decref(object);
			return -ENOMEM;
		}
	}
	return json_array_append_new(list, object) < 0 ? -ENOMEM : 0;
}

/* --- shape ----------------------------------------------------------------------------------------- */

json_t *config_state_new(void)
{
	return json_pack("{s:i,s:[]}", "version", 1, "vnets");
}

bool config_state_is_empty(const json_t *state)
{
	return json_array_size(json_object_get(state, "vnets")) == 0;
}

static const char *list_problem(const json_t *parent, enum config_state_kind kind)
{
	const json_t *list = json_object_get(parent, lists[kind]);
	const json_t *item;
	size_t i;

	if (list && !json_is_array(list))
		return "a list is none";
	json_array_foreach(list, i, item) {
		if (!*name_of(item, kind))
			return "an object has no name";
	}
	return NULL;
}

const char *config_state_problem(const json_t *state)
{
	const char *problem = list_problem(state, CONFIG_STATE_VNET);
	const json_t *vnet, *table;
	size_t v, t;

	if (json_integer_value(json_object_get(state, "version")) != 1)
		return "its version is not 1";
	json_array_foreach(json_object_get(state, "vnets"), v, vnet) {
		const json_t *server = json_object_get(vnet, "routeServer");

		if (!problem && server && !json_is_object(server))
			problem = "a routeServer is no object";
		if (!problem)
			problem = list_problem(vnet, CONFIG_STATE_PEERING);
		if (!problem)
			problem = list_problem(vnet, CONFIG_STATE_TABLE);
		json_array_foreach(json_object_get(vnet, "routeTables"), t, table) {
			if (!problem)
				problem = list_problem(table, CONFIG_STATE_ROUTE);
		}
	}
	return problem;
}

/* --- into the file's part ---------------------------------------------------------------------------- */

struct merge {
	struct config *config;
	const char *vnet;
};

static int not_used(const struct merge *merge, const char *what, const char *name, const char *why)
{
	return config_warn(merge->config,
			   "%s '%s' of vnet '%s' was made through the API and is not "
			   "used: %s",
			   what, name, merge->vnet, why);
}

/* A copy as the file would have it. */
static json_t *as_in_file(const json_t *object)
{
	json_t *copy = json_deep_copy(object);
	json_t *table;
	size_t i;

	json_object_del(copy, CREATED);
	json_array_foreach(json_object_get(copy, "routeTables"), i, table)
		json_object_del(table, CREATED);
	return copy;
}

static int merge_list(const struct merge *merge, json_t *into, const json_t *from,
		      enum config_state_kind kind, const char *what)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(from, lists[kind]), i, item) {
		const char *name = name_of(item, kind);

		if (find(into, kind, name))
			r = not_used(merge, what, name, "the file has one of this name");
		else
			r = append(into, kind, as_in_file(item));
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_tables(const struct merge *merge, json_t *vnet, const json_t *from)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(from, "routeTables"), i, item) {
		const char *name = name_of(item, CONFIG_STATE_TABLE);
		json_t *table = find(vnet, CONFIG_STATE_TABLE, name);

		if (is_created(item) && table)
			r = not_used(merge, "route table", name, "the file has one of this name");
		else if (!table && (is_created(item) || strcmp(name, "main") == 0))
			r = append(vnet, CONFIG_STATE_TABLE, as_in_file(item));
		else if (!table)
			r = not_used(merge, "what is in route table", name,
				     "the file has it no more");
		else
			r = merge_list(merge, table, item, CONFIG_STATE_ROUTE, "route");
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_server(const struct merge *merge, json_t *vnet, const json_t *from)
{
	const json_t *values = json_object_get(from, "routeServer");
	json_t *server = json_object_get(vnet, "routeServer"), *value;
	const char *key;
	int r = 0;

	if (!values)
		return 0;
	if (!server)
		return not_used(merge, "the route server's setting", "routeServer",
				"the file has no route server there");
	json_object_foreach((json_t *)values, key, value) {
		if (json_object_get(server, key))
			r = not_used(merge, "the setting", key, "the file sets it");
		else
			r = json_object_set(server, key, value) < 0 ? -ENOMEM : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_vnet(struct merge *merge, json_t *root, const json_t *from)
{
	json_t *vnet = find(root, CONFIG_STATE_VNET, merge->vnet);
	int r;

	if (is_created(from) && vnet)
		return not_used(merge, "vnet", merge->vnet, "the file has one of this name");
	if (is_created(from))
		return append(root, CONFIG_STATE_VNET, as_in_file(from));
	if (!vnet)
		return not_used(merge, "what is in vnet", merge->vnet, "the file has it no more");
	r = merge_server(merge, vnet, from);
	if (r == 0)
		r = merge_list(merge, vnet, from, CONFIG_STATE_PEERING, "peering");
	if (r == 0)
		r = merge_tables(merge, vnet, from);
	return r;
}

int config_state_merge(json_t *root, const json_t *state, struct config *config)
{
	const json_t *vnet;
	size_t i;

	json_array_foreach(json_object_get(state, "vnets"), i, vnet) {
		struct merge merge = { config, name_of(vnet, CONFIG_STATE_VNET) };
		int r = merge_vnet(&merge, root, vnet);

		if (r < 0)
			return r;
	}
	return 0;
}

bool config_state_file_sets_server(const json_t *file, const char *vnet, const char *key)
{
	const json_t *server = json_object_get(find(file, CONFIG_STATE_VNET, vnet), "routeServer");

	return json_object_get(server, key) != NULL;
}

/* --- changes ----------------------------------------------------------------------------------------- */

/* The entry of this name, made when it is not there. NULL: out of memory. */
static json_t *entry(json_t *parent, enum config_state_kind kind, const char *name)
{
	json_t *found = find(parent, kind, name);

	if (found)
		return found;
	if (append(parent, kind, json_pack("{s:s}", key_of(kind), name)) < 0)
		return NULL;
	return find(parent, kind, name);
}

/* What an object of this kind is listed in. */
static json_t *parent_of(json_t *state, enum config_state_kind kind,
			 const struct config_state_place *place)
{
	json_t *vnet;

	if (kind == CONFIG_STATE_VNET)
		return state;
	vnet = entry(state, CONFIG_STATE_VNET, place->vnet);
	if (!vnet || kind != CONFIG_STATE_ROUTE)
		return vnet;
	return entry(vnet, CONFIG_STATE_TABLE, place->table);
}

static json_t *give_up(json_t *state)
{
	json_decref(state);
	return NULL;
}

json_t *config_state_add(const json_t *state, enum config_state_kind kind,
			 const struct config_state_place *place, const json_t *object)
{
	bool marked = kind == CONFIG_STATE_VNET || kind == CONFIG_STATE_TABLE;
	json_t *next = json_deep_copy(state), *copy = json_deep_copy(object);
	json_t *parent = next && copy ? parent_of(next, kind, place) : NULL;

	if (!parent || (marked && json_object_set_new(copy, CREATED, json_true()) < 0)) {
		json_decref(copy);
		return give_up(next);
	}
	return append(parent, kind, copy) < 0 ? give_up(next) : next;
}

/* Nothing is left in it, and it is not the API's own. */
static bool is_empty_shell(const json_t *object)
{
	static const char *const inner[] = { "peerings", "routeTables", "routes" };

	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		if (json_array_size(json_object_get(object, inner[i])))
			return false;
	}
	return !is_created(object) && json_object_size(json_object_get(object, "routeServer")) == 0;
}

static void drop_shells(json_t *parent, enum config_state_kind kind)
{
	json_t *list = json_object_get(parent, lists[kind]);

	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *item = json_array_get(list, i);

		if (kind == CONFIG_STATE_VNET)
			drop_shells(item, CONFIG_STATE_TABLE);
		if (is_empty_shell(item))
			json_array_remove(list, i);
	}
}

json_t *config_state_remove(const json_t *state, enum config_state_kind kind,
			    const struct config_state_place *place, const char *name)
{
	json_t *next = json_deep_copy(state);
	json_t *parent = next ? parent_of(next, kind, place) : NULL;

	if (!parent)
		return give_up(next);
	json_array_remove(json_object_get(parent, lists[kind]), find_index(parent, kind, name));
	drop_shells(next, CONFIG_STATE_VNET);
	return next;
}

json_t *config_state_set_server(const json_t *state, const struct config_state_place *place,
				const json_t *values)
{
	json_t *next = json_deep_copy(state);
	json_t *vnet = next ? entry(next, CONFIG_STATE_VNET, place->vnet) : NULL;
	json_t *server = json_object_get(vnet, "routeServer");

	if (vnet && !server && json_object_set_new(vnet, "routeServer", json_object()) < 0)
		return give_up(next);
	server = json_object_get(vnet, "routeServer");
	return json_object_update(server, (json_t *)values) < 0 ? give_up(next) : next;
}

json_t *config_state_set_table(const json_t *state, const struct config_state_place *place,
			       const json_t *values)
{
	json_t *next = json_deep_copy(state);
	json_t *vnet = next ? entry(next, CONFIG_STATE_VNET, place->vnet) : NULL;
	json_t *table = vnet ? entry(vnet, CONFIG_STATE_TABLE, place->table) : NULL;

	/* With settings of its own it is one that was created, though it may be the implied "main". */
	if (!table || json_object_set_new(table, CREATED, json_true()) < 0)
		return give_up(next);
	return json_object_update(table, (json_t *)values) < 0 ? give_up(next) : next;
}
