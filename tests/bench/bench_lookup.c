// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet and a route cost: nanoseconds a packet above the harness (BPF_PROG_TEST_RUN) for a redirect
 * without a table, bpf_fib_lookup, xrs_steer on the trie alone and xrs_steer as it is; lookups alone; and
 * writes to the maps. Same destinations, same routes, one run; each figure is the median of rounds that take
 * turns.
 *
 *	bench_lookup -i INSTANCE [-f FILE] [-n SIZES] [-r ROUNDS] [-p] [-q]
 *
 * FILE: prefixes of the full table, gzip. SIZES: "1000,100000". -p: frames a second over veth and tap instead.
 * -q: IPv4 alone, without features and writes.
 * Driven by lookup.sh and pps.sh; needs root.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fib/fib_maps.h"
#include "fib/loader.h"
#include "feed.skel.h"
#include "lookup_lab.h"

#define LIST       (1u << 20)
#define RUN        (1u << 15) /* packets of one test run */
#define SIZES_MAX  8
#define ROUNDS_MAX 31
#define NIC        1 /* test runs come from the loopback device */
#define VLAN       100
#define WRITES_MAX 200000 /* routes written one by one */

enum {
	TABLE_XRS,
	TABLE_TRIE,
	TABLE_WRITES
};

struct variant {
	const char *name;
	const char *program; /* of feed.bpf.c; NULL: xrs_steer */
	uint32_t table;
	uint32_t add_flags, drop_flags; /* XRS_NIC_F_* */
	bool tagged, bfd, v4_only;
	bool observes; /* of the programs that nics with traces or counters by route have */
};

/* The harness first: it is taken from all others. Then the one that XRS is to be compared with. */
static const struct variant packets[] = {
	{ .name = "harness", .program = "bench_null" },
	{ .name = "bpf_fib_lookup", .program = "bench_fib" },
	{ .name = "redirect only", .program = "bench_redirect" },
	{ .name = "XRS, trie alone", .table = TABLE_TRIE },
	{ .name = "XRS", .table = TABLE_XRS },
	{ .name = "lookup: trie", .program = "bench_trie", .table = TABLE_TRIE },
	{ .name = "lookup: XRS", .program = "bench_fast", .table = TABLE_XRS },
	{ .name = "lookup: index of 24 bits", .program = "bench_index", .v4_only = true },
};
static const struct variant features[] = {
	{ .name = "harness", .program = "bench_null" },
	{ .name = "XRS", .table = TABLE_XRS },
	{ .name = "  without antiSpoof", .table = TABLE_XRS, .drop_flags = XRS_NIC_F_ANTI_SPOOF },
	{ .name = "  hash not symmetric", .table = TABLE_XRS, .drop_flags = XRS_NIC_F_SYMMETRIC },
	{ .name = "  VLAN tag kept", .table = TABLE_XRS, .tagged = true },
	{ .name = "  BFD at the next hops", .table = TABLE_XRS, .bfd = true },
	/* What is off is not in the program. The same with it in there, and off; the quick way, and the whole. */
	{ .name = "  able to observe, off", .table = TABLE_XRS, .observes = true },
	{ .name = "  ... and a VLAN tag", .table = TABLE_XRS, .tagged = true, .observes = true },
	{ .name = "  counters by route",
	  .table = TABLE_XRS,
	  .add_flags = XRS_NIC_F_ROUTES,
	  .observes = true },
	{ .name = "  trace of 1 in 1,000",
	  .table = TABLE_XRS,
	  .add_flags = XRS_NIC_F_TRACE,
	  .observes = true },
};
#define VARIANT_XRS  4
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define VARIANTS     COUNT(packets)
#define VARIANTS_MAX 16
_Static_assert(VARIANTS <= VARIANTS_MAX && COUNT(features) <= VARIANTS_MAX, "room for both");

static const char *const spreads[] = { "uniform", "Zipf", "64 hot" };

static struct bench {
	const char *instance, *file;
	size_t sizes[SIZES_MAX];
	unsigned int n_sizes, rounds;
	struct loader *loader;
	struct fib_maps *maps;
	struct feed_bpf *feed;
	struct feed_shape *shape;
	uint32_t (*list)[4];
	uint32_t ifindex; /* the way out */
} bench;

struct data { /* one family and size */
	enum ip_family family;
	size_t n;
	struct ip_prefix *prefixes;
	uint8_t *hop;
	struct fib_route *routes;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The lower quartile or decile: other work only slows down. */
static double lower(double *values, unsigned int n, unsigned int part)
{
	qsort(values, n, sizeof(*values), compare_double);
	return values[n / part];
}

/* --- the instance and the programs ---------------------------------------------------------------------- */
static void *map_memory(const struct bpf_map *map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		lab_die("mmap of %s", bpf_map__name(map));
	return memory;
}

static void open_feed(void)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bench.feed = feed_bpf__open();
	if (!bench.feed)
		lab_die("feed.bpf.o can not be opened");
	bpf_object__for_each_program(program, bench.feed->obj)
	{
		if (bpf_program__type(program) == BPF_PROG_TYPE_XDP)
			bpf_program__set_flags(program, BPF_F_XDP_HAS_FRAGS);
	}
	bpf_object__for_each_map(map, bench.feed->obj)
	{
		int fd = fib_maps_fd(bench.maps, bpf_map__name(map));

		if (fd >= 0 && bpf_map__reuse_fd(map, fd))
			lab_die("map %s is not as this program knows it", bpf_map__name(map));
	}
	if (feed_bpf__load(bench.feed))
		lab_die("feed.bpf.o can not be loaded");
	bench.list = map_memory(bench.feed->maps.feed_list, LIST * sizeof(*bench.list));
	bench.shape = map_memory(bench.feed->maps.feed_shape, (size_t)sysconf(_SC_PAGESIZE));
}

static void open_instance(void)
{
	char text[LOADER_TEXT];
	struct fib_schema schema;

	loader_log_init();
	loader_purge(bench.instance, text); /* a run that ended early left its routes */
	if (loader_open(bench.instance, text, &bench.loader))
		lab_die("%s", text);
	schema = loader_schema(bench.loader);
	if (fib_maps_open(bench.instance, &schema, &bench.maps))
		lab_die("the maps can not be opened");
	if (loader_observe(bench.loader, NIC, true, text))
		lab_die("%s", text);
}

/* One session that all next hops may have, and that is alive. */
#define BFD_SLOT 1

static void set_bfd(void)
{
	struct xrs_bfd entry = { .deadline_ns = ~0ull, .local_discr = BFD_SLOT, .family = 4 };

	if (fib_maps_bfd_set(bench.maps, BFD_SLOT, &entry))
		lab_die("the BFD session can not be written");
}

/* What is traced, and told to nobody: the ring is full soon. */
static void set_trace(void)
{
	struct xrs_trace_rule rule = { .sample = 1000, .gap_ns = 1000000 };

	if (fib_maps_trace_rule(bench.maps, &rule))
		lab_die("the trace can not be written");
}

static void set_nexthops(uint16_t vlan, bool bfd)
{
	for (uint32_t i = 0; i < LAB_HOPS; i++) {
		struct xrs_nexthop hop = {
			.way = XRS_WAY_REDIRECT,
			.ifindex = bench.ifindex,
			.mtu = 1500,
			.vlan = vlan,
			.bfd = bfd ? BFD_SLOT : 0,
			.family = 4,
			.dmac = { 2, 0xee, 0, 0, 0, (uint8_t)i },
			.smac = { 2, 0xdd, 0, 0, 0, 1 },
		};

		fib_maps_nexthop_set(bench.maps, i + 1, &hop);
	}
}

static void set_groups(void)
{
	for (uint32_t i = 1; i <= LAB_HOPS; i++) {
		struct xrs_group group = { .n_members = 1, .n_alive = 1, .member = { i } };
		struct xrs_bucket bucket;

		for (int b = 0; b < XRS_BUCKETS; b++)
			bucket.member[b] = (uint16_t)i;
		fib_maps_group_set(bench.maps, i, &group, &bucket);
	}
}

static void set_nic(uint32_t ifindex, const struct variant *v)
{
	struct xrs_nic nic = {
		.table = v->table,
		.slot = 1,
		.flags = ((XRS_NIC_F_ANTI_SPOOF | XRS_NIC_F_SYMMETRIC) & ~v->drop_flags) |
			 v->add_flags,
		.n_gateway_macs = 1,
		.n_sources4 = 1,
		.n_sources6 = 1,
		.gateway_mac = { { 2, 0, 0, 0, 1, 1 } },
		.mac = { 2, 0, 0, 0, 0, 10 },
		.source4 = { { 10, 1, 0, 10 } },
		.source4_len = { 32 },
		.source6 = { { 0xfd, 0, 0, 1 } },
		.source6_len = { 64 },
		.name = "lo",
	};

	if (fib_maps_nic_set(bench.maps, ifindex, &nic))
		lab_die("the nic can not be written");
}

/* --- routes --------------------------------------------------------------------------------------------- */
static double write_routes(uint32_t table, struct fib_route *routes, size_t n, size_t batch)
{
	double start = now_ns();

	for (size_t i = 0; i < n; i += batch) {
		if (fib_maps_routes_set(bench.maps, table, routes + i,
					i + batch < n ? batch : n - i))
			lab_die("routes can not be written");
	}
	while (fib_maps_fast_work(bench.maps))
		;
	return (now_ns() - start) / (double)n;
}

static void open_table(uint32_t table)
{
	char name[16];

	snprintf(name, sizeof(name), "t%u", table);
	if (fib_maps_table_open(bench.maps, table, "bench", name))
		lab_die("a table can not be made");
}

static void close_table(uint32_t table)
{
	fib_maps_table_close(bench.maps, table);
	while (fib_maps_reap(bench.maps, 100000))
		;
}

static void data_new(struct data *d, enum ip_family family, size_t n)
{
	*d = (struct data){ .family = family, .n = n };
	d->prefixes = lab_prefixes(family, n, bench.file);
	d->hop = malloc(n);
	d->routes = calloc(n, sizeof(*d->routes));
	if (!d->hop || !d->routes)
		lab_die("out of memory");
	for (size_t i = 0; i < n; i++) {
		d->hop[i] = (uint8_t)lab_draw(LAB_HOPS);
		d->routes[i] = (struct fib_route){ .prefix = d->prefixes[i], .fresh = true };
		d->routes[i].value.kind = XRS_ROUTE_STEER;
		d->routes[i].value.group = 1u + d->hop[i];
	}
}

static void data_free(struct data *d)
{
	free(d->prefixes);
	free(d->hop);
	free(d->routes);
}

static void fill_index(const struct data *d)
{
	uint32_t *index = map_memory(bench.feed->maps.feed_index, sizeof(*index) << 24);
	uint32_t *behind = map_memory(bench.feed->maps.feed_behind, sizeof(*behind) * LAB_BEHIND);

	lab_index(d->prefixes, d->n, index, behind, LAB_BEHIND);
	munmap(index, sizeof(*index) << 24);
	munmap(behind, sizeof(*behind) * LAB_BEHIND);
}

/* The kernel's table and both of ours: the second never gets a derived structure. */
static void load(struct data *d)
{
	struct fib_maps_fast fast;

	bench.ifindex = lab_namespace();
	lab_kernel_routes(bench.ifindex, d->prefixes, d->hop, d->n);
	fib_maps_dev_add(bench.maps, bench.ifindex);
	set_nexthops(0, false);
	open_table(TABLE_TRIE);
	open_table(TABLE_XRS);
	fib_maps_fast_least(bench.maps, 0);
	write_routes(TABLE_TRIE, d->routes, d->n, FIB_BATCH);
	fib_maps_fast_least(bench.maps, 1);
	write_routes(TABLE_XRS, d->routes, d->n, FIB_BATCH);
	fib_maps_fast_rebuild(bench.maps, TABLE_TRIE, d->family);
	fib_maps_fast_figures(bench.maps, TABLE_XRS, d->family, &fast);
	if (d->family == IP_V4)
		fill_index(d);
	printf("# IPv%d, %zu routes: derived structure %.1f octets a route, root of %u bits\n",
	       d->family, d->n, (double)fast.memory / (double)d->n, fast.figures.root_bits);
}

/* --- packets -------------------------------------------------------------------------------------------- */
static uint32_t make_frame(uint8_t frame[128], enum ip_family family, bool tagged)
{
	uint8_t *at = frame + 12;

	memset(frame, 0, 128);
	memcpy(frame, "\2\0\0\0\1\1\2\0\0\0\0\12", 12);
	if (tagged) {
		memcpy(at, "\x81\0\0\x64", 4);
		at += 4;
	}
	memcpy(at, family == IP_V4 ? "\x08\0" : "\x86\xdd", 2);
	at += 2;
	bench.shape->l3 = (uint32_t)(at - frame);
	/* UDP without a checksum: one that is there is that of the pseudo-header for some destination. */
	if (family == IP_V4) { /* 64 octets with the checksum of Ethernet, which is not there */
		memcpy(at, "\x45\0\0\x2e\0\0\0\0\x40\x11\xab\xcd\x0a\1\0\x0a", 16);
		memcpy(at + 20, "\x12\x34\x00\x35\x00\x1a\0\0", 8);
	} else {
		memcpy(at, "\x60\0\0\0\0\x08\x11\x40\xfd\0\0\1\0\0\0\0\0\0\0\0\0\0\0\x0a", 24);
		memcpy(at + 40, "\x12\x34\x00\x35\x00\x08\0\0", 8);
	}
	return (uint32_t)(at - frame) + (family == IP_V4 ? 46 : 48);
}

static void set_program(const struct variant *v)
{
	struct bpf_program *program = NULL;
	uint32_t zero = 0;
	int fd = loader_prog(bench.loader, "xrs_steer", v->observes);

	if (v->program) {
		program = bpf_object__find_program_by_name(bench.feed->obj, v->program);
		fd = bpf_program__fd(program);
	}
	if (bpf_map_update_elem(bpf_map__fd(bench.feed->maps.feed_next), &zero, &fd, BPF_ANY))
		lab_die("%s can not be called", v->name);
}

/*
 * Nanoseconds a packet, the harness included. A run that is not counted comes first: caches then hold what this
 * program uses, not what the one before it did.
 */
static double run(const struct variant *v, enum ip_family family)
{
	struct bpf_program *feeder =
		family == IP_V4 ? bench.feed->progs.feed_v4 : bench.feed->progs.feed_v6;
	bool redirects = !v->program || strstr(v->program, "fib") || strstr(v->program, "redirect");
	uint8_t frame[128];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .repeat = RUN);

	opts.data_size_in = make_frame(frame, family, v->tagged);
	memcpy(bench.shape->mac, frame, sizeof(bench.shape->mac));
	bench.shape->table = v->table;
	bench.shape->fast[0] = XRS_FAST_HEAD(v->table, 0);
	bench.shape->fast[1] = XRS_FAST_HEAD(v->table, 1);
	bench.shape->ifindex = bench.ifindex;
	set_nic(NIC, v);
	set_program(v);
	for (int counted = 0; counted < 2; counted++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(feeder), &opts))
			lab_die("%s can not be run: %m", v->name);
	}
	if (opts.retval != (redirects ? XDP_REDIRECT : XDP_PASS))
		lab_die("%s: verdict %u", v->name, opts.retval);
	return opts.duration;
}

/* Lower quartiles of all variants, the first of which is the harness and taken from the rest. */
static void measure(const struct variant *variants, size_t n, enum ip_family family, double *ret)
{
	static double rounds[VARIANTS_MAX][ROUNDS_MAX];

	for (unsigned int r = 0; r < bench.rounds; r++) {
		for (size_t i = 0; i < n; i++) {
			if (variants[i].v4_only && family != IP_V4)
				continue;
			set_nexthops(variants[i].tagged ? VLAN : 0, variants[i].bfd);
			rounds[i][r] = run(&variants[i], family);
		}
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = lower(rounds[i], bench.rounds, 4) - (i ? ret[0] : 0);
}

static void fill_list(const struct data *d, enum lab_spread spread)
{
	struct ip_addr *addr = malloc(LIST * sizeof(*addr));

	if (!addr)
		lab_die("out of memory");
	lab_destinations(d->prefixes, d->n, spread, addr, LIST);
	for (uint32_t i = 0; i < LIST; i++)
		memcpy(bench.list[i], addr[i].bytes, 16);
	bench.shape->mask = LIST - 1;
	free(addr);
}

/* --- tables --------------------------------------------------------------------------------------------- */
static double results[LAB_SPREADS][SIZES_MAX][VARIANTS_MAX];
static double feature_results[SIZES_MAX][VARIANTS_MAX];

static void print_sizes(const char *title)
{
	printf("#\n# %-28s", title);
	for (unsigned int i = 0; i < bench.n_sizes; i++)
		printf(" %9zu", bench.sizes[i]);
	printf(" routes\n");
}

static void print_family(enum ip_family family, bool all)
{
	char title[64];

	for (int s = 0; s < LAB_SPREADS; s++) {
		snprintf(title, sizeof(title), "IPv%d, %s, ns", family, spreads[s]);
		print_sizes(title);
		for (size_t v = 0; v < VARIANTS; v++) {
			if (packets[v].v4_only && family != IP_V4)
				continue;
			printf("#   %-26s", packets[v].name);
			for (unsigned int i = 0; i < bench.n_sizes; i++)
				printf(" %9.0f", results[s][i][v]);
			printf("\n");
		}
		printf("#   %-26s", "XRS against bpf_fib_lookup");
		for (unsigned int i = 0; i < bench.n_sizes; i++)
			printf("  %7.1fx", results[s][i][1] / results[s][i][VARIANT_XRS]);
		printf("\n");
	}
	snprintf(title, sizeof(title), "IPv%d, uniform, features, ns", family);
	if (all)
		print_sizes(title);
	for (size_t v = 1; all && v < COUNT(features); v++) {
		printf("#   %-26s", features[v].name);
		for (unsigned int i = 0; i < bench.n_sizes; i++)
			printf(" %9.0f", feature_results[i][v]);
		printf("\n");
	}
	fflush(stdout);
}

/* --- frames a second ------------------------------------------------------------------------------------ */
static const char *const device_names[PPS_DEVICES] = {
	[PPS_VETH] = "veth, XDP frames",
	[PPS_SKB] = "veth, sk_buffs",
	[PPS_SOCKET] = "veth, a UDP socket's",
	[PPS_TAP] = "tap",
};
/* "auto" is tc on a veth and native on a tap (xrsd.json(5)). */
static const char *const by_names[PPS_BYS] = {
	[PPS_DROP] = "dropped at once",
	[PPS_REDIRECT] = "redirect only",
	[PPS_KERNEL] = "kernel",
	[PPS_GRO] = "kernel, GRO on",
	[PPS_FIB] = "bpf_fib_lookup",
	[PPS_NATIVE] = "XRS native",
	[PPS_TC] = "XRS tc",
	[PPS_REDIRECT_TC] = "redirect only, tc",
};
static double frame_ns[SIZES_MAX][PPS_DEVICES][PPS_BYS];

static void set_pps_nic(uint32_t ifindex)
{
	set_nic(ifindex, &packets[VARIANT_XRS]);
}

static void attach_steer(const char *ifname, bool tc)
{
	struct loader_attachment attached;
	char text[LOADER_TEXT];

	if (loader_attach(bench.loader, ifname, if_nametoindex(ifname),
			  tc ? LOADER_TC : LOADER_NATIVE, text, &attached))
		lab_die("%s: %s", ifname, text);
}

static void detach_steer(const char *ifname)
{
	if (loader_detach(bench.instance, ifname, if_nametoindex(ifname)))
		lab_die("%s: xrs_steer stays attached", ifname);
}

/* XRS to the others, and the most that anything could be to them. */
static const struct {
	const char *name;
	enum pps_by by, to;
} ratios[] = {
	{ "XRS native: kernel", PPS_NATIVE, PPS_KERNEL },
	{ "  the most", PPS_REDIRECT, PPS_KERNEL },
	{ "XRS native: kernel, GRO on", PPS_NATIVE, PPS_GRO },
	{ "  the most", PPS_REDIRECT, PPS_GRO },
	{ "XRS native: bpf_fib_lookup", PPS_NATIVE, PPS_FIB },
	{ "  the most", PPS_REDIRECT, PPS_FIB },
	{ "XRS tc: kernel", PPS_TC, PPS_KERNEL },
	{ "  the most", PPS_REDIRECT_TC, PPS_KERNEL },
	{ "XRS tc: kernel, GRO on", PPS_TC, PPS_GRO },
	{ "  the most", PPS_REDIRECT_TC, PPS_GRO },
};

static void print_ratio(enum pps_device device, const char *name, enum pps_by by, enum pps_by to)
{
	if (!pps_is_there(device, by) || !pps_is_there(device, to))
		return;
	printf("#   %-26s", name);
	for (unsigned int i = 0; i < bench.n_sizes; i++)
		printf("  %7.1fx", frame_ns[i][device][to] / frame_ns[i][device][by]);
	printf("\n");
}

static void print_pps(enum ip_family family, enum pps_device device)
{
	char name[64];

	snprintf(name, sizeof(name), "IPv%d, %s, Mpps", family, device_names[device]);
	print_sizes(name);
	for (enum pps_by by = 0; by < PPS_BYS; by++) {
		if (!pps_is_there(device, by))
			continue;
		printf("#   %-26s", by_names[by]);
		for (unsigned int i = 0; i < bench.n_sizes; i++)
			printf(" %9.2f", 1e3 / frame_ns[i][device][by]);
		printf("\n");
	}
	for (size_t i = 0; i < COUNT(ratios); i++)
		print_ratio(device, ratios[i].name, ratios[i].by, ratios[i].to);
}

static void bench_pps(enum ip_family family)
{
	static struct pps_times times[PPS_DEVICES][PPS_BYS];
	struct pps p = {
		.family = family,
		.feed = bench.feed->obj,
		.shape = bench.shape,
		.list = (const uint32_t(*)[4])bench.list,
		.set_nic = set_pps_nic,
		.attach = attach_steer,
		.detach = detach_steer,
	};

	for (unsigned int i = 0; i < bench.n_sizes; i++) {
		struct data d;

		data_new(&d, family, bench.sizes[i]);
		load(&d);
		bench.shape->ifindex = bench.ifindex;
		fib_maps_dev_add(bench.maps, if_nametoindex(LAB_GENERATOR));
		fill_list(&d, LAB_UNIFORM);
		memset(times, 0, sizeof(times));
		pps_measure(&p, bench.rounds, times);
		for (int device = 0; device < PPS_DEVICES; device++) {
			for (int by = 0; by < PPS_BYS; by++)
				frame_ns[i][device][by] =
					lower(times[device][by].ns, times[device][by].n, 10);
		}
		close_table(TABLE_XRS);
		close_table(TABLE_TRIE);
		data_free(&d);
	}
	for (enum pps_device device = 0; device < PPS_DEVICES; device++)
		print_pps(family, device);
}

static void bench_family(enum ip_family family, bool all)
{
	for (unsigned int i = 0; i < bench.n_sizes; i++) {
		struct data d;

		data_new(&d, family, bench.sizes[i]);
		load(&d);
		for (int s = 0; s < LAB_SPREADS; s++) {
			fill_list(&d, s);
			measure(packets, VARIANTS, family, results[s][i]);
			if (all && s == LAB_UNIFORM)
				measure(features, COUNT(features), family, feature_results[i]);
		}
		close_table(TABLE_XRS);
		close_table(TABLE_TRIE);
		data_free(&d);
	}
	print_family(family, all);
}

/* --- writes --------------------------------------------------------------------------------------------- */
static void shuffle(struct fib_route *routes, size_t n)
{
	for (size_t i = n - 1; i; i--) {
		size_t j = lab_draw((uint32_t)i + 1);
		struct fib_route swap = routes[i];

		routes[i] = routes[j];
		routes[j] = swap;
	}
}

/* ns a route into an empty table, without and with the derived structure. */
static void print_write(const char *what, struct fib_route *routes, size_t n, size_t batch)
{
	double ns[2];

	for (int fast = 0; fast < 2; fast++) {
		fib_maps_fast_least(bench.maps, fast ? FIB_FAST_LEAST : 0);
		open_table(TABLE_WRITES);
		ns[fast] = write_routes(TABLE_WRITES, routes, n, batch);
		close_table(TABLE_WRITES);
	}
	printf("#   %-40s %8zu %8.0f %8.0f %9.0f\n", what, n, ns[0], ns[1], 1e9 / ns[1]);
	fflush(stdout);
}

static void bench_writes(enum ip_family family)
{
	struct data d;
	size_t n = bench.sizes[bench.n_sizes - 1];
	size_t few = n < WRITES_MAX ? n : WRITES_MAX;

	data_new(&d, family, n);
	printf("#\n# IPv%d, ns a route %27s %8s %8s %9s\n", family, "routes", "trie", "both",
	       "a second");
	print_write("sorted, batches of 4096", d.routes, n, FIB_BATCH);
	print_write("sorted, one by one", d.routes, few, 1);
	shuffle(d.routes, n);
	print_write("unsorted, batches of 4096", d.routes, n, FIB_BATCH);
	print_write("unsorted, one by one", d.routes, few, 1);
	data_free(&d);
}

/* --- arguments ------------------------------------------------------------------------------------------ */
static void parse_sizes(const char *text)
{
	char *end = (char *)text;

	bench.n_sizes = 0;
	while (*end && bench.n_sizes < SIZES_MAX) {
		size_t n = strtoul(*end == ',' ? end + 1 : end, &end, 10);

		if (!n)
			lab_die("%s: not sizes", text);
		bench.sizes[bench.n_sizes++] = n;
	}
}

int main(int argc, char **argv)
{
	static const enum ip_family families[] = { IP_V4, IP_V6 };
	char text[LOADER_TEXT];
	bool pps = false, quick = false;
	int option;

	bench.rounds = 9;
	parse_sizes("1000,10000,100000,1000000");
	while ((option = getopt(argc, argv, "i:f:n:r:pq")) != -1) {
		if (option == 'i')
			bench.instance = optarg;
		else if (option == 'f')
			bench.file = optarg;
		else if (option == 'n')
			parse_sizes(optarg);
		else if (option == 'r')
			bench.rounds = (unsigned int)atoi(optarg);
		else if (option == 'p')
			pps = true;
		else if (option == 'q')
			quick = true;
		else
			return 2;
	}
	if (!bench.instance || !bench.rounds || bench.rounds > ROUNDS_MAX)
		lab_die("bench_lookup -i INSTANCE [-f FILE] [-n SIZES] [-r ROUNDS] [-p] [-q]");
	open_instance();
	open_feed();
	set_groups();
	set_bfd();
	set_trace();
	for (size_t i = 0; i < (quick ? 1 : COUNT(families)); i++) {
		if (pps)
			bench_pps(families[i]);
		else
			bench_family(families[i], !quick);
	}
	if (!pps && !quick) {
		bench_writes(IP_V4);
		bench_writes(IP_V6);
	}
	fib_maps_free(bench.maps);
	loader_free(bench.loader);
	return loader_purge(bench.instance, text) ? 1 : 0;
}
