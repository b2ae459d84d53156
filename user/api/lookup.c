// SPDX-License-Identifier: GPL-2.0-only
/*
 * What handlers share: from names in parameters to the node's structs, with "did you mean", and the small
 * writers of addresses, times and attributes. Reads only.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"
#include "util/closest.h"

static int not_found(struct api_call *call, const char *field, const char *kind, const char *name,
		     const struct closest *closest)
{
	const char *near = closest_best(closest);
	char shown[72];

	log_escape(name, strlen(name), shown, sizeof(shown));
	api_fail(call->error, API_NOT_FOUND, field, "no %s named '%s'", kind, shown);
	if (near)
		snprintf(call->error->did_you_mean, sizeof(call->error->did_you_mean), "%s", near);
	return -1;
}

static struct node_vnet *find_vnet(struct api_call *call, const char *name, const char *field)
{
	struct node_vnet *vnet = node_find_vnet(call->node, name);
	struct closest closest;

	if (vnet)
		return vnet;
	closest_init(&closest, name);
	for (size_t i = 0; i < call->node->n_vnets; i++)
		closest_offer(&closest, call->node->vnets[i]->config->name);
	not_found(call, field, "vnet", name, &closest);
	return NULL;
}

struct node_vnet *call_vnet(struct api_call *call)
{
	const char *name = request_text(call->request, "vnet");

	if (name)
		return find_vnet(call, name, "vnet");
	name = call->request->method->handle == method_vnet_show ||
			       call->request->method->handle == method_vnet_delete
		       ? request_text(call->request, "name")
		       : NULL;
	if (name)
		return find_vnet(call, name, "name");
	if (call->node->n_vnets == 1)
		return call->node->vnets[0];
	if (call->node->n_vnets == 0)
		api_fail(call->error, API_NOT_FOUND, "vnet", "there are no vnets");
	else
		api_fail(call->error, API_INVALID_PARAMS, "vnet",
			 "there are %zu vnets: say which by 'vnet'", call->node->n_vnets);
	return NULL;
}

struct node_peering *call_peering(struct api_call *call)
{
	const char *name = request_text(call->request, "name");
	const char *vnet = request_text(call->request, "vnet");
	struct node_peering *peering;
	struct closest closest;
	bool ambiguous = false;

	if (vnet && !find_vnet(call, vnet, "vnet"))
		return NULL;
	peering = node_find_peering(call->node, vnet, name, &ambiguous);
	if (ambiguous) {
		api_fail(call->error, API_INVALID_PARAMS, "vnet",
			 "several vnets have a peering of this name: say which by 'vnet'");
		return NULL;
	}
	if (peering)
		return peering;
	if (call_range(call)) {
		api_fail(call->error, API_CONFLICT, "name",
			 "'%s' is a range: name one of its peers, '%s-ADDRESS'", name, name);
		return NULL;
	}
	closest_init(&closest, name);
	for (size_t i = 0; i < call->node->n_vnets; i++) {
		const struct node_vnet *v = call->node->vnets[i];

		for (size_t j = 0; j < v->n_ranges; j++)
			closest_offer(&closest, v->ranges[j]->config->name);
		for (size_t j = 0; j < v->n_peerings; j++)
			closest_offer(&closest, v->peerings[j]->config->name);
	}
	not_found(call, "name", "peering", name, &closest);
	return NULL;
}

struct node_nic *call_nic(struct api_call *call)
{
	return call_nic_of(call, "name");
}

struct node_nic *call_nic_of(struct api_call *call, const char *param)
{
	const char *name = request_text(call->request, param);
	struct node_nic *nic = node_find_nic(call->node, name);
	struct closest closest;

	if (nic)
		return nic;
	closest_init(&closest, name);
	for (size_t i = 0; i < call->node->n_nics; i++)
		closest_offer(&closest, call->node->nics[i]->name);
	not_found(call, param, "nic", name, &closest);
	return NULL;
}

struct node_table *call_table(struct api_call *call, struct node_vnet *vnet, const char *param)
{
	const char *name = request_text(call->request, param);
	struct node_table *table = node_find_table(vnet, name ? name : "main");
	struct closest closest;

	if (table)
		return table;
	closest_init(&closest, name ? name : "main");
	for (size_t i = 0; i < vnet->n_tables; i++)
		closest_offer(&closest, vnet->tables[i].config->name);
	not_found(call, param, "route table", name ? name : "main", &closest);
	return NULL;
}

/* --- writers ------------------------------------------------------------------------------------ */

void write_addr(struct json_out *out, const char *key, const struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];

	json_out_string(out, key, addr->family == IP_NONE ? NULL : ip_format(addr, text));
}

void write_prefix(struct json_out *out, const char *key, const struct ip_prefix *prefix)
{
	char text[PREFIX_TEXT_MAX];

	json_out_string(out, key, prefix_format(prefix, text));
}

void write_mac(struct json_out *out, const char *key, const uint8_t *mac)
{
	static const uint8_t zero[6];
	struct mac_addr addr;
	char text[MAC_TEXT_MAX];

	memcpy(addr.bytes, mac, sizeof(addr.bytes));
	json_out_string(out, key, memcmp(mac, zero, 6) == 0 ? NULL : mac_format(&addr, text));
}

void write_time(struct json_out *out, const char *key, uint64_t wall_usec)
{
	char text[RFC3339_MAX];

	json_out_string(out, key, wall_usec ? rfc3339_format(wall_usec, text) : NULL);
}

const char *nic_role_name(enum xrs_nic_role role)
{
	static const char *const names[] = { "vm", "nva", "uplink" };

	return role <= XRS_NIC_UPLINK ? names[role] : "unknown";
}

const char *nic_ifname(const struct node *node, uint32_t ifindex, char buf[static 16])
{
	const struct net_link *link = node->net ? net_model_link(node->net, ifindex) : NULL;

	if (link)
		return link->name;
	snprintf(buf, 16, "if%u", ifindex);
	return ifindex ? buf : NULL;
}
