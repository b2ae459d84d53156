// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration of one BGP peer: defaults, what the core gets of it, the key and the listening socket
 * that it needs, and what a change of it costs.
 *
 * Called by session.c (session_prepare) and by the node (session_compare, session_reconfigure). Whether a
 * change resets the session is said by one table, `fields`.
 */
#include "agent/session_impl.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/listener.h"

/* --- configuration --------------------------------------------------------------------------- */

static void default_u32(uint32_t *value, uint32_t fallback)
{
	if (!*value)
		*value = fallback;
}

static void default_u16(uint16_t *value, uint16_t fallback)
{
	if (!*value)
		*value = fallback;
}

void session_fill_defaults(struct session_config *config)
{
	uint32_t twice_hold_ms = config->hold_time * 2000u;

	default_u16(&config->peer_port, BGP_PORT);
	default_u16(&config->local_port, BGP_PORT);
	default_u16(&config->keepalive_time, config->hold_time / 3);
	default_u32(&config->connect_retry_ms, 5000);
	default_u32(&config->idle_hold_ms, 1000);
	default_u32(&config->idle_hold_max_ms, 60000);
	default_u32(&config->large_hold_ms, 240000);
	default_u32(&config->send_hold_ms, twice_hold_ms > 480000 ? twice_hold_ms : 480000);
	if (!config->multihop_ttl)
		config->multihop_ttl = 64;
	config->caps.asn = config->local_asn;
	config->name[SESSION_NAME_MAX - 1] = '\0';
	config->vnet[SESSION_NAME_MAX - 1] = '\0';
	config->device[IFNAMSIZ - 1] = '\0';
	config->password_file[SESSION_PATH_MAX - 1] = '\0';
}

struct fsm_config session_fsm_config(const struct session_config *config)
{
	return (struct fsm_config){
		.open = { .version = BGP_VERSION,
			  .my_as = config->local_asn > UINT16_MAX ? BGP_AS_TRANS
								  : (uint16_t)config->local_asn,
			  .hold_time = config->hold_time,
			  .id = config->router_id,
			  .caps = config->caps },
		.policy = { .local_asn = config->local_asn,
			    .local_id = config->router_id,
			    .peer_asn = config->peer_asn,
			    .peer_asns = config->peer_asns,
			    .required_families = config->required_families,
			    .hold_time = config->hold_time,
			    .keepalive_time = config->keepalive_time,
			    .needed = config->needed,
			    .require_role = config->require_role },
		.passive = config->passive,
		.notify_without_open = true,
		.connect_retry_ms = config->connect_retry_ms,
		.idle_hold_ms = config->idle_hold_ms,
		.idle_hold_max_ms = config->idle_hold_max_ms,
		.delay_open_ms = config->delay_open_ms,
		.large_hold_ms = config->large_hold_ms,
		.damp = true,
	};
}

static void set_problem(struct session *s, const char *what, const char *which, int error)
{
	char text[SESSION_PROBLEM_TEXT];

	snprintf(text, sizeof(text), "%s %s: %s", what, which,
		 error == -EPERM && which[0] == '/' ? "readable by others"
						    : strerrordesc_np(-error));
	if (strcmp(text, s->problem) == 0)
		return;
	memcpy(s->problem, text, sizeof(text));
	log_err("session", "%s peering=%s vnet=%s", text, s->config.name, s->config.vnet);
	session_tell_changed(s);
}

/* Reads the key file into *ret_md5 (len 0 without one). */
static int load_key(const struct session *s, struct privilege_md5 *ret_md5)
{
	size_t len = 0;
	int error;

	memset(ret_md5, 0, sizeof(*ret_md5));
	ret_md5->peer = s->config.peer_addr;
	if (!s->config.password_file[0])
		return 0;
	error = privilege_read_key(s->config.password_file, ret_md5->key, &len);
	ret_md5->len = (uint8_t)len;
	return error;
}

static bool same_key(const struct privilege_md5 *a, const struct privilege_md5 *b)
{
	return a->len == b->len && memcmp(a->key, b->key, a->len) == 0;
}

/* On the listening socket and on live connections: the peer may change its key at its own time. */
static int apply_key(struct session *s, const struct privilege_md5 *md5)
{
	int error = 0;

	s->md5 = *md5;
	if (s->listening)
		error = listener_set_md5(s->listening, md5->key, md5->len);
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		if (s->conn[side].io.fd >= 0 && !error)
			error = privilege_tcp_md5(s->conn[side].io.fd, md5);
	if (error)
		set_problem(s, "TCP MD5", "key", error);
	return error;
}

static int listen_for_peer(struct session *s)
{
	struct listener_key key = { .local = s->config.local_addr,
				    .peer = s->config.peer_addr,
				    .port = s->config.local_port,
				    .ttl_security_hops = s->config.ttl_security_hops };

	if (!s->listeners || s->listening)
		return 0;
	memcpy(key.device, s->config.device, IFNAMSIZ);
	return listener_add(s->listeners, &key, s, &s->listening);
}

int session_prepare(struct session *s)
{
	struct privilege_md5 md5;
	int error = load_key(s, &md5);

	if (error) {
		set_problem(s, "password file", s->config.password_file, error);
		return error;
	}
	s->problem[0] = '\0';
	error = listen_for_peer(s);
	if (error)
		set_problem(s, "listen for", s->config.name, error);
	error = apply_key(s, &md5);
	explicit_bzero(&md5, sizeof(md5));
	return error;
}

/* --- what the owner may change --------------------------------------------------------------- */

enum effect {
	EFFECT_FIXED, /* a different session altogether */
	EFFECT_RESET, /* agreed upon in OPEN */
	EFFECT_LIVE,
};

#define FIELD(member, effect)                                                \
	{                                                                    \
#member, offsetof(struct session_config, member),            \
			sizeof(((struct session_config *)0)->member), effect \
	}

static const struct field {
	const char *name;
	size_t offset, size;
	enum effect effect;
} fields[] = {
	FIELD(peer_addr, EFFECT_FIXED),
	FIELD(local_addr, EFFECT_FIXED),
	FIELD(device, EFFECT_FIXED),
	FIELD(local_port, EFFECT_FIXED),
	FIELD(local_asn, EFFECT_RESET),
	FIELD(peer_asn, EFFECT_RESET),
	FIELD(peer_asns, EFFECT_RESET),
	FIELD(router_id, EFFECT_RESET),
	FIELD(hold_time, EFFECT_RESET),
	FIELD(keepalive_time, EFFECT_RESET),
	FIELD(required_families, EFFECT_RESET),
	FIELD(needed, EFFECT_RESET),
	FIELD(require_role, EFFECT_RESET),
	FIELD(name, EFFECT_LIVE),
	FIELD(vnet, EFFECT_LIVE),
	FIELD(peer_port, EFFECT_LIVE),
	FIELD(disabled, EFFECT_LIVE),
	FIELD(passive, EFFECT_LIVE),
	FIELD(multihop_ttl, EFFECT_LIVE),
	FIELD(ttl_security_hops, EFFECT_LIVE),
	FIELD(connect_retry_ms, EFFECT_LIVE),
	FIELD(idle_hold_ms, EFFECT_LIVE),
	FIELD(idle_hold_max_ms, EFFECT_LIVE),
	FIELD(delay_open_ms, EFFECT_LIVE),
	FIELD(large_hold_ms, EFFECT_LIVE),
	FIELD(send_hold_ms, EFFECT_LIVE),
	FIELD(limits, EFFECT_LIVE),
	FIELD(password_file, EFFECT_LIVE),
};

/* As they would be sent, but for what session_set_restart() sets: it concerns the next OPEN only. */
static bool same_caps(const struct bgp_caps *a, const struct bgp_caps *b)
{
	struct bgp_caps left = *a, right = *b;
	uint8_t left_buf[1024], right_buf[1024];
	struct wire_writer lw, rw;

	left.gr_restarting = right.gr_restarting = false;
	left.gr_forwarding = right.gr_forwarding = 0;
	left.llgr_forwarding = right.llgr_forwarding = 0;
	wire_write_init(&lw, left_buf, sizeof(left_buf));
	wire_write_init(&rw, right_buf, sizeof(right_buf));
	bgp_caps_encode(&left, &lw);
	bgp_caps_encode(&right, &rw);
	return lw.pos == rw.pos && memcmp(left_buf, right_buf, lw.pos) == 0;
}

/* Strings are compared as strings: what follows the terminator means nothing. */
static bool same_field(const struct field *field, const struct session_config *a,
		       const struct session_config *b)
{
	const char *left = (const char *)a + field->offset;
	const char *right = (const char *)b + field->offset;
	bool text = field->offset == offsetof(struct session_config, name) ||
		    field->offset == offsetof(struct session_config, vnet) ||
		    field->offset == offsetof(struct session_config, device) ||
		    field->offset == offsetof(struct session_config, password_file);

	return text ? strncmp(left, right, field->size) == 0
		    : memcmp(left, right, field->size) == 0;
}

/* The strongest effect of all differences; *ret_any: whether there is one. */
static enum effect compare(const struct session_config *old, const struct session_config *new,
			   bool *ret_any, const char **ret_why)
{
	enum effect strongest = EFFECT_LIVE;
	const char *why = NULL;

	*ret_any = false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (same_field(&fields[i], old, new))
			continue;
		*ret_any = true;
		if (fields[i].effect >= strongest)
			continue;
		strongest = fields[i].effect;
		why = fields[i].name;
	}
	if (!same_caps(&old->caps, &new->caps)) {
		*ret_any = true;
		if (strongest == EFFECT_LIVE)
			why = "caps";
		strongest = strongest < EFFECT_RESET ? strongest : EFFECT_RESET;
	}
	if (ret_why)
		*ret_why = why;
	return strongest;
}

enum session_change session_compare(const struct session *s, const struct session_config *config,
				    const char **ret_why)
{
	struct session_config wanted = *config;
	enum effect effect;
	bool any;

	session_fill_defaults(&wanted);
	effect = compare(&s->config, &wanted, &any, ret_why);
	if (!any)
		return SESSION_SAME;
	if (s->peer.is_up)
		return effect == EFFECT_LIVE ? SESSION_LIVE : SESSION_RESET;
	return SESSION_RESTART;
}

static void apply_live(struct session *s)
{
	struct privilege_md5 md5;
	int error = load_key(s, &md5);

	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		if (s->conn[side].io.fd >= 0)
			session_set_ttl(s, s->conn[side].io.fd);
	if (s->listening)
		listener_set_ttl_security(s->listening, s->config.ttl_security_hops);
	if (error)
		set_problem(s, "password file", s->config.password_file, error);
	else if (!same_key(&md5, &s->md5))
		apply_key(s, &md5);
	explicit_bzero(&md5, sizeof(md5));
}

/* A session that is not up simply starts afresh; one that is up stays unless OPEN would differ. */
static void apply_change(struct session *s, enum session_change change)
{
	struct bgp_error error;

	if (change == SESSION_LIVE || change == SESSION_SAME) {
		apply_live(s);
		return;
	}
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE, "configuration changed", NULL,
		      0);
	session_stop(s, &error);
	apply_live(s);
	if (!s->config.disabled)
		session_start(s);
}

int session_reconfigure(struct session *s, const struct session_config *config,
			enum session_change *ret_change, const char **ret_why)
{
	struct session_config wanted = *config;
	struct fsm_config fsm_config;
	enum session_change change = session_compare(s, config, ret_why);
	bool was_disabled = s->config.disabled, any;

	session_fill_defaults(&wanted);
	if (compare(&s->config, &wanted, &any, NULL) == EFFECT_FIXED)
		return -EINVAL;
	s->config = wanted;
	s->config.disabled = was_disabled;
	fsm_config = session_fsm_config(&s->config);
	peer_configure(&s->peer, &fsm_config, &s->config.limits);
	apply_change(s, change);
	if (wanted.disabled && !was_disabled)
		session_disable(s, "disabled by configuration");
	else if (!wanted.disabled && was_disabled)
		session_enable(s);
	session_settle(s);
	*ret_change = change;
	return 0;
}
