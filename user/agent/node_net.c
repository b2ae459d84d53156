// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node's ear on the host's network: netlink events become nic matches and next hops to resolve
 * again. Called by the loop; decides nothing itself.
 */
#include <errno.h>
#include <string.h>

#include "agent/node_impl.h"
#include "net/nl_inventory.h"

#define SUBSYS "net"

/* What of a link changes how frames reach a next hop behind it. */
#define RESOLVE_CHANGES                                                                     \
	(NET_LINK_MASTER | NET_LINK_MAC | NET_LINK_MTU | NET_LINK_STATE | NET_LINK_PARENT | \
	 NET_LINK_BRIDGE | NET_LINK_XDP_FEATURES | NET_LINK_VLANS)

static bool mac_is_zero(const uint8_t *mac)
{
	static const uint8_t zero[NET_MAC_LEN];

	return memcmp(mac, zero, NET_MAC_LEN) == 0;
}

static void link_added(struct node *node, const struct net_event *event)
{
	node_nic_link(node, event->link);
	node_nexthop_dirty_link(node, event->ifindex);
}

static void link_changed(struct node *node, const struct net_event *event)
{
	if (event->changes & (NET_LINK_MATCH_KEYS | NET_LINK_XDP_PROG))
		node_nic_link(node, event->link);
	if ((event->changes & NET_LINK_STATE) && !(event->link->up && event->link->carrier))
		node_nexthop_port_lost(node, event->ifindex, TIMELINE_CARRIER_LOST);
	if (event->changes & RESOLVE_CHANGES)
		node_nexthop_dirty_link(node, event->ifindex);
}

/* A port or nic that went takes its next hops with it now, not when a timer says so. */
static void link_removed(struct node *node, const struct net_event *event)
{
	node_nexthop_port_lost(node, event->ifindex, TIMELINE_NIC_GONE);
	node_nic_gone(node, event->ifindex);
	node_nexthop_dirty_link(node, event->ifindex);
}

static void neigh_changed(struct node *node, const struct net_event *event)
{
	if (event->addr.family == IP_NONE)
		node_nexthop_dirty_all(node, NULL);
	else
		node_nexthop_dirty_addr(node, &event->addr);
}

static void fdb_changed(struct node *node, const struct net_event *event)
{
	if (mac_is_zero(event->mac))
		node_nexthop_dirty_all(node, NULL);
	else
		node_nexthop_dirty_mac(node, event->mac);
}

static void addr_changed(struct node *node, const struct net_event *event)
{
	node_nic_addresses(node, event->ifindex);
	node_nexthop_dirty_all(node, NULL);
}

static void all_changed(struct node *node, const struct net_event *event)
{
	node_nexthop_dirty_all(node, NULL);
}

static void synced(struct node *node, const struct net_event *event)
{
	node->net_synced = true;
	node_nic_addresses(node, 0);
	node_nexthop_dirty_all(node, NULL);
	node_fib_kick(node);
}

static void (*const handlers[NET_EVENT_SYNCED + 1])(struct node *, const struct net_event *) = {
	[NET_EVENT_LINK_ADDED] = link_added,     [NET_EVENT_LINK_CHANGED] = link_changed,
	[NET_EVENT_LINK_REMOVED] = link_removed, [NET_EVENT_NEIGH] = neigh_changed,
	[NET_EVENT_FDB] = fdb_changed,           [NET_EVENT_ADDR] = addr_changed,
	[NET_EVENT_ROUTE] = all_changed,         [NET_EVENT_SYNCED] = synced,
};

static void on_event(void *ctx, const struct net_event *event)
{
	if (handlers[event->kind]) /* an overrun is logged by the watch and followed by SYNCED */
		handlers[event->kind](ctx, event);
	node_hosts_kick(ctx);
	node_vm_dirty(ctx);
}

static void process(struct node *node)
{
	int err = nl_watch_process(node->watch, loop_now(node->loop));

	if (err < 0)
		log_warn(SUBSYS, "reading netlink: %s", strerror(-err));
	loop_timer_set(node->loop, &node->watch_timer, nl_watch_due(node->watch));
}

static void on_readable(struct loop_io *io, uint32_t events)
{
	process(io->ctx);
}

static void on_due(struct loop_timer *timer)
{
	process(timer->ctx);
}

/* Two libraries look at the same host; a difference is worth a line and a second look. */
static void audit(struct node *node)
{
	struct net_audit result;

	if (nl_inventory_audit(node->net, &result) < 0)
		return;
	if (result.n_drift) {
		log_warn(SUBSYS, "audit: %zu differences, first %s %s model=%s kernel=%s",
			 result.n_drift, result.drift[0].what, result.drift[0].key,
			 result.drift[0].model, result.drift[0].kernel);
		nl_watch_resync(node->watch);
		loop_timer_set(node->loop, &node->watch_timer, nl_watch_due(node->watch));
		return;
	}
	log_info(SUBSYS, "links=%zu neighbours=%zu addresses=%zu", result.links, result.neighs,
		 result.addrs);
}

int node_net_init(struct node *node)
{
	int err;

	if (!node->plan)
		return 0;
	node->net = net_model_new();
	if (!node->net)
		return -ENOMEM;
	err = nl_request_new(&node->request);
	if (err == 0)
		err = nl_watch_new(node->net, NULL, on_event, node, &node->watch);
	if (err < 0) {
		log_err(SUBSYS, "netlink: %s", strerror(-err));
		return err;
	}
	node->watch_timer = (struct loop_timer){ .fn = on_due, .ctx = node };
	node->watch_io = (struct loop_io){
		.fd = nl_watch_fd(node->watch), .fn = on_readable, .ctx = node, .urgent = true
	};
	err = nl_watch_start(node->watch, loop_now(node->loop));
	if (err == 0)
		err = loop_io_add(node->loop, &node->watch_io, EPOLLIN);
	if (err < 0) {
		log_err(SUBSYS, "the first picture of the host: %s", strerror(-err));
		return err;
	}
	audit(node);
	return 0;
}

void node_net_done(struct node *node)
{
	loop_timer_stop(node->loop, &node->hosts_timer);
	loop_io_del(node->loop, &node->watch_io);
	loop_timer_stop(node->loop, &node->watch_timer);
	nl_watch_free(node->watch);
	nl_request_free(node->request);
	net_model_free(node->net);
}
