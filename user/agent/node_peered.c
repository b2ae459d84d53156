// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peered vnets at work: which vnet's route tables live on which vnet's RIB, and what follows when that
 * changes. Called by node.c at start and for each new configuration, between the RIBs and the tables.
 * Never touches sessions: what peerings are told changes by rib_set_local() alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS "vnet"

int node_peered_build(struct node *node)
{
	struct peered peered;
	int err = peered_build(node->config->vnets, node->config->n_vnets, &peered);

	if (err < 0)
		return err;
	peered_done(&node->peered);
	node->peered = peered;
	return 0;
}

static size_t index_of(const struct node_vnet *vnet)
{
	return (size_t)(vnet->config - vnet->node->config->vnets);
}

struct ip_prefix *node_peered_prefixes(const struct node_vnet *vnet, bool users, size_t *ret_n)
{
	const struct node *node = vnet->node;
	struct ip_prefix *list;
	int err;

	list = peered_prefixes(&node->peered, node->config->vnets, index_of(vnet), users, ret_n,
			       &err);
	if (err < 0)
		log_err(SUBSYS, "vnet=%s prefixes of peered vnets: %s", vnet->config->name,
			strerror(-err));
	return list;
}

bool node_peered_linked(const struct node_vnet *a, const struct node_vnet *b)
{
	for (size_t i = 0; i < a->n_links; i++) {
		if (a->links[i] == b)
			return true;
	}
	return false;
}

const struct node_vnet *node_peered_owner(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; i < vnet->n_links; i++) {
		if (vnet_contains(vnet->links[i]->config, addr))
			return vnet->links[i];
	}
	return vnet;
}

/* --- links --------------------------------------------------------------------------------------- */

static int list_add(struct node_vnet ***list, size_t *n, struct node_vnet *vnet)
{
	struct node_vnet **grown = realloc(*list, (*n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[(*n)++] = vnet;
	*list = grown;
	return 0;
}

static void list_del(struct node_vnet **list, size_t *n, const struct node_vnet *vnet)
{
	for (size_t i = *n; i-- > 0;) {
		if (list[i] == vnet)
			list[i] = list[--*n];
	}
}

/* The vnet's tables leave the RIB that they live on, if any. */
static void leave_source(struct node_vnet *vnet)
{
	struct node_vnet *source = vnet->source;

	if (!source)
		return;
	if (source->rib)
		node_vnet_withdraw_all(vnet);
	if (source != vnet)
		list_del(source->users, &source->n_users, vnet);
	vnet->source = NULL;
}

static int use_source(struct node_vnet *vnet, struct node_vnet *source)
{
	int err = 0;

	if (vnet->source == source)
		return 0;
	leave_source(vnet);
	if (source && source != vnet)
		err = list_add(&source->users, &source->n_users, vnet);
	if (err < 0 || !source)
		return err;
	vnet->source = source;
	if (source != vnet)
		log_info(SUBSYS, "vnet=%s uses the route server of vnet=%s", vnet->config->name,
			 source->config->name);
	node_vnet_offer_all(vnet);
	return 0;
}

static struct node_vnet *at_index(const struct node *node, size_t index)
{
	return index == PEERED_NONE ? NULL : node_find_vnet(node, node->config->vnets[index].name);
}

static int relink_one(struct node_vnet *vnet)
{
	const struct node *node = vnet->node;
	const struct peered_vnet *peered = &node->peered.vnets[index_of(vnet)];
	struct node_vnet *source = at_index(node, peered->source);
	int err = 0;

	vnet->n_links = 0;
	for (size_t i = 0; i < peered->n_links && err == 0; i++) {
		struct node_vnet *remote = at_index(node, peered->links[i].remote);

		if (remote)
			err = list_add(&vnet->links, &vnet->n_links, remote);
	}
	if (err == 0)
		err = use_source(vnet, source && source->rib ? source : NULL);
	if (err < 0)
		log_err(SUBSYS, "vnet=%s peered vnets: %s", vnet->config->name, strerror(-err));
	return err;
}

int node_peered_relink(struct node *node)
{
	int err = 0;

	for (size_t i = 0; i < node->n_vnets; i++) {
		int one = relink_one(node->vnets[i]);

		err = err ? err : one;
	}
	return err;
}

void node_peered_unlink(struct node_vnet *vnet)
{
	const struct node *node = vnet->node;

	for (size_t i = 0; i < node->n_vnets; i++) {
		struct node_vnet *other = node->vnets[i];

		list_del(other->links, &other->n_links, vnet);
		if (other->source == vnet && !node->stopping)
			leave_source(other);
		else if (other->source == vnet)
			other->source = NULL;
		list_del(other->users, &other->n_users, vnet);
	}
	vnet->source = NULL;
	vnet->n_links = vnet->n_users = 0;
}
