// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket side of one BGP peer: connects, takes over accepted connections, moves octets between
 * sockets and the pure core (bgp/peer.h), and logs what happened.
 *
 * Called by the node (configuration, resets, output), by listener.c (session_accept) and by the loop. Reads
 * at most one slice of input in a turn and makes output only when the socket has taken what was made
 * before, so one peer can neither hog the loop nor grow our memory. It must never interpret a message:
 * that is peer.c's.
 */
#include "agent/session.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/listener.h"
#include "agent/loop.h"
#include "agent/outq.h"
#include "agent/privilege.h"
#include "agent/sockaddr.h"
#include "util/log.h"

#define READ_SLICE       (32u << 10) /* octets of one connection in one turn of the loop */
#define SLOW_GRACE_SEC   10          /* hold timer while unread input waits: we are the slow side */
#define SEND_HOLD_CHECKS 4           /* looks at progress within one send hold time */
#define KEY_RETRY_MS     10000
#define LINGER_MS        1000 /* how long a closed connection may take to deliver its last words */
#define RESET_PAUSE_MS   1000 /* between our administrative reset and the next OPEN */
#define LINGER_MAX       4
#define PROBLEM_TEXT     256
#define TRAFFIC_CLASS    0xc0 /* CS6, internetwork control: RFC 4271 appendix E */

struct conn {
	struct session *session;
	enum bgp_conn_side side;
	struct loop_io io;   /* fd -1: no connection */
	uint32_t generation; /* of the descriptor: a callback may have closed and opened another */
	bool connecting;
	struct outq out;
	uint8_t *partial; /* owned: the beginning of a message whose rest has not come */
	size_t partial_len;
	/* RFC 9687: the timer runs while octets are under way; `acked` shows whether they arrive. */
	struct loop_timer send_check;
	uint64_t handed, acked; /* octets given to the kernel; acknowledged by the peer's TCP */
	unsigned int stalled;   /* looks in a row without progress */
	struct ip_addr local_addr;
	uint16_t local_port, peer_port;
};

/* A connection that is closed for us but still delivers a NOTIFICATION. */
struct closing {
	struct session *session; /* NULL: free */
	struct loop_io io;
	struct loop_timer timer;
	struct outq out;
};

struct session {
	struct loop *loop;
	struct listener_set *listeners;
	struct listener_entry *listening; /* NULL: not listening */
	const struct session_ops *ops;
	void *owner;
	struct session_config config;
	struct bgp_peer peer;
	const struct bgp_session_params *params; /* from established until down has returned */
	struct conn conn[BGP_CONN_MAX];
	struct closing closing[LINGER_MAX];
	struct loop_timer timer;     /* the first timer of the core */
	struct loop_timer key_retry; /* the key file could not be read */
	struct privilege_md5 md5;    /* len 0: no authentication */
	char problem[PROBLEM_TEXT];
	bool output_pending;
	uint64_t output_stalls;
	struct mono up_since;
	uint64_t up_since_wall, changed_wall;
	struct log_limit log_limit;
};

/* Input of the connection being read; one thread, and no reading inside a callback. */
static uint8_t scratch[BGP_MSG_MAX_EXTENDED + READ_SLICE];

static struct bgp_clock clock_now(const struct session *s)
{
	return (struct bgp_clock){ .now = loop_now(s->loop),
				   .wall_usec = wall_now_usec(),
				   .random = arc4random() };
}

static void tell_changed(struct session *s)
{
	if (s->ops->changed)
		s->ops->changed(s);
}

/* --- what the loop has to watch -------------------------------------------------------------- */

static bool wants_output(const struct conn *conn)
{
	const struct session *s = conn->session;

	if (conn->connecting || outq_len(&conn->out))
		return true;
	return s->output_pending && s->peer.is_up && s->peer.up == conn->side;
}

static void watch_conn(struct conn *conn)
{
	uint32_t events = EPOLLIN | (wants_output(conn) ? EPOLLOUT : 0u);

	if (conn->io.fd >= 0 && conn->io.added && conn->io.events != events)
		loop_io_mod(conn->session->loop, &conn->io, events);
}

/* After everything that may have moved a timer or filled a queue. */
static void settle(struct session *s)
{
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		watch_conn(&s->conn[side]);
	loop_timer_set(s->loop, &s->timer, peer_next_timer(&s->peer));
}

/* --- closing --------------------------------------------------------------------------------- */

static void closing_end(struct closing *closing)
{
	if (!closing->session)
		return;
	loop_io_del(closing->session->loop, &closing->io);
	loop_timer_stop(closing->session->loop, &closing->timer);
	recv(closing->io.fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	close(closing->io.fd);
	outq_done(&closing->out);
	closing->session = NULL;
}

static void closing_timeout(struct loop_timer *timer)
{
	closing_end(timer->ctx);
}

/* 0, or the negative errno of send(); -EAGAIN: the rest has to wait. */
static int write_queue(int fd, struct outq *out, uint64_t *handed)
{
	size_t len;
	const uint8_t *data = outq_peek(out, &len);

	while (len) {
		ssize_t n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		*handed += (uint64_t)n;
		outq_consume(out, (size_t)n);
		data = outq_peek(out, &len);
	}
	return 0;
}

static void closing_io(struct loop_io *io, uint32_t events)
{
	struct closing *closing = io->ctx;
	uint64_t handed = 0;
	ssize_t n;

	if (events & EPOLLOUT) {
		int error = write_queue(io->fd, &closing->out, &handed);

		if (error == 0) {
			shutdown(io->fd, SHUT_WR);
			loop_io_mod(closing->session->loop, io, EPOLLIN);
		} else if (error != -EAGAIN) {
			closing_end(closing);
			return;
		}
	}
	n = recv(io->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		closing_end(closing);
}

static struct closing *closing_slot(struct session *s)
{
	for (unsigned int i = 0; i < LINGER_MAX; i++)
		if (!s->closing[i].session)
			return &s->closing[i];
	closing_end(&s->closing[0]);
	return &s->closing[0];
}

/* Closing with unread input would reset the connection and lose the NOTIFICATION under way. */
static void closing_begin(struct session *s, int fd, struct outq *out)
{
	struct closing *closing = closing_slot(s);
	uint32_t events = EPOLLIN;

	closing->session = s;
	closing->io = (struct loop_io){ .fd = fd, .fn = closing_io, .ctx = closing };
	closing->timer.fn = closing_timeout;
	closing->timer.ctx = closing;
	closing->out = *out;
	outq_init(out);
	if (outq_len(&closing->out))
		events |= EPOLLOUT;
	else
		shutdown(fd, SHUT_WR);
	if (loop_io_add(s->loop, &closing->io, events) < 0 ||
	    loop_timer_set(s->loop, &closing->timer, mono_add_msec(loop_now(s->loop), LINGER_MS)) <
		    0)
		closing_end(closing);
}

static void op_close(void *ctx, enum bgp_conn_side side)
{
	struct session *s = ctx;
	struct conn *conn = &s->conn[side];
	int fd = conn->io.fd;

	if (fd < 0)
		return;
	loop_io_del(s->loop, &conn->io);
	loop_timer_stop(s->loop, &conn->send_check);
	conn->io.fd = -1;
	conn->generation++;
	free(conn->partial);
	conn->partial = NULL;
	conn->partial_len = 0;
	if (conn->connecting || !s->peer.conn[side].note_sent)
		close(fd);
	else
		closing_begin(s, fd, &conn->out);
	outq_done(&conn->out);
	conn->connecting = false;
}

/* --- output ---------------------------------------------------------------------------------- */

static uint64_t acknowledged(const struct conn *conn)
{
	int waiting = 0;

	if (ioctl(conn->io.fd, SIOCOUTQ, &waiting) < 0)
		waiting = 0;
	return conn->handed - (uint64_t)waiting;
}

static void arm_send_check(struct conn *conn)
{
	struct session *s = conn->session;
	uint32_t ms = s->config.send_hold_ms / SEND_HOLD_CHECKS;

	loop_timer_set(s->loop, &conn->send_check, mono_add_msec(loop_now(s->loop), ms ? ms : 1));
}

/* Octets are under way from now on: watch that they arrive. */
static void start_send_check(struct conn *conn)
{
	if (loop_timer_is_set(&conn->send_check))
		return;
	conn->acked = acknowledged(conn);
	conn->stalled = 0;
	arm_send_check(conn);
}

static void on_send_check(struct loop_timer *timer)
{
	struct conn *conn = timer->ctx;
	struct session *s = conn->session;
	uint64_t acked = acknowledged(conn);
	struct bgp_clock clock;

	conn->stalled = acked == conn->acked ? conn->stalled + 1 : 0;
	conn->acked = acked;
	if (acked == conn->handed && !outq_len(&conn->out))
		return;
	if (conn->stalled < SEND_HOLD_CHECKS) {
		arm_send_check(conn);
		return;
	}
	clock = clock_now(s);
	peer_send_hold(&s->peer, conn->side, &clock);
	settle(s);
}

/*
 * A failing send() is not handled here: the same error wakes the loop for the connection, outside of any
 * call of the core.
 */
static void flush(struct conn *conn)
{
	uint64_t before = conn->handed;

	if (conn->io.fd < 0 || conn->connecting)
		return;
	write_queue(conn->io.fd, &conn->out, &conn->handed);
	if (conn->handed != before || outq_len(&conn->out))
		start_send_check(conn);
}

/* Nothing follows a NOTIFICATION: what has not begun to go out is forgotten. */
static void op_send(void *ctx, enum bgp_conn_side side, enum bgp_msg_type type, const uint8_t *msg,
		    size_t len)
{
	struct session *s = ctx;
	struct conn *conn = &s->conn[side];

	if (conn->io.fd < 0)
		return;
	if (type == BGP_MSG_NOTIFICATION)
		outq_drop_waiting(&conn->out);
	if (outq_insert(&conn->out, msg, len) < 0)
		s->output_stalls++;
	flush(conn);
}

/* Asks the owner for messages while there is room; the socket has taken what was made before. */
static void produce(struct conn *conn)
{
	struct session *s = conn->session;
	uint32_t generation = conn->generation;

	while (s->output_pending && generation == conn->generation) {
		size_t room = outq_room(&conn->out);
		uint8_t *buf;
		size_t n;

		if (room < SESSION_PRODUCE_MIN)
			return;
		buf = outq_reserve(&conn->out, SESSION_PRODUCE_MIN);
		if (!buf)
			return;
		s->output_pending = false;
		n = s->ops->produce(s, buf, SESSION_PRODUCE_MIN);
		if (generation != conn->generation)
			return;
		s->output_pending |= n != 0;
		peer_count_sent(&s->peer, buf, n);
		outq_commit(&conn->out, n);
	}
}

static void on_writable(struct conn *conn)
{
	struct session *s = conn->session;

	flush(conn);
	if (!outq_len(&conn->out) && s->peer.is_up && s->peer.up == conn->side) {
		produce(conn);
		flush(conn);
	}
	s->output_stalls += outq_len(&conn->out) != 0;
}

/* --- input ----------------------------------------------------------------------------------- */

static const char *lost_reason(int error)
{
	if (error == 0)
		return "connection closed by the peer";
	return strerrordesc_np(error) ? strerrordesc_np(error) : "connection failed";
}

static void conn_lost(struct conn *conn, int error)
{
	struct session *s = conn->session;
	struct bgp_clock clock = clock_now(s);

	peer_lost(&s->peer, conn->side, lost_reason(error), &clock);
}

static void keep_partial(struct conn *conn, const uint8_t *data, size_t len)
{
	uint8_t *partial = len ? realloc(conn->partial, len) : NULL;

	if (len && !partial) {
		conn_lost(conn, ENOMEM);
		return;
	}
	if (!len)
		free(conn->partial);
	else
		memcpy(partial, data, len);
	conn->partial = partial;
	conn->partial_len = len;
}

/* Hands the whole messages in scratch[0, len) to the core. */
static void process(struct conn *conn, size_t len)
{
	struct session *s = conn->session;
	struct bgp_clock clock = clock_now(s);
	uint32_t generation = conn->generation;
	size_t done = 0, n;

	do {
		n = peer_receive(&s->peer, conn->side, scratch + done, len - done, &clock);
		done += n;
	} while (n && done < len && generation == conn->generation);
	if (generation == conn->generation && conn->io.fd >= 0)
		keep_partial(conn, scratch + done, len - done);
}

/* One slice. false: nothing was there. */
static bool read_slice(struct conn *conn)
{
	size_t kept = conn->partial_len;
	ssize_t n = recv(conn->io.fd, scratch + kept, READ_SLICE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		conn_lost(conn, n < 0 ? errno : 0);
		return false;
	}
	if (kept)
		memcpy(scratch, conn->partial, kept);
	process(conn, kept + (size_t)n);
	return true;
}

/* --- connections ----------------------------------------------------------------------------- */

static void learn_addresses(struct conn *conn)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);

	if (getsockname(conn->io.fd, (struct sockaddr *)&sa, &len) == 0)
		sockaddr_to_ip(&sa, &conn->local_addr, &conn->local_port);
	len = sizeof(sa);
	if (getpeername(conn->io.fd, (struct sockaddr *)&sa, &len) == 0)
		sockaddr_to_ip(&sa, NULL, &conn->peer_port);
}

static void on_connected(struct conn *conn)
{
	struct session *s = conn->session;
	struct bgp_clock clock = clock_now(s);
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(conn->io.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		conn_lost(conn, error);
		return;
	}
	conn->connecting = false;
	learn_addresses(conn);
	peer_connected(&s->peer, &clock);
}

static void on_io(struct loop_io *io, uint32_t events)
{
	struct conn *conn = io->ctx;
	uint32_t generation = conn->generation;

	if (conn->connecting) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			on_connected(conn);
	} else {
		if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			read_slice(conn);
		if ((events & EPOLLOUT) && generation == conn->generation)
			on_writable(conn);
	}
	settle(conn->session);
}

static int set_ttl(const struct session *s, int fd)
{
	enum ip_family family = s->config.peer_addr.family;
	uint8_t hops = s->config.ttl_security_hops;
	int error = sockopt_ttl(fd, family, hops ? 255 : s->config.multihop_ttl);

	return error ? error : sockopt_min_ttl(fd, family, gtsm_min_ttl(hops));
}

static int set_options(const struct session *s, int fd)
{
	int one = 1;
	int error = set_ttl(s, fd);

	if (!error)
		error = sockopt_traffic_class(fd, s->config.peer_addr.family, TRAFFIC_CLASS);
	if (!error && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		error = -errno;
	return error;
}

static int bind_source(const struct session *s, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_from_ip(&s->config.local_addr, 0, s->config.device, &sa);
	int one = 1;

	if (s->config.device[0]) {
		int error = privilege_bind_device(fd, s->config.device);

		if (error)
			return error;
	}
	if (!len)
		return 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

static int begin_connect(const struct session *s, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len =
		sockaddr_from_ip(&s->config.peer_addr, s->config.peer_port, s->config.device, &sa);
	int error = set_options(s, fd);

	if (!error)
		error = bind_source(s, fd);
	if (!error && s->md5.len)
		error = privilege_tcp_md5(fd, &s->md5);
	if (error)
		return error;
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

static int watch_new(struct conn *conn, int fd, uint32_t events)
{
	conn->io.fd = fd;
	conn->generation++;
	conn->handed = conn->acked = 0;
	conn->stalled = 0;
	conn->local_addr = (struct ip_addr){ .family = IP_NONE };
	conn->local_port = conn->peer_port = 0;
	return loop_io_add(conn->session->loop, &conn->io, events);
}

static void op_connect(void *ctx)
{
	struct session *s = ctx;
	struct conn *conn = &s->conn[BGP_CONN_OURS];
	int domain = s->config.peer_addr.family == IP_V6 ? AF_INET6 : AF_INET;
	int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : begin_connect(s, fd);

	if (!error) {
		conn->connecting = true;
		error = watch_new(conn, fd, EPOLLOUT);
		if (!error)
			return;
	} else if (fd >= 0) {
		close(fd);
	}
	conn_lost(conn, -error);
}

bool session_accept(struct session *s, int fd)
{
	struct conn *conn = &s->conn[BGP_CONN_THEIRS];
	struct bgp_clock clock = clock_now(s);
	bool wanted = peer_wants(&s->peer, &clock) && set_options(s, fd) == 0;

	if (wanted) {
		conn->connecting = false;
		if (watch_new(conn, fd, EPOLLIN) < 0) {
			conn->io.fd = -1;
			wanted = false;
		}
	}
	if (wanted) {
		learn_addresses(conn);
		peer_accepted(&s->peer, &clock);
	}
	settle(s);
	return wanted;
}

/* --- timers ---------------------------------------------------------------------------------- */

/*
 * An expired hold timer with unread input means that we are slow, not that the peer is silent: read
 * first, and if that was not all, give it a little longer.
 */
static void read_before_hold(struct conn *conn)
{
	struct session *s = conn->session;
	uint32_t generation = conn->generation;
	struct mono now = loop_now(s->loop);
	int waiting = 0;

	if (conn->io.fd < 0 || conn->connecting || !peer_hold_due(&s->peer, conn->side, now))
		return;
	if (!read_slice(conn) || generation != conn->generation)
		return;
	if (ioctl(conn->io.fd, FIONREAD, &waiting) == 0 && waiting > 0)
		peer_extend_hold(&s->peer, conn->side, mono_add_sec(now, SLOW_GRACE_SEC));
}

static void on_timer(struct loop_timer *timer)
{
	struct session *s = timer->ctx;
	struct bgp_clock clock = clock_now(s);

	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		read_before_hold(&s->conn[side]);
	peer_tick(&s->peer, &clock);
	settle(s);
}

/* --- what the core tells --------------------------------------------------------------------- */

static void op_established(void *ctx, enum bgp_conn_side side,
			   const struct bgp_session_params *params)
{
	struct session *s = ctx;
	char peer[IP_TEXT_MAX];

	s->params = params;
	s->up_since = loop_now(s->loop);
	s->up_since_wall = wall_now_usec();
	s->output_pending = false;
	log_info("session",
		 "established peering=%s vnet=%s peer=%s asn=%u side=%s hold=%u "
		 "families=%#x",
		 s->config.name, s->config.vnet, ip_format(&s->config.peer_addr, peer),
		 params->peer_asn, side == BGP_CONN_OURS ? "active" : "passive", params->hold_time,
		 params->families);
	s->ops->established(s, params);
}

static void op_down(void *ctx, const struct bgp_peer_down *down)
{
	struct session *s = ctx;

	s->up_since = (struct mono){ 0 };
	s->up_since_wall = 0;
	s->output_pending = false;
	log_warn("session", "down peering=%s vnet=%s reason=\"%s\" graceful=%d", s->config.name,
		 s->config.vnet, down->reason, down->graceful);
	s->ops->down(s, down);
	s->params = NULL;
}

static void op_update(void *ctx, const struct bgp_update *update)
{
	struct session *s = ctx;

	if (update->n_findings && log_allow(&s->log_limit, loop_now(s->loop), 5, 10000))
		log_warn("session",
			 "malformed UPDATE peering=%s attribute=%u outcome=%u reason=\"%s\"",
			 s->config.name, update->findings[0].attr_code, update->findings[0].outcome,
			 update->findings[0].reason);
	s->ops->update(s, update);
}

static void op_refresh(void *ctx, const struct bgp_route_refresh *refresh)
{
	struct session *s = ctx;

	if (s->ops->refresh)
		s->ops->refresh(s, refresh);
}

static void op_transition(void *ctx, enum bgp_conn_side side, enum fsm_event event,
			  enum fsm_state from, enum fsm_state to)
{
	struct session *s = ctx;

	s->changed_wall = wall_now_usec();
	log_debug("session", "state peering=%s side=%s event=%s from=%s to=%s", s->config.name,
		  side == BGP_CONN_OURS ? "active" : "passive", fsm_event_name(event),
		  fsm_state_name(from), fsm_state_name(to));
	tell_changed(s);
}

static void op_notification(void *ctx, enum bgp_conn_side side, bool sent,
			    const struct bgp_notification *note, const char *reason)
{
	struct session *s = ctx;
	char text[4 * BGP_SHUTDOWN_TEXT_MAX + 1];

	tell_changed(s);
	if (!log_allow(&s->log_limit, loop_now(s->loop), 5, 10000))
		return;
	log_warn("session",
		 "NOTIFICATION %s peering=%s vnet=%s code=%u subcode=%u name=\"%s/%s\" "
		 "reason=\"%s\" "
		 "text=\"%s\" suppressed=%u",
		 sent ? "sent" : "received", s->config.name, s->config.vnet, note->code,
		 note->subcode, bgp_error_code_name(note->code),
		 bgp_error_subcode_name(note->code, note->subcode), reason ? reason : "",
		 log_escape(note->text, strlen(note->text), text, sizeof(text)),
		 s->log_limit.suppressed);
}

static const struct bgp_peer_ops peer_ops = {
	.send = op_send,
	.connect = op_connect,
	.close = op_close,
	.established = op_established,
	.down = op_down,
	.update = op_update,
	.refresh = op_refresh,
	.transition = op_transition,
	.notification = op_notification,
};

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

static void fill_defaults(struct session_config *config)
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

static struct fsm_config fsm_config_of(const struct session_config *config)
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
	char text[PROBLEM_TEXT];

	snprintf(text, sizeof(text), "%s %s: %s", what, which,
		 error == -EPERM && which[0] == '/' ? "readable by others"
						    : strerrordesc_np(-error));
	if (strcmp(text, s->problem) == 0)
		return;
	memcpy(s->problem, text, sizeof(text));
	log_err("session", "%s peering=%s vnet=%s", text, s->config.name, s->config.vnet);
	tell_changed(s);
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

static int prepare(struct session *s)
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

/* Nothing is sent or accepted in the clear while a key is configured and can not be used. */
static void start(struct session *s)
{
	struct bgp_clock clock = clock_now(s);

	if (prepare(s) < 0) {
		loop_timer_set(s->loop, &s->key_retry, mono_add_msec(clock.now, KEY_RETRY_MS));
		return;
	}
	loop_timer_stop(s->loop, &s->key_retry);
	peer_start(&s->peer, &clock);
	settle(s);
}

static void on_key_retry(struct loop_timer *timer)
{
	start(timer->ctx);
}

static void stop(struct session *s, const struct bgp_error *error)
{
	struct bgp_clock clock = clock_now(s);

	loop_timer_stop(s->loop, &s->key_retry);
	peer_stop(&s->peer, error, &clock);
	settle(s);
}

/* --- create and free ------------------------------------------------------------------------- */

static void init_conn(struct session *s, enum bgp_conn_side side)
{
	struct conn *conn = &s->conn[side];

	conn->session = s;
	conn->side = side;
	conn->io = (struct loop_io){ .fd = -1, .fn = on_io, .ctx = conn };
	conn->send_check = (struct loop_timer){ .fn = on_send_check, .ctx = conn };
	outq_init(&conn->out);
}

int session_new(struct loop *loop, struct listener_set *listeners,
		const struct session_config *config, const struct session_ops *ops, void *owner,
		struct session **ret_session)
{
	struct fsm_config fsm_config;
	struct session *s;

	if (config->peer_addr.family == IP_NONE || !config->local_asn)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->listeners = listeners;
	s->ops = ops;
	s->owner = owner;
	s->config = *config;
	fill_defaults(&s->config);
	s->timer = (struct loop_timer){ .fn = on_timer, .ctx = s };
	s->key_retry = (struct loop_timer){ .fn = on_key_retry, .ctx = s };
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		init_conn(s, side);
	fsm_config = fsm_config_of(&s->config);
	peer_init(&s->peer, &fsm_config, &s->config.limits, &peer_ops, s);
	*ret_session = s;
	if (!s->config.disabled)
		start(s);
	return 0;
}

void session_free(struct session *s)
{
	struct bgp_error error;

	if (!s)
		return;
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_PEER_REMOVED, "peering removed", NULL, 0);
	stop(s, &error);
	listener_remove(s->listening);
	for (unsigned int i = 0; i < LINGER_MAX; i++)
		closing_end(&s->closing[i]);
	loop_timer_stop(s->loop, &s->timer);
	loop_timer_stop(s->loop, &s->key_retry);
	explicit_bzero(&s->md5, sizeof(s->md5));
	free(s);
}

void session_shutdown(struct session *s, bool graceful)
{
	struct bgp_error error;

	if (graceful)
		error = (struct bgp_error){ .reason = "graceful restart" };
	else
		bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, "");
	stop(s, &error);
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

	fill_defaults(&wanted);
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
			set_ttl(s, s->conn[side].io.fd);
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
	stop(s, &error);
	apply_live(s);
	if (!s->config.disabled)
		start(s);
}

int session_reconfigure(struct session *s, const struct session_config *config,
			enum session_change *ret_change, const char **ret_why)
{
	struct session_config wanted = *config;
	struct fsm_config fsm_config;
	enum session_change change = session_compare(s, config, ret_why);
	bool was_disabled = s->config.disabled, any;

	fill_defaults(&wanted);
	if (compare(&s->config, &wanted, &any, NULL) == EFFECT_FIXED)
		return -EINVAL;
	s->config = wanted;
	s->config.disabled = was_disabled;
	fsm_config = fsm_config_of(&s->config);
	peer_configure(&s->peer, &fsm_config, &s->config.limits);
	apply_change(s, change);
	if (wanted.disabled && !was_disabled)
		session_disable(s, "disabled by configuration");
	else if (!wanted.disabled && was_disabled)
		session_enable(s);
	settle(s);
	*ret_change = change;
	return 0;
}

void session_set_restart(struct session *s, bool restarting, uint32_t forwarding)
{
	struct bgp_caps *caps = &s->config.caps;
	struct fsm_config fsm_config;

	caps->gr_restarting = caps->graceful_restart && restarting;
	caps->gr_forwarding = forwarding & caps->gr_families;
	caps->llgr_forwarding = forwarding & caps->llgr_families;
	fsm_config = fsm_config_of(&s->config);
	peer_configure(&s->peer, &fsm_config, &s->config.limits);
}

void session_enable(struct session *s)
{
	s->config.disabled = false;
	if (!s->peer.started)
		start(s);
	tell_changed(s);
}

static void stop_with_text(struct session *s, uint8_t subcode, const char *text)
{
	struct bgp_error error;

	bgp_error_set_shutdown(&error, subcode, text ? text : "");
	stop(s, &error);
}

void session_disable(struct session *s, const char *text)
{
	s->config.disabled = true;
	stop_with_text(s, BGP_CEASE_ADMIN_SHUTDOWN, text);
	tell_changed(s);
}

/*
 * A new OPEN at once could overtake the Cease, which stands on another connection: FRR then takes it for
 * a restart of ours and never reads the NOTIFICATION.
 */
void session_reset(struct session *s, const char *text)
{
	struct bgp_error error;

	if (session_is_established(s)) {
		bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_RESET, text ? text : "");
		session_fail(s, &error, RESET_PAUSE_MS);
		return;
	}
	stop_with_text(s, BGP_CEASE_ADMIN_RESET, text);
	if (!s->config.disabled)
		start(s);
}

void session_fail(struct session *s, const struct bgp_error *error, uint32_t restart_ms)
{
	struct bgp_clock clock = clock_now(s);

	if (restart_ms == SESSION_STAY_DOWN)
		peer_stop(&s->peer, error, &clock);
	else
		peer_fail(&s->peer, error, restart_ms, &clock);
	settle(s);
}

/* --- refresh and output ---------------------------------------------------------------------- */

static struct bgp_route_refresh refresh_of(enum bgp_family family)
{
	return (struct bgp_route_refresh){ .afi = bgp_family_afi(family),
					   .safi = BGP_SAFI_UNICAST,
					   .subtype = BGP_REFRESH_NORMAL };
}

static int send_refresh(struct session *s, enum bgp_family family)
{
	struct bgp_route_refresh refresh = refresh_of(family);
	struct conn *conn = &s->conn[s->peer.up];
	uint8_t msg[64];
	int len = bgp_route_refresh_encode(&refresh, msg, sizeof(msg));

	if (len < 0)
		return len;
	if (outq_insert(&conn->out, msg, (size_t)len) < 0)
		return -ENOBUFS;
	peer_count_sent(&s->peer, msg, (size_t)len);
	return 0;
}

int session_refresh_in(struct session *s, uint32_t families)
{
	int error = 0;

	if (!s->peer.is_up)
		return -ENOTCONN;
	if (!s->params->route_refresh)
		return -EOPNOTSUPP;
	for (unsigned int family = 0; family < BGP_FAMILY_MAX && !error; family++)
		if ((s->params->families & BGP_FAMILY_BIT(family)) &&
		    (!families || (families & BGP_FAMILY_BIT(family))))
			error = send_refresh(s, family);
	flush(&s->conn[s->peer.up]);
	settle(s);
	return error;
}

int session_refresh_out(struct session *s, uint32_t families)
{
	if (!s->peer.is_up)
		return -ENOTCONN;
	for (unsigned int family = 0; family < BGP_FAMILY_MAX; family++) {
		struct bgp_route_refresh refresh = refresh_of(family);

		if (s->params && (s->params->families & BGP_FAMILY_BIT(family)) &&
		    (!families || (families & BGP_FAMILY_BIT(family))))
			op_refresh(s, &refresh);
	}
	return 0;
}

void session_wake_output(struct session *s)
{
	if (!s->peer.is_up || s->output_pending || !s->ops->produce)
		return;
	s->output_pending = true;
	watch_conn(&s->conn[s->peer.up]);
}

bool session_can_send(const struct session *s)
{
	return s->peer.is_up && outq_room(&s->conn[s->peer.up].out) >= SESSION_PRODUCE_MIN;
}

/* --- views ----------------------------------------------------------------------------------- */

void *session_owner(const struct session *s)
{
	return s->owner;
}

const struct session_config *session_config(const struct session *s)
{
	return &s->config;
}

const char *session_name(const struct session *s)
{
	return s->config.name;
}

bool session_is_established(const struct session *s)
{
	return s->peer.is_up;
}

const struct bgp_session_params *session_params(const struct session *s)
{
	return s->params;
}

const struct bgp_caps *session_peer_caps(const struct session *s)
{
	return s->peer.have_peer_caps ? &s->peer.peer_caps : NULL;
}

static const char *problem_of(const struct session *s)
{
	if (s->problem[0])
		return s->problem;
	return s->listening ? listener_problem(s->listening) : NULL;
}

void session_get_info(const struct session *s, struct session_info *ret_info)
{
	enum bgp_conn_side side;
	enum fsm_state state = peer_state(&s->peer, &side);
	const struct conn *conn = &s->conn[side];
	bool live = conn->io.fd >= 0 && !conn->connecting;

	*ret_info = (struct session_info){
		.name = s->config.name,
		.vnet = s->config.vnet,
		.state = state,
		.disabled = s->config.disabled,
		.problem = problem_of(s),
		.local_addr = live ? conn->local_addr : s->config.local_addr,
		.peer_addr = s->config.peer_addr,
		.local_port = live ? conn->local_port : s->config.local_port,
		.peer_port = live ? conn->peer_port : s->config.peer_port,
		.initiated = live && side == BGP_CONN_OURS,
		.md5 = live && s->md5.len,
		.up_since_wall = s->up_since_wall,
		.changed_wall = s->changed_wall,
		.up_since = s->up_since,
		.next_attempt =
			state < FSM_OPENSENT ? peer_next_timer(&s->peer) : (struct mono){ 0 },
		.stats = &s->peer.stats,
		.params = s->params,
		.caps_sent = &s->config.caps,
		.caps_received = session_peer_caps(s),
		.output_queued = outq_len(&conn->out),
		.output_stalls = s->output_stalls,
	};
}
