// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node's end of the BFD engine: which session has which slot, the engine's start and its restart, and
 * messages both ways. Decides nothing about a session. See the header.
 */
#include "agent/bfd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/bfd_engine.h"
#include "agent/loop.h"
#include "util/log.h"

#define SUBSYS       "bfd"
#define RESTART_SEC  1
#define SEND_SEC     1 /* an engine that takes nothing for so long is started again */
#define HIGH_FD      16 /* above the engine's numbers, so that none is overwritten before it is copied */
#define STATUS_TRIES 100

struct bfd_slot {
	bool used;
	void *owner;
	struct bfd_spec spec;
};

struct bfd {
	struct loop *loop;
	struct bfd_map map;
	bfd_changed_fn changed;
	struct bfd_shared *shared; /* with the engine */
	int shared_fd;
	struct loop_io io; /* our end of the socket; fd -1: no engine */
	struct loop_timer restart;
	pid_t pid;
	uint64_t restarts;
	struct bfd_slot slots[XRS_BFD_MAX];
};

/* --- starting ---------------------------------------------------------------------------------------- */

/* Copies @fd to where nothing is in the way and has the child find it at @to. */
static int hand_over(posix_spawn_file_actions_t *actions, int fd, int to, int *ret_copy)
{
	*ret_copy = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	if (*ret_copy < 0)
		return -errno;
	return -posix_spawn_file_actions_adddup2(actions, *ret_copy, to);
}

static int hand_over_all(posix_spawn_file_actions_t *actions, const struct bfd *bfd, int socket,
			 int copies[static 3])
{
	int error = hand_over(actions, socket, BFD_ENGINE_SOCKET_FD, &copies[0]);

	if (!error)
		error = hand_over(actions, bfd->shared_fd, BFD_ENGINE_SHARED_FD, &copies[1]);
	if (!error && bfd->map.fd >= 0)
		error = hand_over(actions, bfd->map.fd, BFD_ENGINE_MAP_FD, &copies[2]);
	return error;
}

/* This very program, also when its file has been replaced since. */
static int spawn(struct bfd *bfd, int socket)
{
	char *const argv[] = { (char *)"xrsd", (char *)BFD_ENGINE_OPTION, NULL };
	int copies[3] = { -1, -1, -1 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int error;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none); /* the loop has blocked some */
	error = hand_over_all(&actions, bfd, socket, copies);
	if (!error)
		error = -posix_spawn(&bfd->pid, "/proc/self/exe", &actions, &attributes, argv,
				     environ);
	for (unsigned int i = 0; i < 3; i++) {
		if (copies[i] >= 0)
			close(copies[i]);
	}
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static void lost(struct bfd *bfd, const char *why);

static bool request(struct bfd *bfd, enum bfd_request_kind kind, const struct bfd_spec *spec)
{
	struct bfd_request message = { .kind = kind, .spec = *spec };
	bool ok = bfd->io.fd >= 0 &&
		  send(bfd->io.fd, &message, sizeof(message), MSG_NOSIGNAL) == sizeof(message);

	explicit_bzero(&message, sizeof(message));
	if (!ok && bfd->io.fd >= 0)
		lost(bfd, strerror(errno));
	return ok;
}

static void on_event(struct loop_io *io, uint32_t events);

static int start(struct bfd *bfd)
{
	const struct timeval patience = { .tv_sec = SEND_SEC };
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	error = spawn(bfd, pair[1]);
	close(pair[1]);
	if (!error) {
		bfd->io = (struct loop_io){
			.fd = pair[0], .fn = on_event, .ctx = bfd, .urgent = true
		};
		error = loop_io_add(bfd->loop, &bfd->io, EPOLLIN);
	}
	if (error) {
		close(pair[0]);
		bfd->io.fd = -1;
		return error;
	}
	for (uint32_t slot = 1; slot < XRS_BFD_MAX; slot++) {
		if (bfd->slots[slot].used && !request(bfd, BFD_REQUEST_SET, &bfd->slots[slot].spec))
			return -EPIPE;
	}
	return 0;
}

static void try_start(struct bfd *bfd)
{
	int error = start(bfd);

	if (!error)
		return;
	log_err(SUBSYS, "the engine can not be started: %s", strerror(-error));
	loop_timer_set(bfd->loop, &bfd->restart, mono_add_sec(loop_now(bfd->loop), RESTART_SEC));
}

static void on_restart(struct loop_timer *timer)
{
	struct bfd *bfd = timer->ctx;

	bfd->restarts++;
	try_start(bfd);
}

static void stop_engine(struct bfd *bfd)
{
	if (bfd->io.fd < 0)
		return;
	loop_io_del(bfd->loop, &bfd->io);
	close(bfd->io.fd);
	bfd->io.fd = -1;
}

/* Nobody watches any more: what was not dead is not to die by a deadline that nobody moves. */
static void lost(struct bfd *bfd, const char *why)
{
	log_err(SUBSYS, "the engine is gone: %s; it is started again in %d s", why, RESTART_SEC);
	stop_engine(bfd);
	kill(bfd->pid, SIGKILL);
	waitpid(bfd->pid, NULL, 0);
	bfd->pid = 0;
	memset(bfd->shared, 0, sizeof(*bfd->shared));
	for (uint32_t slot = 1; bfd->map.entries && slot < XRS_BFD_MAX; slot++) {
		struct xrs_bfd *entry = &bfd->map.entries[slot];

		if (bfd->slots[slot].used && entry->deadline_ns > 1)
			__atomic_store_n(&entry->deadline_ns, 0, __ATOMIC_SEQ_CST);
	}
	loop_timer_set(bfd->loop, &bfd->restart, mono_add_sec(loop_now(bfd->loop), RESTART_SEC));
}

static void on_event(struct loop_io *io, uint32_t events)
{
	struct bfd *bfd = io->ctx;
	struct bfd_event event;
	ssize_t n;

	while (io->fd >= 0 && (n = recv(io->fd, &event, sizeof(event), MSG_DONTWAIT)) > 0) {
		const struct bfd_slot *slot = &bfd->slots[event.slot % XRS_BFD_MAX];

		if (n == sizeof(event) && slot->used && slot->spec.discr == event.discr)
			bfd->changed(slot->owner, &event);
	}
	if (io->fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
		lost(bfd, n == 0 ? "it ended" : strerror(errno));
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static uint32_t free_slot(const struct bfd *bfd, uint32_t hint)
{
	if (hint && hint < XRS_BFD_MAX && !bfd->slots[hint].used)
		return hint;
	/* One that an earlier process named for somebody is left to him as long as others are free. */
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (uint32_t slot = 1; slot < XRS_BFD_MAX; slot++) {
			if (!bfd->slots[slot].used &&
			    (pass || !bfd->map.entries || !bfd->map.entries[slot].local_discr))
				return slot;
		}
	}
	return 0;
}

/* The low bits are the slot: the program finds its entry with them. */
static uint32_t new_discr(uint32_t slot)
{
	uint32_t high;

	do {
		high = arc4random() & ~(uint32_t)(XRS_BFD_MAX - 1);
	} while (!high);
	return high | slot;
}

int bfd_add(struct bfd *bfd, const struct bfd_spec *spec, uint32_t slot_hint, void *owner)
{
	uint32_t slot = free_slot(bfd, slot_hint);

	if (!slot)
		return -ENOSPC;
	bfd->slots[slot] = (struct bfd_slot){ .used = true, .owner = owner, .spec = *spec };
	bfd->slots[slot].spec.slot = slot;
	bfd->slots[slot].spec.discr = new_discr(slot);
	if (bfd->io.fd < 0 && !loop_timer_is_set(&bfd->restart))
		try_start(bfd); /* and it is told about all slots */
	else
		request(bfd, BFD_REQUEST_SET, &bfd->slots[slot].spec);
	return (int)slot;
}

void bfd_change(struct bfd *bfd, uint32_t slot, const struct bfd_spec *spec)
{
	struct bfd_spec *ours = &bfd->slots[slot].spec;

	ours->lenient = spec->lenient;
	ours->session = spec->session;
	memcpy(ours->name, spec->name, sizeof(ours->name));
	request(bfd, BFD_REQUEST_SET, ours);
}

void bfd_remove(struct bfd *bfd, uint32_t slot)
{
	request(bfd, BFD_REQUEST_REMOVE, &bfd->slots[slot].spec);
	explicit_bzero(&bfd->slots[slot], sizeof(bfd->slots[slot]));
}

void bfd_pardon(struct bfd *bfd, uint32_t slot)
{
	request(bfd, BFD_REQUEST_PARDON, &bfd->slots[slot].spec);
}

uint32_t bfd_discr(const struct bfd *bfd, uint32_t slot)
{
	return bfd->slots[slot].spec.discr;
}

/* The engine writes at this moment? Then once more; it is done within a microsecond. */
bool bfd_get_status(const struct bfd *bfd, uint32_t slot, struct bfd_status *ret_status)
{
	const struct bfd_status *status = &bfd->shared->status[slot];

	for (unsigned int i = 0; i < STATUS_TRIES; i++) {
		uint32_t version = __atomic_load_n(&status->version, __ATOMIC_ACQUIRE);
		struct bfd_status copy = *status;

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (version & 1 || version != __atomic_load_n(&status->version, __ATOMIC_RELAXED))
			continue;
		if (!copy.discr || copy.discr != bfd->slots[slot].spec.discr)
			return false;
		*ret_status = copy;
		return true;
	}
	return false;
}

/* --- lateness ----------------------------------------------------------------------------------------- */

static const uint64_t bounds[BFD_LATENESS_BUCKETS - 1] = BFD_LATENESS_BOUNDS;

uint64_t bfd_lateness_bound_usec(unsigned int bucket)
{
	return bucket < BFD_LATENESS_BUCKETS - 1 ? bounds[bucket] : 0;
}

void bfd_lateness_add(struct bfd_lateness *lateness, uint64_t usec)
{
	unsigned int bucket = 0;

	while (bucket < BFD_LATENESS_BUCKETS - 1 && usec > bounds[bucket])
		bucket++;
	lateness->count[bucket]++;
	lateness->total++;
	lateness->sum_usec += usec;
}

/* Figures of one moment are not promised to add up: nobody waits for the engine. */
struct bfd_lateness bfd_get_lateness(const struct bfd *bfd)
{
	return bfd->shared->lateness;
}

/* --- life ------------------------------------------------------------------------------------------------ */

int bfd_engine_pid(const struct bfd *bfd)
{
	return bfd->io.fd >= 0 ? bfd->pid : 0;
}

uint64_t bfd_engine_restarts(const struct bfd *bfd)
{
	return bfd->restarts;
}

int bfd_new(struct loop *loop, const struct bfd_map *map, bfd_changed_fn changed,
	    struct bfd **ret_bfd)
{
	struct bfd *bfd = calloc(1, sizeof(*bfd));
	void *shared;

	if (!bfd)
		return -ENOMEM;
	bfd->loop = loop;
	bfd->map = *map;
	bfd->changed = changed;
	bfd->io.fd = -1;
	bfd->restart = (struct loop_timer){ .fn = on_restart, .ctx = bfd };
	bfd->shared_fd = memfd_create("xrs-bfd-status", MFD_CLOEXEC);
	if (bfd->shared_fd < 0 || ftruncate(bfd->shared_fd, sizeof(*bfd->shared)) < 0) {
		bfd_free(bfd);
		return -ENOMEM;
	}
	shared = mmap(NULL, sizeof(*bfd->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bfd->shared_fd, 0);
	if (shared == MAP_FAILED) {
		bfd_free(bfd);
		return -ENOMEM;
	}
	bfd->shared = shared;
	*ret_bfd = bfd;
	return 0;
}

void bfd_free(struct bfd *bfd)
{
	if (!bfd)
		return;
	stop_engine(bfd);
	loop_timer_stop(bfd->loop, &bfd->restart);
	if (bfd->shared)
		munmap(bfd->shared, sizeof(*bfd->shared));
	if (bfd->shared_fd >= 0)
		close(bfd->shared_fd);
	explicit_bzero(bfd->slots, sizeof(bfd->slots));
	free(bfd);
}
