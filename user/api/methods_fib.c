// SPDX-License-Identifier: GPL-2.0-only
/* Handlers of fib.show and fib.verify: the BPF maps in figures, and held against what they should hold. */
#include <errno.h>
#include <string.h>

#include "api/api_impl.h"

static void write_counts(struct json_out *out, const char *key,
			 const struct fib_plan_counts *counts, uint64_t capacity)
{
	json_out_begin_object(out, key);
	json_out_uint(out, "wanted", counts->wanted);
	json_out_uint(out, "installed", counts->installed);
	json_out_uint(out, "pending", counts->pending);
	json_out_uint(out, "held", counts->held);
	json_out_uint(out, "rejected", counts->rejected);
	json_out_uint(out, "stale", counts->stale);
	json_out_uint(out, "capacity", capacity);
	json_out_end_object(out);
}

/* null: the way is not VXLAN. */
/* How frames with segmentation offload go: bpf/skb.bpf.h says why not all do. */
static const char *large_frames(const struct xrs_tunnel *tunnel)
{
	if (tunnel->device)
		return "device";
	return tunnel->family == 6 && !tunnel->zero_sum ? "equalSegments" : "all";
}

static void write_tunnel(struct json_out *out, const struct xrs_nexthop *hop)
{
	const struct xrs_tunnel *t = &hop->tunnel;
	struct ip_addr addr;

	if (hop->way != XRS_WAY_VXLAN) {
		json_out_null(out, "tunnel");
		return;
	}
	json_out_begin_object(out, "tunnel");
	json_out_uint(out, "vni", t->vni);
	json_out_uint(out, "port", t->port);
	addr = ip_from_bytes(t->family, t->remote);
	write_addr(out, "remote", &addr);
	addr = ip_from_bytes(t->family, t->local);
	write_addr(out, "local", &addr);
	json_out_string(out, "largeFrames", large_frames(t));
	json_out_end_object(out);
}

static void write_hop(struct json_out *out, const struct node *node, uint32_t id)
{
	static const char *const ways[] = { "none", "redirect", "bridge", "kernel", "vxlan" };
	const struct nexthop_info *info = nexthop_info(node->nexthops, id);
	const struct node_nexthop *state = &node->nexthop_state[id];
	const struct node_vnet *vnet = NULL;
	struct xrs_nexthop hop = { .way = XRS_WAY_NONE };
	struct xrs_nh_stats stats = { 0 };
	char name[16];

	for (size_t i = 0; i < node->n_vnets; i++) {
		if (node->vnets[i]->number == info->vnet)
			vnet = node->vnets[i];
	}
	if (node->maps) {
		fib_maps_nexthop_get(node->maps, id, &hop);
		fib_maps_nh_stats(node->maps, id, &stats);
	}
	json_out_begin_object(out, NULL);
	json_out_uint(out, "id", id);
	json_out_string(out, "vnet", vnet ? vnet->config->name : NULL);
	write_addr(out, "address", &info->addr);
	json_out_bool(out, "usable", info->usable);
	json_out_string(out, "peering", *hop.peering ? hop.peering : NULL);
	json_out_string(out, "way", hop.way <= XRS_WAY_VXLAN ? ways[hop.way] : "unknown");
	json_out_bool(out, "xdp", state->resolved.xdp && state->devmap);
	json_out_string(out, "wayReason", state->resolved.why);
	write_tunnel(out, &hop);
	json_out_string(out, "interface", nic_ifname(node, hop.ifindex, name));
	write_mac(out, "mac", hop.dmac);
	json_out_uint(out, "mtu", hop.mtu);
	json_out_uint(out, "vlan", hop.vlan);
	json_out_string(out, "reason",
			node->maps ? resolve_reason_name(state->resolved.reason) : "");
	json_out_string(out, "reasonText", node->maps ? state->resolved.text : "");
	json_out_uint(out, "packets", stats.packets);
	json_out_uint(out, "bytes", stats.bytes);
	json_out_end_object(out);
}

/* Which structure answers for one table and family, and what it costs. */
static void write_table(struct json_out *out, const struct node *node,
			const struct node_table *table, enum ip_family family)
{
	struct fib_maps_fast fast;

	if (fib_maps_fast_figures(node->maps, table->index, family, &fast))
		return;
	json_out_begin_object(out, NULL);
	json_out_string(out, "vnet", table->vnet->config->name);
	json_out_string(out, "routeTable", table->config->name);
	json_out_string(out, "family", family == IP_V4 ? "ipv4" : "ipv6");
	json_out_uint(out, "routes", fib_maps_count(node->maps, table->index, family));
	json_out_string(out, "lookup", fast.on ? "derived" : "trie");
	json_out_string(out, "reason",
			fast.error      ? strerror(fast.error)
			: fast.building ? "the derived structure is being written"
					: "");
	json_out_uint(out, "memoryBytes", fast.memory);
	json_out_uint(out, "rootBits", fast.figures.root_bits);
	json_out_uint(out, "nodes", fast.figures.dense + fast.figures.ranges + fast.figures.index);
	json_out_uint(out, "builds", fast.builds);
	json_out_uint(out, "enlargements", fast.copies);
	json_out_uint(out, "pauses", fast.pauses);
	json_out_uint(out, "fallbackPackets", fast.fallbacks);
	json_out_end_object(out);
}

static void write_tables(struct json_out *out, const struct node *node)
{
	json_out_begin_array(out, "tables");
	for (size_t v = 0; node->maps && v < node->n_vnets; v++) {
		for (size_t t = 0; t < node->vnets[v]->n_tables; t++) {
			write_table(out, node, &node->vnets[v]->tables[t], IP_V4);
			write_table(out, node, &node->vnets[v]->tables[t], IP_V6);
		}
	}
	json_out_end_array(out);
}

int method_fib_show(struct api_call *call)
{
	const struct node *node = call->node;
	struct fib_plan_totals totals = { .memory = 0 };
	struct json_out *out = call->out;
	size_t cursor = 0, n_hosts = 0;
	struct node_vm host;

	if (node->plan)
		totals = fib_plan_totals(node->plan);
	json_out_string(out, "mode", dataplane_mode_name(node->config->mode));
	json_out_uint(out, "generation", node->generation);
	json_out_bool(out, "adopted", node->adopted);
	json_out_bool(out, "adopting", node->adoption);
	json_out_bool(out, "sweepDone", node->sweep_done);
	write_counts(out, "routes", &totals.routes, XRS_ROUTE_MAX);
	write_counts(out, "groups", &totals.groups, XRS_GROUP_MAX);
	write_counts(out, "nextHops", &totals.nexthops, XRS_NEXTHOP_MAX);
	json_out_uint(out, "batches", node->counters.fib_batches);
	json_out_uint(out, "writes", node->counters.fib_writes);
	json_out_uint(out, "writeErrors", node->counters.fib_write_errors);
	json_out_uint(out, "writesInPlace", node->maps ? fib_maps_moved(node->maps) : 0);
	json_out_uint(out, "planMemoryBytes", totals.memory);
	write_tables(out, node);
	while (node_vm_next(node, &cursor, &host))
		n_hosts++;
	json_out_uint(out, "localVms", n_hosts);
	json_out_uint(out, "vxlanNetworks", node_vm_vnis(node));
	json_out_begin_array(out, "value");
	if (node->maps)
		fib_maps_hold(node->maps, true);
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id))
		write_hop(out, node, id);
	if (node->maps)
		fib_maps_hold(node->maps, false);
	json_out_end_array(out);
	return 0;
}

/* --- fib.verify: a stream without elements, which takes as long as it takes ------------------------- */
struct verify_stream {
	struct api_stream base;
	struct fib_verify *verify;
};

static bool verify_step(struct api_stream *base, struct node *node, struct json_out *out)
{
	return node_fib_verify_step(((struct verify_stream *)base)->verify);
}

static void write_example(struct json_out *out, const struct fib_verify_result *result,
			  unsigned int i)
{
	json_out_begin_object(out, NULL);
	json_out_string(out, "table", result->examples[i].table);
	write_prefix(out, "prefix", &result->examples[i].prefix);
	json_out_string(out, "what", result->examples[i].what);
	json_out_end_object(out);
}

static void verify_end(struct api_stream *base, struct node *node, struct json_out *out)
{
	const struct fib_verify_result *result =
		node_fib_verify_result(((struct verify_stream *)base)->verify);

	json_out_bool(out, "clean",
		      !(result->missing || result->stale || result->differing ||
			result->derived_differing || result->incomplete));
	json_out_uint(out, "expected", result->expected);
	json_out_uint(out, "present", result->present);
	json_out_uint(out, "missing", result->missing);
	json_out_uint(out, "stale", result->stale);
	json_out_uint(out, "differing", result->differing);
	json_out_uint(out, "pending", result->pending);
	json_out_uint(out, "rejected", result->rejected);
	json_out_uint(out, "derivedChecked", result->derived_checked);
	json_out_uint(out, "derivedDiffering", result->derived_differing);
	json_out_begin_array(out, "examples");
	for (unsigned int i = 0; i < result->n_examples; i++)
		write_example(out, result, i);
	json_out_end_array(out);
	base->gone = result->incomplete;
}

static void verify_release(struct api_stream *base)
{
	node_fib_verify_free(((struct verify_stream *)base)->verify);
}

int method_fib_verify(struct api_call *call)
{
	bool repair = request_bool(call->request, "repair", false);
	struct verify_stream *stream;

	if (!call->node->maps)
		return api_fail(call->error, API_NOT_READY, NULL,
				"there is no data plane (dataplane.mode none)");
	stream = stream_open(call, sizeof(*stream), verify_step);
	if (!stream)
		return -1;
	stream->base.end = verify_end;
	stream->base.release = verify_release;
	stream->verify = node_fib_verify_new(call->node, repair);
	return stream->verify ? 0 : api_fail(call->error, API_INTERNAL, NULL, "out of memory");
}
