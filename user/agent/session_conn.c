// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets of one BGP peer: connects, takes over accepted connections, moves octets between sockets and
 * the pure core, and lets a closed connection deliver its last words.
 *
 * Called by session.c, by listener.c (session_accept), by the core (session_op_*) and by the loop. Reads
 * at most one slice of input in a turn and makes output only when the socket has taken what was made
 * before, so one peer can neither hog the loop nor grow our memory.
 */
#include "agent/session_impl.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/sockaddr.h"

#define READ_SLICE       (32u << 10) /* octets of one connection in one turn of the loop */
#define PRODUCE_TURNS    4 /* times SESSION_PRODUCE_MIN octets made for one connection in one turn */
#define LAST_SLICES      16   /* of a connection, before the next one of the same peer counts */
#define SLOW_GRACE_SEC   10   /* hold timer while unread input waits: we are the slow side */
#define SEND_HOLD_CHECKS 4    /* looks at progress within one send hold time */
#define LINGER_MS        1000 /* how long a closed connection may take to deliver its last words */
#define TRAFFIC_CLASS    0xc0 /* CS6, internetwork control: RFC 4271 appendix E */

/* Input of the connection being read; one thread, and no reading inside a callback. */
static uint8_t scratch[BGP_MSG_MAX_EXTENDED + READ_SLICE];

/* --- what the loop has to watch -------------------------------------------------------------- */

static bool wants_output(const struct conn *conn)
{
	const struct session *s = conn->session;

	if (conn->connecting || outq_len(&conn->out))
		return true;
	return s->output_pending && s->peer.is_up && s->peer.up == conn->side;
}

void conn_watch(struct conn *conn)
{
	uint32_t events = EPOLLIN | (wants_output(conn) ? EPOLLOUT : 0u);

	if (conn->io.fd >= 0 && conn->io.added && conn->io.events != events)
		loop_io_mod(conn->session->loop, &conn->io, events);
}

void session_settle(struct session *s)
{
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		conn_watch(&s->conn[side]);
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
	for (unsigned int i = 0; i < SESSION_LINGER_MAX; i++)
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

void session_op_close(void *ctx, enum bgp_conn_side side)
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
	clock = session_clock(s);
	peer_send_hold(&s->peer, conn->side, &clock);
	session_settle(s);
}

/*
 * A failing send() is not handled here: the same error wakes the loop for the connection, outside of any
 * call of the core.
 */
void conn_flush(struct conn *conn)
{
	uint64_t before = conn->handed;

	if (conn->io.fd < 0 || conn->connecting)
		return;
	write_queue(conn->io.fd, &conn->out, &conn->handed);
	if (conn->handed != before || outq_len(&conn->out))
		start_send_check(conn);
}

/* Nothing follows a NOTIFICATION: what has not begun to go out is forgotten. */
void session_op_send(void *ctx, enum bgp_conn_side side, enum bgp_msg_type type, const uint8_t *msg,
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
	conn_flush(conn);
}

/* Asks the owner for messages and hands them over. False: there are none, or no room for them. */
static bool produce(struct conn *conn)
{
	struct session *s = conn->session;
	uint32_t generation = conn->generation;
	uint8_t *buf = outq_reserve(&conn->out, SESSION_PRODUCE_MIN);
	size_t n;

	if (!buf)
		return false;
	s->output_pending = false;
	n = s->ops->produce(s, buf, SESSION_PRODUCE_MIN);
	if (generation != conn->generation)
		return false;
	s->output_pending |= n != 0;
	peer_count_sent(&s->peer, buf, n);
	outq_commit(&conn->out, n);
	conn_flush(conn);
	return n > 0;
}

static void on_writable(struct conn *conn)
{
	struct session *s = conn->session;

	conn_flush(conn);
	/* As long as the socket takes what was made before. */
	for (unsigned int i = 0; i < PRODUCE_TURNS && s->output_pending; i++) {
		if (outq_len(&conn->out) || !s->peer.is_up || s->peer.up != conn->side ||
		    !produce(conn))
			break;
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
	struct bgp_clock clock = session_clock(s);

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
	struct bgp_clock clock = session_clock(s);
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
	struct bgp_clock clock = session_clock(s);
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
	session_settle(conn->session);
}

int session_set_ttl(const struct session *s, int fd)
{
	enum ip_family family = s->config.peer_addr.family;
	uint8_t hops = s->config.ttl_security_hops;
	int error = sockopt_ttl(fd, family, hops ? 255 : s->config.multihop_ttl);

	return error ? error : sockopt_min_ttl(fd, family, gtsm_min_ttl(hops));
}

static int set_options(const struct session *s, int fd)
{
	int one = 1;
	int error = session_set_ttl(s, fd);

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

void session_op_connect(void *ctx)
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

/*
 * What the peer said last on the connection before comes before what its new one means: a NOTIFICATION ends
 * a session for good, a mere newcomer may be a graceful restart.
 */
static void read_last_words(struct conn *conn)
{
	uint32_t generation = conn->generation;

	if (conn->io.fd < 0 || conn->connecting)
		return;
	for (unsigned int i = 0; i < LAST_SLICES && generation == conn->generation; i++)
		if (!read_slice(conn))
			return;
}

bool session_accept(struct session *s, int fd)
{
	struct conn *conn = &s->conn[BGP_CONN_THEIRS];
	struct bgp_clock clock = session_clock(s);
	bool wanted;

	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		read_last_words(&s->conn[side]);
	wanted = peer_wants(&s->peer, &clock) && set_options(s, fd) == 0;
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
	session_settle(s);
	return wanted;
}

/* --- for session.c and session_config.c ------------------------------------------------------ */

/*
 * An expired hold timer with unread input means that we are slow, not that the peer is silent: read
 * first, and if that was not all, give it a little longer.
 */
void conn_read_before_hold(struct conn *conn)
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

static void init_conn(struct session *s, enum bgp_conn_side side)
{
	struct conn *conn = &s->conn[side];

	conn->session = s;
	conn->side = side;
	conn->io = (struct loop_io){ .fd = -1, .fn = on_io, .ctx = conn };
	conn->send_check = (struct loop_timer){ .fn = on_send_check, .ctx = conn };
	outq_init(&conn->out);
}

void session_conns_init(struct session *s)
{
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		init_conn(s, side);
}

void session_conns_done(struct session *s)
{
	for (unsigned int i = 0; i < SESSION_LINGER_MAX; i++)
		closing_end(&s->closing[i]);
}
