// SPDX-License-Identifier: GPL-2.0-only
/*
 * L4 probes: at most one nonblocking connect() of each under way. Called by node_peering.c. Decides nothing
 * but alive or dead. See the header.
 */
#include "agent/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/loop.h"
#include "agent/privilege.h"
#include "agent/sockaddr.h"

struct probe {
	struct loop *loop;
	struct probe_config config;
	void (*changed)(void *owner, bool alive);
	void *owner;
	struct loop_io io; /* fd -1: nothing under way */
	struct loop_timer timer;
	struct mono started;
	bool dead;
	struct probe_stats stats;
};

static void close_socket(struct probe *probe)
{
	if (probe->io.fd < 0)
		return;
	loop_io_del(probe->loop, &probe->io);
	close(probe->io.fd);
	probe->io.fd = -1;
}

/* The outcome of one attempt, and when the next one is due. */
static void conclude(struct probe *probe, int error)
{
	struct mono now = loop_now(probe->loop);
	bool dead = probe->dead;

	close_socket(probe);
	loop_timer_set(probe->loop, &probe->timer,
		       mono_add_msec(probe->started, probe->config.interval_ms));
	probe->stats.last_error = error;
	if (error) {
		probe->stats.failed++;
		dead |= ++probe->stats.in_a_row >= probe->config.failures;
	} else {
		probe->stats.in_a_row = 0;
		probe->stats.rtt_usec = (uint32_t)mono_since_usec(now, probe->started);
		dead = false;
	}
	if (dead == probe->dead)
		return;
	probe->dead = dead;
	probe->changed(probe->owner, !dead);
}

static void on_connected(struct loop_io *io, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	conclude(io->ctx, error);
}

static int open_socket(const struct probe_config *config)
{
	int domain = config->peer.family == IP_V6 ? AF_INET6 : AF_INET;
	const struct linger abort = { .l_onoff = 1 }; /* no TIME_WAIT for each probe */
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_from_ip(&config->local, 0, config->device, &sa);
	int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	if (config->device[0])
		error = privilege_bind_device(fd, config->device);
	if (!error && len && bind(fd, (struct sockaddr *)&sa, len) < 0)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

static int start(struct probe *probe)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_from_ip(&probe->config.peer, probe->config.port,
					 probe->config.device, &sa);
	int fd = open_socket(&probe->config), error;

	if (fd < 0)
		return fd;
	probe->io.fd = fd;
	error = connect(fd, (struct sockaddr *)&sa, len) < 0 ? errno : 0;
	if (error && error != EINPROGRESS)
		return -error;
	return loop_io_add(probe->loop, &probe->io, EPOLLOUT);
}

/* The interval is over, or the attempt under way has taken too long. */
static void on_timer(struct loop_timer *timer)
{
	struct probe *probe = timer->ctx;
	int error;

	if (probe->io.fd >= 0) {
		conclude(probe, ETIMEDOUT);
		return;
	}
	probe->started = loop_now(probe->loop);
	probe->stats.sent++;
	error = start(probe);
	if (error < 0)
		conclude(probe, -error);
	else
		loop_timer_set(probe->loop, timer,
			       mono_add_msec(probe->started, probe->config.timeout_ms));
}

int probe_new(struct loop *loop, const struct probe_config *config,
	      void (*changed)(void *owner, bool alive), void *owner, struct probe **ret_probe)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe)
		return -ENOMEM;
	probe->loop = loop;
	probe->config = *config;
	probe->changed = changed;
	probe->owner = owner;
	probe->io = (struct loop_io){ .fd = -1, .fn = on_connected, .ctx = probe };
	probe->timer = (struct loop_timer){ .fn = on_timer, .ctx = probe };
	loop_timer_set(loop, &probe->timer, loop_now(loop));
	*ret_probe = probe;
	return 0;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	close_socket(probe);
	loop_timer_stop(probe->loop, &probe->timer);
	free(probe);
}

bool probe_is_alive(const struct probe *probe)
{
	return !probe->dead;
}

const struct probe_config *probe_config(const struct probe *probe)
{
	return &probe->config;
}

const struct probe_stats *probe_stats(const struct probe *probe)
{
	return &probe->stats;
}
