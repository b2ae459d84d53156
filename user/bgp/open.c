// SPDX-License-Identifier: GPL-2.0-only
/*
 * OPEN in and out, and the judgement of a peer's OPEN. Called by peer.c. Must never apply what an OPEN
 * says: it returns a decoded copy, an error to send, or the parameters of the session.
 *
 *	version 1 | my AS 2 | hold time 2 | identifier 4 | length 1 | parameters: (type 1, length 1, value)*
 *
 * and in the form of RFC 9072, where the first parameter's type would stand, 255:
 *
 *	... | length 1 (not 0) | 255 | length 2 | parameters: (type 1, length 2, value)*
 */
#include <errno.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"

#define PARAM_CAPABILITIES 2 /* RFC 5492 4 */
#define PARAM_EXTENDED     255
#define HOLD_TIME_MIN      3 /* RFC 4271 6.2: 0, or at least this */

uint32_t bgp_open_asn(const struct bgp_open *open)
{
	return open->caps.as4 ? open->caps.asn : open->my_as;
}

static int refuse(struct bgp_error *ret_error, uint8_t subcode, const char *reason)
{
	bgp_error_set(ret_error, BGP_ERR_OPEN, subcode, reason, NULL, 0);
	return -EBADMSG;
}

/* --- decoding -------------------------------------------------------------------------------- */

/*
 * Leaves *r at the first parameter. RFC 9072 2: the extended form is known by its type octet; the short
 * length before it is then not 0 and says nothing more.
 */
static int read_parameters_length(struct wire_reader *r, bool *ret_extended)
{
	uint8_t short_len = wire_u8(r);
	struct wire_reader ahead = *r;
	size_t len = short_len;

	*ret_extended = short_len && wire_u8(&ahead) == PARAM_EXTENDED;
	if (*ret_extended) {
		len = wire_u16(&ahead);
		*r = ahead;
	}
	return r->failed || len != wire_left(r) ? -EBADMSG : 0;
}

static int read_parameters(struct wire_reader *r, struct bgp_open *open,
			   struct bgp_error *ret_error)
{
	if (read_parameters_length(r, &open->extended_parameters) < 0)
		return refuse(ret_error, BGP_OPEN_UNSPECIFIC,
			      "optional parameters do not fill the OPEN");
	while (wire_left(r)) {
		uint8_t type = wire_u8(r);
		size_t len = open->extended_parameters ? wire_u16(r) : wire_u8(r);
		struct wire_reader value = wire_sub(r, len);

		if (r->failed)
			return refuse(ret_error, BGP_OPEN_UNSPECIFIC,
				      "optional parameter overruns the OPEN");
		/* Also 255 in a later place (RFC 9072 2) and the old authentication parameter, 1. */
		if (type != PARAM_CAPABILITIES)
			return refuse(ret_error, BGP_OPEN_BAD_PARAMETER,
				      "unknown optional parameter");
		if (bgp_caps_decode(&value, &open->caps) < 0)
			return refuse(ret_error, BGP_OPEN_UNSPECIFIC, "malformed capability");
	}
	return r->failed ? refuse(ret_error, BGP_OPEN_UNSPECIFIC, "OPEN is too short") : 0;
}

int bgp_open_decode(const uint8_t *body, size_t len, struct bgp_open *ret_open,
		    struct bgp_error *ret_error)
{
	/* RFC 4271 6.2: the largest version that we speak and the peer did not ask for. */
	static const uint8_t our_version[2] = { 0, BGP_VERSION };
	struct bgp_open open = { 0 };
	struct wire_reader r;

	wire_read_init(&r, body, len);
	open.version = wire_u8(&r);
	open.my_as = wire_u16(&r);
	open.hold_time = wire_u16(&r);
	open.id = wire_u32(&r);
	if (open.version != BGP_VERSION && !r.failed) {
		bgp_error_set(ret_error, BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION,
			      "unsupported BGP version", our_version, sizeof(our_version));
		return -EBADMSG;
	}
	if (read_parameters(&r, &open, ret_error) < 0)
		return -EBADMSG;
	*ret_open = open;
	return 0;
}

/* --- encoding -------------------------------------------------------------------------------- */

/* All capabilities go into one parameter, which every speaker since RFC 3392 understands. */
static void put_parameters(struct wire_writer *w, const uint8_t *caps, size_t len, bool extended)
{
	if (!len && !extended) {
		wire_put_u8(w, 0);
		return;
	}
	if (extended) {
		wire_put_u8(w, PARAM_EXTENDED);
		wire_put_u8(w, PARAM_EXTENDED);
		wire_put_u16(w, len ? len + 3 : 0);
	} else {
		wire_put_u8(w, len + 2);
	}
	if (!len)
		return;
	wire_put_u8(w, PARAM_CAPABILITIES);
	if (extended)
		wire_put_u16(w, len);
	else
		wire_put_u8(w, len);
	wire_put_bytes(w, caps, len);
}

int bgp_open_encode(const struct bgp_open *open, uint8_t *buf, size_t cap)
{
	uint8_t caps[BGP_CAPS_ENCODED_MAX];
	struct wire_writer w, c;

	_Static_assert(BGP_CAPS_ENCODED_MAX + 2 < PARAM_EXTENDED, "the short form always suffices");
	wire_write_init(&c, caps, sizeof(caps));
	bgp_caps_encode(&open->caps, &c);
	wire_write_init(&w, buf, cap);
	bgp_frame_begin(&w, BGP_MSG_OPEN);
	wire_put_u8(&w, open->version);
	wire_put_u16(&w, open->my_as);
	wire_put_u16(&w, open->hold_time);
	wire_put_u32(&w, open->id);
	put_parameters(&w, caps, c.pos, open->extended_parameters);
	bgp_frame_finish(&w, 0);
	return w.failed || c.failed ? -ENOSPC : (int)w.pos;
}

/* --- judgement ------------------------------------------------------------------------------- */

struct judgement {
	const struct bgp_open *sent, *received;
	const struct bgp_open_policy *policy;
	struct bgp_session_params params;
	struct bgp_error *error;
};

bool bgp_asn_set_has(const struct bgp_asn_set *set, uint32_t asn)
{
	for (uint32_t i = 0; i < set->n; i++) {
		if (asn >= set->range[i].first && asn <= set->range[i].last)
			return true;
	}
	return false;
}

static bool is_wanted_asn(const struct bgp_open_policy *policy, uint32_t asn)
{
	if (policy->peer_asn)
		return asn == policy->peer_asn;
	return policy->peer_asns.n ? bgp_asn_set_has(&policy->peer_asns, asn)
				   : asn != policy->local_asn;
}

/*
 * RFC 4271 6.2, RFC 6793 9, RFC 7607 2: neither 0 nor AS_TRANS is anybody's number, and the 2-octet
 * field agrees with the capability or holds AS_TRANS.
 */
static int check_asn(struct judgement *j)
{
	const struct bgp_open *open = j->received;
	uint32_t asn = bgp_open_asn(open);

	if (!asn || !open->my_as)
		return refuse(j->error, BGP_OPEN_BAD_PEER_AS, "AS 0 in OPEN");
	if (asn == BGP_AS_TRANS)
		return refuse(j->error, BGP_OPEN_BAD_PEER_AS, "AS_TRANS as the peer's own ASN");
	if (open->my_as != BGP_AS_TRANS && open->my_as != asn)
		return refuse(j->error, BGP_OPEN_BAD_PEER_AS,
			      "ASN of OPEN and of its 4-octet AS capability differ");
	if (!is_wanted_asn(j->policy, asn))
		return refuse(j->error, BGP_OPEN_BAD_PEER_AS, "not the configured peer ASN");
	return 0;
}

/* RFC 6286 2.1, 2.2: not 0; unique inside an AS, any value between two. */
static int check_id(struct judgement *j)
{
	uint32_t id = j->received->id;

	if (!id)
		return refuse(j->error, BGP_OPEN_BAD_ID, "BGP identifier 0");
	if (!j->params.ebgp && id == j->policy->local_id)
		return refuse(j->error, BGP_OPEN_BAD_ID, "BGP identifier is our own");
	return 0;
}

/* RFC 4271 4.2 and 6.2; keepalives at a third of the hold time (4.4). */
static int check_hold_time(struct judgement *j)
{
	uint16_t theirs = j->received->hold_time, ours = j->policy->hold_time, hold, third;

	if (theirs && theirs < HOLD_TIME_MIN)
		return refuse(j->error, BGP_OPEN_BAD_HOLD_TIME, "hold time of 1 or 2 seconds");
	hold = theirs < ours ? theirs : ours;
	third = hold / 3;
	j->params.hold_time = hold;
	j->params.keepalive_time = third;
	if (j->policy->keepalive_time && j->policy->keepalive_time < third)
		j->params.keepalive_time = j->policy->keepalive_time;
	return 0;
}

/* RFC 5492 5: the data lists the capabilities that were missed, as they would stand in an OPEN. */
static int refuse_missing(struct judgement *j, const struct bgp_caps *missed, const char *reason)
{
	uint8_t data[BGP_CAPS_ENCODED_MAX];
	struct wire_writer w;

	wire_write_init(&w, data, sizeof(data));
	bgp_caps_encode(missed, &w);
	bgp_error_set(j->error, BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, reason, data, w.pos);
	return -EBADMSG;
}

static int check_capabilities(struct judgement *j)
{
	const struct bgp_caps *ours = &j->sent->caps;
	uint32_t required = j->policy->required_families;
	uint32_t missing = required & ~j->params.families;
	struct bgp_caps missed = { .multiprotocol = true, .families = missing };

	if (missing)
		return refuse_missing(j, &missed, "a required address family is not offered");
	if (!j->params.families) {
		missed.families =
			ours->multiprotocol ? ours->families : BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
		return refuse_missing(j, &missed, "no address family in common");
	}
	missed = (struct bgp_caps){ 0 };
	if (bgp_caps_missed(ours, &j->params, j->policy->needed, &missed))
		return refuse_missing(j, &missed, "a required capability is not in force");
	return 0;
}

/* RFC 9234 4.2: roles are for external sessions; a peer without one passes unless strict. */
static int check_role(struct judgement *j)
{
	static const uint8_t counterpart[BGP_ROLE_MAX] = {
		[BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER, [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
		[BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,      [BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,
		[BGP_ROLE_PEER] = BGP_ROLE_PEER,
	};
	const struct bgp_caps *ours = &j->sent->caps, *theirs = &j->received->caps;

	if (!j->params.ebgp)
		return 0;
	if (theirs->role_conflict)
		return refuse(j->error, BGP_OPEN_ROLE_MISMATCH, "two different BGP roles");
	if (!theirs->has_role && j->policy->require_role)
		return refuse(j->error, BGP_OPEN_ROLE_MISMATCH, "BGP role is required");
	if (ours->has_role && theirs->has_role &&
	    (ours->role >= BGP_ROLE_MAX || theirs->role != counterpart[ours->role]))
		return refuse(j->error, BGP_OPEN_ROLE_MISMATCH, "BGP roles do not match");
	return 0;
}

int bgp_open_accept(const struct bgp_open *sent, const struct bgp_open *received,
		    const struct bgp_open_policy *policy, struct bgp_session_params *ret_params,
		    struct bgp_error *ret_error)
{
	static int (*const checks[])(struct judgement *) = { check_asn, check_id, check_hold_time,
							     check_capabilities, check_role };
	struct judgement j = {
		.sent = sent,
		.received = received,
		.policy = policy,
		.error = ret_error,
		.params = { .local_asn = policy->local_asn,
			    .local_id = policy->local_id,
			    .peer_asn = bgp_open_asn(received),
			    .peer_id = received->id },
	};

	j.params.ebgp = j.params.peer_asn != policy->local_asn;
	bgp_caps_negotiate(&sent->caps, &received->caps, &j.params);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i](&j) < 0)
			return -EBADMSG;
	}
	*ret_params = j.params;
	return 0;
}
