/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A netlink socket (libmnl) and the two things done with one: receiving what the kernel multicasts, and
 * asking one question at a time. Used inside user/net only. Never logs.
 */
#ifndef XRS_NET_NLSOCK_H
#define XRS_NET_NLSOCK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/nl_parse.h"

#define NLSOCK_BUF     65536 /* one datagram: a dump's part, a link with many attributes */
#define NLSOCK_REQUEST 512   /* octets of one question */

struct nlsock;

/* @bus: NETLINK_ROUTE or NETLINK_GENERIC. Close-on-exec. 0 or negative errno. */
int nlsock_open(int bus, struct nlsock **ret_sock);
void nlsock_close(struct nlsock *sock);
int nlsock_fd(const struct nlsock *sock);
int nlsock_join(struct nlsock *sock, uint32_t group);
/* Returns what the kernel granted. */
uint32_t nlsock_rcvbuf(struct nlsock *sock, uint32_t octets);

typedef int (*nlsock_fn)(void *ctx, const struct nlmsghdr *nlh);

/*
 * Receives one datagram without waiting and calls @fn for each message in it. Returns their number; -EAGAIN:
 * nothing there; -ENOBUFS: some were lost; -EMSGSIZE, -EBADMSG: it was cut or malformed (what came before the
 * fault was delivered). What anybody but the kernel sent counts as no message. @fn's result is ignored.
 */
int nlsock_receive(struct nlsock *sock, nlsock_fn fn, void *ctx);

/*
 * A question: nlsock_begin() gives a message in the socket's own buffer to be completed with mnl_nlmsg_put_*
 * and mnl_attr_put_*; nlsock_ask() sends it and calls @fn (may be NULL) for each answer. With NLM_F_DUMP
 * until the end, else until the acknowledgement. 0 or the kernel's negative errno; -EINTR: the dump changed
 * under way, ask again; -ETIMEDOUT; or the first negative result of @fn.
 */
struct nlmsghdr *nlsock_begin(struct nlsock *sock, uint16_t type, uint16_t flags);
int nlsock_ask(struct nlsock *sock, struct nlmsghdr *nlh, nlsock_fn fn, void *ctx);

/* Of a socket of NETLINK_GENERIC. -ENOENT: the kernel does not have the family. */
int nlsock_family(struct nlsock *sock, const char *name, const char *group,
		  struct nl_family *ret_family);
/* XDP features of a device (0: all of them) through the family "netdev", as nl_parse_xdp_features() reads. */
int nlsock_ask_features(struct nlsock *sock, uint16_t family, uint32_t ifindex, nlsock_fn fn,
			void *ctx);

#endif
