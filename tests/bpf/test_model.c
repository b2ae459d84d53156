// SPDX-License-Identifier: GPL-2.0-only
/*
 * A million random frames through the real programs, XDP, generic and tc, and through a naive model: everything
 * must agree. Half of the tables have a derived lookup structure, half the trie alone; routes change meanwhile. Most
 * frames only ask. Those of the loopback device go through once more as frames of a device do, the quick way
 * where a program has one, and are counted.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"
#include "model.h"

#define FRAMES       1000000 /* XRS_FRAMES asks for more */
#define TABLE_FRAMES 40000   /* with one set of tables */
#define ROUTE_FRAMES 200     /* between two changes of routes */

TestSuite(model, .init = lab_up, .fini = lab_down, .timeout = 3500);

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % below;
}

static bool chance(uint32_t percent)
{
	return draw(100) < percent;
}

/* XRS_SEED repeats a run. */
static void seed(void)
{
	const char *text = getenv("XRS_SEED");

	state = text ? strtoull(text, NULL, 10) : 20251124;
	if (text && !strcmp(text, "time"))
		state = (uint64_t)time(NULL);
	cr_log_info("seed %llu", (unsigned long long)state);
}

static const char *const v4[] = { "10.1.0.10", "10.1.3.7",        "10.250.0.1", "10.250.128.9",
				  "10.66.0.1", "203.0.113.9",     "8.8.8.8",    "169.254.1.1",
				  "224.0.0.1", "255.255.255.255", "127.0.0.1",  "0.0.0.0" };
static const char *const v6[] = {
	"fd00:1::a",   "fd00:1::b",     "fd00:250::1", "fd00:250:8000::1", "fd00:66::1",
	"2001:db8::1", "2001:db8:1::2", "fe80::1",     "ff02::1",          "::1",
	"::",          "fd00:1:0:1::1"
};
static const uint8_t protos[] = { 6, 6, 6, 17, 17, 17, 1, 58, 58, 132, 136, 33, 4, 41, 47, 50 };
static const uint16_t vlans[] = { 0, 0, 100, 200 };
static const uint16_t ports[] = { 1, 53, 68, 443, 546, 4789, 6081, 8472, 40000, 65535 };

#define PICK(array) (array)[draw(sizeof(array) / sizeof(*(array)))]

static void random_nic(struct model *m, int i)
{
	struct xrs_nic *nic = &m->nic[i];

	*nic = (struct xrs_nic){ .table = i == 3 ? 9 : LAB_TABLE, .slot = LAB_SLOT, .vnet = 5 };
	nic->role = i == 1 ? XRS_NIC_NVA : XRS_NIC_VM;
	nic->flags = i & 1 ? XRS_NIC_F_SYMMETRIC : XRS_NIC_F_ANTI_SPOOF;
	nic->flags |= chance(30) ? XRS_NIC_F_LEARN : 0;
	nic->flags |= chance(70) ? XRS_NIC_F_GATEWAY4 | XRS_NIC_F_GATEWAY6 : 0;
	memcpy(nic->gateway4, "\x0a\x01\x00\x01", 4);
	memcpy(nic->gateway6, "\xfd\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
	       16);
	nic->n_gateway_macs = (uint32_t)i % 3;
	memcpy(nic->gateway_mac[0], LAB_GATEWAY, 6);
	memcpy(nic->gateway_mac[1], "\x02\x00\x00\x00\x01\x02", 6);
	memcpy(nic->mac, LAB_VM_MAC, i ? 6 : 0);
	nic->n_sources4 = nic->n_sources6 = 1;
	memcpy(nic->source4[0], "\x0a\x01", 2);
	nic->source4_len[0] = 22;
	memcpy(nic->source6[0], "\xfd\x00\x00\x01", 4);
	nic->source6_len[0] = 64;
	m->ifindex[i] = i == m->counted ? LAB_NIC : 70 + (uint32_t)i;
	cr_assert(!fib_maps_nic_set(lab.maps, m->ifindex[i], nic));
}

static struct xrs_route random_value(void)
{
	struct xrs_route value = { .kind = chance(65)   ? XRS_ROUTE_STEER
					   : chance(60) ? XRS_ROUTE_LOCAL
							: draw(5) };

	value.group = value.kind == XRS_ROUTE_STEER ? 1 + draw(MODEL_SLOTS - 1) : 0;
	return value;
}

/* A new route, or another value of one that is there. */
static void random_route(struct model *m, bool six)
{
	struct fib_route route = { .value = random_value() };
	unsigned int i = 0;
	struct ip_addr addr;

	cr_assert(!ip_parse(six ? PICK(v6) : PICK(v4), &addr));
	route.prefix = prefix_of(&addr, (uint8_t)draw(six ? 129 : 33));
	while (i < m->n_routes && !prefix_equal(&m->route[i].prefix, &route.prefix))
		i++;
	if (i == MODEL_ROUTES)
		return;
	route.fresh = i == m->n_routes;
	m->n_routes += route.fresh;
	m->route[i] = (struct model_route){ route.prefix, route.value };
	cr_assert(!fib_maps_routes_set(lab.maps, LAB_TABLE, &route, 1) && !route.error);
}

static void drop_route(struct model *m)
{
	unsigned int i = draw(m->n_routes);
	struct fib_route route = { .prefix = m->route[i].prefix };

	m->route[i] = m->route[--m->n_routes];
	cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, &route, 1) && !route.error);
}

static void change_routes(struct model *m)
{
	for (int i = 0; i < 4; i++) {
		if (m->n_routes > MODEL_ROUTES / 2)
			drop_route(m);
		random_route(m, i & 1);
	}
	while (fib_maps_fast_work(lab.maps))
		;
}

static struct xrs_tunnel random_tunnel(void)
{
	struct xrs_tunnel t = { .vni = draw(1 << 24), .port = PICK(ports) };

	t.family = chance(50) ? 4 : 6;
	t.device = chance(50) ? 71 : 0;
	t.zero_sum = chance(30);
	for (unsigned int i = 0; i < 6; i++)
		t.dmac[i] = t.smac[i] = (uint8_t)draw(256);
	for (unsigned int i = 0; i < (t.family == 4 ? 4 : 16); i++) {
		t.local[i] = (uint8_t)draw(256);
		t.remote[i] = (uint8_t)draw(256);
	}
	return t;
}

/* A device of the devmap, or a nic, the frame's own perhaps. */
static uint32_t random_egress(const struct model *m)
{
	return chance(60) ? m->device[0] : m->ifindex[draw(MODEL_NICS)];
}

static void random_host(struct model *m)
{
	struct model_host *host = &m->host[m->n_hosts];
	bool six = chance(50);
	struct ip_addr addr;

	cr_assert(!ip_parse(six ? PICK(v6) : PICK(v4), &addr));
	*host = (struct model_host){ .key = { .vnet = chance(90) ? 5 : 6, .family = addr.family },
				     .value = lab_nexthop(500 + m->n_hosts, XRS_WAY_REDIRECT) };
	memcpy(host->key.addr, addr.bytes, 16);
	for (unsigned int i = 0; i < m->n_hosts; i++) {
		if (!memcmp(&m->host[i].key, &host->key, sizeof(host->key)))
			return;
	}
	host->value.ifindex = random_egress(m);
	host->value.mtu = chance(30) ? 60 + draw(100) : 0;
	host->value.vlan = PICK(vlans);
	cr_assert(!fib_maps_host_set(lab.maps, &host->key, &host->value));
	m->n_hosts++;
}

static void random_nexthop(struct model *m, uint32_t i)
{
	struct xrs_nexthop nh = lab_nexthop(i, chance(70) ? 1 + draw(2) : draw(5));

	if (nh.way == XRS_WAY_VXLAN)
		nh.tunnel = random_tunnel();

	nh.ifindex = random_egress(m);
	nh.mtu = chance(50) ? 60 + draw(100) : 0;
	nh.vlan = PICK(vlans);
	if (chance(5))
		memcpy(nh.dmac, LAB_VM_MAC, 6);
	m->nexthop[i] = nh;
	lab_set_nexthop(i, &nh);
}

static void random_group(struct model *m, uint32_t i)
{
	struct xrs_group group = { .n_members = 1 };
	struct xrs_bucket *bucket = &m->bucket[i];

	for (int b = 0; b < XRS_BUCKETS; b++)
		bucket->member[b] = (uint16_t)draw(MODEL_SLOTS);
	cr_assert(!fib_maps_group_set(lab.maps, i, &group, bucket));
}

static void build(struct model *m, uint32_t device, bool fast)
{
	fib_maps_fast_least(lab.maps, fast);
	*m = (struct model){ .table = LAB_TABLE, .device = { device, LAB_NIC } };
	m->counted = (int)draw(MODEL_NICS);
	for (int i = 0; i < 2; i++)
		cr_assert(!fib_maps_dev_add(lab.maps, m->device[i]));
	for (int i = 0; i < MODEL_NICS; i++)
		random_nic(m, i);
	for (uint32_t i = 1; i < MODEL_SLOTS; i++) {
		random_nexthop(m, i);
		random_group(m, i);
	}
	for (int i = 0; i < MODEL_ROUTES; i++)
		random_route(m, i & 1);
	change_routes(m);
	for (enum ip_family family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		struct fib_maps_fast figures;

		cr_assert(!fib_maps_fast_figures(lab.maps, LAB_TABLE, family, &figures));
		cr_assert(figures.on == fast);
	}
	for (int i = 0; i < MODEL_HOSTS; i++)
		random_host(m);
}

/* An address at the edge of a route, or just beside it. */
static const char *edge(const struct model *m, bool six, char text[static IP_TEXT_MAX])
{
	const struct model_route *r = &m->route[draw(m->n_routes)];
	struct ip_addr addr = r->prefix.addr;
	bool last = chance(50);
	int by = last ? 1 : -1;

	if (six != (addr.family == IP_V6))
		return six ? PICK(v6) : PICK(v4);
	for (unsigned int i = r->prefix.len; last && i < ip_bits(addr.family); i++)
		addr.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	for (int i = (int)ip_bytes(addr.family) - 1; chance(50) && i >= 0; i--) {
		addr.bytes[i] = (uint8_t)(addr.bytes[i] + by);
		if (addr.bytes[i] != (by > 0 ? 0 : 255))
			break;
	}
	return ip_format(&addr, text);
}

static void random_frame(const struct model *m, struct frame *f)
{
	static const char *const macs[] = { LAB_GATEWAY, LAB_GATEWAY, LAB_GATEWAY,
					    "\x02\x00\x00\x00\x01\x02",
					    "\xff\xff\xff\xff\xff\xff" };
	bool six = chance(50);
	char text[IP_TEXT_MAX];
	struct frame_spec spec = {
		.dmac = PICK(macs),
		.smac = chance(90) ? LAB_VM_MAC : "\x02\x00\x00\x00\x00\x0b",
		.n_tags = chance(60) ? 0 : draw(4),
		.v6 = six,
		.tci = { (uint16_t)(PICK(vlans) | draw(16) << 12), PICK(vlans), 3 },
		.src = chance(80) ? (six ? v6 : v4)[draw(2)]
		       : six      ? PICK(v6)
				  : PICK(v4),
		.dst = chance(50) ? edge(m, six, text)
		       : six      ? PICK(v6)
				  : PICK(v4),
		.proto = PICK(protos),
		.sport = PICK(ports),
		.dport = PICK(ports),
		.ttl = chance(95) ? 2 + (int)draw(254) : (int)draw(2) * 2 - 1,
		.options = chance(5),
		.hop_by_hop = chance(10),
		.routing = chance(5),
		.fragment = chance(10),
		.frag = chance(10) ? (uint16_t)draw(65536) : 0,
		.payload = draw(80),
		.partial = chance(10),
		.padding = chance(20) ? draw(40) : 0,
		.flow_label = draw(1 << 20),
	};

	frame_make(f, &spec);
	for (uint32_t n = chance(30) ? 1 + draw(3) : 0; n; n--)
		f->data[draw(chance(50) ? 60 : (uint32_t)f->len)] = (uint8_t)draw(256);
	if (chance(10))
		f->len = 14 + draw((uint32_t)f->len - 13);
}

/* False: the kernel does not build an skb of half a header. */
static bool compare(const struct model *m, const struct frame *f, uint32_t ifindex,
		    enum model_half half, uint64_t seen[XRS_REASON_MAX])
{
	struct loader_probe probe = { .ifindex = ifindex,
				      .frame = f->data,
				      .len = f->len,
				      .tc = half == MODEL_TC,
				      .generic = half == MODEL_GENERIC };
	static struct loader_verdict real;
	static struct model_result want;
	int ret = loader_test_run(lab.loader, &probe, &real);

	if (ret == -EINVAL && probe.tc)
		return false;
	cr_assert(!ret, "%s", strerror(-ret));
	model_run(m, ifindex, f->data, f->len, half, &want);
	cr_assert(real.decision.reason == want.reason, "%s, the model says %s",
		  reason_text(real.decision.reason), reason_text(want.reason));
	cr_assert(real.action == want.action, "%s: action %u, not %u", reason_text(want.reason),
		  real.action, want.action);
	cr_assert(real.decision.nexthop == want.nexthop && real.decision.group == want.group);
	cr_assert(real.decision.prefix_len == want.prefix_len);
	cr_assert(real.len == want.len, "%s: %zu octets, not %zu", reason_text(want.reason),
		  real.len, want.len);
	for (size_t i = 0; i < want.len; i++)
		cr_assert(real.frame[i] == want.frame[i], "%s: octet %zu", reason_text(want.reason),
			  i);
	seen[want.reason]++;
	return true;
}

static bool is_answered(enum xrs_reason reason)
{
	return reason == XRS_REASON_TTL_ANSWERED || reason == XRS_REASON_TOO_BIG_ANSWERED;
}

/* The same for a frame that does not ask, unless it would be answered: that is done so many times a second. */
static void compare_counted(const struct model *m, const struct frame *f, enum model_half half)
{
	static struct model_result want;
	struct run real;

	model_run(m, LAB_NIC, f->data, f->len, half, &want);
	if (is_answered(want.reason))
		return;
	real = lab_count(f, half == MODEL_TC, 0);
	cr_assert(real.reason == want.reason, "counted: %s, the model says %s",
		  reason_text(real.reason), reason_text(want.reason));
	cr_assert(real.action == want.action && real.out.len == want.len);
	cr_assert_arr_eq(real.out.data, want.frame, want.len);
}

/* Frames that are cut later are beyond the model: the quick way in tc is compared with the whole program. */
static void compare_segmented(const struct frame *f, uint64_t seen[XRS_REASON_MAX])
{
	uint32_t gso_size = 1 + draw(120);
	struct run asked = lab_probe(f, true, gso_size), counted;

	seen[asked.reason]++;
	if (is_answered(asked.reason))
		return;
	counted = lab_count(f, true, gso_size);
	cr_assert(asked.reason == counted.reason, "segments of %u: asked %s, counted %s", gso_size,
		  reason_text(asked.reason), reason_text(counted.reason));
	cr_assert(asked.action == counted.action && asked.out.len == counted.out.len);
	cr_assert_arr_eq(asked.out.data, counted.out.data, asked.out.len);
}

/* A device that a frame may leave by, and that is not the one it came from, in a namespace of this test. */
static uint32_t way_out(void)
{
	struct ifreq request = { .ifr_name = "out", .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd;

	cr_assert(!unshare(CLONE_NEWNET), "%s", strerror(errno));
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	cr_assert(fd >= 0 && !ioctl(fd, TUNSETIFF, &request), "%s", strerror(errno));
	return if_nametoindex("out");
}

static long frames(void)
{
	const char *text = getenv("XRS_FRAMES");

	return text ? atol(text) : FRAMES;
}

Test(model, random_frames_agree_with_the_model)
{
	uint64_t seen[3][XRS_REASON_MAX] = { 0 }, cut[XRS_REASON_MAX] = { 0 };
	uint32_t device = way_out(), ifindex;
	enum model_half half;
	static struct model m;
	struct frame f;

	seed();
	for (long i = 0; i < frames(); i++) {
		if (i % TABLE_FRAMES == 0) {
			if (i) {
				lab_down();
				lab_up();
			}
			build(&m, device, i / TABLE_FRAMES % 2 == 0);
		} else if (i % ROUTE_FRAMES == 0) {
			change_routes(&m);
		}
		random_frame(&m, &f);
		ifindex = i % 50 ? m.ifindex[draw(MODEL_NICS)] : 70 + MODEL_NICS;
		half = (enum model_half)(i % 3);
		if (!compare(&m, &f, ifindex, half, seen[half]) || half == MODEL_GENERIC ||
		    ifindex != LAB_NIC)
			continue;
		compare_counted(&m, &f, half);
		if (half == MODEL_TC && chance(50))
			compare_segmented(&f, cut);
	}
	cr_log_info("%-18s %8s %8s %8s %8s", "", "XDP", "generic", "tc", "segments");
	for (unsigned int r = 0; r < XRS_REASON_MAX; r++) {
		cr_log_info("%-18s %8llu %8llu %8llu %8llu", reason_text(r),
			    (unsigned long long)seen[0][r], (unsigned long long)seen[1][r],
			    (unsigned long long)seen[2][r], (unsigned long long)cut[r]);
		cr_assert(seen[0][r] + seen[1][r] + seen[2][r] > 20, "%s was hardly met",
			  reason_text(r));
	}
	cr_assert(cut[XRS_REASON_TC_REDIRECTED] > 20 && cut[XRS_REASON_TC_DELIVERED] > 20);
}
