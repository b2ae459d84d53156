// SPDX-License-Identifier: GPL-2.0-only
/*
 * What BFD means for a peering: when there is a session, and what follows from its state. Down: the member
 * is out of use at once and the BGP session ends with Cease 6/10 (RFC 9384). Strict: no BGP before BFD is
 * Up. Called by node_peering.c; packets, timers and the verdict in the map are the engine's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/node_impl.h"
#include "agent/privilege.h"

#define SUBSYS     "bfd"
#define RESTART_MS 1000u /* of the BGP session after Down, when not strict */

bool node_bfd_status(const struct node_peering *peering, struct bfd_status *ret_status)
{
	return peering->bfd_slot &&
	       bfd_get_status(peering->vnet->node->bfd, peering->bfd_slot, ret_status);
}

static bool is_up(const struct node_peering *peering)
{
	struct bfd_status status;

	return node_bfd_status(peering, &status) && status.state == BFD_UP;
}

bool node_bfd_holds(const struct node_peering *peering)
{
	return peering->config->bfd.enabled && peering->config->bfd.strict && !is_up(peering);
}

/* --- the session ---------------------------------------------------------------------------------------- */

/* 0, or negative errno with the reason in peering->bfd_problem. */
static int read_key(struct node_peering *peering, struct bfd_key *ret_key)
{
	const struct bfd_config *config = &peering->config->bfd;
	uint8_t text[PRIVILEGE_KEY_MAX];
	size_t len = 0;
	int error;

	*ret_key = (struct bfd_key){ .type = config->auth_type, .id = config->auth_key_id };
	if (config->auth_type == BFD_AUTH_NONE)
		return 0;
	error = privilege_read_key(config->auth_key_file, text, &len);
	if (!error && len > bfd_auth_key_max(config->auth_type))
		error = -EFBIG;
	if (!error) {
		ret_key->len = (uint8_t)len;
		memcpy(ret_key->secret, text, len);
	}
	explicit_bzero(text, sizeof(text));
	if (error)
		snprintf(peering->bfd_problem, sizeof(peering->bfd_problem), "key file %.80s: %s",
			 config->auth_key_file,
			 error == -EFBIG   ? "longer than this type of authentication takes"
			 : error == -EPERM ? "others may read or write it"
					   : strerror(-error));
	return error;
}

static int fill_spec(struct node_peering *peering, struct bfd_spec *ret)
{
	const struct peering_config *config = peering->config;

	*ret = (struct bfd_spec){
		.peer = config->peer_ip,
		.multihop = config->bfd.multihop,
		.lenient = config->bfd.honor_graceful_restart && config->gr_enabled,
		.session = {
			.min_tx_usec = config->bfd.min_tx_ms * 1000,
			.min_rx_usec = config->bfd.min_rx_ms * 1000,
			.multiplier = config->bfd.multiplier,
			.admin_down = peering->admin_down,
		},
	};
	node_peering_local_address(peering, &ret->local);
	snprintf(ret->device, sizeof(ret->device), "%s", config->device);
	snprintf(ret->name, sizeof(ret->name), "%s", config->name);
	peering->bfd_problem[0] = 0;
	return read_key(peering, &ret->session.key);
}

static bool same_path(const struct bfd_spec *a, const struct bfd_spec *b)
{
	return ip_equal(&a->peer, &b->peer) && ip_equal(&a->local, &b->local) &&
	       a->multihop == b->multihop && strcmp(a->device, b->device) == 0;
}

static const struct xrs_bfd *entry_at(const struct node *node, uint32_t slot)
{
	return node->maps ? &fib_maps_bfd(node->maps)[slot] : NULL;
}

/* The slot that an earlier process had for this session: next hops in the map refer to it. */
static uint32_t adopted_slot(const struct node_peering *peering, const struct bfd_spec *spec)
{
	const struct node *node = peering->vnet->node;

	for (uint32_t slot = 1; node->maps && slot < XRS_BFD_MAX; slot++) {
		const struct xrs_bfd *entry = entry_at(node, slot);

		if (entry->family == spec->peer.family &&
		    memcmp(entry->peer, spec->peer.bytes, sizeof(entry->peer)) == 0 &&
		    strncmp(entry->vnet, peering->vnet->config->name, sizeof(entry->vnet)) == 0)
			return slot;
	}
	return 0;
}

/* The program finds the session from now on. Who was dead for the process before stays so until he is up. */
static void make_entry(struct node_peering *peering, const struct bfd_spec *spec)
{
	struct node *node = peering->vnet->node;
	const struct xrs_bfd *old = entry_at(node, peering->bfd_slot);
	struct xrs_bfd entry = {
		.local_discr = bfd_discr(node->bfd, peering->bfd_slot),
		.family = spec->peer.family,
		.port = spec->multihop ? BFD_PORT_MULTIHOP : BFD_PORT,
	};

	if (!old)
		return;
	if (old->deadline_ns && old->deadline_ns < mono_now().usec * 1000)
		entry.deadline_ns = 1;
	memcpy(entry.peer, spec->peer.bytes, sizeof(entry.peer));
	memcpy(entry.local, spec->local.bytes, sizeof(entry.local));
	snprintf(entry.peering, sizeof(entry.peering), "%.*s", XRS_NAME_LEN - 1, spec->name);
	snprintf(entry.vnet, sizeof(entry.vnet), "%s", peering->vnet->config->name);
	fib_maps_bfd_set(node->maps, peering->bfd_slot, &entry);
	node_nexthop_dirty_addr(node, &spec->peer);
}

static void add_session(struct node_peering *peering, const struct bfd_spec *spec)
{
	int slot = bfd_add(peering->vnet->node->bfd, spec, adopted_slot(peering, spec), peering);

	if (slot < 0) {
		snprintf(peering->bfd_problem, sizeof(peering->bfd_problem), "no session: %s",
			 strerror(-slot));
		return;
	}
	peering->bfd_slot = (uint32_t)slot;
	peering->bfd_path = *spec;
	explicit_bzero(&peering->bfd_path.session, sizeof(peering->bfd_path.session));
	make_entry(peering, spec);
}

/* At a stop the map stays as it is: the engine says what is to become of a deadline. */
void node_bfd_forget(struct node_peering *peering)
{
	struct node *node = peering->vnet->node;
	uint32_t slot = peering->bfd_slot;

	if (!slot)
		return;
	peering->bfd_slot = 0;
	bfd_remove(node->bfd, slot);
	if (!node->maps || node->stopping)
		return;
	fib_maps_bfd_del(node->maps, slot);
	node_nexthop_dirty_addr(node, &peering->bfd_path.peer);
}

uint32_t node_bfd_slot(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; vnet && i < vnet->n_peerings; i++) {
		const struct node_peering *peering = vnet->peerings[i];

		if (peering->bfd_slot && ip_equal(&peering->bfd_path.peer, addr))
			return peering->bfd_slot;
	}
	return 0;
}

void node_bfd_apply(struct node_peering *peering)
{
	struct bfd_spec spec;

	if (!peering->config->bfd.enabled || fill_spec(peering, &spec) < 0) {
		if (peering->bfd_problem[0])
			log_err(SUBSYS, "peering=%s vnet=%s %s", peering->config->name,
				peering->vnet->config->name, peering->bfd_problem);
		node_bfd_forget(peering);
		return;
	}
	if (peering->bfd_slot && !same_path(&peering->bfd_path, &spec))
		node_bfd_forget(peering);
	if (peering->bfd_slot)
		bfd_change(peering->vnet->node->bfd, peering->bfd_slot, &spec);
	else
		add_session(peering, &spec);
	explicit_bzero(&spec.session.key, sizeof(spec.session.key));
}

/* --- what follows ----------------------------------------------------------------------------------------- */

/* A strict session that BFD keeps down may start; nothing to do for one that an operator keeps down. */
static void came_up(struct node_peering *peering)
{
	if (peering->bfd_hold && !peering->admin_down)
		session_enable(peering->session);
	peering->bfd_hold = false;
}

static void failed(struct node_peering *peering, const struct bfd_event *event)
{
	const struct node_fault fault = { .cause = TIMELINE_BFD_DOWN,
					  .detected = event->detected,
					  .decided = event->decided,
					  .programmed = event->programmed };
	struct bgp_error error;
	bool strict = peering->config->bfd.strict;

	peering->failed = true;
	node_nexthop_peer_dead(peering->vnet, &peering->config->peer_ip, &fault);
	/* RFC 9384 3 */
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "BFD down", NULL, 0);
	session_fail(peering->session, &error, strict ? SESSION_STAY_DOWN : RESTART_MS);
	peering->bfd_hold |= strict;
}

static void log_change(const struct node_peering *peering, const struct bfd_event *event)
{
	const char *note = event->state == BFD_DOWN && !event->failure ? ", no failure" : "";

	log_write(event->failure ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, SUBSYS,
		  "peering=%s vnet=%s state=%s diag=\"%s\" remote=%s%s", peering->config->name,
		  peering->vnet->config->name, bfd_state_name(event->state),
		  bfd_diag_name(event->diag), bfd_state_name(event->remote_state), note);
}

static void on_changed(void *owner, const struct bfd_event *event)
{
	struct node_peering *peering = owner;

	log_change(peering, event);
	if (event->state == BFD_UP)
		came_up(peering);
	else if (event->failure)
		failed(peering, event);
	node_event_bfd(peering, event);
}

void node_bfd_established(struct node_peering *peering)
{
	if (peering->bfd_slot && !is_up(peering))
		bfd_pardon(peering->vnet->node->bfd, peering->bfd_slot);
}

void node_bfd_enable(struct node_peering *peering)
{
	node_bfd_apply(peering);
	peering->bfd_hold = node_bfd_holds(peering);
	if (!peering->bfd_hold)
		session_enable(peering->session);
}

int node_bfd_init(struct node *node)
{
	struct bfd_map map = { .fd = -1 };

	if (node->maps)
		map = (struct bfd_map){ fib_maps_fd(node->maps, "xrs_bfd"),
					fib_maps_bfd(node->maps) };
	return bfd_new(node->loop, &map, on_changed, &node->bfd);
}

void node_bfd_sweep(struct node *node)
{
	for (uint32_t slot = 1; node->maps && slot < XRS_BFD_MAX; slot++) {
		const struct xrs_bfd *entry = entry_at(node, slot);

		if (entry->family && bfd_discr(node->bfd, slot) != entry->local_discr)
			fib_maps_bfd_del(node->maps, slot);
	}
}
