// SPDX-License-Identifier: GPL-2.0-only
/* The flow hash: symmetric, blind to ports in fragments, even over buckets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"

TestSuite(flow, .init = lab_up, .fini = lab_down, .timeout = 60);

static struct xrs_decision decide(const struct frame_spec *spec)
{
	struct frame f;
	struct run run;

	frame_make(&f, spec);
	run = lab_probe_all(&f);
	assert_reason(run, XRS_REASON_BRIDGED);
	return run.decision;
}

static void routes_everywhere(void)
{
	lab_steer(XRS_WAY_BRIDGE);
	lab_route("0.0.0.0/0", XRS_ROUTE_STEER, 1);
	lab_route("::/0", XRS_ROUTE_STEER, 1);
}

static struct frame_spec reverse(struct frame_spec spec)
{
	const char *src = spec.src;
	uint16_t sport = spec.sport;

	spec.src = spec.dst;
	spec.dst = src;
	spec.sport = spec.dport;
	spec.dport = sport;
	return spec;
}

Test(flow, both_directions_agree_unless_told_otherwise)
{
	unsigned int differ = 0;

	routes_everywhere();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 200; i++) {
			char a[64], b[64];
			struct frame_spec there = { .v6 = i & 1,
						    .src = a,
						    .dst = b,
						    .proto = i & 2 ? 6 : 17,
						    .sport = (uint16_t)(1024 + i * 37),
						    .dport = (uint16_t)(1 + i),
						    .flow_label = (uint32_t)i * 991 };
			struct frame_spec back;

			snprintf(a, sizeof(a), i & 1 ? "fd00:1::%x" : "10.1.0.%d", i + 1);
			snprintf(b, sizeof(b), i & 1 ? "2001:db8:%x::1" : "198.51.100.%d", i + 1);
			back = reverse(there);
			back.flow_label = 7;
			differ += decide(&there).hash != decide(&back).hash;
		}
		cr_assert(round ? differ > 190 : differ == 0, "%u differ", differ);
		lab.nic.flags &= ~XRS_NIC_F_SYMMETRIC;
		cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	}
}

Test(flow, all_fragments_of_a_packet_agree)
{
	struct frame_spec first = { .frag = 0x2000, .sport = 1, .dport = 2 };
	struct frame_spec later = { .frag = 100, .sport = 999, .dport = 888 };
	struct frame_spec whole = { .sport = 1, .dport = 2 };
	struct frame_spec no_frag = { .frag = 0x4000, .sport = 1, .dport = 2 };

	routes_everywhere();
	cr_assert(decide(&first).hash == decide(&later).hash);
	cr_assert(decide(&first).hash != decide(&whole).hash);
	cr_assert(decide(&no_frag).hash == decide(&whole).hash);
	for (int i = 0; i < 2; i++) {
		first.v6 = later.v6 = true;
		first.fragment = later.fragment = true;
		first.hop_by_hop = later.hop_by_hop = i;
		cr_assert(decide(&first).hash == decide(&later).hash);
	}
}

Test(flow, ports_and_protocol_count)
{
	struct frame_spec a = { .sport = 1000, .dport = 2000 }, b = a, c = a;

	routes_everywhere();
	b.sport = 1001;
	c.proto = 6;
	cr_assert(decide(&a).hash != decide(&b).hash);
	cr_assert(decide(&a).hash != decide(&c).hash);
}

Test(flow, ipv6_ports_are_found_behind_extension_headers)
{
	struct frame_spec plain = { .v6 = true, .sport = 1000, .dport = 2000 };
	struct frame_spec ext = plain;

	routes_everywhere();
	ext.options = ext.hop_by_hop = true;
	cr_assert(decide(&plain).hash == decide(&ext).hash);
}

Test(flow, the_flow_label_counts_only_where_it_may)
{
	struct frame_spec a = { .v6 = true, .proto = 59, .flow_label = 1 }, b = a;

	routes_everywhere();
	b.flow_label = 0xabcde;
	cr_assert(decide(&a).hash == decide(&b).hash);
	lab.nic.flags &= ~XRS_NIC_F_SYMMETRIC;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	cr_assert(decide(&a).hash != decide(&b).hash);
}

/* Padding behind a packet that is shorter than its ports is no part of it. */
Test(flow, padding_is_not_hashed)
{
	struct frame_spec spec = { .padding = 30 };
	struct frame f;
	uint32_t hash[2];

	routes_everywhere();
	for (int i = 0; i < 2; i++) {
		frame_make(&f, &spec);
		f.data[14 + 3] = 22; /* two octets behind the header */
		memset(f.data + 36, i ? 0xaa : 0x55, f.len - 36);
		hash[i] = lab_probe_all(&f).decision.hash;
	}
	cr_assert(hash[0] == hash[1]);
}

/* Chi-squared of @n flows over all buckets; 255 degrees of freedom: above 350 is one chance in 10^4. */
static double spread(bool v6, int addr_step, int port_step, int n)
{
	unsigned int seen[XRS_BUCKETS] = { 0 };
	double want = (double)n / XRS_BUCKETS, chi = 0;

	for (int i = 0; i < n; i++) {
		char src[64];
		struct frame_spec spec = { .v6 = v6,
					   .src = src,
					   .proto = 6,
					   .dport = 443,
					   .dst = v6 ? "2001:db8::1" : "198.51.100.1",
					   .sport = (uint16_t)(1024 + i * port_step) };
		int host = i * addr_step;

		if (v6)
			snprintf(src, sizeof(src), "fd00:1::%x", host + 1);
		else
			snprintf(src, sizeof(src), "10.1.%d.%d", host / 250 % 250, host % 250 + 1);
		seen[decide(&spec).bucket]++;
	}
	for (int i = 0; i < XRS_BUCKETS; i++)
		chi += (seen[i] - want) * (seen[i] - want) / want;
	return chi;
}

Test(flow, sequential_flows_spread_evenly)
{
	routes_everywhere();
	for (int v6 = 0; v6 < 2; v6++) {
		double ports = spread(v6, 0, 1, 20000), hosts = spread(v6, 1, 0, 20000);
		double both = spread(v6, 1, 1, 20000), even = spread(v6, 0, 2, 20000);

		cr_assert(ports < 350 && hosts < 350 && both < 350 && even < 350,
			  "%.0f %.0f %.0f %.0f", ports, hosts, both, even);
	}
}

Test(flow, members_share_by_bucket)
{
	const uint32_t members[] = { 1, 2, 3, 4 };
	unsigned int seen[5] = { 0 };

	routes_everywhere();
	for (uint32_t i = 1; i <= 4; i++) {
		struct xrs_nexthop nh = lab_nexthop(i, XRS_WAY_BRIDGE);

		lab_set_nexthop(i, &nh);
	}
	lab_group(1, members, 4);
	for (int i = 0; i < 8000; i++) {
		struct frame_spec spec = { .sport = (uint16_t)(1024 + i), .proto = 6 };
		struct xrs_decision d = decide(&spec);

		cr_assert(d.nexthop == members[d.bucket % 4]);
		seen[d.nexthop]++;
	}
	for (int i = 1; i <= 4; i++)
		cr_assert(seen[i] > 1850 && seen[i] < 2150, "%d: %u", i, seen[i]);
}
