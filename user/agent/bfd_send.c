// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session's time in the BFD engine: its packets go out and its detection time is looked at, by the first thread
 * or, where that is late, by the stand-in. Called by bfd_engine.c, bfd_receive.c and the stand-in.
 */
#include "agent/bfd_engine_impl.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "agent/privilege.h"
#include "agent/sockaddr.h"

#define SOURCE_TRIES   64
#define CLASS_SELECTOR 0xc0 /* CS6, network control */
#define RETRY_USEC     1000000
/* So long after its time the stand-in does what the first thread has not done. */
#define SEND_GRACE_USEC  1000
#define WATCH_GRACE_USEC 100

/* --- sending ------------------------------------------------------------------------------------------- */

static int open_sender(const struct bfd_spec *spec)
{
	struct privilege_listen request = { .addr = spec->local };
	int fd = -EADDRINUSE;

	memcpy(request.device, spec->device, sizeof(request.device));
	if (spec->local.family == IP_NONE)
		request.addr.family = spec->peer.family;
	for (unsigned int i = 0; fd == -EADDRINUSE && i < SOURCE_TRIES; i++) {
		if (engine.next_source < BFD_SOURCE_FIRST)
			engine.next_source = BFD_SOURCE_FIRST;
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
					   .port = engine_port(&s->spec) };

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
	ret->len = bfd_session_transmit(&s->bfd, now, engine_random(), ret->octets);
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

/* When the peer is silent for certain: the first thread may have a packet in its socket, but none that nobody saw. */
static struct mono silent_at(const struct engine_session *s)
{
	struct mono deadline = bfd_session_deadline(&s->bfd), seen = engine_seen(s);

	if (!mono_is_set(deadline) || !mono_is_set(seen))
		return deadline;
	seen = mono_add_usec(seen, bfd_session_detection_usec(&s->bfd));
	return mono_before(deadline, seen) ? seen : deadline;
}

/*
 * When it has something to do for the session, and only where everything is ready for it. A detection time has
 * passed for certain only where the program hears the peer.
 */
static void set_standin(struct engine_session *s)
{
	bool watched = engine_is_watched(s) && s->bfd.state == BFD_UP;

	set_overdue(&engine.periodic, &s->periodic, s->fd >= 0, bfd_session_next_tx(&s->bfd),
		    SEND_GRACE_USEC);
	set_overdue(&engine.watched, &s->watched, s->fd >= 0 && watched, silent_at(s),
		    WATCH_GRACE_USEC);
}

void engine_check(struct engine_session *s)
{
	enum bfd_state before = s->bfd.state;
	struct mono last = s->bfd.last_rx;
	uint32_t detection = bfd_session_detection_usec(&s->bfd);

	engine_ask_kernel(s);
	if (bfd_session_check(&s->bfd, mono_now()) & BFD_CHANGED_STATE)
		engine_state_changed(s, before, mono_add_usec(last, detection));
}

struct mono engine_standin_due(void)
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

bool engine_standin_take(struct mono now, struct bfd_departure *ret)
{
	struct engine_session *s =
		overdue(&engine.watched, offsetof(struct engine_session, watched), now);
	bool any;

	if (s && !mono_before(now, silent_at(s)))
		engine_check(s);
	if (!s)
		s = overdue(&engine.periodic, offsetof(struct engine_session, periodic), now);
	if (!s)
		return false;
	any = take_packet(s, now, true, ret);
	set_standin(s);
	engine_publish(s);
	return any;
}

/* Sends what is due, and says when the session wants to be looked at again. */
void engine_settle(struct engine_session *s)
{
	struct mono now = mono_now(), due;
	struct bfd_departure departure;

	while (take_packet(s, now, false, &departure))
		send_packet(s, &departure);
	set_standin(s);
	bfd_standin_look(engine.standin);
	if (s->receiver->io.fd < 0 && !mono_before(now, s->retry)) {
		s->problem = -engine_receiver_bind(s->receiver);
		s->retry = mono_add_usec(now, RETRY_USEC);
	}
	if (s->report_pending)
		engine_send_report(s);
	engine_publish(s);
	due = bfd_session_due(&s->bfd);
	if (!mono_is_set(due)) /* nothing to wait for but a report or a socket */
		due = mono_add_usec(now, RETRY_USEC);
	heap_set(&engine.queue, &s->due, due);
}
