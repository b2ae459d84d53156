// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers of nic.list, nic.show and nic.listEffectiveRoutes. Counters and routes are read back from
 * the BPF maps; where they differ from what the control plane wants the answer says so. Reads only.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"

/* --- one nic ------------------------------------------------------------------------------------- */

static void write_link(struct json_out *out, const struct node *node, const struct node_nic *nic)
{
	const struct net_link *link = node->net ? net_model_link(node->net, nic->ifindex) : NULL;
	char master[16];

	json_out_string(out, "kind", link ? link->kind : NULL);
	if (link)
		write_mac(out, "mac", link->mac);
	else
		json_out_null(out, "mac");
	json_out_begin_array(out, "altNames");
	for (uint32_t i = 0; link && i < link->n_alt_names; i++)
		json_out_string(out, NULL, link->alt_names[i]);
	json_out_end_array(out);
	json_out_string(out, "ifAlias", link && *link->if_alias ? link->if_alias : NULL);
	json_out_uint(out, "group", link ? link->group : 0);
	json_out_string(out, "master",
			link && link->master ? nic_ifname(node, link->master, master) : NULL);
	json_out_uint(out, "mtu", link ? link->mtu : 0);
	json_out_bool(out, "carrier", link && link->carrier);
}

static void sum_verdicts(const struct xrs_nic_stats *stats, uint64_t *steered, uint64_t *passed,
			 uint64_t *dropped)
{
	*steered = *passed = *dropped = 0;
	for (unsigned int reason = 0; reason < XRS_REASON_MAX; reason++) {
		const char *verdict = fib_reason_verdict(reason);
		uint64_t count = fib_reason_count(stats, reason);

		/* What XDP leaves to tc is counted again there, by its real reason. */
		if (reason == XRS_REASON_TO_TC)
			continue;
		*(*verdict == 's' ? steered : *verdict == 'p' ? passed : dropped) += count;
	}
}

static void write_counters(struct json_out *out, const struct node *node,
			   const struct node_nic *nic, bool each)
{
	struct xrs_nic_stats stats = { 0 };
	uint64_t steered, passed, dropped;

	if (node->maps)
		fib_maps_nic_stats(node->maps, nic->slot, &stats);
	sum_verdicts(&stats, &steered, &passed, &dropped);
	json_out_uint(out, "rxRewritten", steered);
	json_out_uint(out, "rxPassed", passed);
	json_out_uint(out, "rxDropped", dropped);
	if (!each)
		return;
	json_out_uint(out, "bytesRewritten", stats.bytes_steered);
	json_out_begin_object(out, "counters");
	for (unsigned int reason = 0; reason < XRS_REASON_MAX; reason++)
		json_out_uint(out, fib_reason_name(reason), fib_reason_count(&stats, reason));
	json_out_end_object(out);
}

/* The mode that was asked for, and why it is served as xdpMode says. */
static void write_mode(struct json_out *out, const struct node_nic *nic)
{
	static const char *const names[] = {
		[NIC_MODE_NODE] = NULL,       [NIC_MODE_AUTO] = "auto",
		[NIC_MODE_NATIVE] = "native", [NIC_MODE_GENERIC] = "generic",
		[NIC_MODE_TC] = "tc",
	};
	char refused[128];

	json_out_string(out, "mode", names[nic->mode]);
	snprintf(refused, sizeof(refused), "the tc half alone: the driver refuses XDP (%s)",
		 strerror(nic->attachment.native_error));
	json_out_string(out, "modeReason", nic->attachment.native_error ? refused : nic->mode_why);
}

/* What the kernel has learned of the VM behind the nic. */
static void write_addresses(struct json_out *out, const struct node *node,
			    const struct node_nic *nic)
{
	struct node_vm host;
	size_t cursor = 0;

	json_out_begin_array(out, "addresses");
	while (node_vm_next(node, &cursor, &host)) {
		if (host.ifindex == nic->ifindex)
			write_addr(out, NULL, &host.addr);
	}
	json_out_end_array(out);
}

static void write_source(struct json_out *out, const struct node *node, const struct node_nic *nic,
			 const struct nic_source *source)
{
	char text[PREFIX_TEXT_MAX];

	json_out_begin_object(out, NULL);
	json_out_string(out, "address", prefix_format_short(&source->prefix, text));
	write_mac(out, "mac", nic->learned.mac);
	json_out_string(out, "origin", nic_source_from_name(source->from));
	json_out_string(out, "state", nic_source_state_name(source->state));
	if (mono_is_set(source->until))
		json_out_uint(out, "leaseSeconds",
			      mono_since_usec(source->until, loop_now(node->loop)) / 1000000);
	else
		json_out_null(out, "leaseSeconds");
	json_out_end_object(out);
}

/* What antiSpoof has learned, where it learns; and leases that it does not let through. */
static void write_sources(struct json_out *out, const struct node *node, const struct node_nic *nic)
{
	json_out_begin_array(out, "learnedSources");
	for (int six = 0; six < 2; six++) {
		for (uint32_t i = 0; i < nic->learned.n[six]; i++)
			write_source(out, node, nic, &nic->learned.source[six][i]);
	}
	for (uint32_t i = 0; i < nic->learned.n_refused; i++)
		write_source(out, node, nic, &nic->learned.refused[i]);
	json_out_end_array(out);
}

static void write_nic(struct json_out *out, const struct node *node, const struct node_nic *nic,
		      bool each)
{
	const struct loader_attachment *at = &nic->attachment;
	bool attached = nic->state == NIC_ATTACHED;

	json_out_string(out, "name", nic->name);
	json_out_uint(out, "ifindex", nic->ifindex);
	json_out_string(out, "vnet", nic->vnet ? nic->vnet->config->name : NULL);
	json_out_string(out, "routeTable", nic->table ? nic->table->config->name : NULL);
	json_out_string(out, "role", nic_role_name(nic->role));
	json_out_string(out, "attachState", nic_attach_state_name(nic->state));
	json_out_string(out, "attachReason", *nic->reason ? nic->reason : NULL);
	json_out_string(out, "xdpMode", attached ? loader_mode_name(at->mode) : NULL);
	write_mode(out, nic);
	json_out_uint(out, "progId", at->xdp.attached ? at->xdp.prog_id : at->tc.prog_id);
	json_out_uint(out, "linkId", at->xdp.attached ? at->xdp.link_id : at->tc.link_id);
	json_out_uint(out, "foreignProgId", at->foreign_id);
	write_link(out, node, nic);
	json_out_begin_array(out, "gatewayMacs");
	for (uint32_t i = 0; i < nic->n_gateway_macs; i++)
		write_mac(out, NULL, nic->gateway_mac[i]);
	json_out_end_array(out);
	if (each) {
		write_addresses(out, node, nic);
		write_sources(out, node, nic);
	}
	write_counters(out, node, nic, each);
}

/* --- nic.list, nic.show ----------------------------------------------------------------------------- */

struct nic_stream {
	struct api_stream base;
	struct fib_route_counters
		*counters; /* of the table, while they are read and after; NULL: one by one */
	bool counted;
	char name[VNET_NAME_MAX]; /* list: the vnet or ""; effective routes: the nic */
};

static bool step_list(struct api_stream *base, struct node *node, struct json_out *out)
{
	const char *vnet = ((struct nic_stream *)base)->name;

	for (unsigned int budget = API_STREAM_BUDGET; budget > 0; budget--) {
		const struct node_nic *nic;

		if (base->position >= node->n_nics)
			return false;
		nic = node->nics[base->position++];
		if (*vnet && (!nic->vnet || strcmp(nic->vnet->config->name, vnet) != 0))
			continue;
		json_out_begin_object(out, NULL);
		write_nic(out, node, nic, false);
		json_out_end_object(out);
		if (!stream_count(base)) {
			base->more = base->position < node->n_nics;
			return false;
		}
	}
	return true;
}

int method_nic_list(struct api_call *call)
{
	const char *vnet = request_text(call->request, "vnet");
	struct nic_stream *stream;

	if (vnet && !call_vnet(call))
		return -1;
	stream = stream_open(call, sizeof(*stream), step_list);
	if (!stream)
		return -1;
	snprintf(stream->name, sizeof(stream->name), "%s", vnet ? vnet : "");
	return 0;
}

int method_nic_show(struct api_call *call)
{
	const struct node_nic *nic = call_nic(call);

	if (!nic)
		return -1;
	write_nic(call->out, call->node, nic, true);
	return 0;
}

/* --- nic.listEffectiveRoutes -------------------------------------------------------------------------- */

struct effective_context {
	struct api_stream *stream;
	struct json_out *out;
	const struct node_table *table;
	const struct fib_route_counters *counters; /* NULL: one by one */
};

/* The next hop as the control plane means it: of a candidate that lost, nothing is in the maps. */
static void write_wanted(struct json_out *out, const struct node *node,
			 const struct effective_candidate *candidate)
{
	struct group_view view = { 0 };

	if (candidate->next_hop.family != IP_NONE) {
		view.n = 1;
		view.hop[0].family = candidate->next_hop.family;
		memcpy(view.hop[0].addr, candidate->next_hop.bytes, sizeof(view.hop[0].addr));
	} else if (candidate->group) {
		read_group(node, candidate->group, &view);
		view.packets = view.bytes = 0;
	}
	write_group(node, out, &view);
}

/*
 * With dataplane.routeCounters the packets of this route take the place of those of its next hops, which other
 * routes share. Returns when the last came, nanoseconds since boot; 0: never, or nobody counts.
 */
static uint64_t read_route_stats(const struct effective_context *context,
				 const struct ip_prefix *prefix, struct group_view *view)
{
	const struct node *node = context->table->vnet->node;
	struct xrs_route_stats stats;

	if (!node->maps || !node->config->route_counters)
		return 0;
	if (context->counters)
		fib_route_counters_get(context->counters, prefix, &stats);
	else
		fib_maps_route_stats(node->maps, context->table->index, prefix, &stats);
	view->packets = stats.packets;
	view->bytes = stats.bytes;
	return stats.last;
}

static void write_age(struct json_out *out, const struct node *node, uint64_t last)
{
	uint64_t now = loop_now(node->loop).usec;

	if (last)
		json_out_uint(out, "lastHitSeconds",
			      now > last / 1000 ? (now - last / 1000) / 1000000 : 0);
	else
		json_out_null(out, "lastHitSeconds");
}

static void write_effective(struct effective_context *context, const struct ip_prefix *prefix,
			    const struct effective_result *result, unsigned int index)
{
	const struct effective_candidate *candidate = &result->candidates[index];
	const struct node *node = context->table->vnet->node;
	struct json_out *out = context->out;
	struct xrs_route want, found;
	struct group_view view;
	uint64_t last = 0;

	json_out_begin_object(out, NULL);
	json_out_string(out, "source", effective_source_name(candidate->source));
	json_out_string(out, "state", candidate->reason == EFFECTIVE_NONE ? "Active" : "Invalid");
	write_prefix(out, "addressPrefix", prefix);
	json_out_string(out, "nextHopType", next_hop_type_name(candidate->next_hop_type));
	if ((int)index == result->winner && effective_route(result, &want)) {
		const char *state = read_back_state(context->table, prefix, &want, &found);

		read_group(node, found.kind == XRS_ROUTE_STEER ? found.group : GROUP_NONE, &view);
		last = read_route_stats(context, prefix, &view);
		write_group(node, out, &view);
		json_out_string(out, "dataplane", state);
	} else {
		write_wanted(out, node, candidate);
		json_out_null(out, "dataplane");
	}
	write_age(out, node, last);
	json_out_string(out, "reason", effective_reason_name(effective_why(candidate)));
	json_out_string(out, "reasonText", effective_reason_text(effective_why(candidate)));
	json_out_end_object(out);
}

/* All candidates of one prefix; they are one step, so that a page never ends between them. */
static bool write_prefix_routes(void *ctx, const struct ip_prefix *prefix,
				const struct effective_result *result)
{
	struct effective_context *context = ctx;
	bool go_on = true;

	for (unsigned int i = 0; i < result->n_candidates; i++) {
		write_effective(context, prefix, result, i);
		go_on = stream_count(context->stream);
	}
	return go_on;
}

static bool step_effective(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct node_nic *nic = node_find_nic(node, ((struct nic_stream *)base)->name);
	struct nic_stream *stream = (struct nic_stream *)base;
	struct node_effective_cursor cursor = { base->stage, base->position };
	struct effective_context context = { .stream = base,
					     .out = out,
					     .counters = stream->counters };
	bool left;

	if (!nic || !nic->table) {
		base->gone = true;
		return false;
	}
	if (stream->counters && !stream->counted) {
		stream->counted = !fib_route_counters_step(stream->counters);
		return true;
	}
	context.table = nic->table;
	left = node_effective_walk(nic->table, &cursor, API_STREAM_BUDGET, write_prefix_routes,
				   &context);
	base->stage = cursor.stage;
	base->position = cursor.position;
	return left && !base->more;
}

static void release_effective(struct api_stream *base)
{
	fib_route_counters_free(((struct nic_stream *)base)->counters);
}

int method_nic_effective(struct api_call *call)
{
	const struct node_nic *nic = call_nic(call);
	struct nic_stream *stream;

	if (!nic)
		return -1;
	if (!nic->table)
		return api_fail(call->error, API_NOT_READY, "name",
				"the nic has no route table: %s", nic->reason);
	stream = stream_open(call, sizeof(*stream), step_effective);
	if (!stream)
		return -1;
	/* A page of a few routes is less than reading the counters of all. */
	if (call->node->maps && call->node->config->route_counters && !stream->base.limit)
		stream->counters = fib_route_counters_new(call->node->maps, nic->table->index);
	stream->base.release = release_effective;
	snprintf(stream->name, sizeof(stream->name), "%s", nic->name);
	return 0;
}
