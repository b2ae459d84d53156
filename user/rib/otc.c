// SPDX-License-Identifier: GPL-2.0-only
/*
 * Route leaks (RFC 9234): what our role towards an external peer says about the Only to Customer
 * attribute, on the way in and on the way out. admission.c asks when it admits a route, export.c when it tells
 * one. Must never look at anything but roles and that attribute.
 */
#include "rib_internal.h"

static const struct otc_rule rules[BGP_ROLE_MAX] = {
	/* by our role; the peer is the counterpart */
	[BGP_ROLE_PROVIDER] = { .refuse_in = true, .add_out = true },
	[BGP_ROLE_RS] = { .refuse_in = true, .add_out = true },
	[BGP_ROLE_RS_CLIENT] = { .add_in = true, .refuse_out = true },
	[BGP_ROLE_CUSTOMER] = { .add_in = true, .refuse_out = true },
	[BGP_ROLE_PEER] = { .only_own_in = true,
			    .add_in = true,
			    .add_out = true,
			    .refuse_out = true },
};

struct otc_rule otc_rule(const struct rib_peer *peer)
{
	/* RFC 9234 5: inside an AS the attribute is only carried. */
	if (!peer->config.has_bgp_role || !peer->params.ebgp ||
	    peer->config.bgp_role >= BGP_ROLE_MAX)
		return (struct otc_rule){ 0 };
	return rules[peer->config.bgp_role];
}

bool otc_leaks_in(const struct rib_peer *peer, const struct bgp_attrs *attrs)
{
	struct otc_rule rule = otc_rule(peer);

	if (!(attrs->has & BGP_HAS_OTC))
		return false;
	return rule.refuse_in || (rule.only_own_in && attrs->otc != peer->params.peer_asn);
}
