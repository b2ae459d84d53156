// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many BGP peers of one speaker, good and bad, for tests/netns. Each has its own address and AS number,
 * counted up from the first; all connect, none listens. What they do is one word:
 *
 *	tool_peers BEHAVIOUR SPEAKER FIRST-ADDRESS FIRST-ASN COUNT [ROUTES [CODE/SUBCODE]]
 *
 *	speak    Established, announces ROUTES /24s of its own, keeps the session
 *	dribble  the same, octet by octet, each in a segment of its own
 *	mute     connects and says nothing
 *	deaf     Established, then never reads again, but sends KEEPALIVEs
 *	garbage  connects, sends octets that mean nothing, again and again
 *	old      knows no optional parameters: answers an OPEN that has any with 2/4 (RFC 5492 3)
 *	flap     Established, then closes at once, again and again
 *	tell     Established, then sends the NOTIFICATION named and closes
 *
 * Whenever it changed it prints "open N established N routes N closed N notified CODE/SUBCODE". Runs until
 * it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bgp/frame.h"
#include "bgp/open.h"
#include "bgp/update_encode.h"

#define HOLD_TIME      60
#define RETRY_MSEC     200
#define GARBAGE_OCTETS 65536

enum behaviour {
	SPEAK,
	DRIBBLE,
	MUTE,
	DEAF,
	GARBAGE,
	OLD,
	FLAP,
	TELL,
	BEHAVIOUR_MAX,
};
static const char *const names[BEHAVIOUR_MAX] = { "speak",   "dribble", "mute", "deaf",
						  "garbage", "old",     "flap", "tell" };

struct peer {
	int fd; /* -1: to be connected again */
	uint32_t asn;
	struct in_addr local;
	uint32_t number;
	bool connected, opened, established;
	bool last_words; /* hangs up when all is sent */
	uint8_t *out;    /* what is to be sent */
	size_t out_len, out_done, out_cap;
	uint8_t in[2 * BGP_MSG_MAX];
	size_t in_len;
};

static struct {
	enum behaviour behaviour;
	struct sockaddr_in speaker;
	uint32_t routes;
	int epoll;
	unsigned int open, established, routes_sent, closed;
	uint8_t code, subcode;
	unsigned int tell_code, tell_subcode;
} all;

static void say(void)
{
	printf("open %u established %u routes %u closed %u notified %u/%u\n", all.open,
	       all.established, all.routes_sent, all.closed, all.code, all.subcode);
	fflush(stdout);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* --- what is sent -------------------------------------------------------------------------------- */

static uint8_t *room(struct peer *p, size_t len)
{
	if (p->out_len + len > p->out_cap) {
		p->out_cap = 2 * (p->out_len + len);
		p->out = realloc(p->out, p->out_cap);
		if (!p->out)
			fail("realloc");
	}
	return p->out + p->out_len;
}

static void put_open(struct peer *p)
{
	struct bgp_open open = { .version = BGP_VERSION,
				 .my_as = p->asn > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)p->asn,
				 .hold_time = HOLD_TIME,
				 .id = ntohl(p->local.s_addr) };

	open.caps.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	if (all.behaviour != OLD)
		open.caps.multiprotocol = open.caps.route_refresh = open.caps.as4 = true;
	open.caps.asn = p->asn;
	p->out_len +=
		(size_t)bgp_open_encode(&open, room(p, BGP_OPEN_ENCODED_MAX), BGP_OPEN_ENCODED_MAX);
}

static void put_keepalive(struct peer *p)
{
	p->out_len += (size_t)bgp_keepalive_encode(room(p, BGP_HEADER_LEN), BGP_HEADER_LEN);
}

/* 100.0.0.0/8 and what follows it, a /24 each; every peer its own. */
static void put_routes(struct peer *p)
{
	struct bgp_session_params params = { .as4 = all.behaviour != OLD,
					     .ebgp = true,
					     .local_asn = p->asn,
					     .families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) };
	uint8_t path[6] = { 2, 1 };
	uint32_t asn = htonl(p->asn);
	struct bgp_attrs attrs = { .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH,
				   .as_path = { path, sizeof(path) },
				   .next_hop = ip_from_v4(ntohl(p->local.s_addr)) };
	struct ip_prefix *prefixes = calloc(all.routes + 1, sizeof(*prefixes));
	struct bgp_prefix_batch batch = { .prefixes = prefixes, .count = all.routes };
	int len;

	memcpy(path + 2, &asn, 4);
	for (uint32_t i = 0; i < all.routes; i++) {
		uint32_t net = (100u << 24) + ((p->number * all.routes + i) << 8);

		prefixes[i] = (struct ip_prefix){ ip_from_v4(net), 24 };
	}
	while ((len = bgp_update_encode_reach(&attrs, BGP_IPV4_UNICAST, &params, &batch,
					      room(p, BGP_MSG_MAX), BGP_MSG_MAX)) > 0)
		p->out_len += (size_t)len;
	free(prefixes);
	all.routes_sent += all.routes;
}

/* --- connections ------------------------------------------------------------------------------------ */

static void watch(struct peer *p)
{
	bool reads = !(all.behaviour == DEAF && p->established);
	struct epoll_event event = { .data.ptr = p };

	event.events = (reads ? EPOLLIN : 0u) |
		       (!p->connected || p->out_done < p->out_len ? EPOLLOUT : 0u);
	if (epoll_ctl(all.epoll, EPOLL_CTL_MOD, p->fd, &event) < 0 &&
	    epoll_ctl(all.epoll, EPOLL_CTL_ADD, p->fd, &event) < 0)
		fail("epoll_ctl");
}

static void hang_up(struct peer *p)
{
	close(p->fd);
	all.open -= p->connected;
	all.established -= p->established;
	all.closed += p->connected;
	p->fd = -1;
	p->connected = p->opened = p->established = p->last_words = false;
	p->out_len = p->out_done = p->in_len = 0;
	say();
}

static void dial(struct peer *p)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr = p->local };
	int one = 1, small = 4096;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		fail("socket");
	setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (all.behaviour == DEAF)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(p->fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		fail("bind");
	if (connect(p->fd, (struct sockaddr *)&all.speaker, sizeof(all.speaker)) < 0 &&
	    errno != EINPROGRESS) {
		hang_up(p);
		return;
	}
	watch(p);
}

static void on_connected(struct peer *p)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		hang_up(p);
		return;
	}
	p->connected = true;
	all.open++;
	say();
	if (all.behaviour == GARBAGE) {
		uint8_t *octets = room(p, GARBAGE_OCTETS);

		for (size_t i = 0; i < GARBAGE_OCTETS; i++)
			octets[i] = (uint8_t)random();
		p->out_len += GARBAGE_OCTETS;
	} else if (all.behaviour != MUTE) {
		put_open(p);
	}
}

static void put_notification(struct peer *p, unsigned int code, unsigned int subcode)
{
	struct bgp_error error;

	bgp_error_set(&error, (uint8_t)code, (uint8_t)subcode, NULL, NULL, 0);
	p->out_len += (size_t)bgp_notification_encode(&error, room(p, BGP_MSG_MAX), BGP_MSG_MAX);
	p->last_words = true;
}

/* What its behaviour makes of a peer that is Established. */
static void on_established(struct peer *p)
{
	if (all.behaviour == TELL)
		put_notification(p, all.tell_code, all.tell_subcode);
	else if (all.behaviour == FLAP)
		p->last_words = true;
	else
		put_routes(p);
	say();
}

/* RFC 4271 4.2: the length of the optional parameters is the tenth octet. */
static bool has_parameters(const struct bgp_frame *frame)
{
	return frame->body_len > 9 && frame->body[9];
}

static void on_message(struct peer *p, const struct bgp_frame *frame)
{
	if (frame->type == BGP_MSG_NOTIFICATION && frame->body_len >= 2) {
		all.code = frame->body[0];
		all.subcode = frame->body[1];
		say();
	}
	if (frame->type == BGP_MSG_OPEN && !p->opened && all.behaviour != MUTE) {
		p->opened = all.behaviour != OLD || !has_parameters(frame);
		if (p->opened)
			put_keepalive(p);
		else
			put_notification(p, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER);
	}
	if (frame->type != BGP_MSG_KEEPALIVE)
		return;
	if (!p->established && p->opened) {
		p->established = true;
		all.established++;
		on_established(p);
	}
	if (p->established)
		put_keepalive(p);
}

static void on_input(struct peer *p)
{
	struct bgp_error error;
	struct bgp_frame frame;
	size_t done = 0;
	ssize_t n = recv(p->fd, p->in + p->in_len, sizeof(p->in) - p->in_len, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		hang_up(p);
		return;
	}
	p->in_len += (size_t)n;
	while (bgp_frame_next(p->in + done, p->in_len - done, false, &frame, &error) == 1) {
		done += frame.total_len;
		on_message(p, &frame);
	}
	p->in_len -= done;
	memmove(p->in, p->in + done, p->in_len);
}

static void on_room(struct peer *p)
{
	while (p->out_done < p->out_len) {
		size_t len = all.behaviour == DRIBBLE ? 1 : p->out_len - p->out_done;
		ssize_t n = send(p->fd, p->out + p->out_done, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			hang_up(p);
			return;
		}
		p->out_done += (size_t)n;
	}
	p->out_len = p->out_done = 0;
	if (all.behaviour == GARBAGE || p->last_words)
		hang_up(p);
}

static void on_event(struct peer *p, uint32_t events)
{
	if (!p->connected) {
		on_connected(p);
	} else {
		if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			on_input(p);
		if (p->fd >= 0 && p->out_done < p->out_len)
			on_room(p);
	}
	if (p->fd >= 0)
		watch(p);
}

static uint64_t now_msec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tick(struct peer *p)
{
	if (p->fd < 0) {
		dial(p);
	} else if (all.behaviour == DEAF && p->established) {
		put_keepalive(p);
		on_room(p);
	}
}

static void run(struct peer *peers, unsigned int count)
{
	struct epoll_event events[256];
	uint64_t retry = 0;

	for (;;) {
		int n = epoll_wait(all.epoll, events, 256, RETRY_MSEC);

		for (int i = 0; i < n; i++)
			on_event(events[i].data.ptr, events[i].events);
		if (now_msec() < retry)
			continue;
		retry = now_msec() + RETRY_MSEC;
		for (unsigned int i = 0; i < count; i++)
			tick(&peers[i]);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct in_addr first;
	struct peer *peers;
	unsigned int count;

	if (argc < 6 || !inet_aton(argv[2], &all.speaker.sin_addr) || !inet_aton(argv[3], &first)) {
		fprintf(stderr, "usage: see the head of tool_peers.c\n");
		return 2;
	}
	while (all.behaviour < BEHAVIOUR_MAX && strcmp(argv[1], names[all.behaviour]) != 0)
		all.behaviour++;
	if (all.behaviour == BEHAVIOUR_MAX)
		return 2;
	all.speaker.sin_family = AF_INET;
	all.speaker.sin_port = htons(BGP_PORT);
	all.routes = argc > 6 ? (uint32_t)strtoul(argv[6], NULL, 10) : 0;
	if (argc > 7 && sscanf(argv[7], "%u/%u", &all.tell_code, &all.tell_subcode) != 2)
		return 2;
	count = (unsigned int)strtoul(argv[5], NULL, 10);
	setrlimit(RLIMIT_NOFILE, &files);
	all.epoll = epoll_create1(0);
	peers = calloc(count, sizeof(*peers));
	if (!peers || all.epoll < 0)
		fail("start");
	for (unsigned int i = 0; i < count; i++) {
		peers[i].fd = -1;
		peers[i].number = i;
		peers[i].asn = (uint32_t)strtoul(argv[4], NULL, 10) + i;
		peers[i].local.s_addr = htonl(ntohl(first.s_addr) + i);
	}
	run(peers, count);
}
