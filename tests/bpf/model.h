/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to a frame, said once more without BPF: lists instead of maps, octets instead of headers,
 * every sum recomputed. Deliberately naive and shares no code with bpf/.
 */
#ifndef XRS_TESTS_BPF_MODEL_H
#define XRS_TESTS_BPF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "util/prefix.h"

#define MODEL_NICS   4
#define MODEL_ROUTES 64
#define MODEL_SLOTS  32

struct model_route {
	struct ip_prefix prefix;
	struct xrs_route value;
};

#define MODEL_HOSTS 24

struct model_host {
	struct xrs_host_key key;
	struct xrs_nexthop value;
};

struct model {
	uint32_t ifindex[MODEL_NICS];
	int counted; /* the nic that is the loopback device */
	struct xrs_nic nic[MODEL_NICS];
	uint32_t table; /* the only one there is */
	struct model_route route[MODEL_ROUTES];
	unsigned int n_routes;
	struct xrs_bucket bucket[MODEL_SLOTS];
	struct xrs_nexthop nexthop[MODEL_SLOTS];
	struct model_host host[MODEL_HOSTS];
	unsigned int n_hosts;
	uint32_t device[2]; /* those in the devmap */
};

struct model_result {
	enum xrs_reason reason;
	uint32_t action;
	uint32_t nexthop, group, prefix_len;
	const struct xrs_nexthop *way; /* how it leaves; NULL: nowhere */
	uint8_t frame[4096];
	size_t len;
};

enum model_half {
	MODEL_XDP,
	MODEL_GENERIC, /* XDP for generic mode: any device will do */
	MODEL_TC,
};
void model_run(const struct model *model, uint32_t ifindex, const uint8_t *frame, size_t len,
	       enum model_half half, struct model_result *ret);

#endif
