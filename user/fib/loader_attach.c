// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts both halves on an interface by pinned bpf_links, takes over what an earlier process pinned, tells
 * conflicts, removes.
 *
 * Called by the agent for each nic that appears, by `dataplane detach`, and by tests. It never replaces
 * a program that it did not attach, and never lets go of a link before the new program is in it.
 *
 * The tc half goes first: alone it decides every frame, while XDP alone would leave some to nobody.
 */
#include "loader_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/htab.h"

#define ATTACH_TCX_INGRESS 46 /* enum bpf_attach_type of 6.6; older headers lack the name */
#define CLSACT_HANDLE      0x5852
#define CLSACT_PRIORITY    0x5852

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

/* --- pins of links ------------------------------------------------------------------------------------ */
/* XDP and tcx links both begin with the ifindex; 0: the device is gone. */
struct link_state {
	uint32_t ifindex, link_id, prog_id;
	bool tc; /* else XDP */
};

static int link_state(int fd, struct link_state *ret_state)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	int ret = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (ret)
		return ret;
	*ret_state = (struct link_state){ info.xdp.ifindex, info.id, info.prog_id,
					  info.type != BPF_LINK_TYPE_XDP };
	return 0;
}

/* The interface's name as it is: the kernel allows neither '/' nor ':' in one (dev_valid_name()). */
static int link_path(const char *instance, const char *ifname, bool tc,
		     char buf[static LOADER_PATH_MAX])
{
	char dir[FIB_PATH_MAX];

	if (pin_dir(instance, "links", dir) || !*ifname || strpbrk(ifname, "/:"))
		return -EINVAL;
	snprintf(buf, LOADER_PATH_MAX, "%s/%.180s%s", dir, ifname, tc ? ":tc" : "");
	return 0;
}

/* "tap0" or "tap0:tc" -> the interface name and which half. */
static bool parse_link_pin(const char *pin, char ifname[static IFNAMSIZ], bool *ret_tc)
{
	size_t len = strcspn(pin, ":");

	*ret_tc = !strcmp(pin + len, ":tc");
	if (!len || len >= IFNAMSIZ || pin[0] == '.' || (pin[len] && !*ret_tc))
		return false;
	memcpy(ifname, pin, len);
	ifname[len] = 0;
	return true;
}

static int open_link(const char *path, struct link_state *ret_state)
{
	int fd = bpf_obj_get(path);
	int ret = fd < 0 ? fd : link_state(fd, ret_state);

	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

typedef bool (*link_visit_fn)(void *ctx, const char *path, const char *ifname, bool tc,
			      const struct link_state *state);

/* Visits every pinned link until @visit says stop; the second name of a tc half is passed over. */
static int each_link(const char *instance, link_visit_fn visit, void *ctx)
{
	char dir[FIB_PATH_MAX], path[LOADER_PATH_MAX], ifname[IFNAMSIZ];
	const struct dirent *entry;
	int ret = pin_dir(instance, "links", dir);
	DIR *stream = ret ? NULL : opendir(dir);
	bool tc, more = true;

	if (!stream)
		return ret ? ret : -errno;
	while (more && (entry = readdir(stream))) {
		struct link_state state;
		int fd;

		if (!parse_link_pin(entry->d_name, ifname, &tc))
			continue;
		snprintf(path, sizeof(path), "%s/%.200s", dir, entry->d_name);
		fd = open_link(path, &state);
		if (fd < 0)
			continue;
		close(fd);
		if (state.tc == tc)
			more = visit(ctx, path, ifname, tc, &state);
	}
	closedir(stream);
	return 0;
}

struct rename_search {
	uint32_t ifindex;
	bool tc;
	char path[LOADER_PATH_MAX];
};

static bool match_ifindex(void *ctx, const char *path, const char *ifname, bool tc,
			  const struct link_state *state)
{
	struct rename_search *search = ctx;

	if (tc != search->tc || state->ifindex != search->ifindex)
		return true;
	snprintf(search->path, sizeof(search->path), "%s", path);
	return false;
}

/* "links/tap0:tc" moved or went: so does its second name, "links/tap0", if it has one. */
static void drop_second_name(const char *tc_path)
{
	struct link_state state;
	char path[LOADER_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(tc_path, ":"), tc_path);
	fd = open_link(path, &state);
	if (fd < 0)
		return;
	close(fd);
	if (state.tc)
		unlink(path);
}

static int rename_pin(const char *from, const char *to, bool tc)
{
	if (tc)
		drop_second_name(from);
	return rename(from, to);
}

/*
 * A pin stands under the name that its device had. When the name has gone over to another device the
 * pin moves to its own device's present name; a defunct one goes.
 */
static void clear_name(const char *instance, const char *path, bool tc,
		       const struct link_state *state)
{
	char ifname[IFNAMSIZ], to[LOADER_PATH_MAX];

	if (state->ifindex && if_indextoname(state->ifindex, ifname) &&
	    !link_path(instance, ifname, tc, to) && !rename_pin(path, to, tc))
		return;
	if (!state->ifindex)
		unlink(path);
}

static int find_link_path(const char *instance, const char *path, uint32_t ifindex, bool tc,
			  bool search_others, struct link_state *ret_state)
{
	struct rename_search search = { .ifindex = ifindex, .tc = tc };
	char ifname[IFNAMSIZ];
	int fd = open_link(path, ret_state);

	if (fd >= 0 && ret_state->tc != tc) { /* a second name: the place is needed */
		close(fd);
		unlink(path);
		fd = -ENOENT;
	}
	if (fd >= 0 && ret_state->ifindex == ifindex)
		return fd;
	if (fd >= 0) {
		close(fd);
		clear_name(instance, path, tc, ret_state);
	}
	if (!search_others || !if_indextoname(ifindex, ifname))
		return -ENOENT; /* without a device no link can have it */
	each_link(instance, match_ifindex, &search);
	if (!search.path[0] || rename_pin(search.path, path, tc))
		return -ENOENT;
	return open_link(path, ret_state);
}

/* The pinned link of this very device, under its name: descriptor, or -ENOENT. */
static int find_link(const char *instance, const char *ifname, uint32_t ifindex, bool tc,
		     bool search_others, struct link_state *ret_state)
{
	char path[LOADER_PATH_MAX], dir[FIB_PATH_MAX];
	int ret = link_path(instance, ifname, tc, path);

	if (ret)
		return ret;
	pin_dir(instance, "links", dir);
	pin_dots(dir, true); /* "eth0.7": the search for such a name is refused as well */
	ret = find_link_path(instance, path, ifindex, tc, search_others, ret_state);
	pin_dots(dir, false);
	return ret;
}

/* Detached at once, not when the kernel gets round to freeing it. */
static void drop_link(int fd, const char *path)
{
	bpf_link_detach(fd);
	close(fd);
	unlink(path);
}

/* --- which devices have one ---------------------------------------------------------------------------- */
/* Items are ifindexes, in the pointers themselves: no device has 0. */
static bool same_ifindex(const void *item, const void *key)
{
	return item == key;
}

static void *as_item(uint32_t ifindex)
{
	return (void *)(uintptr_t)ifindex;
}

static bool is_pinned(const struct loader *loader, uint32_t ifindex, bool tc)
{
	return htab_find(loader->pinned[tc], hash_u32(ifindex, 0), same_ifindex, as_item(ifindex));
}

/* Not knowing of a link only costs a search: out of memory is no failure. */
static void set_pinned(struct loader *loader, uint32_t ifindex, bool tc, bool on)
{
	if (!on)
		htab_remove(loader->pinned[tc], hash_u32(ifindex, 0), same_ifindex,
			    as_item(ifindex));
	else if (!is_pinned(loader, ifindex, tc))
		htab_insert(loader->pinned[tc], hash_u32(ifindex, 0), as_item(ifindex));
}

static bool index_visit(void *ctx, const char *path, const char *ifname, bool tc,
			const struct link_state *state)
{
	if (state->ifindex)
		set_pinned(ctx, state->ifindex, tc, true);
	return true;
}

int loader_index_links(struct loader *loader)
{
	for (int tc = 0; tc < 2; tc++) {
		loader->pinned[tc] = htab_new();
		if (!loader->pinned[tc])
			return -ENOMEM;
	}
	each_link(loader->instance, index_visit, loader);
	return 0;
}

void loader_forget_links(struct loader *loader)
{
	for (int tc = 0; tc < 2; tc++)
		htab_free(loader->pinned[tc]);
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
		ret = link_state(fd, &state);
	close(fd);
	if (ret)
		return loader_say(a->text, ret, "%s: the link can not be pinned: %s",
				  a->out->ifname, strerror(-ret));
	set_pinned(a->loader, a->out->ifindex, tc, true);
	*half = (struct loader_half){ true, state.prog_id, state.link_id };
	return 0;
}

/* Puts the new program into a pinned link without a gap. -ENOENT: there is none. */
static int adopt_link(struct attach *a, bool tc, int prog_fd, struct loader_half *half)
{
	struct link_state state;
	bool pinned = is_pinned(a->loader, a->out->ifindex, tc);
	int ret, fd = find_link(a->loader->instance, a->out->ifname, a->out->ifindex, tc, pinned,
				&state);

	if (fd < 0)
		return fd;
	set_pinned(a->loader, a->out->ifindex, tc, true);
	ret = bpf_link_update(fd, prog_fd, NULL);
	if (!ret)
		ret = link_state(fd, &state);
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
	int fd = find_link(instance, ifname, ifindex, tc, search_others, &state);

	if (fd < 0 || link_path(instance, ifname, tc, path))
		return;
	if (tc)
		drop_second_name(path);
	drop_link(fd, path);
}

static void remove_attached(struct attach *a, bool tc)
{
	remove_link(a->loader->instance, a->out->ifname, a->out->ifindex, tc,
		    is_pinned(a->loader, a->out->ifindex, tc));
	set_pinned(a->loader, a->out->ifindex, tc, false);
}

static void prog_name(uint32_t id, char buf[static 16])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	snprintf(buf, 16, "?");
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(buf, 16, "%.15s", info.name);
	close(fd);
}

static int say_conflict(struct attach *a, uint32_t prog_id)
{
	struct loader_attachment *out = a->out;

	out->foreign_id = prog_id;
	prog_name(prog_id, out->foreign_name);
	return loader_say(a->text, -EBUSY,
			  "%s: XDP program %s (id %u) is attached and not ours: exclude the nic, "
			  "use mode tc, or remove it with `ip link set dev %s xdp off`",
			  out->ifname, out->foreign_name, prog_id, out->ifname);
}

/* The program for a device that runs XDP as @real says. */
static int xdp_prog(const struct attach *a, enum loader_mode real)
{
	if (a->mode == LOADER_UPLINK)
		return a->loader->progs.uplink;
	return real == LOADER_GENERIC ? a->loader->progs.generic : a->loader->progs.xdp;
}

static int tc_prog(const struct attach *a)
{
	return a->mode == LOADER_UPLINK ? a->loader->progs.uplink_tc : a->loader->progs.tc;
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
#define CLSACT_HOOK(name, index) \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(index), .attach_point = BPF_TC_INGRESS)

/* The id of our filter on a kernel without tcx; 0: none, or the handle is someone else's. */
static uint32_t clsact_prog(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);
	CLSACT_HOOK(hook, ifindex);
	char name[16];

	if (bpf_tc_query(&hook, &opts))
		return 0;
	prog_name(opts.prog_id, name);
	return strcmp(name, STEER_TC) && strcmp(name, UPLINK_TC) ? 0 : opts.prog_id;
}

static int attach_clsact(struct attach *a)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY,
		    .prog_fd = tc_prog(a));
	CLSACT_HOOK(hook, a->out->ifindex);
	int ret = bpf_tc_hook_create(&hook);

	if (ret && ret != -EEXIST)
		return loader_say(a->text, ret, "%s: clsact: %s", a->out->ifname, strerror(-ret));
	if (clsact_prog(a->out->ifindex)) {
		opts.flags = BPF_TC_F_REPLACE;
		a->out->adopted = true;
	}
	ret = bpf_tc_attach(&hook, &opts);
	if (ret)
		return loader_say(a->text, ret, "%s: tc filter: %s", a->out->ifname,
				  strerror(-ret));
	a->new_tc = !a->out->adopted;
	a->out->tc = (struct loader_half){ true, opts.prog_id, 0 };
	return 0;
}

static void detach_clsact(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);
	CLSACT_HOOK(hook, ifindex);

	if (ifindex && !loader_has_tcx() && clsact_prog(ifindex))
		bpf_tc_detach(&hook, &opts);
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
		detach_clsact(out->ifindex);
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
	int fd = find_link(loader->instance, out->ifname, out->ifindex, true,
			   is_pinned(loader, out->ifindex, true), &state);

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

static enum loader_mode real_mode(const struct loader_attachment *at)
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
	ret->mode = real_mode(ret);
	return error;
}

int loader_detach(const char *instance, const char *ifname, uint32_t ifindex)
{
	char path[LOADER_PATH_MAX];
	int ret = link_path(instance, ifname, false, path);

	if (ret)
		return ret;
	remove_link(instance, ifname, ifindex, false, true);
	remove_link(instance, ifname, ifindex, true, true);
	detach_clsact(ifindex);
	return 0;
}

/* --- other programs for all of them ------------------------------------------------------------------- */
struct swap {
	const char *instance;
	const struct loader_progs *progs;
	char *text;
	bool tc; /* this round: the tc halves, else XDP */
	unsigned int n;
	int error;
};

/* The same program as is there, by its name. */
static int prog_of(const struct swap *swap, uint32_t prog_id)
{
	const struct loader_progs *to = swap->progs;
	const struct {
		const char *name;
		int fd;
	} progs[] = {
		{ STEER_PROG, to->xdp },     { STEER_SKB, to->generic },   { STEER_TC, to->tc },
		{ UPLINK_PROG, to->uplink }, { UPLINK_TC, to->uplink_tc },
	};
	char name[16];

	prog_name(prog_id, name);
	for (size_t i = 0; i < sizeof(progs) / sizeof(*progs); i++) {
		if (!strcmp(name, progs[i].name))
			return progs[i].fd;
	}
	return -ENOENT;
}

static bool swap_visit(void *ctx, const char *path, const char *ifname, bool tc,
		       const struct link_state *state)
{
	struct swap *swap = ctx;
	int fd;

	if (tc != swap->tc || !state->ifindex)
		return true;
	fd = bpf_obj_get(path);
	swap->error = fd < 0 ? fd : bpf_link_update(fd, prog_of(swap, state->prog_id), NULL);
	if (fd >= 0)
		close(fd);
	if (swap->error == -ENOLINK) /* the device went this very moment */
		swap->error = 0;
	if (swap->error)
		loader_say(swap->text, swap->error, "%s: the pinned link can not be updated: %s",
			   path, strerror(-swap->error));
	swap->n++;
	return !swap->error;
}

static void swap_clsact(const void *ctx, uint32_t ifindex)
{
	const struct swap *swap = ctx;
	uint32_t now = clsact_prog(ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY,
		    .prog_fd = now ? prog_of(swap, now) : -1, .flags = BPF_TC_F_REPLACE);
	CLSACT_HOOK(hook, ifindex);

	if (now)
		bpf_tc_attach(&hook, &opts);
}

/* Filters of kernels without tcx have no pins: the nics in the map are where they can be. */
static void each_clsact(const char *instance, void (*fn)(const void *ctx, uint32_t ifindex),
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

int loader_swap(const char *instance, const struct loader_progs *progs,
		char text[static LOADER_TEXT], unsigned int *ret_n)
{
	struct swap swap = { .instance = instance, .progs = progs, .text = text, .tc = true };

	each_clsact(instance, swap_clsact, &swap);
	each_link(instance, swap_visit, &swap);
	swap.tc = false;
	if (!swap.error)
		each_link(instance, swap_visit, &swap);
	*ret_n = swap.n;
	return swap.error;
}

/* --- listing ------------------------------------------------------------------------------------------ */
struct list {
	struct loader_attachment *items;
	size_t cap, n;
};

/* The entry of this interface, also when it came with its other half; NULL: the list is full. */
static struct loader_attachment *list_item(struct list *list, const char *ifname)
{
	size_t known = list->n < list->cap ? list->n : list->cap;

	for (size_t i = 0; i < known; i++) {
		if (!strcmp(list->items[i].ifname, ifname))
			return &list->items[i];
	}
	if (list->n++ >= list->cap)
		return NULL;
	list->items[known] = (struct loader_attachment){ 0 };
	snprintf(list->items[known].ifname, IFNAMSIZ, "%s", ifname);
	return &list->items[known];
}

static bool list_visit(void *ctx, const char *path, const char *ifname, bool tc,
		       const struct link_state *state)
{
	struct loader_attachment *item = list_item(ctx, ifname);
	struct loader_half half = { state->ifindex != 0, state->prog_id, state->link_id };

	if (!item)
		return true;
	if (state->ifindex)
		item->ifindex = state->ifindex;
	*(tc ? &item->tc : &item->xdp) = half;
	return true;
}

int loader_list(const char *instance, struct loader_attachment *items, size_t cap)
{
	struct list list = { items, cap, 0 };
	int ret = each_link(instance, list_visit, &list);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (size_t i = 0; i < list.n && i < cap; i++) {
		items[i].adopted = true;
		items[i].mode = real_mode(&items[i]);
	}
	return (int)list.n;
}

/* --- purge -------------------------------------------------------------------------------------------- */
static bool purge_visit(void *ctx, const char *path, const char *ifname, bool tc,
			const struct link_state *state)
{
	int fd = bpf_obj_get(path);

	if (fd >= 0)
		drop_link(fd, path);
	return true;
}

static void purge_clsact(const void *ctx, uint32_t ifindex)
{
	detach_clsact(ifindex);
}

static int purge_dir(const char *instance, const char *name, char text[static LOADER_TEXT])
{
	char dir[FIB_PATH_MAX], path[LOADER_PATH_MAX];
	const struct dirent *entry;
	DIR *stream;

	pin_dir(instance, name, dir);
	stream = opendir(dir);
	if (!stream)
		return errno == ENOENT ? 0
				       : loader_say(text, -errno, "%s: %s", dir, strerror(errno));
	while ((entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%.200s", dir, entry->d_name);
		if (entry->d_type != DT_DIR && unlink(path))
			loader_say(text, -errno, "%s: %s", path, strerror(errno));
	}
	closedir(stream);
	if (rmdir(dir))
		return loader_say(text, -errno, "%s: %s", dir, strerror(errno));
	return 0;
}

int loader_purge(const char *instance, char text[static LOADER_TEXT])
{
	static const char *const dirs[] = { "links", "progs", "tables", "maps", "" };
	char path[FIB_PATH_MAX];
	bool leftovers;
	int ret = pin_dir(instance, "", path);

	text[0] = 0;
	if (ret)
		return loader_say(text, ret, "'%s' is not an instance name", instance);
	each_link(instance, purge_visit, NULL);
	each_clsact(instance, purge_clsact, NULL);
	migrate_resume(instance, &leftovers);
	migrate_forget(instance, "tables"); /* too large to be freed in one piece */
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		int error = purge_dir(instance, dirs[i], text);

		ret = ret ? ret : error;
	}
	return ret;
}
