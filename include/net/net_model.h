/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The picture of the host's network: links, neighbours, bridge FDB, tables of VXLAN devices, port VLANs,
 * addresses.
 *
 * Filled by nl_watch.c from netlink and by tests by hand; read by resolve.c, the agent and the API.
 * Pure: no sockets, no clock, no log. What the kernel or a guest can grow is bounded below; what does
 * not fit is refused with -ENOSPC and counted. Pointers that the finders give out are the model's and
 * live until the next call that changes it.
 */
#ifndef XRS_NET_NET_MODEL_H
#define XRS_NET_NET_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/prefix.h"

#define NET_LINKS_MAX     16384
#define NET_NEIGHS_MAX    65536
#define NET_FDB_MAX       131072
#define NET_ADDRS_MAX     65536
#define NET_VTEPS_MAX     65536
#define NET_IF_NAME_MAX   16  /* IFNAMSIZ */
#define NET_ALT_NAMES_MAX 8   /* further ones are counted, not kept */
#define NET_ALT_NAME_LEN  128 /* ALTIFNAMSIZ */
#define NET_ALIAS_LEN     256 /* IFALIASZ */
#define NET_KIND_LEN      16
#define NET_MAC_LEN       6
#define NET_VLAN_MAX      4094
#define NET_NETNS_HERE    (-1)

/* VLANs of a bridge port, or of the bridge device itself (IFLA_AF_SPEC of PF_BRIDGE). */
struct net_port_vlans {
	uint16_t pvid;       /* VLAN of untagged frames that come in; 0: such frames are dropped */
	uint8_t member[512]; /* bit n: carries VLAN n */
	uint8_t untagged[512]; /* bit n: VLAN n leaves without a tag */
};

enum net_tun_type {
	NET_TUN_NONE, /* not a tun device, or the kernel does not say */
	NET_TUN_TUN,  /* layer 3 */
	NET_TUN_TAP,  /* Ethernet */
};

/* NETDEV_A_DEV_XDP_FEATURES (kernel 6.3, uapi linux/netdev.h): what the driver can do with XDP. */
#define NET_XDP_BASIC       0x01u
#define NET_XDP_REDIRECT    0x02u
#define NET_XDP_NDO_XMIT    0x04u /* frames redirected to it are delivered */
#define NET_XDP_XSK         0x08u
#define NET_XDP_HW_OFFLOAD  0x10u
#define NET_XDP_RX_SG       0x20u
#define NET_XDP_NDO_XMIT_SG 0x40u

struct net_vxlan {
	uint32_t vni;
	uint16_t port; /* UDP destination port, host order */
	bool metadata; /* `external`: the VNI comes with each frame, there is no table to read */
	struct ip_addr local; /* IP_NONE: chosen by the route to the other end */
};

/* Strings are zero-padded to their full size: links are compared octet by octet. */
struct net_link {
	uint32_t ifindex;
	char name[NET_IF_NAME_MAX];
	char alt_names[NET_ALT_NAMES_MAX][NET_ALT_NAME_LEN];
	uint32_t n_alt_names;
	uint32_t n_alt_names_dropped; /* above NET_ALT_NAMES_MAX */
	char if_alias[NET_ALIAS_LEN];
	uint32_t group;
	uint32_t master;         /* ifindex of the bridge, bond, ... it is a port of; 0: none */
	char kind[NET_KIND_LEN]; /* IFLA_INFO_KIND: "tun", "veth", "bridge", ...; "" physical */
	uint16_t type;           /* ARPHRD_*: 1 is Ethernet */
	bool loopback;
	bool up;                       /* administratively */
	bool carrier;                  /* IFF_LOWER_UP */
	uint8_t mac[NET_MAC_LEN];      /* zero when `type` is not Ethernet */
	uint8_t perm_mac[NET_MAC_LEN]; /* zero: the device has none */
	uint32_t mtu;
	uint32_t parent;      /* IFLA_LINK: a VLAN's parent; a veth's peer, if it was there */
	int32_t parent_netns; /* netnsid where `parent` is an ifindex, or NET_NETNS_HERE */
	uint16_t vlan_id;     /* of kind "vlan" */
	uint16_t vlan_proto;  /* of kind "vlan": 0x8100 or 0x88a8 */
	bool vlan_filtering;  /* of kind "bridge" */
	enum net_tun_type tun_type;
	bool tun_persist;
	bool tun_vnet_hdr;
	struct net_vxlan vxlan; /* of kind "vxlan" */
	uint32_t xdp_prog_id;   /* attached in any mode; 0: none */
	uint8_t xdp_mode;       /* XDP_ATTACHED_*: 0 none, 1 driver, 2 generic, 3 hw, 4 several */

	/* Kept by setters of their own; net_model_link_set() leaves them alone. */
	bool xdp_features_known;
	uint64_t xdp_features;              /* NET_XDP_* */
	const struct net_port_vlans *vlans; /* NULL: not a bridge port, or no VLANs on it */
};

/* What of a link changed. */
#define NET_LINK_NAME         0x0001u
#define NET_LINK_ALT_NAMES    0x0002u
#define NET_LINK_ALIAS        0x0004u
#define NET_LINK_GROUP        0x0008u
#define NET_LINK_MASTER       0x0010u
#define NET_LINK_KIND         0x0020u /* kind, ARPHRD type, tun details */
#define NET_LINK_MAC          0x0040u
#define NET_LINK_MTU          0x0080u
#define NET_LINK_STATE        0x0100u /* up, carrier */
#define NET_LINK_PARENT       0x0200u /* parent, its namespace, VLAN id and protocol */
#define NET_LINK_BRIDGE       0x0400u /* vlan_filtering */
#define NET_LINK_XDP_PROG     0x0800u
#define NET_LINK_XDP_FEATURES 0x1000u
#define NET_LINK_VLANS        0x2000u
/* Some key of a nic rule (vnet/nic_match.h) may match differently now. */
#define NET_LINK_MATCH_KEYS                                                                       \
	(NET_LINK_NAME | NET_LINK_ALT_NAMES | NET_LINK_ALIAS | NET_LINK_GROUP | NET_LINK_MASTER | \
	 NET_LINK_KIND | NET_LINK_MAC)

enum net_neigh_state {    /* NUD_*, as far as anyone cares */
	NET_NEIGH_NONE,   /* INCOMPLETE, NONE: being asked, or nobody asked */
	NET_NEIGH_FAILED, /* asked, no answer */
	NET_NEIGH_VALID,  /* NUD_VALID: the MAC may be used, fresh or not */
};

struct net_neigh {
	uint32_t ifindex; /* the L3 device */
	struct ip_addr addr;
	uint8_t mac[NET_MAC_LEN]; /* zero: none, or not an Ethernet address */
	uint16_t nud;             /* NUD_* as the kernel says it */
	bool managed;             /* NTF_EXT_MANAGED: the kernel keeps it fresh */
};
enum net_neigh_state net_neigh_state(const struct net_neigh *neigh);

struct net_fdb {
	uint32_t bridge;
	uint8_t mac[NET_MAC_LEN];
	uint16_t vlan; /* 0: the bridge does not filter VLANs */
	uint32_t port; /* ifindex of the port; the bridge's own for its own addresses */
	bool local;    /* the address of this host on that port or bridge (NUD_PERMANENT) */
};

struct net_vtep { /* an entry in the table of a VXLAN device: where a MAC is to be sent to */
	uint32_t ifindex;
	uint8_t mac[NET_MAC_LEN];
	struct ip_addr remote;
	uint32_t vni;  /* 0: the device's */
	uint16_t port; /* host order; 0: the device's */
};

struct net_addr {
	uint32_t ifindex;
	struct ip_addr addr;
	uint8_t prefix_len;
};

enum net_change {
	NET_SAME, /* nothing that a reader of the picture would notice */
	NET_ADDED,
	NET_CHANGED,
	NET_REMOVED,
};

struct net_model;

struct net_model *net_model_new(void); /* NULL: out of memory */
void net_model_free(struct net_model *model);
/* Rises with each change of the picture. */
uint64_t net_model_version(const struct net_model *model);

struct net_model_counts {
	size_t links, neighs, fdb, addrs, vteps;
	uint64_t refused; /* objects that did not fit (-ENOSPC), since the start */
};
struct net_model_counts net_model_counts(const struct net_model *model);

/* --- links ---------------------------------------------------------------------------------------- */
/*
 * Adds or replaces; the features and VLANs of an older picture stay. *ret_changes (may be NULL) gets
 * the NET_LINK_* bits, all of them for a new one. enum net_change, -ENOMEM or -ENOSPC.
 */
int net_model_link_set(struct net_model *model, const struct net_link *link, uint32_t *ret_changes);
/* NET_SAME, NET_CHANGED or -ENOENT. */
int net_model_link_features(struct net_model *model, uint32_t ifindex, uint64_t features);
/*
 * NULL forgets them. NET_SAME, NET_CHANGED, -ENOENT or -ENOMEM.
 */
int net_model_link_vlans(struct net_model *model, uint32_t ifindex,
			 const struct net_port_vlans *vlans);
/*
 * Takes the link out, with its neighbours, addresses and FDB entries (as port and as bridge). The
 * caller frees the returned link with net_link_free(). NULL: there was none.
 */
struct net_link *net_model_link_take(struct net_model *model, uint32_t ifindex);
void net_link_free(struct net_link *link);

const struct net_link *net_model_link(const struct net_model *model, uint32_t ifindex);
/* By name or alternative name. A walk: not for packets. */
const struct net_link *net_model_link_by_name(const struct net_model *model, const char *name);
/* Name of a link, or "" when there is none. */
const char *net_model_link_name(const struct net_model *model, uint32_t ifindex);
/* Walks: start with *cursor = 0; NULL at the end; do not change the model meanwhile. */
const struct net_link *net_model_link_next(const struct net_model *model, size_t *cursor);

bool net_vlans_has(const struct net_port_vlans *vlans, uint16_t vlan);
bool net_vlans_untagged(const struct net_port_vlans *vlans, uint16_t vlan);
/* Adds @first..@last to @vlans. */
void net_vlans_add(struct net_port_vlans *vlans, uint16_t first, uint16_t last, bool untagged);
void net_vlans_del(struct net_port_vlans *vlans, uint16_t first, uint16_t last);

/* --- neighbours, FDB, addresses ---------------------------------------------------------------------- */
/*
 * A step between two usable states of a neighbour (REACHABLE to STALE, ...) with the same MAC is
 * stored and reported as NET_SAME. enum net_change, -ENOMEM, -ENOSPC. _del: NET_REMOVED or NET_SAME.
 */
int net_model_neigh_set(struct net_model *model, const struct net_neigh *neigh);
int net_model_neigh_del(struct net_model *model, uint32_t ifindex, const struct ip_addr *addr);
const struct net_neigh *net_model_neigh(const struct net_model *model, uint32_t ifindex,
					const struct ip_addr *addr);
const struct net_neigh *net_model_neigh_next(const struct net_model *model, size_t *cursor);

int net_model_fdb_set(struct net_model *model, const struct net_fdb *fdb);
/* Only when the entry points to fdb->port: a late "gone from port A" must not undo "now on port B". */
int net_model_fdb_del(struct net_model *model, const struct net_fdb *fdb);
const struct net_fdb *net_model_fdb(const struct net_model *model, uint32_t bridge,
				    const uint8_t mac[NET_MAC_LEN], uint16_t vlan);
const struct net_fdb *net_model_fdb_next(const struct net_model *model, size_t *cursor);

int net_model_vtep_set(struct net_model *model, const struct net_vtep *vtep);
int net_model_vtep_del(struct net_model *model, const struct net_vtep *vtep);
const struct net_vtep *net_model_vtep(const struct net_model *model, uint32_t ifindex,
				      const uint8_t mac[NET_MAC_LEN]);

int net_model_addr_set(struct net_model *model, const struct net_addr *addr);
int net_model_addr_del(struct net_model *model, const struct net_addr *addr);
/* The address with that device and prefix length. */
const struct net_addr *net_model_addr(const struct net_model *model, const struct net_addr *key);
/* @addr is an address of this host on any link. */
bool net_model_is_own_addr(const struct net_model *model, const struct ip_addr *addr);
const struct net_addr *net_model_addr_next(const struct net_model *model, size_t *cursor);

/* --- questions over several tables --------------------------------------------------------------------- */
/*
 * The bridge that frames of the L3 device @ifindex go through: itself, or the parent of a VLAN device
 * (802.1Q). 0: no bridge. *ret_vlan is the VLAN they travel in there, the FDB's key; 0 when the bridge does
 * not filter. *ret_tag is the VLAN id that they carry into the bridge; 0: none.
 */
uint32_t net_model_bridge_of(const struct net_model *model, uint32_t ifindex, uint16_t *ret_vlan,
			     uint16_t *ret_tag);
/*
 * Where a MAC lives that is seen from the L3 device @ifindex (a bridge, a VLAN on a bridge, or anything
 * else): the bridge port that learned it, or the device itself. 0: not known, or this host's own.
 */
uint32_t net_model_port_of_mac(const struct net_model *model, uint32_t ifindex,
			       const uint8_t mac[NET_MAC_LEN]);
/*
 * Which interface an address lives behind: neighbour, then FDB. The L3 device is @ifindex, or any (the
 * lowest ifindex that knows it) when 0. 0: not known.
 */
uint32_t net_model_port_of_ip(const struct net_model *model, uint32_t ifindex,
			      const struct ip_addr *addr);

/* --- mark and sweep --------------------------------------------------------------------------------- */
enum net_class {
	NET_CLASS_LINK,
	NET_CLASS_NEIGH,
	NET_CLASS_FDB,
	NET_CLASS_ADDR,
	NET_CLASS_VTEP,
	NET_CLASSES,
};
/* From now on every _set() marks its object; net_model_sweep() finds those that nothing marked. */
void net_model_mark(struct net_model *model);
/* Of FDB, neighbours and addresses: removes what is unmarked; returns how many. */
size_t net_model_sweep(struct net_model *model, enum net_class cls);
/* An unmarked link to be taken (net_model_link_take()), or 0: call until 0. */
uint32_t net_model_unmarked_link(const struct net_model *model);

#endif
