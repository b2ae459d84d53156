// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser, the checks, the hash and the rewriting of bpf/, compiled for the host.
 *
 * Input: flags, GSO size (2), TCI (2), VLAN of the next hop (2), frame. The frame stands in memory of
 * exactly its size, so that a sanitizer sees each octet read or written beyond it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/admit.bpf.h"
#include "../../bpf/icmp.bpf.h"
#include "../../bpf/flow.bpf.h"
#include "../../bpf/parse.bpf.h"
#include "../../bpf/rewrite.bpf.h"
#include "../../bpf/vxlan.bpf.h"

#define HEAD      7
#define FLAG_TAG  1 /* the kernel took a tag out of the frame */
#define FLAG_GSO  2
#define FLAG_MORE 4 /* the frame goes on in a second buffer */

#define must(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static unsigned int ipv4_sum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < XRS_IPV4_LEN; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	return xrs_fold(sum);
}

/* What the parser said has to fit the frame. */
static void check_packet(const struct xrs_packet *p, size_t len)
{
	must(p->family == 4 || p->family == 6);
	must(p->l3_off >= ETH_HLEN && p->l3_off <= ETH_HLEN + XRS_VLAN_DEPTH * XRS_VLAN_LEN);
	must(p->l3_off + p->l3_len <= p->frame_len);
	must(p->l3_off + (p->family == 4 ? XRS_IPV4_LEN : XRS_IPV6_LEN) <= len);
	must(!p->l4_off || p->l4_off + p->l4_len <= p->frame_len);
	must(!p->has_csum || p->l4_off + p->l4_len >= p->l4_off + 8);
	must(p->n_tags <= XRS_VLAN_DEPTH);
}

static void check_hash(const struct xrs_packet *p)
{
	struct xrs_packet back = *p;

	memcpy(back.src, p->dst, sizeof(back.src));
	memcpy(back.dst, p->src, sizeof(back.dst));
	back.sport = p->dport;
	back.dport = p->sport;
	must(xrs_flow_hash(p, true) == xrs_flow_hash(&back, true));
}

/* One TTL less, the checksum as right or wrong as before, nothing else. */
static void check_rewrite(uint8_t *frame, size_t len, const struct xrs_packet *p, uint16_t vlan)
{
	struct xrs_nexthop nh = { .dmac = { 2, 1 }, .smac = { 2, 2 }, .vlan = vlan };
	uint8_t *ip = frame + p->l3_off;
	unsigned int at = p->family == 4 ? 8 : 7;
	unsigned int before = p->family == 4 ? ipv4_sum(ip) : 0;

	must(xrs_dec_ttl(frame, frame + len, p->l3_off, p->family));
	must(ip[at] == (uint8_t)(p->ttl - 1));
	/* 0 and 0xffff are the same sum. */
	must(p->family == 6 || ipv4_sum(ip) % 0xffff == before % 0xffff);
	must(xrs_set_macs(frame, frame + len, &nh));
	must(!memcmp(frame, nh.dmac, ETH_ALEN) && !memcmp(frame + ETH_ALEN, nh.smac, ETH_ALEN));
	must(xrs_set_ether(frame, frame + len, &nh, p, vlan));
	must(!xrs_dec_ttl(frame, frame + ETH_HLEN, p->l3_off, p->family));
}

/* Outer headers in memory of exactly their size; the lengths in them fit, and the IPv4 sum is right. */
static void check_tunnel(const uint8_t *frame, size_t len, const struct xrs_packet *p, bool six)
{
	const struct xrs_nexthop nh = {
		.tunnel = { .vni = 0xabcdef, .port = 4789, .family = six ? 6 : 4 }
	};
	uint32_t outer = six ? XRS_VXLAN_OUTER6 : XRS_VXLAN_OUTER4;
	size_t inner = len - p->l3_off, total = outer + ETH_HLEN + inner;
	uint8_t *out = malloc(total);

	must(out);
	memcpy(out + outer + ETH_HLEN, frame + p->l3_off, inner);
	must((six ? xrs_put_outer6 : xrs_put_outer4)(out, out + total, &nh, p, 0x12345678));
	must(six || ipv4_sum(out + ETH_HLEN) == 0xffff);
	must(XRS_NET16(XRS_LOAD(uint16_t, out + outer - 12)) == 16 + ETH_HLEN + p->l3_len);
	must(out[outer - 8] == XRS_VXLAN_FLAG_I && out[outer - 4] == 0xab);
	must(!(six ? xrs_put_outer6 : xrs_put_outer4)(out, out + outer + ETH_HLEN, &nh, p, 0));
	xrs_inner_is_summed(p);
	free(out);
}

/* What arrives by a tunnel: a packet of its own behind the outer headers. */
static void check_arrival(const uint8_t *frame, size_t len, const struct xrs_packet *outer)
{
	uint32_t off = xrs_vxlan_off(frame, frame + len, outer);
	struct xrs_packet p = { 0 };

	if (!off)
		return;
	off += XRS_VXLAN_LEN;
	must(off <= len && off <= outer->frame_len);
	p.frame_len = outer->frame_len - off;
	if (xrs_parse_ether(frame + off, frame + len, &p) != XRS_GO_ON ||
	    xrs_parse_ip(frame + off, frame + len, &p) != XRS_GO_ON)
		return;
	check_packet(&p, len - off);
	check_hash(&p);
	xrs_maybe_partial(&p);
}

/* Quotes are padded with zeros, as the program has them. */
static void check_answer(const uint8_t *frame, size_t len, const struct xrs_packet *p,
			 const struct xrs_nic *nic)
{
	uint8_t quote[XRS_QUOTE] = { 0 }, head[XRS_ICMP6_HEAD];
	uint32_t n = p->l3_len < XRS_QUOTE ? p->l3_len : XRS_QUOTE;

	if (p->l3_off + n > len)
		return;
	memcpy(quote, frame + p->l3_off, n);
	xrs_may_answer(p, quote, 0);
	xrs_may_answer(p, quote, 1400);
	xrs_quote_sum(p, 1, 2);
	if (p->family == 4) {
		xrs_put_icmp4(head, nic, p, 1400, n, xrs_sum(quote, XRS_QUOTE));
		must(ipv4_sum(head) == 0xffff);
	} else {
		xrs_put_icmp6(head, nic, p, 0, n, xrs_sum(quote, XRS_QUOTE));
		must(head[XRS_IPV6_LEN] == 3);
	}
}

static void run(uint8_t *frame, size_t len, struct xrs_packet *p, uint16_t vlan)
{
	struct xrs_nic nic = { .flags = XRS_NIC_F_ANTI_SPOOF,
			       .n_sources4 = 1,
			       .n_sources6 = 1,
			       .source4 = { { 10 } },
			       .source4_len = { 7 },
			       .source6 = { { 0xfd } },
			       .source6_len = { 100 } };

	if (xrs_parse_ether(frame, frame + len, p) != XRS_GO_ON)
		return;
	xrs_to_gateway(&nic, p);
	if (xrs_parse_ip(frame, frame + len, p) != XRS_GO_ON)
		return;
	check_packet(p, len);
	check_hash(p);
	xrs_maybe_partial(p);
	must(xrs_l3_out(p) > 0);
	check_answer(frame, len, p, &nic);
	check_arrival(frame, len, p);
	if (p->l3_len < 60000) {
		check_tunnel(frame, len, p, false);
		check_tunnel(frame, len, p, true);
	}
	if (xrs_admit(&nic, p) == XRS_GO_ON)
		check_rewrite(frame, len, p, vlan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xrs_packet p = { 0 };
	size_t len = size - HEAD;
	uint8_t *frame;

	if (size <= HEAD)
		return 0;
	p.frame_len = (uint32_t)len + (data[0] & FLAG_MORE ? 1500 : 0);
	if (data[0] & FLAG_GSO)
		p.gso_size = (uint32_t)(data[1] << 8 | data[2]);
	if (data[0] & FLAG_TAG) {
		p.tci = (uint16_t)(data[3] << 8 | data[4]);
		p.n_tags = 1;
	}
	frame = malloc(len);
	must(frame);
	memcpy(frame, data + HEAD, len);
	run(frame, len, &p, (uint16_t)(data[5] << 8 | data[6]) & 0xfff);
	free(frame);
	return 0;
}
