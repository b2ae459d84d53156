/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the address of a next hop to how a frame reaches it: route, L3 device, VLAN, neighbour, bridge
 * FDB, port VLAN. Pure: the route lookup is done by the caller (nl_request.h) and passed in.
 *
 *   route -> oif -> (VLAN sub-interface: parent + id) -> neighbour MAC
 *         -> (bridge: FDB port, its VLANs) -> egress device + tag
 *
 * Directly reachable: a next hop that the route reaches only through another gateway is unresolved
 * (ViaGateway). The destination address of the packet does not change, so that gateway would forward it
 * by a table of its own, which knows nothing of the appliance: it would be lost or loop. Such
 * appliances need a tunnel (XRS_WAY_VXLAN).
 *
 * The way out, for the one entry in xrs_nexthop that all nics share; first that holds:
 *
 *   1 KERNEL    the L3 device is not Ethernet (tun, WireGuard, PPP): there is no header to write
 *   2 REDIRECT  the egress takes XDP frames (`xdp` true: put it into xrs_devmap): tap always; others when
 *               the kernel says NDO_XMIT. A veth says so only while its peer runs NAPI (GRO or an XDP
 *               program there); otherwise frames would vanish without an error
 *   3 BRIDGE    the next hop is behind a bridge, and every nic of the vnet is a port of that same bridge
 *               in the next hop's VLAN (struct resolve_nics): the bridge delivers or floods
 *   4 REDIRECT  otherwise, `xdp` false: the device must not be in xrs_devmap, xrs_steer_tc redirects the
 *               skb, which every Ethernet device can send. When the FDB does not know the port, the
 *               egress is the bridge or VLAN device itself, which floods
 *
 *   5 VXLAN     3 or 4 through a VXLAN device, and the underlay takes XDP frames: XDP encapsulates, and the tc
 *               half gives what XDP can not to that device
 *
 * So REDIRECT and KERNEL are right for a frame of any nic; BRIDGE only for those that resolve_nics
 * speaks of. Source MAC: that of the L3 device, i.e. the gateway's; a MAC of its own on a bridge port
 * would move the gateway in the bridges behind it. What a redirect to a port does not pass: the bridge's
 * netfilter hooks, port isolation, egress rules of the bridge.
 */
#ifndef XRS_NET_RESOLVE_H
#define XRS_NET_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"
#include "net/net_model.h"

#define RESOLVE_TEXT_MAX 160

/* The answer of one route lookup. */
struct net_route {
	int error;    /* 0, or the lookup's negative errno: -ENETUNREACH, -EHOSTUNREACH, ... */
	uint8_t type; /* RTN_* */
	uint32_t oif;
	struct ip_addr gateway; /* IP_NONE: directly connected */
	struct ip_addr prefsrc; /* IP_NONE: none */
	uint32_t mtu;           /* of the route; 0: the device's */
};

/*
 * What all nics that may use the next hop have in common: resolve_common_nics(). Zero: nothing, they are
 * on different bridges or on none.
 */
struct resolve_nics {
	uint32_t bridge; /* each is a port of this one */
	uint16_t vlan;   /* VLAN that their frames travel in; 0 when the bridge does not filter */
	uint16_t tag;    /* VLAN id that their frames carry when they come in; 0: none */
};

enum resolve_reason { /* resolve_reason_name(): "NoRoute" */
	RESOLVE_OK,
	RESOLVE_NOT_UNICAST,      /* the address, or the type of its route */
	RESOLVE_LOCAL,            /* an address or MAC of this host */
	RESOLVE_NO_ROUTE,         /* none, or unreachable, blackhole, prohibit */
	RESOLVE_VIA_GATEWAY,      /* not directly reachable */
	RESOLVE_NO_LINK,          /* the device is gone, or not in the picture yet */
	RESOLVE_LINK_DOWN,        /* administratively */
	RESOLVE_NO_CARRIER,       /* nobody has opened the tap, the peer is down */
	RESOLVE_NO_NEIGHBOUR,     /* not asked yet, or the answer is due */
	RESOLVE_NEIGHBOUR_FAILED, /* asked, no answer */
	RESOLVE_VLAN_DENIED,      /* the egress port does not carry the next hop's VLAN */
	RESOLVE_NO_UNDERLAY,      /* the other end of a configured tunnel can not be reached */
	RESOLVE_REASONS,
};

/*
 * The next hop is on another host, behind a VXLAN device of this one (or a tunnel of the configuration). Until resolve_underlay() has found the way
 * there, and where it finds none that XDP can take, frames go through that device.
 */
struct resolved_tunnel {
	uint32_t device; /* the VXLAN device; 0: there is no tunnel */
	uint32_t vni;
	uint16_t port;         /* UDP, host order */
	struct ip_addr remote; /* the other end */
	struct ip_addr local;  /* IP_NONE: by the route there */
	struct ip_addr via;    /* the neighbour on the way: the other end, or a gateway */
	uint32_t via_ifindex;  /* where it is asked for; 0: not known */
	bool via_managed;      /* the kernel keeps it, or it is permanent */
	uint8_t dmac[NET_MAC_LEN], smac[NET_MAC_LEN]; /* outer */
	bool zero_sum;                                /* over IPv6 */
};

struct resolved_nexthop {
	enum resolve_reason reason;  /* RESOLVE_OK: usable, `way` is not XRS_WAY_NONE */
	char text[RESOLVE_TEXT_MAX]; /* the reason with names, for people; "" when resolved */
	enum xrs_way way;
	bool xdp;        /* way REDIRECT: `ifindex` belongs into xrs_devmap */
	const char *why; /* of this way and no faster one, for people; static; NULL: unresolved */
	/*
	 * The other end of a veth, in this namespace, that runs no NAPI: with GRO on it (net_set_gro()) the
	 * egress would take XDP frames. 0: nothing to be done here.
	 */
	uint32_t napi_peer;
	uint32_t ifindex; /* egress; of BRIDGE the port, or the bridge when the port is not known */
	/*
	 * The device to ask for the neighbour on: what nl_neigh_manage() wants. 0: there is nobody to ask
	 * (no route, a gateway between, not Ethernet, our own address).
	 */
	uint32_t l3_ifindex;
	/*
	 * The kernel keeps the neighbour, or it is permanent. When false, nl_neigh_manage() is due, again
	 * too: a link that goes down, or an administrator, takes a managed entry away.
	 */
	bool managed;
	uint8_t dmac[NET_MAC_LEN];
	uint8_t smac[NET_MAC_LEN];
	uint16_t
		vlan; /* REDIRECT: tag on the egress; BRIDGE: tag that the frame must have come with */
	uint32_t mtu; /* largest L3 packet */
	struct resolved_tunnel tunnel;
};

/*
 * Always fills @ret whole (padding too: memcmp() of two results tells whether anything changed).
 * l3_ifindex is set as soon as it is known, so that a next hop without a neighbour can be probed.
 */
void resolve_nexthop(const struct net_model *model, const struct ip_addr *addr,
		     const struct net_route *route, const struct resolve_nics *nics,
		     struct resolved_nexthop *ret);
/*
 * The second question for a next hop with a tunnel: @route is the lookup of tunnel.remote. When XDP can send
 * there by itself the way becomes XRS_WAY_VXLAN and `ifindex` the device of the underlay; otherwise
 * everything stays as it is, and `why` says why. tunnel.via and via_ifindex are set as soon as known.
 */
void resolve_underlay(const struct net_model *model, const struct net_route *route,
		      struct resolved_nexthop *nexthop);
/*
 * In place of both for a next hop behind a tunnel of the configuration, of which the kernel knows nothing: @tunnel
 * has vni, port, remote, local and zero_sum, and @mac is the next hop's. Way VXLAN whatever the underlay is; `xdp`
 * false where it does not take XDP frames. The inner source MAC is @gateway, or the underlay's where that is zero.
 */
void resolve_vxlan(const struct net_model *model, const struct resolved_tunnel *tunnel,
		   const uint8_t mac[NET_MAC_LEN], const uint8_t gateway[NET_MAC_LEN],
		   const struct net_route *route, struct resolved_nexthop *ret);
static inline bool resolve_is_ok(const struct resolved_nexthop *nexthop)
{
	return nexthop->reason == RESOLVE_OK;
}
const char *resolve_reason_name(enum resolve_reason reason);

/* The devices take XDP frames: rule 2 above. */
bool resolve_takes_xdp(const struct net_link *link);
/* What @n nics have in common; zero (also for n == 0) when something differs. */
struct resolve_nics resolve_common_nics(const struct net_model *model, const uint32_t *ifindexes,
					size_t n);

#endif
