// SPDX-License-Identifier: GPL-2.0-only
/*
 * nic.showNextHop: a real frame, made from the caller's parameters as the VM would send it, goes through
 * the real program in the kernel (BPF test run), which counts and sends nothing. The answer is what the
 * program decided, beside what the control plane wanted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <linux/if_ether.h>
#include <string.h>

#include "api/api_impl.h"

#define PAYLOAD 26 /* octets behind the headers: above Ethernet's minimum with IPv4 and UDP */

struct probe {
	struct ip_addr src, dst;
	uint8_t proto; /* IPPROTO_* */
	uint16_t sport, dport;
	uint8_t smac[6], dmac[6];
	uint8_t frame[256];
	size_t len;
};

/* --- the frame -------------------------------------------------------------------------------------- */

static uint32_t sum16(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *octets = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)octets[i] << 8 | octets[i + 1];
	if (len & 1)
		sum += (uint32_t)octets[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Whole, right checksums (RFC 1071): a partial one would take another way through the program. */
static uint16_t l4_checksum(const struct probe *probe, const uint8_t *l4, size_t len)
{
	unsigned int bytes = ip_bytes(probe->src.family);
	uint32_t sum = 0;

	if (probe->proto != IPPROTO_ICMP) {
		sum = sum16(probe->src.bytes, bytes, sum);
		sum = sum16(probe->dst.bytes, bytes, sum);
		sum += probe->proto + (uint32_t)len;
	}
	return fold(sum16(l4, len, sum));
}

static size_t put_l4(const struct probe *probe, uint8_t *at)
{
	size_t len;

	if (probe->proto == IPPROTO_TCP) {
		struct tcphdr tcp = { .source = htons(probe->sport), .dest = htons(probe->dport) };

		tcp.doff = 5;
		tcp.syn = 1;
		tcp.window = htons(64240);
		len = sizeof(tcp) + PAYLOAD;
		memcpy(at, &tcp, sizeof(tcp));
		tcp.check = l4_checksum(probe, at, len);
		memcpy(at, &tcp, sizeof(tcp));
	} else if (probe->proto == IPPROTO_UDP) {
		struct udphdr udp = { .source = htons(probe->sport), .dest = htons(probe->dport) };

		len = sizeof(udp) + PAYLOAD;
		udp.len = htons((uint16_t)len);
		memcpy(at, &udp, sizeof(udp));
		udp.check = l4_checksum(probe, at, len);
		memcpy(at, &udp, sizeof(udp));
	} else { /* echo request; both families lay it out alike */
		struct icmphdr icmp = { .type = probe->proto == IPPROTO_ICMP ? ICMP_ECHO
									     : ICMP6_ECHO_REQUEST };

		len = sizeof(icmp) + PAYLOAD;
		memcpy(at, &icmp, sizeof(icmp));
		icmp.checksum = l4_checksum(probe, at, len);
		memcpy(at, &icmp, sizeof(icmp));
	}
	return len;
}

static size_t put_ip4(const struct probe *probe, uint8_t *at)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = probe->proto };
	size_t len = sizeof(ip) + put_l4(probe, at + sizeof(ip));

	ip.tot_len = htons((uint16_t)len);
	memcpy(&ip.saddr, probe->src.bytes, 4);
	memcpy(&ip.daddr, probe->dst.bytes, 4);
	ip.check = fold(sum16(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	return len;
}

static size_t put_ip6(const struct probe *probe, uint8_t *at)
{
	struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28) };
	size_t len = put_l4(probe, at + sizeof(ip));

	ip.ip6_plen = htons((uint16_t)len);
	ip.ip6_nxt = probe->proto;
	ip.ip6_hlim = 64;
	memcpy(&ip.ip6_src, probe->src.bytes, 16);
	memcpy(&ip.ip6_dst, probe->dst.bytes, 16);
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip) + len;
}

static void build_frame(struct probe *probe)
{
	bool v6 = probe->dst.family == IP_V6;
	struct ethhdr eth = { .h_proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP) };

	memset(probe->frame, 0, sizeof(probe->frame));
	memcpy(eth.h_dest, probe->dmac, ETH_ALEN);
	memcpy(eth.h_source, probe->smac, ETH_ALEN);
	memcpy(probe->frame, &eth, sizeof(eth));
	probe->len = sizeof(eth) + (v6 ? put_ip6 : put_ip4)(probe, probe->frame + sizeof(eth));
}

/* --- its addresses ------------------------------------------------------------------------------------ */

/* An address that the nic may use: from its antiSpoof sources, else from the vnet's prefixes. */
static bool pick_source(const struct node_nic *nic, const struct xrs_nic *entry,
			enum ip_family family, struct ip_addr *ret_addr)
{
	const struct vnet_config *vnet = nic->vnet->config;
	struct ip_prefix prefix = { .len = 0 };

	if (family == IP_V4 && entry->n_sources4)
		prefix = (struct ip_prefix){ ip_from_bytes(IP_V4, entry->source4[0]),
					     entry->source4_len[0] };
	else if (family == IP_V6 && entry->n_sources6)
		prefix = (struct ip_prefix){ ip_from_bytes(IP_V6, entry->source6[0]),
					     entry->source6_len[0] };
	for (size_t i = 0; i < vnet->n_prefixes && prefix.addr.family == IP_NONE; i++) {
		if (vnet->prefixes[i].addr.family == family)
			prefix = vnet->prefixes[i];
	}
	if (prefix.addr.family == IP_NONE)
		return false;
	if (prefix.len + 8u <= ip_bits(family)) /* not the network's own address */
		prefix.addr.bytes[ip_bytes(family) - 1] |= 10;
	*ret_addr = prefix.addr;
	return true;
}

static int fill_addresses(struct api_call *call, const struct node_nic *nic,
			  const struct xrs_nic *entry, struct probe *probe)
{
	const char *source = request_text(call->request, "sourceIp");

	ip_parse(request_text(call->request, "destinationIp"), &probe->dst); /* was checked */
	if (source)
		ip_parse(source, &probe->src);
	else if (!pick_source(nic, entry, probe->dst.family, &probe->src))
		return api_fail(call->error, API_INVALID_PARAMS, "sourceIp",
				"the vnet has no prefix of this family: give 'sourceIp'");
	if (probe->src.family != probe->dst.family)
		return api_fail(call->error, API_INVALID_PARAMS, "sourceIp",
				"'sourceIp' and 'destinationIp' must be of one family");
	return 0;
}

static int fill_probe(struct api_call *call, const struct node_nic *nic,
		      const struct xrs_nic *entry, struct probe *probe)
{
	static const uint8_t any_vm[6] = { 0x02, 0, 0, 0, 0, 0xfe };
	static const uint8_t any_gateway[6] = { 0x02, 0, 0, 0, 0, 0xff };
	static const uint8_t zero[6];
	const char *protocol = request_text(call->request, "protocol");

	if (fill_addresses(call, nic, entry, probe) < 0)
		return -1;
	probe->proto = IPPROTO_UDP;
	if (protocol && strcmp(protocol, "tcp") == 0)
		probe->proto = IPPROTO_TCP;
	if (protocol && strcmp(protocol, "icmp") == 0)
		probe->proto = probe->dst.family == IP_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	probe->sport = (uint16_t)request_integer(call->request, "sourcePort", 49152);
	probe->dport = (uint16_t)request_integer(call->request, "destinationPort", 443);
	memcpy(probe->smac, memcmp(entry->mac, zero, 6) ? entry->mac : any_vm, 6);
	memcpy(probe->dmac, entry->n_gateway_macs ? entry->gateway_mac[0] : any_gateway, 6);
	build_frame(probe);
	return 0;
}

/* --- the answer ---------------------------------------------------------------------------------------- */

/* Longest match by the control plane's own tables. False: no prefix matches. */
static bool expected_route(const struct node_table *table, const struct ip_addr *dst,
			   struct ip_prefix *ret_prefix, struct xrs_route *ret_route)
{
	for (int len = (int)ip_bits(dst->family); len >= 0; len--) {
		struct ip_prefix prefix = prefix_of(dst, (uint8_t)len);
		struct effective_result result;

		node_effective(table, &prefix, &result);
		if (!effective_route(&result, ret_route))
			continue;
		*ret_prefix = prefix;
		return true;
	}
	return false;
}

/* Whether a decision was taken from a route: reasons before the lookup have none. */
static bool has_route(const struct xrs_decision *decision)
{
	switch (decision->reason) {
	case XRS_REASON_REDIRECTED:
	case XRS_REASON_BRIDGED:
	case XRS_REASON_TC_REDIRECTED:
	case XRS_REASON_TC_BRIDGED:
	case XRS_REASON_ENCAPSULATED:
	case XRS_REASON_TC_ENCAPSULATED:
	case XRS_REASON_DELIVERED:
	case XRS_REASON_TC_DELIVERED:
	case XRS_REASON_TO_KERNEL:
	case XRS_REASON_LOCAL:
	case XRS_REASON_INTERNET:
	case XRS_REASON_PROTECTED:
	case XRS_REASON_NO_NEXTHOP:
	case XRS_REASON_SELF_LOOP:
	case XRS_REASON_TOO_BIG:
	case XRS_REASON_VLAN_MISMATCH:
	case XRS_REASON_NONE:
		return true;
	default:
		return false;
	}
}

static void write_hop(struct api_call *call, const struct xrs_decision *decision)
{
	static const char *const ways[] = { "none", "redirect", "bridge", "kernel", "vxlan" };
	struct json_out *out = call->out;
	struct xrs_nexthop hop = { .way = XRS_WAY_NONE };
	struct group_view view = { 0 };
	struct ip_addr addr;
	char name[16];

	if (decision->nexthop)
		fib_maps_nexthop_get(call->node->maps, decision->nexthop, &hop);
	read_group(call->node, decision->group, &view);
	addr = ip_from_bytes(hop.family, hop.addr);
	write_addr(out, "nextHopIpAddress", &addr);
	write_mac(out, "nextHopMac", hop.dmac);
	json_out_string(out, "nextHopInterface", nic_ifname(call->node, hop.ifindex, name));
	if (*hop.peering)
		json_out_string_n(out, "peering", hop.peering, strnlen(hop.peering, XRS_NAME_LEN));
	else
		json_out_null(out, "peering");
	json_out_string(out, "way", hop.way <= XRS_WAY_VXLAN ? ways[hop.way] : "unknown");
	for (unsigned int i = 0; i < view.n; i++) {
		if (view.id[i] == decision->nexthop && decision->nexthop)
			json_out_uint(out, "ecmpIndex", i);
	}
	json_out_uint(out, "ecmpWidth", view.width);
	json_out_uint(out, "bucket", decision->bucket);
	json_out_uint(out, "group", decision->group);
}

static const char *type_of(const struct node *node, const struct node_table *table,
			   const struct xrs_decision *decision, const struct ip_prefix *prefix)
{
	struct xrs_route route = { .source = XRS_SOURCE_BGP };

	switch (decision->kind) {
	case XRS_ROUTE_STEER:
		fib_maps_route_get(node->maps, table->index, prefix, &route);
		return next_hop_type_name(route.source == XRS_SOURCE_USER
						  ? NEXT_HOP_VIRTUAL_APPLIANCE
						  : NEXT_HOP_VIRTUAL_NETWORK_GATEWAY);
	case XRS_ROUTE_INTERNET:
		return next_hop_type_name(NEXT_HOP_INTERNET);
	case XRS_ROUTE_DROP:
		return next_hop_type_name(NEXT_HOP_NONE);
	default:
		return next_hop_type_name(NEXT_HOP_VNET_LOCAL);
	}
}

static void write_expected(struct json_out *out, const struct node_table *table,
			   const struct probe *probe, const struct xrs_decision *decision,
			   bool routed)
{
	struct ip_prefix prefix = { .len = 0 };
	struct xrs_route want = { .group = 0 };
	bool found = expected_route(table, &probe->dst, &prefix, &want);
	bool same = found == routed;

	if (found && routed)
		same = prefix.len == decision->prefix_len && want.kind == decision->kind &&
		       (want.kind != XRS_ROUTE_STEER || want.group == decision->group);
	/* A frame that never came to the lookup says nothing about routes. */
	if (!routed && decision->reason != XRS_REASON_NO_ROUTE)
		same = true;
	json_out_bool(out, "differs", !same);
	if (found)
		write_prefix(out, "expectedPrefix", &prefix);
	else
		json_out_null(out, "expectedPrefix");
}

static void write_verdict(struct api_call *call, const struct node_nic *nic,
			  const struct xrs_nic *entry, const struct probe *probe,
			  const struct loader_verdict *verdict, bool tc)
{
	const struct xrs_decision *decision = &verdict->decision;
	struct ip_prefix matched = prefix_of(&probe->dst, decision->prefix_len);
	bool routed = has_route(decision);
	struct json_out *out = call->out;

	json_out_string(out, "nic", nic->name);
	if (routed) {
		write_prefix(out, "matchedPrefix", &matched);
		json_out_string(out, "nextHopType",
				type_of(call->node, nic->table, decision, &matched));
	} else {
		json_out_null(out, "matchedPrefix");
		json_out_null(out, "nextHopType");
	}
	write_hop(call, decision);
	json_out_string(out, "verdict", fib_reason_verdict(decision->reason));
	json_out_string(out, "reason", fib_reason_name(decision->reason));
	json_out_string(out, "hook", tc ? "tc" : "xdp");
	write_addr(out, "sourceIp", &probe->src);
	write_addr(out, "destinationIp", &probe->dst);
	write_expected(out, nic->table, probe, decision, routed);
	json_out_uint(out, "durationNs", verdict->duration_ns);
	write_steps(out, call->node,
		    &(struct step_input){ .nic = nic,
					  .entry = entry,
					  .verdict = verdict,
					  .frame = probe->frame,
					  .len = probe->len,
					  .src = probe->src,
					  .dst = probe->dst,
					  .tc = tc });
}

int method_nic_next_hop(struct api_call *call)
{
	static struct loader_verdict verdict; /* a 9 KiB frame; one thread, filled by each run */
	const struct node_nic *nic = call_nic(call);
	struct xrs_nic entry = { .table = 0 };
	struct loader_probe probe = { 0 };
	struct probe made = { .len = 0 };
	int r;

	if (!nic)
		return -1;
	if (!call->node->loader || !call->node->maps || !nic->table)
		return api_fail(call->error, API_NOT_READY, NULL,
				"no program runs for this nic: %s",
				call->node->loader ? nic->reason : "dataplane.mode is none");
	r = fib_maps_nic_get(call->node->maps, nic->ifindex, &entry);
	if (r < 0)
		return api_fail(call->error, API_NOT_READY, "name", "the nic is %s: %s",
				nic_attach_state_name(nic->state), nic->reason);
	if (fill_probe(call, nic, &entry, &made) < 0)
		return -1;
	probe = (struct loader_probe){ .ifindex = nic->ifindex,
				       .frame = made.frame,
				       .len = made.len,
				       .tc = entry.flags & XRS_NIC_F_TC };
	r = loader_test_run(call->node->loader, &probe, &verdict);
	if (r == 0 && !probe.tc && verdict.decision.reason == XRS_REASON_TO_TC) {
		probe.tc = true;
		r = loader_test_run(call->node->loader, &probe, &verdict);
	}
	if (r < 0) {
		api_fail(call->error, API_DATAPLANE_ERROR, NULL, "the test run failed: %s",
			 strerror(-r));
		call->error->error_number = -r;
		return -1;
	}
	write_verdict(call, nic, &entry, &made, &verdict, probe.tc);
	return 0;
}
