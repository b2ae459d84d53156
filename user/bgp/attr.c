// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of path attributes: flags, length rule, RFC 7606 action and reader of each. Called by
 * update_decode.c; equality and hash by the attribute store. Must never act on a fault: a reader says
 * what is wrong, the table says how bad that is, update_decode.c draws the conclusion.
 */
#include <errno.h>
#include <string.h>

#include "attr_rules.h"
#include "bgp/aspath.h"
#include "util/htab.h"

/* --- faults ---------------------------------------------------------------------------------- */

static const struct attr_fault not_expected = {
	.reason = "attribute not expected from this peer",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
	.outcome = BGP_DISCARD_ATTR,
};
static const struct attr_fault bad_flags = {
	.reason = "Optional or Transitive bit is wrong",
	.subcode = BGP_UPD_ATTR_FLAGS,
};
static const struct attr_fault bad_length = {
	.reason = "attribute length is wrong",
	.subcode = BGP_UPD_ATTR_LENGTH,
};
static const struct attr_fault bad_origin = {
	.reason = "ORIGIN value above 2",
	.subcode = BGP_UPD_ORIGIN,
};
static const struct attr_fault bad_next_hop = {
	.reason = "NEXT_HOP is no host address",
	.subcode = BGP_UPD_NEXT_HOP,
};
static const struct attr_fault zero_aggregator = {
	.reason = "AS 0 as aggregator",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
};
static const struct attr_fault no_scratch = {
	.reason = "attributes too large to be kept",
	.subcode = BGP_UPD_ATTR_LIST,
	.no_data = true,
	.outcome = BGP_TREAT_AS_WITHDRAW,
};
static const struct attr_fault mp_malformed = {
	.reason = "multiprotocol attribute is too short",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
};
static const struct attr_fault mp_next_hop_length = {
	.reason = "next hop length not of the family",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
};
static const struct attr_fault mp_next_hop = {
	.reason = "next hop of MP_REACH_NLRI is no host address",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
	.outcome = BGP_TREAT_AS_WITHDRAW,
};
static const struct attr_fault mp_nlri = {
	.reason = "prefix of a multiprotocol attribute is malformed",
	.subcode = BGP_UPD_OPTIONAL_ATTR,
};
static const struct attr_fault path_faults[] = {
	[ASPATH_MALFORMED] = { "AS_PATH is malformed", BGP_UPD_AS_PATH, true, BGP_ACCEPT },
	[ASPATH_CONFED] = { "confederation segment from outside", BGP_UPD_AS_PATH, true,
			    BGP_ACCEPT },
	[ASPATH_SET] = { "AS_SET or AS_CONFED_SET", BGP_UPD_AS_PATH, true, BGP_TREAT_AS_WITHDRAW },
	[ASPATH_AS_ZERO] = { "AS 0 in the path", BGP_UPD_AS_PATH, true, BGP_ACCEPT },
};

/* --- readers: lengths have been checked where the rule has one ------------------------------- */

static struct wire_reader reader_of(struct bgp_blob value)
{
	struct wire_reader r;

	wire_read_init(&r, value.data, value.len);
	return r;
}

static uint32_t number(struct bgp_blob value)
{
	struct wire_reader r = reader_of(value);

	return wire_u32(&r);
}

static const struct attr_fault *read_origin(struct attr_context *ctx, struct bgp_blob value)
{
	struct wire_reader r = reader_of(value);
	uint8_t origin = wire_u8(&r);

	if (origin > BGP_ORIGIN_INCOMPLETE)
		return &bad_origin;
	ctx->update->attrs.origin = origin;
	return NULL;
}

static const struct attr_fault *read_as_path(struct attr_context *ctx, struct bgp_blob value)
{
	bool as4 = ctx->params->as4;
	enum aspath_fault fault = aspath_check(value, as4 ? 4 : 2);
	uint8_t *to = ctx->update->scratch + ctx->scratch_used;
	int len;

	if (fault != ASPATH_OK)
		return &path_faults[fault];
	if (as4) {
		ctx->update->attrs.as_path = value;
		return NULL;
	}
	len = aspath_widen(value, to, BGP_UPDATE_SCRATCH - ctx->scratch_used);
	if (len < 0)
		return &no_scratch;
	ctx->scratch_used += (size_t)len;
	ctx->update->attrs.as_path = (struct bgp_blob){ to, (uint32_t)len };
	return NULL;
}

/* RFC 7606 7.3, RFC 1122 3.2.1.3: 0/8, 127/8, class D and E. That it is not ours is for the RIB. */
static bool is_host_v4(const struct ip_addr *addr)
{
	return addr->bytes[0] != 0 && addr->bytes[0] != 127 && addr->bytes[0] < 224;
}

/* RFC 4760 3: without prefixes of its own field the message's NEXT_HOP means nothing. */
static const struct attr_fault *read_next_hop(struct attr_context *ctx, struct bgp_blob value)
{
	struct ip_addr addr = ip_from_bytes(IP_V4, value.data);

	if (!ctx->v4_reach)
		return NULL;
	if (!is_host_v4(&addr))
		return &bad_next_hop;
	ctx->update->attrs.next_hop = addr;
	ctx->update->attrs.has |= BGP_HAS_NEXT_HOP;
	ctx->update->next_hop[0] = addr;
	return NULL;
}

static const struct attr_fault *read_med(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.med = number(value);
	return NULL;
}

static const struct attr_fault *read_local_pref(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.local_pref = number(value);
	return NULL;
}

static const struct attr_fault *read_aggregator(struct attr_context *ctx, struct bgp_blob value)
{
	struct wire_reader r = reader_of(value);
	uint32_t asn = ctx->params->as4 ? wire_u32(&r) : wire_u16(&r);

	if (!asn)
		return &zero_aggregator;
	ctx->update->attrs.aggregator_asn = asn;
	ctx->update->attrs.aggregator_id = wire_u32(&r);
	return NULL;
}

static const struct attr_fault *read_as4_path(struct attr_context *ctx, struct bgp_blob value)
{
	enum aspath_fault fault = value.len ? aspath_check(value, 4) : ASPATH_MALFORMED;

	if (fault != ASPATH_OK)
		return &path_faults[fault];
	ctx->as4_path = value;
	ctx->has_as4_path = true;
	return NULL;
}

static const struct attr_fault *read_as4_aggregator(struct attr_context *ctx, struct bgp_blob value)
{
	struct wire_reader r = reader_of(value);
	uint32_t asn = wire_u32(&r);

	if (!asn)
		return &zero_aggregator;
	ctx->as4_aggregator_asn = asn;
	ctx->as4_aggregator_id = wire_u32(&r);
	ctx->has_as4_aggregator = true;
	return NULL;
}

static const struct attr_fault *read_communities(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.communities = value;
	return NULL;
}

static const struct attr_fault *read_ext_communities(struct attr_context *ctx,
						     struct bgp_blob value)
{
	ctx->update->attrs.ext_communities = value;
	return NULL;
}

static const struct attr_fault *read_ipv6_ext(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.ipv6_ext = value;
	return NULL;
}

static const struct attr_fault *read_large(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.large_communities = value;
	return NULL;
}

static const struct attr_fault *read_originator_id(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.originator_id = number(value);
	return NULL;
}

static const struct attr_fault *read_cluster_list(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.cluster_list = value;
	return NULL;
}

static const struct attr_fault *read_otc(struct attr_context *ctx, struct bgp_blob value)
{
	ctx->update->attrs.otc = number(value);
	return NULL;
}

/* --- multiprotocol --------------------------------------------------------------------------- */

int attr_take_nlri(struct attr_context *ctx, struct bgp_nlri *nlri, const struct bgp_blob *field,
		   enum bgp_family family)
{
	unsigned int multicast;
	struct bgp_nlri section = {
		.data = field->data,
		.len = field->len,
		.family = family,
		.add_path = ctx->params->add_path_rx & BGP_FAMILY_BIT(family),
	};

	if (nlri_scan(&section, &multicast) < 0)
		return -EBADMSG;
	ctx->multicast += multicast;
	*nlri = section;
	return 0;
}

static bool in_force(const struct attr_context *ctx, uint16_t afi, uint8_t safi,
		     enum bgp_family *ret_family)
{
	return bgp_family_from_afi(afi, safi, ret_family) &&
	       (ctx->params->families & BGP_FAMILY_BIT(*ret_family));
}

/* RFC 4760 3, RFC 2545 3, RFC 8950 3 */
static bool next_hop_length_fits(const struct attr_context *ctx, enum bgp_family family, size_t len)
{
	if (family == BGP_IPV4_UNICAST && len == 4)
		return true;
	if (family == BGP_IPV4_UNICAST && !(ctx->params->ext_next_hop & BGP_FAMILY_BIT(family)))
		return false;
	return len == 16 || len == 32;
}

/*
 * RFC 2545 3: a global address, then perhaps a link-local one. What stands second and is not link-local
 * is ignored; unnumbered peers leave the first place empty.
 */
static const struct attr_fault *take_mp_next_hop(struct bgp_update *update, struct wire_reader r)
{
	enum ip_family ip = wire_left(&r) == 4 ? IP_V4 : IP_V6;
	struct ip_addr addr = ip_from_bytes(ip, wire_bytes(&r, ip_bytes(ip)));
	struct ip_addr second = { .family = IP_NONE };

	if (wire_left(&r))
		second = ip_from_bytes(IP_V6, wire_bytes(&r, 16));
	if (second.family != IP_NONE && !ip_is_link_local(&second))
		second = (struct ip_addr){ .family = IP_NONE };
	if (ip_is_zero(&addr) && second.family != IP_NONE)
		addr = second;
	update->next_hop[1] = addr;
	update->link_local[1] = second;
	if (ip == IP_V4)
		return is_host_v4(&addr) ? NULL : &mp_next_hop;
	if (ip_is_zero(&addr) || ip_is_loopback(&addr) || ip_is_multicast(&addr))
		return &mp_next_hop;
	return NULL;
}

/* AFI 2 | SAFI 1 | next hop length 1 | next hop | reserved 1 | NLRI (RFC 4760 3) */
static const struct attr_fault *read_mp_reach(struct attr_context *ctx, struct bgp_blob value)
{
	struct wire_reader r = reader_of(value);
	uint16_t afi = wire_u16(&r);
	uint8_t safi = wire_u8(&r);
	struct wire_reader next_hop = wire_sub(&r, wire_u8(&r));
	struct bgp_blob field;
	enum bgp_family family;

	wire_skip(&r, 1);
	if (r.failed)
		return &mp_malformed;
	if (!in_force(ctx, afi, safi, &family)) {
		ctx->update->foreign_family = ctx->foreign_reach = true;
		return NULL;
	}
	if (!next_hop_length_fits(ctx, family, wire_left(&next_hop)))
		return &mp_next_hop_length;
	field = (struct bgp_blob){ r.pos, (uint32_t)wire_left(&r) };
	if (attr_take_nlri(ctx, &ctx->update->reach[1], &field, family) < 0)
		return &mp_nlri;
	return take_mp_next_hop(ctx->update, next_hop);
}

/* AFI 2 | SAFI 1 | NLRI (RFC 4760 4) */
static const struct attr_fault *read_mp_unreach(struct attr_context *ctx, struct bgp_blob value)
{
	struct wire_reader r = reader_of(value);
	uint16_t afi = wire_u16(&r);
	uint8_t safi = wire_u8(&r);
	struct bgp_blob field = { r.pos, (uint32_t)wire_left(&r) };
	enum bgp_family family;

	if (r.failed)
		return &mp_malformed;
	if (!in_force(ctx, afi, safi, &family)) {
		ctx->update->foreign_family = true;
		return NULL;
	}
	if (attr_take_nlri(ctx, &ctx->update->withdraw[1], &field, family) < 0)
		return &mp_nlri;
	ctx->mp_unreach_empty = !field.len;
	return NULL;
}

/* --- the table ------------------------------------------------------------------------------- */

enum attr_length {
	LEN_FREE,     /* the reader's business */
	LEN_EXACT,    /* `len`, or `len_as2` in a session without 4-octet ASNs */
	LEN_MULTIPLE, /* of `len`, and not 0 */
};
enum attr_sessions {
	ON_ALL,
	ON_INTERNAL, /* from an external peer: discarded unread */
	ON_AS2,      /* from a 4-octet speaker: discarded unread (RFC 6793 4.1) */
};

struct attr_rule {
	struct bgp_attr_info info;
	enum attr_sessions on;
	enum attr_length length;
	uint8_t len, len_as2;
	enum bgp_outcome malformed; /* RFC 7606 section 7 */
	uint32_t has;               /* bit to set; 0: the reader does what is needed */
	const struct attr_fault *(*read)(struct attr_context *ctx, struct bgp_blob value);
};

#define WELL_KNOWN                    BGP_ATTR_F_TRANSITIVE
#define OPTIONAL                      BGP_ATTR_F_OPTIONAL
#define OPT_TRANSITIVE                (BGP_ATTR_F_OPTIONAL | BGP_ATTR_F_TRANSITIVE)
#define FLAGS_MASK                    (BGP_ATTR_F_OPTIONAL | BGP_ATTR_F_TRANSITIVE)
#define WITHDRAW                      BGP_TREAT_AS_WITHDRAW
#define DISCARD                       BGP_DISCARD_ATTR
#define RESET                         BGP_RESET
#define ATTR(code, flags)             [BGP_ATTR_##code] = { { BGP_ATTR_##code, flags, #code },
#define ATTR_NAMED(code, flags, name) [BGP_ATTR_##code] = { { BGP_ATTR_##code, flags, name },

/* clang-format off */
static const struct attr_rule rules[] = {
	/*   attribute           flags              sessions     length        octets when wrong */
	ATTR(ORIGIN,             WELL_KNOWN)        ON_ALL,      LEN_EXACT,    1, 1,  WITHDRAW,
		BGP_HAS_ORIGIN, read_origin },
	ATTR(AS_PATH,            WELL_KNOWN)        ON_ALL,      LEN_FREE,     0, 0,  WITHDRAW,
		BGP_HAS_AS_PATH, read_as_path },
	ATTR(NEXT_HOP,           WELL_KNOWN)        ON_ALL,      LEN_EXACT,    4, 4,  WITHDRAW,
		0, read_next_hop },
	ATTR_NAMED(MED,          OPTIONAL, "MULTI_EXIT_DISC")
						    ON_ALL,      LEN_EXACT,    4, 4,  WITHDRAW,
		BGP_HAS_MED, read_med },
	ATTR(LOCAL_PREF,         WELL_KNOWN)        ON_INTERNAL, LEN_EXACT,    4, 4,  WITHDRAW,
		BGP_HAS_LOCAL_PREF, read_local_pref },
	ATTR(ATOMIC_AGGREGATE,   WELL_KNOWN)        ON_ALL,      LEN_EXACT,    0, 0,  DISCARD,
		BGP_HAS_ATOMIC_AGGREGATE, NULL },
	ATTR(AGGREGATOR,         OPT_TRANSITIVE)    ON_ALL,      LEN_EXACT,    8, 6,  DISCARD,
		BGP_HAS_AGGREGATOR, read_aggregator },
	ATTR(COMMUNITIES,        OPT_TRANSITIVE)    ON_ALL,      LEN_MULTIPLE, 4, 4,  WITHDRAW,
		BGP_HAS_COMMUNITIES, read_communities },
	ATTR(ORIGINATOR_ID,      OPTIONAL)          ON_INTERNAL, LEN_EXACT,    4, 4,  WITHDRAW,
		BGP_HAS_ORIGINATOR_ID, read_originator_id },
	ATTR(CLUSTER_LIST,       OPTIONAL)          ON_INTERNAL, LEN_MULTIPLE, 4, 4,  WITHDRAW,
		BGP_HAS_CLUSTER_LIST, read_cluster_list },
	ATTR_NAMED(MP_REACH,     OPTIONAL, "MP_REACH_NLRI")
						    ON_ALL,      LEN_FREE,     0, 0,  RESET,
		0, read_mp_reach },
	ATTR_NAMED(MP_UNREACH,   OPTIONAL, "MP_UNREACH_NLRI")
						    ON_ALL,      LEN_FREE,     0, 0,  RESET,
		0, read_mp_unreach },
	ATTR(EXT_COMMUNITIES,    OPT_TRANSITIVE)    ON_ALL,      LEN_MULTIPLE, 8, 8,  WITHDRAW,
		BGP_HAS_EXT_COMMUNITIES, read_ext_communities },
	ATTR(AS4_PATH,           OPT_TRANSITIVE)    ON_AS2,      LEN_FREE,     0, 0,  DISCARD,
		0, read_as4_path },
	ATTR(AS4_AGGREGATOR,     OPT_TRANSITIVE)    ON_AS2,      LEN_EXACT,    8, 8,  DISCARD,
		0, read_as4_aggregator },
	ATTR(IPV6_EXT_COMMUNITIES, OPT_TRANSITIVE)  ON_ALL,      LEN_MULTIPLE, 20, 20, WITHDRAW,
		BGP_HAS_IPV6_EXT, read_ipv6_ext },
	ATTR(LARGE_COMMUNITIES,  OPT_TRANSITIVE)    ON_ALL,      LEN_MULTIPLE, 12, 12, WITHDRAW,
		BGP_HAS_LARGE, read_large },
	ATTR(OTC,                OPT_TRANSITIVE)    ON_ALL,      LEN_EXACT,    4, 4,  WITHDRAW,
		BGP_HAS_OTC, read_otc },
};
/* clang-format on */
#define N_RULES (sizeof(rules) / sizeof(rules[0]))

const struct attr_rule *attr_rule_of(uint8_t code)
{
	return code < N_RULES && rules[code].info.name ? &rules[code] : NULL;
}

const struct bgp_attr_info *bgp_attr_info(uint8_t code)
{
	const struct attr_rule *rule = attr_rule_of(code);

	return rule ? &rule->info : NULL;
}

static bool expected(const struct attr_context *ctx, const struct attr_rule *rule)
{
	return rule->on == ON_INTERNAL ? !ctx->params->ebgp
	       : rule->on == ON_AS2    ? !ctx->params->as4
				       : true;
}

static bool length_fits(const struct attr_context *ctx, const struct attr_rule *rule, uint32_t len)
{
	if (rule->length == LEN_EXACT)
		return len == (ctx->params->as4 ? rule->len : rule->len_as2);
	return rule->length == LEN_FREE || (len && len % rule->len == 0);
}

static const struct attr_fault *find_fault(struct attr_context *ctx, const struct attr_rule *rule,
					   uint8_t flags, struct bgp_blob value)
{
	if (!expected(ctx, rule))
		return &not_expected;
	if ((flags & FLAGS_MASK) != rule->info.flags)
		return &bad_flags;
	if (!length_fits(ctx, rule, value.len))
		return &bad_length;
	return rule->read ? rule->read(ctx, value) : NULL;
}

const struct attr_fault *attr_read(struct attr_context *ctx, const struct attr_rule *rule,
				   uint8_t flags, struct bgp_blob value,
				   enum bgp_outcome *ret_outcome)
{
	const struct attr_fault *fault = find_fault(ctx, rule, flags, value);
	struct bgp_attrs *attrs = &ctx->update->attrs;

	if (fault) {
		*ret_outcome = fault->outcome != BGP_ACCEPT ? fault->outcome : rule->malformed;
		/* RFC 7606 3 c: wrong flags are at least a withdrawal, whatever the attribute. */
		if (fault == &bad_flags && rule->malformed < BGP_TREAT_AS_WITHDRAW)
			*ret_outcome = BGP_TREAT_AS_WITHDRAW;
		return fault;
	}
	attrs->has |= rule->has;
	if ((flags & BGP_ATTR_F_PARTIAL) && rule->info.flags == OPT_TRANSITIVE)
		attrs->partial |= rule->has;
	return NULL;
}

const struct attr_fault *attr_merge_as4(struct attr_context *ctx)
{
	struct bgp_attrs *attrs = &ctx->update->attrs;
	uint8_t *to = ctx->update->scratch + ctx->scratch_used;
	int len;

	attrs->aggregator_partial = attrs->partial & BGP_HAS_AGGREGATOR;
	if (ctx->has_as4_aggregator && (attrs->has & BGP_HAS_AGGREGATOR)) {
		/* The aggregator spoke 2-octet ASNs: what is in the AS4 attributes is older than it. */
		if (attrs->aggregator_asn != BGP_AS_TRANS)
			return NULL;
		attrs->aggregator_asn = ctx->as4_aggregator_asn;
		attrs->aggregator_id = ctx->as4_aggregator_id;
	}
	if (!ctx->has_as4_path || !(attrs->has & BGP_HAS_AS_PATH))
		return NULL;
	len = aspath_merge_as4(attrs->as_path, ctx->as4_path, to,
			       BGP_UPDATE_SCRATCH - ctx->scratch_used);
	if (len < 0)
		return &no_scratch;
	ctx->scratch_used += (size_t)len;
	attrs->as_path = (struct bgp_blob){ to, (uint32_t)len };
	return NULL;
}

/* --- equality -------------------------------------------------------------------------------- */

/* A blob and the bits it goes with, so that equality and hash walk the same list. */
static const size_t blob_offsets[] = {
	offsetof(struct bgp_attrs, as_path),           offsetof(struct bgp_attrs, communities),
	offsetof(struct bgp_attrs, ext_communities),   offsetof(struct bgp_attrs, ipv6_ext),
	offsetof(struct bgp_attrs, large_communities), offsetof(struct bgp_attrs, cluster_list),
	offsetof(struct bgp_attrs, unknown),
};
#define N_BLOBS (sizeof(blob_offsets) / sizeof(blob_offsets[0]))

static const struct bgp_blob *blob_at(const struct bgp_attrs *attrs, size_t i)
{
	return (const struct bgp_blob *)((const char *)attrs + blob_offsets[i]);
}

/* Everything of fixed size; what an absent bit leaves behind in a number does not count. */
struct fixed_part {
	uint32_t has, partial, origin, med, local_pref;
	uint32_t aggregator_asn, aggregator_id, originator_id, otc;
	struct ip_addr next_hop, link_local;
	uint8_t pad[2];
};
_Static_assert(sizeof(struct fixed_part) == 9 * 4 + 2 * sizeof(struct ip_addr) + 2, "no holes");

static void fixed_part_of(const struct bgp_attrs *a, struct fixed_part *ret)
{
	/* Which family the next hop came with is not part of the set: see next_hop in attr.h. */
	uint32_t has = a->has & ~BGP_HAS_NEXT_HOP;

	*ret = (struct fixed_part){
		.has = has,
		.partial = a->partial & has,
		.origin = has & BGP_HAS_ORIGIN ? a->origin : 0,
		.med = has & BGP_HAS_MED ? a->med : 0,
		.local_pref = has & BGP_HAS_LOCAL_PREF ? a->local_pref : 0,
		.aggregator_asn = has & BGP_HAS_AGGREGATOR ? a->aggregator_asn : 0,
		.aggregator_id = has & BGP_HAS_AGGREGATOR ? a->aggregator_id : 0,
		.originator_id = has & BGP_HAS_ORIGINATOR_ID ? a->originator_id : 0,
		.otc = has & BGP_HAS_OTC ? a->otc : 0,
		.next_hop = a->next_hop,
		.link_local = a->link_local,
	};
}

bool bgp_attrs_equal(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
	struct fixed_part x, y;

	fixed_part_of(a, &x);
	fixed_part_of(b, &y);
	if (memcmp(&x, &y, sizeof(x)) != 0)
		return false;
	for (size_t i = 0; i < N_BLOBS; i++) {
		const struct bgp_blob *p = blob_at(a, i), *q = blob_at(b, i);

		if (p->len != q->len || (p->len && memcmp(p->data, q->data, p->len) != 0))
			return false;
	}
	return true;
}

uint32_t bgp_attrs_hash(const struct bgp_attrs *attrs)
{
	struct fixed_part fixed;
	uint32_t hash;

	fixed_part_of(attrs, &fixed);
	hash = hash_bytes(&fixed, sizeof(fixed), 0);
	for (size_t i = 0; i < N_BLOBS; i++) {
		const struct bgp_blob *blob = blob_at(attrs, i);

		/* The length goes in too, so that octets can not move from one blob to the next. */
		hash = hash_u32(blob->len, hash);
		if (blob->len)
			hash = hash_bytes(blob->data, blob->len, hash);
	}
	return hash;
}
