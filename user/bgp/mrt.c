// SPDX-License-Identifier: GPL-2.0-only
/*
 * TABLE_DUMP_V2 records of MRT (RFC 6396 4.3). Called by mrt.dump. The attributes are those that an UPDATE
 * to an internal peer with 4-octet AS numbers would carry (4.3.4), written by the same code.
 */
#include "bgp/mrt.h"

#include <string.h>

#include "bgp/frame.h"
#include "bgp/update_encode.h"

enum { /* RFC 6396 4.3 */
	MRT_TABLE_DUMP_V2 = 13,
	MRT_PEER_INDEX_TABLE = 1,
	MRT_RIB_IPV4_UNICAST = 2,
	MRT_RIB_IPV6_UNICAST = 4,
	MRT_PEER_IPV6 = 1, /* flags of a peer's type */
	MRT_PEER_AS4 = 2,
};
#define MRT_HEADER_LEN 12

/* --- the common header (RFC 6396 2) --------------------------------------------------------------- */

static size_t begin_record(struct wire_writer *w, uint32_t seconds, uint16_t subtype)
{
	size_t start = w->pos;

	wire_put_u32(w, seconds);
	wire_put_u16(w, MRT_TABLE_DUMP_V2);
	wire_put_u16(w, subtype);
	wire_put_u32(w, 0);
	return start;
}

static void end_record(struct wire_writer *w, size_t start)
{
	size_t len = w->pos - start - MRT_HEADER_LEN;

	wire_set_u16(w, start + 8, len >> 16);
	wire_set_u16(w, start + 10, len & 0xffff);
}

void mrt_put_peers(struct wire_writer *w, uint32_t seconds, uint32_t collector_id, const char *view,
		   const struct mrt_peer *peers, uint16_t n)
{
	size_t start = begin_record(w, seconds, MRT_PEER_INDEX_TABLE);

	wire_put_u32(w, collector_id);
	wire_put_u16(w, strlen(view));
	wire_put_bytes(w, view, strlen(view));
	wire_put_u16(w, n);
	for (uint16_t i = 0; i < n; i++) {
		bool v6 = peers[i].addr.family == IP_V6;

		wire_put_u8(w, MRT_PEER_AS4 | (v6 ? MRT_PEER_IPV6 : 0));
		wire_put_u32(w, peers[i].router_id);
		wire_put_bytes(w, peers[i].addr.bytes, v6 ? 16 : 4);
		wire_put_u32(w, peers[i].asn);
	}
	end_record(w, start);
}

/* --- one prefix ------------------------------------------------------------------------------------- */

void mrt_begin_rib(struct wire_writer *w, uint32_t seconds, uint32_t sequence,
		   const struct ip_prefix *prefix, struct mrt_rib *ret_rib)
{
	bool v6 = prefix->addr.family == IP_V6;

	ret_rib->start = begin_record(w, seconds, v6 ? MRT_RIB_IPV6_UNICAST : MRT_RIB_IPV4_UNICAST);
	ret_rib->n = 0;
	wire_put_u32(w, sequence);
	wire_put_u8(w, prefix->len);
	wire_put_bytes(w, prefix->addr.bytes, (prefix->len + 7u) / 8u);
	ret_rib->counter = w->pos;
	wire_put_u16(w, 0);
}

/* 4.3.4: of MP_REACH_NLRI only the next hop's length and the next hop; the rest stands elsewhere. */
static void put_mp_reach(struct wire_writer *w, struct wire_reader value)
{
	const uint8_t *hop;
	size_t mark;
	uint8_t len;

	wire_skip(&value, 3); /* AFI, SAFI */
	len = wire_u8(&value);
	hop = wire_bytes(&value, len);
	wire_put_u8(w, 0x80);
	wire_put_u8(w, BGP_ATTR_MP_REACH);
	mark = wire_mark_u8(w);
	wire_put_u8(w, len);
	wire_put_bytes(w, hop, hop ? len : 0);
	wire_patch_u8(w, mark);
}

/* The attributes of an UPDATE, one after the other. */
static void put_attrs(struct wire_writer *w, struct wire_reader attrs)
{
	while (!attrs.failed && wire_left(&attrs)) {
		const uint8_t *start = attrs.pos;
		uint8_t flags = wire_u8(&attrs), code = wire_u8(&attrs);
		uint16_t len = flags & 0x10 ? wire_u16(&attrs) : wire_u8(&attrs);
		struct wire_reader value = wire_sub(&attrs, len);

		if (attrs.failed)
			break;
		if (code == BGP_ATTR_MP_REACH)
			put_mp_reach(w, value);
		else
			wire_put_bytes(w, start, (size_t)(attrs.pos - start));
	}
}

bool mrt_put_path(struct wire_writer *w, struct mrt_rib *rib, enum bgp_family family, uint16_t peer,
		  uint32_t since_seconds, const struct bgp_attrs *attrs)
{
	/* An internal session with everything: nothing is left out, nothing is squeezed. */
	static const struct bgp_session_params params = {
		.as4 = true,
		.extended_message = true,
		.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST),
		.ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST),
	};
	uint8_t message[BGP_MSG_MAX_EXTENDED];
	const struct ip_prefix any = { .addr.family = bgp_family_ip(family) };
	struct bgp_prefix_batch batch = { .prefixes = &any, .count = 1 };
	struct wire_reader r;
	size_t mark;
	int len = bgp_update_encode_reach(attrs, family, &params, &batch, message, sizeof(message));

	if (len <= 0)
		return false;
	wire_read_init(&r, message, (size_t)len);
	wire_skip(&r, BGP_HEADER_LEN + 2); /* and the length of withdrawn routes, which are none */
	wire_put_u16(w, peer);
	wire_put_u32(w, since_seconds);
	mark = wire_mark_u16(w);
	put_attrs(w, wire_sub(&r, wire_u16(&r)));
	wire_patch_u16(w, mark);
	rib->n++;
	return true;
}

void mrt_end_rib(struct wire_writer *w, struct mrt_rib *rib)
{
	wire_set_u16(w, rib->counter, rib->n);
	end_record(w, rib->start);
}
