// SPDX-License-Identifier: GPL-2.0-only
/* Handlers of trace.start and trace.stop: the rule that packets are told by. The node does the rest. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"

#define SECONDS_DEFAULT 60
#define RATE_DEFAULT    100 /* records a second and CPU */

static uint32_t protocol_number(const char *name, uint32_t family)
{
	if (!name)
		return 0;
	if (strcmp(name, "tcp") == 0)
		return IPPROTO_TCP;
	if (strcmp(name, "udp") == 0)
		return IPPROTO_UDP;
	return family == IP_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* @name's prefix into one side of the rule; false: the other side is of another family. */
static bool take_prefix(const struct api_call *call, const char *name, struct xrs_trace_rule *rule,
			uint32_t *ret_len, uint8_t ret_addr[static 16])
{
	const char *text = request_text(call->request, name);
	struct ip_prefix prefix;

	if (!text || prefix_parse(text, &prefix) < 0)
		return true;
	if (rule->family && rule->family != prefix.addr.family)
		return false;
	rule->family = prefix.addr.family;
	*ret_len = prefix.len;
	memcpy(ret_addr, prefix.addr.bytes, 16);
	return true;
}

static bool take_reason(const struct api_call *call, struct xrs_trace_rule *rule)
{
	const char *reason = request_text(call->request, "reason");

	if (!reason)
		return true;
	for (unsigned int i = 0; i < XRS_REASON_MAX; i++) {
		if (strcmp(reason, fib_reason_name(i)) == 0 ||
		    strcmp(reason, fib_reason_verdict(i)) == 0)
			rule->reasons |= 1ull << i;
	}
	return rule->reasons;
}

static int fill_rule(struct api_call *call, struct xrs_trace_rule *rule)
{
	const struct api_request *request = call->request;
	int64_t rate = request_integer(request, "perSecond", RATE_DEFAULT);

	if (!take_prefix(call, "source", rule, &rule->src_len, rule->src) ||
	    !take_prefix(call, "destination", rule, &rule->dst_len, rule->dst))
		return api_fail(call->error, API_INVALID_PARAMS, "destination",
				"'source' and 'destination' must be of one family");
	if (!take_reason(call, rule))
		return api_fail(
			call->error, API_INVALID_PARAMS, "reason",
			"'%s' is neither a counter of nic.show nor steered, passed, dropped",
			request_text(request, "reason"));
	rule->proto = protocol_number(request_text(request, "protocol"), rule->family);
	rule->sport = (uint16_t)request_integer(request, "sourcePort", 0);
	rule->dport = (uint16_t)request_integer(request, "destinationPort", 0);
	rule->sample = (uint32_t)request_integer(request, "sample", 1);
	rule->gap_ns = 1000000000ull / (uint64_t)rate;
	return 0;
}

int method_trace_start(struct api_call *call)
{
	struct node_nic *nic = call_nic_of(call, "nic");
	int64_t seconds = request_integer(call->request, "seconds", SECONDS_DEFAULT);
	struct xrs_trace_rule rule = { 0 };
	int r;

	if (!nic || fill_rule(call, &rule) < 0)
		return -1;
	if (!call->node->maps)
		return api_fail(call->error, API_NOT_READY, NULL,
				"there is no data plane (dataplane.mode none)");
	r = node_trace_start(call->node, nic, &rule, (unsigned int)seconds);
	if (r < 0) {
		api_fail(call->error, API_DATAPLANE_ERROR, NULL, "the trace can not begin: %s",
			 strerror(-r));
		call->error->error_number = -r;
		return -1;
	}
	json_out_string(call->out, "nic", nic->name);
	json_out_uint(call->out, "seconds", (uint64_t)seconds);
	return 0;
}

int method_trace_stop(struct api_call *call)
{
	json_out_uint(call->out, "packets", call->node->trace.told);
	node_trace_stop(call->node);
	return 0;
}
