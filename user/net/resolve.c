// SPDX-License-Identifier: GPL-2.0-only
/*
 * Five steps from an address to a way out, in the order of the head comment of net/resolve.h. Each step
 * says RESOLVE_OK to go on, or why it ends here.
 *
 * Called by the agent for each next hop, whenever something on its path changed. Never asks the kernel.
 */
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/resolve.h"

#define VLAN_PROTO_8021Q 0x8100

struct path { /* what the steps have found so far */
	const struct net_model *model;
	const struct ip_addr *addr;
	const struct net_route *route;
	const struct resolve_nics *nics;
	const struct net_link *l3;
	const struct net_link *egress;
	uint32_t bridge;      /* 0: none */
	uint16_t bridge_vlan; /* 0: it does not filter */
	uint16_t bridge_tag;  /* what the L3 device's frames carry into the bridge */
	bool flood;           /* the bridge does not know the port */
	struct resolved_nexthop *ret;
};

static const char *const reason_names[RESOLVE_REASONS] = {
	[RESOLVE_OK] = "Resolved",
	[RESOLVE_NOT_UNICAST] = "NotUnicast",
	[RESOLVE_LOCAL] = "Local",
	[RESOLVE_NO_ROUTE] = "NoRoute",
	[RESOLVE_VIA_GATEWAY] = "ViaGateway",
	[RESOLVE_NO_LINK] = "NoLink",
	[RESOLVE_LINK_DOWN] = "LinkDown",
	[RESOLVE_NO_CARRIER] = "NoCarrier",
	[RESOLVE_NO_NEIGHBOUR] = "NoNeighbour",
	[RESOLVE_NEIGHBOUR_FAILED] = "NeighbourFailed",
	[RESOLVE_VLAN_DENIED] = "VlanDenied",
	[RESOLVE_NO_UNDERLAY] = "NoUnderlay",
};

const char *resolve_reason_name(enum resolve_reason reason)
{
	return reason < RESOLVE_REASONS ? reason_names[reason] : "Unknown";
}

__attribute__((format(printf, 3, 4))) static enum resolve_reason
fail(struct path *path, enum resolve_reason reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path->ret->text, sizeof(path->ret->text), format, args);
	va_end(args);
	return reason;
}

static bool is_vlan(const struct net_link *link)
{
	return !strcmp(link->kind, "vlan") && link->vlan_proto == VLAN_PROTO_8021Q &&
	       link->parent_netns == NET_NETNS_HERE;
}

static bool is_unicast_mac(const uint8_t mac[NET_MAC_LEN])
{
	static const uint8_t zero[NET_MAC_LEN];

	return !(mac[0] & 1) && memcmp(mac, zero, NET_MAC_LEN) != 0;
}

/* --- the steps -------------------------------------------------------------------------------------- */
static enum resolve_reason step_address(struct path *path)
{
	const struct ip_addr *addr = path->addr;

	if (addr->family == IP_NONE || ip_is_zero(addr) || ip_is_multicast(addr) ||
	    ip_is_loopback(addr) || ip_to_v4(addr) == UINT32_MAX)
		return fail(path, RESOLVE_NOT_UNICAST, "not a unicast address");
	if (net_model_is_own_addr(path->model, addr))
		return fail(path, RESOLVE_LOCAL, "an address of this host");
	return RESOLVE_OK;
}

static enum resolve_reason step_route(struct path *path)
{
	const struct net_route *route = path->route;
	char gateway[IP_TEXT_MAX];
	const char *why;

	if (route->error) {
		why = strerrordesc_np(-route->error);
		return fail(path, RESOLVE_NO_ROUTE, "no route: %s", why ? why : "unknown error");
	}
	switch (route->type) {
	case RTN_UNICAST:
		break;
	case RTN_LOCAL:
		return fail(path, RESOLVE_LOCAL, "an address of this host");
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return fail(path, RESOLVE_NOT_UNICAST, "a broadcast, anycast or multicast route");
	default:
		return fail(path, RESOLVE_NO_ROUTE, "the route is unreachable or a blackhole");
	}
	if (route->gateway.family != IP_NONE && !ip_equal(&route->gateway, path->addr))
		return fail(path, RESOLVE_VIA_GATEWAY, "reached only through %s on %s",
			    ip_format(&route->gateway, gateway),
			    net_model_link_name(path->model, route->oif));
	return RESOLVE_OK;
}

static enum resolve_reason check_link(struct path *path, const struct net_link *link)
{
	if (!link->up)
		return fail(path, RESOLVE_LINK_DOWN, "%s is down", link->name);
	if (!link->carrier)
		return fail(path, RESOLVE_NO_CARRIER, "%s has no carrier", link->name);
	return RESOLVE_OK;
}

static void limit_mtu(struct resolved_nexthop *ret, uint32_t mtu)
{
	if (mtu && (!ret->mtu || mtu < ret->mtu))
		ret->mtu = mtu;
}

static enum resolve_reason step_l3_device(struct path *path)
{
	path->l3 = net_model_link(path->model, path->route->oif);
	if (!path->l3)
		return fail(path, RESOLVE_NO_LINK, "interface %u is not there", path->route->oif);
	if (path->l3->loopback)
		return fail(path, RESOLVE_LOCAL, "the route leads to %s", path->l3->name);
	if (path->l3->type == ARPHRD_ETHER)
		path->ret->l3_ifindex = path->l3->ifindex;
	limit_mtu(path->ret, path->route->mtu);
	limit_mtu(path->ret, path->l3->mtu);
	return check_link(path, path->l3);
}

static enum resolve_reason step_neighbour(struct path *path)
{
	const struct net_neigh *neigh = net_model_neigh(path->model, path->l3->ifindex, path->addr);

	path->ret->managed = neigh && (neigh->managed || neigh->nud & NUD_PERMANENT);
	if (!neigh || net_neigh_state(neigh) == NET_NEIGH_NONE)
		return fail(path, RESOLVE_NO_NEIGHBOUR, "no answer yet on %s", path->l3->name);
	if (net_neigh_state(neigh) == NET_NEIGH_FAILED)
		return fail(path, RESOLVE_NEIGHBOUR_FAILED, "does not answer on %s",
			    path->l3->name);
	if (!is_unicast_mac(neigh->mac))
		return fail(path, RESOLVE_NO_NEIGHBOUR, "no unicast MAC on %s", path->l3->name);
	memcpy(path->ret->dmac, neigh->mac, NET_MAC_LEN);
	memcpy(path->ret->smac, path->l3->mac, NET_MAC_LEN);
	return RESOLVE_OK;
}

/* A VLAN device is its parent with a tag, as long as the frame has none yet. */
static enum resolve_reason descend(struct path *path)
{
	const struct net_link *parent;

	if (path->ret->vlan || !is_vlan(path->egress))
		return RESOLVE_OK;
	parent = net_model_link(path->model, path->egress->parent);
	if (!parent)
		return RESOLVE_OK;
	path->ret->vlan = path->egress->vlan_id;
	path->egress = parent;
	limit_mtu(path->ret, parent->mtu);
	return check_link(path, parent);
}

/* The tag with which the bridge would let a frame of the next hop's VLAN out of the port. */
static enum resolve_reason port_tag(struct path *path, const struct net_link *port)
{
	uint16_t vlan = path->bridge_vlan;

	if (!vlan) {
		path->ret->vlan = path->bridge_tag;
		return RESOLVE_OK;
	}
	if (!net_vlans_has(port->vlans, vlan))
		return fail(path, RESOLVE_VLAN_DENIED, "%s does not carry VLAN %u", port->name,
			    vlan);
	path->ret->vlan = net_vlans_untagged(port->vlans, vlan) ? 0 : vlan;
	return RESOLVE_OK;
}

static enum resolve_reason step_port(struct path *path)
{
	const struct net_link *bridge, *port;
	const struct net_fdb *fdb;
	enum resolve_reason reason;

	path->egress = path->l3;
	path->bridge = net_model_bridge_of(path->model, path->l3->ifindex, &path->bridge_vlan,
					   &path->bridge_tag);
	if (!path->bridge)
		return descend(path);
	bridge = net_model_link(path->model, path->bridge);
	if (bridge->vlan_filtering && !path->bridge_vlan)
		return fail(path, RESOLVE_VLAN_DENIED, "%s has no PVID of its own", bridge->name);
	fdb = net_model_fdb(path->model, path->bridge, path->ret->dmac, path->bridge_vlan);
	if (fdb && fdb->local)
		return fail(path, RESOLVE_LOCAL, "its MAC is one of this host, on %s",
			    net_model_link_name(path->model, fdb->port));
	port = fdb ? net_model_link(path->model, fdb->port) : NULL;
	path->flood = !port;
	if (!port)
		return RESOLVE_OK;
	path->egress = port;
	limit_mtu(path->ret, port->mtu);
	reason = check_link(path, port);
	if (reason == RESOLVE_OK)
		reason = port_tag(path, port);
	return reason == RESOLVE_OK ? descend(path) : reason;
}

/* --- the way -------------------------------------------------------------------------------------------- */
bool resolve_takes_xdp(const struct net_link *link)
{
	if (link->type != ARPHRD_ETHER)
		return false;
	if (link->xdp_features_known)
		return link->xdp_features & NET_XDP_NDO_XMIT;
	/* Before kernel 6.3 nobody tells; a tap has had ndo_xdp_xmit since 4.17 (drivers/net/tun.c). */
	return !strcmp(link->kind, "tun") && link->tun_type != NET_TUN_TUN;
}

/* The bridge would deliver frames of these nics to the next hop. */
static bool bridge_delivers(const struct path *path)
{
	return path->bridge && path->nics->bridge == path->bridge &&
	       path->nics->vlan == path->bridge_vlan;
}

/* Why the egress does not take XDP frames, and whether that could be changed from here. */
static void explain_no_xdp(struct path *path)
{
	const struct net_link *egress = path->egress;
	const struct net_link *peer = NULL;

	if (path->flood) {
		path->ret->why = "the bridge does not know the port";
		return;
	}
	if (strcmp(egress->kind, "veth") != 0) {
		path->ret->why = "the driver of the egress does not transmit XDP frames";
		return;
	}
	if (egress->parent_netns == NET_NETNS_HERE)
		peer = net_model_link(path->model, egress->parent);
	path->ret->napi_peer = peer && egress->xdp_features_known ? peer->ifindex : 0;
	path->ret->why = egress->xdp_features_known
				 ? "the other end of the veth runs neither GRO nor XDP"
				 : "the kernel does not tell whether the veth takes XDP frames";
}

static void choose_way(struct path *path)
{
	struct resolved_nexthop *ret = path->ret;

	ret->ifindex = path->egress->ifindex;
	if (!path->flood && resolve_takes_xdp(path->egress)) {
		ret->way = XRS_WAY_REDIRECT;
		ret->xdp = true;
		ret->why = "the egress takes XDP frames";
		return;
	}
	explain_no_xdp(path);
	if (bridge_delivers(path)) {
		ret->way = XRS_WAY_BRIDGE;
		if (path->flood)
			ret->ifindex = path->bridge;
		/* A bridge that does not filter looks at no tag: the frame keeps the L3 device's. */
		ret->vlan = path->bridge_vlan ? path->nics->tag : path->bridge_tag;
	} else {
		ret->way = XRS_WAY_REDIRECT;
	}
}

/* Behind a VXLAN device whose table names one other end for this MAC. */
static void find_tunnel(struct path *path)
{
	const struct net_link *device = path->egress;
	struct resolved_tunnel *tunnel = &path->ret->tunnel;
	const struct net_vtep *vtep;

	if (path->flood || strcmp(device->kind, "vxlan") != 0 || device->vxlan.metadata ||
	    path->ret->vlan)
		return;
	vtep = net_model_vtep(path->model, device->ifindex, path->ret->dmac);
	if (!vtep)
		return;
	tunnel->device = device->ifindex;
	tunnel->vni = vtep->vni ? vtep->vni : device->vxlan.vni;
	tunnel->port = vtep->port ? vtep->port : device->vxlan.port;
	tunnel->remote = vtep->remote;
	if (device->vxlan.local.family == vtep->remote.family)
		tunnel->local = device->vxlan.local;
}

static enum resolve_reason walk(struct path *path)
{
	static enum resolve_reason (*const steps[])(struct path *) = { step_address, step_route,
								       step_l3_device };
	enum resolve_reason reason;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		reason = steps[i](path);
		if (reason != RESOLVE_OK)
			return reason;
	}
	if (path->l3->type != ARPHRD_ETHER) {
		path->ret->way = XRS_WAY_KERNEL;
		path->ret->ifindex = path->l3->ifindex;
		path->ret->why = "the interface has no Ethernet header";
		return RESOLVE_OK;
	}
	reason = step_neighbour(path);
	if (reason == RESOLVE_OK)
		reason = step_port(path);
	if (reason == RESOLVE_OK) {
		choose_way(path);
		find_tunnel(path);
	}
	return reason;
}

void resolve_nexthop(const struct net_model *model, const struct ip_addr *addr,
		     const struct net_route *route, const struct resolve_nics *nics,
		     struct resolved_nexthop *ret)
{
	struct path path = {
		.model = model, .addr = addr, .route = route, .nics = nics, .ret = ret
	};

	memset(ret, 0, sizeof(*ret));
	ret->reason = walk(&path);
}

/* --- the underlay of a tunnel -------------------------------------------------------------------------- */
static const char by_xdp[] = "XDP encapsulates";
static const char by_xdp_in_part[] =
	"XDP encapsulates; of frames with segmentation offload only TCP in equal segments goes: "
	"no zeroChecksum";

/* RFC 7348 section 4.3: outer IP, UDP, VXLAN and the inner Ethernet header. */
static uint32_t tunnel_overhead(const struct ip_addr *remote)
{
	return (remote->family == IP_V4 ? 20 : 40) + 8 + 8 + 14;
}

/* The device that frames for the underlay's neighbour leave by. NULL, and why: none that would do. */
static const struct net_link *underlay_egress(const struct net_model *model,
					      const struct net_link *l3,
					      const struct resolved_tunnel *tunnel,
					      const char **ret_why)
{
	uint32_t port = net_model_port_of_mac(model, l3->ifindex, tunnel->dmac);
	const struct net_link *egress = net_model_link(model, port);

	*ret_why = NULL;
	if (!egress || is_vlan(l3))
		*ret_why = "the underlay is a VLAN, or a bridge that does not know the port";
	else if (!egress->up || !egress->carrier)
		*ret_why = "the underlay is down";
	else if (!resolve_takes_xdp(egress))
		*ret_why = "the underlay does not take XDP frames";
	return *ret_why ? NULL : egress;
}

static const char *take_neighbour(const struct net_model *model, const struct net_link *l3,
				  struct resolved_tunnel *tunnel)
{
	const struct net_neigh *neigh = net_model_neigh(model, l3->ifindex, &tunnel->via);

	tunnel->via_managed = neigh && (neigh->managed || neigh->nud & NUD_PERMANENT);
	if (!neigh || net_neigh_state(neigh) != NET_NEIGH_VALID || !is_unicast_mac(neigh->mac))
		return "the other end of the tunnel has not answered yet";
	memcpy(tunnel->dmac, neigh->mac, NET_MAC_LEN);
	memcpy(tunnel->smac, l3->mac, NET_MAC_LEN);
	return NULL;
}

/* Device, addresses and MACs. NULL, or why not. */
static const char *find_underlay(const struct net_model *model, const struct net_route *route,
				 struct resolved_nexthop *nexthop, const struct net_link **ret_l3)
{
	const struct net_link *l3 = net_model_link(model, route->oif);
	struct resolved_tunnel *tunnel = &nexthop->tunnel;

	if (route->error || route->type != RTN_UNICAST || !l3 || l3->type != ARPHRD_ETHER)
		return "no Ethernet route to the other end of the tunnel";
	tunnel->via = route->gateway.family == IP_NONE ? tunnel->remote : route->gateway;
	tunnel->via_ifindex = l3->ifindex;
	if (tunnel->local.family == IP_NONE)
		tunnel->local = route->prefsrc;
	if (tunnel->local.family != tunnel->remote.family)
		return "no address of this host to send from";
	*ret_l3 = l3;
	return take_neighbour(model, l3, tunnel);
}

static void limit_tunnel_mtu(struct resolved_nexthop *nexthop, const struct net_link *link)
{
	limit_mtu(nexthop, link->mtu - tunnel_overhead(&nexthop->tunnel.remote));
}

void resolve_underlay(const struct net_model *model, const struct net_route *route,
		      struct resolved_nexthop *nexthop)
{
	const struct net_link *egress = NULL, *l3 = NULL;
	const char *why;

	if (!resolve_is_ok(nexthop) || !nexthop->tunnel.device)
		return;
	why = find_underlay(model, route, nexthop, &l3);
	if (!why)
		egress = underlay_egress(model, l3, &nexthop->tunnel, &why);
	nexthop->why = why ? why : by_xdp;
	if (why)
		return;
	limit_tunnel_mtu(nexthop, l3);
	limit_tunnel_mtu(nexthop, egress);
	nexthop->way = XRS_WAY_VXLAN;
	nexthop->ifindex = egress->ifindex;
	nexthop->xdp = true;
}

/* Without a device of the kernel: bpf/skb.bpf.h says why not everything goes. */
static const char *encapsulates(const struct resolved_tunnel *tunnel)
{
	return tunnel->remote.family == IP_V6 && !tunnel->zero_sum ? by_xdp_in_part : by_xdp;
}

void resolve_vxlan(const struct net_model *model, const struct resolved_tunnel *tunnel,
		   const uint8_t mac[NET_MAC_LEN], const uint8_t gateway[NET_MAC_LEN],
		   const struct net_route *route, struct resolved_nexthop *ret)
{
	const struct net_link *egress, *l3 = NULL;
	const char *why;

	memset(ret, 0, sizeof(*ret));
	/* Member by member: what lies between them has to stay zero. */
	ret->tunnel.vni = tunnel->vni;
	ret->tunnel.port = tunnel->port;
	ret->tunnel.remote = tunnel->remote;
	ret->tunnel.local = tunnel->local;
	ret->tunnel.zero_sum = tunnel->zero_sum;
	why = find_underlay(model, route, ret, &l3);
	if (!why && !(l3->up && l3->carrier))
		why = "the underlay is down";
	if (why) {
		ret->reason = RESOLVE_NO_UNDERLAY;
		snprintf(ret->text, sizeof(ret->text), "%s", why);
		return;
	}
	egress = underlay_egress(model, l3, &ret->tunnel, &why);
	ret->way = XRS_WAY_VXLAN;
	ret->xdp = egress;
	ret->why = why ? why : encapsulates(tunnel);
	ret->ifindex = egress ? egress->ifindex : l3->ifindex;
	limit_tunnel_mtu(ret, l3);
	if (egress)
		limit_tunnel_mtu(ret, egress);
	memcpy(ret->dmac, mac, NET_MAC_LEN);
	memcpy(ret->smac, is_unicast_mac(gateway) ? gateway : ret->tunnel.smac, NET_MAC_LEN);
}

/* --- what nics have in common --------------------------------------------------------------------------- */
/* The only VLAN of @vlans; 0: none or several. */
static uint16_t only_vlan(const struct net_port_vlans *vlans)
{
	uint16_t only = 0;

	for (uint16_t id = 1; vlans && id <= NET_VLAN_MAX; id++) {
		if (!net_vlans_has(vlans, id))
			continue;
		if (only)
			return 0;
		only = id;
	}
	return only;
}

/* False: no port of a bridge, or its frames may travel in several VLANs. */
static bool nic_place(const struct net_model *model, uint32_t ifindex, struct resolve_nics *ret)
{
	const struct net_link *nic = net_model_link(model, ifindex);
	const struct net_link *bridge = nic ? net_model_link(model, nic->master) : NULL;

	if (!bridge || strcmp(bridge->kind, "bridge") != 0)
		return false;
	*ret = (struct resolve_nics){ .bridge = bridge->ifindex };
	if (!bridge->vlan_filtering)
		return true;
	if (nic->vlans && nic->vlans->pvid) {
		ret->vlan = nic->vlans->pvid;
		return true;
	}
	ret->vlan = ret->tag = only_vlan(nic->vlans);
	return ret->vlan;
}

struct resolve_nics resolve_common_nics(const struct net_model *model, const uint32_t *ifindexes,
					size_t n)
{
	struct resolve_nics first = { 0 }, other;

	for (size_t i = 0; i < n; i++) {
		if (!nic_place(model, ifindexes[i], i ? &other : &first))
			return (struct resolve_nics){ 0 };
		if (i && (other.bridge != first.bridge || other.vlan != first.vlan ||
			  other.tag != first.tag))
			return (struct resolve_nics){ 0 };
	}
	return first;
}
