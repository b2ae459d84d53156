// SPDX-License-Identifier: GPL-2.0-only
/* Copies what nic rules look at out of the picture: vnet may not read net's headers. Pure. */
#include <string.h>

#include "net/nic_facts.h"

_Static_assert(NIC_ALT_NAMES_MAX == NET_ALT_NAMES_MAX && NIC_IF_NAME_MAX == NET_IF_NAME_MAX,
	       "one picture of a link");

void net_nic_facts(const struct net_model *model, const struct net_link *link,
		   struct nic_facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ifindex = link->ifindex;
	ret->group = link->group;
	ret->n_alt_names = link->n_alt_names;
	memcpy(ret->name, link->name, sizeof(ret->name));
	memcpy(ret->alt_names, link->alt_names, sizeof(ret->alt_names));
	memcpy(ret->if_alias, link->if_alias, sizeof(ret->if_alias));
	memcpy(ret->kind, link->kind, sizeof(ret->kind));
	memcpy(ret->mac.bytes, link->mac, sizeof(ret->mac.bytes));
	strncat(ret->master, net_model_link_name(model, link->master), sizeof(ret->master) - 1);
}
