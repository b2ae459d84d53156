// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATE out. Called by the sender of Adj-RIB-Out. Must never write a message that a correct peer would
 * complain about, whatever a set of attributes holds: what can not be said is an error here.
 *
 * The attributes go first into their place; for MP_REACH_NLRI, which has to stand before them (RFC 7606
 * 5.1), their length tells how many prefixes fit, and they move up by its size.
 */
#include <errno.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/frame.h"
#include "bgp/update_encode.h"

struct encoder {
	const struct bgp_attrs *attrs;
	const struct bgp_session_params *params;
	bool mp;            /* next hop and prefixes are in MP_REACH_NLRI */
	bool needs_as4path; /* set while AS_PATH is written: AS_TRANS stands in it */
};

/* --- attributes ------------------------------------------------------------------------------ */

static void put_origin(struct encoder *e, struct wire_writer *w)
{
	wire_put_u8(w, e->attrs->origin);
}

static void put_as_path(struct encoder *e, struct wire_writer *w)
{
	if (e->params->as4)
		wire_put_bytes(w, e->attrs->as_path.data, e->attrs->as_path.len);
	else
		e->needs_as4path = aspath_narrow(e->attrs->as_path, w);
}

static void put_next_hop(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->next_hop.bytes, 4);
}

static void put_med(struct encoder *e, struct wire_writer *w)
{
	wire_put_u32(w, e->attrs->med);
}

static void put_local_pref(struct encoder *e, struct wire_writer *w)
{
	wire_put_u32(w, e->attrs->local_pref);
}

/* The attribute is its own message. */
static void put_nothing(struct encoder *e, struct wire_writer *w)
{
}

static void put_aggregator(struct encoder *e, struct wire_writer *w)
{
	uint32_t asn = e->attrs->aggregator_asn;

	if (e->params->as4)
		wire_put_u32(w, asn);
	else
		wire_put_u16(w, asn > UINT16_MAX ? BGP_AS_TRANS : asn);
	wire_put_u32(w, e->attrs->aggregator_id);
}

static void put_communities(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->communities.data, e->attrs->communities.len);
}

static void put_originator_id(struct encoder *e, struct wire_writer *w)
{
	wire_put_u32(w, e->attrs->originator_id);
}

static void put_cluster_list(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->cluster_list.data, e->attrs->cluster_list.len);
}

static void put_ext_communities(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->ext_communities.data, e->attrs->ext_communities.len);
}

static void put_as4_path(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->as_path.data, e->attrs->as_path.len);
}

static void put_as4_aggregator(struct encoder *e, struct wire_writer *w)
{
	wire_put_u32(w, e->attrs->aggregator_asn);
	wire_put_u32(w, e->attrs->aggregator_id);
}

static void put_ipv6_ext(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->ipv6_ext.data, e->attrs->ipv6_ext.len);
}

static void put_large(struct encoder *e, struct wire_writer *w)
{
	wire_put_bytes(w, e->attrs->large_communities.data, e->attrs->large_communities.len);
}

static void put_otc(struct encoder *e, struct wire_writer *w)
{
	wire_put_u32(w, e->attrs->otc);
}

/* When to send what the set has; RFC 7606 4: an empty list is malformed, so that it is left out. */
static bool when_own_nlri(const struct encoder *e)
{
	return !e->mp;
}

static bool when_internal(const struct encoder *e)
{
	return !e->params->ebgp;
}

static bool when_communities(const struct encoder *e)
{
	return e->attrs->communities.len;
}

static bool when_cluster_list(const struct encoder *e)
{
	return !e->params->ebgp && e->attrs->cluster_list.len;
}

static bool when_ext_communities(const struct encoder *e)
{
	return e->attrs->ext_communities.len;
}

/* RFC 6793 4.2.2 */
static bool when_as4_path(const struct encoder *e)
{
	return e->needs_as4path;
}

static bool when_as4_aggregator(const struct encoder *e)
{
	return !e->params->as4 && e->attrs->aggregator_asn > UINT16_MAX;
}

static bool when_ipv6_ext(const struct encoder *e)
{
	return e->attrs->ipv6_ext.len;
}

static bool when_large(const struct encoder *e)
{
	return e->attrs->large_communities.len;
}

/* In ascending order of code. The next hop is always there (bgp_attrs.next_hop), whatever `has` says. */
static const struct attr_row {
	uint8_t code;
	uint32_t has; /* 0: always */
	bool (*when)(const struct encoder *e);
	void (*put)(struct encoder *e, struct wire_writer *w);
} rows[] = {
	{ BGP_ATTR_ORIGIN, BGP_HAS_ORIGIN, NULL, put_origin },
	{ BGP_ATTR_AS_PATH, BGP_HAS_AS_PATH, NULL, put_as_path },
	{ BGP_ATTR_NEXT_HOP, 0, when_own_nlri, put_next_hop },
	{ BGP_ATTR_MED, BGP_HAS_MED, NULL, put_med },
	{ BGP_ATTR_LOCAL_PREF, BGP_HAS_LOCAL_PREF, when_internal, put_local_pref },
	{ BGP_ATTR_ATOMIC_AGGREGATE, BGP_HAS_ATOMIC_AGGREGATE, NULL, put_nothing },
	{ BGP_ATTR_AGGREGATOR, BGP_HAS_AGGREGATOR, NULL, put_aggregator },
	{ BGP_ATTR_COMMUNITIES, BGP_HAS_COMMUNITIES, when_communities, put_communities },
	{ BGP_ATTR_ORIGINATOR_ID, BGP_HAS_ORIGINATOR_ID, when_internal, put_originator_id },
	{ BGP_ATTR_CLUSTER_LIST, BGP_HAS_CLUSTER_LIST, when_cluster_list, put_cluster_list },
	{ BGP_ATTR_EXT_COMMUNITIES, BGP_HAS_EXT_COMMUNITIES, when_ext_communities,
	  put_ext_communities },
	{ BGP_ATTR_AS4_PATH, BGP_HAS_AS_PATH, when_as4_path, put_as4_path },
	{ BGP_ATTR_AS4_AGGREGATOR, BGP_HAS_AGGREGATOR, when_as4_aggregator, put_as4_aggregator },
	{ BGP_ATTR_IPV6_EXT_COMMUNITIES, BGP_HAS_IPV6_EXT, when_ipv6_ext, put_ipv6_ext },
	{ BGP_ATTR_LARGE_COMMUNITIES, BGP_HAS_LARGE, when_large, put_large },
	{ BGP_ATTR_OTC, BGP_HAS_OTC, NULL, put_otc },
};

/* The value's length is known only when it is written: a long one is written again behind its head. */
static void put_attribute(struct encoder *e, struct wire_writer *w, const struct attr_row *row)
{
	uint8_t flags = bgp_attr_info(row->code)->flags;
	size_t start = w->pos, mark;

	if (e->attrs->partial & row->has && flags & BGP_ATTR_F_OPTIONAL)
		flags |= BGP_ATTR_F_PARTIAL;
	wire_put_u8(w, flags);
	wire_put_u8(w, row->code);
	mark = wire_mark_u8(w);
	row->put(e, w);
	if (w->failed || w->pos - mark - 1 <= UINT8_MAX) {
		wire_patch_u8(w, mark);
		return;
	}
	w->pos = start;
	wire_put_u8(w, flags | BGP_ATTR_F_EXTENDED);
	wire_put_u8(w, row->code);
	mark = wire_mark_u16(w);
	row->put(e, w);
	wire_patch_u16(w, mark);
}

/* Copies the unknown attributes with codes below @below, so that the whole list stays in order. */
static void put_unknown(struct wire_reader *unknown, unsigned int below, struct wire_writer *w)
{
	while (wire_left(unknown)) {
		struct wire_reader r = *unknown;
		uint8_t flags = wire_u8(&r), code = wire_u8(&r);

		if (code >= below)
			return;
		wire_skip(&r, flags & BGP_ATTR_F_EXTENDED ? wire_u16(&r) : wire_u8(&r));
		if (r.failed) {
			w->failed = true;
			return;
		}
		wire_put_bytes(w, unknown->pos, (size_t)(r.pos - unknown->pos));
		*unknown = r;
	}
}

static void put_attributes(struct encoder *e, struct wire_writer *w)
{
	struct wire_reader unknown;

	wire_read_init(&unknown, e->attrs->unknown.data,
		       e->attrs->has & BGP_HAS_UNKNOWN ? e->attrs->unknown.len : 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct attr_row *row = &rows[i];

		put_unknown(&unknown, row->code, w);
		if ((e->attrs->has & row->has) == row->has && (!row->when || row->when(e)))
			put_attribute(e, w, row);
	}
	put_unknown(&unknown, UINT8_MAX + 1, w);
}

/* --- prefixes -------------------------------------------------------------------------------- */

/* How many prefixes of the batch go into the room, and the octets that they take. */
struct share {
	size_t count, octets;
	bool add_path;
};

/* Octets of an attribute with a value of @len: one length octet, or two (RFC 4271 4.3). */
static size_t attribute_size(size_t len)
{
	return len + (len > UINT8_MAX ? 4 : 3);
}

/* @fixed octets stand before the prefixes in an MP attribute. */
static struct share take_share(const struct bgp_prefix_batch *batch, bool add_path, size_t room,
			       size_t fixed)
{
	struct share share = { .add_path = add_path };

	for (size_t i = batch->done; i < batch->count; i++) {
		size_t octets = share.octets + nlri_size(&batch->prefixes[i], add_path);

		if (attribute_size(fixed + octets) > room)
			break;
		share.octets = octets;
		share.count++;
	}
	return share;
}

static void put_share(struct bgp_prefix_batch *batch, const struct share *share,
		      struct wire_writer *w)
{
	for (size_t n = 0; n < share->count; n++, batch->done++)
		nlri_put(w, &batch->prefixes[batch->done], share->add_path,
			 batch->path_ids ? batch->path_ids[batch->done] : 0);
}

/* The same for a field whose length stands behind it or nowhere: one pass. How many there are. */
static size_t put_what_fits(struct bgp_prefix_batch *batch, bool add_path, size_t room,
			    struct wire_writer *w)
{
	size_t first = batch->done;

	for (; batch->done < batch->count; batch->done++) {
		const struct ip_prefix *prefix = &batch->prefixes[batch->done];
		size_t size = nlri_size(prefix, add_path);

		if (size > room)
			break;
		nlri_append(w, prefix, add_path,
			    batch->path_ids ? batch->path_ids[batch->done] : 0);
		room -= size;
	}
	return batch->done - first;
}

static void put_mp_head(struct wire_writer *w, enum bgp_attr_code code, size_t len,
			enum bgp_family family)
{
	bool extended = len > UINT8_MAX;

	wire_put_u8(w, BGP_ATTR_F_OPTIONAL | (extended ? BGP_ATTR_F_EXTENDED : 0));
	wire_put_u8(w, code);
	if (extended)
		wire_put_u16(w, len);
	else
		wire_put_u8(w, len);
	wire_put_u16(w, bgp_family_afi(family));
	wire_put_u8(w, BGP_SAFI_UNICAST);
}

/* --- messages -------------------------------------------------------------------------------- */

#define MP_UNREACH_FIXED 3 /* AFI, SAFI */
#define MP_REACH_FIXED   5 /* and next hop length, reserved octet */

static size_t message_limit(const struct bgp_session_params *params, size_t cap)
{
	size_t max = params->extended_message ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX;

	return cap < max ? cap : max;
}

static bool adds_path(const struct bgp_session_params *params, enum bgp_family family)
{
	return params->add_path_tx & BGP_FAMILY_BIT(family);
}

/* RFC 4760 3, RFC 8950 3: which next hops a family can carry in this session. */
static int check_sendable(const struct encoder *e, enum bgp_family family)
{
	uint32_t mandatory = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH;
	bool v6_next_hop = e->attrs->next_hop.family == IP_V6;

	if ((e->attrs->has & mandatory) != mandatory)
		return -EINVAL;
	if (!(e->params->families & BGP_FAMILY_BIT(family)))
		return -EINVAL;
	if (e->attrs->next_hop.family == IP_NONE)
		return -EINVAL;
	if (family == BGP_IPV6_UNICAST)
		return v6_next_hop ? 0 : -EINVAL;
	return !v6_next_hop || (e->params->ext_next_hop & BGP_FAMILY_BIT(family)) ? 0 : -EINVAL;
}

static size_t next_hop_size(const struct bgp_attrs *attrs)
{
	return attrs->link_local.family == IP_V6 ? 32 : 16;
}

/* @from: where the attributes begin; they are written and end at w->pos. */
static int put_mp_reach(const struct encoder *e, enum bgp_family family,
			struct bgp_prefix_batch *batch, size_t from, struct wire_writer *w)
{
	size_t attributes = w->pos - from, fixed = MP_REACH_FIXED + next_hop_size(e->attrs), size;
	struct share share = take_share(batch, adds_path(e->params, family), wire_room(w), fixed);

	if (!share.count)
		return -EMSGSIZE;
	size = attribute_size(fixed + share.octets);
	memmove(w->base + from + size, w->base + from, attributes);
	w->pos = from;
	put_mp_head(w, BGP_ATTR_MP_REACH, fixed + share.octets, family);
	wire_put_u8(w, next_hop_size(e->attrs));
	wire_put_bytes(w, e->attrs->next_hop.bytes, 16);
	if (e->attrs->link_local.family == IP_V6)
		wire_put_bytes(w, e->attrs->link_local.bytes, 16);
	wire_put_u8(w, 0);
	put_share(batch, &share, w);
	w->pos += attributes;
	return 0;
}

static int put_own_reach(const struct encoder *e, struct bgp_prefix_batch *batch,
			 struct wire_writer *w)
{
	bool add_path = adds_path(e->params, BGP_IPV4_UNICAST);

	return put_what_fits(batch, add_path, wire_room(w), w) ? 0 : -EMSGSIZE;
}

int bgp_update_encode_reach(const struct bgp_attrs *attrs, enum bgp_family family,
			    const struct bgp_session_params *params, struct bgp_prefix_batch *batch,
			    uint8_t *buf, size_t cap)
{
	struct encoder e = { .attrs = attrs,
			     .params = params,
			     .mp = attrs->next_hop.family == IP_V6 };
	struct wire_writer w;
	size_t mark;
	int err = check_sendable(&e, family);

	if (err || batch->done == batch->count)
		return err;
	wire_write_init(&w, buf, message_limit(params, cap));
	bgp_frame_begin(&w, BGP_MSG_UPDATE);
	wire_put_u16(&w, 0);
	mark = wire_mark_u16(&w);
	put_attributes(&e, &w);
	if (w.failed)
		return -EMSGSIZE;
	if (e.mp)
		err = put_mp_reach(&e, family, batch, mark + 2, &w);
	if (err)
		return err;
	wire_patch_u16(&w, mark);
	if (!e.mp)
		err = put_own_reach(&e, batch, &w);
	bgp_frame_finish(&w, 0);
	return err ? err : w.failed ? -EMSGSIZE : (int)w.pos;
}

static int put_own_withdraw(const struct bgp_session_params *params, struct bgp_prefix_batch *batch,
			    struct wire_writer *w)
{
	size_t mark = wire_mark_u16(w), room = wire_room(w);

	/* The length of the attributes, 0, comes after the prefixes. */
	if (!put_what_fits(batch, adds_path(params, BGP_IPV4_UNICAST), room < 2 ? 0 : room - 2, w))
		return -EMSGSIZE;
	wire_patch_u16(w, mark);
	wire_put_u16(w, 0);
	return 0;
}

static int put_mp_unreach(enum bgp_family family, const struct bgp_session_params *params,
			  struct bgp_prefix_batch *batch, struct wire_writer *w)
{
	struct share share;
	size_t mark;

	wire_put_u16(w, 0);
	mark = wire_mark_u16(w);
	share = take_share(batch, adds_path(params, family), wire_room(w), MP_UNREACH_FIXED);
	if (!share.count)
		return -EMSGSIZE;
	put_mp_head(w, BGP_ATTR_MP_UNREACH, MP_UNREACH_FIXED + share.octets, family);
	put_share(batch, &share, w);
	wire_patch_u16(w, mark);
	return 0;
}

int bgp_update_encode_withdraw(enum bgp_family family, const struct bgp_session_params *params,
			       struct bgp_prefix_batch *batch, uint8_t *buf, size_t cap)
{
	struct wire_writer w;
	int err;

	if (batch->done == batch->count)
		return 0;
	wire_write_init(&w, buf, message_limit(params, cap));
	bgp_frame_begin(&w, BGP_MSG_UPDATE);
	/* Routes of RFC 8950 are IPv4 unicast all the same: the old field withdraws them too. */
	if (family == BGP_IPV4_UNICAST)
		err = put_own_withdraw(params, batch, &w);
	else
		err = put_mp_unreach(family, params, batch, &w);
	bgp_frame_finish(&w, 0);
	return err ? err : w.failed ? -EMSGSIZE : (int)w.pos;
}

int bgp_update_encode_eor(enum bgp_family family, uint8_t *buf, size_t cap)
{
	struct wire_writer w;
	size_t mark;

	wire_write_init(&w, buf, cap);
	bgp_frame_begin(&w, BGP_MSG_UPDATE);
	wire_put_u16(&w, 0);
	mark = wire_mark_u16(&w);
	if (family != BGP_IPV4_UNICAST)
		put_mp_head(&w, BGP_ATTR_MP_UNREACH, MP_UNREACH_FIXED, family);
	wire_patch_u16(&w, mark);
	bgp_frame_finish(&w, 0);
	return w.failed ? -ENOSPC : (int)w.pos;
}
