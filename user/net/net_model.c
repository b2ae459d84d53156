// SPDX-License-Identifier: GPL-2.0-only
/*
 * Five tables of one shape: a payload, found by a hash of its key, with the mark of the dump that last
 * saw it. What differs between links, neighbours, FDB entries, addresses and VTEPs stands in one row each.
 *
 * Filled by nl_watch.c and tests. Never asks the kernel, never logs.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/net_model.h"
#include "util/htab.h"

#define ARPHRD_ETHERNET  1
#define VLAN_PROTO_8021Q 0x8100
#define REMOVE_BATCH     512
#define NUD_VALID_STATES 0xde /* PERMANENT NOARP REACHABLE PROBE STALE DELAY (linux/neighbour.h) */
#define NUD_FAILED_STATE 0x20
#define NET_LINK_ANY     0x3fffu /* every NET_LINK_* */

struct item {
	uint32_t mark;
	uint64_t payload[]; /* struct net_link, net_neigh, net_fdb, net_addr or net_vtep */
};

struct class_ops {
	size_t size, max;
	uint32_t (*hash)(const void *payload);
	bool (*eq)(const void *item, const void *key);  /* the keys of both are equal */
	bool (*same)(const void *old, const void *new); /* a reader would see no difference */
	bool (*of_link)(const void *payload, uint32_t ifindex);
};

struct net_model {
	struct htab *tables[NET_CLASSES];
	uint64_t version;
	uint64_t refused;
	uint32_t mark;
};

/* --- the rows ------------------------------------------------------------------------------------- */
static const void *payload_of(const void *item)
{
	return ((const struct item *)item)->payload;
}

/* The key of a link is its first member, so that a search needs no whole struct net_link. */
static_assert(offsetof(struct net_link, ifindex) == 0, "the key of a link comes first");

static uint32_t link_hash(const void *payload)
{
	return hash_u32(*(const uint32_t *)payload, 0);
}

static bool link_eq(const void *item, const void *key)
{
	return *(const uint32_t *)payload_of(item) == *(const uint32_t *)key;
}

static bool link_of_link(const void *payload, uint32_t ifindex)
{
	return *(const uint32_t *)payload == ifindex;
}

static uint32_t neigh_hash(const void *payload)
{
	const struct net_neigh *neigh = payload;

	return hash_bytes(&neigh->addr, sizeof(neigh->addr), neigh->ifindex);
}

static bool neigh_eq(const void *item, const void *key)
{
	const struct net_neigh *a = payload_of(item), *b = key;

	return a->ifindex == b->ifindex && ip_equal(&a->addr, &b->addr);
}

static bool neigh_same(const void *old, const void *new)
{
	const struct net_neigh *a = old, *b = new;

	return net_neigh_state(a) == net_neigh_state(b) && !memcmp(a->mac, b->mac, NET_MAC_LEN);
}

static bool neigh_of_link(const void *payload, uint32_t ifindex)
{
	return ((const struct net_neigh *)payload)->ifindex == ifindex;
}

static uint32_t fdb_hash(const void *payload)
{
	const struct net_fdb *fdb = payload;

	return hash_bytes(fdb->mac, NET_MAC_LEN, fdb->bridge ^ (uint32_t)fdb->vlan << 20);
}

static bool fdb_eq(const void *item, const void *key)
{
	const struct net_fdb *a = payload_of(item), *b = key;

	return a->bridge == b->bridge && a->vlan == b->vlan && !memcmp(a->mac, b->mac, NET_MAC_LEN);
}

static bool fdb_same(const void *old, const void *new)
{
	const struct net_fdb *a = old, *b = new;

	return a->port == b->port && a->local == b->local;
}

static bool fdb_of_link(const void *payload, uint32_t ifindex)
{
	const struct net_fdb *fdb = payload;

	return fdb->bridge == ifindex || fdb->port == ifindex;
}

static uint32_t addr_hash(const void *payload)
{
	const struct net_addr *addr = payload;

	return hash_bytes(&addr->addr, sizeof(addr->addr), addr->ifindex);
}

static bool addr_eq(const void *item, const void *key)
{
	const struct net_addr *a = payload_of(item), *b = key;

	return a->ifindex == b->ifindex && a->prefix_len == b->prefix_len &&
	       ip_equal(&a->addr, &b->addr);
}

static bool addr_same(const void *old, const void *new)
{
	return true;
}

static bool addr_of_link(const void *payload, uint32_t ifindex)
{
	return ((const struct net_addr *)payload)->ifindex == ifindex;
}

static uint32_t vtep_hash(const void *payload)
{
	const struct net_vtep *vtep = payload;

	return hash_bytes(vtep->mac, NET_MAC_LEN, vtep->ifindex);
}

static bool vtep_eq(const void *item, const void *key)
{
	const struct net_vtep *a = payload_of(item), *b = key;

	return a->ifindex == b->ifindex && !memcmp(a->mac, b->mac, NET_MAC_LEN);
}

static bool vtep_same(const void *old, const void *new)
{
	const struct net_vtep *a = old, *b = new;

	return ip_equal(&a->remote, &b->remote) && a->vni == b->vni && a->port == b->port;
}

static bool vtep_of_link(const void *payload, uint32_t ifindex)
{
	return ((const struct net_vtep *)payload)->ifindex == ifindex;
}

static const struct class_ops classes[NET_CLASSES] = {
	[NET_CLASS_LINK] = { sizeof(struct net_link), NET_LINKS_MAX, link_hash, link_eq, NULL,
			     link_of_link },
	[NET_CLASS_NEIGH] = { sizeof(struct net_neigh), NET_NEIGHS_MAX, neigh_hash, neigh_eq,
			      neigh_same, neigh_of_link },
	[NET_CLASS_FDB] = { sizeof(struct net_fdb), NET_FDB_MAX, fdb_hash, fdb_eq, fdb_same,
			    fdb_of_link },
	[NET_CLASS_ADDR] = { sizeof(struct net_addr), NET_ADDRS_MAX, addr_hash, addr_eq, addr_same,
			     addr_of_link },
	[NET_CLASS_VTEP] = { sizeof(struct net_vtep), NET_VTEPS_MAX, vtep_hash, vtep_eq, vtep_same,
			     vtep_of_link },
};

/* --- what they share -------------------------------------------------------------------------------- */
static void *find(const struct net_model *model, enum net_class cls, const void *key)
{
	struct item *item =
		htab_find(model->tables[cls], classes[cls].hash(key), classes[cls].eq, key);

	return item ? item->payload : NULL;
}

static struct item *item_of(const void *payload)
{
	return (struct item *)((char *)payload - offsetof(struct item, payload));
}

static int insert(struct net_model *model, enum net_class cls, const void *payload)
{
	const struct class_ops *ops = &classes[cls];
	struct item *item;

	if (htab_count(model->tables[cls]) >= ops->max) {
		model->refused++;
		return -ENOSPC;
	}
	item = malloc(sizeof(*item) + ops->size);
	if (!item)
		return -ENOMEM;
	item->mark = model->mark;
	memcpy(item->payload, payload, ops->size);
	if (htab_insert(model->tables[cls], ops->hash(payload), item)) {
		free(item);
		return -ENOMEM;
	}
	model->version++;
	return NET_ADDED;
}

static int set(struct net_model *model, enum net_class cls, const void *payload)
{
	void *old = find(model, cls, payload);
	bool same;

	if (!old)
		return insert(model, cls, payload);
	item_of(old)->mark = model->mark;
	same = classes[cls].same(old, payload);
	memcpy(old, payload, classes[cls].size);
	if (same)
		return NET_SAME;
	model->version++;
	return NET_CHANGED;
}

static struct item *take(struct net_model *model, enum net_class cls, const void *key)
{
	struct item *item =
		htab_remove(model->tables[cls], classes[cls].hash(key), classes[cls].eq, key);

	if (item)
		model->version++;
	return item;
}

static int del(struct net_model *model, enum net_class cls, const void *key)
{
	struct item *item = take(model, cls, key);

	free(item);
	return item ? NET_REMOVED : NET_SAME;
}

/* Removes the items that @unwanted says yes to; a table must not change under a walk, hence batches. */
static size_t remove_where(struct net_model *model, enum net_class cls,
			   bool (*unwanted)(enum net_class cls, const struct item *item,
					    uint32_t arg),
			   uint32_t arg)
{
	struct item *batch[REMOVE_BATCH], *item;
	size_t n, total = 0, cursor;

	do {
		cursor = 0;
		n = 0;
		while (n < REMOVE_BATCH && (item = htab_next(model->tables[cls], &cursor))) {
			if (unwanted(cls, item, arg))
				batch[n++] = item;
		}
		for (size_t i = 0; i < n; i++)
			free(take(model, cls, batch[i]->payload));
		total += n;
	} while (n == REMOVE_BATCH);
	return total;
}

static bool is_of_link(enum net_class cls, const struct item *item, uint32_t ifindex)
{
	return classes[cls].of_link(item->payload, ifindex);
}

static bool is_unmarked(enum net_class cls, const struct item *item, uint32_t mark)
{
	return item->mark != mark;
}

static const void *next(const struct net_model *model, enum net_class cls, size_t *cursor)
{
	const struct item *item = htab_next(model->tables[cls], cursor);

	return item ? item->payload : NULL;
}

/* --- the whole ---------------------------------------------------------------------------------------- */
struct net_model *net_model_new(void)
{
	struct net_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	for (int i = 0; i < NET_CLASSES; i++) {
		model->tables[i] = htab_new();
		if (!model->tables[i]) {
			net_model_free(model);
			return NULL;
		}
	}
	return model;
}

void net_model_free(struct net_model *model)
{
	struct item *item;
	size_t cursor;

	if (!model)
		return;
	for (int i = 0; i < NET_CLASSES; i++) {
		cursor = 0;
		while (model->tables[i] && (item = htab_next(model->tables[i], &cursor))) {
			if (i == NET_CLASS_LINK)
				net_link_free((struct net_link *)item->payload);
			else
				free(item);
		}
		htab_free(model->tables[i]);
	}
	free(model);
}

uint64_t net_model_version(const struct net_model *model)
{
	return model->version;
}

struct net_model_counts net_model_counts(const struct net_model *model)
{
	return (struct net_model_counts){
		.links = htab_count(model->tables[NET_CLASS_LINK]),
		.neighs = htab_count(model->tables[NET_CLASS_NEIGH]),
		.fdb = htab_count(model->tables[NET_CLASS_FDB]),
		.addrs = htab_count(model->tables[NET_CLASS_ADDR]),
		.vteps = htab_count(model->tables[NET_CLASS_VTEP]),
		.refused = model->refused,
	};
}

/* --- links ---------------------------------------------------------------------------------------- */
#define FIELD(member, bit)                                                                        \
	{                                                                                         \
		offsetof(struct net_link, member), sizeof(((struct net_link *)NULL)->member), bit \
	}
static const struct {
	size_t offset, size;
	uint32_t bit;
} link_fields[] = {
	FIELD(name, NET_LINK_NAME),
	FIELD(alt_names, NET_LINK_ALT_NAMES),
	FIELD(n_alt_names, NET_LINK_ALT_NAMES),
	FIELD(n_alt_names_dropped, NET_LINK_ALT_NAMES),
	FIELD(if_alias, NET_LINK_ALIAS),
	FIELD(group, NET_LINK_GROUP),
	FIELD(master, NET_LINK_MASTER),
	FIELD(kind, NET_LINK_KIND),
	FIELD(type, NET_LINK_KIND),
	FIELD(loopback, NET_LINK_KIND),
	FIELD(tun_type, NET_LINK_KIND),
	FIELD(tun_persist, NET_LINK_KIND),
	FIELD(tun_vnet_hdr, NET_LINK_KIND),
	FIELD(up, NET_LINK_STATE),
	FIELD(carrier, NET_LINK_STATE),
	FIELD(mac, NET_LINK_MAC),
	FIELD(perm_mac, NET_LINK_MAC),
	FIELD(mtu, NET_LINK_MTU),
	FIELD(parent, NET_LINK_PARENT),
	FIELD(parent_netns, NET_LINK_PARENT),
	FIELD(vlan_id, NET_LINK_PARENT),
	FIELD(vlan_proto, NET_LINK_PARENT),
	FIELD(vlan_filtering, NET_LINK_BRIDGE),
	FIELD(vxlan, NET_LINK_PARENT),
	FIELD(xdp_prog_id, NET_LINK_XDP_PROG),
	FIELD(xdp_mode, NET_LINK_XDP_PROG),
};

static uint32_t link_diff(const struct net_link *old, const struct net_link *new)
{
	uint32_t changes = 0;

	for (size_t i = 0; i < sizeof(link_fields) / sizeof(link_fields[0]); i++) {
		if (memcmp((const char *)old + link_fields[i].offset,
			   (const char *)new + link_fields[i].offset, link_fields[i].size))
			changes |= link_fields[i].bit;
	}
	return changes;
}

static struct net_link *find_link(const struct net_model *model, uint32_t ifindex)
{
	return find(model, NET_CLASS_LINK, &ifindex);
}

static int link_add(struct net_model *model, const struct net_link *link, uint32_t *ret_changes)
{
	struct net_link fresh = *link;
	int r;

	fresh.xdp_features_known = false;
	fresh.xdp_features = 0;
	fresh.vlans = NULL;
	r = insert(model, NET_CLASS_LINK, &fresh);
	if (r == NET_ADDED && ret_changes)
		*ret_changes = NET_LINK_ANY;
	return r;
}

int net_model_link_set(struct net_model *model, const struct net_link *link, uint32_t *ret_changes)
{
	struct net_link *old = find_link(model, link->ifindex);
	struct net_link kept;
	uint32_t changes;

	if (!old)
		return link_add(model, link, ret_changes);
	item_of(old)->mark = model->mark;
	changes = link_diff(old, link);
	kept = *old;
	*old = *link;
	old->xdp_features_known = kept.xdp_features_known;
	old->xdp_features = kept.xdp_features;
	old->vlans = kept.vlans;
	if (ret_changes)
		*ret_changes = changes;
	if (!changes)
		return NET_SAME;
	model->version++;
	return NET_CHANGED;
}

int net_model_link_features(struct net_model *model, uint32_t ifindex, uint64_t features)
{
	struct net_link *link = find_link(model, ifindex);

	if (!link)
		return -ENOENT;
	if (link->xdp_features_known && link->xdp_features == features)
		return NET_SAME;
	link->xdp_features_known = true;
	link->xdp_features = features;
	model->version++;
	return NET_CHANGED;
}

static bool vlans_equal(const struct net_port_vlans *a, const struct net_port_vlans *b)
{
	if (!a || !b)
		return a == b;
	return a->pvid == b->pvid && !memcmp(a->member, b->member, sizeof(a->member)) &&
	       !memcmp(a->untagged, b->untagged, sizeof(a->untagged));
}

int net_model_link_vlans(struct net_model *model, uint32_t ifindex,
			 const struct net_port_vlans *vlans)
{
	struct net_link *link = find_link(model, ifindex);
	struct net_port_vlans *copy = NULL;

	if (!link)
		return -ENOENT;
	if (vlans_equal(link->vlans, vlans))
		return NET_SAME;
	if (vlans) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = *vlans;
	}
	free((void *)link->vlans);
	link->vlans = copy;
	model->version++;
	return NET_CHANGED;
}

struct net_link *net_model_link_take(struct net_model *model, uint32_t ifindex)
{
	struct item *item = take(model, NET_CLASS_LINK, &ifindex);

	if (!item)
		return NULL;
	for (int cls = NET_CLASS_NEIGH; cls < NET_CLASSES; cls++)
		remove_where(model, cls, is_of_link, ifindex);
	return (struct net_link *)item->payload;
}

void net_link_free(struct net_link *link)
{
	if (!link)
		return;
	free((void *)link->vlans);
	free(item_of(link));
}

const struct net_link *net_model_link(const struct net_model *model, uint32_t ifindex)
{
	return find_link(model, ifindex);
}

static bool link_is_called(const struct net_link *link, const char *name)
{
	if (!strcmp(link->name, name))
		return true;
	for (uint32_t i = 0; i < link->n_alt_names; i++) {
		if (!strcmp(link->alt_names[i], name))
			return true;
	}
	return false;
}

const struct net_link *net_model_link_by_name(const struct net_model *model, const char *name)
{
	const struct net_link *link;
	size_t cursor = 0;

	while ((link = net_model_link_next(model, &cursor))) {
		if (link_is_called(link, name))
			return link;
	}
	return NULL;
}

const char *net_model_link_name(const struct net_model *model, uint32_t ifindex)
{
	const struct net_link *link = find_link(model, ifindex);

	return link ? link->name : "";
}

const struct net_link *net_model_link_next(const struct net_model *model, size_t *cursor)
{
	return next(model, NET_CLASS_LINK, cursor);
}

/* --- port VLANs ------------------------------------------------------------------------------------- */
bool net_vlans_has(const struct net_port_vlans *vlans, uint16_t vlan)
{
	return vlans && vlan <= NET_VLAN_MAX && vlans->member[vlan / 8] & 1u << vlan % 8;
}

bool net_vlans_untagged(const struct net_port_vlans *vlans, uint16_t vlan)
{
	return vlans && vlan <= NET_VLAN_MAX && vlans->untagged[vlan / 8] & 1u << vlan % 8;
}

void net_vlans_add(struct net_port_vlans *vlans, uint16_t first, uint16_t last, bool untagged)
{
	for (unsigned int id = first; id <= last && id <= NET_VLAN_MAX; id++) {
		vlans->member[id / 8] |= 1u << id % 8;
		if (untagged)
			vlans->untagged[id / 8] |= 1u << id % 8;
		else
			vlans->untagged[id / 8] &= ~(1u << id % 8);
	}
}

void net_vlans_del(struct net_port_vlans *vlans, uint16_t first, uint16_t last)
{
	for (unsigned int id = first; id <= last && id <= NET_VLAN_MAX; id++) {
		vlans->member[id / 8] &= ~(1u << id % 8);
		vlans->untagged[id / 8] &= ~(1u << id % 8);
		if (vlans->pvid == id)
			vlans->pvid = 0;
	}
}

/* --- neighbours, FDB, addresses ---------------------------------------------------------------------- */
enum net_neigh_state net_neigh_state(const struct net_neigh *neigh)
{
	if (neigh->nud & NUD_VALID_STATES)
		return NET_NEIGH_VALID;
	return neigh->nud & NUD_FAILED_STATE ? NET_NEIGH_FAILED : NET_NEIGH_NONE;
}

int net_model_neigh_set(struct net_model *model, const struct net_neigh *neigh)
{
	return set(model, NET_CLASS_NEIGH, neigh);
}

int net_model_neigh_del(struct net_model *model, uint32_t ifindex, const struct ip_addr *addr)
{
	struct net_neigh key = { .ifindex = ifindex, .addr = *addr };

	return del(model, NET_CLASS_NEIGH, &key);
}

const struct net_neigh *net_model_neigh(const struct net_model *model, uint32_t ifindex,
					const struct ip_addr *addr)
{
	struct net_neigh key = { .ifindex = ifindex, .addr = *addr };

	return find(model, NET_CLASS_NEIGH, &key);
}

const struct net_neigh *net_model_neigh_next(const struct net_model *model, size_t *cursor)
{
	return next(model, NET_CLASS_NEIGH, cursor);
}

int net_model_fdb_set(struct net_model *model, const struct net_fdb *fdb)
{
	return set(model, NET_CLASS_FDB, fdb);
}

int net_model_fdb_del(struct net_model *model, const struct net_fdb *fdb)
{
	const struct net_fdb *held = find(model, NET_CLASS_FDB, fdb);

	if (!held || held->port != fdb->port)
		return NET_SAME;
	return del(model, NET_CLASS_FDB, fdb);
}

const struct net_fdb *net_model_fdb(const struct net_model *model, uint32_t bridge,
				    const uint8_t mac[NET_MAC_LEN], uint16_t vlan)
{
	struct net_fdb key = { .bridge = bridge, .vlan = vlan };

	memcpy(key.mac, mac, NET_MAC_LEN);
	return find(model, NET_CLASS_FDB, &key);
}

const struct net_fdb *net_model_fdb_next(const struct net_model *model, size_t *cursor)
{
	return next(model, NET_CLASS_FDB, cursor);
}

int net_model_vtep_set(struct net_model *model, const struct net_vtep *vtep)
{
	return set(model, NET_CLASS_VTEP, vtep);
}

/* As of the FDB: a late "gone from there" must not undo "now elsewhere". */
int net_model_vtep_del(struct net_model *model, const struct net_vtep *vtep)
{
	const struct net_vtep *held = find(model, NET_CLASS_VTEP, vtep);

	if (!held || !ip_equal(&held->remote, &vtep->remote))
		return NET_SAME;
	return del(model, NET_CLASS_VTEP, vtep);
}

const struct net_vtep *net_model_vtep(const struct net_model *model, uint32_t ifindex,
				      const uint8_t mac[NET_MAC_LEN])
{
	struct net_vtep key = { .ifindex = ifindex };

	memcpy(key.mac, mac, NET_MAC_LEN);
	return find(model, NET_CLASS_VTEP, &key);
}

int net_model_addr_set(struct net_model *model, const struct net_addr *addr)
{
	return set(model, NET_CLASS_ADDR, addr);
}

int net_model_addr_del(struct net_model *model, const struct net_addr *addr)
{
	return del(model, NET_CLASS_ADDR, addr);
}

const struct net_addr *net_model_addr(const struct net_model *model, const struct net_addr *key)
{
	return find(model, NET_CLASS_ADDR, key);
}

bool net_model_is_own_addr(const struct net_model *model, const struct ip_addr *addr)
{
	const struct net_addr *own;
	size_t cursor = 0;

	while ((own = net_model_addr_next(model, &cursor))) {
		if (ip_equal(&own->addr, addr))
			return true;
	}
	return false;
}

const struct net_addr *net_model_addr_next(const struct net_model *model, size_t *cursor)
{
	return next(model, NET_CLASS_ADDR, cursor);
}

/* --- questions over several tables --------------------------------------------------------------------- */
uint32_t net_model_bridge_of(const struct net_model *model, uint32_t ifindex, uint16_t *ret_vlan,
			     uint16_t *ret_tag)
{
	const struct net_link *link = find_link(model, ifindex), *bridge = link;
	uint16_t tag = 0, pvid;

	if (!link)
		return 0;
	if (!strcmp(link->kind, "vlan") && link->vlan_proto == VLAN_PROTO_8021Q &&
	    link->parent_netns == NET_NETNS_HERE) {
		bridge = find_link(model, link->parent);
		tag = link->vlan_id;
	}
	if (!bridge || strcmp(bridge->kind, "bridge") != 0)
		return 0;
	pvid = bridge->vlans ? bridge->vlans->pvid : 0;
	*ret_vlan = !bridge->vlan_filtering ? 0 : tag ? tag : pvid;
	*ret_tag = tag;
	return bridge->ifindex;
}

uint32_t net_model_port_of_mac(const struct net_model *model, uint32_t ifindex,
			       const uint8_t mac[NET_MAC_LEN])
{
	uint16_t vlan, tag;
	uint32_t bridge = net_model_bridge_of(model, ifindex, &vlan, &tag);
	const struct net_fdb *fdb;

	if (!bridge)
		return find_link(model, ifindex) ? ifindex : 0;
	fdb = net_model_fdb(model, bridge, mac, vlan);
	return fdb && !fdb->local ? fdb->port : 0;
}

static const struct net_neigh *neigh_anywhere(const struct net_model *model,
					      const struct ip_addr *addr)
{
	const struct net_neigh *neigh, *lowest = NULL;
	size_t cursor = 0;

	while ((neigh = net_model_neigh_next(model, &cursor))) {
		if (ip_equal(&neigh->addr, addr) && net_neigh_state(neigh) == NET_NEIGH_VALID &&
		    (!lowest || neigh->ifindex < lowest->ifindex))
			lowest = neigh;
	}
	return lowest;
}

uint32_t net_model_port_of_ip(const struct net_model *model, uint32_t ifindex,
			      const struct ip_addr *addr)
{
	const struct net_neigh *neigh =
		ifindex ? net_model_neigh(model, ifindex, addr) : neigh_anywhere(model, addr);

	if (!neigh || net_neigh_state(neigh) != NET_NEIGH_VALID)
		return 0;
	return net_model_port_of_mac(model, neigh->ifindex, neigh->mac);
}

/* --- mark and sweep --------------------------------------------------------------------------------- */
void net_model_mark(struct net_model *model)
{
	model->mark++;
}

size_t net_model_sweep(struct net_model *model, enum net_class cls)
{
	return cls == NET_CLASS_LINK ? 0 : remove_where(model, cls, is_unmarked, model->mark);
}

uint32_t net_model_unmarked_link(const struct net_model *model)
{
	const struct net_link *link;
	size_t cursor = 0;

	while ((link = net_model_link_next(model, &cursor))) {
		if (item_of(link)->mark != model->mark)
			return link->ifindex;
	}
	return 0;
}
