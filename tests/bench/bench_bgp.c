// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures a BGP speaker from outside, whichever it is: peers of our own send routes that were encoded
 * before, and count what comes back. bgp.sh starts the speakers and makes tables of what this prints, one
 * "name value" a line; README.md beside it says what each means.
 *
 *	bench_bgp SCENARIO --speaker 10.9.0.1 --local 10.9.1.1 [options]
 *	bench_bgp mirror --local 10.9.0.1		the bare forwarder to compare latencies with
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "bgp_mirror.h"
#include "bgp_peer.h"
#include "dataplane.h"

#define FIRST_ASN    64601
#define SETTLE_MSEC  300
#define PIDS_MAX     32
#define SAMPLE_EVERY 61 /* of the prefixes: looked up while waiting for the trie */
#define PING_USEC    5000
#define PING_EVERY   256 /* lookups in the trie, whose time is not the API's */

struct options {
	const char *speaker, *local, *trie, *api, *pids;
	struct route_source source;
	size_t routes;
	unsigned int peers, seconds, rate, timeout;
};

struct bench {
	struct options opt;
	struct net net;
	struct route_set set;
	int trie_fd; /* -1: no trie to look at */
	/* The API, asked again and again while routes arrive. */
	int api_fd;
	bool api_asked;
	uint64_t api_sent, api_next, api_max;
	unsigned int api_count;
};

static void print(const char *name, uint64_t usec)
{
	printf("%s %.6f\n", name, (double)usec / 1e6);
	fflush(stdout);
}

/* --- what the speaker costs ---------------------------------------------------------------------- */

/* A value in kB of /proc/PID/FILE, or 0. */
static unsigned long proc_kb(const char *pid, const char *file, const char *key)
{
	char path[64], line[256];
	unsigned long value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			value = strtoul(line + strlen(key), NULL, 10);
	}
	if (f)
		fclose(f);
	return value;
}

/* Seconds of processor time, user and system, since a process started. */
static double proc_cpu(const char *pid)
{
	unsigned long user = 0, system = 0;
	char path[64], line[1024] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f) && strrchr(line, ')'))
		sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		       &user, &system);
	if (f)
		fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct costs {      /* of all processes of the speaker */
	double cpu; /* since they started */
	unsigned long peak_kb, pss_kb;
};

static struct costs costs_now(const struct bench *b)
{
	char *list = b->opt.pids ? strdup(b->opt.pids) : NULL, *rest = list, *pid;
	struct costs costs = { 0 };

	while (list && (pid = strsep(&rest, " ,")) && *pid) {
		costs.peak_kb += proc_kb(pid, "status", "VmHWM:");
		costs.pss_kb += proc_kb(pid, "smaps_rollup", "Pss:");
		costs.cpu += proc_cpu(pid);
	}
	free(list);
	return costs;
}

/* Where the work of interest is done. */
static void print_costs(const struct bench *b)
{
	struct costs costs = costs_now(b);

	if (b->opt.pids)
		printf("cpu %.2f\npeak_mb %.1f\npss_mb %.1f\n", costs.cpu,
		       (double)costs.peak_kb / 1024, (double)costs.pss_kb / 1024);
}

/* --- the speaker's API --------------------------------------------------------------------------- */

static void api_open(struct bench *b)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	b->api_fd = -1;
	if (!b->opt.api)
		return;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", b->opt.api);
	b->api_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(b->api_fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die("%s: %s", b->opt.api, strerror(errno));
}

/* One question under way at a time. */
static void api_ping(struct bench *b)
{
	static const char question[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"system.info\"}\n";
	uint64_t now = now_usec();
	char answer[65536];
	ssize_t n;

	if (b->api_fd < 0)
		return;
	n = recv(b->api_fd, answer, sizeof(answer), MSG_DONTWAIT);
	if (n > 0 && answer[n - 1] == '\n' && b->api_asked) {
		b->api_asked = false;
		b->api_count++;
		if (now - b->api_sent > b->api_max)
			b->api_max = now - b->api_sent;
		b->api_next = b->api_sent + PING_USEC;
	}
	if (b->api_asked || now < b->api_next)
		return;
	if (send(b->api_fd, question, sizeof(question) - 1, 0) > 0)
		b->api_asked = true;
	b->api_sent = now;
}

/* --- waiting ----------------------------------------------------------------------------------- */

typedef bool (*done_fn)(struct bench *b);

/* Runs until @done, and says how long it took since @start. */
static uint64_t run_until(struct bench *b, uint64_t start, const char *what, done_fn done)
{
	uint64_t end = start + b->opt.timeout * 1000000ull;
	bool polls = b->trie_fd >= 0 || b->api_fd >= 0;

	while (!done(b)) {
		if (now_usec() > end)
			die("%s: not done within %u s (peer 1 holds %zu, wanted %zu)", what,
			    b->opt.timeout, b->net.peers[0].held.count,
			    b->net.peers[0].wanted.count);
		net_turn(&b->net, polls ? 1 : 100);
		api_ping(b);
	}
	return now_usec() - start;
}

static void settle(struct bench *b)
{
	uint64_t end = now_usec() + SETTLE_MSEC * 1000;

	while (now_usec() < end) {
		net_turn(&b->net, 1);
		api_ping(b);
	}
}

static struct peer *receiver(struct bench *b)
{
	return &b->net.peers[0];
}

static struct peer *sender(struct bench *b, unsigned int index)
{
	return &b->net.peers[1 + index];
}

static struct sender identity(const struct peer *peer, unsigned int prepend)
{
	return (struct sender){ .asn = peer->asn,
				.next_hop = ntohl(peer->local.s_addr),
				.prepend = prepend };
}

static void start_net(struct bench *b, unsigned int peers)
{
	struct in_addr speaker, local;

	if (!b->opt.speaker || !b->opt.local || inet_pton(AF_INET, b->opt.speaker, &speaker) != 1 ||
	    inet_pton(AF_INET, b->opt.local, &local) != 1)
		die("--speaker and --local must be IPv4 addresses");
	net_init(&b->net, speaker, local, FIRST_ASN, peers);
	net_establish(&b->net, 60);
	settle(b);
	if (b->net.n > 1 && b->net.peers[0].held.count)
		die("the speaker announces %zu routes of its own", b->net.peers[0].held.count);
}

/* --- the trie ---------------------------------------------------------------------------------- */

static bool in_trie(const struct bench *b, struct route route)
{
	struct xrs_key4 key = { .prefixlen = route.len };
	uint32_t addr = htonl(route.addr);
	struct xrs_route value;

	memcpy(key.addr, &addr, sizeof(key.addr));
	/* The longest match of a prefix that is there is itself, and its length stands in the value. */
	return bpf_map_lookup_elem(b->trie_fd, &key, &value) == 0 && value.prefix_len == route.len;
}

static size_t trie_at; /* prefixes before it were there */

static bool trie_sampled(struct bench *b)
{
	unsigned int lookups = 0;
	size_t n = b->set.n;

	for (; trie_at<n; trie_at += n - trie_at> SAMPLE_EVERY ? SAMPLE_EVERY : 1) {
		if (!in_trie(b, b->set.routes[trie_at]))
			return false;
		if (++lookups % PING_EVERY == 0)
			api_ping(b);
	}
	return true;
}

static void check_trie(struct bench *b)
{
	size_t missing = 0;

	for (size_t i = 0; i < b->set.n; i++) {
		missing += !in_trie(b, b->set.routes[i]);
		if (i % PING_EVERY == 0)
			api_ping(b);
	}
	if (missing)
		die("%zu prefixes are missing in the trie", missing);
}

/* --- one sender, one receiver -------------------------------------------------------------------- */

static bool receiver_full(struct bench *b)
{
	return receiver(b)->held.count == b->set.n;
}

static bool receiver_empty(struct bench *b)
{
	return !receiver(b)->held.count;
}

static void await_trie(struct bench *b, uint64_t start)
{
	uint64_t took = run_until(b, start, "trie", trie_sampled);

	print("trie", took);
	check_trie(b);
}

/* Until the receiver holds all; until the trie does, where there is one; then all of it back. */
static void bench_full(struct bench *b)
{
	struct octets announce = { 0 }, withdraw = { 0 };
	struct sender from;
	uint64_t start;
	double cpu;

	start_net(b, 2);
	from = identity(sender(b, 0), 0);
	routes_announce(&b->set, 0, b->set.n, &from, &announce);
	end_of_rib(&announce);
	routes_withdraw(&b->set, 0, b->set.n, &withdraw);
	start = now_usec();
	peer_send(sender(b, 0), &announce);
	print("receive", run_until(b, start, "receive", receiver_full));
	if (b->trie_fd >= 0)
		await_trie(b, start);
	print_costs(b);
	settle(b);
	cpu = costs_now(b).cpu;
	start = now_usec();
	peer_send(sender(b, 0), &withdraw);
	print("withdraw", run_until(b, start, "withdraw", receiver_empty));
	printf("withdraw_cpu %.2f\n", costs_now(b).cpu - cpu);
	if (b->api_fd >= 0) {
		print("api_max", b->api_max);
		printf("api_answers %u\n", b->api_count);
	}
}

/* --- the better of two senders dies -------------------------------------------------------------- */

static bool via_first(struct bench *b)
{
	return receiver(b)->held.count == b->set.n && !receiver(b)->wanted.count;
}

static bool via_second(struct bench *b)
{
	return receiver(b)->wanted.count == b->set.n;
}

static void bench_best2(struct bench *b)
{
	struct octets announce[2] = { 0 };
	uint64_t start;

	start_net(b, 3);
	receiver(b)->want_asn = sender(b, 1)->asn;
	for (unsigned int i = 0; i < 2; i++) {
		struct sender from = identity(sender(b, i), i);

		routes_announce(&b->set, 0, b->set.n, &from, &announce[i]);
		end_of_rib(&announce[i]);
	}
	peer_send(sender(b, 1), &announce[1]);
	run_until(b, now_usec(), "the second best", via_second);
	start = now_usec();
	peer_send(sender(b, 0), &announce[0]);
	run_until(b, start, "the best", via_first);
	settle(b);
	print_costs(b);
	start = now_usec();
	peer_die(sender(b, 0));
	print("failover", run_until(b, start, "the replacements", via_second));
}

/* --- the same from many -------------------------------------------------------------------------- */

/* The last word of a sender: when it has come through, so has everything before it. */
static struct route marker(unsigned int index)
{
	return (struct route){ .addr = (198u << 24) | (18u << 16) | index << 8, .len = 24 };
}

static bool all_through(struct bench *b)
{
	return receiver(b)->held.count == b->set.n + b->opt.peers &&
	       receiver(b)->wanted.count == b->set.n + 1;
}

/* The last sender has the best paths; done when they and the last word of each sender are held. */
static void bench_fanin(struct bench *b)
{
	unsigned int n = b->opt.peers;
	struct octets *announce = calloc(n, sizeof(*announce));
	uint64_t start;

	start_net(b, n + 1);
	receiver(b)->want_asn = sender(b, n - 1)->asn;
	for (unsigned int i = 0; i < n; i++) {
		struct sender from = identity(sender(b, i), i < n - 1);

		routes_announce(&b->set, 0, b->set.n, &from, &announce[i]);
		route_announce(marker(i), &from, 0, &announce[i]);
		end_of_rib(&announce[i]);
	}
	start = now_usec();
	for (unsigned int i = 0; i < n; i++)
		peer_send(sender(b, i), &announce[i]);
	print("receive", run_until(b, start, "receive", all_through));
	print_costs(b);
}

/* --- everybody to everybody ---------------------------------------------------------------------- */

static bool all_hold_all(struct bench *b)
{
	size_t share = b->set.n / b->net.n;

	for (unsigned int i = 0; i < b->net.n; i++) {
		if (b->net.peers[i].held.count < b->set.n - share)
			return false;
	}
	return true;
}

/* The memory of what the receivers will hold is there before the clock starts: it is not the speaker's. */
static void warm_up(struct bench *b)
{
	for (unsigned int i = 0; i < b->net.n && !b->opt.source.compact; i++) {
		for (size_t k = 0; k < b->set.n; k++)
			set_add(&b->net.peers[i].held, b->set.routes[k]);
		for (size_t k = 0; k < b->set.n; k++)
			set_del(&b->net.peers[i].held, b->set.routes[k]);
	}
}

static void bench_mesh(struct bench *b)
{
	unsigned int n = b->opt.peers;
	struct octets *announce = calloc(n, sizeof(*announce));
	size_t share = b->set.n / n;
	uint64_t start, octets = 0;

	b->set.n = share * n;
	start_net(b, n);
	for (unsigned int i = 0; i < n; i++) {
		struct sender from = identity(&b->net.peers[i], 0);

		routes_announce(&b->set, i * share, (i + 1) * share, &from, &announce[i]);
		end_of_rib(&announce[i]);
	}
	warm_up(b);
	start = now_usec();
	for (unsigned int i = 0; i < n; i++)
		peer_send(&b->net.peers[i], &announce[i]);
	print("receive", run_until(b, start, "receive", all_hold_all));
	for (unsigned int i = 0; i < n; i++)
		octets += b->net.peers[i].octets_in;
	printf("octets_mb %.1f\n", (double)octets / 1e6);
	print_costs(b);
}

/* --- latency ----------------------------------------------------------------------------------- */

struct latency {
	uint64_t *sent, *took; /* by sequence number */
	unsigned int n, back;
};

static void on_sequence(void *ctx, uint32_t community)
{
	struct latency *l = ctx;
	uint32_t sequence = community & 0xfffff;

	if (community >> 20 != 0xfd0 || sequence >= l->n || l->took[sequence] || !l->sent[sequence])
		return;
	l->took[sequence] = now_usec() - l->sent[sequence];
	l->back++;
}

static int compare_usec(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int start_timer(unsigned int rate)
{
	long period = 1000000000l / rate;
	struct itimerspec when = { { 0, period }, { 0, period } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &when, NULL) < 0)
		die("timer: %s", strerror(errno));
	return fd;
}

/* Update @sequence: a route of the table with a community that nobody has seen yet. */
static void send_sequence(struct bench *b, struct latency *l, unsigned int sequence)
{
	static struct octets update;
	struct sender from = identity(sender(b, 0), 0);

	update.len = 0;
	route_announce(b->set.routes[sequence % b->set.n], &from, 0xfd0u << 20 | sequence, &update);
	l->sent[sequence] = now_usec();
	peer_send(sender(b, 0), &update);
}

static void send_at_rate(struct bench *b, struct latency *l)
{
	int timer = start_timer(b->opt.rate);
	struct epoll_event event = { .events = EPOLLIN }, events[8];
	int epoll_fd = epoll_create1(0);
	unsigned int next = 0;
	uint64_t end = now_usec() + (b->opt.seconds + 30) * 1000000ull, ticks;

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, b->net.epoll_fd, &event);
	while (l->back < l->n) {
		if (now_usec() > end)
			die("%u of %u updates came back", l->back, l->n);
		epoll_wait(epoll_fd, events, 8, 100);
		net_turn(&b->net, 0);
		if (read(timer, &ticks, sizeof(ticks)) != sizeof(ticks))
			continue;
		for (; ticks && next < l->n; ticks--)
			send_sequence(b, l, next++);
	}
	close(epoll_fd);
	close(timer);
}

static void bench_latency(struct bench *b)
{
	struct latency l = { .n = b->opt.rate * b->opt.seconds };
	struct octets announce = { 0 };
	struct sender from;

	start_net(b, 2);
	from = identity(sender(b, 0), 0);
	routes_announce(&b->set, 0, b->set.n, &from, &announce);
	peer_send(sender(b, 0), &announce);
	run_until(b, now_usec(), "the table", receiver_full);
	settle(b);
	l.sent = calloc(l.n, sizeof(*l.sent));
	l.took = calloc(l.n, sizeof(*l.took));
	receiver(b)->on_community = on_sequence;
	receiver(b)->ctx = &l;
	send_at_rate(b, &l);
	qsort(l.took, l.n, sizeof(*l.took), compare_usec);
	print("p50", l.took[l.n / 2]);
	print("p99", l.took[l.n - 1 - l.n / 100]);
	print("max", l.took[l.n - 1]);
}

/* --- main -------------------------------------------------------------------------------------- */

/* What our own part costs when the speaker costs nothing: encode, and count what was encoded. */
static void bench_self(struct bench *b)
{
	struct octets announce = { 0 };
	struct sender from = { .asn = FIRST_ASN, .next_hop = 0x0a090102 };
	uint64_t start = now_usec();

	routes_announce(&b->set, 0, b->set.n, &from, &announce);
	print("encode", now_usec() - start);
	printf("routes %zu\ngroups %zu\noctets %zu\n", b->set.n, b->set.n_groups, announce.len);
}

static const struct scenario {
	const char *name;
	void (*run)(struct bench *b);
} scenarios[] = {
	{ "full", bench_full }, { "best2", bench_best2 },     { "fanin", bench_fanin },
	{ "mesh", bench_mesh }, { "latency", bench_latency }, { "self", bench_self },
};

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !*text || !value || value > 100000000)
		die("not a number: %s", text);
	return (unsigned int)value;
}

static void parse(int argc, char **argv, struct options *opt)
{
	static const struct option names[] = {
		{ "speaker", 1, NULL, 's' }, { "local", 1, NULL, 'l' },
		{ "routes", 1, NULL, 'n' },  { "prefixes", 1, NULL, 'f' },
		{ "mrt", 1, NULL, 'm' },     { "compact", 0, NULL, 'c' },
		{ "peers", 1, NULL, 'p' },   { "trie", 1, NULL, 't' },
		{ "api", 1, NULL, 'a' },     { "pids", 1, NULL, 'P' },
		{ "rate", 1, NULL, 'r' },    { "seconds", 1, NULL, 'S' },
		{ "timeout", 1, NULL, 'T' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 's':
			opt->speaker = optarg;
			break;
		case 'l':
			opt->local = optarg;
			break;
		case 'n':
			opt->routes = number(optarg);
			break;
		case 'f':
			opt->source.prefixes = optarg;
			break;
		case 'm':
			opt->source.mrt = optarg;
			break;
		case 'c':
			opt->source.compact = true;
			break;
		case 'p':
			opt->peers = number(optarg);
			break;
		case 't':
			opt->trie = optarg;
			break;
		case 'a':
			opt->api = optarg;
			break;
		case 'P':
			opt->pids = optarg;
			break;
		case 'r':
			opt->rate = number(optarg);
			break;
		case 'S':
			opt->seconds = number(optarg);
			break;
		case 'T':
			opt->timeout = number(optarg);
			break;
		default:
			die("unknown option");
		}
	}
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.opt = { .routes = 1000000,
			 .peers = 8,
			 .seconds = 10,
			 .rate = 1000,
			 .timeout = 600 },
		.trie_fd = -1,
	};
	const char *name = argc > 1 ? argv[1] : "";

	if (argc > 1)
		parse(argc - 1, argv + 1, &b.opt);
	if (!strcmp(name, "mirror") && b.opt.local)
		mirror_run(b.opt.local);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(name, scenarios[i].name))
			continue;
		routes_make(&b.set, &b.opt.source, b.opt.routes);
		if (b.opt.trie && (b.trie_fd = bpf_obj_get(b.opt.trie)) < 0)
			die("%s: %s", b.opt.trie, strerror(errno));
		api_open(&b);
		scenarios[i].run(&b);
		return 0;
	}
	die("usage: bench_bgp full|best2|fanin|mesh|latency|self|mirror [options]");
}
