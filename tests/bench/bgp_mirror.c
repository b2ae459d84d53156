// SPDX-License-Identifier: GPL-2.0-only
/* The bare mirror; see bgp_mirror.h. */
#include "bgp_mirror.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp_peer.h"

#define HEADER_LEN 19

static int listen_at(const char *local)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(179) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, local, &sa.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 8) < 0)
		die("listen at %s: %s", local, strerror(errno));
	return fd;
}

/* Sends the peer's own OPEN back and a KEEPALIVE: all that bench_bgp's peers look for. */
static int accept_one(int listener)
{
	static const uint8_t keepalive[HEADER_LEN] = { [0 ... 15] = 0xff, [17] = HEADER_LEN, 4 };
	uint8_t open[4096];
	int one = 1, fd = accept(listener, NULL, NULL);
	ssize_t n;

	if (fd < 0)
		die("accept: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	n = recv(fd, open, sizeof(open), 0);
	if (n < HEADER_LEN || send(fd, open, (size_t)n, 0) != n ||
	    send(fd, keepalive, sizeof(keepalive), 0) != (ssize_t)sizeof(keepalive))
		die("no OPEN came");
	return fd;
}

/* Peer 0 of bench_bgp, the receiver, connects first. KEEPALIVEs of its own are dropped. */
void mirror_run(const char *local)
{
	static uint8_t buf[65536];
	int listener = listen_at(local);
	int receiver = accept_one(listener), sender = accept_one(listener);
	struct pollfd fds[] = { { sender, POLLIN, 0 }, { receiver, POLLIN, 0 } };

	for (;;) {
		ssize_t n;

		poll(fds, 2, -1);
		if (fds[1].revents && recv(receiver, buf, sizeof(buf), 0) <= 0)
			_exit(0);
		if (!fds[0].revents)
			continue;
		n = recv(sender, buf, sizeof(buf), 0);
		if (n <= 0 || send(receiver, buf, (size_t)n, MSG_NOSIGNAL) != n)
			_exit(0);
	}
}
