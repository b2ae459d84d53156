/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between attr.c and update_decode.c only: one rule for each path attribute, and what its reader may
 * touch. The rules are RFC 7606 section 7 and RFC 4271 section 6.3 as a table.
 */
#ifndef XRS_BGP_ATTR_RULES_H
#define XRS_BGP_ATTR_RULES_H

#include "bgp/update_decode.h"

/* What is wrong, as RFC 4271 6.3 would report it in a reset. */
struct attr_fault {
	const char *reason;
	uint8_t subcode;          /* of UPDATE Message Error */
	bool no_data;             /* the RFC puts nothing into the data; else: the attribute */
	enum bgp_outcome outcome; /* BGP_ACCEPT: what the attribute's rule says */
};

/* One UPDATE being read. */
struct attr_context {
	const struct bgp_session_params *params;
	struct bgp_update *update;
	size_t scratch_used;
	bool v4_reach;         /* the message's own NLRI field is not empty */
	bool foreign_reach;    /* MP_REACH_NLRI of a family not in force */
	bool mp_unreach_empty; /* an MP_UNREACH_NLRI of a family in force, without prefixes */
	unsigned int multicast;
	struct bgp_blob as4_path;
	bool has_as4_path, has_as4_aggregator;
	uint32_t as4_aggregator_asn, as4_aggregator_id;
};

struct attr_rule;
/* NULL: not known to us. */
const struct attr_rule *attr_rule_of(uint8_t code);
/*
 * Reads one attribute into the context. NULL, or what is wrong with it and *ret_outcome; then nothing of
 * it was kept, except the prefixes of MP_REACH_NLRI when they can be withdrawn.
 */
const struct attr_fault *attr_read(struct attr_context *ctx, const struct attr_rule *rule,
				   uint8_t flags, struct bgp_blob value,
				   enum bgp_outcome *ret_outcome);
/* RFC 6793 4.2.3, after all attributes: AS4_AGGREGATOR and AS4_PATH take their places. NULL or a fault. */
const struct attr_fault *attr_merge_as4(struct attr_context *ctx);
/* NLRI of one section, checked and counted. 0 or -EBADMSG. */
int attr_take_nlri(struct attr_context *ctx, struct bgp_nlri *nlri, const struct bgp_blob *field,
		   enum bgp_family family);

#endif
