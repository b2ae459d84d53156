// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listen ranges: a peering with peerRange waits for connections out of a prefix, and makes a peering for
 * each address that connects (a dynamic one, passive, named RANGE-ADDRESS), which goes again when it has had
 * no session for peerIdleTime. Called by node_vnet.c for the configuration, by listener.c when somebody
 * connects, and by node_peering.c. Never touches a socket beyond handing it on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "agent/privilege.h"

#define SUBSYS       "range"
#define KEY_RETRY_MS 10000

/* --- one peer ------------------------------------------------------------------------------------ */

void node_range_fill_peer(const struct peering_config *config, const struct ip_addr *addr,
			  struct peering_config *ret)
{
	char text[IP_TEXT_MAX];

	*ret = *config;
	snprintf(ret->name, sizeof(ret->name), "%.16s-%s", config->name, ip_format(addr, text));
	ret->peer_ip = *addr;
	ret->passive = true;
	ret->from_api = false;
	if (config->peer_asn) {
		ret->peer_asns.n = 1;
		ret->peer_asns.range[0] =
			(struct bgp_asn_range){ config->peer_asn, config->peer_asn };
	}
	ret->peer_asn = 0;
}

static bool is_waiting(const struct node_peering *peering)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (rib_peer_waiting(peering->vnet->rib, peering->rib_peer, f))
			return true;
	}
	return false;
}

static void await_session(struct node_peering *peering)
{
	struct loop *loop = peering->vnet->node->loop;

	loop_timer_set(loop, &peering->idle,
		       mono_add_sec(loop_now(loop), peering->config->peer_idle_time));
}

static void drop_peer(struct node_peering *peering)
{
	peering->range->n_peers--;
	node_vnet_remove_peering(peering->vnet, peering);
}

/* It stays while it is disabled by hand, and while its stale routes are in use (graceful restart). */
static void idle_over(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;
	struct node_vnet *vnet = peering->vnet;

	if (session_is_established(peering->session))
		return;
	if (peering->admin_down || is_waiting(peering)) {
		await_session(peering);
		return;
	}
	log_info(SUBSYS, "peering=%s vnet=%s had no session for %u s and is forgotten",
		 peering->config->name, vnet->config->name, peering->config->peer_idle_time);
	drop_peer(peering);
	node_vnet_rib_work(vnet);
}

static int make_peer(struct node_range *range, const struct ip_addr *addr,
		     struct node_peering **ret_peering)
{
	struct peering_config *own = malloc(sizeof(*own));
	struct node_peering *peering;
	int err;

	if (!own)
		return -ENOMEM;
	node_range_fill_peer(range->config, addr, own);
	err = node_vnet_add_peering(range->vnet, own, &peering);
	if (err < 0) {
		free(own);
		return err;
	}
	peering->own = own;
	peering->range = range;
	peering->idle = (struct loop_timer){ .fn = idle_over, .ctx = peering };
	range->n_peers++;
	await_session(peering);
	*ret_peering = peering;
	return 0;
}

void node_range_peer_up(struct node_peering *peering, uint32_t asn)
{
	struct rib_peer_config rib;

	if (!peering->range)
		return;
	loop_timer_stop(peering->vnet->node->loop, &peering->idle);
	peering->own->peer_asn = asn;
	rib = *rib_peer_get(peering->vnet->rib, peering->rib_peer);
	rib.asn = asn;
	rib_peer_reconfigure(peering->vnet->rib, peering->rib_peer, &rib);
}

void node_range_peer_down(struct node_peering *peering)
{
	if (peering->range)
		await_session(peering);
}

/* --- who connects ---------------------------------------------------------------------------------- */

/*
 * The peer is made before its OPEN says who it is: what an address that only connects costs is one of
 * maxPeers until peerIdleTime has passed.
 */
static bool on_connection(void *ctx, int fd, const struct ip_addr *addr)
{
	struct node_range *range = ctx;
	struct node_peering *peering;
	char text[IP_TEXT_MAX];
	int err = -EUSERS;

	if (range->n_peers < range->config->max_peers)
		err = make_peer(range, addr, &peering);
	if (err < 0) {
		range->refused++;
		if (log_allow(&range->log, loop_now(range->vnet->node->loop), 5, 10000))
			log_warn(SUBSYS, "range=%s vnet=%s peer=%s is refused: %s",
				 range->config->name, range->vnet->config->name,
				 ip_format(addr, text),
				 err == -EUSERS ? "maxPeers" : strerror(-err));
		return false;
	}
	range->accepted++;
	log_info(SUBSYS, "peering=%s vnet=%s made for a connection", peering->config->name,
		 range->vnet->config->name);
	if (session_accept(peering->session, fd))
		return true;
	drop_peer(peering);
	return false;
}

/* --- ranges ---------------------------------------------------------------------------------------- */

static void set_problem(struct node_range *range, const char *what, int error)
{
	char text[sizeof(range->problem)];

	snprintf(text, sizeof(text), "%s: %s", what,
		 error == -EPERM ? "readable by others" : strerror(-error));
	if (strcmp(text, range->problem) == 0)
		return;
	memcpy(range->problem, text, sizeof(text));
	log_err(SUBSYS, "range=%s vnet=%s %s", range->config->name, range->vnet->config->name,
		text);
}

static int set_key(struct node_range *range)
{
	uint8_t key[PRIVILEGE_KEY_MAX];
	size_t len = 0;
	int error = 0;

	if (*range->config->password_file)
		error = privilege_read_key(range->config->password_file, key, &len);
	if (error)
		set_problem(range, range->config->password_file, error);
	else
		error = listener_set_md5(range->listening, key, len);
	explicit_bzero(key, sizeof(key));
	return error;
}

static int listen_on(struct node_range *range)
{
	const struct node_vnet *vnet = range->vnet;
	const struct peering_config *config = range->config;
	struct listener_key key = { .peer = config->peer_range.addr,
				    .port = vnet->config->route_server.port,
				    .ttl_security_hops = config->ttl_security_hops };

	snprintf(key.device, sizeof(key.device), "%s", config->device);
	node_range_local_address(range, &key.local);
	return listener_add_range(vnet->node->listeners, &key, &config->peer_range, on_connection,
				  range, &range->listening);
}

static void stop_listening(struct node_range *range)
{
	loop_timer_stop(range->vnet->node->loop, &range->retry);
	listener_remove(range->listening);
	range->listening = NULL;
}

/* Nobody is accepted in the clear while a key is configured and can not be used. */
static void start_range(struct node_range *range)
{
	struct loop *loop = range->vnet->node->loop;
	int error = 0;

	loop_timer_stop(loop, &range->retry);
	if (!range->config->enabled) {
		stop_listening(range);
		return;
	}
	if (!range->listening)
		error = listen_on(range);
	if (error)
		set_problem(range, "listen", error);
	else
		error = set_key(range);
	if (!error) {
		listener_set_ttl_security(range->listening, range->config->ttl_security_hops);
		range->problem[0] = 0;
		return;
	}
	stop_listening(range);
	loop_timer_set(loop, &range->retry, mono_add_msec(loop_now(loop), KEY_RETRY_MS));
}

static void retry(struct loop_timer *timer)
{
	start_range(timer->ctx);
}

static void add_range(struct node_vnet *vnet, const struct peering_config *config)
{
	struct node_range **grown = reallocarray(vnet->ranges, vnet->n_ranges + 1, sizeof(*grown));
	struct node_range *range = grown ? calloc(1, sizeof(*range)) : NULL;

	if (grown)
		vnet->ranges = grown;
	if (!range) {
		log_err(SUBSYS, "range=%s vnet=%s can not be started: out of memory", config->name,
			vnet->config->name);
		return;
	}
	range->vnet = vnet;
	range->config = config;
	range->retry = (struct loop_timer){ .fn = retry, .ctx = range };
	vnet->ranges[vnet->n_ranges++] = range;
	start_range(range);
}

static void remove_range(struct node_vnet *vnet, size_t index)
{
	struct node_range *range = vnet->ranges[index];

	for (size_t i = vnet->n_peerings; i-- > 0;) {
		if (vnet->peerings[i]->range == range)
			drop_peer(vnet->peerings[i]);
	}
	stop_listening(range);
	free(range);
	vnet->ranges[index] = vnet->ranges[--vnet->n_ranges];
}

void node_ranges_free(struct node_vnet *vnet)
{
	while (vnet->n_ranges)
		remove_range(vnet, vnet->n_ranges - 1);
	free(vnet->ranges);
	vnet->ranges = NULL;
}

/* --- a changed configuration ------------------------------------------------------------------------ */

const struct peering_config *node_range_then(const struct vnet_config *config,
					     const struct node_peering *peering)
{
	for (size_t i = 0; i < config->n_peerings; i++) {
		if (ip_equal(&config->peerings[i].peer_ip, &peering->own->peer_ip))
			return NULL;
	}
	return vnet_find_peering(config, peering->range->config->name);
}

/* A peer that has a peering of its own now makes room for it. */
static void reconfigure_peer(struct node_range *range, struct node_peering *peering)
{
	struct ip_addr addr = peering->own->peer_ip;
	uint32_t asn = peering->own->peer_asn;
	struct peering_config *own = malloc(sizeof(*own)), *old = peering->own;

	if (!own || !node_range_then(range->vnet->config, peering)) {
		free(own);
		drop_peer(peering);
		return;
	}
	node_range_fill_peer(range->config, &addr, own);
	own->peer_asn = asn;
	peering->own = own;
	node_peering_reconfigure(peering, own);
	free(old);
}

static void reconfigure_range(struct node_range *range, const struct peering_config *config)
{
	struct node_vnet *vnet = range->vnet;

	range->config = config;
	start_range(range);
	for (size_t i = vnet->n_peerings; i-- > 0;) {
		if (vnet->peerings[i]->range == range)
			reconfigure_peer(range, vnet->peerings[i]);
	}
}

void node_ranges_apply(struct node_vnet *vnet, const struct vnet_config *before)
{
	const struct vnet_config *config = vnet->config;

	for (size_t i = vnet->n_ranges; i-- > 0;) {
		struct node_range *range = vnet->ranges[i];
		const struct peering_config *next = vnet_find_peering(config, range->config->name);

		if (next &&
		    !node_vnet_endpoint_differs(vnet, range->config, next, &before->route_server))
			reconfigure_range(range, next);
		else
			remove_range(vnet, i);
	}
	for (size_t i = 0; i < config->n_peerings; i++) {
		bool known = !peering_is_range(&config->peerings[i]);

		for (size_t k = 0; k < vnet->n_ranges && !known; k++)
			known = vnet->ranges[k]->config == &config->peerings[i];
		if (!known)
			add_range(vnet, &config->peerings[i]);
	}
}
