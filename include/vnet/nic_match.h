/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which host interface is a nic of which vnet: rules, first match wins, all keys of a match must hold,
 * shell globs, a leading '!' excludes. Pure: it sees facts, not netlink.
 */
#ifndef XRS_VNET_NIC_MATCH_H
#define XRS_VNET_NIC_MATCH_H

#include "dataplane.h"
#include "vnet/vnet.h"

#define NIC_ALT_NAMES_MAX 8
#define NIC_IF_NAME_MAX   16

struct nic_facts { /* one link of the host, as nic rules see it */
	uint32_t ifindex;
	char name[NIC_IF_NAME_MAX];
	char alt_names[NIC_ALT_NAMES_MAX][128];
	unsigned int n_alt_names;
	char if_alias[256];
	uint32_t group;
	char master[NIC_IF_NAME_MAX]; /* name of the bridge it is a port of, or "" */
	char kind[16];                /* "tun", "veth", "bridge", ...; "" for physical */
	struct mac_addr mac;
};

enum nic_match_key {
	NIC_MATCH_NAME,
	NIC_MATCH_ALT_NAME,
	NIC_MATCH_IF_ALIAS,
	NIC_MATCH_GROUP,
	NIC_MATCH_MASTER,
	NIC_MATCH_KIND,
	NIC_MATCH_MAC,
	NIC_MATCH_KEYS,
};

enum nic_mode {        /* how programs are attached; the words of dataplane.mode */
	NIC_MODE_NODE, /* as dataplane.mode says for all */
	NIC_MODE_AUTO,
	NIC_MODE_NATIVE,
	NIC_MODE_GENERIC,
	NIC_MODE_TC,
};

/* Where antiSpoof learns sources from. */
#define NIC_LEARN_ARP  1u /* and neighbour discovery: the kernel's neighbours */
#define NIC_LEARN_DHCP 2u

struct nic_rule {
	/* Patterns of each key; a key without patterns is no condition. */
	char **patterns[NIC_MATCH_KEYS];
	size_t n_patterns[NIC_MATCH_KEYS];
	char vnet[VNET_NAME_MAX];
	char route_table[VNET_NAME_MAX]; /* "main" */
	enum xrs_nic_role role;
	enum nic_mode mode;
	bool anti_spoof;
	uint32_t source_learning;   /* NIC_LEARN_* */
	struct mac_addr source_mac; /* zero: any */
	bool symmetric;             /* true */
	struct ip_prefix *sources;  /* allowed source prefixes; none: the vnet's prefixes */
	size_t n_sources;
};

void nic_rule_done(struct nic_rule *rule);
/*
 * One key: some pattern without '!' matches (or there is none), and no pattern with '!' does. A group is
 * compared as a decimal number, a MAC in lower case.
 */
bool nic_rule_matches(const struct nic_rule *rule, const struct nic_facts *facts);
/* The first rule that matches, or -1. Bridges and loopback are never nics. */
int nic_match(const struct nic_rule *rules, size_t n, const struct nic_facts *facts);

#endif
