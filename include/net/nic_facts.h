/* SPDX-License-Identifier: GPL-2.0-only */
/* A link of the picture as nic rules see it (vnet/nic_match.h). Pure; called by the agent. */
#ifndef XRS_NET_NIC_FACTS_H
#define XRS_NET_NIC_FACTS_H

#include "net/net_model.h"
#include "vnet/nic_match.h"

void net_nic_facts(const struct net_model *model, const struct net_link *link,
		   struct nic_facts *ret);

#endif
