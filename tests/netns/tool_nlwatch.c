// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watch on a leash, for tests/netns/net_watch.sh: events go to the file EVENTS, commands come from
 * stdin, one a line; each answer ends with a line "." so that the script can wait for it.
 *
 *   tool_nlwatch EVENTS [RCVBUF]
 *
 *   pause, resume       stop reading netlink, as a busy daemon would; go on
 *   settle              handle what is waiting, until nothing comes for 100 ms and no dump is due
 *   audit               "drift N" and each difference
 *   link NAME           the picture of a link
 *   resolve IP [NIC..]  what resolve says, for nics with these names
 *   manage IF IP        keep the neighbour alive; release IF IP
 *   port IP             the interface that an address lives behind
 *   gro IF on|off
 *   stats, quit
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/nl_inventory.h"
#include "net/nl_request.h"
#include "net/nl_watch.h"
#include "net/resolve.h"

#define WORDS_MAX 16

struct tool {
	struct net_model *model;
	struct nl_watch *watch;
	struct nl_request *request;
	FILE *events;
	bool paused, quit;
};

static const char *const kinds[] = {
	[NET_EVENT_LINK_ADDED] = "link-added",
	[NET_EVENT_LINK_CHANGED] = "link-changed",
	[NET_EVENT_LINK_REMOVED] = "link-removed",
	[NET_EVENT_NEIGH] = "neigh",
	[NET_EVENT_FDB] = "fdb",
	[NET_EVENT_ADDR] = "addr",
	[NET_EVENT_ROUTE] = "route",
	[NET_EVENT_OVERRUN] = "overrun",
	[NET_EVENT_SYNCED] = "synced",
};

static void on_event(void *ctx, const struct net_event *event)
{
	struct tool *tool = ctx;
	char addr[IP_TEXT_MAX];

	fprintf(tool->events, "%s%s %s %s %#x\n", kinds[event->kind],
		event->removed ? "-removed" : "",
		event->link ? event->link->name : net_model_link_name(tool->model, event->ifindex),
		ip_format(&event->addr, addr), event->changes);
	fflush(tool->events);
}

static int process(struct tool *tool)
{
	int r = nl_watch_process(tool->watch, mono_now());

	if (r)
		fprintf(stderr, "dump: %s\n", strerror(-r));
	return r;
}

static void settle(struct tool *tool)
{
	struct pollfd poll_fd = { .fd = nl_watch_fd(tool->watch), .events = POLLIN };

	while (poll(&poll_fd, 1, 100) > 0 || mono_is_set(nl_watch_due(tool->watch)))
		process(tool);
}

static void cmd_audit(struct tool *tool, char **words, size_t n)
{
	struct net_audit audit;
	int r = nl_inventory_audit(tool->model, &audit);

	if (r) {
		printf("error %s\n", strerror(-r));
		return;
	}
	printf("drift %zu links %zu neighs %zu addrs %zu\n", audit.n_drift, audit.links,
	       audit.neighs, audit.addrs);
	for (size_t i = 0; i < audit.n_drift && i < NET_DRIFT_MAX; i++)
		printf("%s [%s] model '%s' kernel '%s'\n", audit.drift[i].what, audit.drift[i].key,
		       audit.drift[i].model, audit.drift[i].kernel);
}

static void cmd_link(struct tool *tool, char **words, size_t n)
{
	const struct net_link *link = n > 1 ? net_model_link_by_name(tool->model, words[1]) : NULL;

	if (!link) {
		printf("absent\n");
		return;
	}
	printf("%s kind=%s master=%s up=%d carrier=%d mtu=%u alias=%s group=%u tun=%d "
	       "filtering=%d vlan=%u xdp=%d/%#llx prog=%d alt=",
	       link->name, link->kind, net_model_link_name(tool->model, link->master), link->up,
	       link->carrier, link->mtu, link->if_alias, link->group, (int)link->tun_type,
	       link->vlan_filtering, link->vlan_id, link->xdp_features_known,
	       (unsigned long long)link->xdp_features, link->xdp_prog_id != 0);
	for (uint32_t i = 0; i < link->n_alt_names; i++)
		printf("%s%s", i ? "," : "", link->alt_names[i]);
	printf(" vlans=");
	for (uint16_t id = 1; link->vlans && id <= NET_VLAN_MAX; id++) {
		if (net_vlans_has(link->vlans, id))
			printf("%u%s%s,", id, net_vlans_untagged(link->vlans, id) ? "u" : "",
			       link->vlans->pvid == id ? "p" : "");
	}
	printf("\n");
}

static const char *way_name(enum xrs_way way)
{
	static const char *const names[] = { "none", "redirect", "bridge", "kernel", "vxlan" };

	return names[way];
}

static void cmd_resolve(struct tool *tool, char **words, size_t n)
{
	struct nl_route_query query = { 0 };
	struct resolved_nexthop nexthop;
	struct resolve_nics nics;
	struct net_route route;
	uint32_t ifindexes[WORDS_MAX];
	int r;

	if (n < 2 || ip_parse(words[1], &query.dst)) {
		printf("usage\n");
		return;
	}
	for (size_t i = 2; i < n; i++)
		ifindexes[i - 2] = if_nametoindex(words[i]);
	nics = resolve_common_nics(tool->model, ifindexes, n - 2);
	r = nl_route_lookup(tool->request, &query, &route);
	if (r) {
		printf("error %s\n", strerror(-r));
		return;
	}
	resolve_nexthop(tool->model, &query.dst, &route, &nics, &nexthop);
	printf("%s way=%s xdp=%d if=%s l3=%s managed=%d "
	       "dmac=%02x:%02x:%02x:%02x:%02x:%02x smac=%02x:%02x:%02x:%02x:%02x:%02x "
	       "vlan=%u mtu=%u text=%s\n",
	       resolve_reason_name(nexthop.reason), way_name(nexthop.way), nexthop.xdp,
	       net_model_link_name(tool->model, nexthop.ifindex),
	       net_model_link_name(tool->model, nexthop.l3_ifindex), nexthop.managed,
	       nexthop.dmac[0], nexthop.dmac[1], nexthop.dmac[2], nexthop.dmac[3], nexthop.dmac[4],
	       nexthop.dmac[5], nexthop.smac[0], nexthop.smac[1], nexthop.smac[2], nexthop.smac[3],
	       nexthop.smac[4], nexthop.smac[5], nexthop.vlan, nexthop.mtu, nexthop.text);
}

static void cmd_manage(struct tool *tool, char **words, size_t n)
{
	enum nl_neigh_method method = NL_NEIGH_NONE;
	struct ip_addr addr;
	int r;

	if (n < 3 || ip_parse(words[2], &addr)) {
		printf("usage\n");
		return;
	}
	if (!strcmp(words[0], "manage"))
		r = nl_neigh_manage(tool->request, if_nametoindex(words[1]), &addr, &method);
	else
		r = nl_neigh_release(tool->request, if_nametoindex(words[1]), &addr);
	printf("%s %s\n", r ? strerror(-r) : "done", nl_neigh_method_name(method));
}

static void cmd_port(struct tool *tool, char **words, size_t n)
{
	struct ip_addr addr;

	if (n < 2 || ip_parse(words[1], &addr)) {
		printf("usage\n");
		return;
	}
	printf("port '%s'\n",
	       net_model_link_name(tool->model, net_model_port_of_ip(tool->model, 0, &addr)));
}

static void cmd_gro(struct tool *tool, char **words, size_t n)
{
	int r = n < 3 ? -EINVAL : net_set_gro(words[1], !strcmp(words[2], "on"));

	printf("%s\n", r ? strerror(-r) : "done");
}

static void cmd_stats(struct tool *tool, char **words, size_t n)
{
	struct nl_watch_stats stats = nl_watch_stats(tool->watch);
	struct net_model_counts counts = net_model_counts(tool->model);

	printf("messages=%llu overruns=%llu errors=%llu resyncs=%llu retries=%llu refused=%llu "
	       "rcvbuf=%u routes-lost=%llu netdev=%d links=%zu neighs=%zu fdb=%zu addrs=%zu\n",
	       (unsigned long long)stats.messages, (unsigned long long)stats.overruns,
	       (unsigned long long)stats.parse_errors, (unsigned long long)stats.resyncs,
	       (unsigned long long)stats.resync_retries, (unsigned long long)stats.refused,
	       stats.rcvbuf, (unsigned long long)stats.route_overruns, stats.netdev_family,
	       counts.links, counts.neighs, counts.fdb, counts.addrs);
}

static void cmd_state(struct tool *tool, char **words, size_t n)
{
	if (!strcmp(words[0], "settle"))
		settle(tool);
	else if (!strcmp(words[0], "quit"))
		tool->quit = true;
	else
		tool->paused = !strcmp(words[0], "pause");
}

static const struct {
	const char *name;
	void (*fn)(struct tool *tool, char **words, size_t n);
} commands[] = {
	{ "audit", cmd_audit },   { "link", cmd_link },      { "resolve", cmd_resolve },
	{ "manage", cmd_manage }, { "release", cmd_manage }, { "port", cmd_port },
	{ "gro", cmd_gro },       { "stats", cmd_stats },    { "pause", cmd_state },
	{ "resume", cmd_state },  { "settle", cmd_state },   { "quit", cmd_state },
};

static void run_command(struct tool *tool, char *line)
{
	char *words[WORDS_MAX], *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(line, " \n", &save); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " \n", &save))
		words[n++] = word;
	for (size_t i = 0; n && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, words[0]))
			commands[i].fn(tool, words, n);
	}
	printf(".\n");
	fflush(stdout);
}

static int wait_msec(const struct tool *tool)
{
	struct mono due = nl_watch_due(tool->watch);

	if (tool->paused || !mono_is_set(due))
		return -1;
	return (int)(mono_since_usec(due, mono_now()) / 1000) + 1;
}

static void loop(struct tool *tool)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = nl_watch_fd(tool->watch), .events = POLLIN } };
	char line[256];

	while (!tool->quit) {
		fds[1].events = tool->paused ? 0 : POLLIN;
		if (poll(fds, 2, wait_msec(tool)) < 0)
			break;
		if (!tool->paused)
			process(tool);
		if (fds[0].revents) {
			if (!fgets(line, sizeof(line), stdin))
				break;
			run_command(tool, line);
		}
	}
}

int main(int argc, char **argv)
{
	struct nl_watch_options options = { .rcvbuf = argc > 2 ? (uint32_t)atoi(argv[2]) : 0 };
	struct tool tool = { .model = net_model_new() };
	int r;

	if (argc < 2)
		return 2;
	setvbuf(stdin, NULL, _IONBF, 0);
	tool.events = fopen(argv[1], "a");
	if (!tool.events || !tool.model)
		return 1;
	r = nl_watch_new(tool.model, &options, on_event, &tool, &tool.watch);
	if (!r)
		r = nl_request_new(&tool.request);
	if (!r)
		r = nl_watch_start(tool.watch, mono_now());
	if (r) {
		fprintf(stderr, "start: %s\n", strerror(-r));
		return 1;
	}
	loop(&tool);
	nl_watch_free(tool.watch);
	nl_request_free(tool.request);
	net_model_free(tool.model);
	fclose(tool.events);
	return 0;
}
