// SPDX-License-Identifier: GPL-2.0-only
#include "lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <dirent.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/wire.h"

struct lab lab;

/* --- pins and fixtures -------------------------------------------------------------------------------- */
/* The runner's pid comes first, so that the runner can sweep what a test that died left. */
void lab_instance(char buf[static 64])
{
	static unsigned int n;

	snprintf(buf, 64, "xrst-%d-bpf-%d-%u", (int)getppid(), (int)getpid(), n++);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	char mine[64], text[LOADER_TEXT];
	DIR *dir = opendir("/sys/fs/bpf");
	const struct dirent *entry;

	(void)stats;
	snprintf(mine, sizeof(mine), "xrst-%d-bpf-", (int)getpid());
	while (dir && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, mine, strlen(mine)))
			loader_purge(entry->d_name, text);
	}
	if (dir)
		closedir(dir);
}

void lab_up(void)
{
	char text[LOADER_TEXT];
	struct fib_schema schema;

	if (geteuid())
		cr_skip_test("needs root");
	lab_instance(lab.instance);
	loader_log_init();
	if (loader_open(lab.instance, text, &lab.loader))
		cr_assert_fail("%s", text);
	schema = loader_schema(lab.loader);
	schema.max_routes = 1u << 20;
	cr_assert(!fib_maps_open(lab.instance, &schema, &lab.maps));
	cr_assert(!fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "main"));
	lab.nic = (struct xrs_nic){
		.table = LAB_TABLE, .slot = LAB_SLOT, .flags = XRS_NIC_F_SYMMETRIC, .name = "lo"
	};
	lab.nic.n_gateway_macs = 1;
	memcpy(lab.nic.gateway_mac[0], LAB_GATEWAY, 6);
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
}

void lab_down(void)
{
	char text[LOADER_TEXT];
	int ret;

	fib_maps_free(lab.maps);
	loader_free(lab.loader);
	ret = loader_purge(lab.instance, text);
	cr_assert(!ret, "%s", text);
}

size_t lab_walk(enum ip_family family, size_t cap)
{
	struct fib_route *routes = calloc(cap, sizeof(*routes));
	struct fib_walk walk;
	size_t n, total = 0;

	fib_walk_init(&walk, LAB_TABLE, family);
	do {
		cr_assert(!fib_maps_walk(lab.maps, &walk, routes, cap, &n));
		for (size_t i = 0; i < n; i++)
			cr_assert(routes[i].value.prefix_len == routes[i].prefix.len);
		total += n;
	} while (n);
	free(routes);
	return total;
}

/* --- checksums and frames ----------------------------------------------------------------------------- */
uint32_t sum_bytes(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool ipv4_sum_ok(const uint8_t *ip)
{
	return sum_fold(sum_bytes(ip, (size_t)(ip[0] & 15) * 4)) == 0xffff;
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static size_t l4_header(uint8_t proto)
{
	switch (proto) {
	case 6:
		return 20;
	case 17:
		return 8;
	case 132:
		return 12;
	}
	return 8;
}

static void put_l4(uint8_t *l4, size_t len, const struct frame_spec *spec, uint8_t proto,
		   uint32_t pseudo)
{
	size_t at = proto == 6 ? 16 : 6;
	uint16_t partial = sum_fold(pseudo + proto + (uint32_t)len);

	if (proto == 6 || proto == 17 || proto == 132) {
		put16(l4, spec->sport ? spec->sport : 4000);
		put16(l4 + 2, spec->dport ? spec->dport : 5000);
	}
	if (proto == 132)
		put16(l4 + 8, 0x1234);
	if (proto == 6)
		l4[12] = 5 << 4;
	if (proto == 17)
		put16(l4 + 4, (uint32_t)len);
	if (proto != 6 && proto != 17)
		return;
	put16(l4 + at, 0);
	put16(l4 + at, spec->partial ? partial : (uint16_t)~sum_fold(partial + sum_bytes(l4, len)));
}

static uint8_t *put_ext(uint8_t *at, uint8_t type, uint8_t **next)
{
	**next = type;
	memset(at, 0, 8);
	*next = at;
	return at + 8;
}

static void make_v6(struct frame *f, const struct frame_spec *spec, uint8_t proto)
{
	uint8_t *ip = f->data + f->l3, *at = ip + 40, *next = ip + 6;
	size_t l4_len = l4_header(proto) + spec->payload;

	inet_pton(AF_INET6, spec->src ? spec->src : "fd00:1::a", ip + 8);
	inet_pton(AF_INET6, spec->dst ? spec->dst : "fd00:250::1", ip + 24);
	ip[0] = 0x60;
	ip[1] = (uint8_t)(spec->flow_label >> 16);
	put16(ip + 2, spec->flow_label);
	ip[7] = spec->ttl < 0 ? 0 : spec->ttl ? (uint8_t)spec->ttl : 64;
	if (spec->hop_by_hop)
		at = put_ext(at, 0, &next);
	if (spec->options)
		at = put_ext(at, 60, &next);
	if (spec->routing)
		at = put_ext(at, 43, &next);
	if (spec->fragment) {
		at = put_ext(at, 44, &next);
		put16(next + 2, spec->frag);
	}
	*next = proto;
	put_l4(at, l4_len, spec, proto, sum_bytes(ip + 8, 32));
	put16(ip + 4, (uint32_t)((size_t)(at - ip) - 40 + l4_len));
	f->len = (size_t)(at - f->data) + l4_len;
}

static void make_v4(struct frame *f, const struct frame_spec *spec, uint8_t proto)
{
	uint8_t *ip = f->data + f->l3;
	size_t hlen = spec->options ? 24 : 20;
	size_t l4_len = l4_header(proto) + spec->payload;

	ip[0] = (uint8_t)(0x40 | hlen / 4);
	put16(ip + 2, (uint32_t)(hlen + l4_len));
	put16(ip + 6, spec->frag);
	ip[8] = spec->ttl < 0 ? 0 : spec->ttl ? (uint8_t)spec->ttl : 64;
	ip[9] = proto;
	inet_pton(AF_INET, spec->src ? spec->src : "10.1.0.10", ip + 12);
	inet_pton(AF_INET, spec->dst ? spec->dst : "10.250.0.1", ip + 16);
	if (spec->options)
		memset(ip + 20, 1, 4); /* NOP */
	put16(ip + 10, (uint16_t)~sum_fold(sum_bytes(ip, hlen)));
	put_l4(ip + hlen, l4_len, spec, proto, sum_bytes(ip + 12, 8));
	f->len = f->l3 + hlen + l4_len;
}

void frame_make(struct frame *f, const struct frame_spec *spec)
{
	uint8_t proto = spec->proto ? spec->proto : 17;
	uint8_t *at = f->data + 12;

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < sizeof(f->data); i++)
		f->data[i] = 0;
	memcpy(f->data, spec->dmac ? spec->dmac : LAB_GATEWAY, 6);
	memcpy(f->data + 6, spec->smac ? spec->smac : LAB_VM_MAC, 6);
	for (unsigned int i = 0; i < spec->n_tags; i++, at += 4) {
		put16(at, i == 0 && spec->n_tags > 1 ? 0x88a8 : 0x8100);
		put16(at + 2, spec->tci[i]);
	}
	put16(at, spec->v6 ? 0x86dd : 0x0800);
	f->l3 = (size_t)(at + 2 - f->data);
	if (spec->v6)
		make_v6(f, spec, proto);
	else
		make_v4(f, spec, proto);
	f->len += spec->padding;
}

/* --- maps --------------------------------------------------------------------------------------------- */
void lab_route(const char *text, enum xrs_route_kind kind, uint32_t group)
{
	struct fib_route route = { .value = { .kind = kind, .group = group }, .fresh = true };

	cr_assert(!prefix_parse(text, &route.prefix), "%s", text);
	cr_assert(!fib_maps_routes_set(lab.maps, LAB_TABLE, &route, 1));
	cr_assert(!route.error);
}

struct xrs_nexthop lab_nexthop(uint32_t index, enum xrs_way way)
{
	struct xrs_nexthop nh = { .way = way, .ifindex = LAB_OUT, .family = 4 };
	const uint8_t to[6] = { 2, 0xee, 0, 0, (uint8_t)(index >> 8), (uint8_t)index };
	const uint8_t from[6] = { 2, 0xdd, 0, 0, (uint8_t)(index >> 8), (uint8_t)index };

	memcpy(nh.dmac, to, 6);
	memcpy(nh.smac, from, 6);
	return nh;
}

void lab_set_nexthop(uint32_t index, const struct xrs_nexthop *nexthop)
{
	cr_assert(!fib_maps_nexthop_set(lab.maps, index, nexthop));
}

void lab_group(uint32_t group, const uint32_t *members, unsigned int n)
{
	struct xrs_group value = { .n_members = n, .n_alive = n };
	struct xrs_bucket bucket = { 0 };

	for (unsigned int i = 0; i < n; i++)
		value.member[i] = members[i];
	for (unsigned int i = 0; n && i < XRS_BUCKETS; i++)
		bucket.member[i] = (uint16_t)members[i % n];
	cr_assert(!fib_maps_group_set(lab.maps, group, &value, &bucket));
}

void lab_steer(enum xrs_way way)
{
	struct xrs_nexthop nh = lab_nexthop(1, way);
	uint32_t member = 1;

	lab_set_nexthop(1, &nh);
	lab_group(1, &member, 1);
	lab_route("10.250.0.0/16", XRS_ROUTE_STEER, 1);
	lab_route("fd00:250::/32", XRS_ROUTE_STEER, 1);
}

struct xrs_nic_stats lab_stats(void)
{
	struct xrs_nic_stats stats;

	cr_assert(!fib_maps_nic_stats(lab.maps, LAB_SLOT, &stats));
	return stats;
}

uint64_t lab_counted(void)
{
	struct xrs_nic_stats stats = lab_stats();
	uint64_t sum = 0;

	for (unsigned int i = 0; i < XRS_REASON_MAX; i++)
		sum += fib_reason_count(&stats, i);
	return sum;
}

/* --- runs --------------------------------------------------------------------------------------------- */
const char *reason_text(unsigned int reason)
{
	return reason < XRS_REASON_MAX ? fib_reason_name(reason) : "not counted once";
}

static size_t l3_offset(const struct frame *f)
{
	size_t at = 12;

	while (at + 4 <= f->len && ((f->data[at] == 0x81 && f->data[at + 1] == 0) ||
				    (f->data[at] == 0x88 && f->data[at + 1] == 0xa8)))
		at += 4;
	return at + 2;
}

static bool ends_with(const char *prog, const char *end)
{
	return !strcmp(prog + strlen(prog) - strlen(end), end);
}

struct run lab_probe_by(const char *prog, uint32_t ifindex, const struct frame *frame,
			uint32_t gso_size)
{
	struct loader_probe probe = {
		.ifindex = ifindex,
		.frame = frame->data,
		.len = frame->len,
		.tc = ends_with(prog, "_tc"),
		.generic = ends_with(prog, "_skb"),
		.gso_size = gso_size,
	};
	static struct loader_verdict verdict;
	struct run run = { 0 };
	int ret = loader_test_run(lab.loader, &probe, &verdict);

	cr_assert(!ret, "test run of %zu octets: %s", frame->len, strerror(-ret));
	run.action = verdict.action;
	run.decision = verdict.decision;
	run.reason = verdict.decision.reason;
	memcpy(run.out.data, verdict.frame, verdict.len);
	run.out.len = verdict.len;
	run.out.l3 = l3_offset(&run.out);
	return run;
}

struct run lab_probe(const struct frame *frame, bool tc, uint32_t gso_size)
{
	return lab_probe_by(tc ? "xrs_steer_tc" : "xrs_steer", LAB_NIC, frame, gso_size);
}

struct run lab_probe_all(const struct frame *frame)
{
	struct run xdp = lab_probe(frame, false, 0);
	struct xrs_decision want = xdp.decision;

	for (int tc = 0; tc < 2; tc++) {
		const char *prog = tc ? "xrs_steer_tc" : "xrs_steer_skb";
		struct xrs_decision got = lab_probe_by(prog, LAB_NIC, frame, 0).decision;

		cr_assert(got.hash == want.hash && got.bucket == want.bucket, "%s", prog);
		cr_assert(got.table == want.table && got.group == want.group, "%s", prog);
		cr_assert(got.nexthop == want.nexthop && got.kind == want.kind, "%s", prog);
		cr_assert(got.prefix_len == want.prefix_len && got.family == want.family, "%s",
			  prog);
	}
	return xdp;
}

/* The one counter that rose by one. */
static enum xrs_reason difference(const struct xrs_nic_stats *before,
				  const struct xrs_nic_stats *after)
{
	enum xrs_reason found = XRS_REASON_MAX;

	for (unsigned int i = 0; i < XRS_REASON_MAX; i++) {
		uint64_t rise = fib_reason_count(after, i) - fib_reason_count(before, i);

		if (rise == 1 && found == XRS_REASON_MAX)
			found = i;
		else if (rise)
			return XRS_REASON_MAX;
	}
	return found;
}

static void run_counted(struct run *run, const struct frame *frame, const char *prog,
			uint32_t gso_size)
{
	bool tc = ends_with(prog, "_tc");
	uint8_t out[LOADER_FRAME_MAX + 64];
	struct xdp_md md = { .data_end = (uint32_t)frame->len };
	struct __sk_buff skb = { .gso_size = gso_size, .gso_segs = gso_size ? 2 : 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = (uint32_t)frame->len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &md, .ctx_size_in = sizeof(md),
		    .ctx_out = &md, .ctx_size_out = sizeof(md));
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/progs/%s", lab.instance, prog);
	fd = bpf_obj_get(path);
	if (tc) {
		opts.ctx_in = opts.ctx_out = &skb;
		opts.ctx_size_in = opts.ctx_size_out = sizeof(skb);
	}
	ret = bpf_prog_test_run_opts(fd, &opts);
	close(fd);
	cr_assert(!ret, "test run of %zu octets: %s", frame->len, strerror(-ret));
	run->action = opts.retval;
	if (!tc && md.data >= sizeof(run->mark))
		memcpy(&run->mark, out + md.data - sizeof(run->mark), sizeof(run->mark));
	run->out.len = opts.data_size_out - (tc ? 0 : md.data);
	memcpy(run->out.data, out + (tc ? 0 : md.data), run->out.len);
	run->out.l3 = l3_offset(&run->out);
}

struct run lab_count(const struct frame *frame, bool tc, uint32_t gso_size)
{
	return lab_count_by(tc ? "xrs_steer_tc" : "xrs_steer", frame, gso_size);
}

struct run lab_count_by(const char *prog, const struct frame *frame, uint32_t gso_size)
{
	struct xrs_nic_stats before = lab_stats(), after;
	struct run run = { 0 };

	run_counted(&run, frame, prog, gso_size);
	after = lab_stats();
	run.reason = difference(&before, &after);
	return run;
}

struct run lab_run_by(const char *prog, const struct frame *frame)
{
	uint64_t before = lab_counted();
	struct run asked = lab_probe_by(prog, LAB_NIC, frame, 0), counted;

	cr_assert(lab_counted() == before, "a probe was counted");
	counted = lab_count_by(prog, frame, 0);
	cr_assert(asked.reason == counted.reason, "probe: %s, counted: %s",
		  reason_text(asked.reason), reason_text(counted.reason));
	cr_assert(asked.action == counted.action);
	cr_assert(asked.out.len == counted.out.len);
	cr_assert_arr_eq(asked.out.data, counted.out.data, asked.out.len);
	counted.decision = asked.decision;
	return counted;
}

struct run lab_run(const struct frame *frame, bool tc)
{
	return lab_run_by(tc ? "xrs_steer_tc" : "xrs_steer", frame);
}
