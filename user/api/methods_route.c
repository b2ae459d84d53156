// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers that list and explain BGP routes: peering.listLearnedRoutes, peering.listAdvertisedRoutes,
 * route.list. Long ones are streams over the RIB's resumable walks. Reads only.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"
#include "bgp/attr_json.h"

#define WALK_BUDGET (4 * API_STREAM_BUDGET)

/* What the walks below carry along. A stream keeps names, so that a reload between slices is harmless. */
struct route_stream {
	struct api_stream base;
	char vnet[VNET_NAME_MAX], peering[64], table[VNET_NAME_MAX];
	bool filter, longer;
	struct ip_prefix prefix;
};

struct route_context { /* of one slice */
	struct route_stream *stream;
	struct json_out *out;
	const struct node_vnet *vnet;
	const struct node_peering *peering; /* NULL: of all */
	const struct node_table *table;     /* whose tries say what is installed */
	struct mono now;
	bool advertised;
};

static bool wanted(const struct route_stream *stream, const struct ip_prefix *prefix)
{
	if (!stream->filter)
		return true;
	return stream->longer ? prefix_covers(&stream->prefix, prefix)
			      : prefix_equal(&stream->prefix, prefix);
}

static bool copy_filter(struct api_call *call, struct route_stream *stream, bool longer)
{
	const char *prefix = request_text(call->request, "prefix");
	const char *match = request_text(call->request, "match");

	if (prefix)
		stream->filter = prefix_parse(prefix, &stream->prefix) == 0;
	stream->longer = longer || (match && strcmp(match, "longer") == 0);
	return true;
}

/* --- one path ---------------------------------------------------------------------------------------- */

const struct node_peering *route_peering(const struct node_vnet *vnet, uint16_t rib_peer)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (vnet->peerings[i]->rib_peer == rib_peer)
			return vnet->peerings[i];
	}
	return NULL;
}

struct install {
	const char *status, *reason;
	int error;
};

/* Whether this path's prefix is in the main table's trie because of BGP, and if not, why. */
static struct install install_of(const struct node_table *table, const struct rib_path_view *view)
{
	const struct node *node = table->vnet->node;
	struct effective_result result;
	struct fib_plan_route planned;

	if (view->state != RIB_PATH_OK)
		return (struct install){ "notInstalled", rib_path_state_name(view->state), 0 };
	if (!view->best && !view->multipath)
		return (struct install){ "notInstalled", "NotSelected", 0 };
	node_effective(table, &view->prefix, &result);
	for (unsigned int i = 0; i < result.n_candidates; i++) {
		const struct effective_candidate *candidate = &result.candidates[i];

		if (candidate->source == XRS_SOURCE_BGP && candidate->reason != EFFECTIVE_NONE)
			return (struct install){ "notInstalled",
						 effective_reason_name(candidate->reason), 0 };
	}
	if (!node->plan)
		return (struct install){ "notInstalled", "NoDataplane", 0 };
	if (!fib_plan_route(node->plan, table->index, &view->prefix, &planned))
		return (struct install){ "pending", "Queued", 0 };
	switch (planned.state) {
	case FIB_PLAN_CLEAN:
		return (struct install){ "installed", "", 0 };
	case FIB_PLAN_REJECTED:
		return (struct install){ "rejected", strerror(planned.error), planned.error };
	case FIB_PLAN_HELD:
		return (struct install){ "pending", "WaitsForGroup", 0 };
	default:
		return (struct install){ "pending", "Queued", 0 };
	}
}

void write_install(struct json_out *out, const struct node_table *table,
		   const struct rib_path_view *view)
{
	struct install install = install_of(table, view);

	json_out_string(out, "routeStatus",
			strcmp(install.status, "installed") == 0 ? "in-fib" : "in-rib");
	json_out_string(out, "installStatus", install.status);
	json_out_string(out, "installReason", install.reason);
	if (install.error)
		json_out_int(out, "errno", install.error);
}

void write_route_attrs(struct json_out *out, const struct bgp_attrs *attrs, uint32_t weight)
{
	bgp_write_attrs(out, attrs);
	json_out_uint(out, "weight", weight);
}

/* "Network" is what we originate ourselves: nobody's path. */
static const char *source_name(const struct node_vnet *vnet, const struct node_peering *from)
{
	if (!from)
		return "Network";
	return from->config->peer_asn == vnet->config->route_server.asn ? "IBgp" : "EBgp";
}

static void write_local_address(struct json_out *out, const struct node_peering *peering)
{
	struct session_info info;

	session_get_info(peering->session, &info);
	write_addr(out, "localAddress",
		   info.local_addr.family ? &info.local_addr
					  : &session_config(peering->session)->local_addr);
}

/* One PeerRoute. The attributes are those received; what policy made of them is in the flags. */
static bool write_path(void *ctx, const struct rib_path_view *view)
{
	struct route_context *context = ctx;
	struct json_out *out = context->out;
	const struct node_peering *from = route_peering(context->vnet, view->peer);

	if (!wanted(context->stream, &view->prefix))
		return true;
	json_out_begin_object(out, NULL);
	write_local_address(out, context->peering);
	write_prefix(out, "network", &view->prefix);
	json_out_string(out, "sourcePeer", from ? from->config->name : NULL);
	json_out_string(out, "source", source_name(context->vnet, from));
	write_route_attrs(out, context->advertised && view->attrs ? view->attrs : view->attrs_in,
			  view->weight);
	if (!context->advertised) {
		json_out_uint(out, "pathId", view->path_id);
		json_out_bool(out, "valid", view->state == RIB_PATH_OK);
		json_out_bool(out, "best", view->best);
		json_out_bool(out, "multipath", view->multipath);
		json_out_bool(out, "stale", view->stale);
		json_out_int(out, "policyRule", view->policy_rule);
		write_install(out, context->table, view);
	}
	if (mono_is_set(view->since))
		json_out_uint(out, "ageSeconds",
			      mono_since_usec(context->now, view->since) / 1000000);
	json_out_end_object(out);
	return stream_count(&context->stream->base);
}

/* --- per peering ------------------------------------------------------------------------------------- */

static bool step_peer(struct api_stream *base, struct node *node, struct json_out *out,
		      bool advertised)
{
	struct route_stream *stream = (struct route_stream *)base;
	bool ambiguous;
	struct node_peering *peering =
		node_find_peering(node, stream->vnet, stream->peering, &ambiguous);
	struct route_context context = { .stream = stream, .out = out, .peering = peering };

	if (!peering || !peering->vnet->rib) {
		base->gone = true;
		return false;
	}
	context.vnet = peering->vnet;
	context.table = &peering->vnet->tables[0];
	context.now = loop_now(node->loop);
	context.advertised = advertised;
	for (; base->stage < BGP_FAMILY_MAX; base->stage++, base->position = 0) {
		bool left = (advertised ? rib_walk_advertised : rib_walk_learned)(
			peering->vnet->rib, peering->rib_peer, base->stage, &base->position,
			WALK_BUDGET, write_path, &context);

		if (base->more)
			return false;
		if (left)
			return true;
	}
	return false;
}

static bool step_learned(struct api_stream *base, struct node *node, struct json_out *out)
{
	return step_peer(base, node, out, false);
}

static bool step_advertised(struct api_stream *base, struct node *node, struct json_out *out)
{
	return step_peer(base, node, out, true);
}

static int open_peer(struct api_call *call, bool (*step)(struct api_stream *stream,
							 struct node *node, struct json_out *out))
{
	const struct node_peering *peering = call_peering(call);
	struct route_stream *stream;

	if (!peering)
		return -1;
	stream = stream_open(call, sizeof(*stream), step);
	if (!stream)
		return -1;
	snprintf(stream->vnet, sizeof(stream->vnet), "%s", peering->vnet->config->name);
	snprintf(stream->peering, sizeof(stream->peering), "%s", peering->config->name);
	copy_filter(call, stream, false);
	return 0;
}

int method_peering_learned(struct api_call *call)
{
	return open_peer(call, step_learned);
}

int method_peering_advertised(struct api_call *call)
{
	return open_peer(call, step_advertised);
}

/* --- route.list ---------------------------------------------------------------------------------------- */

static bool write_rib_route(void *ctx, const struct rib_path_view *view)
{
	struct route_context *context = ctx;
	struct json_out *out = context->out;
	const struct node_peering *from = route_peering(context->vnet, view->peer);

	if (!wanted(context->stream, &view->prefix))
		return true;
	json_out_begin_object(out, NULL);
	write_prefix(out, "prefix", &view->prefix);
	json_out_string(out, "nextHopType", "VirtualNetworkGateway");
	json_out_string(out, "peering", from ? from->config->name : NULL);
	write_route_attrs(out, view->attrs ? view->attrs : view->attrs_in, view->weight);
	json_out_bool(out, "valid", view->state == RIB_PATH_OK);
	json_out_bool(out, "best", view->best);
	json_out_bool(out, "multipath", view->multipath);
	write_install(out, context->table, view);
	json_out_end_object(out);
	return stream_count(&context->stream->base);
}

static struct node_vnet *stream_vnet(struct route_stream *stream, struct node *node)
{
	struct node_vnet *vnet = node_find_vnet(node, stream->vnet);

	stream->base.gone = !vnet;
	return vnet;
}

static bool step_rib(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct route_stream *stream = (struct route_stream *)base;
	struct node_vnet *vnet = stream_vnet(stream, node);
	struct rib *rib = vnet ? node_vnet_source_rib(vnet) : NULL;
	struct route_context context = { .stream = stream, .out = out };

	if (!rib)
		return false;
	context.vnet = vnet->source;
	context.table = &vnet->tables[0];
	for (; base->stage < BGP_FAMILY_MAX; base->stage++, base->position = 0) {
		bool left = rib_walk_all(rib, base->stage, &base->position, WALK_BUDGET,
					 write_rib_route, &context);

		if (base->more)
			return false;
		if (left)
			return true;
	}
	return false;
}

static const char *kind_name(const struct xrs_route *route)
{
	if (route->kind == XRS_ROUTE_STEER)
		return route->source == XRS_SOURCE_USER ? "VirtualAppliance"
							: "VirtualNetworkGateway";
	return route->kind == XRS_ROUTE_INTERNET ? "Internet"
	       : route->kind == XRS_ROUTE_DROP   ? "None"
						 : "VnetLocal";
}

static bool write_map_route(struct route_stream *stream, const struct node *node,
			    const struct ip_prefix *prefix, const struct xrs_route *route,
			    const char *state, struct json_out *out)
{
	struct group_view view;

	if (!wanted(stream, prefix))
		return true;
	json_out_begin_object(out, NULL);
	write_prefix(out, "prefix", prefix);
	json_out_string(out, "nextHopType", kind_name(route));
	json_out_string(out, "source", effective_source_name(route->source));
	json_out_string(out, "state", state);
	json_out_uint(out, "group", route->group);
	read_group(node, route->kind == XRS_ROUTE_STEER ? route->group : GROUP_NONE, &view);
	write_group(node, out, &view);
	json_out_end_object(out);
	return stream_count(&stream->base);
}

static bool step_fib(struct api_stream *base, struct node *node, struct json_out *out)
{
	static const enum ip_family families[] = { IP_V4, IP_V6 };
	struct route_stream *stream = (struct route_stream *)base;
	struct node_vnet *vnet = stream_vnet(stream, node);
	struct node_table *table = vnet ? node_find_table(vnet, stream->table) : NULL;
	struct fib_plan_route route;

	if (!table || !node->plan || base->stage > 1)
		return false;
	for (unsigned int budget = WALK_BUDGET; budget > 0; budget--) {
		/* One at a time, so that the cursor stands right when the limit is reached. */
		if (!fib_plan_walk(node->plan, table->index, families[base->stage], &base->position,
				   &route, 1)) {
			base->position = 0;
			if (++base->stage > 1)
				return false;
			continue;
		}
		if (route.wanted && !write_map_route(stream, node, &route.prefix, &route.want,
						     fib_plan_state_name(route.state), out))
			return false;
	}
	return true;
}

/* The trie's own walk has no number for a cursor, so this view keeps its place itself. */
struct bpf_stream {
	struct route_stream route;
	struct fib_walk walk;
	bool started;
};

static bool step_bpf(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct bpf_stream *stream = (struct bpf_stream *)base;
	struct node_vnet *vnet = stream_vnet(&stream->route, node);
	struct node_table *table = vnet ? node_find_table(vnet, stream->route.table) : NULL;
	struct fib_route routes[API_STREAM_BUDGET];
	size_t n = 0;

	if (!table || !node->maps || base->stage > 1)
		return false;
	if (!stream->started)
		fib_walk_init(&stream->walk, table->index, base->stage ? IP_V6 : IP_V4);
	stream->started = true;
	if (fib_maps_walk(node->maps, &stream->walk, routes, API_STREAM_BUDGET, &n) < 0) {
		base->gone = true; /* the entry where it stood was removed */
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!write_map_route(&stream->route, node, &routes[i].prefix, &routes[i].value,
				     "installed", out)) {
			base->more = false;
			base->gone = true;
			return false;
		}
	}
	if (n == 0) {
		base->stage++;
		stream->started = false;
	}
	return base->stage <= 1;
}

int method_route_list(struct api_call *call)
{
	const char *view = request_text(call->request, "view");
	const char *table = request_text(call->request, "routeTable");
	bool bpf = view && strcmp(view, "bpf") == 0, fib = view && strcmp(view, "fib") == 0;
	struct node_vnet *vnet = call_vnet(call);
	struct route_stream *stream;

	if (!vnet || !call_table(call, vnet, "routeTable"))
		return -1;
	if (bpf && request_text(call->request, "cursor"))
		return api_fail(call->error, API_INVALID_PARAMS, "cursor",
				"the view bpf has no cursor: narrow it by 'prefix'");
	if ((bpf || fib) && !call->node->maps)
		return api_fail(call->error, API_NOT_READY, "view",
				"there is no data plane (dataplane.mode none)");
	stream = stream_open(call, sizeof(struct bpf_stream),
			     bpf   ? step_bpf
			     : fib ? step_fib
				   : step_rib);
	if (!stream)
		return -1;
	snprintf(stream->vnet, sizeof(stream->vnet), "%s", vnet->config->name);
	snprintf(stream->table, sizeof(stream->table), "%.31s", table ? table : "main");
	copy_filter(call, stream, true);
	return 0;
}
