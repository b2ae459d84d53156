// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BFD engine: sockets, sessions and timers of all BFD sessions in a small process of its own. Nothing
 * that the rest of xrsd does can delay it: no shared memory allocator, no large page tables, real-time
 * priority. It talks to agent/bfd.c by messages of fixed size, and writes verdicts into xrs_bfd itself, so
 * that the next packet sees them: one store, whatever the number of groups and prefixes.
 *
 * Two threads: this one does everything, and the stand-in (agent/bfd_standin.h) sends, and gives up, what this one
 * is kept from. Callbacks of the loop hold the lock and give it up around system calls that move packets;
 * only they add, change and remove.
 *
 * xrs_bfd has two writers. The program sets a deadline that has not passed anew with each packet that says
 * Up; whatever else a peer says makes it unwatched. Only this process declares dead (deadline in the
 * past) and takes that back.
 */
#include "agent/bfd_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/bfd_standin.h"
#include "agent/loop.h"
#include "agent/privilege.h"
#include "agent/sockaddr.h"
#include "util/log.h"

#define SUBSYS         "bfd"
#define SOURCE_FIRST   49152 /* RFC 5881 4 */
#define SOURCE_TRIES   64
#define RECEIVE_BATCH  64   /* packets of one socket before others have their turn */
#define FAREWELLS      3    /* AdminDown that each peer gets at the end: one may be lost */
#define CLASS_SELECTOR 0xc0 /* CS6, network control */
#define RETRY_USEC     1000000
#define DEAD           1 /* a deadline that has always passed */
/* So long after its time the stand-in does what this thread has not done. */
#define SEND_GRACE_USEC  1000
#define WATCH_GRACE_USEC 100

/* A receiving socket, shared by the sessions with this address. */
struct receiver {
	struct receiver *next;
	struct ip_addr local;
	uint16_t port;
	char device[IFNAMSIZ];
	unsigned int refs;
	struct loop_io io; /* fd -1: not bound */
};

struct engine_session {
	struct heap_node due;      /* in engine.queue: sending, and the detection time */
	struct heap_node periodic; /* in engine.periodic: sending alone, for the stand-in */
	struct heap_node watched;  /* in engine.watched: the detection time alone, likewise */
	struct bfd_spec spec;
	struct bfd_session bfd;
	struct receiver *receiver;
	int fd; /* sends; -1: not bound */
	int problem;
	struct mono retry;   /* of what could not be bound */
	bool kernel;         /* packets pass the program */
	bool report_pending; /* the socket to xrsd was full */
	struct bfd_event report;
	struct mono changed;
	uint64_t late_max_usec; /* of a packet of ours */
	uint64_t stood_in;      /* packets that the stand-in sent */
};

static struct engine {
	struct loop *loop;
	struct loop_io control, timer;
	struct heap queue, periodic, watched;
	struct bfd_standin *standin;
	struct receiver *receivers;
	struct engine_session *sessions[XRS_BFD_MAX];
	struct bfd_shared *shared; /* with xrsd */
	struct xrs_bfd *map;       /* the same number, or NULL */
	uint16_t next_source;
	bool orphan;
} engine;

static uint32_t fresh_random(void)
{
	return arc4random();
}

static uint16_t port_of(const struct bfd_spec *spec)
{
	return spec->multihop ? BFD_PORT_MULTIHOP : BFD_PORT;
}

/* --- xrs_bfd ----------------------------------------------------------------------------------------- */

static struct xrs_bfd *entry_of(const struct engine_session *s)
{
	struct xrs_bfd *entry = engine.map ? &engine.map[s->spec.slot] : NULL;

	return entry && entry->local_discr == s->spec.discr ? entry : NULL;
}

static void set_deadline(const struct engine_session *s, uint64_t deadline_ns)
{
	struct xrs_bfd *entry = entry_of(s);

	if (entry)
		__atomic_store_n(&entry->deadline_ns, deadline_ns, __ATOMIC_SEQ_CST);
}

/* Only a packet that needs no digest can be judged by the program. */
static bool can_watch(const struct engine_session *s)
{
	return s->spec.session.key.type == BFD_AUTH_NONE && !s->spec.lenient;
}

/* What the program received counts as heard: this process may have been kept waiting. */
static void ask_kernel(struct engine_session *s)
{
	struct xrs_bfd *entry = entry_of(s);

	if (!entry || !s->kernel || s->bfd.state != BFD_UP)
		return;
	bfd_session_heard(
		&s->bfd,
		(struct mono){ __atomic_load_n(&entry->last_rx_ns, __ATOMIC_RELAXED) / 1000 });
}

/*
 * After each packet that was received here: has the program seen the like a moment ago? Then the deadline
 * is the program's. If not, packets come by an interface without one, and it is ours alone. A deadline that
 * passed before the program saw its last packet, while the session is Up here: the packet came just in time
 * to be heard before anybody looked, so that the member is not dead either.
 */
static void judge_kernel(struct engine_session *s)
{
	uint64_t detection_ns = (uint64_t)bfd_session_detection_usec(&s->bfd) * 1000;
	struct xrs_bfd *entry = entry_of(s);
	uint64_t last_ns;

	if (!entry)
		return;
	last_ns = __atomic_load_n(&entry->last_rx_ns, __ATOMIC_RELAXED);
	s->kernel = last_ns && last_ns + detection_ns / 2 > mono_now().usec * 1000;
	entry->min_rx_usec = can_watch(s) ? s->bfd.min_rx_in_force : 0;
	if (s->bfd.state != BFD_UP)
		return;
	if (!s->kernel || !can_watch(s))
		set_deadline(s, 0);
	else if (__atomic_load_n(&entry->deadline_ns, __ATOMIC_RELAXED) <= last_ns)
		set_deadline(s, last_ns + detection_ns);
}

/* --- telling xrsd -------------------------------------------------------------------------------------- */

static void publish(struct engine_session *s)
{
	struct bfd_status *status = &engine.shared->status[s->spec.slot];
	uint32_t version = status->version | 1;

	__atomic_store_n(&status->version, version, __ATOMIC_SEQ_CST);
	*status = (struct bfd_status){
		.version = version,
		.discr = s->spec.discr,
		.state = s->bfd.state,
		.remote_state = s->bfd.remote_state,
		.diag = s->bfd.diag,
		.remote_diag = s->bfd.remote_diag,
		.remote_multiplier = s->bfd.remote_multiplier,
		.remote_control_independent = s->bfd.remote_control_independent,
		.remote_demand = s->bfd.remote_demand,
		.kernel = s->kernel && can_watch(s),
		.problem = s->problem,
		.remote_discr = s->bfd.remote_discr,
		.interval_usec = bfd_session_interval_usec(&s->bfd),
		.detection_usec = bfd_session_detection_usec(&s->bfd),
		.remote_min_tx_usec = s->bfd.remote_min_tx,
		.remote_min_rx_usec = s->bfd.remote_min_rx,
		.changed = s->changed,
		.late_max_usec = s->late_max_usec,
		.stood_in = s->stood_in,
		.stats = s->bfd.stats,
	};
	__atomic_store_n(&status->version, version + 1, __ATOMIC_SEQ_CST);
}

/* The last state is what counts: one that could not be sent is replaced by the next. */
static void send_report(struct engine_session *s)
{
	ssize_t n = send(BFD_ENGINE_SOCKET_FD, &s->report, sizeof(s->report),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	s->report_pending = n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR);
}

/* RFC 5882 3.2: AdminDown of either side says nothing about the path. */
static bool is_failure(const struct engine_session *s)
{
	return s->bfd.state == BFD_DOWN &&
	       !(s->bfd.diag == BFD_DIAG_NEIGHBOUR_DOWN && s->bfd.remote_state == BFD_ADMIN_DOWN);
}

static void state_changed(struct engine_session *s, enum bfd_state before, struct mono detected)
{
	bool failure = before == BFD_UP && is_failure(s);

	s->changed = mono_now();
	s->report = (struct bfd_event){
		.slot = s->spec.slot,
		.discr = s->spec.discr,
		.state = s->bfd.state,
		.remote_state = s->bfd.remote_state,
		.diag = s->bfd.diag,
		.failure = failure && !(s->spec.lenient && !s->bfd.remote_control_independent),
		.detected = detected,
		.decided = s->changed,
	};
	if (before == BFD_UP || s->bfd.state == BFD_UP)
		set_deadline(s, s->report.failure ? DEAD : 0);
	s->report.programmed = mono_now();
	send_report(s);
}

/* --- sending ------------------------------------------------------------------------------------------- */

static int open_sender(const struct bfd_spec *spec)
{
	struct privilege_listen request = { .addr = spec->local };
	int fd = -EADDRINUSE;

	memcpy(request.device, spec->device, sizeof(request.device));
	if (spec->local.family == IP_NONE)
		request.addr.family = spec->peer.family;
	for (unsigned int i = 0; fd == -EADDRINUSE && i < SOURCE_TRIES; i++) {
		if (engine.next_source < SOURCE_FIRST)
			engine.next_source = SOURCE_FIRST;
		request.port = engine.next_source++;
		fd = privilege_bind_udp(&request);
	}
	if (fd < 0)
		return fd;
	sockopt_ttl(fd, spec->peer.family, BFD_TTL);
	sockopt_traffic_class(fd, spec->peer.family, CLASS_SELECTOR);
	return fd;
}

static struct bfd_departure departure_of(const struct engine_session *s)
{
	struct bfd_departure departure = { .fd = s->fd,
					   .to = s->spec.peer,
					   .port = port_of(&s->spec) };

	memcpy(departure.device, s->spec.device, sizeof(departure.device));
	return departure;
}

/* Packets go out at their time at the earliest; how much later, and by whom? */
static void count_lateness(struct engine_session *s, struct mono due, struct mono now,
			   bool stood_in)
{
	uint64_t usec = mono_since_usec(now, due);

	if (!mono_is_set(due) || mono_before(now, due))
		return;
	bfd_lateness_add(&engine.shared->lateness, usec);
	if (usec > s->late_max_usec)
		s->late_max_usec = usec;
	s->stood_in += stood_in;
}

/* The packet that is due, if any. */
static bool take_packet(struct engine_session *s, struct mono now, bool stand_in,
			struct bfd_departure *ret)
{
	struct mono due = bfd_session_next_tx(&s->bfd);

	*ret = departure_of(s);
	ret->len = bfd_session_transmit(&s->bfd, now, fresh_random(), ret->octets);
	if (!ret->len)
		return false;
	count_lateness(s, due, now, stand_in);
	return true;
}

static void send_packet(struct engine_session *s, struct bfd_departure *departure)
{
	int error;

	if (s->fd < 0)
		s->fd = open_sender(&s->spec);
	if (s->fd < 0) {
		s->problem = -s->fd;
		return;
	}
	departure->fd = s->fd;
	bfd_standin_unlock(engine.standin);
	error = bfd_departure_send(departure);
	bfd_standin_lock(engine.standin);
	if (error || (s->receiver && s->receiver->io.fd >= 0))
		s->problem = error;
}

/* --- what the stand-in does ------------------------------------------------------------------------------ */

static void set_overdue(struct heap *heap, struct heap_node *node, bool wanted, struct mono due,
			uint64_t grace_usec)
{
	if (wanted && mono_is_set(due))
		heap_set(heap, node, mono_add_usec(due, grace_usec));
	else
		heap_remove(heap, node);
}

/*
 * When it has something to do for the session, and only where everything is ready for it. A detection time has
 * passed for certain only where the program hears the peer: this thread may have a packet in its socket.
 */
static void set_standin(struct engine_session *s)
{
	bool watched = s->kernel && can_watch(s) && s->bfd.state == BFD_UP;

	set_overdue(&engine.periodic, &s->periodic, s->fd >= 0, bfd_session_next_tx(&s->bfd),
		    SEND_GRACE_USEC);
	set_overdue(&engine.watched, &s->watched, s->fd >= 0 && watched,
		    bfd_session_deadline(&s->bfd), WATCH_GRACE_USEC);
}

static void check(struct engine_session *s)
{
	enum bfd_state before = s->bfd.state;
	struct mono last = s->bfd.last_rx;
	uint32_t detection = bfd_session_detection_usec(&s->bfd);

	ask_kernel(s);
	if (bfd_session_check(&s->bfd, mono_now()) & BFD_CHANGED_STATE)
		state_changed(s, before, mono_add_usec(last, detection));
}

static struct mono standin_due(void)
{
	const struct heap_node *send = heap_first(&engine.periodic);
	const struct heap_node *watch = heap_first(&engine.watched);

	if (send && watch)
		return mono_before(send->key, watch->key) ? send->key : watch->key;
	return send ? send->key : watch ? watch->key : (struct mono){ 0 };
}

static struct engine_session *overdue(struct heap *heap, size_t offset, struct mono now)
{
	struct heap_node *first = heap_first(heap);

	if (!first || mono_before(now, first->key))
		return NULL;
	return (struct engine_session *)((char *)first - offset);
}

static bool standin_take(struct mono now, struct bfd_departure *ret)
{
	struct engine_session *s =
		overdue(&engine.watched, offsetof(struct engine_session, watched), now);
	bool any;

	if (s)
		check(s);
	else
		s = overdue(&engine.periodic, offsetof(struct engine_session, periodic), now);
	if (!s)
		return false;
	any = take_packet(s, now, true, ret);
	set_standin(s);
	publish(s);
	return any;
}

static void arm_timer(void)
{
	const struct heap_node *first = heap_first(&engine.queue);
	struct itimerspec spec = { 0 };

	if (first) {
		spec.it_value.tv_sec = (time_t)(first->key.usec / 1000000);
		spec.it_value.tv_nsec = (long)(first->key.usec % 1000000) * 1000;
	}
	timerfd_settime(engine.timer.fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int bind_receiver(struct receiver *r);

/* Sends what is due, and says when the session wants to be looked at again. */
static void settle(struct engine_session *s)
{
	struct mono now = mono_now(), due;
	struct bfd_departure departure;

	while (take_packet(s, now, false, &departure))
		send_packet(s, &departure);
	set_standin(s);
	bfd_standin_look(engine.standin);
	if (s->receiver->io.fd < 0 && !mono_before(now, s->retry)) {
		s->problem = -bind_receiver(s->receiver);
		s->retry = mono_add_usec(now, RETRY_USEC);
	}
	if (s->report_pending)
		send_report(s);
	publish(s);
	due = bfd_session_due(&s->bfd);
	if (!mono_is_set(due)) /* nothing to wait for but a report or a socket */
		due = mono_add_usec(now, RETRY_USEC);
	heap_set(&engine.queue, &s->due, due);
}

/* --- receiving ----------------------------------------------------------------------------------------- */

struct arrival {
	uint8_t octets[BFD_PACKET_MAX + 1];
	size_t len;
	struct ip_addr from;
	int ttl;
};

static int ttl_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL;
		bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT;
		int ttl;

		if (!v4 && !v6)
			continue;
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		return ttl;
	}
	return -1;
}

static bool receive(int fd, struct arrival *ret)
{
	struct sockaddr_storage sa = { 0 };
	_Alignas(struct cmsghdr) char control[64];
	struct iovec iov = { ret->octets, sizeof(ret->octets) };
	struct msghdr msg = { .msg_name = &sa,
			      .msg_namelen = sizeof(sa),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	bfd_standin_unlock(engine.standin);
	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	bfd_standin_lock(engine.standin);
	if (n < 0)
		return false;
	ret->len = (size_t)n;
	ret->ttl = ttl_of(&msg);
	sockaddr_to_ip(&sa, &ret->from, NULL);
	return true;
}

/* RFC 5880 6.8.6: by Your Discriminator; a packet without one by where it came from and to. */
static struct engine_session *session_of(const struct receiver *r, const struct bfd_packet *packet,
					 const struct ip_addr *from)
{
	struct engine_session *s = engine.sessions[packet->your_discr & (XRS_BFD_MAX - 1)];

	if (packet->your_discr)
		return s && s->receiver == r && s->spec.discr == packet->your_discr &&
				       ip_equal(&s->spec.peer, from)
			       ? s
			       : NULL;
	for (unsigned int i = 1; i < XRS_BFD_MAX; i++) {
		s = engine.sessions[i];
		if (s && s->receiver == r && ip_equal(&s->spec.peer, from))
			return s;
	}
	return NULL;
}

static void take(struct receiver *r, const struct arrival *arrival)
{
	struct engine_session *s;
	struct bfd_packet packet;
	enum bfd_state before;
	unsigned int change;

	if (bfd_packet_decode(arrival->octets, arrival->len, &packet) != BFD_DISCARD_NONE)
		return;
	s = session_of(r, &packet, &arrival->from);
	if (!s)
		return;
	if (!s->spec.multihop && arrival->ttl != BFD_TTL) { /* RFC 5881 5, GTSM */
		s->bfd.stats.discarded[BFD_DISCARD_TTL]++;
		return;
	}
	before = s->bfd.state;
	if (bfd_session_receive(&s->bfd, &packet, mono_now(), &change) == BFD_DISCARD_NONE)
		judge_kernel(s);
	if (change & BFD_CHANGED_STATE)
		state_changed(s, before, s->bfd.last_rx);
	settle(s);
}

static void drain(struct receiver *r)
{
	struct arrival arrival;

	for (unsigned int i = 0; i < RECEIVE_BATCH && receive(r->io.fd, &arrival); i++)
		take(r, &arrival);
}

static void on_packet(struct loop_io *io, uint32_t events)
{
	bfd_standin_lock(engine.standin);
	drain(io->ctx);
	arm_timer();
	bfd_standin_unlock(engine.standin);
}

static int bind_receiver(struct receiver *r)
{
	struct privilege_listen request = { .addr = r->local, .port = r->port };
	bool v6 = r->local.family == IP_V6;
	int one = 1, error, fd;

	memcpy(request.device, r->device, sizeof(request.device));
	fd = privilege_bind_udp(&request);
	if (fd < 0)
		return fd;
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
	r->io = (struct loop_io){ .fd = fd, .fn = on_packet, .ctx = r };
	error = loop_io_add(engine.loop, &r->io, EPOLLIN);
	if (error < 0) {
		close(fd);
		r->io.fd = -1;
	}
	return error;
}

static struct receiver *receiver_get(const struct bfd_spec *spec)
{
	struct ip_addr local = spec->local;
	struct receiver *r;

	if (local.family == IP_NONE)
		local.family = spec->peer.family;
	for (r = engine.receivers; r; r = r->next) {
		if (ip_equal(&r->local, &local) && r->port == port_of(spec) &&
		    strcmp(r->device, spec->device) == 0)
			break;
	}
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
		r->local = local;
		r->port = port_of(spec);
		memcpy(r->device, spec->device, sizeof(r->device));
		r->io.fd = -1;
		r->next = engine.receivers;
		engine.receivers = r;
	}
	r->refs++;
	return r;
}

static void receiver_put(struct receiver *r)
{
	struct receiver **link = &engine.receivers;

	if (--r->refs)
		return;
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	if (r->io.fd >= 0) {
		loop_io_del(engine.loop, &r->io);
		close(r->io.fd);
	}
	free(r);
}

/* --- requests of xrsd ------------------------------------------------------------------------------------ */

static void say_farewell(struct engine_session *s)
{
	struct bfd_session_config config = s->spec.session;

	config.admin_down = true;
	bfd_session_reconfigure(&s->bfd, &config);
	settle(s);
}

static void remove_session(struct engine_session *s)
{
	say_farewell(s);
	set_deadline(s, 0);
	heap_remove(&engine.queue, &s->due);
	heap_remove(&engine.periodic, &s->periodic);
	heap_remove(&engine.watched, &s->watched);
	engine.sessions[s->spec.slot] = NULL;
	memset(&engine.shared->status[s->spec.slot], 0, sizeof(struct bfd_status));
	receiver_put(s->receiver);
	if (s->fd >= 0)
		close(s->fd);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static void add_session(const struct bfd_spec *spec)
{
	struct engine_session *s = calloc(1, sizeof(*s));

	if (s)
		s->receiver = receiver_get(spec);
	if (!s || !s->receiver) {
		free(s);
		log_err(SUBSYS, "peering=%s out of memory", spec->name);
		return;
	}
	s->spec = *spec;
	s->fd = -1;
	s->changed = mono_now();
	bfd_session_init(&s->bfd, &spec->session, spec->discr, s->changed, fresh_random());
	engine.sessions[spec->slot] = s;
	settle(s);
}

static void change_session(struct engine_session *s, const struct bfd_spec *spec)
{
	enum bfd_state before = s->bfd.state;

	s->spec = *spec;
	if (bfd_session_reconfigure(&s->bfd, &spec->session) & BFD_CHANGED_STATE)
		state_changed(s, before, mono_now());
	settle(s);
}

static void request_set(const struct bfd_spec *spec)
{
	struct engine_session *s = engine.sessions[spec->slot];

	if (s && s->spec.discr != spec->discr) {
		remove_session(s);
		s = NULL;
	}
	if (s)
		change_session(s, spec);
	else
		add_session(spec);
}

static void request_remove(const struct bfd_spec *spec)
{
	struct engine_session *s = engine.sessions[spec->slot];

	if (s && s->spec.discr == spec->discr)
		remove_session(s);
}

static void request_pardon(const struct bfd_spec *spec)
{
	struct engine_session *s = engine.sessions[spec->slot];

	if (s && s->spec.discr == spec->discr && s->bfd.state != BFD_UP)
		set_deadline(s, 0);
}

static void (*const requests[])(const struct bfd_spec *) = {
	[BFD_REQUEST_SET] = request_set,
	[BFD_REQUEST_REMOVE] = request_remove,
	[BFD_REQUEST_PARDON] = request_pardon,
};

static void on_request(struct loop_io *io, uint32_t events)
{
	struct bfd_request request;
	ssize_t n;

	bfd_standin_lock_all(engine.standin);
	while ((n = recv(io->fd, &request, sizeof(request), MSG_DONTWAIT)) == sizeof(request)) {
		if (request.spec.slot && request.spec.slot < XRS_BFD_MAX)
			requests[request.kind](&request.spec);
	}
	explicit_bzero(&request, sizeof(request));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		engine.orphan = true;
		loop_stop(engine.loop);
	}
	arm_timer();
	bfd_standin_unlock_all(engine.standin);
}

/* --- time ------------------------------------------------------------------------------------------------ */

/* Packets that wait in a socket were in time, however late we are: they come first. */
static void on_timer(struct loop_io *io, uint32_t events)
{
	struct heap_node *first;
	uint64_t expirations;

	if (read(io->fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
		return;
	bfd_standin_lock(engine.standin);
	for (struct receiver *r = engine.receivers; r; r = r->next) {
		if (r->io.fd >= 0)
			drain(r);
	}
	while ((first = heap_first(&engine.queue)) && !mono_before(mono_now(), first->key)) {
		struct engine_session *s =
			(struct engine_session *)((char *)first -
						  offsetof(struct engine_session, due));

		check(s);
		settle(s);
	}
	arm_timer();
	bfd_standin_unlock(engine.standin);
}

/* --- life -------------------------------------------------------------------------------------------------- */

static void *map_shared(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int engine_init(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t map_size = (XRS_BFD_MAX * sizeof(struct xrs_bfd) + page - 1) / page * page;
	int error;

	engine.loop = loop_new();
	engine.shared = map_shared(BFD_ENGINE_SHARED_FD, sizeof(*engine.shared));
	if (fcntl(BFD_ENGINE_MAP_FD, F_GETFD) >= 0)
		engine.map = map_shared(BFD_ENGINE_MAP_FD, map_size);
	engine.timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (!engine.loop || !engine.shared || engine.timer.fd < 0)
		return -errno;
	heap_init(&engine.queue);
	heap_init(&engine.periodic);
	heap_init(&engine.watched);
	engine.next_source = (uint16_t)(SOURCE_FIRST + arc4random() % (65536 - SOURCE_FIRST));
	engine.timer.fn = on_timer;
	engine.control = (struct loop_io){ .fd = BFD_ENGINE_SOCKET_FD, .fn = on_request };
	error = loop_io_add(engine.loop, &engine.timer, EPOLLIN);
	return error ? error : loop_io_add(engine.loop, &engine.control, EPOLLIN);
}

/* xrsd is gone, forwarding is not: the peers hear that from us before they miss it. */
static void say_goodbye(void)
{
	bfd_standin_lock(engine.standin);
	for (unsigned int n = 0; n < FAREWELLS; n++) {
		for (unsigned int i = 1; i < XRS_BFD_MAX; i++) {
			struct engine_session *s = engine.sessions[i];

			if (!s)
				continue;
			set_deadline(s, 0);
			s->bfd.send_now = true;
			say_farewell(s);
		}
	}
	bfd_standin_unlock(engine.standin);
}

/* After the priority: the stand-in gets the same. */
static int start_standin(void)
{
	int error = 0;

	engine.standin = bfd_standin_new(standin_due, standin_take, &error);
	if (!engine.standin)
		return -ENOMEM;
	if (error < 0)
		log_warn(SUBSYS, "no second thread: %s; a loaded host may delay BFD",
			 error == -ENOTSUP ? "one processor" : strerror(-error));
	return 0;
}

int bfd_engine_main(void)
{
	int error;

	prctl(PR_SET_NAME, "xrsd-bfd");
	/* A stop is for xrsd; its end is seen on the socket, and then there is something left to do. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	error = engine_init();
	if (error < 0) {
		log_err(SUBSYS, "the engine can not start: %s", strerror(-error));
		return 1;
	}
	error = privilege_realtime();
	if (error < 0)
		log_warn(SUBSYS, "no real-time priority: %s; a loaded host may delay BFD",
			 strerror(-error));
	error = start_standin();
	if (error < 0)
		return 1;
	error = loop_run(engine.loop);
	say_goodbye();
	bfd_standin_free(engine.standin);
	return error < 0;
}
