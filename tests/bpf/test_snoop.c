// SPDX-License-Identifier: GPL-2.0-only
/*
 * DHCP snooping: which messages the programs hand over, and that every frame goes on untouched. The messages
 * themselves are tests/unit/net/test_dhcp.c's.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "old_kernel.h"
#include "wire_lab.h"

TestSuite(snoop, .init = lab_up, .fini = lab_down, .timeout = 60);

#define OTHER_MAC "\x02\x00\x00\x00\x00\x0b"
#define BOOTP     300

struct snoop_spec { /* zero: DHCP, from the VM */
	bool v6, to_vm;
	uint32_t xid;
	const char *chaddr; /* NULL: LAB_VM_MAC */
	const char *smac;
	uint8_t op;    /* 0: as the direction says */
	uint16_t port; /* 0: the client's */
	bool options;
	uint32_t from; /* ingress_ifindex */
	size_t payload;
	const char *dst; /* NULL: everybody */
	unsigned int n_tags;
};

static struct frame dhcp_frame(const struct snoop_spec *spec)
{
	uint16_t client = spec->v6 ? 546 : 68, server = spec->v6 ? 547 : 67;
	struct frame_spec what = {
		.v6 = spec->v6,
		.smac = spec->smac,
		.src = spec->dst  ? "10.1.1.4"
		       : spec->v6 ? "fe80::a"
				  : "0.0.0.0",
		.dst = spec->dst  ? spec->dst
		       : spec->v6 ? "ff02::1:2"
				  : "255.255.255.255",
		.sport = spec->to_vm ? server : client,
		.dport = spec->port    ? spec->port
			 : spec->to_vm ? client
				       : server,
		.options = spec->options,
		.payload = spec->payload ? spec->payload : BOOTP,
		.n_tags = spec->n_tags,
		.tci = { 100, 7, 9 },
	};
	struct frame frame;
	uint8_t *at;

	frame_make(&frame, &what);
	at = frame.data + frame.len - what.payload;
	if (spec->v6) {
		at[0] = spec->to_vm ? 7 : 1;
		memcpy(at + 1, &spec->xid, 3);
		return frame;
	}
	at[0] = spec->op ? spec->op : spec->to_vm ? 2 : 1;
	memcpy(at + 4, &spec->xid, 4);
	memcpy(at + 28, spec->chaddr ? spec->chaddr : LAB_VM_MAC, 6);
	return frame;
}

static void feed(const struct snoop_spec *spec)
{
	struct frame frame = dhcp_frame(spec);
	struct __sk_buff skb = { .ingress_ifindex = spec->from };
	uint8_t out[LOADER_FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data,
		    .data_size_in = (uint32_t)frame.len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &skb, .ctx_size_in = sizeof(skb));
	int fd = loader_prog(lab.loader, spec->to_vm ? "xrs_snoop_out" : "xrs_snoop_in", false);

	cr_assert(fd >= 0 && !bpf_prog_test_run_opts(fd, &opts));
	cr_assert(opts.retval == (uint32_t)TC_ACT_UNSPEC);
	cr_assert(opts.data_size_out == frame.len && !memcmp(out, frame.data, frame.len));
}

struct told {
	unsigned int n;
	struct xrs_snoop_record last;
};

static void on_record(void *ctx, const struct xrs_snoop_record *record)
{
	struct told *told = ctx;

	told->n++;
	told->last = *record;
}

/* The record is of the frame, without its tags. */
static void check_record(const struct told *told, const struct snoop_spec *spec, uint32_t ifindex)
{
	struct snoop_spec plain = *spec;
	struct frame frame;

	plain.n_tags = 0;
	frame = dhcp_frame(&plain);
	cr_assert(told->last.ifindex == ifindex && told->last.to_vm == spec->to_vm);
	cr_assert(told->last.from == spec->from);
	cr_assert(told->last.len == (frame.len < XRS_SNOOP_DATA ? frame.len : XRS_SNOOP_DATA));
	cr_assert_arr_eq(told->last.frame, frame.data, told->last.len);
}

/* What came out of the ring for one frame. */
static unsigned int told(const struct snoop_spec *spec)
{
	struct told told = { 0 };

	feed(spec);
	fib_maps_snoop_read(lab.maps, on_record, &told);
	if (told.n)
		check_record(&told, spec, LAB_NIC);
	return told.n;
}

static void open_ring(void)
{
	cr_assert(fib_maps_snoop_open(lab.maps) >= 0);
}

Test(snoop, what_the_vm_says_is_told)
{
	open_ring();
	cr_assert(told(&(struct snoop_spec){ .xid = 7 }) == 1);
	cr_assert(told(&(struct snoop_spec){ .xid = 7, .v6 = true }) == 1);
	cr_assert(told(&(struct snoop_spec){ .payload = 1468 }) == 1, "a whole MTU");
	cr_assert(told(&(struct snoop_spec){ .payload = 1480 }) == 1, "the beginning of more");
	cr_assert(told(&(struct snoop_spec){ .port = 53 }) == 0);
	cr_assert(told(&(struct snoop_spec){ .v6 = true, .port = 53 }) == 0);
	cr_assert(told(&(struct snoop_spec){ .options = true }) == 0);
	cr_assert(told(&(struct snoop_spec){ .op = 2 }) == 0);
	cr_assert(told(&(struct snoop_spec){ .chaddr = OTHER_MAC }) == 0, "in another's name");
	cr_assert(told(&(struct snoop_spec){ .chaddr = OTHER_MAC, .smac = OTHER_MAC }) == 1);
	fib_maps_snoop_close(lab.maps);
}

Test(snoop, an_answer_belongs_to_what_was_asked)
{
	open_ring();
	for (int v6 = 0; v6 < 2; v6++) {
		struct snoop_spec ask = { .v6 = v6, .xid = 0x11 };
		struct snoop_spec answer = { .v6 = v6, .to_vm = true, .xid = 0x11 };

		cr_assert(told(&answer) == 0, "nobody asked");
		cr_assert(told(&ask) == 1);
		cr_assert(told(&answer) == 1);
		answer.xid = 0x12;
		cr_assert(told(&answer) == 0, "another's");
		answer.xid = 0;
		cr_assert(told(&answer) == 0, "0 is an id as any other");
	}
	cr_assert(told(&(struct snoop_spec){ .to_vm = true, .xid = 0x11, .op = 1 }) == 0);
	cr_assert(told(&(struct snoop_spec){ .to_vm = true, .xid = 0x11, .port = 69 }) == 0);
	fib_maps_snoop_close(lab.maps);
}

/* Questions and answers behind one tag more each time; @told_of sends one and says what came of it. */
static void pass_over_tags(unsigned int (*told_of)(const struct snoop_spec *spec))
{
	for (unsigned int n = 0; n <= XRS_VLAN_DEPTH + 1; n++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct snoop_spec ask = { .v6 = v6, .xid = n, .n_tags = n };
			struct snoop_spec answer = ask;

			answer.to_vm = true;
			cr_assert(told_of(&ask) == (n <= XRS_VLAN_DEPTH), "%u tags", n);
			ask.n_tags = 0;
			cr_assert(told_of(&ask) == 1);
			cr_assert(told_of(&answer) == (n <= XRS_VLAN_DEPTH), "%u tags", n);
		}
	}
}

/* All tags are in these frames; tests below have one beside the frame. */
Test(snoop, tags_are_passed_over)
{
	open_ring();
	pass_over_tags(told);
	cr_assert(told(&(struct snoop_spec){ .payload = 1468, .n_tags = 2 }) == 1, "a whole MTU");
	cr_assert(told(&(struct snoop_spec){ .port = 53, .n_tags = 1 }) == 0);
	fib_maps_snoop_close(lab.maps);
}

/* A lease that is prolonged after a restart, or by a request that the programs did not see. */
Test(snoop, an_answer_to_a_known_mac)
{
	struct snoop_spec answer = { .to_vm = true, .xid = 0x99 };

	open_ring();
	cr_assert(told(&answer) == 0);
	memcpy(lab.nic.mac, LAB_VM_MAC, 6);
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	cr_assert(told(&answer) == 1);
	answer.chaddr = OTHER_MAC;
	cr_assert(told(&answer) == 0);
	fib_maps_snoop_close(lab.maps);
}

Test(snoop, no_vm_is_a_server)
{
	struct snoop_spec answer = { .to_vm = true, .xid = 0x11, .from = LAB_NIC_B };
	struct xrs_nic other = lab.nic;

	open_ring();
	cr_assert(told(&(struct snoop_spec){ .xid = 0x11 }) == 1);
	cr_assert(told(&answer) == 1, "no nic of ours: xrsd judges");
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC_B, &other));
	cr_assert(told(&answer) == 0, "a VM");
	other.role = XRS_NIC_NVA;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC_B, &other));
	cr_assert(told(&answer) == 1, "an appliance");
	fib_maps_snoop_close(lab.maps);
}

Test(snoop, a_flood_is_cut)
{
	struct told told = { 0 };

	open_ring();
	for (int i = 0; i < 2000; i++)
		feed(&(struct snoop_spec){ .xid = 1 });
	fib_maps_snoop_read(lab.maps, on_record, &told);
	cr_assert(told.n >= 50 && told.n < 1000, "%u", told.n);
	fib_maps_snoop_close(lab.maps);
}

Test(snoop, a_device_that_is_no_nic_is_let_be)
{
	open_ring();
	cr_assert(!fib_maps_nic_del(lab.maps, LAB_NIC));
	cr_assert(told(&(struct snoop_spec){ .xid = 7 }) == 0);
	fib_maps_snoop_close(lab.maps);
}

/* --- on real frames, by tcx and by clsact -------------------------------------------------------------- */

static bool clsact; /* in this test */

static void old_wire_up(void)
{
	clsact = true;
	old_kernel();
	wire_up();
}

TestSuite(snoop_tcx, .init = wire_up, .fini = wire_down, .timeout = 60);
TestSuite(snoop_clsact, .init = old_wire_up, .fini = wire_down, .timeout = 60);

static void attach_and_snoop(void)
{
	uint32_t nic = wire_index("nic");
	struct loader_attachment at;
	char text[LOADER_TEXT];

	cr_assert(!loader_attach(lab.loader, "nic", nic, LOADER_TC, text, &at), "%s", text);
	cr_assert(at.tc.attached && at.tc.prog_id && !at.tc.link_id == clsact);
	cr_assert(!loader_snoop(lab.loader, nic, true, text), "%s", text);
}

static void open_wire(void)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_REDIRECT);

	open_ring();
	lab_steer(XRS_WAY_REDIRECT);
	nh.ifindex = wire_index("out");
	lab_set_nexthop(1, &nh);
	lab.nic.flags |= XRS_NIC_F_TC;
	cr_assert(!fib_maps_nic_set(lab.maps, wire_index("nic"), &lab.nic));
	attach_and_snoop();
}

/* Sends one frame to the nic, or out of it; how many records come of it within a second. */
static unsigned int told_on_wire(const struct snoop_spec *spec)
{
	struct frame frame = dhcp_frame(spec);
	struct told told = { 0 };

	wire_send(spec->to_vm ? "nic" : "vm", &frame, false, 0);
	for (int i = 0; i < 500 && !told.n; i++) {
		usleep(2000);
		fib_maps_snoop_read(lab.maps, on_record, &told);
	}
	told.last.from = spec->from;
	if (told.n)
		check_record(&told, spec, wire_index("nic"));
	return told.n;
}

/* The kernel takes the outermost tag out of a frame that arrives; one that a program sends has it. */
static void looks_at_both_directions(void)
{
	open_wire();
	pass_over_tags(told_on_wire);
	fib_maps_snoop_close(lab.maps);
}

/* To a server behind the appliance, as a lease is prolonged: xrs_steer_tc takes it away. */
static void looks_before_it_is_steered(void)
{
	static struct wire_frame got;
	struct xrs_nic_stats stats;
	int fd = wire_open("far");

	open_wire();
	for (int again = 0; again < 2; again++) {
		cr_assert(told_on_wire(&(struct snoop_spec){ .xid = 5, .dst = "10.250.0.9" }) == 1);
		cr_assert(wire_receive(fd, &got), "it is steered nonetheless");
		attach_and_snoop(); /* the order stays when programs are replaced */
	}
	cr_assert(!fib_maps_nic_stats(lab.maps, LAB_SLOT, &stats));
	cr_assert(stats.tc_redirected == 2);
	fib_maps_snoop_close(lab.maps);
}

/* What `tc filter show` has of ours at the nic; tcx has none. */
static unsigned int filters(void)
{
	unsigned int n = 0;
	FILE *list = popen("for at in ingress egress; do tc filter show dev nic $at; done |"
			   "grep -c direct-action",
			   "r");

	cr_assert(list && fscanf(list, "%u", &n) == 1);
	pclose(list);
	return n;
}

static bool wants_none(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	(void)ifindex;
	return false;
}

Test(snoop_tcx, looks_at_both_directions)
{
	looks_at_both_directions();
	cr_assert(filters() == 0);
}

Test(snoop_clsact, looks_at_both_directions)
{
	looks_at_both_directions();
	cr_assert(filters() == 3);
}

Test(snoop_tcx, looks_before_it_is_steered)
{
	looks_before_it_is_steered();
}

Test(snoop_clsact, looks_before_it_is_steered)
{
	looks_before_it_is_steered();
}

Test(snoop_clsact, a_second_process_takes_the_filters_over)
{
	struct loader *old = lab.loader;
	char text[LOADER_TEXT];

	open_wire();
	cr_assert(!loader_open(lab.instance, text, &lab.loader), "%s", text);
	loader_free(old);
	cr_assert(filters() == 3, "they outlive the first");
	cr_assert(loader_is_attached(lab.loader, wire_index("nic")));
	attach_and_snoop();
	cr_assert(filters() == 3, "nothing is there twice");
	cr_assert(told_on_wire(&(struct snoop_spec){ .xid = 7 }) == 1);
	fib_maps_snoop_close(lab.maps);
}

Test(snoop_clsact, each_way_off)
{
	uint32_t nic = wire_index("nic");
	char text[LOADER_TEXT];

	open_wire();
	cr_assert(!loader_snoop(lab.loader, nic, false, text));
	cr_assert(filters() == 1);
	attach_and_snoop();
	loader_snoop_sweep(lab.instance, wants_none, NULL);
	cr_assert(filters() == 1, "nobody wants it");
	loader_sweep_filters(lab.instance, wants_none, NULL);
	cr_assert(filters() == 0, "it is no nic any more");
	attach_and_snoop();
	cr_assert(!loader_detach(lab.instance, "nic", nic));
	cr_assert(filters() == 0);
	attach_and_snoop();
	fib_maps_snoop_close(lab.maps);
	cr_assert(!loader_purge(lab.instance, text), "%s", text);
	cr_assert(filters() == 0);
}

/* Somebody else's are left alone, also where ours would stand. */
Test(snoop_clsact, other_filters_stay)
{
	const char *other = "protocol all bpf direct-action pinned /sys/fs/bpf";
	uint32_t nic = wire_index("nic");
	char text[LOADER_TEXT];

	wire_shell("tc qdisc add dev nic clsact;"
		   "tc filter add dev nic egress prio 7 %s/%s/progs/xrs_snoop_out",
		   other, lab.instance);
	open_wire();
	cr_assert(filters() == 4);
	cr_assert(!loader_detach(lab.instance, "nic", nic));
	cr_assert(filters() == 1);
	wire_shell("tc filter add dev nic egress prio 22609 handle 0x5851 %s/%s/progs/xrs_steer_tc",
		   other, lab.instance);
	cr_assert(loader_snoop(lab.loader, nic, true, text) < 0 && strstr(text, "clsact"));
	cr_assert(filters() == 2, "half a snooper is none");
	fib_maps_snoop_close(lab.maps);
}
