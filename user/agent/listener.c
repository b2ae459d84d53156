// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listening sockets of the BGP sessions.
 *
 * session.c and node_range.c add what they want to hear; entries with the same (address, port, device)
 * share a socket. An accepted connection belongs to the session that has its remote address on that socket,
 * else to the longest range around it. Strangers get Cease 6/5 and a short, bounded farewell. Never blocks,
 * never reads what a stranger says.
 */
#include "agent/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/loop.h"
#include "agent/privilege.h"
#include "agent/session.h"
#include "agent/sockaddr.h"
#include "util/htab.h"
#include "util/log.h"

#define ACCEPT_BATCH    16   /* connections for one turn of the loop */
#define FAREWELL_MAX    32   /* strangers being told goodbye */
#define FAREWELL_MS     1000 /* how long each may take to hang up */
#define BIND_RETRY_MS   5000
#define EXHAUSTED_MS    1000 /* out of descriptors: accept again after that */
#define DRAIN_CHUNK     4096
#define PROBLEM_TEXT    160
#define LISTEN_TTL_GTSM 255

struct listener {
	struct listener *next;
	struct listener_set *set;
	struct ip_addr addr;
	uint16_t port;
	char device[IFNAMSIZ];
	unsigned int refs;
	struct listener_entry *ranges;
	struct loop_io io; /* fd -1: not bound */
	struct loop_timer retry;
	char problem[PROBLEM_TEXT];
};

struct listener_entry {
	struct listener_entry *next;
	struct listener *listener;
	struct session *session;         /* NULL: a range */
	struct listener_entry *in_range; /* ranges only: the next of the same listener */
	struct ip_prefix range;
	listener_accept_fn accept;
	void *ctx;
	struct ip_addr peer;
	uint8_t ttl_security_hops;
	struct privilege_md5 md5;
	bool unprotected; /* the key could not be set: nobody gets in */
};

struct farewell {
	struct listener_set *set;
	struct loop_io io; /* fd -1: free */
	struct loop_timer timer;
};

struct listener_set {
	struct loop *loop;
	struct listener *listeners;
	struct listener_entry *entries;
	struct htab *by_peer; /* (listener, peer address) -> entry */
	int reserve_fd;       /* given up for a moment when descriptors run out */
	struct farewell farewells[FAREWELL_MAX];
	struct listener_stats stats;
	struct log_limit stranger_log, exhausted_log;
};

/* --- farewells: strangers are told why, and get time to read it ------------------------------- */

static void farewell_end(struct farewell *farewell)
{
	struct listener_set *set = farewell->set;

	if (farewell->io.fd < 0)
		return;
	loop_io_del(set->loop, &farewell->io);
	loop_timer_stop(set->loop, &farewell->timer);
	close(farewell->io.fd);
	farewell->io.fd = -1;
	set->stats.pending--;
}

static void farewell_timeout(struct loop_timer *timer)
{
	farewell_end(timer->ctx);
}

/* Closing with unread input would reset the connection and lose the NOTIFICATION under way. */
static void farewell_input(struct loop_io *io, uint32_t events)
{
	uint8_t ignored[DRAIN_CHUNK];
	ssize_t n = recv(io->fd, ignored, sizeof(ignored), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		farewell_end(io->ctx);
}

static struct farewell *farewell_slot(struct listener_set *set)
{
	for (unsigned int i = 0; i < FAREWELL_MAX; i++)
		if (set->farewells[i].io.fd < 0)
			return &set->farewells[i];
	return NULL;
}

static void farewell_begin(struct listener_set *set, int fd)
{
	struct farewell *farewell = farewell_slot(set);
	struct mono until = mono_add_msec(loop_now(set->loop), FAREWELL_MS);

	shutdown(fd, SHUT_WR);
	if (!farewell) {
		close(fd);
		return;
	}
	farewell->io.fd = fd;
	if (loop_io_add(set->loop, &farewell->io, EPOLLIN | EPOLLRDHUP) < 0 ||
	    loop_timer_set(set->loop, &farewell->timer, until) < 0) {
		loop_io_del(set->loop, &farewell->io);
		farewell->io.fd = -1;
		close(fd);
		return;
	}
	set->stats.pending++;
}

static void reject(struct listener *listener, int fd, const struct ip_addr *peer, uint8_t subcode,
		   const char *reason)
{
	struct listener_set *set = listener->set;
	uint8_t msg[BGP_MSG_MAX];
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	struct bgp_error error;
	int len;

	if (log_allow(&set->stranger_log, loop_now(set->loop), 5, 10000))
		log_warn("listener", "connection rejected, %s peer=%s local=%s port=%u", reason,
			 ip_format(peer, from), ip_format(&listener->addr, to), listener->port);
	bgp_error_set(&error, BGP_ERR_CEASE, subcode, reason, NULL, 0);
	len = bgp_notification_encode(&error, msg, sizeof(msg));
	if (len > 0 && send(fd, msg, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("listener", "farewell not sent peer=%s error=%s", from,
			  strerrordesc_np(errno));
	farewell_begin(set, fd);
}

/* --- accepting ------------------------------------------------------------------------------- */

struct peer_key {
	const struct listener *listener;
	struct ip_addr peer;
};

static uint32_t peer_hash(const struct peer_key *key)
{
	return hash_bytes(key->peer.bytes, sizeof(key->peer.bytes),
			  hash_bytes(&key->listener, sizeof(key->listener), key->peer.family));
}

static bool entry_matches(const void *item, const void *key)
{
	const struct listener_entry *entry = item;
	const struct peer_key *wanted = key;

	return entry->listener == wanted->listener && ip_equal(&entry->peer, &wanted->peer);
}

static struct listener_entry *find_entry(const struct listener *listener,
					 const struct ip_addr *peer)
{
	struct peer_key key = { .listener = listener, .peer = *peer };

	return htab_find(listener->set->by_peer, peer_hash(&key), entry_matches, &key);
}

static struct listener_entry *find_range(const struct listener *listener,
					 const struct ip_addr *peer)
{
	struct listener_entry *entry = listener->ranges, *longest = NULL;

	for (; entry; entry = entry->in_range) {
		if (prefix_contains(&entry->range, peer) &&
		    (!longest || entry->range.len > longest->range.len))
			longest = entry;
	}
	return longest;
}

static bool take_over(const struct listener_entry *entry, int fd, const struct ip_addr *peer)
{
	return entry->session ? session_accept(entry->session, fd)
			      : entry->accept(entry->ctx, fd, peer);
}

static void hand_over(struct listener *listener, int fd, const struct sockaddr_storage *sa)
{
	struct listener_set *set = listener->set;
	struct listener_entry *entry;
	struct ip_addr peer;

	sockaddr_to_ip(sa, &peer, NULL);
	entry = find_entry(listener, &peer);
	if (!entry)
		entry = find_range(listener, &peer);
	if (!entry) {
		set->stats.rejected++;
		reject(listener, fd, &peer, BGP_CEASE_REJECTED, "no such peering");
	} else if (!entry->unprotected && take_over(entry, fd, &peer)) {
		set->stats.accepted++;
	} else {
		set->stats.refused++;
		if (entry->session)
			close(fd);
		else
			reject(listener, fd, &peer, BGP_CEASE_OUT_OF_RESOURCES,
			       "the range takes no more peers");
	}
}

/*
 * Out of descriptors: the connection at the head of the queue would wake us for ever. The reserve is
 * given up to take it and hang up; then the socket rests, so that peers and API go on undisturbed.
 */
static void shed_one(struct listener *listener)
{
	struct listener_set *set = listener->set;
	struct mono rest_until = mono_add_msec(loop_now(set->loop), EXHAUSTED_MS);
	int fd;

	set->stats.exhausted++;
	if (log_allow(&set->exhausted_log, loop_now(set->loop), 1, 60000))
		log_err("listener", "out of file descriptors: new connections are dropped");
	if (set->reserve_fd >= 0)
		close(set->reserve_fd);
	fd = accept4(listener->io.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	set->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (loop_timer_set(set->loop, &listener->retry, rest_until) == 0)
		loop_io_mod(set->loop, &listener->io, 0);
}

static void on_connection(struct loop_io *io, uint32_t events)
{
	struct listener *listener = io->ctx;

	for (unsigned int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage sa = { 0 };
		socklen_t len = sizeof(sa);
		int fd =
			accept4(io->fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			hand_over(listener, fd, &sa);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			shed_one(listener);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* --- sockets --------------------------------------------------------------------------------- */

/*
 * GTSM on a shared socket: answers leave with TTL 255 as soon as one peer wants it (more is harmless to
 * the others), arrivals are judged here only when all peers agree to be near; accepted sockets are
 * judged one by one in session.c.
 */
static void apply_ttl(struct listener *listener)
{
	const struct listener_entry *entry;
	uint8_t widest = 0;
	bool any = false, all = true;

	if (listener->io.fd < 0)
		return;
	for (entry = listener->set->entries; entry; entry = entry->next) {
		if (entry->listener != listener)
			continue;
		any |= entry->ttl_security_hops != 0;
		all &= entry->ttl_security_hops != 0;
		if (entry->ttl_security_hops > widest)
			widest = entry->ttl_security_hops;
	}
	sockopt_ttl(listener->io.fd, listener->addr.family, any ? LISTEN_TTL_GTSM : -1);
	sockopt_min_ttl(listener->io.fd, listener->addr.family,
			any && all ? gtsm_min_ttl(widest) : 0);
}

static int apply_md5(struct listener_entry *entry)
{
	char peer[IP_TEXT_MAX];
	int error = 0;

	if (entry->listener->io.fd >= 0)
		error = privilege_tcp_md5(entry->listener->io.fd, &entry->md5);
	entry->unprotected = error && entry->md5.len;
	if (error)
		log_err("listener", "TCP MD5 key not set peer=%s error=%s",
			ip_format(&entry->peer, peer), strerrordesc_np(-error));
	return error;
}

static void set_problem(struct listener *listener, int error)
{
	char addr[IP_TEXT_MAX];
	bool is_new = !listener->problem[0];

	snprintf(listener->problem, sizeof(listener->problem), "bind %s port %u: %s",
		 ip_format(&listener->addr, addr), listener->port, strerrordesc_np(-error));
	if (is_new)
		log_err("listener", "%s; tried again every %u s", listener->problem,
			BIND_RETRY_MS / 1000);
}

static int open_socket(struct listener *listener)
{
	struct privilege_listen request = { .addr = listener->addr, .port = listener->port };
	int fd, error;

	memcpy(request.device, listener->device, sizeof(request.device));
	fd = privilege_bind_listen(&request);
	if (fd < 0)
		return fd;
	listener->io.fd = fd;
	error = loop_io_add(listener->set->loop, &listener->io, EPOLLIN);
	if (error) {
		close(fd);
		listener->io.fd = -1;
	}
	return error;
}

static void try_listen(struct listener *listener)
{
	struct listener_set *set = listener->set;
	struct listener_entry *entry;
	char addr[IP_TEXT_MAX];
	int error = open_socket(listener);

	if (error) {
		set_problem(listener, error);
		loop_timer_set(set->loop, &listener->retry,
			       mono_add_msec(loop_now(set->loop), BIND_RETRY_MS));
		return;
	}
	set->stats.sockets++;
	listener->problem[0] = '\0';
	log_info("listener", "listening address=%s port=%u device=%s",
		 ip_format(&listener->addr, addr), listener->port, listener->device);
	apply_ttl(listener);
	for (entry = set->entries; entry; entry = entry->next)
		if (entry->listener == listener && entry->md5.len)
			apply_md5(entry);
}

/* Either the bind is tried again, or the rest after a lack of descriptors is over. */
static void on_retry(struct loop_timer *timer)
{
	struct listener *listener = timer->ctx;

	if (listener->io.fd < 0)
		try_listen(listener);
	else
		loop_io_mod(listener->set->loop, &listener->io, EPOLLIN);
}

static struct ip_addr listen_address(const struct listener_key *key)
{
	struct ip_addr any = { .family = key->peer.family };

	return key->local.family == IP_NONE ? any : key->local;
}

static struct listener *find_listener(const struct listener_set *set,
				      const struct listener_key *key)
{
	struct ip_addr addr = listen_address(key);
	struct listener *listener;

	for (listener = set->listeners; listener; listener = listener->next)
		if (listener->port == key->port && ip_equal(&listener->addr, &addr) &&
		    strncmp(listener->device, key->device, IFNAMSIZ) == 0)
			return listener;
	return NULL;
}

static struct listener *new_listener(struct listener_set *set, const struct listener_key *key)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return NULL;
	listener->set = set;
	listener->addr = listen_address(key);
	listener->port = key->port;
	memcpy(listener->device, key->device, IFNAMSIZ);
	listener->device[IFNAMSIZ - 1] = '\0';
	listener->io = (struct loop_io){ .fd = -1, .fn = on_connection, .ctx = listener };
	listener->retry = (struct loop_timer){ .fn = on_retry, .ctx = listener };
	listener->next = set->listeners;
	set->listeners = listener;
	return listener;
}

static void unlink_listener(struct listener *listener)
{
	struct listener **link = &listener->set->listeners;

	while (*link != listener)
		link = &(*link)->next;
	*link = listener->next;
}

static void free_listener(struct listener *listener)
{
	struct listener_set *set = listener->set;

	unlink_listener(listener);
	loop_timer_stop(set->loop, &listener->retry);
	if (listener->io.fd >= 0) {
		loop_io_del(set->loop, &listener->io);
		close(listener->io.fd);
		set->stats.sockets--;
	}
	free(listener);
}

/* --- the set --------------------------------------------------------------------------------- */

struct listener_set *listener_set_new(struct loop *loop)
{
	struct listener_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->loop = loop;
	set->by_peer = htab_new();
	if (!set->by_peer) {
		free(set);
		return NULL;
	}
	set->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (unsigned int i = 0; i < FAREWELL_MAX; i++) {
		struct farewell *farewell = &set->farewells[i];

		farewell->set = set;
		farewell->io = (struct loop_io){ .fd = -1, .fn = farewell_input, .ctx = farewell };
		farewell->timer = (struct loop_timer){ .fn = farewell_timeout, .ctx = farewell };
	}
	return set;
}

void listener_set_free(struct listener_set *set)
{
	if (!set)
		return;
	while (set->entries)
		listener_remove(set->entries);
	for (unsigned int i = 0; i < FAREWELL_MAX; i++)
		farewell_end(&set->farewells[i]);
	if (set->reserve_fd >= 0)
		close(set->reserve_fd);
	htab_free(set->by_peer);
	free(set);
}

const struct listener_stats *listener_set_stats(const struct listener_set *set)
{
	return &set->stats;
}

static void link_entry(struct listener_entry *entry)
{
	struct listener_set *set = entry->listener->set;

	entry->next = set->entries;
	set->entries = entry;
	if (entry->session)
		return;
	entry->in_range = entry->listener->ranges;
	entry->listener->ranges = entry;
}

static void unlink_entry(struct listener_entry *entry)
{
	struct listener_entry **link = &entry->listener->set->entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	if (entry->session)
		return;
	for (link = &entry->listener->ranges; *link != entry; link = &(*link)->in_range)
		continue;
	*link = entry->in_range;
}

/* Only sessions are looked up by address. */
static int index_entry(struct listener_entry *entry)
{
	struct peer_key key = { .listener = entry->listener, .peer = entry->peer };

	if (!entry->session)
		return 0;
	return htab_insert(entry->listener->set->by_peer, peer_hash(&key), entry);
}

static int add_entry(struct listener *listener, const struct listener_entry *values,
		     struct listener_entry **ret_entry)
{
	struct listener_entry *entry = malloc(sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = *values;
	entry->listener = listener;
	if (index_entry(entry) < 0) {
		free(entry);
		return -ENOMEM;
	}
	link_entry(entry);
	*ret_entry = entry;
	return 0;
}

static int add_to_listener(struct listener_set *set, const struct listener_key *key,
			   const struct listener_entry *values, struct listener_entry **ret_entry)
{
	struct listener *listener = find_listener(set, key);
	int error;

	if (listener && values->session && find_entry(listener, &key->peer))
		return -EEXIST;
	if (!listener)
		listener = new_listener(set, key);
	if (!listener)
		return -ENOMEM;
	error = add_entry(listener, values, ret_entry);
	if (error) {
		if (!listener->refs)
			free_listener(listener);
		return error;
	}
	if (!listener->refs++)
		try_listen(listener);
	else
		apply_ttl(listener);
	return 0;
}

int listener_add(struct listener_set *set, const struct listener_key *key, struct session *session,
		 struct listener_entry **ret_entry)
{
	const struct listener_entry values = { .session = session,
					       .peer = key->peer,
					       .md5.peer = key->peer,
					       .ttl_security_hops = key->ttl_security_hops };

	return add_to_listener(set, key, &values, ret_entry);
}

int listener_add_range(struct listener_set *set, const struct listener_key *key,
		       const struct ip_prefix *range, listener_accept_fn accept, void *ctx,
		       struct listener_entry **ret_entry)
{
	const struct listener_entry values = {
		.range = *range,
		.accept = accept,
		.ctx = ctx,
		.peer = range->addr,
		.md5 = { .peer = range->addr, .is_range = true, .prefix_len = range->len },
		.ttl_security_hops = key->ttl_security_hops,
	};

	return add_to_listener(set, key, &values, ret_entry);
}

void listener_remove(struct listener_entry *entry)
{
	struct listener *listener;
	struct peer_key key;

	if (!entry)
		return;
	listener = entry->listener;
	key = (struct peer_key){ .listener = listener, .peer = entry->peer };
	unlink_entry(entry);
	if (entry->session)
		htab_remove(listener->set->by_peer, peer_hash(&key), entry_matches, &key);
	if (entry->md5.len)
		listener_set_md5(entry, NULL, 0);
	free(entry);
	if (--listener->refs)
		apply_ttl(listener);
	else
		free_listener(listener);
}

int listener_set_md5(struct listener_entry *entry, const void *key, size_t len)
{
	if (len > PRIVILEGE_KEY_MAX)
		return -EFBIG;
	explicit_bzero(entry->md5.key, sizeof(entry->md5.key));
	if (len)
		memcpy(entry->md5.key, key, len);
	entry->md5.len = (uint8_t)len;
	return apply_md5(entry);
}

void listener_set_ttl_security(struct listener_entry *entry, uint8_t hops)
{
	entry->ttl_security_hops = hops;
	apply_ttl(entry->listener);
}

const char *listener_problem(const struct listener_entry *entry)
{
	const struct listener *listener = entry->listener;

	return listener->problem[0] ? listener->problem : NULL;
}
