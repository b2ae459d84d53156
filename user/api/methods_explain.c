// SPDX-License-Identifier: GPL-2.0-only
/*
 * route.explain: everything that has a say for one prefix in one route table. Each path with the step at
 * which it lost and to whom, what the inbound map did to it, and whether it is in the map; then precedence;
 * then what the map itself holds. Reads only.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"

struct explain_context {
	struct json_out *out;
	const struct node_vnet *vnet; /* whose RIB it is */
	const struct node_table *table;
	const char *winner; /* peering of the best path, which comes first */
};

/* --- one path ------------------------------------------------------------------------------------- */

/* The rule that matched last, and what came of it. */
static void write_policy(struct json_out *out, const struct node_vnet *vnet,
			 const struct node_peering *from, const struct rib_path_view *view)
{
	const struct route_map *map =
		from ? vnet_find_route_map(vnet->config, from->config->inbound_route_map) : NULL;
	const char *effect;

	if (!map || view->policy_rule < 0 || (size_t)view->policy_rule >= map->n_rules) {
		json_out_null(out, "policy");
		return;
	}
	effect = !view->attrs                                                    ? "dropped"
		 : bgp_attrs_equal(view->attrs, view->attrs_in) && !view->weight ? "permitted"
										 : "changed";
	json_out_begin_object(out, "policy");
	json_out_string(out, "routeMap", map->name);
	json_out_int(out, "rule", view->policy_rule);
	json_out_string(out, "ruleName", map->rules[view->policy_rule].name);
	json_out_string(out, "effect", effect);
	if (strcmp(effect, "changed") == 0) {
		json_out_begin_object(out, "received");
		write_route_attrs(out, view->attrs_in, 0);
		json_out_end_object(out);
	}
	json_out_end_object(out);
}

static void write_lost(struct json_out *out, const struct explain_context *context,
		       const struct rib_path_view *view)
{
	bool lost = !view->best && !view->multipath;

	json_out_string(out, "lostAtStep", lost ? decision_step_name(view->lost_at) : NULL);
	json_out_string(out, "lostAtText", lost ? decision_step_text(view->lost_at) : NULL);
	json_out_string(out, "lostTo", lost ? context->winner : NULL);
}

static bool write_path(void *ctx, const struct rib_path_view *view)
{
	struct explain_context *context = ctx;
	const struct node_peering *from = route_peering(context->vnet, view->peer);
	struct json_out *out = context->out;

	if (view->best)
		context->winner = from ? from->config->name : NULL;
	json_out_begin_object(out, NULL);
	json_out_string(out, "peering", from ? from->config->name : NULL);
	json_out_string(out, "role", from ? peer_role_name(from->config->role) : NULL);
	write_route_attrs(out, view->attrs ? view->attrs : view->attrs_in, view->weight);
	json_out_bool(out, "valid", view->state == RIB_PATH_OK);
	json_out_bool(out, "best", view->best);
	json_out_bool(out, "multipath", view->multipath);
	json_out_bool(out, "stale", view->stale);
	write_install(out, context->table, view);
	write_lost(out, context, view);
	json_out_int(out, "policyRule", view->policy_rule);
	write_policy(out, context->vnet, from, view);
	json_out_end_object(out);
	return true;
}

/* --- precedence and map ------------------------------------------------------------------------------ */

static void write_effective(struct json_out *out, const struct node_table *table,
			    const struct ip_prefix *prefix)
{
	struct effective_result result;
	struct xrs_route want, found;

	node_effective(table, prefix, &result);
	json_out_begin_array(out, "effective");
	for (unsigned int i = 0; i < result.n_candidates; i++) {
		const struct effective_candidate *candidate = &result.candidates[i];

		json_out_begin_object(out, NULL);
		json_out_string(out, "source", effective_source_name(candidate->source));
		json_out_string(out, "state",
				candidate->reason == EFFECTIVE_NONE ? "Active" : "Invalid");
		json_out_string(out, "nextHopType", next_hop_type_name(candidate->next_hop_type));
		json_out_string(out, "reason", effective_reason_name(effective_why(candidate)));
		json_out_string(out, "reasonText", effective_reason_text(effective_why(candidate)));
		json_out_end_object(out);
	}
	json_out_end_array(out);
	if (effective_route(&result, &want))
		json_out_string(out, "dataplane", read_back_state(table, prefix, &want, &found));
	else
		json_out_string(out, "dataplane", "none");
}

/* The longest prefix around @prefix that has an active candidate: what answers when @prefix itself has none. */
static void write_answer(struct json_out *out, const struct node_table *table,
			 const struct ip_prefix *prefix)
{
	for (int len = prefix->len; len >= 0; len--) {
		struct ip_prefix around = prefix_of(&prefix->addr, (uint8_t)len);
		struct effective_result result;

		node_effective(table, &around, &result);
		if (result.winner >= 0) {
			write_prefix(out, "answeredBy", &around);
			return;
		}
	}
	json_out_null(out, "answeredBy");
}

/* What the trie holds for exactly this prefix. */
static void write_map_entry(struct json_out *out, const struct node_table *table,
			    const struct ip_prefix *prefix)
{
	static const char *const kinds[] = {
		[XRS_ROUTE_STEER] = "steer",         [XRS_ROUTE_LOCAL] = "VnetLocal",
		[XRS_ROUTE_INTERNET] = "Internet",   [XRS_ROUTE_DROP] = "None",
		[XRS_ROUTE_PROTECTED] = "protected",
	};
	const struct node *node = table->vnet->node;
	struct xrs_route route;
	struct group_view view;

	if (!node->maps || fib_maps_route_get(node->maps, table->index, prefix, &route) < 0) {
		json_out_null(out, "inMap");
		return;
	}
	json_out_begin_object(out, "inMap");
	json_out_string(out, "kind", route.kind <= XRS_ROUTE_PROTECTED ? kinds[route.kind] : NULL);
	json_out_string(out, "source", effective_source_name(route.source));
	json_out_uint(out, "group", route.group);
	read_group(node, route.kind == XRS_ROUTE_STEER ? route.group : GROUP_NONE, &view);
	write_group(node, out, &view);
	json_out_end_object(out);
}

#define HISTORY_SHOWN 5

/* The latest changes of this prefix: a path that is gone shows only here. */
static void write_history(struct json_out *out, const struct node_vnet *vnet,
			  const struct ip_prefix *prefix)
{
	const struct journal *journal = vnet ? vnet->journal : NULL;
	uint64_t seq = journal ? journal_last(journal) : 0;

	json_out_begin_array(out, "history");
	for (unsigned int shown = 0; journal && shown < HISTORY_SHOWN; seq--) {
		const struct journal_entry *entry = journal_get(journal, seq);

		if (!entry)
			break;
		if (!prefix_equal(&entry->prefix, prefix))
			continue;
		write_history_entry(out, vnet, entry);
		shown++;
	}
	json_out_end_array(out);
}

/* --- the handler ------------------------------------------------------------------------------------------ */

/* By `nic`, or by `vnet` and `routeTable`. */
static struct node_table *explained_table(struct api_call *call)
{
	struct node_vnet *vnet;
	struct node_nic *nic;

	if (!request_text(call->request, "nic")) {
		vnet = call_vnet(call);
		return vnet ? call_table(call, vnet, "routeTable") : NULL;
	}
	if (request_text(call->request, "routeTable") || request_text(call->request, "vnet")) {
		api_fail(call->error, API_INVALID_PARAMS, "nic",
			 "'nic' says which route table: leave 'vnet' and 'routeTable' out");
		return NULL;
	}
	nic = call_nic_of(call, "nic");
	if (nic && !nic->table)
		api_fail(call->error, API_NOT_READY, "nic", "the nic has no route table");
	return nic ? nic->table : NULL;
}

int method_route_explain(struct api_call *call)
{
	struct explain_context context = { .out = call->out, .table = explained_table(call) };
	struct ip_prefix prefix = { .len = 0 };
	struct rib *rib;

	if (!context.table)
		return -1;
	context.vnet = context.table->vnet->source;
	rib = node_vnet_source_rib(context.table->vnet);
	prefix_parse(request_text(call->request, "prefix"), &prefix); /* was checked */
	write_prefix(call->out, "prefix", &prefix);
	json_out_string(call->out, "vnet", context.table->vnet->config->name);
	json_out_string(call->out, "routeTable", context.table->config->name);
	json_out_string(call->out, "nic", request_text(call->request, "nic"));
	json_out_begin_array(call->out, "candidates");
	if (rib)
		rib_explain(rib, &prefix, write_path, &context);
	json_out_end_array(call->out);
	write_effective(call->out, context.table, &prefix);
	write_answer(call->out, context.table, &prefix);
	write_map_entry(call->out, context.table, &prefix);
	write_history(call->out, context.vnet, &prefix);
	return 0;
}
