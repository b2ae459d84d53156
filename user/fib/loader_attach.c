// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts both halves on an interface by pinned bpf_links, takes over what an earlier process pinned, tells
 * conflicts, removes. The pins themselves are loader_links.c's.
 *
 * Called by the agent for each nic that appears, by `dataplane detach`, and by tests. It never replaces
 * a program that it did not attach, and never lets go of a link before the new program is in it.
 *
 * The tc half goes first: alone it decides every frame, while XDP alone would leave some to nobody.
 */
#include "links_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTACH_TCX_INGRESS 46 /* enum bpf_attach_type of 6.6; older headers lack the name */

static const char *const mode_names[] = {
	[LOADER_AUTO] = "auto", [LOADER_NATIVE] = "native", [LOADER_GENERIC] = "generic",
	[LOADER_TC] = "tc",     [LOADER_AUTO_TC] = "auto",  [LOADER_UPLINK] = "uplink",
};

const char *loader_mode_name(enum loader_mode mode)
{
	return mode <= LOADER_UPLINK ? mode_names[mode] : "unknown";
}

int loader_mode_parse(const char *name, enum loader_mode *ret_mode)
{
	for (int i = LOADER_AUTO; i <= LOADER_TC; i++) {
		if (!strcmp(name, mode_names[i])) {
			*ret_mode = (enum loader_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* --- one half ----------------------------------------------------------------------------------------- */
struct attach { /* one call of loader_attach() */
	struct loader *loader;
	struct loader_attachment *out;
	char *text;
	enum loader_mode mode;
	bool new_xdp, new_tc; /* to be undone when the other half fails */
};

static int pin_link(struct attach *a, int fd, bool tc, struct loader_half *half)
{
	struct link_state state;
	char path[LOADER_PATH_MAX], dir[FIB_PATH_MAX];
	int ret = link_path(a->loader->instance, a->out->ifname, tc, path);

	if (!ret) {
		pin_dir(a->loader->instance, "links", dir);
		pin_dots(dir, true);
		ret = bpf_obj_pin(fd, path);
		pin_dots(dir, false);
	}
	if (!ret)
		ret = link_read(fd, &state);
	close(fd);
	if (ret)
		return loader_say(a->text, ret, "%s: the link can not be pinned: %s",
				  a->out->ifname, strerror(-ret));
	link_set_known(a->loader, a->out->ifindex, tc, true);
	*half = (struct loader_half){ true, state.prog_id, state.link_id };
	return 0;
}

/* Puts the new program into a pinned link without a gap. -ENOENT: there is none. */
static int adopt_link(struct attach *a, bool tc, int prog_fd, struct loader_half *half)
{
	struct link_state state;
	bool pinned = link_is_known(a->loader, a->out->ifindex, tc);
	int ret, fd = link_find(a->loader->instance, a->out->ifname, a->out->ifindex, tc, pinned,
				&state);

	if (fd < 0)
		return fd;
	link_set_known(a->loader, a->out->ifindex, tc, true);
	ret = bpf_link_update(fd, prog_fd, NULL);
	if (!ret)
		ret = link_read(fd, &state);
	close(fd);
	if (ret)
		return loader_say(a->text, ret, "%s: the pinned link can not be updated: %s",
				  a->out->ifname, strerror(-ret));
	*half = (struct loader_half){ true, state.prog_id, state.link_id };
	a->out->adopted = true;
	return 0;
}

static void remove_link(const char *instance, const char *ifname, uint32_t ifindex, bool tc,
			bool search_others)
{
	struct link_state state;
	char path[LOADER_PATH_MAX];
	int fd = link_find(instance, ifname, ifindex, tc, search_others, &state);

	if (fd < 0 || link_path(instance, ifname, tc, path))
		return;
	if (tc)
		link_drop_second_name(path);
	link_drop(fd, path);
}

static void remove_attached(struct attach *a, bool tc)
{
	remove_link(a->loader->instance, a->out->ifname, a->out->ifindex, tc,
		    link_is_known(a->loader, a->out->ifindex, tc));
	link_set_known(a->loader, a->out->ifindex, tc, false);
}

static int say_conflict(struct attach *a, uint32_t prog_id)
{
	struct loader_attachment *out = a->out;

	out->foreign_id = prog_id;
	loader_prog_name(prog_id, out->foreign_name);
	return loader_say(a->text, -EBUSY,
			  "%s: XDP program %s (id %u) is attached and not ours: exclude the nic, "
			  "use mode tc, or remove it with `ip link set dev %s xdp off`",
			  out->ifname, out->foreign_name, prog_id, out->ifname);
}

/* The program for a device that runs XDP as @real says. */
static int xdp_prog(const struct attach *a, enum loader_mode real)
{
	const struct loader_progs *progs = loader_progs_for(a->loader, a->out->ifindex);

	if (a->mode == LOADER_UPLINK)
		return progs->uplink;
	return real == LOADER_GENERIC ? progs->generic : progs->xdp;
}

static int tc_prog(const struct attach *a)
{
	const struct loader_progs *progs = loader_progs_for(a->loader, a->out->ifindex);

	return a->mode == LOADER_UPLINK ? progs->uplink_tc : progs->tc;
}

/* Modes that do with the tc half alone where the driver refuses XDP; generic XDP would only copy frames before. */
static bool does_without_xdp(const struct attach *a)
{
	return a->mode == LOADER_AUTO || a->mode == LOADER_UPLINK;
}

static int create_xdp_link(struct attach *a)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = a->mode == LOADER_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(xdp_prog(a, a->mode), (int)a->out->ifindex, BPF_XDP, &opts);
	uint32_t foreign;

	if (fd != -EBUSY && fd != -EEXIST)
		return fd >= 0 ? fd
			       : loader_say(a->text, fd, "%s: XDP in mode %s: %s", a->out->ifname,
					    loader_mode_name(a->mode), strerror(-fd));
	loader_xdp_query(a->out->ifindex, &foreign);
	return say_conflict(a, foreign);
}

static int attach_xdp(struct attach *a)
{
	struct loader_attachment *out = a->out;
	enum loader_mode real, asked = a->mode == LOADER_UPLINK ? LOADER_NATIVE : a->mode;
	uint32_t foreign;
	int ret, fd;

	real = loader_xdp_query(out->ifindex, &foreign);
	if (asked != LOADER_AUTO && asked != real)
		remove_attached(a, false);
	ret = adopt_link(a, false, xdp_prog(a, real), &out->xdp);
	if (ret != -ENOENT)
		return ret;
	loader_xdp_query(out->ifindex, &foreign);
	if (foreign)
		return say_conflict(a, foreign);
	fd = create_xdp_link(a);
	if (fd < 0 && fd != -EBUSY && does_without_xdp(a)) {
		out->native_error = -fd;
		return 0;
	}
	if (fd < 0)
		return fd;
	a->new_xdp = true;
	return pin_link(a, fd, false, &out->xdp);
}

/* --- the tc half -------------------------------------------------------------------------------------- */
static int attach_clsact(struct attach *a)
{
	struct loader_attachment *out = a->out;
	bool replaced;
	int ret = clsact_attach(&clsact_steer, out->ifindex, tc_prog(a), &replaced);

	if (ret)
		return loader_say(a->text, ret, "%s: clsact: %s", out->ifname, strerror(-ret));
	a->new_tc = !replaced;
	out->adopted |= replaced;
	out->tc = (struct loader_half){ true, clsact_prog(&clsact_steer, out->ifindex), 0 };
	return 0;
}

static int attach_tc(struct attach *a)
{
	struct loader_attachment *out = a->out;
	int fd, ret = adopt_link(a, true, tc_prog(a), &out->tc);

	if (ret != -ENOENT)
		return ret;
	fd = bpf_link_create(tc_prog(a), (int)out->ifindex,
			     (enum bpf_attach_type)ATTACH_TCX_INGRESS, NULL);
	if (fd == -EINVAL) /* before 6.6 */
		return attach_clsact(a);
	if (fd < 0)
		return loader_say(a->text, fd, "%s: tcx: %s", out->ifname, strerror(-fd));
	a->new_tc = true;
	return pin_link(a, fd, true, &out->tc);
}

/* --- both --------------------------------------------------------------------------------------------- */
static void undo(struct attach *a)
{
	struct loader_attachment *out = a->out;

	if (a->new_xdp) {
		remove_attached(a, false);
		out->xdp = (struct loader_half){ 0 };
	}
	if (a->new_tc) {
		remove_attached(a, true);
		clsact_detach(&clsact_steer, out->ifindex);
		out->tc = (struct loader_half){ 0 };
	}
}

static int detach_xdp(struct attach *a)
{
	uint32_t foreign;

	remove_attached(a, false);
	loader_xdp_query(a->out->ifindex, &foreign);
	return foreign && a->mode == LOADER_AUTO_TC ? say_conflict(a, foreign) : 0;
}

/* links/<ifname> is there in every mode. A failure takes nothing from what is attached. */
static void pin_second_name(const struct loader *loader, const struct loader_attachment *out)
{
	char path[LOADER_PATH_MAX], dir[FIB_PATH_MAX];
	struct link_state state;
	int fd = link_find(loader->instance, out->ifname, out->ifindex, true,
			   link_is_known(loader, out->ifindex, true), &state);

	if (fd < 0)
		return;
	pin_dir(loader->instance, "links", dir);
	pin_dots(dir, true);
	if (!link_path(loader->instance, out->ifname, false, path))
		bpf_obj_pin(fd, path); /* EEXIST: it is there already */
	pin_dots(dir, false);
	close(fd);
}

static int attach_both(struct attach *a)
{
	bool alone = a->mode == LOADER_TC || a->mode == LOADER_AUTO_TC;
	int ret = attach_tc(a);

	if (!ret)
		ret = alone ? detach_xdp(a) : attach_xdp(a);
	if (a->out->tc.attached && !a->out->xdp.attached)
		pin_second_name(a->loader, a->out);
	return ret;
}

enum loader_mode loader_real_mode(const struct loader_attachment *at)
{
	uint32_t prog_id;

	if (at->xdp.attached)
		return loader_xdp_query(at->ifindex, &prog_id);
	return at->tc.attached ? LOADER_TC : LOADER_AUTO;
}

int loader_attach(struct loader *loader, const char *ifname, uint32_t ifindex,
		  enum loader_mode mode, char text[static LOADER_TEXT],
		  struct loader_attachment *ret)
{
	struct attach a = { .loader = loader, .out = ret, .text = text, .mode = mode };
	int error;

	*ret = (struct loader_attachment){ .ifindex = ifindex };
	if (ifindex <= 1 || !*ifname || strlen(ifname) >= IFNAMSIZ)
		return loader_say(text, -EINVAL, "%.20s (ifindex %u) is not a nic", ifname,
				  ifindex);
	snprintf(ret->ifname, sizeof(ret->ifname), "%s", ifname);
	error = attach_both(&a);
	if (error)
		undo(&a);
	else
		text[0] = 0;
	ret->mode = loader_real_mode(ret);
	return error;
}

bool loader_is_attached(const struct loader *loader, uint32_t ifindex)
{
	return link_is_known(loader, ifindex, true) ||
	       (!loader_has_tcx() && clsact_prog(&clsact_steer, ifindex));
}

int loader_detach(const char *instance, const char *ifname, uint32_t ifindex)
{
	char path[LOADER_PATH_MAX];
	int ret = link_path(instance, ifname, false, path);

	if (ret)
		return ret;
	remove_link(instance, ifname, ifindex, false, true);
	remove_link(instance, ifname, ifindex, true, true);
	loader_snoop_drop(instance, ifindex);
	clsact_detach(&clsact_steer, ifindex);
	return 0;
}
