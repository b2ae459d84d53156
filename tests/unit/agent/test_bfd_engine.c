// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BFD engine as a process, by its three descriptors: sessions come up, values and verdicts are written, a peer
 * that vanishes is a failure and one that says AdminDown is none, and an engine whose xrsd is gone says goodbye.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/bfd_engine.h"
#include "dataplane.h"
#include "util/mono.h"

#define PATIENCE_MS 30000
#define SLOT        3u
#define DISCR       (0x5a000000u | SLOT)
#define INTERVAL    50000u
#define PAGE        4096u

struct engine {
	pid_t pid;
	int fd;
	const struct bfd_shared *shared;
	struct xrs_bfd *map;
};

TestSuite(bfd_engine, .timeout = 120);

static int shared_memory(size_t size, void *ret)
{
	int fd = memfd_create("bfd-test", MFD_CLOEXEC);
	void *memory;

	cr_assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(memory, MAP_FAILED);
	memcpy(ret, &memory, sizeof(memory));
	return fd;
}

static size_t map_size(void)
{
	return (XRS_BFD_MAX * sizeof(struct xrs_bfd) + PAGE - 1) / PAGE * PAGE;
}

/* It dies with this process, whatever becomes of the test. */
static void child(const int fds[static 3])
{
	int high[3];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 3; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 16);
	for (int i = 0; i < 3; i++)
		dup2(high[i], BFD_ENGINE_SOCKET_FD + i);
	for (int fd = BFD_ENGINE_MAP_FD + 1; fd < 256; fd++)
		close(fd);
	_exit(bfd_engine_main());
}

static struct engine engine_start(void)
{
	struct engine engine;
	int pair[2], fds[3];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	fds[0] = pair[1];
	fds[1] = shared_memory(sizeof(struct bfd_shared), &engine.shared);
	fds[2] = shared_memory(map_size(), &engine.map);
	engine.fd = pair[0];
	engine.pid = fork();
	cr_assert(engine.pid >= 0);
	if (!engine.pid)
		child(fds);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	return engine;
}

static void engine_kill(struct engine *engine)
{
	kill(engine->pid, SIGKILL);
	waitpid(engine->pid, NULL, 0);
	close(engine->fd);
}

/* Addresses of the loopback network that no other run of this test has: @n tells the two ends apart. */
static struct ip_addr address(unsigned int n)
{
	struct ip_addr addr;
	char text[32];
	unsigned int run = (unsigned int)getpid();

	snprintf(text, sizeof(text), "127.%u.%u.%u", 16 + run / 65536 % 128, run / 256 % 256,
		 run % 128 * 2 + n);
	cr_assert_eq(ip_parse(text, &addr), 0);
	return addr;
}

static struct bfd_spec spec_of(unsigned int end)
{
	return (struct bfd_spec){
		.slot = SLOT,
		.discr = DISCR + end * XRS_BFD_MAX,
		.local = address(end),
		.peer = address(1 - end),
		.session = { .min_tx_usec = INTERVAL, .min_rx_usec = INTERVAL, .multiplier = 3 },
		.name = "test"
	};
}

static void request(const struct engine *engine, enum bfd_request_kind kind,
		    const struct bfd_spec *spec)
{
	struct bfd_request request = { .kind = kind, .spec = *spec };

	cr_assert_eq(send(engine->fd, &request, sizeof(request), 0), sizeof(request));
}

static void add(struct engine *engine, unsigned int end)
{
	struct bfd_spec spec = spec_of(end);

	engine->map[SLOT].local_discr = spec.discr;
	request(engine, BFD_REQUEST_SET, &spec);
}

/* The next event with this state; others before it are passed over. */
static struct bfd_event await(const struct engine *engine, enum bfd_state state)
{
	struct pollfd poll_fd = { .fd = engine->fd, .events = POLLIN };
	struct bfd_event event = { 0 };

	do {
		cr_assert_eq(poll(&poll_fd, 1, PATIENCE_MS), 1, "no event: %s",
			     bfd_state_name(state));
		cr_assert_eq(recv(engine->fd, &event, sizeof(event), 0), sizeof(event));
	} while (event.state != state);
	return event;
}

static void both_up(struct engine ends[static 2])
{
	for (unsigned int i = 0; i < 2; i++) {
		ends[i] = engine_start();
		add(&ends[i], i);
	}
	for (unsigned int i = 0; i < 2; i++)
		await(&ends[i], BFD_UP);
}

static bool settles(const struct engine *engine, uint32_t detection_usec)
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		if (engine->shared->status[SLOT].detection_usec == detection_usec)
			return true;
		usleep(1000);
	}
	return false;
}

Test(bfd_engine, a_session_comes_up_and_is_told)
{
	struct engine ends[2];
	const struct bfd_status *status;

	both_up(ends);
	cr_assert(settles(&ends[0], 3 * INTERVAL));
	status = &ends[0].shared->status[SLOT];
	cr_assert_eq(status->state, BFD_UP);
	cr_assert_eq(status->discr, DISCR);
	cr_assert_eq(status->remote_discr, DISCR + XRS_BFD_MAX);
	cr_assert_eq(status->problem, 0);
	cr_assert(!status->kernel, "no program sees the loopback device");
	cr_assert_eq(ends[0].map[SLOT].deadline_ns, 0);
	for (int i = 0; i < PATIENCE_MS && ends[0].shared->lateness.total < 10; i++)
		usleep(1000);
	cr_assert_geq(ends[0].shared->lateness.total, 10);
	for (unsigned int i = 0; i < 2; i++)
		engine_kill(&ends[i]);
}

Test(bfd_engine, a_peer_that_vanishes_is_a_failure_in_the_map)
{
	struct engine ends[2];
	struct bfd_event event;

	both_up(ends);
	cr_assert(settles(&ends[0], 3 * INTERVAL));
	engine_kill(&ends[1]);
	event = await(&ends[0], BFD_DOWN);
	cr_assert(event.failure);
	cr_assert_eq(event.discr, DISCR);
	cr_assert_eq(event.diag, BFD_DIAG_TIME_EXPIRED);
	cr_assert(mono_is_set(event.detected) && event.detected.usec <= event.decided.usec &&
		  event.decided.usec <= event.programmed.usec);
	cr_assert_eq(ends[0].map[SLOT].deadline_ns, 1, "dead for the next packet");
	request(&ends[0], BFD_REQUEST_PARDON, &(struct bfd_spec){ .slot = SLOT, .discr = DISCR });
	for (int i = 0; i < PATIENCE_MS && ends[0].map[SLOT].deadline_ns; i++)
		usleep(1000);
	cr_assert_eq(ends[0].map[SLOT].deadline_ns, 0, "BGP came up without BFD");
	engine_kill(&ends[0]);
}

static void authenticate(struct engine *engine, unsigned int end)
{
	struct bfd_spec spec = spec_of(end);

	spec.session.key = (struct bfd_key){
		.type = BFD_AUTH_METICULOUS_SHA1, .id = 1, .len = 5, .secret = "right"
	};
	request(engine, BFD_REQUEST_SET, &spec);
}

/* In place of the program: a packet of the peer passes, whoever sent it. */
static void seems_heard(struct engine *engine)
{
	engine->map[SLOT].last_rx_ns = mono_now().usec * 1000;
	usleep(1000);
}

/* What the program sees of an authenticated peer puts its own deadline off, and nothing else. */
Test(bfd_engine, packets_that_nobody_authenticated_keep_nobody_alive)
{
	struct pollfd poll_fd = { .events = POLLIN };
	struct engine ends[2];
	struct xrs_bfd *entry;

	for (unsigned int i = 0; i < 2; i++) {
		ends[i] = engine_start();
		add(&ends[i], i);
		authenticate(&ends[i], i);
	}
	for (unsigned int i = 0; i < 2; i++)
		await(&ends[i], BFD_UP);
	cr_assert(settles(&ends[0], 3 * INTERVAL));
	entry = &ends[0].map[SLOT];
	for (int i = 0; i < PATIENCE_MS && !ends[0].shared->status[SLOT].kernel; i++)
		seems_heard(&ends[0]);
	cr_assert(ends[0].shared->status[SLOT].kernel);
	cr_assert_eq(entry->auth_usec, 3 * INTERVAL);
	cr_assert_gt(entry->deadline_ns, 1, "the program watches");
	engine_kill(&ends[1]);
	poll_fd.fd = ends[0].fd;
	for (int i = 0; i < PATIENCE_MS && !poll(&poll_fd, 1, 0); i++)
		seems_heard(&ends[0]);
	cr_assert(await(&ends[0], BFD_DOWN).failure);
	cr_assert_eq(entry->deadline_ns, 1);
	engine_kill(&ends[0]);
}

/* RFC 5882 4.3.2: it may be a restart, and what becomes of the member is for BGP to say. */
Test(bfd_engine, silence_is_news_but_no_verdict_where_graceful_restart_is_honoured)
{
	struct engine ends[2];
	struct bfd_spec spec = spec_of(0);
	struct bfd_event event;

	both_up(ends);
	spec.lenient = true;
	request(&ends[0], BFD_REQUEST_SET, &spec);
	engine_kill(&ends[1]);
	event = await(&ends[0], BFD_DOWN);
	cr_assert(!event.failure);
	cr_assert_eq(event.diag, BFD_DIAG_TIME_EXPIRED);
	cr_assert_eq(ends[0].map[SLOT].deadline_ns, 0);
	engine_kill(&ends[0]);
}

Test(bfd_engine, admin_down_is_no_failure)
{
	struct engine ends[2];
	struct bfd_spec spec = spec_of(1);
	struct bfd_event event;

	both_up(ends);
	request(&ends[1], BFD_REQUEST_REMOVE, &spec);
	event = await(&ends[0], BFD_DOWN);
	cr_assert(!event.failure);
	cr_assert_eq(event.remote_state, BFD_ADMIN_DOWN);
	cr_assert_eq(ends[0].map[SLOT].deadline_ns, 0);
	for (unsigned int i = 0; i < 2; i++)
		engine_kill(&ends[i]);
}

/* xrsd is gone: the peer hears it before it misses anything, and the engine ends. */
Test(bfd_engine, without_xrsd_it_says_goodbye)
{
	struct engine ends[2];
	struct bfd_event event;

	both_up(ends);
	close(ends[1].fd);
	event = await(&ends[0], BFD_DOWN);
	cr_assert(!event.failure);
	cr_assert_eq(event.remote_state, BFD_ADMIN_DOWN);
	cr_assert_eq(waitpid(ends[1].pid, NULL, 0), ends[1].pid);
	engine_kill(&ends[0]);
}

/* Another session in the same slot; what is said about the former one has no effect any more. */
Test(bfd_engine, another_discriminator_is_another_session)
{
	struct engine ends[2];
	struct bfd_spec spec = spec_of(0), former = spec;

	both_up(ends);
	spec.discr += 2 * XRS_BFD_MAX;
	ends[0].map[SLOT].local_discr = spec.discr;
	request(&ends[0], BFD_REQUEST_SET, &spec);
	cr_assert_eq(await(&ends[0], BFD_UP).discr, spec.discr);
	request(&ends[0], BFD_REQUEST_REMOVE, &former);
	cr_assert(settles(&ends[0], 3 * INTERVAL));
	cr_assert_eq(ends[0].shared->status[SLOT].discr, spec.discr);
	for (unsigned int i = 0; i < 2; i++)
		engine_kill(&ends[i]);
}
