// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink sockets. Answers are matched by sequence number, so that a late answer to a question that timed
 * out is not taken for the next one's; datagrams of other processes are not listened to.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "net/nl_request.h"
#include "net/nlsock.h"

#define NETDEV_CMD_DEV_GET_   1 /* uapi linux/netdev.h, kernel 6.3 */
#define NETDEV_A_DEV_IFINDEX_ 1

struct nlsock {
	struct mnl_socket *mnl;
	uint32_t seq;
	union {
		struct nlmsghdr align;
		uint8_t octets[NLSOCK_BUF];
	} in;
	union {
		struct nlmsghdr align;
		uint8_t octets[NLSOCK_REQUEST];
	} out;
};

static int set_options(struct nlsock *sock)
{
	struct timeval timeout = { .tv_usec = NL_REQUEST_TIMEOUT_MS * 1000 };
	int fd = nlsock_fd(sock), one = 1;

	/* Errors name the offending attribute, dumps honour their filters; older kernels do without. */
	mnl_socket_setsockopt(sock->mnl, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(sock->mnl, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	return 0;
}

int nlsock_open(int bus, struct nlsock **ret_sock)
{
	struct nlsock *sock = calloc(1, sizeof(*sock));
	int r;

	if (!sock)
		return -ENOMEM;
	sock->mnl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!sock->mnl || mnl_socket_bind(sock->mnl, 0, MNL_SOCKET_AUTOPID))
		r = -errno;
	else
		r = set_options(sock);
	if (r) {
		nlsock_close(sock);
		return r;
	}
	*ret_sock = sock;
	return 0;
}

void nlsock_close(struct nlsock *sock)
{
	if (!sock)
		return;
	if (sock->mnl)
		mnl_socket_close(sock->mnl);
	free(sock);
}

int nlsock_fd(const struct nlsock *sock)
{
	return mnl_socket_get_fd(sock->mnl);
}

int nlsock_join(struct nlsock *sock, uint32_t group)
{
	int value = (int)group;

	return mnl_socket_setsockopt(sock->mnl, NETLINK_ADD_MEMBERSHIP, &value, sizeof(value))
		       ? -errno
		       : 0;
}

uint32_t nlsock_rcvbuf(struct nlsock *sock, uint32_t octets)
{
	int fd = nlsock_fd(sock), value = (int)octets;
	socklen_t len = sizeof(value);

	/* Without CAP_NET_ADMIN the administrator's limit holds. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &len))
		return 0;
	return (uint32_t)value;
}

/* Octets of one datagram of the kernel; 0: somebody else's; or a negative errno. */
static int receive(struct nlsock *sock, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = sock->in.octets, .iov_len = sizeof(sock->in.octets) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	do {
		n = recvmsg(nlsock_fd(sock), &msg, flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_family != AF_NETLINK || from.nl_pid)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)n;
}

int nlsock_receive(struct nlsock *sock, nlsock_fn fn, void *ctx)
{
	const struct nlmsghdr *nlh = &sock->in.align;
	int left = receive(sock, MSG_DONTWAIT), n = 0;

	if (left < 0)
		return left;
	for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left), n++)
		fn(ctx, nlh);
	return left > 0 ? -EBADMSG : n;
}

/* --- questions -------------------------------------------------------------------------------------- */
struct nlmsghdr *nlsock_begin(struct nlsock *sock, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh;

	memset(sock->out.octets, 0, sizeof(sock->out.octets));
	nlh = mnl_nlmsg_put_header(sock->out.octets);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = ++sock->seq;
	return nlh;
}

struct answer {
	nlsock_fn fn;
	void *ctx;
	uint32_t seq;
	bool done, interrupted;
	int result;
};

/* The errno at the end of an answer: of NLMSG_ERROR always, of NLMSG_DONE in newer kernels. */
static int end_code(const struct nlmsghdr *nlh)
{
	const int *code = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) >= sizeof(*code) ? *code : 0;
}

static void take_message(struct answer *answer, const struct nlmsghdr *nlh)
{
	int r;

	if (nlh->nlmsg_seq != answer->seq)
		return;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		answer->done = true;
		r = end_code(nlh);
	} else {
		r = answer->fn && nlh->nlmsg_type >= NLMSG_MIN_TYPE ? answer->fn(answer->ctx, nlh)
								    : 0;
	}
	if (r < 0 && !answer->result)
		answer->result = r;
}

static int take_datagram(struct nlsock *sock, struct answer *answer)
{
	const struct nlmsghdr *nlh = &sock->in.align;
	int left = receive(sock, 0);

	if (left < 0)
		return left == -EAGAIN ? -ETIMEDOUT : left;
	for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		take_message(answer, nlh);
	return left > 0 ? -EBADMSG : 0;
}

int nlsock_ask(struct nlsock *sock, struct nlmsghdr *nlh, nlsock_fn fn, void *ctx)
{
	struct answer answer = { .fn = fn, .ctx = ctx, .seq = nlh->nlmsg_seq };
	int r;

	if (mnl_socket_sendto(sock->mnl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (!answer.done) {
		r = take_datagram(sock, &answer);
		if (r)
			return r;
	}
	if (answer.result)
		return answer.result;
	return answer.interrupted ? -EINTR : 0;
}

/* --- generic netlink ------------------------------------------------------------------------------------ */
static struct nlmsghdr *begin_genl(struct nlsock *sock, uint16_t family, uint16_t flags,
				   uint8_t cmd)
{
	struct nlmsghdr *nlh = nlsock_begin(sock, family, flags);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

struct family_query {
	const char *group;
	struct nl_family family;
};

static int take_family(void *ctx, const struct nlmsghdr *nlh)
{
	struct family_query *query = ctx;

	return nl_parse_family(nlh, query->group, &query->family);
}

int nlsock_family(struct nlsock *sock, const char *name, const char *group,
		  struct nl_family *ret_family)
{
	struct nlmsghdr *nlh = begin_genl(sock, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	struct family_query query = { .group = group };
	int r;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	r = nlsock_ask(sock, nlh, take_family, &query);
	if (r)
		return r;
	if (!query.family.id)
		return -EBADMSG;
	*ret_family = query.family;
	return 0;
}

int nlsock_ask_features(struct nlsock *sock, uint16_t family, uint32_t ifindex, nlsock_fn fn,
			void *ctx)
{
	struct nlmsghdr *nlh =
		begin_genl(sock, family, ifindex ? 0 : NLM_F_DUMP, NETDEV_CMD_DEV_GET_);

	if (ifindex)
		mnl_attr_put_u32(nlh, NETDEV_A_DEV_IFINDEX_, ifindex);
	return nlsock_ask(sock, nlh, fn, ctx);
}
