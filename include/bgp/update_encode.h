/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UPDATE out: whole messages with header, never over the session's limit, each as full as it can be.
 * Attributes are written in ascending code order; MP_REACH_NLRI and MP_UNREACH_NLRI first, as RFC 7606
 * 5.1 asks. To a 2-octet peer AS_TRANS, AS4_PATH and AS4_AGGREGATOR are made (RFC 6793). Pure.
 */
#ifndef XRS_BGP_UPDATE_ENCODE_H
#define XRS_BGP_UPDATE_ENCODE_H

#include "bgp/attr.h"
#include "bgp/capability.h"
#include "bgp/nlri.h"

/* Prefixes that share one attribute set; each call takes as many as fit into one message. */
struct bgp_prefix_batch {
	const struct ip_prefix *prefixes;
	const uint32_t *path_ids; /* NULL without ADD-PATH */
	size_t count;
	size_t done; /* in: first to send; out: first not sent yet */
};
/*
 * One message that announces prefixes of @family with @attrs (next_hop is the one to send; for IPv6 or
 * RFC 8950 it goes to MP_REACH_NLRI). Octets written; 0: the batch is done; -EMSGSIZE: the attributes
 * and one prefix do not fit into a message of this session; -EINVAL: no ORIGIN or AS_PATH, or a next hop
 * that the family and session can not carry. Both: the route can not be sent to this peer.
 * LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are left out to external peers.
 */
int bgp_update_encode_reach(const struct bgp_attrs *attrs, enum bgp_family family,
			    const struct bgp_session_params *params, struct bgp_prefix_batch *batch,
			    uint8_t *buf, size_t cap);
/* The same for withdrawals; -EMSGSIZE: @cap is too small for one prefix. */
int bgp_update_encode_withdraw(enum bgp_family family, const struct bgp_session_params *params,
			       struct bgp_prefix_batch *batch, uint8_t *buf, size_t cap);
/* End-of-RIB (RFC 4724 2). Octets, or -ENOSPC. */
int bgp_update_encode_eor(enum bgp_family family, uint8_t *buf, size_t cap);

#endif
