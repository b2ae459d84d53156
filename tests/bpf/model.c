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
	bool piece;   /* IPv6: a fragment */
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
			s->piece = true;
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

static bool is_nd(const struct seen *s)
{
	return s->bits == 128 && s->l4 && s->proto == 58 && s->l4_len >= 4 && s->l4[0] >= 133 &&
	       s->l4[0] <= 137;
}

static bool source_ok(const struct xrs_nic *nic, const struct seen *s)
{
	static const uint8_t zero[16];

	if (!(nic->flags & XRS_NIC_F_ANTI_SPOOF))
		return true;
	if (nic->flags & XRS_NIC_F_LEARN && is_nd(s))
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
	bool nd = is_nd(s);

	if (!source_ok(nic, s))
		return XRS_REASON_SPOOFED;
	if (s->bits == 32 && s->ip[0] != 0x45)
		return XRS_REASON_IP_OPTIONS;
	if (nd || is_special(s->src, s->bits) || is_special(s->dst, s->bits))
		return XRS_REASON_SPECIAL_DST;
	return ttl < 2 ? XRS_REASON_TTL_EXPIRED : PASS_ON;
}

/* --- hash --------------------------------------------------------------------------------------------- */
static uint64_t scramble(uint64_t x, uint64_t by)
{
	uint64_t product = x * by;

	return product ^ (product >> 32);
}

static uint64_t end_value(const uint8_t *addr, unsigned int bits, unsigned int port)
{
	const uint64_t ends = 0x9e3779b97f4a7c15u, both = 0xd6e8feb86659fd93u;
	uint64_t value;

	if (bits == 32)
		return scramble(be_number(addr, 4) * 65536 + port, ends);
	value = be_number(addr + 8, 8) ^ scramble(be_number(addr, 8), both);
	return scramble(value + port * both, ends);
}

static uint32_t hash(const struct seen *s, bool symmetric)
{
	uint64_t a = end_value(s->src, s->bits, s->sport);
	uint64_t b = end_value(s->dst, s->bits, s->dport);
	uint64_t rest = s->proto, sum;

	if (!symmetric && s->sport == 0 && s->dport == 0)
		rest += (uint64_t)s->label * 256;
	if (!symmetric)
		b = b * 131072 + (b >> 47);
	sum = a + b + rest * 0xd6e8feb86659fd93u;
	return (uint32_t)((sum ^ (sum >> 32)) * 0xd6e8feb86659fd93u >> 32);
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

static const struct xrs_nexthop *local_vm(const struct model *m, const struct xrs_nic *nic,
					  const struct seen *s)
{
	for (unsigned int i = 0; i < m->n_hosts; i++) {
		const struct xrs_host_key *key = &m->host[i].key;

		if (key->vnet == nic->vnet && key->family == (s->bits == 32 ? 4u : 6u) &&
		    !memcmp(key->addr, s->dst, s->bits / 8))
			return &m->host[i].value;
	}
	return NULL;
}

static bool back_where_it_came_from(const struct xrs_nexthop *nh, const struct seen *s,
				    uint32_t ifindex)
{
	return nh->ifindex == ifindex || !memcmp(nh->dmac, s->frame + 6, 6);
}

/* What the route says is inside the vnet. */
static enum xrs_reason inside(const struct model *m, const struct xrs_nic *nic, uint32_t ifindex,
			      const struct seen *s, struct model_result *ret)
{
	const struct xrs_nexthop *vm = nic->role == XRS_NIC_NVA ? local_vm(m, nic, s) : NULL;

	if (!vm || back_where_it_came_from(vm, s, ifindex) ||
	    (s->proto == 17 && s->dport == (s->bits == 32 ? 68 : 546)))
		return XRS_REASON_LOCAL;
	ret->way = vm;
	return vm->mtu && s->size > vm->mtu ? XRS_REASON_TOO_BIG : XRS_REASON_DELIVERED;
}

static enum xrs_reason by_nexthop(const struct xrs_nexthop *nh, const struct seen *s,
				  uint32_t ifindex)
{
	if (nh->way == XRS_WAY_NONE)
		return XRS_REASON_NO_NEXTHOP;
	if (nh->way == XRS_WAY_KERNEL)
		return XRS_REASON_TO_KERNEL;
	if (back_where_it_came_from(nh, s, ifindex))
		return XRS_REASON_SELF_LOOP;
	if (nh->mtu && s->size > nh->mtu)
		return XRS_REASON_TOO_BIG;
	if (nh->way == XRS_WAY_REDIRECT)
		return XRS_REASON_REDIRECTED;
	if (nh->way == XRS_WAY_VXLAN)
		return XRS_REASON_ENCAPSULATED;
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
		return inside(m, nic, ifindex, s, ret);
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
	ret->way = &m->nexthop[ret->nexthop];
	return by_nexthop(ret->way, s, ifindex);
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
	sum %= 0xffff; /* of the two zeros the one that a right header may have (RFC 1624 section 3) */
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

/* --- sums, from nothing ------------------------------------------------------------------------------- */
static uint64_t add_up(const uint8_t *data, size_t len, uint64_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint64_t)data[i] << 8;
	return sum;
}

static unsigned int complement(uint64_t sum)
{
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	return (unsigned int)(0xffff - sum);
}

static void set16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint64_t pseudo(const uint8_t *addresses, unsigned int octets, unsigned int len,
		       unsigned int proto)
{
	return add_up(addresses, octets, len + proto);
}

/* Does the inner packet have a checksum over all that it carries? */
static bool summed(const struct seen *s)
{
	unsigned int head = s->bits == 32 ? 20 : 40;

	if (!s->l4 || s->l4 != s->ip + head)
		return false;
	if (s->proto == (s->bits == 32 ? 1 : 58))
		return true;
	if (s->proto == 6)
		return s->l4_len >= 20 && be16(s->l4 + 16);
	return s->proto == 17 && s->l4_len >= 8 && be16(s->l4 + 6) && be16(s->l4 + 4) == s->l4_len;
}

/* The packet as it would be with right checksums: what the outer one takes for granted. */
static void put_right(uint8_t *ip, const struct seen *s)
{
	unsigned int head = s->bits == 32 ? 20 : 40;
	unsigned int at = s->proto == 6 ? 16 : s->proto == 17 ? 6 : 2;
	uint8_t *l4 = ip + head;
	uint64_t sum = s->proto == 1
			       ? 0
			       : pseudo(ip + head - s->bits / 4, s->bits / 4, s->l4_len, s->proto);

	if (s->bits == 32) {
		set16(ip + 10, 0);
		set16(ip + 10, complement(add_up(ip, 20, 0)));
	}
	if (s->l4_len < at + 2) /* ICMP of less than a checksum: nothing to put right */
		return;
	set16(l4 + at, 0);
	set16(l4 + at, complement(add_up(l4, s->l4_len, sum)));
}

/* RFC 7348. */
static void write_vxlan(const struct xrs_nexthop *nh, const struct seen *s, uint32_t flow,
			struct model_result *ret)
{
	const struct xrs_tunnel *t = &nh->tunnel;
	unsigned int head = t->family == 6 ? 40 : 20, len = 8 + 8 + 14 + s->size;
	uint8_t *out = ret->frame, *ip = out + 14, *udp = ip + head, *inner = udp + 16;
	static uint8_t copy[4096];

	memset(out, 0, 14 + head + 16);
	memcpy(out, t->dmac, 6);
	memcpy(out + 6, t->smac, 6);
	set16(out + 12, t->family == 6 ? 0x86dd : 0x0800);
	if (t->family == 6) {
		ip[0] = 0x60;
		set16(ip + 4, len);
		ip[6] = 17;
		ip[7] = 64;
		memcpy(ip + 8, t->local, 16);
		memcpy(ip + 24, t->remote, 16);
	} else {
		ip[0] = 0x45;
		set16(ip + 2, 20 + len);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = 17;
		memcpy(ip + 12, t->local, 4);
		memcpy(ip + 16, t->remote, 4);
		set16(ip + 10, complement(add_up(ip, 20, 0)));
	}
	set16(udp, 49152 + (flow >> 16) % 16384);
	set16(udp + 2, t->port);
	set16(udp + 4, len);
	udp[8] = 8;
	udp[12] = (uint8_t)(t->vni >> 16);
	set16(udp + 13, t->vni & 0xffff);
	memcpy(inner, nh->dmac, 6);
	memcpy(inner + 6, nh->smac, 6);
	set16(inner + 12, s->type);
	memcpy(inner + 14, s->ip, s->len - s->l3);
	age(inner + 14);
	ret->len = (size_t)(inner + 14 - out) + s->len - s->l3;
	if (t->family != 6 || t->zero_sum)
		return;
	memcpy(copy, udp, len);
	put_right(copy + 30, s);
	len = complement(add_up(copy, len, pseudo(ip + 8, 32, len, 17)));
	set16(udp + 6, len ? len : 0xffff);
}

/* --- answers ------------------------------------------------------------------------------------------- */
static bool answered(const struct xrs_nic *nic, const struct seen *s, unsigned int mtu)
{
	if (s->l3 != 14 ||
	    !(nic->flags & (s->bits == 32 ? XRS_NIC_F_GATEWAY4 : XRS_NIC_F_GATEWAY6)))
		return false;
	if (s->bits == 128)
		return !s->piece && (s->proto != 58 || (s->size > 40 && s->ip[40] >= 128));
	if (mtu && !(s->ip[6] & 0x40))
		return false;
	if (be16(s->ip + 6) % 0x2000)
		return false;
	return s->proto != 1 || (s->size > 20 ? s->ip[20] == 0 || s->ip[20] == 8 : true);
}

static void write_answer(const struct xrs_nic *nic, const struct seen *s, unsigned int mtu,
			 struct model_result *ret)
{
	unsigned int head = s->bits == 32 ? 20 : 40, quote = s->size < 128 ? s->size : 128;
	uint8_t *out = ret->frame, *ip = out + 14, *icmp = ip + head;
	uint64_t sum;

	memset(out + 12, 0, 2 + head + 8);
	memcpy(out, s->frame + 6, 6);
	memcpy(out + 6, s->frame, 6);
	set16(out + 12, s->type);
	if (s->bits == 32) {
		ip[0] = 0x45;
		ip[1] = 0xc0;
		set16(ip + 2, 28 + quote);
		ip[8] = 64;
		ip[9] = 1;
		memcpy(ip + 12, nic->gateway4, 4);
		memcpy(ip + 16, s->src, 4);
		set16(ip + 10, complement(add_up(ip, 20, 0)));
		icmp[0] = mtu ? 3 : 11;
		icmp[1] = mtu ? 4 : 0;
	} else {
		ip[0] = 0x60;
		set16(ip + 4, 8 + quote);
		ip[6] = 58;
		ip[7] = 64;
		memcpy(ip + 8, nic->gateway6, 16);
		memcpy(ip + 24, s->src, 16);
		icmp[0] = mtu ? 2 : 3;
	}
	set16(icmp + 6, mtu);
	memcpy(icmp + 8, s->ip, quote);
	/* An unfinished checksum will be finished: then its part adds the complement of what it is now. */
	if ((s->proto == 6 || s->proto == 17) && s->l4 == s->ip + head &&
	    s->l4_len >= (s->proto == 6 ? 20u : 8u) && unfinished(s))
		sum = add_up(s->ip, head, 0xffff - be16(s->l4 + (s->proto == 6 ? 16 : 6)));
	else
		sum = add_up(s->ip, quote, 0);
	sum = add_up(icmp, 8, sum);
	if (s->bits == 128)
		sum += pseudo(ip + 8, 32, 8 + quote, 58);
	set16(icmp + 2, complement(sum));
	ret->len = 14 + head + 8 + quote;
}

/* --- the end -------------------------------------------------------------------------------------------- */
/* What is for the host itself, or the kernel's to route, has not expired here. */
static bool ours_to_forward(const struct model *m, const struct xrs_nic *nic, const struct seen *s)
{
	const struct model_route *found = nic->table == m->table ? best_route(m, s) : NULL;

	if (found && found->value.kind == XRS_ROUTE_LOCAL)
		return nic->role == XRS_NIC_NVA && local_vm(m, nic, s);
	return found && found->value.kind == XRS_ROUTE_STEER;
}

static enum xrs_reason answer(const struct model *m, const struct xrs_nic *nic,
			      const struct seen *s, enum xrs_reason reason,
			      struct model_result *ret)
{
	unsigned int mtu = reason == XRS_REASON_TOO_BIG && ret->way ? ret->way->mtu : 0;

	if (reason == XRS_REASON_TTL_EXPIRED && !ours_to_forward(m, nic, s))
		return reason;
	if ((reason == XRS_REASON_TOO_BIG && !mtu) || !answered(nic, s, mtu))
		return reason;
	write_answer(nic, s, mtu, ret);
	return mtu ? XRS_REASON_TOO_BIG_ANSWERED : XRS_REASON_TTL_ANSWERED;
}

/* Can the outer checksum be had without looking at the payload? */
static bool outer_known(const struct xrs_tunnel *t, const struct seen *s)
{
	return t->family == 4 || t->zero_sum || summed(s);
}

/* Through the host's VXLAN device, or, where there is none, with the headers that XDP would write. */
static enum xrs_reason tunnel_by_tc(const struct seen *s, uint32_t flow, struct model_result *ret)
{
	struct xrs_nexthop untagged = *ret->way;

	if (ret->way->tunnel.device) {
		untagged.vlan = 0;
		write_frame(&untagged, s, false, true, ret);
		return XRS_REASON_TC_ENCAPSULATED;
	}
	if (!outer_known(&ret->way->tunnel, s))
		return XRS_REASON_TO_KERNEL;
	write_vxlan(ret->way, s, flow, ret);
	return XRS_REASON_TC_ENCAPSULATED;
}

/* The tc half can do everything. */
static enum xrs_reason by_tc(const struct model *m, const struct xrs_nic *nic, const struct seen *s,
			     enum xrs_reason reason, uint32_t flow, struct model_result *ret)
{

	switch (reason) {
	case XRS_REASON_TOO_BIG:
	case XRS_REASON_TTL_EXPIRED:
		return answer(m, nic, s, reason, ret);
	case XRS_REASON_BRIDGED:
		write_frame(ret->way, s, true, true, ret);
		return XRS_REASON_TC_BRIDGED;
	case XRS_REASON_REDIRECTED:
		write_frame(ret->way, s, false, true, ret);
		return XRS_REASON_TC_REDIRECTED;
	case XRS_REASON_DELIVERED:
		write_frame(ret->way, s, false, true, ret);
		return XRS_REASON_TC_DELIVERED;
	case XRS_REASON_ENCAPSULATED:
		return tunnel_by_tc(s, flow, ret);
	default:
		return reason;
	}
}

static bool takes_frames(const struct model *m, uint32_t ifindex)
{
	return ifindex == m->device[0] || ifindex == m->device[1];
}

static enum xrs_reason by_xdp(const struct model *m, const struct xrs_nic *nic,
			      const struct seen *s, enum xrs_reason reason, uint32_t flow,
			      bool devmap, struct model_result *ret)
{
	bool sent = reason == XRS_REASON_REDIRECTED || reason == XRS_REASON_ENCAPSULATED ||
		    reason == XRS_REASON_DELIVERED;

	if (reason == XRS_REASON_TOO_BIG)
		return XRS_REASON_TO_TC;
	if (reason == XRS_REASON_TTL_EXPIRED &&
	    nic->flags & (s->bits == 32 ? XRS_NIC_F_GATEWAY4 : XRS_NIC_F_GATEWAY6))
		return XRS_REASON_TO_TC;
	if (sent && (unfinished(s) || (devmap && !takes_frames(m, ret->way->ifindex))))
		return XRS_REASON_TO_TC;
	if (reason == XRS_REASON_ENCAPSULATED) {
		if (!outer_known(&ret->way->tunnel, s))
			return XRS_REASON_TO_TC;
		write_vxlan(ret->way, s, flow, ret);
	} else if (sent || reason == XRS_REASON_BRIDGED) {
		write_frame(ret->way, s, reason == XRS_REASON_BRIDGED, false, ret);
	}
	return reason;
}

static uint32_t action(enum xrs_reason reason, bool tc)
{
	if (reason == XRS_REASON_NONE || reason == XRS_REASON_SPOOFED)
		return tc ? TC_ACT_SHOT : XDP_DROP;
	if (reason == XRS_REASON_REDIRECTED || reason == XRS_REASON_ENCAPSULATED ||
	    reason == XRS_REASON_DELIVERED)
		return XDP_REDIRECT;
	if (reason == XRS_REASON_TC_REDIRECTED || reason == XRS_REASON_TC_ENCAPSULATED ||
	    reason == XRS_REASON_TC_DELIVERED || reason == XRS_REASON_TTL_ANSWERED ||
	    reason == XRS_REASON_TOO_BIG_ANSWERED)
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
	else {
		enum xrs_reason reason = decide(m, nic, ifindex, &s, ret);
		uint32_t flow = s.ip && s.bits ? hash(&s, nic->flags & XRS_NIC_F_SYMMETRIC) : 0;

		ret->reason = tc ? by_tc(m, nic, &s, reason, flow, ret)
				 : by_xdp(m, nic, &s, reason, flow, half == MODEL_XDP, ret);
	}
	ret->action = action(ret->reason, tc);
}
