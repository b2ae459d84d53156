// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink events into the picture, one row of `handlers` for each message type; lost events into a dump.
 *
 * A dump runs on a socket of its own while multicast messages queue up. Each of those is a full state of
 * its object and they are applied after the dump in their own order, so the last word is the newest one:
 * the picture may be old for a moment, never wrong for good. What the dump did not see is swept.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/nl_parse.h"
#include "net/nlsock.h"
#include "net/nl_watch.h"
#include "util/log.h"

#define DUMP_TRIES   4      /* of one dump that changes under our hands */
#define DRAIN_MAX    100000 /* datagrams thrown away before a dump */
#define LOG_BURST    3
#define LOG_EVERY_MS 10000

struct held_event {
	struct net_event event;
	struct net_link *removed; /* owned; of LINK_REMOVED */
};

struct nl_watch {
	struct net_model *model;
	nl_watch_fn fn;
	void *ctx;
	int epoll_fd;
	struct nlsock *route;  /* multicast: what the picture is made of */
	struct nlsock *rib;    /* multicast: routes and rules */
	struct nlsock *netdev; /* multicast, generic; NULL before kernel 6.3 */
	struct nlsock *dump;   /* questions */
	struct nlsock *genl;   /* questions, generic; NULL together with netdev */
	struct nl_family family;
	uint32_t resync_wait_ms;
	bool resync_wanted;
	bool dumping;
	bool routes_changed;
	struct mono last_resync;
	struct mono due;
	struct mono now;
	struct held_event *held; /* events during a dump */
	size_t n_held, cap_held;
	struct log_limit overrun_limit;
	struct nl_watch_stats stats;
};

/* --- telling ------------------------------------------------------------------------------------------ */
static void deliver(struct nl_watch *watch, struct net_event *event)
{
	if (event->kind <= NET_EVENT_LINK_CHANGED) {
		event->link = net_model_link(watch->model, event->ifindex);
		if (!event->link)
			return;
	}
	watch->fn(watch->ctx, event);
}

static bool hold(struct nl_watch *watch, const struct net_event *event, struct net_link *removed)
{
	size_t cap = watch->cap_held ? watch->cap_held * 2 : 64;
	struct held_event *grown;

	if (watch->n_held == watch->cap_held) {
		grown = realloc(watch->held, cap * sizeof(*grown));
		if (!grown)
			return false;
		watch->held = grown;
		watch->cap_held = cap;
	}
	watch->held[watch->n_held++] = (struct held_event){ *event, removed };
	return true;
}

/* Takes over @removed. Without memory to wait a held event is told at once: early, but not lost. */
static void tell(struct nl_watch *watch, struct net_event *event, struct net_link *removed)
{
	event->link = removed;
	if (watch->dumping && hold(watch, event, removed))
		return;
	deliver(watch, event);
	net_link_free(removed);
}

static void tell_held(struct nl_watch *watch)
{
	for (size_t i = 0; i < watch->n_held; i++) {
		deliver(watch, &watch->held[i].event);
		net_link_free(watch->held[i].removed);
	}
	free(watch->held);
	watch->held = NULL;
	watch->n_held = watch->cap_held = 0;
}

static void tell_kind(struct nl_watch *watch, enum net_event_kind kind)
{
	tell(watch, &(struct net_event){ .kind = kind }, NULL);
}

static void tell_link(struct nl_watch *watch, uint32_t ifindex, uint32_t changes)
{
	tell(watch,
	     &(struct net_event){
		     .kind = NET_EVENT_LINK_CHANGED, .ifindex = ifindex, .changes = changes },
	     NULL);
}

/* --- links ---------------------------------------------------------------------------------------------- */
/* The result of a _set(): what does not fit is left out and counted. */
static bool has_changed(struct nl_watch *watch, int r)
{
	if (r == -ENOMEM || r == -ENOSPC)
		watch->stats.refused++;
	return r > NET_SAME;
}

static void forget_link(struct nl_watch *watch, uint32_t ifindex)
{
	struct net_link *link = net_model_link_take(watch->model, ifindex);

	if (link)
		tell(watch,
		     &(struct net_event){ .kind = NET_EVENT_LINK_REMOVED, .ifindex = ifindex },
		     link);
}

static int take_features(void *ctx, const struct nlmsghdr *nlh)
{
	struct nl_watch *watch = ctx;
	uint64_t features;
	uint32_t ifindex;
	int r = nl_parse_xdp_features(nlh, &ifindex, &features);

	if (r < 0)
		watch->stats.parse_errors++;
	else if (r == 0 && net_model_link_features(watch->model, ifindex, features) == NET_CHANGED)
		tell_link(watch, ifindex, NET_LINK_XDP_FEATURES);
	return 0;
}

/*
 * A new link's features: the family's own notification may come before the link's and would find nobody to
 * tell. Part of LINK_ADDED, so nothing is told here.
 */
static int take_first_features(void *ctx, const struct nlmsghdr *nlh)
{
	struct nl_watch *watch = ctx;
	uint64_t features;
	uint32_t ifindex;

	if (!nl_parse_xdp_features(nlh, &ifindex, &features))
		net_model_link_features(watch->model, ifindex, features);
	return 0;
}

/* Lost events may hide that a device went and another came with its number. */
static bool is_another(const struct net_link *old, const struct net_link *new)
{
	return strcmp(old->kind, new->kind) != 0 ||
	       (strcmp(old->name, new->name) != 0 && memcmp(old->mac, new->mac, NET_MAC_LEN) != 0);
}

static int on_link(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	const struct net_link *old;
	struct net_link link;
	uint32_t changes;
	int r = nl_parse_link(nlh, &link);

	if (r)
		return r;
	old = net_model_link(watch->model, link.ifindex);
	if (old && is_another(old, &link))
		forget_link(watch, link.ifindex);
	r = net_model_link_set(watch->model, &link, &changes);
	if (!has_changed(watch, r))
		return 0;
	if (r == NET_CHANGED) {
		tell_link(watch, link.ifindex, changes);
		return 0;
	}
	if (watch->genl && !watch->dumping)
		nlsock_ask_features(watch->genl, watch->family.id, link.ifindex,
				    take_first_features, watch);
	tell(watch,
	     &(struct net_event){
		     .kind = NET_EVENT_LINK_ADDED, .ifindex = link.ifindex, .changes = changes },
	     NULL);
	return 0;
}

static void put_vlans(struct nl_watch *watch, uint32_t ifindex, const struct net_port_vlans *vlans)
{
	if (has_changed(watch, net_model_link_vlans(watch->model, ifindex, vlans)))
		tell_link(watch, ifindex, NET_LINK_VLANS);
}

static int on_bridge_port(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	struct net_port_vlans vlans;
	uint32_t ifindex;
	bool present;
	int r = nl_parse_bridge_vlans(nlh, &ifindex, &vlans, &present);

	if (r)
		return r;
	/* Only a dump asked for them; the last one's removal is told by RTM_DELVLAN. */
	if (present || watch->dumping)
		put_vlans(watch, ifindex, present ? &vlans : NULL);
	return 0;
}

static int on_newlink(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*ifi))
		return -EBADMSG;
	return ifi->ifi_family == AF_BRIDGE ? on_bridge_port(watch, nlh) : on_link(watch, nlh);
}

/* Of AF_BRIDGE it only means that the device is no longer a port. */
static int on_dellink(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*ifi))
		return -EBADMSG;
	if (ifi->ifi_family == AF_BRIDGE)
		put_vlans(watch, (uint32_t)ifi->ifi_index, NULL);
	else if (ifi->ifi_family == AF_UNSPEC)
		forget_link(watch, (uint32_t)ifi->ifi_index);
	return 0;
}

static int on_vlan(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	static const struct net_port_vlans none;
	const struct net_link *link;
	struct net_port_vlans vlans = none;
	uint32_t ifindex;
	int r = nl_parse_vlan_ifindex(nlh, &ifindex);

	if (r)
		return r;
	link = net_model_link(watch->model, ifindex);
	if (link && link->vlans)
		vlans = *link->vlans;
	r = nl_parse_vlan_change(nlh, &vlans);
	if (r)
		return r;
	put_vlans(watch, ifindex,
		  memcmp(vlans.member, none.member, sizeof(none.member)) ? &vlans : NULL);
	return 0;
}

/* --- neighbours, FDB, addresses -------------------------------------------------------------------- */
static void tell_neigh(struct nl_watch *watch, const struct net_neigh *neigh, bool removed)
{
	struct net_event event = { .kind = NET_EVENT_NEIGH,
				   .removed = removed,
				   .ifindex = neigh->ifindex,
				   .addr = neigh->addr };

	memcpy(event.mac, neigh->mac, NET_MAC_LEN);
	tell(watch, &event, NULL);
}

static int on_vtep(struct nl_watch *watch, const struct nlmsghdr *nlh, bool removed)
{
	struct net_event event = { .kind = NET_EVENT_FDB, .removed = removed };
	struct net_vtep vtep;
	int r = nl_parse_vtep(nlh, &vtep);

	if (r)
		return r;
	r = removed ? net_model_vtep_del(watch->model, &vtep)
		    : net_model_vtep_set(watch->model, &vtep);
	event.ifindex = vtep.ifindex;
	memcpy(event.mac, vtep.mac, NET_MAC_LEN);
	if (has_changed(watch, r))
		tell(watch, &event, NULL);
	return 0;
}

static int on_fdb(struct nl_watch *watch, const struct nlmsghdr *nlh, bool removed)
{
	struct net_event event = { .kind = NET_EVENT_FDB, .removed = removed };
	struct net_fdb fdb;
	int r = nl_parse_fdb(nlh, &fdb);

	if (r == NL_PARSE_SKIP)
		return on_vtep(watch, nlh, removed);
	if (r)
		return r;
	r = removed ? net_model_fdb_del(watch->model, &fdb) : net_model_fdb_set(watch->model, &fdb);
	event.ifindex = fdb.bridge;
	memcpy(event.mac, fdb.mac, NET_MAC_LEN);
	if (has_changed(watch, r))
		tell(watch, &event, NULL);
	return 0;
}

static int on_neigh(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	bool removed = nlh->nlmsg_type == RTM_DELNEIGH;
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct net_neigh neigh;
	int r;

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*ndm))
		return -EBADMSG;
	if (ndm->ndm_family == AF_BRIDGE)
		return on_fdb(watch, nlh, removed);
	r = nl_parse_neigh(nlh, &neigh);
	if (r)
		return r;
	r = removed ? net_model_neigh_del(watch->model, neigh.ifindex, &neigh.addr)
		    : net_model_neigh_set(watch->model, &neigh);
	if (has_changed(watch, r))
		tell_neigh(watch, &neigh, removed);
	return 0;
}

static int on_addr(struct nl_watch *watch, const struct nlmsghdr *nlh)
{
	struct net_event event = { .kind = NET_EVENT_ADDR,
				   .removed = nlh->nlmsg_type == RTM_DELADDR };
	struct net_addr addr;
	int r = nl_parse_addr(nlh, &addr);

	if (r)
		return r;
	r = event.removed ? net_model_addr_del(watch->model, &addr)
			  : net_model_addr_set(watch->model, &addr);
	event.ifindex = addr.ifindex;
	event.addr = addr.addr;
	if (has_changed(watch, r))
		tell(watch, &event, NULL);
	return 0;
}

static const struct {
	uint16_t type;
	int (*fn)(struct nl_watch *watch, const struct nlmsghdr *nlh);
} handlers[] = {
	{ RTM_NEWLINK, on_newlink }, { RTM_DELLINK, on_dellink }, { RTM_NEWVLAN, on_vlan },
	{ RTM_DELVLAN, on_vlan },    { RTM_NEWNEIGH, on_neigh },  { RTM_DELNEIGH, on_neigh },
	{ RTM_NEWADDR, on_addr },    { RTM_DELADDR, on_addr },
};

/* Of the multicast socket and of dumps alike. */
static int take_message(void *ctx, const struct nlmsghdr *nlh)
{
	struct nl_watch *watch = ctx;

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].type == nlh->nlmsg_type && handlers[i].fn(watch, nlh) < 0)
			watch->stats.parse_errors++;
	}
	return 0;
}

/* Of the socket for routes, which are not kept: one event for all that were waiting. */
static int take_route(void *ctx, const struct nlmsghdr *nlh)
{
	struct nl_watch *watch = ctx;

	if (!nl_parse_route_is_clone(nlh))
		watch->routes_changed = true;
	return 0;
}

/* --- the dump ------------------------------------------------------------------------------------------- */
static struct nlmsghdr *ask_links(struct nlsock *sock, uint8_t family, uint32_t mask)
{
	struct nlmsghdr *nlh = nlsock_begin(sock, RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = family;
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, mask);
	return nlh;
}

static struct nlmsghdr *ask_neighs(struct nlsock *sock, uint8_t family)
{
	struct nlmsghdr *nlh = nlsock_begin(sock, RTM_GETNEIGH, NLM_F_DUMP);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = family;
	return nlh;
}

static int dump_links(struct nl_watch *watch)
{
	return nlsock_ask(watch->dump, ask_links(watch->dump, AF_UNSPEC, RTEXT_FILTER_SKIP_STATS),
			  take_message, watch);
}

static int dump_bridge_vlans(struct nl_watch *watch)
{
	return nlsock_ask(watch->dump,
			  ask_links(watch->dump, AF_BRIDGE, RTEXT_FILTER_BRVLAN_COMPRESSED),
			  take_message, watch);
}

static int dump_neighs(struct nl_watch *watch)
{
	return nlsock_ask(watch->dump, ask_neighs(watch->dump, AF_UNSPEC), take_message, watch);
}

static int dump_fdb(struct nl_watch *watch)
{
	return nlsock_ask(watch->dump, ask_neighs(watch->dump, AF_BRIDGE), take_message, watch);
}

static int dump_addrs(struct nl_watch *watch)
{
	struct nlmsghdr *nlh = nlsock_begin(watch->dump, RTM_GETADDR, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	return nlsock_ask(watch->dump, nlh, take_message, watch);
}

static int dump_features(struct nl_watch *watch)
{
	if (!watch->genl)
		return 0;
	return nlsock_ask_features(watch->genl, watch->family.id, 0, take_features, watch);
}

/* Links come first: the others refer to them. */
static int (*const dumps[])(struct nl_watch *watch) = {
	dump_links, dump_bridge_vlans, dump_neighs, dump_fdb, dump_addrs, dump_features
};

static int dump_all(struct nl_watch *watch)
{
	int r, tries;

	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		for (tries = 0, r = -EINTR; r == -EINTR && tries < DUMP_TRIES; tries++)
			r = dumps[i](watch);
		if (r)
			return r;
	}
	return 0;
}

static void sweep_class(struct nl_watch *watch, enum net_class cls, enum net_event_kind kind)
{
	if (net_model_sweep(watch->model, cls))
		tell(watch, &(struct net_event){ .kind = kind, .removed = true }, NULL);
}

static void sweep(struct nl_watch *watch)
{
	uint32_t ifindex;

	while ((ifindex = net_model_unmarked_link(watch->model)))
		forget_link(watch, ifindex);
	sweep_class(watch, NET_CLASS_NEIGH, NET_EVENT_NEIGH);
	sweep_class(watch, NET_CLASS_FDB, NET_EVENT_FDB);
	sweep_class(watch, NET_CLASS_ADDR, NET_EVENT_ADDR);
	sweep_class(watch, NET_CLASS_VTEP, NET_EVENT_FDB);
}

/* A link that left its bridge unseen is in no dump of ports. */
static void drop_stale_vlans(struct nl_watch *watch)
{
	const struct net_link *link;
	size_t cursor = 0;

	while ((link = net_model_link_next(watch->model, &cursor))) {
		if (link->vlans && !link->master && strcmp(link->kind, "bridge") != 0)
			put_vlans(watch, link->ifindex, NULL);
	}
}

static int ignore_message(void *ctx, const struct nlmsghdr *nlh)
{
	return 0;
}

/* What is waiting is older than the dump that follows. */
static void drain(struct nlsock *sock)
{
	for (int i = 0; sock && i < DRAIN_MAX; i++) {
		if (nlsock_receive(sock, ignore_message, NULL) == -EAGAIN)
			return;
	}
}

static int resync(struct nl_watch *watch)
{
	int r;

	drain(watch->route);
	drain(watch->netdev);
	watch->dumping = true;
	net_model_mark(watch->model);
	r = dump_all(watch);
	if (!r) {
		sweep(watch);
		drop_stale_vlans(watch);
	}
	watch->dumping = false;
	watch->last_resync = watch->now;
	tell_held(watch);
	if (r) {
		watch->stats.resync_retries++;
		watch->due = mono_add_msec(watch->now, watch->resync_wait_ms);
		return r;
	}
	watch->stats.resyncs++;
	watch->resync_wanted = false;
	watch->due = (struct mono){ 0 };
	tell_kind(watch, NET_EVENT_SYNCED);
	return 0;
}

static void want_resync(struct nl_watch *watch)
{
	if (watch->resync_wanted)
		return;
	watch->resync_wanted = true;
	watch->due = mono_add_msec(watch->last_resync, watch->resync_wait_ms);
}

static void on_overrun(struct nl_watch *watch)
{
	watch->stats.overruns++;
	if (log_allow(&watch->overrun_limit, watch->now, LOG_BURST, LOG_EVERY_MS))
		log_warn("net", "netlink events lost, reading everything again overruns=%llu",
			 (unsigned long long)watch->stats.overruns);
	if (!watch->resync_wanted)
		tell_kind(watch, NET_EVENT_OVERRUN);
	want_resync(watch);
}

/* --- life ----------------------------------------------------------------------------------------------- */
static const uint32_t groups[] = { RTNLGRP_LINK,        RTNLGRP_NEIGH,  RTNLGRP_IPV4_IFADDR,
				   RTNLGRP_IPV6_IFADDR, RTNLGRP_BRVLAN, 0 };
static const uint32_t rib_groups[] = { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
				       RTNLGRP_IPV6_RULE, 0 };

static int poll_sock(struct nl_watch *watch, const struct nlsock *sock)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, nlsock_fd(sock), &event) ? -errno : 0;
}

/* @joined ends with 0. */
static int open_multicast(struct nl_watch *watch, const uint32_t *joined, uint32_t rcvbuf,
			  struct nlsock **ret_sock)
{
	int r = nlsock_open(NETLINK_ROUTE, ret_sock);

	if (r)
		return r;
	watch->stats.rcvbuf = nlsock_rcvbuf(*ret_sock, rcvbuf);
	for (; !r && *joined; joined++)
		r = nlsock_join(*ret_sock, *joined);
	return r ? r : poll_sock(watch, *ret_sock);
}

/*
 * A routing daemon on this host may write a million routes. They have a socket of their own, so that
 * they can not push events of links out of the other one.
 */
static int open_route(struct nl_watch *watch, uint32_t rcvbuf)
{
	int r = open_multicast(watch, rib_groups, NL_WATCH_RIB_RCVBUF, &watch->rib);

	if (!r)
		r = open_multicast(watch, groups, rcvbuf, &watch->route);
	return r ? r : nlsock_open(NETLINK_ROUTE, &watch->dump);
}

/* Without the family the features stay unknown: no error. */
static int open_netdev(struct nl_watch *watch)
{
	int r = nlsock_open(NETLINK_GENERIC, &watch->genl);

	if (r)
		return r;
	r = nlsock_family(watch->genl, "netdev", "mgmt", &watch->family);
	if (r) {
		nlsock_close(watch->genl);
		watch->genl = NULL;
		return r == -ENOENT ? 0 : r;
	}
	watch->stats.netdev_family = true;
	r = nlsock_open(NETLINK_GENERIC, &watch->netdev);
	if (!r && watch->family.group)
		r = nlsock_join(watch->netdev, watch->family.group);
	return r ? r : poll_sock(watch, watch->netdev);
}

int nl_watch_new(struct net_model *model, const struct nl_watch_options *options, nl_watch_fn fn,
		 void *ctx, struct nl_watch **ret_watch)
{
	static const struct nl_watch_options defaults;
	struct nl_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	if (!options)
		options = &defaults;
	watch->model = model;
	watch->fn = fn;
	watch->ctx = ctx;
	watch->resync_wait_ms =
		options->resync_wait_ms ? options->resync_wait_ms : NL_WATCH_RESYNC_MS;
	watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = watch->epoll_fd < 0 ? -errno : 0;
	if (!r)
		r = open_route(watch, options->rcvbuf ? options->rcvbuf : NL_WATCH_RCVBUF);
	if (!r)
		r = open_netdev(watch);
	if (r) {
		nl_watch_free(watch);
		return r;
	}
	*ret_watch = watch;
	return 0;
}

void nl_watch_free(struct nl_watch *watch)
{
	if (!watch)
		return;
	nlsock_close(watch->route);
	nlsock_close(watch->rib);
	nlsock_close(watch->netdev);
	nlsock_close(watch->dump);
	nlsock_close(watch->genl);
	if (watch->epoll_fd >= 0)
		close(watch->epoll_fd);
	free(watch);
}

int nl_watch_fd(const struct nl_watch *watch)
{
	return watch->epoll_fd;
}

int nl_watch_start(struct nl_watch *watch, struct mono now)
{
	watch->now = now;
	watch->resync_wanted = true;
	return resync(watch);
}

/* What of routes was lost is a change of routes. */
static void on_rib_overrun(struct nl_watch *watch)
{
	watch->stats.route_overruns++;
	watch->routes_changed = true;
}

/* Reads up to NL_WATCH_BATCH messages and signs of loss. */
static void read_events(struct nl_watch *watch, struct nlsock *sock, nlsock_fn fn,
			void (*on_loss)(struct nl_watch *watch))
{
	unsigned int n = 0;
	int r;

	while (sock && n < NL_WATCH_BATCH) {
		r = nlsock_receive(sock, fn, watch);
		if (r == -EAGAIN)
			break;
		if (r == -ENOBUFS)
			on_loss(watch);
		else if (r < 0)
			watch->stats.parse_errors++;
		n += r > 0 ? (unsigned int)r : 1;
		watch->stats.messages += r > 0 ? (unsigned int)r : 0;
	}
}

int nl_watch_process(struct nl_watch *watch, struct mono now)
{
	watch->now = now;
	read_events(watch, watch->route, take_message, on_overrun);
	read_events(watch, watch->netdev, take_features, on_overrun);
	read_events(watch, watch->rib, take_route, on_rib_overrun);
	if (watch->routes_changed)
		tell_kind(watch, NET_EVENT_ROUTE);
	watch->routes_changed = false;
	if (watch->resync_wanted && !mono_before(now, watch->due))
		return resync(watch);
	return 0;
}

struct mono nl_watch_due(const struct nl_watch *watch)
{
	return watch->resync_wanted ? watch->due : (struct mono){ 0 };
}

void nl_watch_resync(struct nl_watch *watch)
{
	want_resync(watch);
}

struct nl_watch_stats nl_watch_stats(const struct nl_watch *watch)
{
	return watch->stats;
}
