// SPDX-License-Identifier: GPL-2.0-only
/* The peers of the bench; see bgp_peer.h. */
#include "bgp_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_LEN     19
#define MSG_MAX        4096
#define READ_MAX       (64u << 10)
#define SEND_MAX       (256u << 10) /* in one turn: a quick speaker would keep us here for ever */
#define PORT           179
#define HOLD_TIME      180
#define KEEPALIVE_USEC 20000000u
#define RETRY_MSEC     100

enum {
	OPEN = 1,
	UPDATE = 2,
	NOTIFICATION = 3,
	KEEPALIVE = 4
};

uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench_bgp: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* --- sending --------------------------------------------------------------------------------- */

static void watch(struct peer *peer)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

	peer->watching_out = peer->out_len > 0;
	if (peer->watching_out)
		event.events |= EPOLLOUT;
	epoll_ctl(peer->net->epoll_fd, EPOLL_CTL_MOD, peer->fd, &event);
}

static void send_more(struct peer *peer)
{
	size_t left = SEND_MAX;

	while (peer->out_len && left) {
		ssize_t n = send(peer->fd, peer->out, peer->out_len < left ? peer->out_len : left,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			die("send: %s", strerror(errno));
		peer->out += n;
		peer->out_len -= (size_t)n;
		left -= (size_t)n;
	}
	if (peer->watching_out != (peer->out_len > 0))
		watch(peer);
}

void peer_send(struct peer *peer, const struct octets *data)
{
	peer->out = data->data;
	peer->out_len = data->len;
	send_more(peer);
}

bool peer_sent(const struct peer *peer)
{
	return !peer->out_len;
}

/* Small enough to fit the socket's buffer at any time that it is used. */
static void send_small(const struct peer *peer, const uint8_t *msg, size_t len)
{
	if (send(peer->fd, msg, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send: %s", strerror(errno));
}

static void send_keepalive(const struct peer *peer)
{
	static const uint8_t msg[HEADER_LEN] = { [0 ... 15] = 0xff, [17] = HEADER_LEN, KEEPALIVE };

	send_small(peer, msg, sizeof(msg));
}

/* RFC 4271 4.2, with one parameter: capabilities IPv4 unicast (RFC 4760) and 4-octet ASN (RFC 6793). */
static void send_open(const struct peer *peer)
{
	uint8_t msg[] = { [0 ... 15] = 0xff,
			  0,
			  43,
			  OPEN,
			  4,
			  0,
			  0,
			  0,
			  HOLD_TIME,
			  0,
			  0,
			  0,
			  0,
			  14,
			  2,
			  12,
			  1,
			  4,
			  0,
			  1,
			  0,
			  1,
			  65,
			  4,
			  0,
			  0,
			  0,
			  0 };
	uint16_t as2 = htons(peer->asn > 0xffff ? 23456 : (uint16_t)peer->asn);
	uint32_t as4 = htonl(peer->asn);

	memcpy(msg + 20, &as2, 2);
	memcpy(msg + 24, &peer->local.s_addr, 4);
	memcpy(msg + sizeof(msg) - 4, &as4, 4);
	send_small(peer, msg, sizeof(msg));
}

/* --- receiving ------------------------------------------------------------------------------- */

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static const uint8_t *take_route(const uint8_t *at, const uint8_t *end, struct route *ret_route)
{
	unsigned int len = *at++, octets = (len + 7) / 8;
	uint32_t addr = 0;

	if (len > 32 || octets > (size_t)(end - at))
		die("malformed prefix received");
	for (unsigned int i = 0; i < 4; i++)
		addr = addr << 8 | (i < octets ? at[i] : 0);
	ret_route->addr = addr;
	ret_route->len = (uint8_t)len;
	return at + octets;
}

struct seen_attrs {
	uint32_t second_asn; /* of AS_PATH */
	uint32_t community;  /* the first, or 0 */
};

static void read_attrs(const uint8_t *at, const uint8_t *end, struct seen_attrs *ret)
{
	while (end - at >= 3) {
		uint8_t flags = at[0], code = at[1];
		size_t len = flags & 0x10 ? get16(at + 2) : at[2];

		at += flags & 0x10 ? 4 : 3;
		if (len > (size_t)(end - at))
			die("malformed attributes received");
		if (code == 2 && len >= 10)
			ret->second_asn = get32(at + 6);
		if (code == 8 && len >= 4)
			ret->community = get32(at);
		at += len;
	}
}

static void receive_update(struct peer *peer, const uint8_t *body, size_t len)
{
	const uint8_t *at = body + 2, *end = body + len, *attrs;
	const uint8_t *withdrawn_end = at + get16(body);
	struct seen_attrs seen = { 0 };
	struct route route;

	peer->updates++;
	while (at < withdrawn_end) {
		at = take_route(at, withdrawn_end, &route);
		set_del(&peer->held, route);
		if (peer->want_asn)
			set_del(&peer->wanted, route);
		peer->prefixes_in++;
	}
	attrs = at + 2;
	at = attrs + get16(at);
	if (at > end)
		die("malformed UPDATE received");
	if (peer->want_asn || peer->on_community)
		read_attrs(attrs, at, &seen);
	if (peer->on_community && seen.community)
		peer->on_community(peer->ctx, seen.community);
	while (at < end) {
		at = take_route(at, end, &route);
		set_add(&peer->held, route);
		if (peer->want_asn && seen.second_asn == peer->want_asn)
			set_add(&peer->wanted, route);
		else if (peer->want_asn)
			set_del(&peer->wanted, route);
		peer->prefixes_in++;
	}
}

static void receive_open(struct peer *peer, const uint8_t *body, size_t len)
{
	peer->speaker_asn = get16(body + 1);
	send_keepalive(peer);
}

static void receive(struct peer *peer, const uint8_t *msg, size_t len)
{
	const uint8_t *body = msg + HEADER_LEN;

	switch (msg[18]) {
	case OPEN:
		receive_open(peer, body, len - HEADER_LEN);
		break;
	case UPDATE:
		receive_update(peer, body, len - HEADER_LEN);
		break;
	case NOTIFICATION:
		die("NOTIFICATION %u/%u received by AS%u", body[0], body[1], peer->asn);
	case KEEPALIVE:
		peer->established = true;
		break;
	}
}

static uint8_t scratch[MSG_MAX + READ_MAX];

static void keep(struct peer *peer, const uint8_t *data, size_t len)
{
	if (!peer->buf && len)
		peer->buf = malloc(MSG_MAX);
	if (len && !peer->buf)
		die("out of memory");
	if (len)
		memcpy(peer->buf, data, len);
	peer->have = len;
}

/* The connection ended: only a peer that has not been let in yet may try again. */
static void lost(struct peer *peer, int error)
{
	if (peer->established)
		die("AS%u lost its session: %s", peer->asn, error ? strerror(error) : "closed");
	close(peer->fd);
	peer->fd = -1;
	peer->have = 0;
}

static void receive_more(struct peer *peer)
{
	ssize_t n = recv(peer->fd, scratch + peer->have, READ_MAX, MSG_DONTWAIT);
	size_t at = 0, len;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		lost(peer, n < 0 ? errno : 0);
		return;
	}
	if (peer->have)
		memcpy(scratch, peer->buf, peer->have);
	len = peer->have + (size_t)n;
	peer->octets_in += (size_t)n;
	while (len - at >= HEADER_LEN) {
		size_t msg_len = get16(scratch + at + 16);

		if (msg_len < HEADER_LEN || msg_len > MSG_MAX)
			die("message of %zu octets received", msg_len);
		if (len - at < msg_len)
			break;
		receive(peer, scratch + at, msg_len);
		at += msg_len;
	}
	keep(peer, scratch + at, len - at);
}

/* --- connections ----------------------------------------------------------------------------- */

void net_init(struct net *net, struct in_addr speaker, struct in_addr first, uint32_t asn,
	      unsigned int n)
{
	*net = (struct net){ .speaker = speaker, .n = n };
	net->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	net->peers = calloc(n, sizeof(*net->peers));
	if (net->epoll_fd < 0 || !net->peers)
		die("%s", strerror(errno));
	for (unsigned int i = 0; i < n; i++) {
		struct peer *peer = &net->peers[i];

		peer->net = net;
		peer->fd = -1;
		peer->local.s_addr = htonl(ntohl(first.s_addr) + i);
		peer->asn = asn + i;
	}
}

/* Blocks for the handshake of TCP only: the speaker is one hop away. */
static void try_connect(struct peer *peer)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr = peer->local };
	struct sockaddr_in remote = { .sin_family = AF_INET,
				      .sin_port = htons(PORT),
				      .sin_addr = peer->net->speaker };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		die("bind %s: %s", inet_ntoa(peer->local), strerror(errno));
	if (connect(fd, (struct sockaddr *)&remote, sizeof(remote)) < 0) {
		close(fd);
		return;
	}
	peer->fd = fd;
	peer->watching_out = false;
	if (epoll_ctl(peer->net->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll: %s", strerror(errno));
	send_open(peer);
}

static bool all_established(const struct net *net)
{
	for (unsigned int i = 0; i < net->n; i++) {
		if (!net->peers[i].established)
			return false;
	}
	return true;
}

void net_establish(struct net *net, unsigned int seconds)
{
	uint64_t end = now_usec() + seconds * 1000000ull, retry = 0;

	while (!all_established(net)) {
		if (now_usec() > end)
			die("not all sessions came up within %u s", seconds);
		for (unsigned int i = 0; now_usec() >= retry && i < net->n; i++) {
			if (net->peers[i].fd < 0)
				try_connect(&net->peers[i]);
		}
		if (now_usec() >= retry)
			retry = now_usec() + RETRY_MSEC * 1000;
		net_turn(net, RETRY_MSEC / 4);
	}
}

/* While a peer sends UPDATEs those do. */
static void send_keepalives(struct net *net)
{
	uint64_t now = now_usec();

	if (now < net->next_keepalive)
		return;
	net->next_keepalive = now + KEEPALIVE_USEC;
	for (unsigned int i = 0; i < net->n; i++) {
		if (net->peers[i].established && net->peers[i].fd >= 0 && !net->peers[i].out_len)
			send_keepalive(&net->peers[i]);
	}
}

void net_turn(struct net *net, int wait_msec)
{
	struct epoll_event events[64];
	int n = epoll_wait(net->epoll_fd, events, 64, wait_msec);

	for (int i = 0; i < n; i++) {
		struct peer *peer = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			send_more(peer);
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive_more(peer);
	}
	send_keepalives(net);
}

void peer_die(struct peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
	peer->established = false;
}
