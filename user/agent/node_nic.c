// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nics: matches the host's links against the rules, has the programs attached to those that a rule
 * takes (attacher.c), and forgets those that went. Called for netlink events, at reload and for retries.
 * Someone else's XDP program is a conflict that is shown, never replaced.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "agent/privilege.h"
#include "net/nic_facts.h"
#include "util/htab.h"

#define SUBSYS "nic"

const char *nic_attach_state_name(enum nic_attach_state state)
{
	static const char *const names[] = {
		[NIC_ATTACHED] = "attached", [NIC_PENDING] = "pending", [NIC_CONFLICT] = "conflict",
		[NIC_EXCLUDED] = "excluded", [NIC_FAILED] = "failed",
	};

	return names[state];
}

static bool has_ifindex(const void *item, const void *key)
{
	return ((const struct node_nic *)item)->ifindex == *(const uint32_t *)key;
}

struct node_nic *node_nic_by_ifindex(const struct node *node, uint32_t ifindex)
{
	if (!node->nic_index)
		return NULL;
	return htab_find(node->nic_index, hash_u32(ifindex, 0), has_ifindex, &ifindex);
}

struct resolve_nics node_nic_common(const struct node *node, const struct node_vnet *vnet)
{
	uint32_t *list = calloc(node->n_nics + 1, sizeof(*list));
	struct resolve_nics common = { 0 };
	size_t n = 0;

	if (!list)
		return common;
	for (size_t i = 0; i < node->n_nics; i++) {
		if (vnet &&
		    (node->nics[i]->vnet == vnet || node_peered_linked(vnet, node->nics[i]->vnet)))
			list[n++] = node->nics[i]->ifindex;
	}
	common = resolve_common_nics(node->net, list, n);
	free(list);
	return common;
}

bool node_nic_any_xdp(const struct node *node)
{
	for (size_t i = 0; i < node->n_nics; i++) {
		if (node->nics[i]->attachment.xdp.attached)
			return true;
	}
	return false;
}

/* --- the entry in xrs_nic --------------------------------------------------------------------------- */

static void add_gateway_mac(struct node_nic *nic, const uint8_t *mac)
{
	static const uint8_t zero[6];

	if (nic->n_gateway_macs == XRS_GATEWAY_MACS || memcmp(mac, zero, 6) == 0)
		return;
	for (uint32_t i = 0; i < nic->n_gateway_macs; i++) {
		if (memcmp(nic->gateway_mac[i], mac, 6) == 0)
			return;
	}
	memcpy(nic->gateway_mac[nic->n_gateway_macs++], mac, 6);
}

/* Default: the nic's own MAC and its bridge's. An uplink's is this host's there. */
static void fill_gateway_macs(const struct node *node, struct node_nic *nic,
			      const struct net_link *link)
{
	const struct vnet_config *vnet = nic->vnet->config;
	const struct net_link *master = net_model_link(node->net, link->master);

	nic->n_gateway_macs = 0;
	for (size_t i = 0; i < vnet->n_gateway_macs && nic->role != XRS_NIC_UPLINK; i++)
		add_gateway_mac(nic, vnet->gateway_macs[i].bytes);
	if (nic->n_gateway_macs)
		return;
	add_gateway_mac(nic, link->mac);
	if (master)
		add_gateway_mac(nic, master->mac);
}

/* The device whose addresses are the gateway's: the nic's bridge, or the nic itself. */
static uint32_t gateway_device(const struct node *node, const struct node_nic *nic)
{
	const struct net_link *link = net_model_link(node->net, nic->ifindex);
	const struct net_link *master = link ? net_model_link(node->net, link->master) : NULL;

	return master && strcmp(master->kind, "bridge") == 0 ? master->ifindex : nic->ifindex;
}

/* The lowest address of each family that lies in the vnet: where ICMP errors come from. */
static void fill_gateway_addresses(const struct node *node, const struct node_nic *nic,
				   struct xrs_nic *ret)
{
	uint32_t device = gateway_device(node, nic);
	const struct net_addr *own;
	struct ip_addr v4 = { 0 }, v6 = { 0 };
	size_t cursor = 0;

	while ((own = net_model_addr_next(node->net, &cursor))) {
		struct ip_addr *best = own->addr.family == IP_V4 ? &v4 : &v6;

		if (own->ifindex == device && vnet_contains(nic->vnet->config, &own->addr) &&
		    (best->family == IP_NONE || ip_cmp(&own->addr, best) < 0))
			*best = own->addr;
	}
	if (v4.family != IP_NONE)
		ret->flags |= XRS_NIC_F_GATEWAY4;
	if (v6.family != IP_NONE)
		ret->flags |= XRS_NIC_F_GATEWAY6;
	memcpy(ret->gateway4, v4.bytes, sizeof(ret->gateway4));
	memcpy(ret->gateway6, v6.bytes, sizeof(ret->gateway6));
}

static void add_source(struct xrs_nic *entry, const struct ip_prefix *prefix)
{
	if (prefix->addr.family == IP_V4 && entry->n_sources4 < XRS_SOURCES) {
		memcpy(entry->source4[entry->n_sources4], prefix->addr.bytes, 4);
		entry->source4_len[entry->n_sources4++] = prefix->len;
	} else if (prefix->addr.family == IP_V6 && entry->n_sources6 < XRS_SOURCES) {
		memcpy(entry->source6[entry->n_sources6], prefix->addr.bytes, 16);
		entry->source6_len[entry->n_sources6++] = prefix->len;
	}
}

static void fill_sources(struct xrs_nic *entry, const struct nic_rule *rule,
			 const struct vnet_config *vnet)
{
	const struct ip_prefix *list = rule->n_sources ? rule->sources : vnet->prefixes;
	size_t n = rule->n_sources ? rule->n_sources : vnet->n_prefixes;

	for (size_t i = 0; i < n; i++)
		add_source(entry, &list[i]);
}

static bool is_allowed(const struct nic_rule *rule, const struct ip_prefix *source)
{
	bool allowed = rule->n_sources == 0;

	for (size_t i = 0; i < rule->n_sources; i++)
		allowed |= prefix_covers(&rule->sources[i], source);
	return allowed;
}

/* Nothing learned yet: nothing but ARP, neighbour discovery and DHCP gets through. */
static void fill_learned(struct xrs_nic *entry, const struct nic_learned *learned)
{
	for (int six = 0; six < 2; six++) {
		for (uint32_t i = 0; i < learned->n[six]; i++) {
			if (learned->source[six][i].state == NIC_SOURCE_ALLOWED)
				add_source(entry, &learned->source[six][i].prefix);
		}
	}
	memcpy(entry->mac, learned->mac, sizeof(entry->mac));
}

static void judge_learned(const struct nic_rule *rule, struct nic_learned *learned)
{
	for (int six = 0; six < 2; six++) {
		for (uint32_t i = 0; i < learned->n[six]; i++) {
			struct nic_source *source = &learned->source[six][i];

			source->state = is_allowed(rule, &source->prefix)
						? NIC_SOURCE_ALLOWED
						: NIC_SOURCE_NOT_CONFIGURED;
		}
	}
}

static void fill_anti_spoof(struct xrs_nic *entry, const struct nic_rule *rule,
			    const struct node_nic *nic)
{
	static const struct mac_addr any;

	entry->flags |= XRS_NIC_F_ANTI_SPOOF;
	if (nic->learns & NIC_LEARN_ARP)
		entry->flags |= XRS_NIC_F_LEARN;
	if (nic->learns) {
		fill_learned(entry, &nic->learned);
	} else {
		fill_sources(entry, rule, nic->vnet->config);
	}
	if (memcmp(&rule->source_mac, &any, sizeof(any)) != 0)
		memcpy(entry->mac, rule->source_mac.bytes, sizeof(entry->mac));
}

static void render(const struct node *node, const struct node_nic *nic, struct xrs_nic *ret)
{
	const struct nic_rule *rule = &node->config->nics[nic->rule];

	memset(ret, 0, sizeof(*ret));
	ret->table = nic->table->index;
	ret->vnet = node_vnet_scope(nic->vnet);
	ret->slot = nic->slot;
	ret->role = nic->role;
	ret->flags = (rule->symmetric ? XRS_NIC_F_SYMMETRIC : 0) |
		     (nic->tc_alone ? XRS_NIC_F_TC : 0) |
		     (nic->traced && nic->attached_as.observe ? XRS_NIC_F_TRACE : 0) |
		     (node->config->route_counters ? XRS_NIC_F_ROUTES : 0);
	ret->n_gateway_macs = nic->n_gateway_macs;
	memcpy(ret->gateway_mac, nic->gateway_mac, sizeof(ret->gateway_mac));
	fill_gateway_addresses(node, nic, ret);
	if (rule->anti_spoof)
		fill_anti_spoof(ret, rule, nic);
	memcpy(ret->name, nic->name, sizeof(nic->name));
}

/* --- slots of xrs_stats ------------------------------------------------------------------------------ */

/*
 * Who has which, as the map tells: what an earlier process gave away stays. But the kernel gives an ifindex to
 * another device when the first one is gone: nothing is attached to that, and it begins anew.
 */
static bool read_slots(struct node *node)
{
	struct xrs_nic entry;
	uint32_t i = 0;

	if (node->slot_owner)
		return true;
	node->slot_owner = calloc(XRS_NIC_MAX, sizeof(*node->slot_owner));
	if (!node->slot_owner)
		return false;
	while (fib_maps_nic_next(node->maps, i, &i) == 0) {
		if (fib_maps_nic_get(node->maps, i, &entry) == 0 && entry.slot < XRS_NIC_MAX &&
		    loader_is_attached(node->loader, i))
			node->slot_owner[entry.slot] = i;
	}
	node->slot_owner[0] = UINT32_MAX; /* counts unknown nics */
	return true;
}

static void free_slot(struct node *node, uint32_t slot)
{
	if (node->slot_owner && slot)
		node->slot_owner[slot] = 0;
	if (slot < node->next_slot)
		node->next_slot = slot;
}

/* The slot that an earlier process gave this device, or the lowest free one; 0: none left. */
static uint32_t find_slot(struct node *node, uint32_t ifindex, bool *ret_known)
{
	struct xrs_nic entry;
	uint32_t slot;

	if (!read_slots(node))
		return 0;
	*ret_known = fib_maps_nic_get(node->maps, ifindex, &entry) == 0 && entry.slot &&
		     entry.slot < XRS_NIC_MAX && node->slot_owner[entry.slot] == ifindex;
	if (*ret_known)
		return entry.slot;
	for (slot = node->next_slot; slot < XRS_NIC_MAX; slot++) {
		if (!node->slot_owner[slot])
			break;
	}
	node->next_slot = slot;
	if (slot == XRS_NIC_MAX || fib_maps_nic_stats_zero(node->maps, slot) < 0)
		return 0;
	node->slot_owner[slot] = ifindex;
	return slot;
}

/* --- attaching ------------------------------------------------------------------------------------------ */

/* The rule's mode, or the node's. */
static enum nic_mode configured_mode(const struct config *config, const struct nic_rule *rule)
{
	static const enum nic_mode modes[] = {
		[DATAPLANE_AUTO] = NIC_MODE_AUTO,       [DATAPLANE_NATIVE] = NIC_MODE_NATIVE,
		[DATAPLANE_GENERIC] = NIC_MODE_GENERIC, [DATAPLANE_TC] = NIC_MODE_TC,
		[DATAPLANE_NONE] = NIC_MODE_AUTO,
	};

	return rule->mode == NIC_MODE_NODE ? modes[config->mode] : rule->mode;
}

/*
 * What `auto` means for a kind of device: xrsd(8) has the rule and the figures behind it. A link of no
 * such kind: native, and the tc half alone where the driver has no XDP.
 */
static const struct {
	const char *kind;
	enum loader_mode mode;
	const char *why;
} auto_rule[] = {
	{ "tun", LOADER_AUTO, "auto: a tap, XDP with the tc half behind it" },
	{ "veth", LOADER_AUTO_TC,
	  "auto: a veth, where XDP would switch segmentation offload off at the other end" },
	{ NULL, LOADER_AUTO, "auto: the driver has XDP" },
};

static void choose_mode(const struct config *config, struct node_nic *nic,
			const struct net_link *link)
{
	static const enum loader_mode fixed[] = {
		[NIC_MODE_NATIVE] = LOADER_NATIVE,
		[NIC_MODE_GENERIC] = LOADER_GENERIC,
		[NIC_MODE_TC] = LOADER_TC,
	};
	size_t i = 0;

	nic->mode = configured_mode(config, &config->nics[nic->rule]);
	if (nic->role == XRS_NIC_UPLINK) {
		nic->wanted.mode = LOADER_UPLINK;
		nic->mode_why =
			"an uplink: XDP in the driver, behind it the tc half and the kernel";
		return;
	}
	if (nic->mode != NIC_MODE_AUTO) {
		nic->wanted.mode = fixed[nic->mode];
		nic->mode_why = "configured";
		return;
	}
	while (auto_rule[i].kind && strcmp(auto_rule[i].kind, link->kind) != 0)
		i++;
	nic->wanted.mode = auto_rule[i].mode;
	nic->mode_why = auto_rule[i].why;
}

static void set_state(struct node *node, struct node_nic *nic, enum nic_attach_state state,
		      const char *reason)
{
	enum nic_attach_state from = nic->state;
	bool changed = nic->state != state || strcmp(nic->reason, reason) != 0;

	if (changed) {
		if (state == NIC_ATTACHED)
			log_info(SUBSYS, "nic=%s ifindex=%u vnet=%s table=%s mode=%s attached%s",
				 nic->name, nic->ifindex, nic->vnet->config->name,
				 nic->table->config->name, loader_mode_name(nic->attachment.mode),
				 nic->attachment.adopted ? " (adopted)" : "");
		else
			log_warn(SUBSYS, "nic=%s ifindex=%u %s: %s", nic->name, nic->ifindex,
				 nic_attach_state_name(state), reason);
	}
	nic->state = state;
	snprintf(nic->reason, sizeof(nic->reason), "%s", reason);
	if (changed)
		node_event_nic(node, nic, nic_attach_state_name(from),
			       nic_attach_state_name(state));
}

static int write_entry(struct node *node, struct node_nic *nic)
{
	struct xrs_nic entry;

	judge_learned(&node->config->nics[nic->rule], &nic->learned);
	render(node, nic, &entry);
	return fib_maps_nic_set(node->maps, nic->ifindex, &entry);
}

static void dirty(struct node *node, struct node_vnet *vnet)
{
	node_nexthop_dirty_all(node, vnet); /* what its nics have in common may have changed */
	node_vm_dirty(node);
}

/* On the attacher's thread. */
static void run_job(void *ctx, struct attacher_job *job)
{
	const struct node *node = ctx;

	if (job->attach)
		job->error = privilege_attach(node->loader, job);
	else
		job->error = privilege_detach(job->instance, job->ifname, job->ifindex);
}

static int submit(struct node *node, const struct attacher_job *job)
{
	struct attacher_job copy = *job;

	snprintf(copy.instance, sizeof(copy.instance), "%s", node->config->instance);
	return attacher_submit(node->attacher, &copy);
}

static void detach(struct node *node, const char *ifname, uint32_t ifindex)
{
	struct attacher_job job = { .ifindex = ifindex };

	snprintf(job.ifname, sizeof(job.ifname), "%s", ifname);
	if (submit(node, &job) < 0) /* the sweep of the next start finds it */
		log_err(SUBSYS, "nic=%s can not be detached: out of memory", ifname);
}

/* Both halves in the mode that is wanted. */
static int start_attaching(struct node *node, struct node_nic *nic)
{
	struct attacher_job job = { .attach = true, .ifindex = nic->ifindex, .wish = nic->wanted };
	int err;

	snprintf(job.ifname, sizeof(job.ifname), "%s", nic->name);
	job.ticket = ++node->nic_ticket;
	err = submit(node, &job);
	if (err < 0)
		return err;
	node->counters.nic_attaches++;
	nic->ticket = job.ticket;
	nic->attaching = true;
	return 0;
}

static bool same_wish(const struct attacher_wish *a, const struct attacher_wish *b)
{
	return a->mode == b->mode && a->observe == b->observe && a->snoop == b->snoop;
}

/*
 * The entry first: a program never runs without one. It hands all frames to the tc half before XDP goes,
 * and only after XDP has come lets it have them, so that no frame is steered by neither. What is wanted
 * meanwhile waits for the answer.
 */
static void attach(struct node *node, struct node_nic *nic)
{
	bool served = nic->state == NIC_ATTACHED && nic->attached_as.mode == nic->wanted.mode;
	int err;

	nic->wanted.observe = nic->traced || node->config->route_counters;
	nic->wanted.snoop = nic->learns & NIC_LEARN_DHCP;
	nic->again = nic->attaching;
	if (!served && !nic->attaching)
		nic->tc_alone = nic->wanted.mode == LOADER_TC ||
				nic->wanted.mode == LOADER_AUTO_TC || nic->tc_alone;
	err = write_entry(node, nic);
	if (err == 0 && ((served && same_wish(&nic->attached_as, &nic->wanted)) || nic->attaching))
		return; /* the entry was all that changed */
	if (nic->state == NIC_ATTACHED && !served)
		nic->state = NIC_PENDING; /* in another mode than is wanted now */
	if (err == 0)
		err = start_attaching(node, nic);
	if (err < 0)
		set_state(node, nic, NIC_FAILED, strerror(-err));
}

static void take_attachment(struct node *node, struct node_nic *nic, const struct attacher_job *job)
{
	int err = job->error;

	nic->attachment = job->attachment;
	if (err == 0) {
		nic->attached_as = job->wish;
		nic->tc_alone = job->attachment.mode == LOADER_TC;
		err = write_entry(node, nic);
	}
	if (err == 0) {
		set_state(node, nic, NIC_ATTACHED, "");
		return;
	}
	node->counters.nic_attach_failures++;
	set_state(node, nic, err == -EBUSY ? NIC_CONFLICT : NIC_FAILED,
		  job->error < 0 ? job->text : strerror(-err));
}

/* Renamed or configured otherwise since it was asked for: that comes next, and its answer counts. */
static void on_job_done(void *ctx, const struct attacher_job *job)
{
	struct node *node = ctx;
	struct node_nic *nic = node_nic_by_ifindex(node, job->ifindex);

	if (!job->attach || !nic || nic->ticket != job->ticket)
		return;
	nic->attaching = false;
	if (nic->again &&
	    (strcmp(nic->name, job->ifname) != 0 || !same_wish(&nic->wanted, &job->wish))) {
		if (job->error == 0)
			nic->attached_as = job->wish;
		attach(node, nic);
		return;
	}
	take_attachment(node, nic, job);
	dirty(node, nic->vnet);
}

int node_nic_init(struct node *node)
{
	if (!node->loader)
		return 0;
	node->nic_index = htab_new();
	if (!node->nic_index)
		return -ENOMEM;
	return attacher_new(node->loop, run_job, on_job_done, node, &node->attacher);
}

static void forget(struct node *node, struct node_nic *nic, bool device_gone)
{
	log_info(SUBSYS, "nic=%s ifindex=%u %s", nic->name, nic->ifindex,
		 device_gone ? "is gone" : "is no nic any more");
	node_event_nic(node, nic, nic_attach_state_name(nic->state), "gone");
	if (nic->ticket) /* asked for at some time: whatever came of it goes */
		detach(node, nic->name, nic->ifindex);
	fib_maps_nic_del(node->maps, nic->ifindex);
	node_learn_forget(node, nic);
	node_vm_gone(node, nic->ifindex);
	free_slot(node, nic->slot);
	htab_remove(node->nic_index, hash_u32(nic->ifindex, 0), has_ifindex, &nic->ifindex);
	for (size_t i = 0; i < node->n_nics; i++) {
		if (node->nics[i] == nic) {
			node->nics[i] = node->nics[--node->n_nics];
			break;
		}
	}
	free(nic);
}

static struct node_nic *add(struct node *node, const struct net_link *link)
{
	struct node_nic **grown;
	struct node_nic *nic;
	bool known = false;
	uint32_t slot = find_slot(node, link->ifindex, &known);

	if (node->n_nics >= LIMIT_NICS_MAX || slot == 0) {
		log_err(SUBSYS, "nic=%s not taken: all %u slots are in use", link->name,
			LIMIT_NICS_MAX);
		return NULL;
	}
	grown = realloc(node->nics, (node->n_nics + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	node->nics = grown;
	nic = calloc(1, sizeof(*nic));
	if (!nic)
		return NULL;
	nic->ifindex = link->ifindex;
	nic->slot = slot;
	nic->state = NIC_PENDING;
	nic->since = loop_now(node->loop);
	memcpy(nic->name, link->name, sizeof(nic->name));
	if (htab_insert(node->nic_index, hash_u32(nic->ifindex, 0), nic) < 0) {
		free(nic);
		return NULL;
	}
	node->nics[node->n_nics++] = nic;
	if (known)
		node_learn_inherit(node, nic);
	return nic;
}

/* The pin is named after the interface: loader_attach() moves it to the new name. */
static void follow_name(struct node_nic *nic, const struct net_link *link)
{
	if (strcmp(nic->name, link->name) == 0)
		return;
	nic->state = NIC_PENDING;
	memcpy(nic->name, link->name, sizeof(nic->name));
}

void node_nic_link(struct node *node, const struct net_link *link)
{
	struct node_nic *nic = node_nic_by_ifindex(node, link->ifindex);
	const struct nic_rule *rule;
	struct nic_facts facts;
	struct node_vnet *vnet;
	struct node_table *table;
	bool is_new = !nic;
	int index;

	net_nic_facts(node->net, link, &facts);
	index = nic_match(node->config->nics, node->config->n_nics, &facts);
	rule = index >= 0 ? &node->config->nics[index] : NULL;
	vnet = rule ? node_find_vnet(node, rule->vnet) : NULL;
	table = vnet ? node_find_table(vnet, rule->route_table) : NULL;
	if (!table) {
		if (nic)
			forget(node, nic, false);
		return;
	}
	if (!nic) {
		nic = add(node, link);
		if (!nic)
			return;
	}
	follow_name(nic, link);
	nic->rule = index;
	nic->vnet = vnet;
	nic->table = table;
	nic->role = rule->role;
	node_learn_wanted(node, nic, rule->anti_spoof ? rule->source_learning : 0, is_new);
	choose_mode(node->config, nic, link);
	fill_gateway_macs(node, nic, link);
	attach(node, nic);
	dirty(node, vnet);
}

void node_nic_learned(struct node *node, struct node_nic *nic)
{
	if (nic->learns && (nic->state == NIC_ATTACHED || nic->attaching))
		write_entry(node, nic);
}

/* The flag comes with the programs that look at it. */
void node_nic_trace(struct node *node, struct node_nic *nic, bool on)
{
	nic->traced = on;
	if (nic->state == NIC_ATTACHED || nic->attaching)
		attach(node, nic);
}

void node_nic_addresses(struct node *node, uint32_t ifindex)
{
	for (size_t i = 0; i < node->n_nics; i++) {
		struct node_nic *nic = node->nics[i];

		if (nic->state == NIC_ATTACHED &&
		    (ifindex == 0 || gateway_device(node, nic) == ifindex))
			write_entry(node, nic);
	}
}

void node_nic_gone(struct node *node, uint32_t ifindex)
{
	struct node_nic *nic = node_nic_by_ifindex(node, ifindex);
	struct node_vnet *vnet;

	if (!nic)
		return;
	vnet = nic->vnet;
	forget(node, nic, true);
	dirty(node, vnet);
}

void node_nic_rematch(struct node *node)
{
	const struct net_link *link;
	uint32_t *list;
	size_t cursor = 0, n = 0;

	if (!node->net)
		return;
	list = calloc(net_model_counts(node->net).links + 1, sizeof(*list));
	if (!list)
		return;
	while ((link = net_model_link_next(node->net, &cursor)))
		list[n++] = link->ifindex;
	for (size_t i = 0; i < n; i++) {
		link = net_model_link(node->net, list[i]);
		if (link)
			node_nic_link(node, link);
	}
	free(list);
}

void node_nic_tables_moved(struct node_vnet *vnet)
{
	const struct node *node = vnet->node;

	for (size_t i = 0; i < node->n_nics; i++) {
		struct node_nic *nic = node->nics[i];

		if (nic->vnet == vnet && nic->table)
			nic->table = node_find_table(vnet, nic->table->config->name);
	}
}

void node_nic_retry(struct node *node)
{
	for (size_t i = 0; i < node->n_nics; i++) {
		if (node->nics[i]->state != NIC_ATTACHED && !node->nics[i]->attaching)
			attach(node, node->nics[i]);
	}
}

static bool is_a_nic(void *ctx, uint32_t ifindex)
{
	return node_nic_by_ifindex(ctx, ifindex);
}

static bool is_snooped(void *ctx, uint32_t ifindex)
{
	const struct node_nic *nic = node_nic_by_ifindex(ctx, ifindex);

	return nic && nic->wanted.snoop;
}

struct names { /* of the nics, sorted: there may be thousands, each with two pins */
	const char **name;
	size_t n;
};

static int cmp_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_nic(const void *ctx, const char *ifname)
{
	const struct names *names = ctx;

	return names->n && bsearch(&ifname, names->name, names->n, sizeof(*names->name), cmp_name);
}

static void sweep_links(struct node *node)
{
	struct loader_attachment *list = calloc(XRS_NIC_MAX, sizeof(*list));
	struct names names = { calloc(node->n_nics + 1, sizeof(*names.name)), 0 };
	int n = 0;

	for (size_t i = 0; names.name && i < node->n_nics; i++)
		names.name[names.n++] = node->nics[i]->name;
	if (names.n)
		qsort(names.name, names.n, sizeof(*names.name), cmp_name);
	if (list && names.name)
		n = loader_list_but(node->config->instance, is_nic, &names, list, XRS_NIC_MAX);
	for (int i = 0; i < n && i < XRS_NIC_MAX; i++) {
		if (!list[i].ifindex || !node_nic_by_ifindex(node, list[i].ifindex))
			detach(node, list[i].ifname, list[i].ifindex);
	}
	free(names.name);
	free(list);
}

static void sweep_entries(struct node *node)
{
	uint32_t ifindex = 0, next;
	struct xrs_nic entry;

	while (fib_maps_nic_next(node->maps, ifindex, &next) == 0) {
		if (node_nic_by_ifindex(node, next)) {
			ifindex = next;
			continue;
		}
		if (read_slots(node) && fib_maps_nic_get(node->maps, next, &entry) == 0 &&
		    entry.slot < XRS_NIC_MAX && node->slot_owner[entry.slot] == next)
			free_slot(node, entry.slot);
		if (fib_maps_nic_del(node->maps, next) < 0)
			return;
	}
}

void node_nic_sweep(struct node *node)
{
	sweep_links(node);
	loader_sweep_filters(node->config->instance, is_a_nic, node);
	node_learn_sweep(node);
	loader_snoop_sweep(node->config->instance, is_snooped, node);
	sweep_entries(node);
}

void node_nic_free_all(struct node *node)
{
	attacher_free(node->attacher);
	for (size_t i = 0; i < node->n_nics; i++)
		free(node->nics[i]);
	free(node->nics);
	htab_free(node->nic_index);
	node->nic_index = NULL;
	free(node->slot_owner);
	node->slot_owner = NULL;
	node->nics = NULL;
	node->n_nics = 0;
}
