// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BFD engine: sockets, sessions and timers of all BFD sessions in a small process of its own. Nothing
 * that the rest of xrsd does can delay it: no shared memory allocator, no large page tables, real-time
 * priority. It talks to agent/bfd.c by messages of fixed size, and writes verdicts into xrs_bfd itself
 * (bfd_verdict.c), so that the next packet sees them: one store, whatever the number of groups and prefixes.
 *
 * Two threads: this one does everything, and the stand-in (agent/bfd_standin.h) sends, and gives up, what this one
 * is kept from. Callbacks of the loop hold the lock and give it up around system calls that move packets;
 * only they add, change and remove.
 */
#include "agent/bfd_engine_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/privilege.h"
#include "util/log.h"

#define FAREWELLS 3 /* AdminDown that each peer gets at the end: one may be lost */

struct engine engine;

uint32_t engine_random(void)
{
	return arc4random();
}

uint16_t engine_port(const struct bfd_spec *spec)
{
	return spec->multihop ? BFD_PORT_MULTIHOP : BFD_PORT;
}

/* --- requests of xrsd ------------------------------------------------------------------------------------ */

static void say_farewell(struct engine_session *s)
{
	struct bfd_session_config config = s->spec.session;

	config.admin_down = true;
	bfd_session_reconfigure(&s->bfd, &config);
	engine_settle(s);
}

static void remove_session(struct engine_session *s)
{
	say_farewell(s);
	engine_set_deadline(s, 0);
	heap_remove(&engine.queue, &s->due);
	heap_remove(&engine.periodic, &s->periodic);
	heap_remove(&engine.watched, &s->watched);
	engine.sessions[s->spec.slot] = NULL;
	memset(&engine.shared->status[s->spec.slot], 0, sizeof(struct bfd_status));
	engine_receiver_put(s->receiver);
	if (s->fd >= 0)
		close(s->fd);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static void add_session(const struct bfd_spec *spec)
{
	struct engine_session *s = calloc(1, sizeof(*s));

	if (s)
		s->receiver = engine_receiver_get(spec);
	if (!s || !s->receiver) {
		free(s);
		log_err(BFD_ENGINE_LOG, "peering=%s out of memory", spec->name);
		return;
	}
	s->spec = *spec;
	s->fd = -1;
	s->changed = mono_now();
	bfd_session_init(&s->bfd, &spec->session, spec->discr, s->changed, engine_random());
	engine.sessions[spec->slot] = s;
	engine_settle(s);
}

static void change_session(struct engine_session *s, const struct bfd_spec *spec)
{
	enum bfd_state before = s->bfd.state;

	s->spec = *spec;
	if (bfd_session_reconfigure(&s->bfd, &spec->session) & BFD_CHANGED_STATE)
		engine_state_changed(s, before, mono_now());
	engine_tell_program(s);
	engine_settle(s);
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
		engine_set_deadline(s, 0);
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
	engine_arm_timer();
	bfd_standin_unlock_all(engine.standin);
}

/* --- time ------------------------------------------------------------------------------------------------ */

void engine_arm_timer(void)
{
	const struct heap_node *first = heap_first(&engine.queue);
	struct itimerspec spec = { 0 };

	if (first) {
		spec.it_value.tv_sec = (time_t)(first->key.usec / 1000000);
		spec.it_value.tv_nsec = (long)(first->key.usec % 1000000) * 1000;
	}
	timerfd_settime(engine.timer.fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* Packets that wait in a socket were in time, however late we are: they come first. */
static void on_timer(struct loop_io *io, uint32_t events)
{
	struct heap_node *first;
	uint64_t expirations;

	if (read(io->fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
		return;
	bfd_standin_lock(engine.standin);
	engine_receive_all();
	while ((first = heap_first(&engine.queue)) && !mono_before(mono_now(), first->key)) {
		struct engine_session *s =
			(struct engine_session *)((char *)first -
						  offsetof(struct engine_session, due));

		engine_check(s);
		engine_settle(s);
	}
	engine_arm_timer();
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
	engine.next_source =
		(uint16_t)(BFD_SOURCE_FIRST + arc4random() % (65536 - BFD_SOURCE_FIRST));
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
			engine_set_deadline(s, 0);
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

	engine.standin = bfd_standin_new(engine_standin_due, engine_standin_take, &error);
	if (!engine.standin)
		return -ENOMEM;
	if (error < 0)
		log_warn(BFD_ENGINE_LOG, "no second thread: %s; a loaded host may delay BFD",
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
		log_err(BFD_ENGINE_LOG, "the engine can not start: %s", strerror(-error));
		return 1;
	}
	error = privilege_realtime();
	if (error < 0)
		log_warn(BFD_ENGINE_LOG, "no real-time priority: %s; a loaded host may delay BFD",
			 strerror(-error));
	error = start_standin();
	if (error < 0)
		return 1;
	error = loop_run(engine.loop);
	say_goodbye();
	bfd_standin_free(engine.standin);
	return error < 0;
}
