// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#define PASS_ON XRS_REASON_MAX

struct seen { /* the frame, taken apart */
	const uint8_t *frame;
	size_t len;
	unsigned int tags;
	unsigned int tci, type;
	size_t l3;
	const uint8_t *ip;
	unsigned int size; /* of the IP packet */
	unsigned int bits; /* of an address */
	const uint8_t *src, *dst;
	unsigned int proto, label;
	unsigned int sport, dport;
	const uint8_t *l4; /* NULL: not found, or a fragment */
	unsigned int l4_len;
	bool unclear; /* extension headers that hide the rest, or a routing header */
};

static unsigned int be16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static uint64_t be_number(const uint8_t *p, int n)
{
	uint64_t value = 0;

	for (int i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

static enum xrs_reason take_ether(struct seen *s)
{
	if (s->len < 14)
		return XRS_REASON_TRUNCATED;
	s->l3 = 14;
	s->type = be16(s->frame + 12);
	while ((s->type == 0x8100 || s->type == 0x88a8) && s->tags < 2) {
		if (s->len < s->l3 + 4)
			return XRS_REASON_TRUNCATED;
		if (s->tags++ == 0)
			s->tci = be16(s->frame + s->l3);
		s->type = be16(s->frame + s->l3 + 2);
		s->l3 += 4;
	}
	s->ip = s->frame + s->l3;
	return PASS_ON;
}

static void take_l4(struct seen *s, unsigned int at, unsigned int proto)
{
	bool ports = proto == 6 || proto == 17 || proto == 132 || proto == 136 || proto == 33;

	s->proto = proto;
	s->l4 = s->ip + at;
	s->l4_len = s->size - at;
	if (ports && s->l4_len >= 4) {
		s->sport = be16(s->l4);
		s->dport = be16(s->l4 + 2);
	}
}

static enum xrs_reason take_v4(struct seen *s)
{
	size_t room = s->len - s->l3;
	unsigned int hlen;

	if (room < 20)
		return XRS_REASON_TRUNCATED;
	hlen = (s->ip[0] % 16) * 4u;
	s->size = be16(s->ip + 2);
	if (s->ip[0] / 16 != 4 || hlen < 20 || s->size < hlen)
		return XRS_REASON_BAD_HEADER;
	if (s->size > room)
		return XRS_REASON_TRUNCATED;
	s->bits = 32;
	s->src = s->ip + 12;
	s->dst = s->ip + 16;
	s->proto = s->ip[9];
	if (hlen == 20 && be16(s->ip + 6) % 0x4000 == 0)
		take_l4(s, 20, s->proto);
	return PASS_ON;
}

static void walk_v6(struct seen *s)
{
	unsigned int next = s->ip[6], at = 40;

	for (int steps = 0;; steps++) {
		unsigned int size;

		if (next != 0 && next != 60 && next != 43 && next != 51 && next != 44) {
			take_l4(s, at, next);
			return;
		}
		if (steps == 4 || s->size - at < 8)
			break;
		if (next == 44) {
			s->proto = s->ip[at];
			return;
		}
		if (next == 43)
			s->unclear = true;
		size = next == 51 ? (s->ip[at + 1] + 2u) * 4 : (s->ip[at + 1] + 1u) * 8;
		if (size > s->size - at)
			break;
		next = s->ip[at];
		at += size;
	}
	s->unclear = true;
}

static enum xrs_reason take_v6(struct seen *s)
{
	size_t room = s->len - s->l3;

	if (room < 40)
		return XRS_REASON_TRUNCATED;
	s->size = be16(s->ip + 4) + 40;
	if (s->ip[0] / 16 != 6 || (s->size == 40 && s->ip[6] == 0))
		return XRS_REASON_BAD_HEADER;
	if (s->size > room)
		return XRS_REASON_TRUNCATED;
	s->bits = 128;
	s->src = s->ip + 8;
	s->dst = s->ip + 24;
	s->proto = s->ip[6];
	s->label = (unsigned int)(be_number(s->ip, 4) & 0xfffff);
	walk_v6(s);
	return PASS_ON;
}

/* --- checks ------------------------------------------------------------------------------------------- */
static bool bits_agree(const uint8_t *a, const uint8_t *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int shift = 7 - i % 8;

		if ((a[i / 8] >> shift & 1) != (b[i / 8] >> shift & 1))
			return false;
	}
	return true;
}

static bool in(const uint8_t *addr, unsigned int bits, const char *prefix)
{
	struct ip_prefix p;

	return !prefix_parse(prefix, &p) && ip_bits(p.addr.family) == bits &&
	       bits_agree(addr, p.addr.bytes, p.len);
}

static bool is_special(const uint8_t *addr, unsigned int bits)
{
	static const char *const prefixes[] = {
		"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
		"::/128",    "::1/128",     "fe80::/10",      "ff00::/8"
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (in(addr, bits, prefixes[i]))
			return true;
	}
	return false;
}

static bool gateway(const struct xrs_nic *nic, const uint8_t *mac)
{
	if (mac[0] & 1)
		return false;
	for (unsigned int i = 0; i < nic->n_gateway_macs; i++) {
		if (!memcmp(nic->gateway_mac[i], mac, 6))
			return true;
	}
	return !nic->n_gateway_macs;
}

static bool source_ok(const struct xrs_nic *nic, const struct seen *s)
{
	static const uint8_t zero[16];

	if (!(nic->flags & XRS_NIC_F_ANTI_SPOOF))
		return true;
	if (memcmp(nic->mac, zero, 6) && memcmp(nic->mac, s->frame + 6, 6))
		return false;
	if (!memcmp(s->src, zero, s->bits / 8))
		return true;
	if (in(s->src, s->bits, s->bits == 32 ? "169.254.0.0/16" : "fe80::/10"))
		return true;
	for (unsigned int i = 0; s->bits == 32 && i < nic->n_sources4; i++) {
		if (bits_agree(s->src, nic->source4[i], nic->source4_len[i]))
			return true;
	}
	for (unsigned int i = 0; s->bits == 128 && i < nic->n_sources6; i++) {
		if (bits_agree(s->src, nic->source6[i], nic->source6_len[i]))
			return true;
	}
	return false;
}

static enum xrs_reason admit(const struct xrs_nic *nic, const struct seen *s)
{
	unsigned int ttl = s->ip[s->bits == 32 ? 8 : 7];
	bool nd = s->bits == 128 && s->l4 && s->proto == 58 && s->l4_len >= 4 && s->l4[0] >= 133 &&
		  s->l4[0] <= 137;

	if (!source_ok(nic, s))
		return XRS_REASON_SPOOFED;
	if (s->bits == 32 && s->ip[0] != 0x45)
		return XRS_REASON_IP_OPTIONS;
	if (nd || is_special(s->src, s->bits) || is_special(s->dst, s->bits))
		return XRS_REASON_SPECIAL_DST;
	return ttl < 2 ? XRS_REASON_TTL_EXPIRED : PASS_ON;
}

/* --- hash --------------------------------------------------------------------------------------------- */
static uint64_t scramble(uint64_t x)
{
	for (int i = 0; i < 2; i++) {
		x = x ^ (x >> 32);
		x = x * 0xd6e8feb86659fd93u;
	}
	return x ^ (x >> 32);
}

static uint64_t end_value(const uint8_t *addr, unsigned int bits, unsigned int port)
{
	uint64_t value;

	if (bits == 32)
		value = be_number(addr, 4);
	else
		value = be_number(addr + 8, 8) ^ scramble(be_number(addr, 8) + 0x9e3779b97f4a7c15u);
	return scramble(value ^ port * 0x9e3779b97f4a7c15u);
}

static uint32_t hash(const struct seen *s, bool symmetric)
{
	uint64_t a = end_value(s->src, s->bits, s->sport);
	uint64_t b = end_value(s->dst, s->bits, s->dport);
	uint64_t rest = s->proto;
	bool turn = symmetric && a > b;

	if (!symmetric && s->sport == 0 && s->dport == 0)
		rest += (uint64_t)s->label * 256;
	return (uint32_t)(turn ? scramble(b + scramble(a + rest)) >> 32
			       : scramble(a + scramble(b + rest)) >> 32);
}

/* --- where to ----------------------------------------------------------------------------------------- */
static const struct model_route *best_route(const struct model *m, const struct seen *s)
{
	const struct model_route *best = NULL;

	for (unsigned int i = 0; i < m->n_routes; i++) {
		const struct model_route *r = &m->route[i];

		if (ip_bits(r->prefix.addr.family) != s->bits ||
		    !bits_agree(s->dst, r->prefix.addr.bytes, r->prefix.len))
			continue;
		if (!best || r->prefix.len > best->prefix.len)
			best = r;
	}
	return best;
}

static unsigned int vid(const struct seen *s)
{
	return s->tags ? s->tci % 4096 : 0;
}

/* May the L4 checksum be unfinished? */
static bool unfinished(const struct seen *s)
{
	unsigned int at = s->proto == 6 ? 16 : 6, least = s->proto == 6 ? 20 : 8;
	uint64_t sum = s->proto + s->l4_len;

	if (s->unclear)
		return true;
	if (!s->l4 || s->l4_len < 4)
		return false;
	if (s->proto == 4 || s->proto == 41 || s->proto == 47)
		return true;
	if (s->proto == 17 && (s->dport == 4789 || s->dport == 8472 || s->dport == 6081))
		return true;
	if (s->proto == 132)
		return s->l4_len >= 12 && !be_number(s->l4 + 8, 4);
	if ((s->proto != 6 && s->proto != 17) || s->l4_len < least)
		return false;
	for (unsigned int i = 0; i < s->bits / 8; i += 2)
		sum += be16(s->src + i) + be16(s->dst + i);
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	return sum == be16(s->l4 + at);
}

static enum xrs_reason by_nexthop(const struct xrs_nexthop *nh, const struct seen *s,
				  uint32_t ifindex)
{
	if (nh->way == XRS_WAY_NONE)
		return XRS_REASON_NO_NEXTHOP;
	if (nh->way == XRS_WAY_KERNEL || nh->way == XRS_WAY_VXLAN)
		return XRS_REASON_TO_KERNEL;
	if (nh->ifindex == ifindex || !memcmp(nh->dmac, s->frame + 6, 6))
		return XRS_REASON_SELF_LOOP;
	if (nh->mtu && s->size > nh->mtu)
		return XRS_REASON_TOO_BIG;
	if (nh->way == XRS_WAY_REDIRECT)
		return XRS_REASON_REDIRECTED;
	return vid(s) == nh->vlan ? XRS_REASON_BRIDGED : XRS_REASON_VLAN_MISMATCH;
}

static enum xrs_reason decide(const struct model *m, const struct xrs_nic *nic, uint32_t ifindex,
			      struct seen *s, struct model_result *ret)
{
	const struct model_route *found;
	const struct xrs_route *route;
	enum xrs_reason reason = take_ether(s);

	if (reason != PASS_ON)
		return reason;
	if (!gateway(nic, s->frame))
		return XRS_REASON_NOT_GATEWAY;
	if (s->type != 0x0800 && s->type != 0x86dd)
		return XRS_REASON_NOT_IP;
	reason = s->type == 0x0800 ? take_v4(s) : take_v6(s);
	if (reason == PASS_ON)
		reason = admit(nic, s);
	if (reason != PASS_ON)
		return reason;
	if (nic->table != m->table)
		return XRS_REASON_NO_TABLE;
	found = best_route(m, s);
	if (!found)
		return XRS_REASON_NO_ROUTE;
	route = &found->value;
	ret->prefix_len = found->prefix.len;
	if (route->kind == XRS_ROUTE_LOCAL)
		return XRS_REASON_LOCAL;
	if (route->kind == XRS_ROUTE_INTERNET)
		return XRS_REASON_INTERNET;
	if (route->kind == XRS_ROUTE_DROP)
		return XRS_REASON_NONE;
	if (route->kind == XRS_ROUTE_PROTECTED)
		return XRS_REASON_PROTECTED;
	ret->group = route->group;
	ret->nexthop = m->bucket[route->group]
			       .member[hash(s, nic->flags & XRS_NIC_F_SYMMETRIC) % XRS_BUCKETS];
	if (!ret->nexthop)
		return XRS_REASON_NO_NEXTHOP;
	return by_nexthop(&m->nexthop[ret->nexthop], s, ifindex);
}

/* --- what leaves -------------------------------------------------------------------------------------- */
/* The packet with one TTL less, its checksum summed up anew from what it was short of before. */
static void age(uint8_t *ip)
{
	unsigned int sum = 0, wrong;

	if (ip[0] / 16 == 6) {
		ip[7]--;
		return;
	}
	/* A checksum that was wrong stays wrong by the same amount: the receiver has to find it. */
	for (int i = 0; i < 20; i += 2)
		sum += be16(ip + i);
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	wrong = sum;
	ip[8]--;
	ip[10] = ip[11] = 0;
	sum = 0;
	for (int i = 0; i < 20; i += 2)
		sum += be16(ip + i);
	sum = wrong + (0xffff - (sum / 65536 + sum % 65536) % 0xffff) % 0xffff;
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static void write_frame(const struct xrs_nexthop *nh, const struct seen *s, bool bridge, bool tc,
			struct model_result *ret)
{
	bool same = s->tags == (nh->vlan ? 1 : 0) && vid(s) == nh->vlan;
	size_t at = s->l3;
	uint8_t *out = ret->frame;

	memcpy(out, s->frame, s->len);
	if (!bridge && !same) { /* in tc the tag stands beside the frame */
		size_t tag = nh->vlan && !tc ? 4 : 0;
		unsigned int tci = (s->tags ? s->tci / 4096 * 4096 : 0) + nh->vlan;

		out[12] = 0x81;
		out[13] = 0;
		out[14] = (uint8_t)(tci >> 8);
		out[15] = (uint8_t)tci;
		out[12 + tag] = (uint8_t)(s->type >> 8);
		out[13 + tag] = (uint8_t)s->type;
		memcpy(out + 14 + tag, s->ip, s->len - s->l3);
		at = 14 + tag;
	}
	ret->len = s->len - s->l3 + at;
	memcpy(out, nh->dmac, 6);
	if (!bridge)
		memcpy(out + 6, nh->smac, 6);
	age(out + at);
}

static enum xrs_reason carry_out(const struct model *m, const struct seen *s, enum model_half half,
				 enum xrs_reason reason, struct model_result *ret)
{
	bool tc = half == MODEL_TC;
	const struct xrs_nexthop *nh = &m->nexthop[ret->nexthop];

	if (reason == XRS_REASON_TOO_BIG && !tc)
		return XRS_REASON_TO_TC;
	if (reason == XRS_REASON_REDIRECTED && !tc &&
	    (unfinished(s) || (half == MODEL_XDP && nh->ifindex != m->device)))
		return XRS_REASON_TO_TC;
	if (reason != XRS_REASON_REDIRECTED && reason != XRS_REASON_BRIDGED)
		return reason;
	write_frame(nh, s, reason == XRS_REASON_BRIDGED, tc, ret);
	if (!tc)
		return reason;
	return reason == XRS_REASON_BRIDGED ? XRS_REASON_TC_BRIDGED : XRS_REASON_TC_REDIRECTED;
}

static uint32_t action(enum xrs_reason reason, bool tc)
{
	if (reason == XRS_REASON_NONE || reason == XRS_REASON_SPOOFED)
		return tc ? TC_ACT_SHOT : XDP_DROP;
	if (reason == XRS_REASON_REDIRECTED)
		return XDP_REDIRECT;
	if (reason == XRS_REASON_TC_REDIRECTED)
		return TC_ACT_REDIRECT;
	return tc ? (uint32_t)TC_ACT_UNSPEC : XDP_PASS;
}

void model_run(const struct model *m, uint32_t ifindex, const uint8_t *frame, size_t len,
	       enum model_half half, struct model_result *ret)
{
	bool tc = half == MODEL_TC;
	struct seen s = { .frame = frame, .len = len };
	const struct xrs_nic *nic = NULL;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->frame, frame, len);
	ret->len = len;
	for (int i = 0; i < MODEL_NICS; i++) {
		if (m->ifindex[i] == ifindex)
			nic = &m->nic[i];
	}
	if (!nic)
		ret->reason = XRS_REASON_UNKNOWN_NIC;
	else if (nic->flags & XRS_NIC_F_TC && !tc)
		ret->reason = XRS_REASON_TO_TC;
	else
		ret->reason = carry_out(m, &s, half, decide(m, nic, ifindex, &s, ret), ret);
	ret->action = action(ret->reason, tc);
}
