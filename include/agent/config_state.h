/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was made through the API: a partial configuration as JSON, in the shape of the file, that is put
 * into the file's part before both are parsed and checked as one. Kept in state.json,
 * which state_file.c reads and writes. Pure.
 *
 *	{ "version": 1, "vnets": [
 *	    { "name": "lab", "created": true, "addressPrefixes": [...], ... },     the vnet is the API's
 *	    { "name": "prod", "routeServer": { "allowBranchToBranchTraffic": true },   the file's, with
 *	      "peerings": [ {...} ],                                                   things added
 *	      "routeTables": [ { "name": "dmz", "created": true, ... },
 *	                       { "name": "main", "routes": [ {...} ] } ] } ] }
 *
 * The file wins: what it has itself of the same name is not taken from here.
 */
#ifndef XRS_AGENT_CONFIG_STATE_H
#define XRS_AGENT_CONFIG_STATE_H

#include <jansson.h>

#include "agent/config.h"

json_t *config_state_new(void); /* empty; NULL: out of memory */
bool config_state_is_empty(const json_t *state);
/* NULL: it has the shape above; else what is wrong. Values are checked when it is parsed. */
const char *config_state_problem(const json_t *state);

/*
 * Puts @state into @root, the parsed file. What could not be put is warned about in @config. 0 or -ENOMEM;
 * @root is of no use then.
 */
int config_state_merge(json_t *root, const json_t *state, struct config *config);

/* The file itself sets this key of a vnet's routeServer. @file: config_file_json(). */
bool config_state_file_sets_server(const json_t *file, const char *vnet, const char *key);

/* --- changes: each a new state, whole; NULL: out of memory ------------------------------------------- */
enum config_state_kind {
	CONFIG_STATE_VNET,
	CONFIG_STATE_PEERING,
	CONFIG_STATE_TABLE,
	CONFIG_STATE_ROUTE, /* its name is its addressPrefix */
};
struct config_state_place { /* of the object: in which vnet (not of a vnet), in which table (of a route) */
	const char *vnet, *table;
};
/* @object as in the file; it is copied. */
json_t *config_state_add(const json_t *state, enum config_state_kind kind,
			 const struct config_state_place *place, const json_t *object);
json_t *config_state_remove(const json_t *state, enum config_state_kind kind,
			    const struct config_state_place *place, const char *name);
/* Sets the members of @values in the routeServer of @place's vnet, or in its route table. */
json_t *config_state_set_server(const json_t *state, const struct config_state_place *place,
				const json_t *values);
json_t *config_state_set_table(const json_t *state, const struct config_state_place *place,
			       const json_t *values);

#endif
