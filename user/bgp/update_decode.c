// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATE in. Called by peer.c for each UPDATE of an Established session. Must never change a table,
 * allocate, or clear the scratch of struct bgp_update.
 *
 *	withdrawn length 2 | withdrawn | attributes length 2 | attributes | NLRI, the rest
 *	attribute: flags 1 | code 1 | length 1, or 2 with the Extended bit | value
 *
 * One pass: prefixes first (where they are decides whether a fault may be a withdrawal), then the
 * attributes by the table of attr.c, then what concerns several of them. RFC 7606 section 3: each fault
 * is noted with its outcome, and the strongest is what happens.
 */
#include <errno.h>
#include <string.h>

#include "attr_rules.h"
#include "bgp/aspath.h"
#include "bgp/community.h"

#define CODES 256

struct decoder {
	struct attr_context ctx;
	const struct bgp_update_limits *limits;
	uint64_t seen[CODES / 64];
	uint64_t unknown[CODES / 64]; /* transitive, to be passed on */
	unsigned int n_attrs;
	uint32_t kept_octets; /* of the attribute field, without the MP attributes */
	/* The first of the strongest faults, and what would go into the data of a NOTIFICATION. */
	const struct attr_fault *worst;
	struct bgp_blob worst_data;
	/* Never cleared: valid where the bit of `unknown` is set. */
	struct bgp_blob unknown_value[CODES];
};

static bool bit(const uint64_t *map, uint8_t code)
{
	return map[code / 64] >> (code % 64) & 1;
}

static void set_bit(uint64_t *map, uint8_t code)
{
	map[code / 64] |= (uint64_t)1 << (code % 64);
}

/* --- findings -------------------------------------------------------------------------------- */

/* The strongest finding is the first one, so that a log line of one finding tells the outcome. */
static void add_finding(struct bgp_update *update, struct bgp_finding finding)
{
	struct bgp_finding *first = &update->findings[0];

	if (update->n_findings && finding.outcome > first->outcome) {
		struct bgp_finding weaker = *first;

		*first = finding;
		finding = weaker;
	}
	if (update->n_findings < BGP_FINDINGS_MAX)
		update->findings[update->n_findings++] = finding;
}

static void note(struct decoder *d, uint8_t code, enum bgp_outcome outcome,
		 const struct attr_fault *fault, struct bgp_blob data)
{
	struct bgp_update *update = d->ctx.update;

	add_finding(update, (struct bgp_finding){ code, outcome, fault->reason });
	if (d->worst && outcome <= update->outcome)
		return;
	update->outcome = outcome;
	d->worst = fault;
	d->worst_data = data;
}

static const struct bgp_blob nothing;

static const struct attr_fault lengths_disagree = {
	.reason = "lengths of the UPDATE disagree",
	.subcode = BGP_UPD_ATTR_LIST,
	.no_data = true,
};
static const struct attr_fault bad_network = {
	.reason = "prefix is malformed",
	.subcode = BGP_UPD_NETWORK,
	.no_data = true,
};
static const struct attr_fault overrun = {
	.reason = "attribute overruns the attribute field",
	.subcode = BGP_UPD_ATTR_LIST,
	.no_data = true,
};
static const struct attr_fault duplicate = {
	.reason = "attribute appears twice",
	.subcode = BGP_UPD_ATTR_LIST,
	.no_data = true,
};
static const struct attr_fault unknown_well_known = {
	.reason = "unknown well-known attribute",
	.subcode = BGP_UPD_UNKNOWN_WELL_KNOWN,
};
static const struct attr_fault missing = {
	.reason = "mandatory attribute is missing",
	.subcode = BGP_UPD_MISSING_WELL_KNOWN,
};
static const struct attr_fault no_room = {
	.reason = "unknown attributes too large to be kept",
	.subcode = BGP_UPD_ATTR_LIST,
	.no_data = true,
};
static const struct attr_fault multicast_prefix = {
	.reason = "multicast prefix ignored",
	.subcode = BGP_UPD_NETWORK,
	.no_data = true,
};
static const struct attr_fault wrong_first_as = {
	.reason = "leftmost ASN is not the peer's",
	.subcode = BGP_UPD_AS_PATH,
	.no_data = true,
};
static const struct attr_fault long_path = {
	.reason = "AS_PATH is longer than the limit",
	.subcode = BGP_UPD_AS_PATH,
	.no_data = true,
};
static const struct attr_fault many_communities = {
	.reason = "more communities than the limit",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
	.no_data = true,
};
static const struct attr_fault many_octets = {
	.reason = "attributes are larger than the limit",
	.subcode = BGP_UPD_ATTR_LIST,
	.no_data = true,
};

/* --- attributes one by one ------------------------------------------------------------------- */

struct tlv {
	uint8_t flags, code;
	struct bgp_blob value;
	struct bgp_blob whole; /* with its header: the data of a NOTIFICATION */
};

static int next_tlv(struct wire_reader *r, struct tlv *ret_tlv)
{
	const uint8_t *start = r->pos;
	struct tlv tlv = { 0 };
	size_t len;

	tlv.flags = wire_u8(r);
	tlv.code = wire_u8(r);
	len = tlv.flags & BGP_ATTR_F_EXTENDED ? wire_u16(r) : wire_u8(r);
	tlv.value.data = wire_bytes(r, len);
	tlv.value.len = (uint32_t)len;
	tlv.whole = (struct bgp_blob){ start, (uint32_t)(r->pos - start) };
	*ret_tlv = tlv;
	return r->failed ? -EBADMSG : 0;
}

/* RFC 4271 5 and 6.3 */
static void take_unknown(struct decoder *d, const struct tlv *tlv)
{
	if (!(tlv->flags & BGP_ATTR_F_OPTIONAL)) {
		note(d, tlv->code, BGP_RESET, &unknown_well_known, tlv->whole);
		return;
	}
	if (!(tlv->flags & BGP_ATTR_F_TRANSITIVE))
		return;
	set_bit(d->unknown, tlv->code);
	d->unknown_value[tlv->code] = tlv->value;
	d->ctx.update->attrs.has |= BGP_HAS_UNKNOWN;
}

static void take_attribute(struct decoder *d, const struct tlv *tlv)
{
	const struct attr_rule *rule = attr_rule_of(tlv->code);
	const struct attr_fault *fault;
	enum bgp_outcome outcome;
	bool mp = tlv->code == BGP_ATTR_MP_REACH || tlv->code == BGP_ATTR_MP_UNREACH;

	d->n_attrs++;
	/* RFC 7606 3 g: the first stays; of the MP attributes nobody knows which one is meant. */
	if (bit(d->seen, tlv->code)) {
		note(d, tlv->code, mp ? BGP_RESET : BGP_DISCARD_ATTR, &duplicate, tlv->whole);
		return;
	}
	set_bit(d->seen, tlv->code);
	d->kept_octets += mp ? 0 : tlv->whole.len;
	if (!rule) {
		take_unknown(d, tlv);
		return;
	}
	fault = attr_read(&d->ctx, rule, tlv->flags, tlv->value, &outcome);
	if (fault)
		note(d, tlv->code, outcome, fault, tlv->whole);
}

static void take_attributes(struct decoder *d, struct wire_reader r)
{
	while (wire_left(&r) && d->ctx.update->outcome < BGP_RESET) {
		struct tlv tlv;

		if (next_tlv(&r, &tlv) < 0) {
			/* RFC 7606 4: the total length still says where the NLRI are. */
			d->n_attrs++;
			note(d, tlv.code, BGP_TREAT_AS_WITHDRAW, &overrun, nothing);
			return;
		}
		take_attribute(d, &tlv);
	}
}

/* --- what concerns several ------------------------------------------------------------------- */

/*
 * Unknown transitive attributes in ascending order, in the form in which they will be sent: Partial set
 * (RFC 4271 5), unused bits clear, the long length only where it is needed.
 */
static void gather_unknown(struct decoder *d)
{
	struct bgp_update *update = d->ctx.update;
	uint8_t *to = update->scratch + d->ctx.scratch_used;
	struct wire_writer w;

	if (!(update->attrs.has & BGP_HAS_UNKNOWN))
		return;
	wire_write_init(&w, to, BGP_UPDATE_SCRATCH - d->ctx.scratch_used);
	for (unsigned int code = 0; code < CODES; code++) {
		struct bgp_blob *value = &d->unknown_value[code];
		bool extended;

		if (!bit(d->unknown, (uint8_t)code))
			continue;
		extended = value->len > UINT8_MAX;
		wire_put_u8(&w, BGP_ATTR_F_OPTIONAL | BGP_ATTR_F_TRANSITIVE | BGP_ATTR_F_PARTIAL |
					(extended ? BGP_ATTR_F_EXTENDED : 0));
		wire_put_u8(&w, code);
		if (extended)
			wire_put_u16(&w, value->len);
		else
			wire_put_u8(&w, value->len);
		wire_put_bytes(&w, value->data, value->len);
	}
	if (w.failed) {
		note(d, 0, BGP_TREAT_AS_WITHDRAW, &no_room, nothing);
		return;
	}
	d->ctx.scratch_used += w.pos;
	update->attrs.unknown = (struct bgp_blob){ to, (uint32_t)w.pos };
}

static void merge_as4(struct decoder *d)
{
	const struct attr_fault *fault = attr_merge_as4(&d->ctx);

	if (fault)
		note(d, BGP_ATTR_AS4_PATH, BGP_TREAT_AS_WITHDRAW, fault, nothing);
}

/* RFC 7606 3 d; the data is the code (RFC 4271 6.3). LOCAL_PREF is not mandatory for the reader. */
static void check_mandatory(struct decoder *d)
{
	static const uint8_t mandatory[] = { BGP_ATTR_ORIGIN, BGP_ATTR_AS_PATH, BGP_ATTR_NEXT_HOP };

	for (size_t i = 0; i < sizeof(mandatory); i++) {
		if (mandatory[i] == BGP_ATTR_NEXT_HOP && !d->ctx.v4_reach)
			continue;
		if (!bit(d->seen, mandatory[i]))
			note(d, mandatory[i], BGP_TREAT_AS_WITHDRAW, &missing,
			     (struct bgp_blob){ &mandatory[i], 1 });
	}
}

static void check_first_as(struct decoder *d)
{
	const struct bgp_session_params *params = d->ctx.params;

	if (d->limits->enforce_first_as && params->ebgp &&
	    aspath_first(d->ctx.update->attrs.as_path) != params->peer_asn)
		note(d, BGP_ATTR_AS_PATH, BGP_TREAT_AS_WITHDRAW, &wrong_first_as, nothing);
}

static uint32_t community_total(const struct bgp_attrs *attrs)
{
	return attrs->communities.len / 4 + attrs->ext_communities.len / 8 +
	       attrs->ipv6_ext.len / 20 + attrs->large_communities.len / 12;
}

static void check_limits(struct decoder *d)
{
	const struct bgp_update_limits *limits = d->limits;
	const struct bgp_attrs *attrs = &d->ctx.update->attrs;

	const struct {
		enum bgp_limit limit;
		uint32_t found, bound;
		uint8_t code;
		const struct attr_fault *fault;
	} rows[] = {
		{ BGP_LIMIT_AS_PATH, aspath_length(attrs->as_path), limits->max_as_path,
		  BGP_ATTR_AS_PATH, &long_path },
		{ BGP_LIMIT_COMMUNITIES, community_total(attrs), limits->max_communities, 0,
		  &many_communities },
		{ BGP_LIMIT_ATTR_BYTES, d->kept_octets, limits->max_attr_bytes, 0, &many_octets },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].bound || rows[i].found <= rows[i].bound)
			continue;
		d->ctx.update->over |= (uint8_t)(1u << rows[i].limit);
		note(d, rows[i].code, BGP_TREAT_AS_WITHDRAW, rows[i].fault, nothing);
	}
}

/* RFC 4724 2: nothing at all is IPv4's; a lone MP_UNREACH_NLRI without prefixes its family's. */
static void find_end_of_rib(struct decoder *d, size_t body_len)
{
	struct bgp_update *update = d->ctx.update;
	bool ipv4 = d->ctx.params->families & BGP_FAMILY_BIT(BGP_IPV4_UNICAST);

	if (body_len == 4 && !ipv4)
		update->foreign_family = true;
	if (body_len == 4) {
		update->end_of_rib = ipv4;
		update->eor_family = BGP_IPV4_UNICAST;
	} else if (d->n_attrs == 1 && d->ctx.mp_unreach_empty && !update->withdraw[0].len &&
		   !d->ctx.v4_reach) {
		update->end_of_rib = true;
		update->eor_family = update->withdraw[1].family;
	}
}

/* --- the message ----------------------------------------------------------------------------- */

/* RFC 7606 5.3: prefixes of the message's own fields that can not be read leave only a reset. */
static void take_own_nlri(struct decoder *d, struct wire_reader r, struct bgp_nlri *nlri)
{
	struct bgp_blob field = { r.pos, (uint32_t)wire_left(&r) };

	if (attr_take_nlri(&d->ctx, nlri, &field, BGP_IPV4_UNICAST) < 0)
		note(d, 0, BGP_RESET, &bad_network, nothing);
	else if (nlri->len && !(d->ctx.params->families & BGP_FAMILY_BIT(BGP_IPV4_UNICAST)))
		d->ctx.update->foreign_family = true;
}

/* Prefixes of a family that is not in force have been read for their syntax and are forgotten now. */
static void drop_foreign(struct decoder *d)
{
	struct bgp_update *update = d->ctx.update;

	if (d->ctx.params->families & BGP_FAMILY_BIT(BGP_IPV4_UNICAST))
		return;
	update->reach[0].len = 0;
	update->withdraw[0].len = 0;
}

static void check_whole(struct decoder *d, size_t body_len)
{
	struct bgp_update *update = d->ctx.update;
	bool reach = d->ctx.v4_reach || update->reach[1].len;

	gather_unknown(d);
	merge_as4(d);
	if (reach) {
		check_mandatory(d);
		check_first_as(d);
		check_limits(d);
	}
	if (d->ctx.multicast)
		note(d, 0, BGP_ACCEPT, &multicast_prefix, nothing);
	/* RFC 7606 5.2: nothing to withdraw, so the fault may have hidden what there was. */
	if (update->outcome == BGP_TREAT_AS_WITHDRAW && !reach && !d->ctx.foreign_reach)
		update->outcome = BGP_RESET;
	find_end_of_rib(d, body_len);
}

static int fail(const struct decoder *d, struct bgp_error *ret_error)
{
	const struct attr_fault *fault = d->worst;
	bool data = !fault->no_data;

	bgp_error_set(ret_error, BGP_ERR_UPDATE, fault->subcode, fault->reason,
		      data ? d->worst_data.data : NULL, data ? d->worst_data.len : 0);
	return -EBADMSG;
}

static void decode(struct decoder *d, const uint8_t *body, size_t len)
{
	struct bgp_update *update = d->ctx.update;
	struct wire_reader r, withdrawn, attributes;

	wire_read_init(&r, body, len);
	withdrawn = wire_sub(&r, wire_u16(&r));
	attributes = wire_sub(&r, wire_u16(&r));
	if (r.failed) {
		note(d, 0, BGP_RESET, &lengths_disagree, nothing);
		return;
	}
	take_own_nlri(d, withdrawn, &update->withdraw[0]);
	take_own_nlri(d, r, &update->reach[0]);
	d->ctx.v4_reach = update->reach[0].len;
	if (update->outcome < BGP_RESET)
		take_attributes(d, attributes);
	if (update->outcome < BGP_RESET)
		check_whole(d, len);
	drop_foreign(d);
}

int bgp_update_decode(const uint8_t *body, size_t len, const struct bgp_session_params *params,
		      const struct bgp_update_limits *limits, struct bgp_update *ret_update,
		      struct bgp_error *ret_error)
{
	struct decoder d;

	/* All but the big arrays at the end of either: this runs for every UPDATE. */
	memset(ret_update, 0, offsetof(struct bgp_update, findings));
	memset(&d, 0, offsetof(struct decoder, unknown_value));
	d.ctx.params = params;
	d.ctx.update = ret_update;
	d.limits = limits;
	decode(&d, body, len);
	return ret_update->outcome == BGP_RESET ? fail(&d, ret_error) : 0;
}
