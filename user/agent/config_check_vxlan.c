// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `vxlan` of a vnet means as a whole: ends that a packet can be sent to. Part of config_check(). Pure.
 */
#include <stdio.h>
#include <string.h>

#include "agent/config_schema.h"

#define CHECK_PATH 160

static int fail_at(struct config_ctx *ctx, size_t v, size_t i, const char *key, const char *message)
{
	char at[CHECK_PATH];

	snprintf(at, sizeof(at), "vnets[%zu].vxlan[%zu].%s", v, i, key);
	return config_fail_at(ctx, at, "%s", message);
}

int config_check_vxlan(struct config_ctx *ctx, size_t v, size_t i)
{
	static const struct mac_addr zero;
	const struct vxlan_config *vxlan = &ctx->config->vnets[v].vxlan[i];

	if (vxlan->local.family && vxlan->local.family != vxlan->remote.family)
		return fail_at(ctx, v, i, "localAddress",
			       "must be of the same family as remoteAddress");
	if (memcmp(&vxlan->mac, &zero, sizeof(zero)) == 0)
		return fail_at(ctx, v, i, "nextHopMac", "is nobody's: write the appliance's own");
	if (vxlan->zero_checksum && vxlan->remote.family == IP_V4)
		return fail_at(ctx, v, i, "zeroChecksum",
			       "has no effect over IPv4, where the checksum is always zero: leave "
			       "it out");
	return 0;
}
