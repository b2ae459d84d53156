// SPDX-License-Identifier: GPL-2.0-only
/*
 * DHCP snooping of one device: xrs_snoop_in and xrs_snoop_out at its tcx hooks, pinned as all links are, so that
 * what a server says while no xrsd runs waits in the ring. Called by the agent's attacher and tests.
 *
 *   links/:snoop-<ifindex>-in, links/:snoop-<ifindex>-out
 *
 * By ifindex, not by name: they have to follow no renaming, and a pin whose device is gone says so. Where the
 * kernel has no tcx they are filters of clsact, which stay by themselves as that of xrs_steer_tc does.
 */
#include "links_impl.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX      ":snoop-"
#define FLAG_BEFORE (1u << 3) /* BPF_F_BEFORE of 6.6: ahead of xrs_steer_tc, which may redirect */
#define TCX_INGRESS 46        /* enum bpf_attach_type of 6.6; older headers lack the names */
#define TCX_EGRESS  47

static const struct {
	const char *name;
	int type;
} hooks[] = { { "in", TCX_INGRESS }, { "out", TCX_EGRESS } };

#define HOOKS (sizeof(hooks) / sizeof(*hooks))

static void snoop_path(const char *instance, uint32_t ifindex, size_t hook,
		       char buf[static LOADER_PATH_MAX])
{
	char dir[FIB_PATH_MAX];

	pin_dir(instance, "links", dir);
	snprintf(buf, LOADER_PATH_MAX, "%s/" PREFIX "%u-%s", dir, ifindex, hooks[hook].name);
}

/* The pinned link of this very device: a descriptor, or -ENOENT; what another device left is taken away. */
static int find_pin(const char *path, uint32_t ifindex)
{
	struct link_state state;
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return fd;
	if (!link_read(fd, &state) && state.ifindex == ifindex)
		return fd;
	link_drop(fd, path);
	return -ENOENT;
}

static int prog_of(const struct loader *loader, size_t hook)
{
	return hook ? loader->progs.snoop_out : loader->progs.snoop_in;
}

static int add_link(const struct loader *loader, uint32_t ifindex, size_t hook)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = FLAG_BEFORE);
	int prog = prog_of(loader, hook);
	char path[LOADER_PATH_MAX];
	int ret, fd;

	snoop_path(loader->instance, ifindex, hook, path);
	fd = find_pin(path, ifindex);
	if (fd >= 0) {
		ret = bpf_link_update(fd, prog, NULL);
	} else {
		fd = bpf_link_create(prog, (int)ifindex, (enum bpf_attach_type)hooks[hook].type,
				     &opts);
		ret = fd < 0 ? fd : bpf_obj_pin(fd, path);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static int add_filter(const struct loader *loader, uint32_t ifindex, size_t hook)
{
	bool replaced;

	return clsact_attach(&clsact_snoop[hook], ifindex, prog_of(loader, hook), &replaced);
}

void loader_snoop_drop(const char *instance, uint32_t ifindex)
{
	char path[LOADER_PATH_MAX];

	for (size_t i = 0; i < HOOKS; i++) {
		int fd;

		snoop_path(instance, ifindex, i, path);
		fd = bpf_obj_get(path);
		if (fd >= 0)
			link_drop(fd, path);
		clsact_detach(&clsact_snoop[i], ifindex);
	}
}

int loader_snoop(struct loader *loader, uint32_t ifindex, bool on, char text[static LOADER_TEXT])
{
	bool tcx = loader_has_tcx();
	int ret = 0;

	if (!on) {
		loader_snoop_drop(loader->instance, ifindex);
		return 0;
	}
	for (size_t i = 0; i < HOOKS && !ret; i++)
		ret = tcx ? add_link(loader, ifindex, i) : add_filter(loader, ifindex, i);
	if (!ret)
		return 0;
	loader_snoop_drop(loader->instance, ifindex);
	return loader_say(text, ret, "DHCP snooping: %s: %s", tcx ? "tcx" : "clsact",
			  strerror(-ret));
}

/* --- after a restart ---------------------------------------------------------------------------------- */
static void sweep_links(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex),
			void *ctx)
{
	char dir[FIB_PATH_MAX], path[LOADER_PATH_MAX];
	const struct dirent *entry;
	DIR *stream;

	if (pin_dir(instance, "links", dir))
		return;
	stream = opendir(dir);
	while (stream && (entry = readdir(stream))) {
		uint32_t ifindex;
		int fd;

		if (sscanf(entry->d_name, PREFIX "%u-", &ifindex) != 1 || wanted(ctx, ifindex))
			continue;
		snprintf(path, sizeof(path), "%s/%.200s", dir, entry->d_name);
		fd = bpf_obj_get(path);
		if (fd >= 0)
			link_drop(fd, path);
	}
	if (stream)
		closedir(stream);
}

void loader_snoop_sweep(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex),
			void *ctx)
{
	sweep_links(instance, wanted, ctx);
	clsact_sweep(instance, wanted, ctx, clsact_snoop, HOOKS);
}
