// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is attached: pinned bpf_links by name, device and half.
 * loader_attach.c calls it for one device, loader_all.c for all of an instance. A pin follows a device that was
 * given another name; nothing here decides which program goes where.
 */
#include "links_impl.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/htab.h"

/* --- pins of links ------------------------------------------------------------------------------------ */
int link_read(int fd, struct link_state *ret_state)
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
int link_path(const char *instance, const char *ifname, bool tc, char buf[static LOADER_PATH_MAX])
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
	int ret = fd < 0 ? fd : link_read(fd, ret_state);

	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

int link_each(const char *instance, link_visit_fn visit, void *ctx)
{
	return link_each_but(instance, NULL, visit, ctx);
}

int link_each_but(const char *instance, link_skip_fn skip, link_visit_fn visit, void *ctx)
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

		if (!parse_link_pin(entry->d_name, ifname, &tc) || (skip && skip(ctx, ifname)))
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
void link_drop_second_name(const char *tc_path)
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
		link_drop_second_name(from);
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
	link_each(instance, match_ifindex, &search);
	if (!search.path[0] || rename_pin(search.path, path, tc))
		return -ENOENT;
	return open_link(path, ret_state);
}

/* The pinned link of this very device, under its name: descriptor, or -ENOENT. */
int link_find(const char *instance, const char *ifname, uint32_t ifindex, bool tc,
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
void link_drop(int fd, const char *path)
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

bool device_set_has(const struct htab *set, uint32_t ifindex)
{
	return htab_find(set, hash_u32(ifindex, 0), same_ifindex, as_item(ifindex));
}

int device_set_put(struct htab *set, uint32_t ifindex, bool on)
{
	if (on && !device_set_has(set, ifindex))
		return htab_insert(set, hash_u32(ifindex, 0), as_item(ifindex));
	if (!on)
		htab_remove(set, hash_u32(ifindex, 0), same_ifindex, as_item(ifindex));
	return 0;
}

bool link_is_known(const struct loader *loader, uint32_t ifindex, bool tc)
{
	return device_set_has(loader->pinned[tc], ifindex);
}

/* Not knowing of a link only costs a search: out of memory is no failure. */
void link_set_known(struct loader *loader, uint32_t ifindex, bool tc, bool on)
{
	device_set_put(loader->pinned[tc], ifindex, on);
}

static bool index_visit(void *ctx, const char *path, const char *ifname, bool tc,
			const struct link_state *state)
{
	if (state->ifindex)
		link_set_known(ctx, state->ifindex, tc, true);
	return true;
}

int loader_index_links(struct loader *loader)
{
	for (int tc = 0; tc < 2; tc++) {
		loader->pinned[tc] = htab_new();
		if (!loader->pinned[tc])
			return -ENOMEM;
	}
	loader->observed = htab_new();
	if (!loader->observed)
		return -ENOMEM;
	link_each(loader->instance, index_visit, loader);
	return 0;
}

void loader_forget_links(struct loader *loader)
{
	for (int tc = 0; tc < 2; tc++)
		htab_free(loader->pinned[tc]);
	htab_free(loader->observed);
}

/* --- programs ------------------------------------------------------------------------------------------- */
void loader_prog_name(uint32_t id, char buf[static 16])
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
