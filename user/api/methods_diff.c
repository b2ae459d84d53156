// SPDX-License-Identifier: GPL-2.0-only
/*
 * config.diff: what would change with another configuration, before it does. First what is known at once
 * (values, sessions, nics), then, as a stream, the routes of each route table that is in use, now and then
 * (agent/what_if.h). Reads only; a configuration that changes meanwhile ends the answer as incomplete.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/what_if.h"
#include "api/api_impl.h"
#include "net/nic_facts.h"

#define BATCH API_STREAM_BUDGET

/* One table now and the table then: the same by name, or what a nic moves between. */
struct pair {
	char vnet[VNET_NAME_MAX], table[VNET_NAME_MAX];
	char vnet_then[VNET_NAME_MAX], table_then[VNET_NAME_MAX];
	uint64_t added, removed, moved;
};

struct diff_stream {
	struct api_stream base;
	struct what_if *what_if;
	struct pair *pairs;
	size_t n_pairs, pair; /* the one under way */
	/* stage: 0 fixed now, 1 fixed then, 2.. RIB now by family, 4.. RIB then by family */
	unsigned int stage;
	uint32_t cursor;
	uint32_t *through,
		*leaving; /* by next hop: prefixes through it, and how many of them leave */
	uint64_t listed;
};

enum {
	STAGE_FIXED_NOW,
	STAGE_FIXED_THEN,
	STAGE_RIB_NOW,
	STAGE_RIB_THEN = 4,
	STAGE_END = 6
};

/* --- the tables of a pair ------------------------------------------------------------------------- */

static const struct node_table *find_table(const struct node *node, const char *vnet,
					   const char *table)
{
	const struct node_vnet *v = node_find_vnet(node, vnet);

	return v ? node_find_table(v, table) : NULL;
}

static const struct node_table *table_now(const struct diff_stream *stream, const struct pair *pair,
					  const struct node *node)
{
	return find_table(node, pair->vnet, pair->table);
}

static const struct node_table *table_then(const struct diff_stream *stream,
					   const struct pair *pair)
{
	return find_table(what_if_node(stream->what_if), pair->vnet_then, pair->table_then);
}

static bool add_pair(struct diff_stream *stream, const struct node_table *now,
		     const struct node_table *then)
{
	struct pair pair = { 0 }, *grown;

	snprintf(pair.vnet, sizeof(pair.vnet), "%s", now->vnet->config->name);
	snprintf(pair.table, sizeof(pair.table), "%s", now->config->name);
	snprintf(pair.vnet_then, sizeof(pair.vnet_then), "%s", then->vnet->config->name);
	snprintf(pair.table_then, sizeof(pair.table_then), "%s", then->config->name);
	for (size_t i = 0; i < stream->n_pairs; i++) {
		if (memcmp(&stream->pairs[i], &pair, offsetof(struct pair, added)) == 0)
			return true;
	}
	grown = realloc(stream->pairs, (stream->n_pairs + 1) * sizeof(*grown));
	if (!grown)
		return false;
	stream->pairs = grown;
	grown[stream->n_pairs++] = pair;
	return true;
}

static bool pair_same_names(struct diff_stream *stream, const struct node *node)
{
	bool ok = true;

	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t t = 0; t < node->vnets[v]->n_tables; t++) {
			const struct node_table *now = &node->vnets[v]->tables[t];
			const struct node_table *then =
				find_table(what_if_node(stream->what_if),
					   node->vnets[v]->config->name, now->config->name);

			ok = ok && (!then || add_pair(stream, now, then));
		}
	}
	return ok;
}

/* --- nics --------------------------------------------------------------------------------------------- */

static const struct node_nic *nic_at(const struct node *node, uint32_t ifindex)
{
	for (size_t i = 0; i < node->n_nics; i++) {
		if (node->nics[i]->ifindex == ifindex)
			return node->nics[i];
	}
	return NULL;
}

/* Both NULL for no nic. */
static void write_place(struct json_out *out, const char *key, const struct node_table *table,
			enum xrs_nic_role role)
{
	if (!table) {
		json_out_null(out, key);
		return;
	}
	json_out_begin_object(out, key);
	json_out_string(out, "vnet", table->vnet->config->name);
	json_out_string(out, "routeTable", table->config->name);
	json_out_string(out, "role", nic_role_name(role));
	json_out_end_object(out);
}

static bool compare_nic(struct diff_stream *stream, const struct node *node,
			const struct net_link *link, struct json_out *out)
{
	const struct node *then = what_if_node(stream->what_if);
	const struct node_nic *nic = nic_at(node, link->ifindex);
	const struct node_table *old = nic ? nic->table : NULL, *new = NULL;
	enum xrs_nic_role role = XRS_NIC_VM;
	struct nic_facts facts;
	int index;

	net_nic_facts(node->net, link, &facts);
	index = nic_match(then->config->nics, then->config->n_nics, &facts);
	if (index >= 0) {
		const struct nic_rule *rule = &then->config->nics[index];

		new = find_table(then, rule->vnet, rule->route_table);
		role = rule->role;
	}
	if (old && new && !add_pair(stream, old, new))
		return false;
	if (!old == !new &&
	    (!old ||
	     (strcmp(old->config->name, new->config->name) == 0 &&
	      strcmp(old->vnet->config->name, new->vnet->config->name) == 0 && nic->role == role)))
		return true;
	json_out_begin_object(out, NULL);
	json_out_string(out, "nic", link->name);
	json_out_string(out, "change", !old ? "attached" : !new ? "detached" : "moved");
	write_place(out, "from", old, nic ? nic->role : XRS_NIC_VM);
	write_place(out, "to", new, role);
	json_out_end_object(out);
	return true;
}

static bool write_nics(struct diff_stream *stream, const struct node *node, struct json_out *out)
{
	const struct net_link *link;
	size_t cursor = 0;
	bool ok = true;

	json_out_begin_array(out, "nics");
	while (node->net && ok && (link = net_model_link_next(node->net, &cursor)))
		ok = compare_nic(stream, node, link, out);
	json_out_end_array(out);
	return ok;
}

/* --- sessions ------------------------------------------------------------------------------------------- */

static void write_session(void *ctx, const struct what_if_session *session)
{
	struct json_out *out = ctx;

	json_out_begin_object(out, NULL);
	json_out_string(out, "vnet", session->vnet);
	json_out_string(out, "peering", session->peering);
	json_out_string(out, "change", what_if_change_name(session->change));
	json_out_string(out, "why", session->why);
	/* Traffic may feel it: the session is up now and would not be for a while, or not any more. */
	json_out_bool(out, "disrupts",
		      session->established && session->change != WHAT_IF_LIVE &&
			      session->change != WHAT_IF_ADDED);
	json_out_end_object(out);
}

/* --- routes ----------------------------------------------------------------------------------------------- */

static const char *peering_at(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	const struct node_vnet *source = vnet->source ? vnet->source : vnet;

	for (size_t i = 0; i < source->config->n_peerings; i++) {
		if (ip_equal(&source->config->peerings[i].peer_ip, addr))
			return source->config->peerings[i].name;
	}
	return NULL;
}

static void write_hops(struct json_out *out, const char *key, const struct node_vnet *vnet,
		       const struct what_if_hops *hops)
{
	if (!hops->any) {
		json_out_null(out, key);
		return;
	}
	json_out_begin_object(out, key);
	json_out_string(out, "source", effective_source_name(hops->source));
	json_out_string(out, "nextHopType", next_hop_type_name(hops->type));
	json_out_begin_array(out, "nextHopIpAddress");
	for (unsigned int i = 0; i < hops->n; i++)
		write_addr(out, NULL, &hops->hop[i]);
	json_out_end_array(out);
	json_out_begin_array(out, "peering");
	for (unsigned int i = 0; i < hops->n; i++)
		json_out_string(out, NULL, peering_at(vnet, &hops->hop[i]));
	json_out_end_array(out);
	json_out_end_object(out);
}

/* The next hop is used now and not then. */
static void count_hops(struct diff_stream *stream, const struct what_if_hops *now,
		       const struct what_if_hops *then)
{
	for (unsigned int i = 0; i < now->n; i++) {
		bool stays = false;

		for (unsigned int k = 0; k < then->n && !stays; k++)
			stays = ip_equal(&now->hop[i], &then->hop[k]);
		stream->through[now->id[i]]++;
		stream->leaving[now->id[i]] += !stays;
	}
}

static void compare_prefix(struct diff_stream *stream, struct pair *pair,
			   const struct node_table *now, const struct node_table *then,
			   const struct ip_prefix *prefix, struct json_out *out)
{
	struct what_if_hops a, b;
	const char *change;

	what_if_present(now, prefix, &a);
	what_if_then(stream->what_if, then, prefix, &b);
	count_hops(stream, &a, &b);
	if (what_if_same(&a, &b))
		return;
	change = !a.any ? "added" : !b.any ? "removed" : "moved";
	*(!a.any ? &pair->added : !b.any ? &pair->removed : &pair->moved) += 1;
	if (stream->base.limit && stream->listed >= stream->base.limit)
		return; /* counted, not listed */
	stream->listed++;
	json_out_begin_object(out, NULL);
	json_out_string(out, "vnet", pair->vnet);
	json_out_string(out, "routeTable", pair->table);
	write_prefix(out, "prefix", prefix);
	json_out_string(out, "change", change);
	write_hops(out, "from", now->vnet, &a);
	write_hops(out, "to", then->vnet, &b);
	json_out_end_object(out);
}

struct gather { /* distinct prefixes of one slice */
	struct ip_prefix prefix[BATCH];
	size_t n;
};

static bool gather_prefix(void *ctx, const struct rib_path_view *view)
{
	struct gather *gather = ctx;

	if (!gather->n || !prefix_equal(&gather->prefix[gather->n - 1], &view->prefix))
		gather->prefix[gather->n++] = view->prefix;
	return gather->n < BATCH;
}

static bool has_paths(struct rib *rib, const struct ip_prefix *prefix)
{
	struct gather ignored = { .n = 0 };

	return rib && rib_explain(rib, prefix, gather_prefix, &ignored) > 0;
}

/* The RIB of this name's vnet in the present node that offers to the table then. */
static struct rib *rib_then(const struct node *node, const struct node_table *then)
{
	const struct node_vnet *source = then->vnet->source;
	const struct node_vnet *vnet = source ? node_find_vnet(node, source->config->name) : NULL;

	return vnet ? vnet->rib : NULL;
}

/* Prefixes of this stage, the next few; false: the stage is over. */
static bool next_fixed(struct diff_stream *stream, const struct node_table *of,
		       const struct node_table *not_in, struct gather *gather)
{
	size_t count = effective_fixed_count(of->effective);

	while (stream->cursor < count && gather->n < BATCH) {
		const struct ip_prefix *prefix =
			effective_fixed_prefix(of->effective, stream->cursor++);

		if (!not_in || !effective_is_fixed(not_in->effective, prefix))
			gather->prefix[gather->n++] = *prefix;
	}
	return stream->cursor < count;
}

static bool next_prefixes(struct diff_stream *stream, const struct node *node,
			  const struct node_table *now, const struct node_table *then,
			  struct gather *gather)
{
	struct rib *ribs[] = { node_vnet_source_rib(now->vnet), rib_then(node, then) };
	bool second = stream->stage >= STAGE_RIB_THEN;
	size_t kept = 0;
	bool more;

	if (stream->stage == STAGE_FIXED_NOW)
		return next_fixed(stream, now, NULL, gather);
	if (stream->stage == STAGE_FIXED_THEN)
		return next_fixed(stream, then, now, gather);
	if (!ribs[second] || (second && ribs[1] == ribs[0]))
		return false;
	more = rib_walk_all(ribs[second], (stream->stage - STAGE_RIB_NOW) % BGP_FAMILY_MAX,
			    &stream->cursor, BATCH, gather_prefix, gather);
	for (size_t i = 0; i < gather->n; i++) { /* each prefix once */
		const struct ip_prefix *prefix = &gather->prefix[i];

		if (effective_is_fixed(now->effective, prefix) ||
		    effective_is_fixed(then->effective, prefix) ||
		    (second && has_paths(ribs[0], prefix)))
			continue;
		gather->prefix[kept++] = *prefix;
	}
	gather->n = kept;
	return more;
}

static bool step(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct diff_stream *stream = (struct diff_stream *)base;
	struct pair *pair = &stream->pairs[stream->pair];
	const struct node_table *now, *then;
	struct gather gather = { .n = 0 };

	if (stream->pair >= stream->n_pairs)
		return false;
	base->gone = what_if_outdated(stream->what_if);
	now = base->gone ? NULL : table_now(stream, pair, node);
	then = base->gone ? NULL : table_then(stream, pair);
	if (!now || !then)
		return false;
	if (!next_prefixes(stream, node, now, then, &gather)) {
		stream->cursor = 0;
		stream->stage++;
	}
	for (size_t i = 0; i < gather.n; i++)
		compare_prefix(stream, pair, now, then, &gather.prefix[i], out);
	if (stream->stage == STAGE_END) {
		stream->stage = STAGE_FIXED_NOW;
		stream->pair++;
	}
	return stream->pair < stream->n_pairs;
}

/* --- the end ------------------------------------------------------------------------------------------------ */

static void write_pair(struct json_out *out, const struct pair *pair)
{
	json_out_begin_object(out, NULL);
	json_out_string(out, "vnet", pair->vnet);
	json_out_string(out, "routeTable", pair->table);
	json_out_string(out, "vnetThen", pair->vnet_then);
	json_out_string(out, "routeTableThen", pair->table_then);
	json_out_uint(out, "added", pair->added);
	json_out_uint(out, "removed", pair->removed);
	json_out_uint(out, "moved", pair->moved);
	json_out_end_object(out);
}

static uint64_t packets_of(const struct node *node, uint32_t id, uint64_t *ret_bytes)
{
	struct xrs_nh_stats stats = { 0 };

	if (node->maps)
		fib_maps_nh_stats(node->maps, id, &stats);
	*ret_bytes = stats.bytes;
	return stats.packets;
}

/* What went through the next hops that lose prefixes, of all that was steered since they exist. */
static void write_traffic(const struct diff_stream *stream, const struct node *node,
			  struct json_out *out)
{
	uint64_t total = 0, bytes;

	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id))
		total += packets_of(node, id, &bytes);
	json_out_begin_array(out, "traffic");
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		const struct nexthop_info *info = nexthop_info(node->nexthops, id);
		uint64_t packets = packets_of(node, id, &bytes);

		if (!stream->leaving[id])
			continue;
		json_out_begin_object(out, NULL);
		write_addr(out, "nextHopIpAddress", &info->addr);
		json_out_uint(out, "prefixes", stream->through[id]);
		json_out_uint(out, "prefixesLeaving", stream->leaving[id]);
		json_out_uint(out, "packets", packets);
		json_out_uint(out, "bytes", bytes);
		json_out_double(out, "sharePercent",
				total ? 100.0 * (double)packets / (double)total : 0);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static void end(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct diff_stream *stream = (struct diff_stream *)base;
	uint64_t total = 0;

	json_out_begin_array(out, "tables");
	for (size_t i = 0; i < stream->n_pairs; i++) {
		write_pair(out, &stream->pairs[i]);
		total += stream->pairs[i].added + stream->pairs[i].removed + stream->pairs[i].moved;
	}
	json_out_end_array(out);
	json_out_uint(out, "routesChanged", total);
	write_traffic(stream, node, out);
}

static void release(struct api_stream *base)
{
	struct diff_stream *stream = (struct diff_stream *)base;

	what_if_free(stream->what_if);
	free(stream->pairs);
	free(stream->through);
	free(stream->leaving);
}

/* --- the beginning -------------------------------------------------------------------------------------------- */

/* What is known at once. The stream's array is open: its members stand before it, so they come first. */
static int write_head(struct api_call *call, struct diff_stream *stream)
{
	const struct node *node = call->node;
	bool ok;

	ok = write_config_changes(call->out, node->config, what_if_node(stream->what_if)->config) >=
	     0;
	json_out_begin_array(call->out, "sessions");
	what_if_sessions(stream->what_if, write_session, call->out);
	json_out_end_array(call->out);
	ok = ok && pair_same_names(stream, node) && write_nics(stream, node, call->out);
	return ok ? 0 : api_fail(call->error, API_INTERNAL, NULL, "out of memory");
}

static int start(struct api_call *call, struct config *config)
{
	struct diff_stream begin = { .base = { 0 } }, *stream;
	int r = what_if_new(call->node, config, &begin.what_if);

	if (r < 0) {
		config_free(config);
		return api_fail(call->error, API_INTERNAL, NULL, "%s", strerror(-r));
	}
	begin.through = calloc(XRS_NEXTHOP_MAX, sizeof(*begin.through));
	begin.leaving = calloc(XRS_NEXTHOP_MAX, sizeof(*begin.leaving));
	r = begin.through && begin.leaving
		    ? write_head(call, &begin)
		    : api_fail(call->error, API_INTERNAL, NULL, "out of memory");
	stream = r == 0 ? stream_open(call, sizeof(*stream), step) : NULL;
	if (!stream) {
		release(&begin.base);
		return -1;
	}
	begin.base = stream->base;
	begin.base.end = end;
	begin.base.release = release;
	*stream = begin;
	return 0;
}

int method_config_diff(struct api_call *call)
{
	struct node *node = call->node;
	struct config_error error = { .line = 0 };
	struct config *config;
	char *text;

	if (call_config_text(call, &text) < 0)
		return -1;
	config = text ? config_parse_both(text, strlen(text), node->config->state, &error)
		      : config_load_both(node->config_path, node->config->state, &error);
	if (config && node_check_fixed(node, config, &error) < 0) {
		config_free(config);
		config = NULL;
	}
	if (!config)
		call_config_failed(call, -EINVAL, API_INVALID_CONFIG, &error,
				   text ? NULL : node->config_path);
	free(text);
	return config ? start(call, config) : -1;
}
