// SPDX-License-Identifier: GPL-2.0-only
/*
 * Next hops between the host and the maps: resolves them when something on their way changed, says who is usable,
 * and takes one that failed out of its groups at once (node_fib_urgent()). Called by node_fib.c in its slices, by
 * node_net.c, and by who knows of a peer's death.
 */
#include <stdio.h>
#include <string.h>

#include "agent/node_impl.h"
#include "agent/privilege.h"

#define SUBSYS            "fib"
#define RETRY_SEC         5
#define RESOLVE_PER_SLICE 256

void node_nexthop_dirty(struct node *node, uint32_t id)
{
	node->nexthop_state[id].dirty = true;
	node->nexthops_dirty = true;
	node_fib_kick(node);
}

/* --- what the kernel is asked for, and what the map says -------------------------------------------------- */

static void set_devmap(struct node *node, struct node_nexthop *state, uint32_t ifindex)
{
	uint32_t old = state->devmap;

	if (old == ifindex)
		return;
	if (ifindex && fib_maps_dev_add(node->maps, ifindex) < 0)
		ifindex = 0; /* the tc half redirects instead */
	state->devmap = ifindex;
	for (uint32_t id = 1; old && id < XRS_NEXTHOP_MAX; id++) {
		if (node->nexthop_state[id].devmap == old)
			old = 0; /* another next hop still leaves there */
	}
	if (old && !node_vm_uses(node, old))
		fib_maps_dev_del(node->maps, old);
}

/* The kernel resolves the neighbour and keeps it fresh; the answer comes as an event. */
static void manage_neighbour(struct node *node, struct node_nexthop *state,
			     const struct nexthop_info *info, const struct resolved_nexthop *now)
{
	enum nl_neigh_method method;
	int err;

	if (!now->l3_ifindex || now->managed)
		return;
	err = nl_neigh_manage(node->request, now->l3_ifindex, &info->addr, &method);
	state->managed = err == 0 && method == NL_NEIGH_MANAGED;
	if (err < 0 || method == NL_NEIGH_PROBED)
		loop_timer_set(node->loop, &node->probe_timer,
			       mono_add_sec(loop_now(node->loop), NL_NEIGH_PROBE_SEC));
}

static void manage_underlay(struct node *node, const struct resolved_tunnel *tunnel)
{
	enum nl_neigh_method method;
	int err;

	if (!tunnel->via_ifindex || tunnel->via_managed)
		return;
	err = nl_neigh_manage(node->request, tunnel->via_ifindex, &tunnel->via, &method);
	if (err < 0 || method == NL_NEIGH_PROBED)
		loop_timer_set(node->loop, &node->probe_timer,
			       mono_add_sec(loop_now(node->loop), NL_NEIGH_PROBE_SEC));
}

/* The way to the other end of the tunnel, where there is one. */
static void resolve_tunnel(struct node *node, struct resolved_nexthop *now)
{
	const struct nl_route_query query = { .dst = now->tunnel.remote, .src = now->tunnel.local };
	struct net_route route;

	if (!now->tunnel.device || nl_route_lookup(node->request, &query, &route) < 0)
		return;
	resolve_underlay(node->net, &route, now);
	manage_underlay(node, &now->tunnel);
}

/* The first peering with this address, for people who read the map; dynamic ones are in no configuration. */
static const char *peering_of(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; vnet && i < vnet->config->n_peerings; i++) {
		if (ip_equal(&vnet->config->peerings[i].peer_ip, addr))
			return vnet->config->peerings[i].name;
	}
	for (size_t i = 0; vnet && i < vnet->n_peerings; i++) {
		const struct node_peering *peering = vnet->peerings[i];

		if (peering->range && ip_equal(&peering->own->peer_ip, addr))
			return peering->own->name;
	}
	return "";
}

static void render_tunnel(const struct resolved_nexthop *r, struct xrs_tunnel *ret)
{
	const struct resolved_tunnel *t = &r->tunnel;

	if (r->way != XRS_WAY_VXLAN)
		return;
	ret->vni = t->vni;
	ret->device = t->device;
	ret->port = t->port;
	ret->zero_sum = t->zero_sum;
	ret->family = t->remote.family;
	memcpy(ret->dmac, t->dmac, sizeof(ret->dmac));
	memcpy(ret->smac, t->smac, sizeof(ret->smac));
	memcpy(ret->local, t->local.bytes, sizeof(ret->local));
	memcpy(ret->remote, t->remote.bytes, sizeof(ret->remote));
}

static void render_nexthop(const struct node_vnet *vnet, const struct nexthop_info *info,
			   const struct resolved_nexthop *r, struct xrs_nexthop *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->way = r->way;
	ret->ifindex = r->ifindex;
	ret->mtu = r->mtu;
	memcpy(ret->dmac, r->dmac, sizeof(ret->dmac));
	memcpy(ret->smac, r->smac, sizeof(ret->smac));
	ret->vlan = r->vlan;
	ret->family = info->addr.family;
	memcpy(ret->addr, info->addr.bytes, sizeof(ret->addr));
	snprintf(ret->peering, sizeof(ret->peering), "%.*s", XRS_NAME_LEN - 1,
		 peering_of(vnet, &info->addr));
	ret->bfd = node_bfd_slot(vnet, &info->addr);
	ret->drain_ns = node_drain_since_ns(vnet, &info->addr);
	if (vnet)
		snprintf(ret->vnet, sizeof(ret->vnet), "%s", vnet->config->name);
	render_tunnel(r, &ret->tunnel);
}

static void log_nexthop(const struct node_vnet *vnet, const struct nexthop_info *info,
			const struct resolved_nexthop *r)
{
	char text[IP_TEXT_MAX];

	log_info(SUBSYS, "nexthop=%s vnet=%s %s%s%s", ip_format(&info->addr, text),
		 vnet ? vnet->config->name : "-", resolve_reason_name(r->reason),
		 r->text[0] ? ": " : "", r->text);
}

/* --- usable or not ------------------------------------------------------------------------------------ */

static void set_usable(struct node *node, uint32_t id, const struct node_vnet *vnet)
{
	const struct node_nexthop *state = &node->nexthop_state[id];
	const struct node_peering *peering =
		vnet ? node_peering_by_addr(vnet, &nexthop_info(node->nexthops, id)->addr) : NULL;
	bool usable = !node->plan ||
		      (resolve_is_ok(&state->resolved) && !state->peer_dead && !state->port_lost &&
		       !(peering && node_peering_probe_failed(peering)));

	nexthop_set_held(node->nexthops, id, peering && loop_timer_is_set(&peering->hold));
	nexthop_set_draining(node->nexthops, id, peering && mono_is_set(peering->drain.since));
	if (nexthop_set_usable(node->nexthops, id, usable) && vnet && vnet->rib) {
		rib_nexthop_changed(vnet->rib, id);
		node_vnet_rib_work((struct node_vnet *)vnet);
	}
}

/* Writes what follows from a change of the next hop that set_usable() has to look at; with a record. */
static void change_now(struct node *node, uint32_t id, const struct node_vnet *vnet,
		       const struct node_fault *fault)
{
	struct timeline_entry entry;

	node_timeline_begin(node, id, vnet, fault->cause, &entry);
	if (mono_is_set(fault->detected))
		entry.detected = fault->detected;
	if (mono_is_set(fault->decided))
		entry.decided = fault->decided;
	entry.programmed = fault->programmed;
	set_usable(node, id, vnet);
	node_fib_urgent(node);
	node_timeline_end(node, id, &entry);
}

/*
 * A next hop whose peer died stays out of use until no route leads to it any more: were it let in again
 * before, its groups would be written ahead of the routes and point back at the dead one.
 */
bool node_nexthop_release_dead(struct node *node)
{
	bool released = false;

	for (size_t v = 0; v < node->n_vnets; v++) {
		if (!node_vnet_idle(node->vnets[v]))
			return false;
	}
	for (uint32_t id = 1; id < XRS_NEXTHOP_MAX; id++) {
		const struct nexthop_info *info;

		if (!node->nexthop_state[id].peer_dead)
			continue;
		node->nexthop_state[id].peer_dead = false;
		info = nexthop_info(node->nexthops, id);
		if (info)
			set_usable(node, id, node_vnet_by_number(node, info->vnet));
		released = true;
	}
	return released;
}

void node_nexthop_peer_dead(struct node_vnet *vnet, const struct ip_addr *addr,
			    const struct node_fault *fault)
{
	struct node *node = vnet->node;
	uint32_t id = nexthop_find(node->nexthops, vnet->number, addr);

	if (!node->plan || id == NEXTHOP_NONE || node->nexthop_state[id].peer_dead)
		return;
	node->nexthop_state[id].peer_dead = true;
	change_now(node, id, vnet, fault);
}

void node_nexthop_peer_alive(struct node_vnet *vnet, const struct ip_addr *addr)
{
	struct node *node = vnet->node;
	uint32_t id = nexthop_find(node->nexthops, vnet->number, addr);

	if (!node->plan || id == NEXTHOP_NONE || !node->nexthop_state[id].peer_dead)
		return;
	node->nexthop_state[id].peer_dead = false;
	set_usable(node, id, vnet);
	node_fib_urgent(node);
}

void node_nexthop_peer_changed(struct node_vnet *vnet, const struct ip_addr *addr,
			       enum timeline_cause cause)
{
	const struct node_fault fault = { .cause = cause };
	struct node *node = vnet->node;
	uint32_t id = nexthop_find(node->nexthops, vnet->number, addr);

	if (node->plan && id != NEXTHOP_NONE)
		change_now(node, id, vnet, &fault);
}

/* --- resolving ---------------------------------------------------------------------------------------- */

/*
 * Frames that XDP redirects into a veth vanish unless its other end runs NAPI. GRO there starts it; the
 * kernel then tells that the veth takes XDP frames, and the next hop is resolved again. Asked for once,
 * and only when some nic redirects with XDP.
 */
static void start_napi(struct node *node, struct node_nexthop *state)
{
	uint32_t peer = state->resolved.napi_peer;
	const char *name = net_model_link_name(node->net, peer);
	int err;

	if (!peer || state->napi_asked == peer || !node_nic_any_xdp(node))
		return;
	state->napi_asked = peer;
	err = privilege_set_gro(name, true);
	if (err < 0)
		log_warn(SUBSYS, "interface=%s GRO can not be switched on: %s", name,
			 strerror(-err));
	else
		log_info(SUBSYS, "interface=%s GRO switched on: XDP may redirect to its other end",
			 name);
}

/* Behind a bridge: the port that learned the MAC, rather than the bridge, which would flood. */
static bool port_is_known(const struct node *node, const struct resolved_nexthop *r)
{
	const struct net_link *link = net_model_link(node->net, r->ifindex);

	return resolve_is_ok(r) && link &&
	       (link->master || r->ifindex == r->l3_ifindex || r->way == XRS_WAY_VXLAN) &&
	       strcmp(link->kind, "bridge") != 0;
}

/* What the host says now that it did not say before; TIMELINE_CAUSE_MAX: nothing that matters. */
static struct node_fault fault_of(const struct resolved_nexthop *before,
				  const struct resolved_nexthop *now, bool in_use)
{
	struct node_fault fault = { .cause = TIMELINE_CAUSE_MAX };

	if (!in_use || !resolve_is_ok(before))
		return fault;
	if (!resolve_is_ok(now))
		fault.cause = TIMELINE_NEIGHBOUR_LOST;
	else if (memcmp(before->dmac, now->dmac, sizeof(now->dmac)) != 0)
		fault.cause = TIMELINE_NEIGHBOUR_MOVED;
	return fault;
}

/* Through a tunnel that the configuration says. 0 or negative errno: the kernel did not answer. */
static int resolve_configured(struct node *node, const struct node_vnet *vnet,
			      const struct vxlan_config *vxlan, struct resolved_nexthop *ret)
{
	static const uint8_t none[NET_MAC_LEN];
	const struct vnet_config *config = vnet->config;
	const struct nl_route_query query = { .dst = vxlan->remote, .src = vxlan->local };
	const struct resolved_tunnel tunnel = { .vni = vxlan->vni,
						.port = vxlan->port,
						.remote = vxlan->remote,
						.local = vxlan->local,
						.zero_sum = vxlan->zero_checksum };
	struct net_route route;
	int err = nl_route_lookup(node->request, &query, &route);

	if (err < 0)
		return err;
	resolve_vxlan(node->net, &tunnel, vxlan->mac.bytes,
		      config->n_gateway_macs ? config->gateway_macs[0].bytes : none, &route, ret);
	manage_underlay(node, &ret->tunnel);
	return 0;
}

/* As the kernel says. 0 or negative errno: it did not answer. */
static int resolve_asked(struct node *node, const struct node_vnet *vnet,
			 const struct ip_addr *addr, struct resolved_nexthop *ret)
{
	struct resolve_nics nics = node_nic_common(node, vnet);
	struct net_route route;
	int err = node_scope_route(vnet, addr, &route);

	if (err < 0)
		return err;
	resolve_nexthop(node->net, addr, &route, &nics, ret);
	resolve_tunnel(node, ret);
	return 0;
}

static int resolve_now(struct node *node, const struct node_vnet *vnet, const struct ip_addr *addr,
		       struct resolved_nexthop *ret)
{
	const struct node_vnet *owner = node_peered_owner(vnet, addr);
	const struct vxlan_config *vxlan = vnet_find_vxlan(owner->config, addr);

	return vxlan ? resolve_configured(node, owner, vxlan, ret)
		     : resolve_asked(node, vnet, addr, ret);
}

static void resolve(struct node *node, uint32_t id, const struct nexthop_info *info)
{
	struct node_fault fault;
	struct node_nexthop *state = &node->nexthop_state[id];
	const struct node_vnet *vnet = node_vnet_by_number(node, info->vnet);
	struct resolved_nexthop now;
	struct xrs_nexthop value;

	if (!vnet)
		return; /* adopted from a vnet that is no more: it waits for the sweep */
	if (resolve_now(node, vnet, &info->addr, &now) < 0) {
		loop_timer_set(node->loop, &node->probe_timer,
			       mono_add_sec(loop_now(node->loop), RETRY_SEC));
		return; /* no answer is no news: what was known stays */
	}
	manage_neighbour(node, state, info, &now);
	if (now.reason != state->resolved.reason || now.way != state->resolved.way)
		log_nexthop(vnet, info, &now);
	fault = fault_of(&state->resolved, &now, info->usable);
	state->resolved = now;
	start_napi(node, state);
	if (port_is_known(node, &now))
		state->port_lost = false;
	set_devmap(node, state, now.xdp ? now.ifindex : 0);
	render_nexthop(vnet, info, &now, &value);
	fib_plan_set_nexthop(node->plan, id, &value);
	if (fault.cause == TIMELINE_CAUSE_MAX)
		set_usable(node, id, vnet);
	else
		change_now(node, id, vnet, &fault);
}

void node_nexthop_release(struct node *node, uint32_t id)
{
	struct node_nexthop *state = &node->nexthop_state[id];
	const struct nexthop_info *info = nexthop_info(node->nexthops, id);

	if (state->live)
		return;
	if (node->plan) {
		if (info && state->managed)
			nl_neigh_release(node->request, state->resolved.l3_ifindex, &info->addr);
		set_devmap(node, state, 0);
	}
	if (nexthop_recycle(node->nexthops, id) == 0)
		*state = (struct node_nexthop){ 0 };
}

/* One dirty next hop. In mode none there is nothing to resolve: it is usable, or released. */
static void refresh_nexthop(struct node *node, uint32_t id)
{
	const struct nexthop_info *info = nexthop_info(node->nexthops, id);

	node->nexthop_state[id].dirty = false;
	if (!info)
		return;
	if (node->plan && node->nexthop_state[id].live)
		resolve(node, id, info);
	else if (node->nexthop_state[id].live)
		set_usable(node, id, node_vnet_by_number(node, info->vnet));
	else if (!node->plan)
		node_nexthop_release(node, id);
}

void node_nexthop_refresh(struct node *node)
{
	unsigned int budget = RESOLVE_PER_SLICE;

	if (!node->nexthops_dirty || (node->plan && !node->net_synced))
		return;
	node->nexthops_dirty = false;
	for (uint32_t id = 1; id < XRS_NEXTHOP_MAX; id++) {
		if (!node->nexthop_state[id].dirty)
			continue;
		if (budget-- == 0) {
			node->nexthops_dirty = true;
			return;
		}
		refresh_nexthop(node, id);
	}
}

/* --- what has to be resolved again ----------------------------------------------------------------------- */

void node_nexthop_dirty_all(struct node *node, const struct node_vnet *vnet)
{
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		const struct node_vnet *owner =
			node_vnet_by_number(node, nexthop_info(node->nexthops, id)->vnet);

		if (!vnet || owner == vnet || (owner && node_peered_linked(vnet, owner)))
			node_nexthop_dirty(node, id);
	}
}

void node_nexthop_dirty_addr(struct node *node, const struct ip_addr *addr)
{
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		if (ip_equal(&nexthop_info(node->nexthops, id)->addr, addr) ||
		    ip_equal(&node->nexthop_state[id].resolved.tunnel.via, addr))
			node_nexthop_dirty(node, id);
	}
}

void node_nexthop_dirty_mac(struct node *node, const uint8_t *mac)
{
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		if (memcmp(node->nexthop_state[id].resolved.dmac, mac, NET_MAC_LEN) == 0)
			node_nexthop_dirty(node, id);
	}
}

void node_nexthop_dirty_link(struct node *node, uint32_t ifindex)
{
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		const struct resolved_nexthop *r = &node->nexthop_state[id].resolved;

		if (r->ifindex == ifindex || r->l3_ifindex == ifindex || !resolve_is_ok(r) ||
		    r->tunnel.device == ifindex || r->tunnel.via_ifindex == ifindex)
			node_nexthop_dirty(node, id);
	}
}

void node_nexthop_port_lost(struct node *node, uint32_t ifindex, enum timeline_cause cause)
{
	const struct node_fault fault = { .cause = cause };

	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		struct node_nexthop *state = &node->nexthop_state[id];

		if (state->resolved.ifindex != ifindex || !resolve_is_ok(&state->resolved) ||
		    state->port_lost)
			continue;
		state->port_lost = true;
		node_nexthop_dirty(node, id);
		change_now(node, id,
			   node_vnet_by_number(node, nexthop_info(node->nexthops, id)->vnet),
			   &fault);
	}
}
