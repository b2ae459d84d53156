/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A netlink socket (libmnl) and the two things done with one: receiving what the kernel multicasts, and
 * asking one question at a time. Used inside user/net only. Never logs.
 */
#ifndef XRS_NET_NL_SOCK_H
#define XRS_NET_NL_SOCK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/nl_parse.h"

#define NL_SOCK_BUF     65536 /* one datagram: a dump's part, a link with many attributes */
#define NL_SOCK_REQUEST 512   /* octets of one question */

struct nl_sock;

/* @bus: NETLINK_ROUTE or NETLINK_GENERIC. Close-on-exec. 0 or negative errno. */
int nl_sock_open(int bus, struct nl_sock **ret_sock);
void nl_sock_close(struct nl_sock *sock);
int nl_sock_fd(const struct nl_sock *sock);
int nl_sock_join(struct nl_sock *sock, uint32_t group);
/* Returns what the kernel granted. */
uint32_t nl_sock_rcvbuf(struct nl_sock *sock, uint32_t octets);

typedef int (*nl_sock_fn)(void *ctx, const struct nlmsghdr *nlh);

/*
 * Receives one datagram without waiting and calls @fn for each message in it. Returns their number; -EAGAIN:
 * nothing there; -ENOBUFS: some were lost; -EMSGSIZE, -EBADMSG: it was cut or malformed (what came before the
 * fault was delivered). What anybody but the kernel sent counts as no message. @fn's result is ignored.
 */
int nl_sock_receive(struct nl_sock *sock, nl_sock_fn fn, void *ctx);

/*
 * A question: nl_sock_begin() gives a message in the socket's own buffer to be completed with mnl_nlmsg_put_*
 * and mnl_attr_put_*; nl_sock_ask() sends it and calls @fn (may be NULL) for each answer. With NLM_F_DUMP
 * until the end, else until the acknowledgement. 0 or the kernel's negative errno; -EINTR: the dump changed
 * under way, ask again; -ETIMEDOUT; or the first negative result of @fn.
 */
struct nlmsghdr *nl_sock_begin(struct nl_sock *sock, uint16_t type, uint16_t flags);
int nl_sock_ask(struct nl_sock *sock, struct nlmsghdr *nlh, nl_sock_fn fn, void *ctx);

/* Of a socket of NETLINK_GENERIC. -ENOENT: the kernel does not have the family. */
int nl_sock_family(struct nl_sock *sock, const char *name, const char *group,
		   struct nl_family *ret_family);
/* XDP features of a device (0: all of them) through the family "netdev", as nl_parse_xdp_features() reads. */
int nl_sock_ask_features(struct nl_sock *sock, uint16_t family, uint32_t ifindex, nl_sock_fn fn,
			 void *ctx);

#endif
