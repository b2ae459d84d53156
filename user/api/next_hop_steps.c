// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet meets in the program, step by step, from the record that the program filled (struct
 * xrs_decision) and the frame that it gave back. The order is that of bpf/xrs.bpf.c, and every reason to
 * stop belongs to one step: those before it were passed. Called by nic.showNextHop. Reads only.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"

#define DETAIL       256
#define REASON(name) (1u << XRS_REASON_##name)

static_assert(XRS_REASON_MAX <= 32, "a set of reasons has 32 bits");

struct walk {
	const struct node *node;
	const struct step_input *input;
	const struct xrs_decision *decision;
	struct xrs_nexthop hop; /* of the decision; family 0: none */
	bool bridged;
	char detail[DETAIL];
};

static void say(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct walk *walk, const char *format, ...)
{
	size_t used = strlen(walk->detail);
	va_list args;

	va_start(args, format);
	vsnprintf(walk->detail + used, sizeof(walk->detail) - used, format, args);
	va_end(args);
}

static const char *mac(const uint8_t *octets, char buf[static MAC_TEXT_MAX])
{
	struct mac_addr addr;

	memcpy(addr.bytes, octets, sizeof(addr.bytes));
	return mac_format(&addr, buf);
}

/* --- what each step has to say -------------------------------------------------------------------- */

static void about_nic(struct walk *walk)
{
	const struct node_nic *nic = walk->input->nic;

	say(walk, "%s, ifindex %u, role %s, route table %s.%s", nic->name, nic->ifindex,
	    nic_role_name(nic->role), nic->vnet->config->name, nic->table->config->name);
}

static void about_gateway(struct walk *walk)
{
	char text[MAC_TEXT_MAX];

	say(walk, "destination MAC %s", mac(walk->input->frame, text));
	if (!walk->input->entry->n_gateway_macs)
		say(walk, "; the nic has no gateway MAC");
}

static void about_ip(struct walk *walk)
{
	say(walk, "IPv%u, %zu octets", walk->decision->family ?: walk->input->dst.family,
	    walk->input->len - ETH_HLEN);
}

static void about_source(struct walk *walk)
{
	char text[IP_TEXT_MAX];

	say(walk, "%s; antiSpoof is %s", ip_format(&walk->input->src, text),
	    walk->input->entry->flags & XRS_NIC_F_ANTI_SPOOF ? "on" : "off");
}

static void about_destination(struct walk *walk)
{
	char text[IP_TEXT_MAX];

	say(walk, "%s", ip_format(&walk->input->dst, text));
}

static void about_ttl(struct walk *walk)
{
	say(walk, "%u", walk->input->frame[ETH_HLEN + (walk->input->dst.family == IP_V6 ? 7 : 8)]);
}

static void about_table(struct walk *walk)
{
	say(walk, "index %u", walk->decision->table);
}

static void about_route(struct walk *walk)
{
	static const char *const kinds[] = {
		[XRS_ROUTE_STEER] = "steer",
		[XRS_ROUTE_LOCAL] = "VnetLocal: to the kernel",
		[XRS_ROUTE_INTERNET] = "Internet: to the kernel",
		[XRS_ROUTE_DROP] = "None: drop",
		[XRS_ROUTE_PROTECTED] = "protected: to the kernel",
	};
	struct ip_prefix prefix = prefix_of(&walk->input->dst, walk->decision->prefix_len);
	char text[PREFIX_TEXT_MAX];

	if (walk->decision->reason == XRS_REASON_NO_ROUTE)
		say(walk, "no prefix matches");
	else
		say(walk, "%s: %s", prefix_format(&prefix, text),
		    walk->decision->kind <= XRS_ROUTE_PROTECTED ? kinds[walk->decision->kind]
								: "?");
}

static void about_member(struct walk *walk)
{
	struct ip_addr addr = ip_from_bytes(walk->hop.family, walk->hop.addr);
	char text[IP_TEXT_MAX];

	say(walk, "group %u, flow hash 0x%08x, bucket %u: ", walk->decision->group,
	    walk->decision->hash, walk->decision->bucket);
	if (!walk->hop.family)
		say(walk, "no live member");
	else
		say(walk, "next hop %u, %s%s%.*s", walk->decision->nexthop, ip_format(&addr, text),
		    *walk->hop.peering ? ", " : "", (int)sizeof(walk->hop.peering),
		    walk->hop.peering);
}

static void about_way(struct walk *walk)
{
	static const char *const ways[] = { "none", "redirect", "bridge", "kernel", "vxlan" };
	char name[16];
	const char *interface = nic_ifname(walk->node, walk->hop.ifindex, name);

	say(walk, "%s", walk->hop.way <= XRS_WAY_VXLAN ? ways[walk->hop.way] : "?");
	if (interface)
		say(walk, " by %s", interface);
}

static void about_loop(struct walk *walk)
{
	char text[MAC_TEXT_MAX];

	say(walk, "from %s", mac(walk->input->frame + ETH_ALEN, text));
	say(walk, " to %s", mac(walk->hop.dmac, text));
}

static void about_mtu(struct walk *walk)
{
	say(walk, "%zu octets, MTU %u", walk->input->len - ETH_HLEN, walk->hop.mtu);
}

static void about_vlan(struct walk *walk)
{
	if (walk->hop.vlan)
		say(walk, "next hop in VLAN %u", walk->hop.vlan);
	else
		say(walk, "untagged");
}

/* As the program gave the frame back. */
static void about_frame(struct walk *walk)
{
	const struct loader_verdict *verdict = walk->input->verdict;
	size_t l3 = ETH_HLEN;
	char text[MAC_TEXT_MAX];

	if (verdict->len < ETH_HLEN + 20)
		return;
	if (verdict->frame[12] == 0x81 && verdict->frame[13] == 0)
		l3 += 4;
	say(walk, "destination MAC %s", mac(verdict->frame, text));
	say(walk, ", source MAC %s", mac(verdict->frame + ETH_ALEN, text));
	say(walk, ", TTL %u, %zu octets",
	    verdict->frame[l3 + (walk->input->dst.family == IP_V6 ? 7 : 8)], verdict->len);
}

/* --- the order -------------------------------------------------------------------------------------- */

static const struct step {
	const char *name;
	uint32_t stops; /* reasons that are found here */
	void (*about)(struct walk *walk);
} steps[] = {
	{ "nic", REASON(UNKNOWN_NIC), about_nic },
	{ "gateway", REASON(NOT_GATEWAY), about_gateway },
	{ "header", REASON(NOT_IP) | REASON(TRUNCATED) | REASON(BAD_HEADER), about_ip },
	{ "source", REASON(SPOOFED), about_source },
	{ "options", REASON(IP_OPTIONS), NULL },
	{ "destination", REASON(SPECIAL_DST), about_destination },
	{ "ttl", REASON(TTL_EXPIRED) | REASON(TTL_ANSWERED), about_ttl },
	{ "table", REASON(NO_TABLE), about_table },
	{ "route",
	  REASON(NO_ROUTE) | REASON(LOCAL) | REASON(INTERNET) | REASON(PROTECTED) | REASON(NONE),
	  about_route },
	{ "member", REASON(NO_NEXTHOP), about_member },
	{ "way", REASON(TO_KERNEL), about_way },
	{ "loop", REASON(SELF_LOOP), about_loop },
	{ "mtu", REASON(TOO_BIG) | REASON(TOO_BIG_ANSWERED), about_mtu },
	{ "vlan", REASON(VLAN_MISMATCH), about_vlan },
	{ "send",
	  REASON(REDIRECTED) | REASON(BRIDGED) | REASON(TC_REDIRECTED) | REASON(TC_BRIDGED) |
		  REASON(ENCAPSULATED) | REASON(TC_ENCAPSULATED) | REASON(DELIVERED) |
		  REASON(TC_DELIVERED) | REASON(TO_TC),
	  about_frame },
};

static void write_step(struct json_out *out, struct walk *walk, const struct step *step)
{
	unsigned int reason = walk->decision->reason;
	bool decides = step->stops & 1u << reason;

	walk->detail[0] = 0;
	if (step->about)
		step->about(walk);
	json_out_begin_object(out, NULL);
	json_out_string(out, "step", step->name);
	json_out_string(out, "result", decides ? fib_reason_verdict(reason) : "goes on");
	json_out_string(out, "reason", decides ? fib_reason_name(reason) : NULL);
	json_out_string(out, "detail", walk->detail);
	json_out_end_object(out);
}

void write_steps(struct json_out *out, const struct node *node, const struct step_input *input)
{
	const struct xrs_decision *decision = &input->verdict->decision;
	struct walk walk = { .node = node, .input = input, .decision = decision };

	if (decision->nexthop)
		fib_maps_nexthop_get(node->maps, decision->nexthop, &walk.hop);
	json_out_begin_array(out, "steps");
	if (input->tc) {
		json_out_begin_object(out, NULL);
		json_out_string(out, "step", "hook");
		json_out_string(out, "result", "goes on");
		json_out_null(out, "reason");
		json_out_string(out, "detail", "tc: XDP does not steer this frame");
		json_out_end_object(out);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		write_step(out, &walk, &steps[i]);
		if (steps[i].stops & 1u << decision->reason)
			break;
	}
	json_out_end_array(out);
}
