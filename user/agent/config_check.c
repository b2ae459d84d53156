// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no single value of the configuration shows: duplicates, overlaps, dangling names, values that
 * contradict each other. Runs once after all objects were read, stops at the first fault, and says at
 * which path. Then the defaults that depend on other values. Pure. Sorts where a client could send many:
 * never quadratic.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "util/closest.h"

#define CHECK_PATH     160
#define CHECK_KEY      136
#define RANGE_NAME_MAX 16 /* and '-' and an address make the name of a peering */

#define PATH(buf, ...) (snprintf(buf, CHECK_PATH, __VA_ARGS__), (buf))

/* --- duplicates ------------------------------------------------------------------------------------ */

struct check_entry {
	char key[CHECK_KEY];
	size_t outer, inner; /* indices, for the path */
};

struct check_set {
	struct check_entry *entries;
	size_t n, cap;
};

static int set_add(struct check_set *set, size_t outer, size_t inner, const char *key)
{
	struct check_entry *entry;

	if (set->n == set->cap) {
		size_t cap = set->cap ? 2 * set->cap : 64;
		struct check_entry *bigger = realloc(set->entries, cap * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		set->entries = bigger;
		set->cap = cap;
	}
	entry = &set->entries[set->n++];
	snprintf(entry->key, sizeof(entry->key), "%s", key);
	entry->outer = outer;
	entry->inner = inner;
	return 0;
}

static int entry_cmp(const void *a, const void *b)
{
	const struct check_entry *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	if (x->outer != y->outer)
		return x->outer < y->outer ? -1 : 1;
	return x->inner < y->inner ? -1 : x->inner > y->inner;
}

/* Sorts; the second of two equal keys, with the first in front of it, or NULL. */
static const struct check_entry *set_duplicate(struct check_set *set)
{
	if (set->n)
		qsort(set->entries, set->n, sizeof(*set->entries), entry_cmp);
	for (size_t i = 1; i < set->n; i++) {
		if (strcmp(set->entries[i - 1].key, set->entries[i].key) == 0)
			return &set->entries[i];
	}
	return NULL;
}

/* @n structs of @size that begin with their name. */
static int check_names(struct config_ctx *ctx, const char *path, const void *list, size_t n,
		       size_t size)
{
	struct check_set set = { 0 };
	const struct check_entry *twice;
	char at[CHECK_PATH];
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = set_add(&set, 0, i, (const char *)list + i * size);
	twice = r == 0 ? set_duplicate(&set) : NULL;
	if (r < 0)
		r = config_fail_memory(ctx);
	else if (twice)
		r = config_fail_at(ctx, PATH(at, "%s[%zu].name", path, twice->inner),
				   "the name '%s' is used twice", twice->key);
	free(set.entries);
	return r;
}

struct check_prefix {
	const struct ip_prefix *prefix;
	size_t index;
};

static int prefix_entry_cmp(const void *a, const void *b)
{
	const struct check_prefix *x = a, *y = b;
	int order = prefix_cmp(x->prefix, y->prefix);

	return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

/*
 * Prefixes at the start of structs of @size. In sorted order one that covers another covers all
 * between them, so neighbours tell it all. @overlap: also those that are not equal.
 */
static int check_prefixes(struct config_ctx *ctx, const char *format, const char *base,
			  const void *list, size_t n, size_t size, bool overlap)
{
	struct check_prefix *sorted = calloc(n ? n : 1, sizeof(*sorted));
	char at[CHECK_PATH], a[PREFIX_TEXT_MAX], b[PREFIX_TEXT_MAX];
	int r = 0;

	if (!sorted)
		return config_fail_memory(ctx);
	for (size_t i = 0; i < n; i++) {
		const void *item = (const char *)list + i * size;

		sorted[i] = (struct check_prefix){ .prefix = item, .index = i };
	}
	qsort(sorted, n, sizeof(*sorted), prefix_entry_cmp);
	for (size_t i = 1; i < n && r == 0; i++) {
		const struct check_prefix *x = &sorted[i - 1], *y = &sorted[i];

		if (overlap ? !prefix_overlaps(x->prefix, y->prefix)
			    : !prefix_equal(x->prefix, y->prefix))
			continue;
		snprintf(at, sizeof(at), "%s[%zu]%s", base, y->index, format);
		r = config_fail_at(ctx, at, "%s %s %s", prefix_format(y->prefix, b),
				   overlap ? "overlaps" : "is the same as",
				   prefix_format(x->prefix, a));
	}
	free(sorted);
	return r;
}

/* --- names that must exist -------------------------------------------------------------------------- */

/* @list: @n structs of @size that begin with their name; @also: one more that exists, or NULL. */
static int check_reference(struct config_ctx *ctx, const char *path, const char *kind,
			   const char *name, const void *list, size_t n, size_t size,
			   const char *also)
{
	struct closest closest;

	if (also && strcmp(name, also) == 0)
		return 0;
	closest_init(&closest, name);
	for (size_t i = 0; i < n; i++) {
		const char *candidate = (const char *)list + i * size;

		if (strcmp(candidate, name) == 0)
			return 0;
		closest_offer(&closest, candidate);
	}
	if (also)
		closest_offer(&closest, also);
	if (closest_best(&closest))
		return config_fail_at(ctx, path, "no %s is named '%s'; did you mean '%s'?", kind,
				      name, closest_best(&closest));
	return config_fail_at(ctx, path, "no %s is named '%s'", kind, name);
}

/* --- peerings --------------------------------------------------------------------------------------- */

static const char *peer_key(const struct peering_config *peering)
{
	return peering_is_range(peering) ? "peerRange" : "peerIp";
}

/* A peer with an address is somebody; a range is whoever may come. */
static int check_peering_kind(struct config_ctx *ctx, const char *base,
			      const struct peering_config *peering)
{
	bool single = peering->peer_ip.family != IP_NONE;
	char at[CHECK_PATH];

	if (single == peering_is_range(peering))
		return config_fail_at(ctx, base, "exactly one of peerIp and peerRange is needed");
	if (single && !peering->peer_asn)
		return config_fail_at(ctx, base, "the key 'peerAsn' is missing");
	if (single && peering->peer_asns.n)
		return config_fail_at(ctx, PATH(at, "%s.peerAsns", base),
				      "goes with peerRange; with peerIp say peerAsn");
	if (single)
		return 0;
	if (peering->peer_asn && peering->peer_asns.n)
		return config_fail_at(ctx, PATH(at, "%s.peerAsns", base),
				      "and peerAsn exclude each other");
	if (strlen(peering->name) > RANGE_NAME_MAX)
		return config_fail_at(ctx, PATH(at, "%s.name", base),
				      "of a range may have %d octets: its peers are called "
				      "NAME-ADDRESS",
				      RANGE_NAME_MAX);
	if (peering->role != PEER_NVA && peering->role != PEER_AGENT)
		return config_fail_at(ctx, PATH(at, "%s.role", base),
				      "must be nva or agent with peerRange: gateways and "
				      "reflectors are configured one by one");
	if (peering->bfd.strict)
		return config_fail_at(ctx, PATH(at, "%s.bfd.strict", base),
				      "does not go with peerRange: BFD learns of a peer when it "
				      "connects");
	return 0;
}

static int check_peering_addresses(struct config_ctx *ctx, const char *base,
				   const struct vnet_config *vnet,
				   const struct peering_config *peering)
{
	const struct route_server_config *server = &vnet->route_server;
	char at[CHECK_PATH], text[IP_TEXT_MAX];
	struct ip_addr bind = { .family = IP_NONE };

	if (!peering_is_range(peering) && (ip_equal(&peering->peer_ip, &server->local_address) ||
					   ip_equal(&peering->peer_ip, &server->local_address6)))
		return config_fail_at(ctx, PATH(at, "%s.peerIp", base),
				      "%s is the route server's own address",
				      ip_format(&peering->peer_ip, text));
	if (*peering->local_address) {
		ip_parse(peering->local_address, &bind);
		if (bind.family != peering_family(peering))
			return config_fail_at(ctx, PATH(at, "%s.localAddress", base),
					      "must be of the same family as %s",
					      peering_is_range(peering) ? "peerRange" : "peerIp");
		if (ip_equal(&bind, &peering->peer_ip))
			return config_fail_at(ctx, PATH(at, "%s.localAddress", base),
					      "is the peer's address");
	}
	if (ip_is_link_local(peering_is_range(peering) ? &peering->peer_range.addr
						       : &peering->peer_ip) &&
	    peering_family(peering) == IP_V6 && !*peering->device)
		return config_fail_at(ctx, PATH(at, "%s.%s", base, peer_key(peering)),
				      "a link-local peer needs 'device'");
	return 0;
}

/* What we originate needs a next hop of its family: ours, or the address of the session. */
static int check_peering_families(struct config_ctx *ctx, const char *base,
				  const struct route_server_config *server,
				  const struct peering_config *peering)
{
	bool session6 = peering_family(peering) == IP_V6;
	uint32_t families = peering->families;
	char at[CHECK_PATH];

	if (!families)
		families = session6 ? BGP_FAMILY_BIT(BGP_IPV6_UNICAST)
				    : BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	if (!peering->capabilities.multiprotocol && families != BGP_FAMILY_BIT(BGP_IPV4_UNICAST))
		return config_fail_at(ctx, PATH(at, "%s.capabilities.multiprotocol", base),
				      "off goes with ipv4-unicast alone");
	if ((families & BGP_FAMILY_BIT(BGP_IPV4_UNICAST)) && session6 &&
	    !server->local_address.family && !peering->capabilities.extended_next_hop)
		return config_warn(ctx->config,
				   "%s: the vnet's IPv4 prefixes are not announced over IPv6 "
				   "without routeServer.localAddress or extendedNextHop",
				   base);
	if ((families & BGP_FAMILY_BIT(BGP_IPV6_UNICAST)) && !session6 &&
	    !server->local_address6.family)
		return config_warn(ctx->config,
				   "%s: the vnet's IPv6 prefixes are not announced over IPv4 "
				   "without routeServer.localAddress6",
				   base);
	return 0;
}

static int check_peering_values(struct config_ctx *ctx, const char *base,
				const struct route_server_config *server,
				const struct peering_config *peering)
{
	char at[CHECK_PATH];

	if (peering->role == PEER_NVA && peering->peer_asn == server->asn)
		return config_fail_at(ctx, PATH(at, "%s.peerAsn", base),
				      "is the route server's own AS number: an NVA speaks eBGP");
	if (peering->hold_time == 1 || peering->hold_time == 2)
		return config_fail_at(ctx, PATH(at, "%s.holdTime", base),
				      "must be 0 or at least 3 seconds (RFC 4271 4.2)");
	if (peering->send_hold_time && peering->send_hold_time <= peering->hold_time)
		return config_fail_at(ctx, PATH(at, "%s.sendHoldTime", base),
				      "must be more than holdTime (%u) (RFC 9687 5)",
				      peering->hold_time);
	if (peering->keepalive_time && peering->keepalive_time >= peering->hold_time)
		return config_fail_at(ctx, PATH(at, "%s.keepaliveTime", base),
				      "must be less than holdTime (%u)", peering->hold_time);
	return 0;
}

/* iBGP and RFC 9234 exclude each other, and what depends on graceful restart needs it. */
static int check_peering_protocol(struct config_ctx *ctx, const char *base,
				  const struct route_server_config *server,
				  const struct peering_config *peering)
{
	char at[CHECK_PATH];

	if ((peering->role == PEER_REFLECTOR || peering->role == PEER_AGENT) &&
	    peering->peer_asn != server->asn)
		return config_fail_at(
			ctx, PATH(at, "%s.peerAsn", base),
			"must be the route server's own AS number, %u: roles reflector "
			"and agent are iBGP",
			server->asn);
	if (peering->bgp_role != BGP_ROLE_MAX && peering->peer_asn == server->asn)
		return config_fail_at(ctx, PATH(at, "%s.bgpRole", base),
				      "is for external peers (RFC 9234 4)");
	if (peering->bgp_role_strict && peering->bgp_role == BGP_ROLE_MAX)
		return config_fail_at(ctx, PATH(at, "%s.bgpRoleStrict", base), "needs bgpRole");
	if (peering->gr_required && !peering->gr_enabled)
		return config_fail_at(ctx, PATH(at, "%s.gracefulRestart.required", base),
				      "needs gracefulRestart.enabled");
	if (peering->gr_long_lived_time && !peering->gr_enabled)
		return config_fail_at(ctx, PATH(at, "%s.gracefulRestart.longLivedTime", base),
				      "needs gracefulRestart.enabled (RFC 9494 4.1)");
	return 0;
}

static int check_peering_watch(struct config_ctx *ctx, const char *base,
			       const struct peering_config *peering)
{
	const struct bfd_config *bfd = &peering->bfd;
	char at[CHECK_PATH];

	if (bfd->auth_type != BFD_AUTH_NONE && !*bfd->auth_key_file)
		return config_fail_at(ctx, PATH(at, "%s.bfd.auth", base),
				      "type '%s' needs a 'keyFile'", bfd_auth_name(bfd->auth_type));
	if (bfd->auth_type == BFD_AUTH_NONE && *bfd->auth_key_file)
		return config_fail_at(ctx, PATH(at, "%s.bfd.auth.keyFile", base),
				      "needs a 'type' other than none");
	if (peering->probe_timeout_ms > peering->probe_interval_ms)
		return config_fail_at(ctx, PATH(at, "%s.probe.timeoutMs", base),
				      "must be at most intervalMs (%u)",
				      peering->probe_interval_ms);
	if (bfd->strict && !bfd->enabled)
		return config_fail_at(ctx, PATH(at, "%s.bfd.strict", base),
				      "needs 'enabled': true, or the session would never start");
	return 0;
}

static int check_peering_maps(struct config_ctx *ctx, const char *base,
			      const struct vnet_config *vnet, const struct peering_config *peering)
{
	const char *maps[] = { peering->inbound_route_map, peering->outbound_route_map };
	static const char *const keys[] = { "inboundRouteMap", "outboundRouteMap" };
	char at[CHECK_PATH];
	int r = 0;

	for (size_t i = 0; i < 2 && r == 0; i++) {
		if (*maps[i])
			r = check_reference(ctx, PATH(at, "%s.%s", base, keys[i]), "route map",
					    maps[i], vnet->route_maps, vnet->n_route_maps,
					    sizeof(*vnet->route_maps), NULL);
	}
	return r;
}

static int check_peering(struct config_ctx *ctx, size_t v, size_t p)
{
	const struct vnet_config *vnet = &ctx->config->vnets[v];
	const struct peering_config *peering = &vnet->peerings[p];
	char base[CHECK_PATH / 2];
	int r;

	snprintf(base, sizeof(base), "vnets[%zu].peerings[%zu]", v, p);
	r = check_peering_kind(ctx, base, peering);
	if (r == 0)
		r = check_peering_addresses(ctx, base, vnet, peering);
	if (r == 0)
		r = check_peering_values(ctx, base, &vnet->route_server, peering);
	if (r == 0)
		r = check_peering_protocol(ctx, base, &vnet->route_server, peering);
	if (r == 0)
		r = check_peering_families(ctx, base, &vnet->route_server, peering);
	if (r == 0)
		r = check_peering_watch(ctx, base, peering);
	if (r == 0)
		r = check_peering_maps(ctx, base, vnet, peering);
	return r;
}

static char *peer_text(const struct peering_config *peering, char text[static PREFIX_TEXT_MAX])
{
	return peering_is_range(peering) ? prefix_format(&peering->peer_range, text)
					 : ip_format(&peering->peer_ip, text);
}

/* Which source address a session uses, for the comparison between vnets. */
static void source_of(const struct vnet_config *vnet, const struct peering_config *peering,
		      char text[static IP_TEXT_MAX])
{
	if (*peering->local_address)
		snprintf(text, IP_TEXT_MAX, "%s", peering->local_address);
	else
		ip_format(peering_family(peering) == IP_V6 ? &vnet->route_server.local_address6
							   : &vnet->route_server.local_address,
			  text);
}

/* Connections that arrive are told apart by both addresses, our port and the device. */
static int check_sessions(struct config_ctx *ctx)
{
	const struct config *config = ctx->config;
	char key[CHECK_KEY], peer[PREFIX_TEXT_MAX], source[IP_TEXT_MAX], at[CHECK_PATH];
	const struct check_entry *twice;
	struct check_set set = { 0 };
	int r = 0;

	for (size_t v = 0; v < config->n_vnets; v++) {
		const struct vnet_config *vnet = &config->vnets[v];

		for (size_t p = 0; p < vnet->n_peerings && r == 0; p++) {
			const struct peering_config *peering = &vnet->peerings[p];

			source_of(vnet, peering, source);
			snprintf(key, sizeof(key), "%s %s %u %s", peer_text(peering, peer), source,
				 vnet->route_server.port, peering->device);
			r = set_add(&set, v, p, key);
		}
	}
	twice = r == 0 ? set_duplicate(&set) : NULL;
	if (r < 0)
		r = config_fail_memory(ctx);
	else if (twice)
		r = config_fail_at(
			ctx,
			PATH(at, "vnets[%zu].peerings[%zu].%s", twice->outer, twice->inner,
			     peer_key(&config->vnets[twice->outer].peerings[twice->inner])),
			"vnets[%zu].peerings[%zu] has the same peer and source address: "
			"bind one of them with localAddress or device",
			twice[-1].outer, twice[-1].inner);
	free(set.entries);
	return r;
}

/* --- vnets ------------------------------------------------------------------------------------------ */

/* One address is one peering, however it is bound; only link-local ones need their device too. */
static int check_peer_addresses(struct config_ctx *ctx, size_t v)
{
	const struct vnet_config *vnet = &ctx->config->vnets[v];
	char key[CHECK_KEY], text[PREFIX_TEXT_MAX], at[CHECK_PATH];
	const struct check_entry *twice;
	struct check_set set = { 0 };
	int r = 0;

	for (size_t p = 0; p < vnet->n_peerings && r == 0; p++) {
		const struct peering_config *peering = &vnet->peerings[p];

		snprintf(key, sizeof(key), "%s%%%s", peer_text(peering, text),
			 ip_is_link_local(&peering->peer_ip) ? peering->device : "");
		r = set_add(&set, v, p, key);
	}
	twice = r == 0 ? set_duplicate(&set) : NULL;
	if (r < 0)
		r = config_fail_memory(ctx);
	else if (twice)
		r = config_fail_at(ctx,
				   PATH(at, "vnets[%zu].peerings[%zu].%s", v, twice->inner,
					peer_key(&vnet->peerings[twice->inner])),
				   "peering '%s' has the same address",
				   vnet->peerings[twice[-1].inner].name);
	free(set.entries);
	return r;
}

static int check_user_route(struct config_ctx *ctx, const char *table, size_t index,
			    const struct user_route *route)
{
	bool appliance = route->type == NEXT_HOP_VIRTUAL_APPLIANCE;
	char at[CHECK_PATH];

	PATH(at, "%s.routes[%zu].nextHopIpAddress", table, index);
	if (appliance && !route->next_hop.family)
		return config_fail_at(ctx, at, "is needed with nextHopType VirtualAppliance");
	if (!appliance && route->next_hop.family)
		return config_fail_at(ctx, at, "goes with nextHopType VirtualAppliance only");
	if (appliance && route->next_hop.family != route->prefix.addr.family)
		return config_fail_at(ctx, at, "must be of the same family as addressPrefix");
	return 0;
}

static int check_route_table(struct config_ctx *ctx, size_t v, size_t t)
{
	const struct route_table_config *table = &ctx->config->vnets[v].route_tables[t];
	char base[CHECK_PATH / 2], routes[CHECK_PATH];
	int r = 0;

	snprintf(base, sizeof(base), "vnets[%zu].routeTables[%zu]", v, t);
	for (size_t i = 0; i < table->n_routes && r == 0; i++)
		r = check_user_route(ctx, base, i, &table->routes[i]);
	if (r == 0)
		r = check_prefixes(ctx, ".addressPrefix", PATH(routes, "%s.routes", base),
				   table->routes, table->n_routes, sizeof(*table->routes), false);
	return r;
}

static bool modifies(const struct policy_rule *rule)
{
	return rule->as_path_action || rule->community_action || rule->large_action ||
	       rule->set_med || rule->set_local_pref || rule->set_next_hop || rule->set_weight;
}

static int check_route_maps(struct config_ctx *ctx, size_t v)
{
	const struct vnet_config *vnet = &ctx->config->vnets[v];
	char at[CHECK_PATH];

	for (size_t m = 0; m < vnet->n_route_maps; m++) {
		for (size_t i = 0; i < vnet->route_maps[m].n_rules; i++) {
			const struct policy_rule *rule = &vnet->route_maps[m].rules[i];

			if (rule->drop && modifies(rule))
				return config_fail_at(
					ctx,
					PATH(at, "vnets[%zu].routeMaps[%zu].rules[%zu].modify", v,
					     m, i),
					"has no meaning with action drop");
		}
	}
	return 0;
}

static int check_vnet_peerings(struct config_ctx *ctx, size_t v)
{
	const struct config *config = ctx->config;
	const struct vnet_config *vnet = &config->vnets[v];
	struct check_set set = { 0 };
	const struct check_entry *twice;
	char at[CHECK_PATH];
	int r = 0;

	for (size_t i = 0; i < vnet->n_vnet_peerings && r == 0; i++) {
		const char *remote = vnet->vnet_peerings[i].remote_vnet;

		PATH(at, "vnets[%zu].virtualNetworkPeerings[%zu].remoteVnet", v, i);
		if (strcmp(remote, vnet->name) == 0)
			r = config_fail_at(ctx, at, "a vnet is not peered with itself");
		else
			r = check_reference(ctx, at, "vnet", remote, config->vnets, config->n_vnets,
					    sizeof(*config->vnets), NULL);
		if (r == 0 && set_add(&set, v, i, remote) < 0)
			r = config_fail_memory(ctx);
	}
	twice = r == 0 ? set_duplicate(&set) : NULL;
	if (twice)
		r = config_fail_at(ctx,
				   PATH(at, "vnets[%zu].virtualNetworkPeerings[%zu].remoteVnet", v,
					twice->inner),
				   "'%s' is listed twice", twice->key);
	free(set.entries);
	return r;
}

static int check_vnet_names(struct config_ctx *ctx, size_t v)
{
	const struct vnet_config *vnet = &ctx->config->vnets[v];
	char at[CHECK_PATH];
	int r;

	r = check_names(ctx, PATH(at, "vnets[%zu].peerings", v), vnet->peerings, vnet->n_peerings,
			sizeof(*vnet->peerings));
	if (r == 0)
		r = check_names(ctx, PATH(at, "vnets[%zu].routeTables", v), vnet->route_tables,
				vnet->n_route_tables, sizeof(*vnet->route_tables));
	if (r == 0)
		r = check_names(ctx, PATH(at, "vnets[%zu].routeMaps", v), vnet->route_maps,
				vnet->n_route_maps, sizeof(*vnet->route_maps));
	return r;
}

static int check_vnet(struct config_ctx *ctx, size_t v)
{
	const struct vnet_config *vnet = &ctx->config->vnets[v];
	char at[CHECK_PATH];
	int r = check_vnet_names(ctx, v);

	if (r == 0)
		r = check_prefixes(ctx, "", PATH(at, "vnets[%zu].addressPrefixes", v),
				   vnet->prefixes, vnet->n_prefixes, sizeof(*vnet->prefixes), true);
	for (size_t i = 0; i < vnet->n_peerings && r == 0; i++)
		r = check_peering(ctx, v, i);
	if (r == 0)
		r = check_peer_addresses(ctx, v);
	for (size_t i = 0; i < vnet->n_route_tables && r == 0; i++)
		r = check_route_table(ctx, v, i);
	if (r == 0)
		r = check_route_maps(ctx, v);
	if (r == 0)
		r = check_prefixes(ctx, ".nextHopPrefix", PATH(at, "vnets[%zu].vxlan", v),
				   vnet->vxlan, vnet->n_vxlan, sizeof(*vnet->vxlan), false);
	for (size_t i = 0; i < vnet->n_vxlan && r == 0; i++)
		r = config_check_vxlan(ctx, v, i);
	if (r == 0)
		r = check_vnet_peerings(ctx, v);
	return r;
}

/* --- nics ------------------------------------------------------------------------------------------- */

static int check_nic_sources(struct config_ctx *ctx, size_t n, const struct nic_rule *rule)
{
	size_t count[2] = { 0, 0 };
	char at[CHECK_PATH];

	for (size_t i = 0; i < rule->n_sources; i++) {
		if (++count[rule->sources[i].addr.family == IP_V6] > XRS_SOURCES)
			return config_fail_at(ctx, PATH(at, "nics[%zu].sourcePrefixes[%zu]", n, i),
					      "more than %u prefixes of one family", XRS_SOURCES);
	}
	return 0;
}

/* A condition that nothing looks at is a misunderstanding, and a dangerous one. */
static int check_nic_anti_spoof(struct config_ctx *ctx, size_t n, const struct nic_rule *rule)
{
	static const struct mac_addr any;
	const char *key = rule->source_learning                               ? "sourceLearning"
			  : memcmp(&rule->source_mac, &any, sizeof(any)) != 0 ? "sourceMac"
									      : NULL;
	char at[CHECK_PATH];

	if (rule->anti_spoof || !key)
		return 0;
	return config_fail_at(ctx, PATH(at, "nics[%zu].%s", n, key),
			      "has no effect without antiSpoof: set \"antiSpoof\": true");
}

static int check_nic(struct config_ctx *ctx, size_t n)
{
	const struct config *config = ctx->config;
	const struct nic_rule *rule = &config->nics[n];
	const struct vnet_config *vnet;
	size_t patterns = 0;
	char at[CHECK_PATH];
	int r;

	for (size_t i = 0; i < NIC_MATCH_KEYS; i++)
		patterns += rule->n_patterns[i];
	if (!patterns)
		return config_fail_at(ctx, PATH(at, "nics[%zu].match", n),
				      "would match every interface of the host; for that write "
				      "{\"name\": \"*\"}");
	r = check_reference(ctx, PATH(at, "nics[%zu].vnet", n), "vnet", rule->vnet, config->vnets,
			    config->n_vnets, sizeof(*config->vnets), NULL);
	if (r < 0)
		return r;
	vnet = config_find_vnet(config, rule->vnet);
	r = check_reference(ctx, PATH(at, "nics[%zu].routeTable", n), "route table",
			    rule->route_table, vnet->route_tables, vnet->n_route_tables,
			    sizeof(*vnet->route_tables), "main");
	if (r == 0)
		r = check_nic_sources(ctx, n, rule);
	return r < 0 ? r : check_nic_anti_spoof(ctx, n, rule);
}

/* --- the whole --------------------------------------------------------------------------------------- */

static int check_node(struct config_ctx *ctx)
{
	const struct config *config = ctx->config;
	size_t tables = config->n_vnets; /* each has a main */

	for (size_t v = 0; v < config->n_vnets; v++)
		tables += config->vnets[v].n_route_tables;
	if (tables > XRS_TABLE_MAX)
		return config_fail_at(ctx, "vnets", "more than %u route tables on one host",
				      XRS_TABLE_MAX);
	return 0;
}

int config_check(struct config_ctx *ctx)
{
	const struct config *config = ctx->config;
	int r = check_names(ctx, "vnets", config->vnets, config->n_vnets, sizeof(*config->vnets));

	for (size_t i = 0; i < config->n_vnets && r == 0; i++)
		r = check_vnet(ctx, i);
	if (r == 0)
		r = config_check_peered(ctx);
	for (size_t i = 0; i < config->n_nics && r == 0; i++)
		r = check_nic(ctx, i);
	if (r == 0)
		r = check_sessions(ctx);
	if (r == 0)
		r = check_node(ctx);
	return r;
}

/* --- defaults that depend on others ------------------------------------------------------------------ */

/* "main" exists and is the first. */
static int finish_tables(struct config_ctx *ctx, struct vnet_config *vnet)
{
	struct route_table_config main_table = { .name = "main",
						 .implied = true,
						 .persist.seconds = 300 },
				  *list = vnet->route_tables;
	size_t at = 0;

	while (at < vnet->n_route_tables && strcmp(list[at].name, "main") != 0)
		at++;
	if (at == vnet->n_route_tables) {
		list = realloc(list, (at + 1) * sizeof(*list));
		if (!list)
			return config_fail_memory(ctx);
		vnet->route_tables = list;
		vnet->n_route_tables++;
	} else {
		main_table = list[at];
	}
	memmove(&list[1], &list[0], at * sizeof(*list));
	list[0] = main_table;
	return 0;
}

static void finish_peering(struct peering_config *peering)
{
	if (!peering->families)
		peering->families = peering_family(peering) == IP_V6
					    ? BGP_FAMILY_BIT(BGP_IPV6_UNICAST)
					    : BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	if (!peering->keepalive_time)
		peering->keepalive_time = peering->hold_time / 3;
}

int config_finish(struct config_ctx *ctx)
{
	struct config *config = ctx->config;
	int r = 0;

	for (size_t v = 0; v < config->n_vnets && r == 0; v++) {
		struct vnet_config *vnet = &config->vnets[v];

		if (!config->router_id)
			config->router_id = ip_to_v4(&vnet->route_server.local_address);
		for (size_t p = 0; p < vnet->n_peerings; p++)
			finish_peering(&vnet->peerings[p]);
		r = finish_tables(ctx, vnet);
	}
	return r;
}
