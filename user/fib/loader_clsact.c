// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of the clsact qdisc, where the kernel has no tcx (before 6.6). They have no links and no pins: each stays
 * with its device until it is taken off, and its place, by direction, priority and handle, says that it is ours.
 * The qdisc stays as well: others may have filters there.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "links_impl.h"

#define BESIDE_STEER 0x5851 /* in front of xrs_steer_tc, which may redirect */

const struct clsact clsact_steer = { BPF_TC_INGRESS, 0x5852, { STEER_TC, UPLINK_TC } };
const struct clsact clsact_snoop[] = {
	{ BPF_TC_INGRESS, BESIDE_STEER, { SNOOP_IN } },
	{ BPF_TC_EGRESS, BESIDE_STEER, { SNOOP_OUT } },
};

static struct bpf_tc_hook hook_of(const struct clsact *place, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = place->point);

	return hook;
}

/* Priority and handle are one number. */
static struct bpf_tc_opts opts_of(const struct clsact *place)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = place->where, .priority = place->where);

	return opts;
}

uint32_t clsact_prog(const struct clsact *place, uint32_t ifindex)
{
	struct bpf_tc_hook hook = hook_of(place, ifindex);
	struct bpf_tc_opts opts = opts_of(place);
	char name[16];
	int ret;

	loader_log_expect_no(true);
	ret = bpf_tc_query(&hook, &opts);
	loader_log_expect_no(false);
	if (ret)
		return 0;
	loader_prog_name(opts.prog_id, name);
	for (size_t i = 0; i < CLSACT_NAMES && place->names[i]; i++) {
		if (!strcmp(name, place->names[i]))
			return opts.prog_id;
	}
	return 0;
}

int clsact_attach(const struct clsact *place, uint32_t ifindex, int prog_fd, bool *ret_replaced)
{
	struct bpf_tc_hook hook = hook_of(place, ifindex);
	struct bpf_tc_opts opts = opts_of(place);
	int ret;

	loader_log_expect_no(true); /* it may be there, somebody else's as well */
	ret = bpf_tc_hook_create(&hook);
	loader_log_expect_no(false);
	if (ret && ret != -EEXIST)
		return ret;
	*ret_replaced = clsact_prog(place, ifindex);
	if (*ret_replaced)
		opts.flags = BPF_TC_F_REPLACE;
	opts.prog_fd = prog_fd;
	return bpf_tc_attach(&hook, &opts);
}

void clsact_detach(const struct clsact *place, uint32_t ifindex)
{
	struct bpf_tc_hook hook = hook_of(place, ifindex);
	struct bpf_tc_opts opts = opts_of(place);

	if (ifindex && !loader_has_tcx() && clsact_prog(place, ifindex))
		bpf_tc_detach(&hook, &opts);
}

void clsact_each(const char *instance, void (*fn)(const void *ctx, uint32_t ifindex),
		 const void *ctx)
{
	char dir[FIB_PATH_MAX], path[LOADER_PATH_MAX];
	uint32_t ifindex = 0;
	int fd;

	if (loader_has_tcx())
		return;
	pin_dir(instance, "maps", dir);
	snprintf(path, sizeof(path), "%s/xrs_nic", dir);
	fd = bpf_obj_get(path);
	while (fd >= 0 && !bpf_map_get_next_key(fd, ifindex ? &ifindex : NULL, &ifindex))
		fn(ctx, ifindex);
	if (fd >= 0)
		close(fd);
}

struct sweep {
	bool (*wanted)(void *ctx, uint32_t ifindex);
	void *ctx;
	const struct clsact *places;
	size_t n;
};

static void sweep_one(const void *ctx, uint32_t ifindex)
{
	const struct sweep *sweep = ctx;

	if (sweep->wanted(sweep->ctx, ifindex))
		return;
	for (size_t i = 0; i < sweep->n; i++)
		clsact_detach(&sweep->places[i], ifindex);
}

void clsact_sweep(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex), void *ctx,
		  const struct clsact *places, size_t n)
{
	const struct sweep sweep = { wanted, ctx, places, n };

	clsact_each(instance, sweep_one, &sweep);
}

void loader_sweep_filters(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex),
			  void *ctx)
{
	clsact_sweep(instance, wanted, ctx, &clsact_steer, 1);
}
