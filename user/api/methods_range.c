// SPDX-License-Identifier: GPL-2.0-only
/* What peering.list and peering.show tell of a peering with peerRange. Called by methods_peering.c and lookup.c. */
#include <string.h>

#include "api/api_impl.h"

struct node_range *call_range(const struct api_call *call)
{
	bool ambiguous;

	return node_find_range(call->node, request_text(call->request, "vnet"),
			       request_text(call->request, "name"), &ambiguous);
}

static void write_asns(struct json_out *out, const struct bgp_asn_set *set)
{
	json_out_begin_array(out, "peerAsns");
	for (uint32_t i = 0; i < set->n; i++) {
		const struct bgp_asn_range *range = &set->range[i];

		if (range->first == range->last)
			json_out_uint(out, NULL, range->first);
		else
			json_out_stringf(out, NULL, "%u-%u", range->first, range->last);
	}
	json_out_end_array(out);
}

static const char *state_of(const struct node_range *range)
{
	if (!range->config->enabled)
		return "Idle";
	return range->listening && !listener_problem(range->listening) ? "Listening" : "Idle";
}

void write_range(struct json_out *out, const struct node_range *range)
{
	const struct peering_config *config = range->config;
	const char *problem = range->problem[0] ? range->problem : NULL;

	if (!problem && range->listening)
		problem = listener_problem(range->listening);
	json_out_string(out, "name", config->name);
	json_out_null(out, "peerIp");
	write_prefix(out, "peerRange", &config->peer_range);
	if (config->peer_asn)
		json_out_uint(out, "peerAsn", config->peer_asn);
	else
		json_out_null(out, "peerAsn");
	write_asns(out, &config->peer_asns);
	json_out_string(out, "vnet", range->vnet->config->name);
	json_out_string(out, "role", peer_role_name(config->role));
	json_out_string(out, "managedBy", managed_by(config->from_api));
	json_out_string(out, "provisioningState", problem ? "Failed" : "Succeeded");
	json_out_string(out, "adminState", config->enabled ? "enabled" : "disabled");
	json_out_string(out, "state", state_of(range));
	json_out_string(out, "problem", problem);
	json_out_uint(out, "maxPeers", config->max_peers);
	json_out_uint(out, "peers", range->n_peers);
	json_out_uint(out, "peersAccepted", range->accepted);
	json_out_uint(out, "peersRefused", range->refused);
}
