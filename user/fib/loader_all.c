// SPDX-License-Identifier: GPL-2.0-only
/*
 * All attachments of an instance at once: other programs for them (an upgrade), a list, the end. Called by
 * loader.c, migrate.c, the agent and `dataplane detach`.
 */
#include "links_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- other programs ------------------------------------------------------------------- */
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

	loader_prog_name(prog_id, name);
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
	uint32_t now = clsact_prog(&clsact_steer, ifindex);
	bool replaced;

	if (now)
		clsact_attach(&clsact_steer, ifindex, prog_of(swap, now), &replaced);
}

int loader_swap(const char *instance, const struct loader_progs *progs,
		char text[static LOADER_TEXT], unsigned int *ret_n)
{
	struct swap swap = { .instance = instance, .progs = progs, .text = text, .tc = true };

	clsact_each(instance, swap_clsact, &swap);
	link_each(instance, swap_visit, &swap);
	swap.tc = false;
	if (!swap.error)
		link_each(instance, swap_visit, &swap);
	*ret_n = swap.n;
	return swap.error;
}

/* --- listing ------------------------------------------------------------------------------------------ */
struct list {
	struct loader_attachment *items;
	size_t cap, n;
	bool (*skip)(const void *skip_ctx, const char *ifname);
	const void *skip_ctx;
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

static bool list_skip(void *ctx, const char *ifname)
{
	const struct list *list = ctx;

	return list->skip && list->skip(list->skip_ctx, ifname);
}

int loader_list_but(const char *instance, bool (*skip)(const void *ctx, const char *ifname),
		    const void *ctx, struct loader_attachment *items, size_t cap)
{
	struct list list = { .items = items, .cap = cap, .skip = skip, .skip_ctx = ctx };
	int ret = link_each_but(instance, list_skip, list_visit, &list);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (size_t i = 0; i < list.n && i < cap; i++) {
		items[i].adopted = true;
		items[i].mode = loader_real_mode(&items[i]);
	}
	return (int)list.n;
}

int loader_list(const char *instance, struct loader_attachment *items, size_t cap)
{
	return loader_list_but(instance, NULL, NULL, items, cap);
}

/* --- purge -------------------------------------------------------------------------------------------- */
static bool purge_visit(void *ctx, const char *path, const char *ifname, bool tc,
			const struct link_state *state)
{
	int fd = bpf_obj_get(path);

	if (fd >= 0)
		link_drop(fd, path);
	return true;
}

static void purge_filters(const void *ctx, uint32_t ifindex)
{
	clsact_detach(&clsact_steer, ifindex);
	loader_snoop_drop(ctx, ifindex);
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
	link_each(instance, purge_visit, NULL);
	clsact_each(instance, purge_filters, instance);
	migrate_resume(instance, &leftovers);
	migrate_forget(instance, "closed");
	migrate_forget(instance, "tables"); /* too large to be freed in one piece */
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		int error = purge_dir(instance, dirs[i], text);

		ret = ret ? ret : error;
	}
	return ret;
}
