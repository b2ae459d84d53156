// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table of operations that need privileges: what, which capability, and the function.
 *
 * Called by session.c, listener.c and the node. Requests are plain data and descriptors, and nothing here
 * looks at what a peer sent: a later process without privileges can hand the same structs over a socket
 * pair (the loader stays on this side; its handle becomes a number then). Never parse anything here.
 */
#include "agent/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/sockaddr.h"
#include "net/nl_request.h"

#define LISTEN_BACKLOG 1024
#define REALTIME_LEVEL 20 /* above ordinary work, below what the kernel itself runs at 50 */

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78 /* linux/in6.h, since 4.15 */
#endif

_Static_assert(PRIVILEGE_KEY_MAX == TCP_MD5SIG_MAXKEYLEN, "the kernel's limit");

struct device_request {
	int fd;
	const char *device;
};

struct md5_request {
	int fd;
	const struct privilege_md5 *key;
};

struct key_reply {
	uint8_t *key;
	size_t len;
};

/* --- bind-listen ----------------------------------------------------------------------------- */

static int set_flag(int fd, int level, int option)
{
	int one = 1;

	return setsockopt(fd, level, option, &one, sizeof(one)) < 0 ? -errno : 0;
}

/* The address may appear after we start, and must not be given up to others when it goes. */
static int set_bind_options(int fd, const struct privilege_listen *request)
{
	bool v6 = request->addr.family == IP_V6;
	int error = v6 ? set_flag(fd, IPPROTO_IPV6, IPV6_FREEBIND)
		       : set_flag(fd, IPPROTO_IP, IP_FREEBIND);

	if (!error && v6)
		error = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (!error && request->device[0])
		error = privilege_bind_device(fd, request->device);
	return error;
}

/* A nonblocking socket of @type, bound as asked; or negative errno. */
static int bound_socket(const struct privilege_listen *request, int type)
{
	int domain = request->addr.family == IP_V6 ? AF_INET6 : AF_INET;
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, error;

	if (request->addr.family == IP_NONE)
		return -EINVAL;
	fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = type == SOCK_STREAM ? set_flag(fd, SOL_SOCKET, SO_REUSEADDR) : 0;
	if (!error)
		error = set_bind_options(fd, request);
	len = sockaddr_from_ip(&request->addr, request->port, request->device, &sa);
	if (!error && bind(fd, (struct sockaddr *)&sa, len) < 0)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

static int do_bind_listen(const void *request, void *reply)
{
	int fd = bound_socket(request, SOCK_STREAM);
	int error;

	if (fd < 0)
		return fd;
	if (listen(fd, LISTEN_BACKLOG) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	*(int *)reply = fd;
	return 0;
}

static int do_bind_udp(const void *request, void *reply)
{
	int fd = bound_socket(request, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	*(int *)reply = fd;
	return 0;
}

/* --- realtime -------------------------------------------------------------------------------- */

static int do_realtime(const void *request, void *reply)
{
	const struct sched_param param = { .sched_priority = REALTIME_LEVEL };
	int error = mlockall(MCL_CURRENT | MCL_FUTURE) < 0 ? -errno : 0;

	if (sched_setscheduler(0, SCHED_RR, &param) < 0)
		error = -errno;
	return error;
}

/* --- bind-device ----------------------------------------------------------------------------- */

static int do_bind_device(const void *request, void *reply)
{
	const struct device_request *bind_to = request;
	size_t len = strnlen(bind_to->device, IFNAMSIZ);

	if (len == IFNAMSIZ)
		return -ENAMETOOLONG;
	return setsockopt(bind_to->fd, SOL_SOCKET, SO_BINDTODEVICE, bind_to->device,
			  (socklen_t)len + 1) < 0
		       ? -errno
		       : 0;
}

/* --- tcp-md5 --------------------------------------------------------------------------------- */

/* Removing a key that is not there is no error: the wanted state holds. */
static int do_tcp_md5(const void *request, void *reply)
{
	const struct md5_request *set = request;
	struct tcp_md5sig sig = { .tcpm_keylen = set->key->len };
	int option = set->key->is_range ? TCP_MD5SIG_EXT : TCP_MD5SIG;
	struct sockaddr_storage sa;
	int error = 0;

	sockaddr_from_ip(&set->key->peer, 0, NULL, &sa);
	memcpy(&sig.tcpm_addr, &sa, sizeof(sa));
	if (set->key->is_range) {
		sig.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
		sig.tcpm_prefixlen = set->key->prefix_len;
	}
	memcpy(sig.tcpm_key, set->key->key, set->key->len);
	if (setsockopt(set->fd, IPPROTO_TCP, option, &sig, sizeof(sig)) < 0)
		error = -errno;
	explicit_bzero(&sig, sizeof(sig));
	return error == -ENOENT && !set->key->len ? 0 : error;
}

/* --- read-key -------------------------------------------------------------------------------- */

static int check_key_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_mode & S_IRWXO ? -EPERM : 0;
}

/* One octet more than allowed plus the newline, so that "too long" can be told from "just fits". */
static int read_key_text(int fd, struct key_reply *reply)
{
	uint8_t text[PRIVILEGE_KEY_MAX + 2];
	ssize_t n = read(fd, text, sizeof(text));
	int error = 0;

	if (n < 0)
		return -errno;
	if (n && text[n - 1] == '\n')
		n--;
	if (!n)
		error = -ENODATA;
	else if (n > PRIVILEGE_KEY_MAX)
		error = -EFBIG;
	if (!error) {
		memcpy(reply->key, text, (size_t)n);
		reply->len = (size_t)n;
	}
	explicit_bzero(text, sizeof(text));
	return error;
}

/* O_NONBLOCK: opening a FIFO must not stop the daemon. */
static int do_read_key(const void *request, void *reply)
{
	int fd = open(request, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error;

	if (fd < 0)
		return -errno;
	error = check_key_file(fd);
	if (!error)
		error = read_key_text(fd, reply);
	close(fd);
	return error;
}

/* --- load, attach, detach -------------------------------------------------------------------- */

struct attach_request {
	struct loader *loader;    /* attach; else NULL */
	struct attacher_job *job; /* attach */
	const char *instance;     /* load and detach */
	const char *ifname;       /* detach */
	uint32_t ifindex;
	char *text; /* load */
};

static int do_load(const void *request, void *reply)
{
	const struct attach_request *load = request;

	return loader_open(load->instance, load->text, reply);
}

static int do_attach(const void *request, void *reply)
{
	const struct attach_request *attach = request;
	struct attacher_job *job = attach->job;
	int error = loader_observe(attach->loader, job->ifindex, job->wish.observe, job->text);

	if (!error)
		error = loader_attach(attach->loader, job->ifname, job->ifindex, job->wish.mode,
				      job->text, &job->attachment);
	if (!error)
		error = loader_snoop(attach->loader, job->ifindex, job->wish.snoop, job->text);
	return error;
}

static int do_detach(const void *request, void *reply)
{
	const struct attach_request *detach = request;

	return loader_detach(detach->instance, detach->ifname, detach->ifindex);
}

/* --- set-gro --------------------------------------------------------------------------------- */

struct gro_request {
	const char *ifname;
	bool on;
};

static int do_set_gro(const void *request, void *reply)
{
	const struct gro_request *gro = request;

	return net_set_gro(gro->ifname, gro->on);
}

/* --- the table ------------------------------------------------------------------------------- */

struct row {
	struct privilege_info info;
	int (*run)(const void *request, void *reply);
};

static struct row table[PRIVILEGE_OP_MAX] = {
	[PRIVILEGE_BIND_LISTEN] = { { .name = "bind-listen",
				      .capability = "CAP_NET_BIND_SERVICE",
				      .why = "listen on port 179" },
				    do_bind_listen },
	[PRIVILEGE_BIND_DEVICE] = { { .name = "bind-device",
				      .capability = "CAP_NET_RAW",
				      .why = "keep a session on one interface" },
				    do_bind_device },
	[PRIVILEGE_TCP_MD5] = { { .name = "tcp-md5",
				  .capability = "CAP_NET_ADMIN",
				  .why = "authenticate TCP connections" },
				do_tcp_md5 },
	[PRIVILEGE_READ_KEY] = { { .name = "read-key",
				   .capability = "",
				   .why = "read key files that only root may read" },
				 do_read_key },
	[PRIVILEGE_LOAD] = { { .name = "load",
			       .capability = "CAP_BPF",
			       .why = "load the BPF programs and pin their maps" },
			     do_load },
	[PRIVILEGE_ATTACH] = { { .name = "attach",
				 .capability = "CAP_NET_ADMIN",
				 .why = "attach the programs to interfaces" },
			       do_attach },
	[PRIVILEGE_DETACH] = { { .name = "detach",
				 .capability = "CAP_NET_ADMIN",
				 .why = "take the programs off interfaces" },
			       do_detach },
	[PRIVILEGE_BIND_UDP] = { { .name = "bind-udp",
				   .capability = "CAP_NET_RAW",
				   .why = "receive BFD on one interface" },
				 do_bind_udp },
	[PRIVILEGE_REALTIME] = { { .name = "realtime",
				   .capability = "CAP_SYS_NICE",
				   .why = "send BFD on time whatever else runs" },
				 do_realtime },
	[PRIVILEGE_SET_GRO] = { { .name = "set-gro",
				  .capability = "CAP_NET_ADMIN",
				  .why = "let a veth's other end take redirected frames" },
				do_set_gro },
};

static int call(enum privilege_op op, const void *request, void *reply)
{
	int result = table[op].run(request, reply);

	/* Routes and links are written by threads of their own. */
	__atomic_fetch_add(&table[op].info.calls, 1, __ATOMIC_RELAXED);
	if (result < 0)
		__atomic_fetch_add(&table[op].info.failures, 1, __ATOMIC_RELAXED);
	return result;
}

const struct privilege_info *privilege_info(enum privilege_op op)
{
	return op < PRIVILEGE_OP_MAX ? &table[op].info : NULL;
}

int privilege_bind_listen(const struct privilege_listen *request)
{
	int fd = -1;
	int error = call(PRIVILEGE_BIND_LISTEN, request, &fd);

	return error ? error : fd;
}

int privilege_bind_udp(const struct privilege_listen *request)
{
	int fd = -1;
	int error = call(PRIVILEGE_BIND_UDP, request, &fd);

	return error ? error : fd;
}

int privilege_realtime(void)
{
	return call(PRIVILEGE_REALTIME, NULL, NULL);
}

int privilege_bind_device(int fd, const char *device)
{
	struct device_request request = { .fd = fd, .device = device };

	return call(PRIVILEGE_BIND_DEVICE, &request, NULL);
}

int privilege_tcp_md5(int fd, const struct privilege_md5 *key)
{
	struct md5_request request = { .fd = fd, .key = key };

	if (key->len > PRIVILEGE_KEY_MAX)
		return -EFBIG;
	return call(PRIVILEGE_TCP_MD5, &request, NULL);
}

int privilege_read_key(const char *path, uint8_t key[static PRIVILEGE_KEY_MAX], size_t *ret_len)
{
	struct key_reply reply = { .key = key };
	int error = call(PRIVILEGE_READ_KEY, path, &reply);

	if (!error)
		*ret_len = reply.len;
	return error;
}

int privilege_load(const char *instance, char text[static LOADER_TEXT], struct loader **ret_loader)
{
	struct attach_request request = { .instance = instance, .text = text };

	return call(PRIVILEGE_LOAD, &request, ret_loader);
}

int privilege_attach(struct loader *loader, struct attacher_job *job)
{
	struct attach_request request = { .loader = loader, .job = job };

	return call(PRIVILEGE_ATTACH, &request, NULL);
}

int privilege_detach(const char *instance, const char *ifname, uint32_t ifindex)
{
	struct attach_request request = { .instance = instance,
					  .ifname = ifname,
					  .ifindex = ifindex };

	return call(PRIVILEGE_DETACH, &request, NULL);
}

int privilege_set_gro(const char *ifname, bool on)
{
	struct gro_request request = { .ifname = ifname, .on = on };

	return call(PRIVILEGE_SET_GRO, &request, NULL);
}
