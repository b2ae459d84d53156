// SPDX-License-Identifier: GPL-2.0-only
/*
 * What virtualNetworkPeerings mean between vnets: prefixes that may not overlap, and at most one route
 * server for each. Part of config_check(), after every vnet was looked at by itself. Pure.
 */
#include <errno.h>
#include <stdio.h>

#include "agent/config_schema.h"
#include "vnet/peered.h"

#define CHECK_PATH 160

/* Two vnets that reach each other directly must be told apart by address. */
static int check_overlap(struct config_ctx *ctx, const char *at, const struct vnet_config *a,
			 const struct vnet_config *b)
{
	char text_a[PREFIX_TEXT_MAX], text_b[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < a->n_prefixes; i++) {
		for (size_t k = 0; k < b->n_prefixes; k++) {
			if (!prefix_overlaps(&a->prefixes[i], &b->prefixes[k]))
				continue;
			return config_fail_at(
				ctx, at,
				"%s of '%s' overlaps %s of '%s': such vnets can not be peered",
				prefix_format(&a->prefixes[i], text_a), a->name,
				prefix_format(&b->prefixes[k], text_b), b->name);
		}
	}
	return 0;
}

static int check_sharing(struct config_ctx *ctx, const char *at, const struct vnet_config *a,
			 const struct vnet_config *b)
{
	if (a->route_server.present == b->route_server.present)
		return config_fail_at(ctx, at,
				      "exactly one of '%s' and '%s' must have a routeServer: the "
				      "other one uses it",
				      a->name, b->name);
	return 0;
}

/* Whoever has no route server of its own uses one; of two hubs nobody could say which. */
static int check_one_source(struct config_ctx *ctx, const struct peered *peered, size_t v)
{
	const struct vnet_config *vnets = ctx->config->vnets;
	const struct peered_vnet *links = &peered->vnets[v];
	char at[CHECK_PATH];

	if (vnets[v].route_server.present)
		return 0;
	for (size_t i = 0; i < links->n_links; i++) {
		if (!links->links[i].shares || links->links[i].remote == links->source)
			continue;
		snprintf(at, sizeof(at), "vnets[%zu].virtualNetworkPeerings", v);
		return config_fail_at(
			ctx, at,
			"'%s' would use the route servers of '%s' and of '%s': only one "
			"peering may have useRemoteRouteServer",
			vnets[v].name, vnets[links->source].name,
			vnets[links->links[i].remote].name);
	}
	return 0;
}

static int check_one(struct config_ctx *ctx, size_t v, size_t p)
{
	const struct vnet_config *vnet = &ctx->config->vnets[v];
	const struct vnet_peering_config *peering = &vnet->vnet_peerings[p];
	const struct vnet_config *remote = config_find_vnet(ctx->config, peering->remote_vnet);
	char at[CHECK_PATH];
	int r;

	snprintf(at, sizeof(at), "vnets[%zu].virtualNetworkPeerings[%zu].remoteVnet", v, p);
	r = check_overlap(ctx, at, vnet, remote);
	if (r < 0 || !peering->use_remote_route_server)
		return r;
	snprintf(at, sizeof(at), "vnets[%zu].virtualNetworkPeerings[%zu].useRemoteRouteServer", v,
		 p);
	return check_sharing(ctx, at, vnet, remote);
}

int config_check_peered(struct config_ctx *ctx)
{
	const struct config *config = ctx->config;
	struct peered peered;
	int r = 0;

	for (size_t v = 0; v < config->n_vnets && r == 0; v++) {
		for (size_t p = 0; p < config->vnets[v].n_vnet_peerings && r == 0; p++)
			r = check_one(ctx, v, p);
	}
	if (r < 0)
		return r;
	if (peered_build(config->vnets, config->n_vnets, &peered) < 0)
		return config_fail_memory(ctx);
	for (size_t v = 0; v < config->n_vnets && r == 0; v++)
		r = check_one_source(ctx, &peered, v);
	peered_done(&peered);
	return r;
}
