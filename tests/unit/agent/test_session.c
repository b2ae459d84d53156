// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions over real sockets on loopback addresses: two of ours against each other, and one of ours against
 * a peer that the test plays octet by octet.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/listener.h"
#include "agent/loop.h"
#include "agent/outq.h"
#include "agent/privilege.h"
#include "agent/session.h"
#include "agent/sockaddr.h"
#include "bgp/update_encode.h"
#include "util/log.h"

#define ASN_A 65001
#define ASN_B 65002

struct owner {
	struct session *session;
	unsigned int established, downs, updates, refreshes;
	struct bgp_peer_down last_down;
	unsigned int to_send; /* UPDATEs that produce() still makes; UINT_MAX: for ever */
	size_t made;          /* octets by produce() */
	bool fail_on_update;
};

static struct loop *loop;
static struct listener_set *listeners;
static struct owner a, b;
static uint16_t port_a, port_b;

/* --- the owner ------------------------------------------------------------------------------- */

static void on_established(struct session *s, const struct bgp_session_params *params)
{
	struct owner *owner = session_owner(s);

	owner->established++;
	if (owner->to_send)
		session_wake_output(s);
}

static void on_down(struct session *s, const struct bgp_peer_down *down)
{
	struct owner *owner = session_owner(s);

	cr_assert_not_null(session_params(s));
	owner->downs++;
	owner->last_down = *down;
}

static void on_update(struct session *s, const struct bgp_update *update)
{
	struct owner *owner = session_owner(s);
	struct bgp_error error;

	owner->updates++;
	if (!owner->fail_on_update)
		return;
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, "too many", NULL, 0);
	session_fail(s, &error, SESSION_STAY_DOWN);
}

static void on_refresh(struct session *s, const struct bgp_route_refresh *refresh)
{
	((struct owner *)session_owner(s))->refreshes++;
}

static size_t on_produce(struct session *s, uint8_t *buf, size_t cap)
{
	struct owner *owner = session_owner(s);
	size_t n = 0;

	cr_assert_geq(cap, SESSION_PRODUCE_MIN);
	while (owner->to_send && n + 64 < cap) {
		int len = bgp_update_encode_eor(BGP_IPV4_UNICAST, buf + n, cap - n);

		cr_assert_gt(len, 0);
		n += (size_t)len;
		if (owner->to_send != UINT32_MAX)
			owner->to_send--;
	}
	owner->made += n;
	return n;
}

static const struct session_ops ops = {
	.established = on_established,
	.down = on_down,
	.update = on_update,
	.refresh = on_refresh,
	.produce = on_produce,
};

/* --- set-up ---------------------------------------------------------------------------------- */

static struct ip_addr address(const char *text)
{
	struct ip_addr addr;

	cr_assert_eq(ip_parse(text, &addr), 0);
	return addr;
}

static uint16_t free_port(const char *text)
{
	struct ip_addr addr = address(text);
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_from_ip(&addr, 0, NULL, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0);
	uint16_t port = 0;

	cr_assert_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	sockaddr_to_ip(&sa, NULL, &port);
	close(fd);
	return port;
}

static void quiet(void *ctx, enum log_level level, const char *subsystem, const char *line)
{
}

static void setup(void)
{
	if (!getenv("XRS_TEST_LOG"))
		log_set_sink(quiet, NULL);
	else
		log_set_level(LOG_LEVEL_DEBUG);
	loop = loop_new();
	listeners = listener_set_new(loop);
	cr_assert_not_null(listeners);
	port_a = free_port("127.0.0.1");
	port_b = free_port("127.0.0.2");
}

static void teardown(void)
{
	session_free(a.session);
	session_free(b.session);
	listener_set_free(listeners);
	loop_free(loop);
}

TestSuite(session, .init = setup, .fini = teardown, .timeout = 60);

static struct session_config config_of(const char *name, const char *local, const char *peer,
				       uint16_t local_port, uint16_t peer_port)
{
	bool is_a = name[0] == 'a';
	struct session_config config = { .local_port = local_port,
					 .peer_port = peer_port,
					 .local_asn = is_a ? ASN_A : ASN_B,
					 .peer_asn = is_a ? ASN_B : ASN_A,
					 .router_id = is_a ? 1 : 2,
					 .hold_time = 90,
					 .connect_retry_ms = 200,
					 .idle_hold_ms = 50,
					 .idle_hold_max_ms = 400 };

	snprintf(config.name, sizeof(config.name), "%s", name);
	config.local_addr = address(local);
	config.peer_addr = address(peer);
	config.caps.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	config.caps.multiprotocol = true;
	config.caps.route_refresh = true;
	return config;
}

static struct session_config config_a(void)
{
	return config_of("a", "127.0.0.1", "127.0.0.2", port_a, port_b);
}

static struct session_config config_b(void)
{
	return config_of("b", "127.0.0.2", "127.0.0.1", port_b, port_a);
}

static void open_session(struct owner *owner, const struct session_config *config)
{
	cr_assert_eq(session_new(loop, listeners, config, &ops, owner, &owner->session), 0);
}

/* Turns the loop until @condition holds; false after @ms. */
#define WAIT(condition, ms)                                             \
	({                                                              \
		struct mono until_ = mono_add_msec(mono_now(), ms);     \
		while (!(condition) && mono_before(mono_now(), until_)) \
			loop_turn(loop, 10);                            \
		(condition);                                            \
	})

static bool both_up(void)
{
	return session_is_established(a.session) && session_is_established(b.session);
}

static void open_both(void)
{
	struct session_config ca = config_a(), cb = config_b();

	open_session(&a, &ca);
	open_session(&b, &cb);
	cr_assert(WAIT(both_up(), 10000));
}

static struct session_info info_of(const struct owner *owner)
{
	struct session_info info;

	session_get_info(owner->session, &info);
	return info;
}

/* --- two of ours ------------------------------------------------------------------------------ */

Test(session, two_sessions_establish_whatever_collides)
{
	struct session_info info;

	open_both();
	info = info_of(&a);
	cr_assert_eq(info.state, FSM_ESTABLISHED);
	cr_assert_null(info.problem);
	cr_assert_eq(info.params->peer_asn, ASN_B);
	cr_assert_neq(info.up_since_wall, 0);
	cr_assert(ip_equal(&info.local_addr, &(struct ip_addr){ IP_V4, { 127, 0, 0, 1 } }));
	cr_assert_not_null(info.caps_received);
	WAIT(false, 700);
	cr_assert(both_up());
	cr_assert_eq(a.established, a.downs + 1);
}

Test(session, updates_are_pulled_and_arrive_in_full)
{
	a.to_send = 100000;
	b.to_send = 7;
	open_both();
	cr_assert(WAIT(b.updates == 100000 && a.updates == 7, 30000));
	cr_assert_eq(info_of(&b).stats->msgs_in[BGP_MSG_UPDATE], 100000);
	cr_assert_eq(info_of(&a).stats->msgs_out[BGP_MSG_UPDATE], 100000);
	cr_assert_eq(info_of(&a).output_queued, 0);
	/* What becomes pending later is asked for as well. */
	a.to_send = 1;
	session_wake_output(a.session);
	cr_assert(WAIT(b.updates == 100001, 5000));
}

/* Others wait for a turn of the loop: it is bounded in octets, whatever the peer sends and takes. */
Test(session, a_turn_is_bounded_in_octets)
{
	size_t made_most = 0;
	unsigned int updates_most = 0;

	open_both();
	a.to_send = UINT32_MAX;
	session_wake_output(a.session);
	while (b.updates < 200000) {
		size_t made = a.made;
		unsigned int updates = b.updates;

		loop_turn(loop, 1000);
		made_most = a.made - made > made_most ? a.made - made : made_most;
		updates_most =
			b.updates - updates > updates_most ? b.updates - updates : updates_most;
	}
	cr_assert_gt(made_most, SESSION_PRODUCE_MIN / 2, "but not less than one piece");
	cr_assert_leq(made_most, 4 * SESSION_PRODUCE_MIN);
	cr_assert_leq(updates_most, (32768 + 22) / 23, "an empty UPDATE has 23 octets");
	a.to_send = 0;
}

Test(session, refresh_in_and_out)
{
	cr_assert_eq(a.session, NULL);
	open_both();
	cr_assert_eq(session_refresh_in(a.session, 0), 0);
	cr_assert(WAIT(b.refreshes == 1, 5000));
	cr_assert_eq(session_refresh_out(b.session, 0), 0);
	cr_assert_eq(b.refreshes, 2);
	session_disable(a.session, NULL);
	cr_assert_eq(session_refresh_in(a.session, 0), -ENOTCONN);
	cr_assert_eq(session_refresh_out(a.session, 0), -ENOTCONN);
}

Test(session, disable_tells_the_text_and_enable_brings_it_back)
{
	open_both();
	session_disable(a.session, "maintenance until noon");
	cr_assert(WAIT(b.downs == 1, 5000));
	cr_assert_eq(b.last_down.code, BGP_ERR_CEASE);
	cr_assert_eq(b.last_down.subcode, BGP_CEASE_ADMIN_SHUTDOWN);
	cr_assert_str_eq(info_of(&b).stats->last_received.note.text, "maintenance until noon");
	cr_assert(info_of(&a).disabled);
	WAIT(false, 600);
	cr_assert_not(session_is_established(b.session));
	session_enable(a.session);
	cr_assert(WAIT(both_up(), 10000));
}

Test(session, reset_comes_back)
{
	open_both();
	session_reset(a.session, "new policy");
	cr_assert(WAIT(b.downs == 1, 5000));
	cr_assert_eq(b.last_down.subcode, BGP_CEASE_ADMIN_RESET);
	cr_assert(WAIT(both_up(), 10000));
}

Test(session, owner_may_fail_the_session_from_its_callback)
{
	a.fail_on_update = true;
	b.to_send = 1000;
	open_both();
	cr_assert(WAIT(a.downs == 1, 5000));
	cr_assert_eq(a.updates, 1);
	cr_assert(WAIT(b.downs == 1, 5000));
	cr_assert_eq(b.last_down.subcode, BGP_CEASE_MAX_PREFIXES);
	WAIT(false, 600);
	cr_assert_not(session_is_established(a.session));
	a.fail_on_update = false;
	session_enable(a.session);
	cr_assert(WAIT(both_up(), 10000));
}

Test(session, freeing_says_peer_removed)
{
	open_both();
	session_free(a.session);
	a.session = NULL;
	cr_assert_eq(a.downs, 1);
	cr_assert(WAIT(b.downs == 1, 5000));
	cr_assert_eq(b.last_down.subcode, BGP_CEASE_PEER_REMOVED);
}

Test(session, graceful_shutdown_says_nothing)
{
	open_both();
	session_shutdown(a.session, true);
	cr_assert(WAIT(b.downs == 1, 5000));
	cr_assert_not(b.last_down.note_received);
}

Test(session, ipv6)
{
	struct session_config ca, cb;

	port_a = free_port("::1");
	port_b = free_port("::1");
	ca = config_of("a", "::1", "::1", port_a, port_b);
	cb = config_of("b", "::1", "::1", port_b, port_a);
	open_session(&a, &ca);
	open_session(&b, &cb);
	cr_assert(WAIT(both_up(), 10000));
}

/* --- configuration changes -------------------------------------------------------------------- */

Test(session, live_changes_keep_the_session)
{
	struct session_config config;
	enum session_change change;
	const char *why;

	open_both();
	config = *session_config(a.session);
	cr_assert_eq(session_reconfigure(a.session, &config, &change, &why), 0);
	cr_assert_eq(change, SESSION_SAME);
	config.limits.max_as_path = 50;
	config.connect_retry_ms = 7000;
	config.caps.gr_restarting = true;
	cr_assert_eq(session_compare(a.session, &config, NULL), SESSION_LIVE);
	cr_assert_eq(session_reconfigure(a.session, &config, &change, &why), 0);
	cr_assert_eq(change, SESSION_LIVE);
	cr_assert_null(why);
	WAIT(false, 300);
	cr_assert(both_up());
	cr_assert_eq(a.downs, 0);
	cr_assert_eq(session_config(a.session)->limits.max_as_path, 50);
}

Test(session, changes_of_open_reset_the_session)
{
	struct session_config config;
	enum session_change change;
	const char *why;

	open_both();
	config = *session_config(a.session);
	config.hold_time = 30;
	config.keepalive_time = 10;
	cr_assert_eq(session_reconfigure(a.session, &config, &change, &why), 0);
	cr_assert_eq(change, SESSION_RESET);
	cr_assert_str_eq(why, "hold_time");
	cr_assert(WAIT(b.downs == 1, 5000));
	cr_assert_eq(b.last_down.subcode, BGP_CEASE_CONFIG_CHANGE);
	cr_assert(WAIT(both_up(), 10000));
	cr_assert_eq(session_params(a.session)->hold_time, 30);
	config.caps.families |= BGP_FAMILY_BIT(BGP_IPV6_UNICAST);
	cr_assert_eq(session_compare(a.session, &config, &why), SESSION_RESET);
	cr_assert_str_eq(why, "caps");
	config.peer_addr = address("127.0.0.9");
	cr_assert_eq(session_reconfigure(a.session, &config, &change, &why), -EINVAL);
}

/* --- a peer played by the test ---------------------------------------------------------------- */

static int raw_connect(const char *from, const char *to, uint16_t port)
{
	struct ip_addr source = address(from), target = address(to);
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_from_ip(&source, 0, NULL, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	len = sockaddr_from_ip(&target, port, NULL, &sa);
	return connect(fd, (struct sockaddr *)&sa, len) == 0 ? fd : -1;
}

static bool raw_try_read(int fd, uint8_t *buf, size_t want, size_t *got)
{
	ssize_t n = recv(fd, buf + *got, want - *got, MSG_DONTWAIT);

	if (n > 0)
		*got += (size_t)n;
	return *got == want;
}

/* The next message; returns its type, or 0 when none comes within @ms. */
static int raw_read(int fd, uint8_t *buf, int ms)
{
	size_t got = 0, len;

	if (!WAIT(raw_try_read(fd, buf, BGP_HEADER_LEN, &got), ms))
		return 0;
	len = (size_t)buf[16] << 8 | buf[17];
	if (!WAIT(raw_try_read(fd, buf, len, &got), ms))
		return 0;
	return buf[18];
}

static bool knows_restart; /* the played peer offers graceful restart */

static void raw_send_open(int fd, uint16_t hold_time)
{
	struct bgp_open open = { .version = 4,
				 .my_as = ASN_B,
				 .hold_time = hold_time,
				 .id = 2,
				 .caps = { .as4 = true,
					   .asn = ASN_B,
					   .graceful_restart = knows_restart,
					   .gr_time = 120,
					   .gr_families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST),
					   .multiprotocol = true,
					   .families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) } };
	uint8_t msg[BGP_MSG_MAX];
	int len = bgp_open_encode(&open, msg, sizeof(msg));

	cr_assert_eq(send(fd, msg, (size_t)len, 0), len);
}

static void raw_send_keepalive(int fd)
{
	uint8_t msg[BGP_HEADER_LEN];

	bgp_keepalive_encode(msg, sizeof(msg));
	cr_assert_eq(send(fd, msg, sizeof(msg), 0), sizeof(msg));
}

static void open_passive(uint16_t hold_time)
{
	struct session_config config = config_a();

	config.passive = true;
	config.hold_time = hold_time;
	open_session(&a, &config);
}

/* Brings session a up against a socket of the test's. */
static int raw_establish(uint16_t hold_time)
{
	uint8_t buf[BGP_MSG_MAX];
	int fd = raw_connect("127.0.0.2", "127.0.0.1", port_a);

	cr_assert_geq(fd, 0);
	cr_assert_eq(raw_read(fd, buf, 5000), BGP_MSG_OPEN);
	raw_send_open(fd, hold_time);
	cr_assert_eq(raw_read(fd, buf, 5000), BGP_MSG_KEEPALIVE);
	raw_send_keepalive(fd);
	cr_assert(WAIT(session_is_established(a.session), 5000));
	return fd;
}

static void expect_notification(int fd, uint8_t code, uint8_t subcode, int ms)
{
	uint8_t buf[BGP_MSG_MAX];
	int type;

	do
		type = raw_read(fd, buf, ms);
	while (type == BGP_MSG_KEEPALIVE || type == BGP_MSG_UPDATE);
	cr_assert_eq(type, BGP_MSG_NOTIFICATION, "type %d", type);
	cr_assert_eq(buf[19], code);
	cr_assert_eq(buf[20], subcode);
}

Test(session, silent_peer_meets_the_hold_timer)
{
	struct mono start;
	int fd;

	open_passive(3);
	fd = raw_establish(3);
	start = mono_now();
	expect_notification(fd, BGP_ERR_HOLD_TIMER, 0, 6000);
	cr_assert_geq(mono_since_usec(mono_now(), start), 2500000);
	cr_assert_eq(a.downs, 1);
	close(fd);
}

Test(session, garbage_is_answered_and_the_peer_may_come_back)
{
	static const uint8_t garbage[64] = "GET / HTTP/1.1\r\nHost: not a BGP speaker\r\n\r\n";
	int fd;

	open_passive(90);
	fd = raw_establish(90);
	cr_assert_eq(send(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	expect_notification(fd, BGP_ERR_HEADER, BGP_HDR_NOT_SYNCHRONISED, 5000);
	close(fd);
	fd = raw_establish(90);
	cr_assert_eq(a.established, 2);
	close(fd);
}

#define BACKLOG 2500 /* UPDATEs: more octets than a session reads in one turn of the loop */

/* The reason why the newcomer is there lies on the old connection, behind what was not read yet. */
static void check_newcomer(bool with_notification)
{
	static const uint8_t cease[] = { 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 255,
					 0,
					 21,
					 BGP_MSG_NOTIFICATION,
					 BGP_ERR_CEASE,
					 BGP_CEASE_ADMIN_SHUTDOWN };
	struct session_config config = config_a();
	uint8_t update[64];
	int len = bgp_update_encode_eor(BGP_IPV4_UNICAST, update, sizeof(update));
	int fd, newcomer, one = 1;

	knows_restart = true;
	config.passive = true;
	config.caps.graceful_restart = true;
	config.caps.gr_time = 120;
	config.caps.gr_families = config.caps.families;
	open_session(&a, &config);
	fd = raw_establish(90);
	/* Not after the acknowledgement of what was sent before. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	newcomer = raw_connect("127.0.0.2", "127.0.0.1", port_a);
	cr_assert_geq(newcomer, 0);
	for (int i = 0; i < BACKLOG; i++)
		cr_assert_eq(send(fd, update, (size_t)len, 0), len);
	if (with_notification)
		cr_assert_eq(send(fd, cease, sizeof(cease), 0), sizeof(cease));
	cr_assert(WAIT(a.downs == 1, 5000));
	cr_assert_eq(a.last_down.note_received, with_notification);
	cr_assert_eq(a.last_down.graceful, !with_notification);
	close(newcomer);
	close(fd);
}

Test(session, a_newcomer_of_a_peer_that_restarts_takes_over)
{
	check_newcomer(false);
}

Test(session, a_notification_that_waits_counts_before_a_newcomer)
{
	check_newcomer(true);
}

Test(session, a_stream_of_single_octets_is_understood)
{
	uint8_t update[64];
	int len = bgp_update_encode_eor(BGP_IPV4_UNICAST, update, sizeof(update));
	int fd;

	open_passive(90);
	fd = raw_establish(90);
	for (int i = 0; i < 3 * len; i++) {
		cr_assert_eq(send(fd, update + i % len, 1, 0), 1);
		loop_turn(loop, 5);
	}
	cr_assert(WAIT(a.updates == 3, 5000));
	close(fd);
}

/* RFC 9687: the peer keeps its side alive but reads nothing. */
Test(session, peer_that_never_reads_meets_the_send_hold_timer)
{
	struct session_config config = config_a();
	size_t most = 0;
	int fd;

	config.passive = true;
	config.send_hold_ms = 800;
	a.to_send = UINT32_MAX;
	open_session(&a, &config);
	fd = raw_establish(90);
	cr_assert(WAIT(({
			       size_t queued = info_of(&a).output_queued;

			       most = queued > most ? queued : most;
			       a.downs == 1;
		       }),
		       15000));
	cr_assert(a.last_down.note_sent);
	cr_assert_eq(a.last_down.code, BGP_ERR_SEND_HOLD);
	cr_assert_leq(most, OUTQ_MAX + OUTQ_SPARE);
	/* What was made is what the kernel's buffers took, not what there was to say. */
	cr_assert_leq(info_of(&a).stats->octets_out, 32u << 20);
	close(fd);
}

Test(session, refused_connections_are_tried_again)
{
	struct session_config config = config_a();

	open_session(&a, &config);
	cr_assert(WAIT(info_of(&a).stats->connect_failures >= 2, 5000));
	cr_assert_eq(info_of(&a).state, FSM_ACTIVE);
	cr_assert_str_eq(info_of(&a).stats->last_error, "Connection refused");
	/* And while waiting it takes what comes in. */
	close(raw_establish(90));
}

/* --- listener --------------------------------------------------------------------------------- */

Test(session, strangers_are_rejected)
{
	int fd;

	open_passive(90);
	fd = raw_connect("127.0.0.3", "127.0.0.1", port_a);
	cr_assert_geq(fd, 0);
	expect_notification(fd, BGP_ERR_CEASE, BGP_CEASE_REJECTED, 5000);
	cr_assert_eq(listener_set_stats(listeners)->rejected, 1);
	close(fd);
	cr_assert(WAIT(listener_set_stats(listeners)->pending == 0, 3000));
}

Test(session, sessions_share_a_listening_socket)
{
	struct session_config ca = config_a(), cb = config_a();

	ca.passive = cb.passive = true;
	cb.peer_addr = address("127.0.0.4");
	open_session(&a, &ca);
	open_session(&b, &cb);
	cr_assert_eq(listener_set_stats(listeners)->sockets, 1);
	session_free(b.session);
	b.session = NULL;
	cr_assert_eq(listener_set_stats(listeners)->sockets, 1);
	close(raw_establish(90));
	session_free(a.session);
	a.session = NULL;
	cr_assert_eq(listener_set_stats(listeners)->sockets, 0);
}

Test(session, a_failed_bind_is_shown_and_tried_again)
{
	struct ip_addr addr = address("127.0.0.1");
	struct privilege_listen request = { .addr = addr, .port = port_a };
	int fd = privilege_bind_listen(&request);

	cr_assert_geq(fd, 0);
	open_passive(90);
	cr_assert_not_null(info_of(&a).problem);
	cr_assert_not_null(strstr(info_of(&a).problem, "Address already in use"));
	close(fd);
	cr_assert(WAIT(info_of(&a).problem == NULL, 8000));
	close(raw_establish(90));
}

Test(session, lack_of_descriptors_disturbs_nobody_who_is_up)
{
	struct rlimit limit;
	int fd, spare, more[2];

	open_passive(90);
	fd = raw_establish(90);
	more[0] = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_geq(more[0], 0);
	spare = dup(0);
	close(spare);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)spare;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	{
		struct ip_addr target = address("127.0.0.1");
		struct sockaddr_storage sa;
		socklen_t len = sockaddr_from_ip(&target, port_a, NULL, &sa);

		cr_assert_eq(connect(more[0], (struct sockaddr *)&sa, len), 0);
	}
	cr_assert(WAIT(listener_set_stats(listeners)->exhausted >= 1, 5000));
	cr_assert(session_is_established(a.session));
	cr_assert_leq(listener_set_stats(listeners)->exhausted, 3);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	close(more[0]);
	close(fd);
}

/* --- authentication and GTSM ------------------------------------------------------------------- */

static void write_key(char *path, const char *text)
{
	int fd;

	strcpy(path, "/tmp/xrs-session-key-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static bool md5_permitted(void)
{
	struct privilege_md5 key = { .peer = address("127.0.0.1"), .len = 1, .key = "k" };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool permitted = privilege_tcp_md5(fd, &key) == 0;

	close(fd);
	return permitted;
}

Test(session, md5_right_wrong_and_changed)
{
	struct session_config ca = config_a(), cb = config_b();
	char right[64], wrong[64];
	enum session_change change;

	if (!md5_permitted())
		cr_skip_test("TCP MD5 is not available or not permitted here");
	write_key(right, "correct horse\n");
	write_key(wrong, "battery staple\n");
	strcpy(ca.password_file, right);
	strcpy(cb.password_file, wrong);
	open_session(&a, &ca);
	open_session(&b, &cb);
	WAIT(false, 1200);
	cr_assert_eq(a.established, 0);
	strcpy(cb.password_file, right);
	cr_assert_eq(session_reconfigure(b.session, &cb, &change, NULL), 0);
	cr_assert(WAIT(both_up(), 10000));
	cr_assert(info_of(&a).md5);
	/* Both change their key while the session is up, and it stays up. */
	strcpy(ca.password_file, wrong);
	strcpy(cb.password_file, wrong);
	cr_assert_eq(session_reconfigure(a.session, &ca, &change, NULL), 0);
	cr_assert_eq(change, SESSION_LIVE);
	cr_assert_eq(session_reconfigure(b.session, &cb, &change, NULL), 0);
	a.to_send = 10;
	session_wake_output(a.session);
	cr_assert(WAIT(b.updates == 10, 5000));
	cr_assert_eq(a.downs, 0);
	unlink(right);
	unlink(wrong);
}

Test(session, unusable_key_file_keeps_the_session_down)
{
	struct session_config config = config_a();
	char path[64];

	write_key(path, "secret\n");
	chmod(path, 0644);
	strcpy(config.password_file, path);
	open_session(&a, &config);
	cr_assert_not_null(info_of(&a).problem);
	cr_assert_not_null(strstr(info_of(&a).problem, "readable by others"));
	cr_assert_eq(info_of(&a).state, FSM_IDLE);
	cr_assert_lt(raw_connect("127.0.0.2", "127.0.0.1", port_a), 0);
	unlink(path);
}

Test(session, gtsm_accepts_neighbours_only)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.ttl_security_hops = cb.ttl_security_hops = 1;
	open_session(&a, &ca);
	open_session(&b, &cb);
	cr_assert(WAIT(both_up(), 10000));
	session_free(b.session);
	b.session = NULL;
	a.established = 0;
	cb.ttl_security_hops = 0; /* sends with TTL 64: as if from far away */
	open_session(&b, &cb);
	WAIT(false, 1500);
	cr_assert_eq(a.established, 0);
}
