// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BFD engine's receiving sockets: one for each address, port and device, shared by the sessions there; each
 * packet goes to its session. Called by bfd_engine.c and the loop.
 */
#include "agent/bfd_engine_impl.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/privilege.h"
#include "agent/sockaddr.h"

#define RECEIVE_BATCH 64 /* packets of one socket before others have their turn */

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
		engine_judge_kernel(s);
	if (change & BFD_CHANGED_STATE)
		engine_state_changed(s, before, s->bfd.last_rx);
	engine_settle(s);
}

static void drain(struct receiver *r)
{
	struct arrival arrival;

	for (unsigned int i = 0; i < RECEIVE_BATCH && receive(r->io.fd, &arrival); i++)
		take(r, &arrival);
}

void engine_receive_all(void)
{
	for (struct receiver *r = engine.receivers; r; r = r->next) {
		if (r->io.fd >= 0)
			drain(r);
	}
}

static void on_packet(struct loop_io *io, uint32_t events)
{
	bfd_standin_lock(engine.standin);
	drain(io->ctx);
	engine_arm_timer();
	bfd_standin_unlock(engine.standin);
}

int engine_receiver_bind(struct receiver *r)
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

struct receiver *engine_receiver_get(const struct bfd_spec *spec)
{
	struct ip_addr local = spec->local;
	struct receiver *r;

	if (local.family == IP_NONE)
		local.family = spec->peer.family;
	for (r = engine.receivers; r; r = r->next) {
		if (ip_equal(&r->local, &local) && r->port == engine_port(spec) &&
		    strcmp(r->device, spec->device) == 0)
			break;
	}
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
		r->local = local;
		r->port = engine_port(spec);
		memcpy(r->device, spec->device, sizeof(r->device));
		r->io.fd = -1;
		r->next = engine.receivers;
		engine.receivers = r;
	}
	r->refs++;
	return r;
}

void engine_receiver_put(struct receiver *r)
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
