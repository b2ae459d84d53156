/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a virtual network is, as configured: plain data, filled by agent/config.c from the file or by
 * the API, read by everybody else. Pure; the arrays belong to the struct that holds them.
 */
#ifndef XRS_VNET_VNET_H
#define XRS_VNET_VNET_H

#include "bfd/bfd_packet.h"
#include "bgp/open.h"
#include "rib/decision.h"
#include "rib/policy.h"
#include "rib/rib.h"
#include "util/prefix.h"

/* Names of vnets and route tables: letters, digits, '-' and '_'; they become names of pins. */
#define VNET_NAME_MAX 32 /* with the terminating zero: fits XRS_NAME_LEN */
#define MAC_TEXT_MAX  18

struct mac_addr {
	uint8_t bytes[6];
};
int mac_parse(const char *text, struct mac_addr *ret_mac); /* "02:00:00:00:01:01"; 0 or -EINVAL */
char *mac_format(const struct mac_addr *mac, char buf[static MAC_TEXT_MAX]);
bool vnet_name_valid(const char *name);

enum next_hop_type { /* Azure's names: next_hop_type_name() */
	NEXT_HOP_VIRTUAL_APPLIANCE,
	NEXT_HOP_VIRTUAL_NETWORK_GATEWAY,
	NEXT_HOP_VNET_LOCAL,
	NEXT_HOP_INTERNET,
	NEXT_HOP_NONE,
	NEXT_HOP_TYPE_MAX,
};
const char *next_hop_type_name(enum next_hop_type type);

struct user_route {
	struct ip_prefix prefix;
	enum next_hop_type type;
	struct ip_addr next_hop; /* of VirtualAppliance, else IP_NONE */
	bool from_api;           /* made through the API, not by the file */
};

enum persist_action {            /* of a prefix whose last path is lost */
	PERSIST_SYSTEM,          /* the weaker candidates count */
	PERSIST_HOLD,            /* steered on, for a time */
	PERSIST_HOLD_UNTIL_TOLD, /* steered on */
	PERSIST_DROP,            /* dropped until BGP offers it again */
};

struct persist_config {
	enum persist_action action;
	uint32_t seconds; /* of PERSIST_HOLD */
};

struct route_table_config {
	char name[VNET_NAME_MAX];
	bool disable_bgp_propagation;
	uint32_t disable_propagation_from; /* 1 << enum rib_source */
	bool allow_own_prefixes;
	bool from_api;
	bool implied; /* "main", which nothing lists */
	struct persist_config persist;
	struct user_route *routes;
	size_t n_routes;
};

struct bfd_config {
	bool enabled, multihop;
	bool strict;                 /* no BGP session before BFD is Up */
	bool honor_graceful_restart; /* RFC 5882 4.3: Down without the C bit may be a restart */
	uint32_t min_tx_ms, min_rx_ms;
	uint8_t multiplier;
	enum bfd_auth auth_type;
	uint8_t auth_key_id;
	char auth_key_file[256];
};

struct peering_limits {   /* 0: no bound */
	uint32_t as_path; /* AS numbers */
	uint32_t communities;
	uint32_t attribute_octets;
	uint32_t memory_mib;
};

enum capability_use {
	CAPABILITY_OFF,
	CAPABILITY_ON,
	CAPABILITY_REQUIRE /* a session without it is refused: 2/7 */
};

struct peering_config {
	char name[64];
	uint32_t peer_asn; /* 0: peer_asns */
	struct ip_addr peer_ip;
	struct ip_prefix peer_range;  /* in place of peer_ip; its peers are made as they connect */
	struct bgp_asn_set peer_asns; /* of peer_range */
	uint32_t max_peers, peer_idle_time; /* of peer_range; seconds */
	enum peer_role role;
	bool enabled;
	bool passive;
	uint16_t port; /* of the peer */
	uint8_t multihop_ttl;
	uint8_t ttl_security_hops;
	uint16_t hold_time, keepalive_time; /* seconds */
	uint32_t connect_retry_time;        /* seconds */
	uint32_t send_hold_time;            /* seconds; 0: RFC 9687's default */
	uint32_t families;                  /* BGP_FAMILY_BIT */
	char local_address[IP_TEXT_MAX]; /* bind here instead of the route server's address; "" */
	char device[16];                 /* bind to this interface; "" */
	char password_file[256];
	struct rib_limit max_prefixes;
	struct peering_limits limits;
	struct bfd_config bfd;
	uint16_t probe_port; /* 0: no probe */
	uint32_t probe_interval_ms, probe_timeout_ms;
	uint8_t probe_failures;
	uint32_t return_hold_ms; /* after a failure flows come back so much later */
	struct {                 /* each an enum capability_use */
		enum capability_use multiprotocol, four_octet_as, route_refresh, enhanced_refresh;
		enum capability_use extended_message, extended_next_hop;
	} capabilities;
	bool add_path_receive;
	uint8_t add_path_send_max; /* 0: not offered */
	enum bgp_role bgp_role;    /* ours towards the peer; BGP_ROLE_MAX: none */
	bool bgp_role_strict;
	uint16_t shutdown_drain_time; /* seconds */
	bool gr_enabled, gr_required;
	uint16_t gr_restart_time;                           /* seconds */
	uint32_t gr_stale_path_time;                        /* seconds */
	uint32_t gr_long_lived_time;                        /* seconds; 0: not long-lived */
	char inbound_route_map[64], outbound_route_map[64]; /* "" or a name in the vnet */
	bool advertise_vnet, advertise_host_routes, advertise_learned;
	bool from_api;
};

/* One that waits for peers out of a range of addresses; it has no session of its own. */
static inline bool peering_is_range(const struct peering_config *peering)
{
	return peering->peer_range.addr.family != IP_NONE;
}

/* Of the session: that of peerIp or peerRange. */
static inline enum ip_family peering_family(const struct peering_config *peering)
{
	return peering_is_range(peering) ? peering->peer_range.addr.family
					 : peering->peer_ip.family;
}

struct route_server_config {
	bool present;
	uint32_t asn;
	struct ip_addr local_address, local_address6;
	uint16_t port; /* where we listen */
	enum hub_preference hub_preference;
	bool branch_to_branch;
	bool ignore_link_bandwidth;
	enum path_selection selection;
	bool always_compare_med;
	unsigned int max_paths;
	uint32_t deferral_time;       /* seconds */
	uint32_t start_deferral_time; /* seconds */
};

struct vnet_peering_config {
	char remote_vnet[VNET_NAME_MAX];
	bool use_remote_route_server;
};

struct vnet_interface {
	char name[16];
};

/* Next hops on another host, in a VXLAN network of which this host's kernel need not know. */
struct vxlan_config {
	struct ip_prefix next_hops; /* nextHopPrefix; first: it is what they are compared by */
	struct mac_addr mac;        /* of the next hop, inside the tunnel */
	uint32_t vni;
	struct ip_addr remote; /* other end */
	struct ip_addr local;  /* IP_NONE: as the route there says */
	uint16_t port;
	bool zero_checksum; /* over IPv6 */
};

struct vnet_config {
	char name[VNET_NAME_MAX];
	bool from_api;
	struct ip_prefix *prefixes; /* addressPrefixes */
	size_t n_prefixes;
	struct vnet_interface
		*interfaces; /* where next hops are looked for; none: where its nics are */
	size_t n_interfaces;
	struct mac_addr *gateway_macs; /* none: the nic's own MAC and its bridge's */
	size_t n_gateway_macs;
	struct ip_prefix *protected_prefixes;
	size_t n_protected;
	struct route_server_config route_server;
	struct peering_config *peerings;
	size_t n_peerings;
	struct route_map *route_maps;
	size_t n_route_maps;
	struct route_table_config *route_tables; /* "main" is always the first */
	size_t n_route_tables;
	struct vnet_peering_config *vnet_peerings;
	size_t n_vnet_peerings;
	struct vxlan_config *vxlan;
	size_t n_vxlan;
};

void vnet_config_done(struct vnet_config *vnet); /* frees what it points to */
const struct route_table_config *vnet_find_table(const struct vnet_config *vnet, const char *name);
const struct peering_config *vnet_find_peering(const struct vnet_config *vnet, const char *name);
const struct route_map *vnet_find_route_map(const struct vnet_config *vnet, const char *name);
/* The tunnel to a next hop: of the longest prefix; NULL: it is reached as the kernel says. */
const struct vxlan_config *vnet_find_vxlan(const struct vnet_config *vnet,
					   const struct ip_addr *next_hop);
/* The address lies in one of the vnet's prefixes. */
bool vnet_contains(const struct vnet_config *vnet, const struct ip_addr *addr);
/* All of @prefix does. */
bool vnet_covers(const struct vnet_config *vnet, const struct ip_prefix *prefix);

#endif
