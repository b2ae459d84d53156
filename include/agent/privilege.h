/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one table of operations that need privileges. Callers use the functions below; each goes through
 * the table, with plain data and descriptors as arguments, so that the parsing side can later run in a
 * process without capabilities while these stay behind.
 */
#ifndef XRS_AGENT_PRIVILEGE_H
#define XRS_AGENT_PRIVILEGE_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/attacher.h"
#include "fib/loader.h"
#include "util/prefix.h"

enum privilege_op {
	PRIVILEGE_BIND_LISTEN,
	PRIVILEGE_BIND_DEVICE,
	PRIVILEGE_TCP_MD5,
	PRIVILEGE_READ_KEY,
	PRIVILEGE_LOAD,
	PRIVILEGE_ATTACH,
	PRIVILEGE_DETACH,
	PRIVILEGE_SET_GRO,
	PRIVILEGE_BIND_UDP,
	PRIVILEGE_REALTIME,
	PRIVILEGE_OP_MAX,
};

/* One row, for the manual, `xrsd -t` and tests. */
struct privilege_info {
	const char *name;       /* "bind-listen" */
	const char *capability; /* "CAP_NET_BIND_SERVICE", or "" */
	const char *why;        /* one phrase */
	uint64_t calls, failures;
};
const struct privilege_info *privilege_info(enum privilege_op op);

struct privilege_listen {
	struct ip_addr addr; /* of the family to listen on; zero: any address */
	uint16_t port;
	char device[IFNAMSIZ]; /* "": any */
};
/* A bound, listening, nonblocking socket (IP_FREEBIND, SO_REUSEADDR, IPV6_V6ONLY), or negative errno. */
int privilege_bind_listen(const struct privilege_listen *request);
/* The same for UDP: bound, nonblocking. Port 0: any. */
int privilege_bind_udp(const struct privilege_listen *request);
/*
 * Real-time priority for this process, and its memory locked: nothing else on the host makes it late.
 * 0 or negative errno (whatever could be done is done).
 */
int privilege_realtime(void);
/* SO_BINDTODEVICE. 0 or negative errno. */
int privilege_bind_device(int fd, const char *device);

#define PRIVILEGE_KEY_MAX 80 /* TCP_MD5SIG_MAXKEYLEN */
struct privilege_md5 {
	struct ip_addr peer;
	uint8_t prefix_len; /* with @is_range: the key is for all of peer/prefix_len (since 4.13) */
	bool is_range;
	uint8_t len; /* 0: remove */
	uint8_t key[PRIVILEGE_KEY_MAX];
};
/* TCP_MD5SIG or TCP_MD5SIG_EXT (RFC 2385) for @key->peer. 0; -ENOPROTOOPT: kernel without it; other errno. */
int privilege_tcp_md5(int fd, const struct privilege_md5 *key);

/*
 * Reads a key file: regular, at most PRIVILEGE_KEY_MAX octets after one trailing newline is cut, not
 * readable or writable by others. *ret_len octets into @key. 0; -EPERM: mode; -EFBIG; -ENODATA: empty;
 * other errno of open and read.
 */
int privilege_read_key(const char *path, uint8_t key[static PRIVILEGE_KEY_MAX], size_t *ret_len);

/* loader_open(), loader_attach() and loader_detach() of fib/loader.h: the same errors. */
int privilege_load(const char *instance, char text[static LOADER_TEXT], struct loader **ret_loader);
/* What the job wishes; its attachment and text are the answer. */
int privilege_attach(struct loader *loader, struct attacher_job *job);
int privilege_detach(const char *instance, const char *ifname, uint32_t ifindex);

/* net_set_gro() of net/nl_request.h: generic receive offload of a device here. */
int privilege_set_gro(const char *ifname, bool on);

#endif
