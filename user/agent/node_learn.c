// SPDX-License-Identifier: GPL-2.0-only
/*
 * What antiSpoof learns of the VMs behind nics with sourceLearning: their addresses and MACs, from the kernel's
 * neighbours (node_vm.c tells them) and from DHCP, whose messages the programs hand over (xrs_snoop).
 *
 * Of DHCP the server's word counts: an address, or a prefix that is delegated, is the VM's from the DHCPACK or REPLY
 * that grants it until the lease ends, or the VM gives it back. Who can be a server: not what stands behind a nic of
 * role vm. A source belongs to the nic where it was learned last; a lease is not taken away by what is only seen.
 * One for which there is no place waits for it. What is learned is kept in xrs_learned as well, from where the next
 * xrsd takes it, for a nic that is still the same device.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "net/dhcp.h"

#define SUBSYS "learn"

struct inherited {
	struct xrs_learned_key key;
	struct xrs_learned value;
};

struct node_learn {
	struct node *node;
	struct loop_io io;
	struct loop_timer timer; /* the next lease ends ... */
	struct mono due;         /* ... then; 0: none does */
	struct inherited
		*list; /* what an earlier process had learned, by ifindex; until the sweep */
	size_t n_list;
};

const char *nic_source_from_name(enum xrs_learned_from from)
{
	return from == XRS_LEARNED_DHCP ? "dhcp" : "arp";
}

const char *nic_source_state_name(enum nic_source_state state)
{
	static const char *const names[] = {
		[NIC_SOURCE_ALLOWED] = "allowed",
		[NIC_SOURCE_NOT_CONFIGURED] = "outsideSourcePrefixes",
		[NIC_SOURCE_NO_PLACE] = "noPlace",
		[NIC_SOURCE_OUTSIDE] = "outsideVnet",
	};

	return names[state];
}

/* --- the map --------------------------------------------------------------------------------------------- */

static struct xrs_learned_key key_of(const struct node_nic *nic, const struct ip_prefix *prefix)
{
	struct xrs_learned_key key = { .ifindex = nic->ifindex, .family = prefix->addr.family };

	key.prefix_len = prefix_is_host(prefix) ? 0 : prefix->len;
	memcpy(key.addr, prefix->addr.bytes, sizeof(key.addr));
	return key;
}

static struct ip_prefix prefix_of_key(const struct xrs_learned_key *key)
{
	enum ip_family family = key->family == 6 ? IP_V6 : IP_V4;
	struct ip_addr addr = ip_from_bytes(family, key->addr);

	return prefix_of(&addr,
			 key->prefix_len ? (uint8_t)key->prefix_len : (uint8_t)ip_bits(family));
}

static void keep(const struct node *node, const struct node_nic *nic,
		 const struct nic_source *source)
{
	struct xrs_learned_key key = key_of(nic, &source->prefix);
	struct xrs_learned value = { .until_ns = source->until.usec * 1000, .from = source->from };

	memcpy(value.mac, nic->learned.mac, sizeof(value.mac));
	fib_maps_learned_set(node->maps, &key, &value);
}

/* --- one list ------------------------------------------------------------------------------------------- */

static struct nic_source *find(struct nic_learned *learned, const struct ip_prefix *prefix)
{
	bool six = prefix->addr.family == IP_V6;

	for (uint32_t i = 0; i < learned->n[six]; i++) {
		if (prefix_equal(&learned->source[six][i].prefix, prefix))
			return &learned->source[six][i];
	}
	return NULL;
}

static void drop(const struct node *node, struct node_nic *nic, struct nic_source *source)
{
	struct xrs_learned_key key = key_of(nic, &source->prefix);
	bool six = source->prefix.addr.family == IP_V6;
	struct nic_source *list = nic->learned.source[six];

	fib_maps_learned_del(node->maps, &key);
	*source = list[--nic->learned.n[six]];
	memset(&list[nic->learned.n[six]], 0, sizeof(*list));
}

/* A free place, or for a lease that of what was only seen; NULL: there is none. */
static struct nic_source *place_for(const struct node *node, struct node_nic *nic, bool six,
				    enum xrs_learned_from from)
{
	struct nic_source *list = nic->learned.source[six];

	for (uint32_t i = 0;
	     from == XRS_LEARNED_DHCP && nic->learned.n[six] == XRS_SOURCES && i < XRS_SOURCES;
	     i++) {
		if (list[i].from != XRS_LEARNED_DHCP)
			drop(node, nic, &list[i]);
	}
	return nic->learned.n[six] < XRS_SOURCES ? &list[nic->learned.n[six]++] : NULL;
}

/* A lease is more than what was seen, also what was seen of a part of it. */
static bool outranks(const struct nic_source *a, const struct nic_source *b)
{
	return a->from == XRS_LEARNED_DHCP && b->from != XRS_LEARNED_DHCP &&
	       prefix_covers(&a->prefix, &b->prefix);
}

static bool is_leased_elsewhere(const struct node *node, const struct node_nic *now,
				const struct nic_source *source)
{
	bool six = source->prefix.addr.family == IP_V6;

	for (size_t i = 0; i < node->n_nics; i++) {
		const struct node_nic *nic = node->nics[i];

		for (uint32_t k = 0;
		     nic != now && nic->vnet == now->vnet && nic->learns && k < nic->learned.n[six];
		     k++) {
			if (outranks(&nic->learned.source[six][k], source))
				return true;
		}
	}
	return false;
}

/* A source belongs to the nic where it was learned last. */
static void take_over(struct node *node, const struct node_nic *now,
		      const struct nic_source *source)
{
	bool six = source->prefix.addr.family == IP_V6;

	for (size_t i = 0; i < node->n_nics; i++) {
		struct node_nic *nic = node->nics[i];
		bool any = false;

		if (nic == now || nic->vnet != now->vnet || !nic->learns)
			continue;
		for (uint32_t k = nic->learned.n[six]; k-- > 0;) {
			struct nic_source *other = &nic->learned.source[six][k];

			if (!prefix_equal(&other->prefix, &source->prefix) &&
			    !outranks(source, other))
				continue;
			drop(node, nic, other);
			any = true;
		}
		if (any)
			node_nic_learned(node, nic);
	}
}

/* What a server granted is more than what was seen. */
static bool is_news(const struct nic_source *old, const struct nic_source *source)
{
	if (old->from != source->from)
		return source->from == XRS_LEARNED_DHCP;
	return old->until.usec != source->until.usec;
}

/* A place for what is new to the nic; NULL: there is none, or the source is another's. */
static struct nic_source *begin(struct node *node, struct node_nic *nic,
				const struct nic_source *source)
{
	struct nic_source *at = NULL;

	if (!is_leased_elsewhere(node, nic, source))
		at = place_for(node, nic, source->prefix.addr.family == IP_V6, source->from);
	if (at)
		take_over(node, nic, source);
	return at;
}

/* False: it is not held. */
static bool learn(struct node *node, struct node_nic *nic, const struct nic_source *source,
		  const uint8_t *mac)
{
	struct nic_source *at = find(&nic->learned, &source->prefix);
	bool new_mac = mac && memcmp(nic->learned.mac, mac, sizeof(nic->learned.mac)) != 0;

	if (at && !new_mac && !is_news(at, source))
		return true;
	if (!at)
		at = begin(node, nic, source);
	if (!at)
		return false;
	if (new_mac)
		memcpy(nic->learned.mac, mac, sizeof(nic->learned.mac));
	if (at->prefix.addr.family == IP_NONE || is_news(at, source))
		*at = *source;
	keep(node, nic, at);
	node_nic_learned(node, nic);
	return true;
}

void node_learn_neigh(struct node *node, struct node_nic *nic, const struct ip_addr *addr,
		      const uint8_t *mac)
{
	const struct nic_source source = {
		.prefix = prefix_of(addr, (uint8_t)ip_bits((enum ip_family)addr->family)),
		.from = XRS_LEARNED_ARP,
	};

	if (nic->learns & NIC_LEARN_ARP)
		learn(node, nic, &source, mac);
}

/* --- leases that are not held -------------------------------------------------------------------------------- */

static void forget_refused(struct nic_learned *learned, const struct ip_prefix *prefix)
{
	for (uint32_t i = 0; i < learned->n_refused; i++) {
		if (!prefix_equal(&learned->refused[i].prefix, prefix))
			continue;
		memmove(&learned->refused[i], &learned->refused[i + 1],
			(--learned->n_refused - i) * sizeof(*learned->refused));
		return;
	}
}

/* Said and shown; the first of too many are forgotten. */
static void refuse(struct node_nic *nic, struct nic_source *source, enum nic_source_state why)
{
	struct nic_learned *learned = &nic->learned;
	uint32_t before = learned->n_refused;
	char text[PREFIX_TEXT_MAX];

	forget_refused(learned, &source->prefix);
	if (learned->n_refused == before)
		log_warn(SUBSYS, "nic=%s %s is leased but not let through: %s", nic->name,
			 prefix_format_short(&source->prefix, text), nic_source_state_name(why));
	if (learned->n_refused == XRS_SOURCES)
		forget_refused(learned, &learned->refused[0].prefix);
	source->state = why;
	learned->refused[learned->n_refused++] = *source;
}

/* --- the ends of leases ------------------------------------------------------------------------------------ */

static void await_end(struct node_learn *state, struct mono until)
{
	if (!mono_is_set(until) || (mono_is_set(state->due) && !mono_before(until, state->due)))
		return;
	state->due = until;
	loop_timer_set(state->node->loop, &state->timer, until);
}

/* Drops what @ended says of one nic. */
static void drop_if(struct node *node, struct node_nic *nic,
		    bool (*ended)(const struct node *node, const struct node_nic *nic,
				  const struct nic_source *source))
{
	bool any = false;

	for (int six = 0; six < 2; six++) {
		for (uint32_t i = nic->learned.n[six]; i-- > 0;) {
			struct nic_source *source = &nic->learned.source[six][i];

			if (!ended(node, nic, source))
				continue;
			drop(node, nic, source);
			any = true;
		}
	}
	if (any)
		node_nic_learned(node, nic);
}

static bool is_over(const struct node *node, const struct node_nic *nic,
		    const struct nic_source *source)
{
	return mono_is_set(source->until) && !mono_before(loop_now(node->loop), source->until);
}

/* The leases of the nic that have not ended, and what has waited for a place. */
static void tidy(struct node_learn *state, struct node_nic *nic)
{
	struct nic_learned *learned = &nic->learned;
	struct nic_source waiting[XRS_SOURCES];
	uint32_t n = learned->n_refused;

	memcpy(waiting, learned->refused, sizeof(waiting));
	for (uint32_t i = 0; i < n; i++) {
		if (is_over(state->node, nic, &waiting[i]) ||
		    (waiting[i].state == NIC_SOURCE_NO_PLACE &&
		     learn(state->node, nic, &waiting[i], NULL)))
			forget_refused(learned, &waiting[i].prefix);
	}
	for (uint32_t i = 0; i < learned->n_refused; i++)
		await_end(state, learned->refused[i].until);
	for (int six = 0; six < 2; six++) {
		for (uint32_t i = 0; i < learned->n[six]; i++)
			await_end(state, learned->source[six][i].until);
	}
}

static void on_end(struct loop_timer *timer)
{
	struct node_learn *state = timer->ctx;
	struct node *node = state->node;

	state->due = (struct mono){ 0 };
	for (size_t i = 0; i < node->n_nics; i++) {
		drop_if(node, node->nics[i], is_over);
		tidy(state, node->nics[i]);
	}
	node_vm_dirty(node); /* what the kernel still sees is learned by that, where it may be */
}

/* --- DHCP ------------------------------------------------------------------------------------------------ */

/* Routed by the host from among VMs: it may be anybody's word. What was switched, the program knew. */
static bool may_be_a_vm(const struct node *node, uint32_t from)
{
	const struct node_nic *nic = node_nic_by_ifindex(node, from);

	if (nic)
		return nic->role == XRS_NIC_VM;
	for (size_t i = 0; from && i < node->n_nics; i++) {
		const struct net_link *link = net_model_link(node->net, node->nics[i]->ifindex);

		if (link && link->master == from && node->nics[i]->role == XRS_NIC_VM)
			return true;
	}
	return false;
}

static void grant(struct node_learn *state, struct node_nic *nic, const struct dhcp_lease *lease,
		  const uint8_t *mac)
{
	static const uint8_t none[6];
	struct nic_source source = { .prefix = lease->prefix, .from = XRS_LEARNED_DHCP };
	char text[PREFIX_TEXT_MAX];

	if (lease->seconds != DHCP_FOREVER)
		source.until = mono_add_sec(loop_now(state->node->loop), lease->seconds);
	log_debug(SUBSYS, "nic=%s %s is leased for %u s", nic->name,
		  prefix_format_short(&lease->prefix, text), lease->seconds);
	if (!vnet_covers(nic->vnet->config, &lease->prefix))
		refuse(nic, &source, NIC_SOURCE_OUTSIDE);
	else if (!learn(state->node, nic, &source, memcmp(mac, none, sizeof(none)) ? mac : NULL))
		refuse(nic, &source, NIC_SOURCE_NO_PLACE);
	else
		forget_refused(&nic->learned, &source.prefix);
	await_end(state, source.until);
}

static void give_back(struct node_learn *state, struct node_nic *nic,
		      const struct ip_prefix *prefix)
{
	struct nic_source *source = find(&nic->learned, prefix);
	char text[PREFIX_TEXT_MAX];

	forget_refused(&nic->learned, prefix);
	if (!source || source->from != XRS_LEARNED_DHCP)
		return;
	log_debug(SUBSYS, "nic=%s %s is given back", nic->name, prefix_format_short(prefix, text));
	drop(state->node, nic, source);
	node_nic_learned(state->node, nic);
	tidy(state, nic);
}

static void on_record(void *ctx, const struct xrs_snoop_record *record)
{
	struct node_learn *state = ctx;
	struct node_nic *nic = node_nic_by_ifindex(state->node, record->ifindex);
	struct dhcp_message message;
	static const struct mac_addr any;
	const struct mac_addr *only;

	if (!nic || !(nic->learns & NIC_LEARN_DHCP) || record->len > sizeof(record->frame) ||
	    dhcp_parse(record->frame, record->len, record->to_vm, &message) < 0)
		return;
	only = &state->node->config->nics[nic->rule].source_mac;
	if (memcmp(only, &any, sizeof(any)) != 0 && memcmp(only, message.mac, sizeof(*only)) != 0)
		return;
	if (record->to_vm && may_be_a_vm(state->node, record->from))
		return;
	for (unsigned int i = 0; i < message.n; i++) {
		if (record->to_vm && message.lease[i].seconds)
			grant(state, nic, &message.lease[i], message.mac);
		else
			give_back(state, nic, &message.lease[i].prefix);
	}
}

static void on_readable(struct loop_io *io, uint32_t events)
{
	struct node_learn *state = io->ctx;

	fib_maps_snoop_read(state->node->maps, on_record, state);
}

/* With the first nic that learns so: others do without the ring's memory. */
static void open_ring(struct node_learn *state)
{
	int err;

	if (state->io.fd >= 0)
		return;
	state->io.fd = fib_maps_snoop_open(state->node->maps);
	err = state->io.fd < 0 ? state->io.fd : loop_io_add(state->node->loop, &state->io, EPOLLIN);
	if (err < 0)
		log_err(SUBSYS, "the ring of DHCP messages: %s", strerror(-err));
}

/* --- nics ----------------------------------------------------------------------------------------------- */

static int cmp_inherited(const void *a, const void *b)
{
	uint32_t x = ((const struct inherited *)a)->key.ifindex;
	uint32_t y = ((const struct inherited *)b)->key.ifindex;

	return (x > y) - (x < y);
}

/* The first of the list that is not below @ifindex. */
static size_t lower_bound(const struct node_learn *state, uint32_t ifindex)
{
	size_t low = 0, high = state->n_list;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (state->list[middle].key.ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void node_learn_inherit(struct node *node, struct node_nic *nic)
{
	struct node_learn *state = node->learn;

	for (size_t i = lower_bound(state, nic->ifindex);
	     i < state->n_list && state->list[i].key.ifindex == nic->ifindex; i++) {
		const struct xrs_learned *value = &state->list[i].value;
		bool six = state->list[i].key.family == IP_V6;
		struct nic_source source = {
			.prefix = prefix_of_key(&state->list[i].key),
			.from = value->from,
			.until = { value->until_ns / 1000 },
		};

		if (nic->learned.n[six] < XRS_SOURCES)
			nic->learned.source[six][nic->learned.n[six]++] = source;
		memcpy(nic->learned.mac, value->mac, sizeof(value->mac));
		await_end(state, source.until);
	}
}

static bool is_unwanted(const struct node *node, const struct node_nic *nic,
			const struct nic_source *source)
{
	uint32_t need = source->from == XRS_LEARNED_DHCP ? NIC_LEARN_DHCP : NIC_LEARN_ARP;

	return !(nic->learns & need);
}

/* Of a device that has just come node_vm.c knows nothing yet but what another one had of this ifindex. */
void node_learn_wanted(struct node *node, struct node_nic *nic, uint32_t learns, bool is_new)
{
	uint32_t before = nic->learns;

	nic->learns = learns;
	if (learns & NIC_LEARN_DHCP)
		open_ring(node->learn);
	if (learns == before && !is_new)
		return;
	drop_if(node, nic, is_unwanted); /* also of what an earlier process learned */
	if (!(learns & NIC_LEARN_DHCP))
		nic->learned.n_refused = 0;
	if (!is_new && learns & ~before & NIC_LEARN_ARP)
		node_vm_learn(node, nic);
}

void node_learn_forget(struct node *node, struct node_nic *nic)
{
	for (int six = 0; six < 2; six++) {
		while (nic->learned.n[six])
			drop(node, nic, &nic->learned.source[six][0]);
	}
}

/* --- life ----------------------------------------------------------------------------------------------- */

static int load(struct node_learn *state)
{
	struct xrs_learned_key key, *last = NULL;
	size_t cap = 0;

	while (fib_maps_learned_next(state->node->maps, last, &key) == 0) {
		struct inherited *grown = state->list;

		if (state->n_list == cap) {
			cap = cap ? 2 * cap : 64;
			grown = realloc(state->list, cap * sizeof(*grown));
		}
		if (!grown)
			return -ENOMEM;
		state->list = grown;
		last = &state->list[state->n_list].key;
		*last = key;
		if (fib_maps_learned_get(state->node->maps, last,
					 &state->list[state->n_list].value) == 0)
			state->n_list++;
	}
	if (state->n_list)
		qsort(state->list, state->n_list, sizeof(*state->list), cmp_inherited);
	return 0;
}

/* Of devices that went while nobody looked, and of others that have their ifindex now. */
void node_learn_sweep(struct node *node)
{
	struct node_learn *state = node->learn;

	for (size_t i = 0; i < state->n_list; i++) {
		const struct xrs_learned_key *key = &state->list[i].key;
		struct node_nic *nic = node_nic_by_ifindex(node, key->ifindex);
		struct ip_prefix prefix = prefix_of_key(key);

		if (!nic || !find(&nic->learned, &prefix))
			fib_maps_learned_del(node->maps, key);
	}
	free(state->list);
	state->list = NULL;
	state->n_list = 0;
}

int node_learn_init(struct node *node)
{
	struct node_learn *state;

	if (!node->maps)
		return 0;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->node = node;
	state->io = (struct loop_io){ .fd = -1, .fn = on_readable, .ctx = state };
	state->timer = (struct loop_timer){ .fn = on_end, .ctx = state };
	node->learn = state;
	return load(state);
}

void node_learn_done(struct node *node)
{
	struct node_learn *state = node->learn;

	if (!state)
		return;
	loop_timer_stop(node->loop, &state->timer);
	if (state->io.fd >= 0)
		loop_io_del(node->loop, &state->io);
	fib_maps_snoop_close(node->maps);
	free(state->list);
	free(state);
	node->learn = NULL;
}
