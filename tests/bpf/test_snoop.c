// SPDX-License-Identifier: GPL-2.0-only
/*
 * DHCP snooping: which messages the programs hand over, and that every frame goes on untouched. The messages
 * themselves are tests/unit/net/test_dhcp.c's.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "lab.h"

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
};

static struct frame dhcp_frame(const struct snoop_spec *spec)
{
	uint16_t client = spec->v6 ? 546 : 68, server = spec->v6 ? 547 : 67;
	struct frame_spec what = {
		.v6 = spec->v6,
		.smac = spec->smac,
		.src = spec->v6 ? "fe80::a" : "0.0.0.0",
		.dst = spec->v6 ? "ff02::1:2" : "255.255.255.255",
		.sport = spec->to_vm ? server : client,
		.dport = spec->port    ? spec->port
			 : spec->to_vm ? client
				       : server,
		.options = spec->options,
		.payload = spec->payload ? spec->payload : BOOTP,
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

/* What came out of the ring for one frame. */
static unsigned int told(const struct snoop_spec *spec)
{
	struct told told = { 0 };
	struct frame frame = dhcp_frame(spec);

	feed(spec);
	fib_maps_snoop_read(lab.maps, on_record, &told);
	if (!told.n)
		return 0;
	cr_assert(told.last.ifindex == LAB_NIC && told.last.to_vm == spec->to_vm);
	cr_assert(told.last.from == spec->from);
	cr_assert(told.last.len == (frame.len < XRS_SNOOP_DATA ? frame.len : XRS_SNOOP_DATA));
	cr_assert_arr_eq(told.last.frame, frame.data, told.last.len);
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
