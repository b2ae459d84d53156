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

static void add_session(struct node_peering *peering, const struct bfd_spec *spec)
{
	int slot = bfd_add(peering->vnet->node->bfd, spec, 0, peering);

	if (slot < 0) {
		snprintf(peering->bfd_problem, sizeof(peering->bfd_problem), "no session: %s",
			 strerror(-slot));
		return;
	}
	peering->bfd_slot = (uint32_t)slot;
	peering->bfd_path = *spec;
	explicit_bzero(&peering->bfd_path.session, sizeof(peering->bfd_path.session));
}

void node_bfd_forget(struct node_peering *peering)
{
	if (!peering->bfd_slot)
		return;
	bfd_remove(peering->vnet->node->bfd, peering->bfd_slot);
	peering->bfd_slot = 0;
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

static void failed(struct node_peering *peering)
{
	struct bgp_error error;
	bool strict = peering->config->bfd.strict;

	node_fib_peer_dead(peering->vnet, &peering->config->peer_ip, true);
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
		failed(peering);
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
	const struct bfd_map none = { .fd = -1 };

	return bfd_new(node->loop, &none, on_changed, &node->bfd);
}
