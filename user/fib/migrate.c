// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the pinned maps of an older layout to this build's, while frames go on through the old ones: everything
 * is made a second time beside what is there, filled, and only then shown to the interfaces.
 *
 *   next/      maps, tables and programs of this build while they are being filled; may be half of it
 *   commit/    the same, whole: every link runs this build's programs, and the directories change places
 *   gone-<n>/  what no link leads to any more, to be emptied: fib_maps_reap()
 *
 * A process may be killed at any moment. Until next/ becomes commit/ the old pins are the record and the next
 * start begins anew; links that lead into next/ by then keep it, under the name of gone-<n>, until they lead
 * elsewhere. From then on migrate_resume() ends what was begun. Called by loader.c, and by fib_closed.c
 * for what is gone. Names have no dots: bpffs refuses them.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fib/layout.h"
#include "fib_maps_impl.h"
#include "loader_impl.h"

#define LAYOUT_MAP   "xrs_layout"
#define CHUNK        1024 /* entries of one batch */
#define CHUNK_PERCPU 64
#define NOMEM_TRIES  50 /* as in fib_routes.c: a moment later there is room */
#define GONE_MAX     1000

/* What a restart would find, and what the people who watch counters would miss. NULL: octets as they are. */
static const struct carried {
	const char *map, *key, *value;
	bool may_fail; /* entries whose device is gone */
} carried[] = {
	{ "xrs_nexthop", NULL, "xrs_nexthop", false },
	{ "xrs_bucket", NULL, "xrs_bucket", false },
	{ "xrs_group", NULL, "xrs_group", false },
	{ "xrs_devmap", NULL, NULL, true },
	{ "xrs_host", "xrs_host_key", "xrs_nexthop", false },
	{ "xrs_vni", "xrs_vni_key", "xrs_vni", false },
	{ "xrs_nic", "xrs_nic_key", "xrs_nic", false },
	{ "xrs_learned", "xrs_learned_key", "xrs_learned", true },
	{ "xrs_drain", "xrs_drain_key", "xrs_drain_flow", false },
	{ "xrs_route_stats", "xrs_route_stats_key", "xrs_route_stats", true },
	{ "xrs_nh_stats", NULL, "xrs_nh_stats", false },
	{ "xrs_stats", NULL, "xrs_nic_stats", false },
	{ "xrs_bfd_peer", "xrs_bfd_key", NULL, false },
	{ "xrs_bfd", NULL, "xrs_bfd", false },
};

struct migration {
	struct loader *loader;
	struct btf *from;
	const struct btf *to;
	char *text;
	uint64_t routes;
	bool interrupted; /* an earlier attempt had begun to change links */
};

/* --- directories ---------------------------------------------------------------------------------------- */
static bool exists(const char *instance, const char *name)
{
	char path[FIB_PATH_MAX];

	pin_dir(instance, name, path);
	return !access(path, F_OK);
}

static int move(const char *instance, const char *from, const char *to)
{
	char old[FIB_PATH_MAX], new[FIB_PATH_MAX];

	pin_dir(instance, from, old);
	pin_dir(instance, to, new);
	return rename(old, new) ? -errno : 0;
}

static int move_to_gone(const char *instance, const char *from)
{
	char name[16];

	for (int i = 0; i < GONE_MAX; i++) {
		snprintf(name, sizeof(name), "gone-%d", i);
		if (!exists(instance, name))
			return move(instance, from, name);
	}
	return -EMLINK;
}

static bool any_gone(const char *instance)
{
	char name[16];

	for (int i = 0; i < GONE_MAX; i++) {
		snprintf(name, sizeof(name), "gone-%d", i);
		if (exists(instance, name))
			return true;
	}
	return false;
}

/* One directory of commit/ into its place, each rename by itself safe to be the last one. */
static int exchange(const char *instance, const char *dir)
{
	char fresh[32], old[32];
	int ret = 0;

	snprintf(fresh, sizeof(fresh), "commit/%s", dir);
	snprintf(old, sizeof(old), "commit/old-%s", dir);
	if (!exists(instance, fresh))
		return 0;
	if (exists(instance, dir) && !exists(instance, old))
		ret = move(instance, dir, old);
	return ret ? ret : move(instance, fresh, dir);
}

static int finish(const char *instance)
{
	int ret = exchange(instance, "tables");

	if (!ret)
		ret = exchange(instance, "progs");
	if (!ret)
		ret = exchange(instance, "maps");
	return ret ? ret : move_to_gone(instance, "commit");
}

int migrate_resume(const char *instance, bool *ret_leftovers)
{
	int ret = exists(instance, "commit") ? finish(instance) : 0;

	if (!ret && exists(instance, "next"))
		ret = move_to_gone(instance, "next");
	*ret_leftovers = any_gone(instance);
	return ret;
}

int migrate_begin(const char *instance)
{
	static const char *const dirs[] = { "next", "next/maps", "next/tables", "next/progs" };
	char path[FIB_PATH_MAX];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		pin_dir(instance, dirs[i], path);
		if (mkdir(path, 0700))
			return -errno;
	}
	return 0;
}

/* --- what stands where ------------------------------------------------------------------------------------ */
static int open_map(const char *instance, const char *dir, const char *name)
{
	char base[FIB_PATH_MAX], path[LOADER_PATH_MAX];

	pin_dir(instance, dir, base);
	snprintf(path, sizeof(path), "%s/%s", base, name);
	return bpf_obj_get(path);
}

int migrate_describe(const struct btf *btf, const char *instance, const char *dir)
{
	char base[FIB_PATH_MAX], path[LOADER_PATH_MAX], fresh[LOADER_PATH_MAX];
	uint32_t size, zero = 0;
	const void *octets = btf__raw_data(btf, &size);
	int ret, fd = octets ? bpf_map_create(BPF_MAP_TYPE_ARRAY, LAYOUT_MAP, sizeof(zero), size, 1,
					      NULL)
			     : -ENOMEM;

	if (fd < 0)
		return fd;
	pin_dir(instance, dir, base);
	snprintf(path, sizeof(path), "%s/" LAYOUT_MAP, base);
	snprintf(fresh, sizeof(fresh), "%s/" LAYOUT_MAP "_new", base);
	ret = bpf_map_update_elem(fd, &zero, octets, BPF_ANY);
	if (!ret) {
		unlink(fresh);
		ret = bpf_obj_pin(fd, fresh);
	}
	if (!ret && rename(fresh, path))
		ret = -errno;
	close(fd);
	return ret;
}

struct btf *migrate_description(const char *instance)
{
	int fd = open_map(instance, "maps", LAYOUT_MAP);
	struct bpf_map_info info;
	struct btf *btf = NULL;
	uint32_t zero = 0;
	void *octets;

	if (fd < 0)
		return NULL;
	octets = fib_map_info(fd, &info) ? NULL : malloc(info.value_size);
	if (octets && !bpf_map_lookup_elem(fd, &zero, octets))
		btf = btf__new(octets, info.value_size);
	free(octets);
	close(fd);
	return btf;
}

/* --- entries of one map ------------------------------------------------------------------------------------- */
struct copy {
	int from, to;
	struct layout_plan key, value;
	uint32_t from_value, to_value; /* octets of one entry's values of all CPUs */
	uint32_t cpus;                 /* 1: not per CPU */
	uint32_t chunk;
	bool may_fail;
	uint8_t *keys[2], *values[2]; /* of one chunk: old, new */
	uint64_t done;
};

static uint32_t stride(uint32_t size, uint32_t cpus)
{
	return cpus == 1 ? size : (size + 7) / 8 * 8 * cpus;
}

static int copy_init(struct copy *copy, uint32_t type)
{
	bool per_cpu = type == BPF_MAP_TYPE_PERCPU_ARRAY;

	copy->cpus = per_cpu ? (uint32_t)libbpf_num_possible_cpus() : 1;
	copy->chunk = per_cpu ? CHUNK_PERCPU : CHUNK;
	copy->from_value = stride(copy->value.from_size, copy->cpus);
	copy->to_value = stride(copy->value.to_size, copy->cpus);
	copy->keys[0] = calloc(copy->chunk, copy->key.from_size);
	copy->keys[1] = calloc(copy->chunk, copy->key.to_size);
	copy->values[0] = calloc(copy->chunk, copy->from_value);
	copy->values[1] = calloc(copy->chunk, copy->to_value);
	return copy->keys[0] && copy->keys[1] && copy->values[0] && copy->values[1] ? 0 : -ENOMEM;
}

static void copy_done(struct copy *copy)
{
	for (int i = 0; i < 2; i++) {
		free(copy->keys[i]);
		free(copy->values[i]);
	}
}

static int convert_chunk(struct copy *copy, uint32_t n)
{
	int ret = 0;

	for (uint32_t i = 0; i < n && !ret; i++) {
		ret = layout_convert(&copy->key, copy->keys[0] + i * copy->key.from_size,
				     copy->keys[1] + i * copy->key.to_size);
		for (uint32_t cpu = 0; cpu < copy->cpus && !ret; cpu++)
			ret = layout_convert(&copy->value,
					     copy->values[0] + i * copy->from_value +
						     cpu * (copy->from_value / copy->cpus),
					     copy->values[1] + i * copy->to_value +
						     cpu * (copy->to_value / copy->cpus));
	}
	return ret;
}

static int write_one(const struct copy *copy, uint32_t at)
{
	int ret = -ENOMEM;

	for (int i = 0; i < NOMEM_TRIES && ret == -ENOMEM; i++) {
		if (i)
			sched_yield();
		ret = bpf_map_update_elem(copy->to, copy->keys[1] + at * copy->key.to_size,
					  copy->values[1] + at * copy->to_value, BPF_ANY);
	}
	return copy->may_fail && ret != -ENOMEM ? 0 : ret;
}

/* In batches as far as they go, one by one where they stop. */
static int write_chunk(struct copy *copy, uint32_t n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	int ret = convert_chunk(copy, n);

	for (uint32_t at = 0; at < n && !ret;) {
		uint32_t count = n - at;
		int error =
			bpf_map_update_batch(copy->to, copy->keys[1] + at * copy->key.to_size,
					     copy->values[1] + at * copy->to_value, &count, &opts);

		at += !error ? n - at : count < n - at ? count : 0;
		if (at < n)
			ret = write_one(copy, at++);
	}
	copy->done += n;
	return ret;
}

/* For kernels, and kinds of maps, without batches. */
static int copy_singly(struct copy *copy)
{
	const void *after = NULL;
	uint8_t last[64];
	int ret = 0;

	while (!ret && !bpf_map_get_next_key(copy->from, after, copy->keys[0])) {
		memcpy(last, copy->keys[0], copy->key.from_size);
		after = last;
		ret = bpf_map_lookup_elem(copy->from, copy->keys[0], copy->values[0]);
		ret = ret == -ENOENT ? 0 : ret ? ret : write_chunk(copy, 1);
	}
	return ret;
}

static int copy_entries(struct copy *copy)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	uint8_t token[2][64];
	bool started = false;

	if (copy->key.from_size > sizeof(token[0]))
		return -EPROTO;
	for (;;) {
		uint32_t n = copy->chunk;
		int read = bpf_map_lookup_batch(copy->from, started ? token[0] : NULL, token[1],
						copy->keys[0], copy->values[0], &n, &opts);
		int ret;

		if (read && read != -ENOENT)
			return started ? read : copy_singly(copy);
		ret = write_chunk(copy, n);
		if (ret || read)
			return ret;
		memcpy(token[0], token[1], sizeof(token[0]));
		started = true;
	}
}

/* --- maps and tables ------------------------------------------------------------------------------------ */
static int refused(struct migration *m, int code, const char *what)
{
	return loader_say(m->text, code, "/sys/fs/bpf/%s: %s can not be moved to layout %u: %s",
			  m->loader->instance, what, XRS_LAYOUT_VERSION, strerror(-code));
}

static int plan_of(struct migration *m, const char *name, uint32_t size, struct layout_plan *plan)
{
	char field[LAYOUT_FIELD] = "";
	int ret;

	layout_plan_octets(size, plan);
	ret = name ? layout_plan(m->from, m->to, name, plan, field) : 0;
	if (!ret && plan->from_size != size)
		ret = -EPROTO;
	return ret ? refused(m, ret, *field ? field : name) : 0;
}

static int copy_map(struct migration *m, const struct carried *map, int from, int to,
		    uint64_t *ret_done)
{
	struct copy copy = { .from = from, .to = to, .may_fail = map->may_fail };
	struct bpf_map_info info, fresh;
	int ret = fib_map_info(from, &info);

	if (ret)
		return refused(m, ret, map->map);
	ret = plan_of(m, map->key, info.key_size, &copy.key);
	if (!ret)
		ret = plan_of(m, map->value, info.value_size, &copy.value);
	if (ret)
		return ret;
	ret = fib_map_info(to, &fresh);
	if (!ret && (copy.key.to_size != fresh.key_size || copy.value.to_size != fresh.value_size))
		ret = -EPROTO;
	if (!ret)
		ret = copy_init(&copy, info.type);
	if (!ret)
		ret = copy_entries(&copy);
	copy_done(&copy);
	*ret_done += copy.done;
	return ret ? refused(m, ret, map->map) : 0;
}

/* A map that one of the two layouts has not is no obstacle. */
static int copy_carried(struct migration *m, const struct carried *map)
{
	int from = open_map(m->loader->instance, "maps", map->map);
	int to = open_map(m->loader->instance, "next/maps", map->map);
	uint64_t done = 0;
	int ret = from >= 0 && to >= 0 ? copy_map(m, map, from, to, &done) : 0;

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ret;
}

/*
 * Nobody has moved the deadlines of the new map yet, so that those still to come are forgotten: a false failure
 * would be worse than one that the new process sees a moment later. A peer that was dead stays so, unless
 * its packets already went past the old map.
 */
static int settle_bfd(const struct migration *m)
{
	int fd = open_map(m->loader->instance, "next/maps", "xrs_bfd");
	struct timespec now;
	struct xrs_bfd entry;
	int ret = fd < 0 ? fd : 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (uint32_t slot = 1; slot < XRS_BFD_MAX && !ret; slot++) {
		ret = bpf_map_lookup_elem(fd, &slot, &entry);
		if (ret || !entry.deadline_ns)
			continue;
		if (!m->interrupted &&
		    entry.deadline_ns <= (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec)
			continue;
		entry.deadline_ns = 0;
		ret = bpf_map_update_elem(fd, &slot, &entry, BPF_ANY);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* The index at which the old outer map has this trie; FIB_TABLE_BAD: at none. */
static uint32_t index_of(int outer, uint32_t id)
{
	struct bpf_map_info info;
	uint32_t found;

	for (uint32_t i = 0; !fib_map_info(outer, &info) && i < info.max_entries; i++) {
		if (!bpf_map_lookup_elem(outer, &i, &found) && found == id)
			return i;
	}
	return FIB_TABLE_BAD;
}

static int copy_table(struct migration *m, int from, bool v6, const int outer[2], const char *name)
{
	static const struct carried families[] = {
		{ "a route table", "xrs_key4", "xrs_route", false },
		{ "a route table", "xrs_key6", "xrs_route", false }
	};
	const struct fib_schema schema = loader_schema(m->loader);
	char base[FIB_PATH_MAX], path[LOADER_PATH_MAX];
	struct bpf_map_info info;
	uint32_t index;
	int ret = fib_map_info(from, &info), to;

	if (ret)
		return ret;
	index = index_of(outer[0], info.id);
	if (index == FIB_TABLE_BAD) /* nobody was served by it */
		return 0;
	to = fib_trie_create(&schema, v6);
	if (to < 0)
		return refused(m, to, name);
	ret = copy_map(m, &families[v6], from, to, &m->routes);
	pin_dir(m->loader->instance, "next/tables", base);
	snprintf(path, sizeof(path), "%s/%.200s", base, name);
	pin_dots(base, true);
	if (!ret && bpf_obj_pin(to, path))
		ret = refused(m, -errno, name);
	pin_dots(base, false);
	if (!ret && bpf_map_update_elem(outer[1], &index, &to, BPF_ANY))
		ret = refused(m, -errno, name);
	close(to);
	return ret;
}

static int copy_tables_of(struct migration *m, bool v6)
{
	const char *map = v6 ? "xrs_table6" : "xrs_table", *instance = m->loader->instance;
	int outer[2] = { open_map(instance, "maps", map), open_map(instance, "next/maps", map) };
	const struct dirent *entry;
	char dir[FIB_PATH_MAX];
	DIR *stream;
	int ret = 0;

	pin_dir(instance, "tables", dir);
	stream = outer[0] >= 0 && outer[1] >= 0 ? opendir(dir) : NULL;
	while (stream && !ret && (entry = readdir(stream))) {
		const char *last = strrchr(entry->d_name, '.');
		int fd;

		if (!last || strcmp(last, v6 ? ".v6" : ".v4"))
			continue;
		fd = open_map(instance, "tables", entry->d_name);
		ret = fd < 0 ? refused(m, fd, entry->d_name)
			     : copy_table(m, fd, v6, outer, entry->d_name);
		if (fd >= 0)
			close(fd);
	}
	if (stream)
		closedir(stream);
	for (int i = 0; i < 2; i++) {
		if (outer[i] >= 0)
			close(outer[i]);
	}
	return stream ? ret : refused(m, -ENOENT, map);
}

/* The version comes with the rest, so that next/ never looks whole before it is. */
static int copy_meta(struct migration *m)
{
	int from = open_map(m->loader->instance, "maps", "xrs_meta");
	int to = open_map(m->loader->instance, "next/maps", "xrs_meta");
	struct xrs_meta meta;
	uint32_t zero = 0;
	int ret = from < 0 ? from : to < 0 ? to : bpf_map_lookup_elem(from, &zero, &meta);

	if (!ret) {
		meta.layout_version = XRS_LAYOUT_VERSION;
		ret = bpf_map_update_elem(to, &zero, &meta, BPF_ANY);
	}
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ret ? refused(m, ret, "xrs_meta") : 0;
}

static int fill(struct migration *m)
{
	int ret = copy_tables_of(m, false);

	if (!ret)
		ret = copy_tables_of(m, true);
	for (size_t i = 0; i < sizeof(carried) / sizeof(*carried) && !ret; i++)
		ret = copy_carried(m, &carried[i]);
	if (!ret && settle_bfd(m))
		ret = refused(m, -EIO, "xrs_bfd");
	return ret ? ret : copy_meta(m);
}

/* --- the whole ------------------------------------------------------------------------------------------- */
static void old_progs(const char *instance, struct loader_progs *progs)
{
	*progs = (struct loader_progs){
		.xdp = open_map(instance, "progs", STEER_PROG),
		.generic = open_map(instance, "progs", STEER_SKB),
		.tc = open_map(instance, "progs", STEER_TC),
		.uplink = open_map(instance, "progs", UPLINK_PROG),
		.uplink_tc = open_map(instance, "progs", UPLINK_TC),
	};
}

static void close_progs(const struct loader_progs *progs)
{
	const int fds[] = { progs->xdp, progs->generic, progs->tc, progs->uplink,
			    progs->uplink_tc };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* Unpinned when it is empty: who is killed before leaves it to the next. */
static void empty_and_close(void *ctx, int fd, const char *path)
{
	fib_trie_empty(fd);
	unlink(path);
	close(fd);
}

void migrate_forget(const char *instance, const char *dir)
{
	if (!move_to_gone(instance, dir))
		migrate_take_gone(instance, empty_and_close, NULL);
}

/* All links or none. */
static int switch_links(struct migration *m, unsigned int *ret_links)
{
	char unused[LOADER_TEXT];
	struct loader_progs old;
	unsigned int back;
	int ret = loader_swap(m->loader->instance, &m->loader->progs, m->text, ret_links);

	if (!ret)
		return 0;
	old_progs(m->loader->instance, &old);
	if (!loader_swap(m->loader->instance, &old, unused, &back))
		migrate_forget(m->loader->instance, "next");
	close_progs(&old);
	return ret;
}

int migrate_run(struct loader *loader, uint32_t version, bool interrupted,
		char text[static LOADER_TEXT])
{
	struct migration m = {
		.loader = loader, .to = loader_btf(loader), .text = text, .interrupted = interrupted
	};
	unsigned int links = 0;
	int ret;

	m.from = migrate_description(loader->instance);
	ret = m.from ? fill(&m) : refused(&m, -ENOMEM, LAYOUT_MAP);
	btf__free(m.from);
	if (ret)
		migrate_forget(loader->instance, "next");
	else
		ret = switch_links(&m, &links);
	if (!ret)
		ret = move(loader->instance, "next", "commit");
	if (!ret)
		ret = finish(loader->instance);
	if (!ret)
		loader->migrated = (struct loader_migrated){ version, links, m.routes };
	else if (!text[0])
		loader_say(text, ret, "/sys/fs/bpf/%s: the new pins can not take their places: %s",
			   loader->instance, strerror(-ret));
	return ret;
}

/* --- what is gone ------------------------------------------------------------------------------------------ */
/* Every pin below @path goes by way of @fn. Depth: gone-<n>/old-tables/<pin>. */
static void take_tree(const char *path, unsigned int depth, migrate_gone_fn fn, void *ctx)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	char inner[LOADER_PATH_MAX];

	while (stream && (entry = readdir(stream))) {
		int fd;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%.300s/%.200s", path, entry->d_name);
		if (entry->d_type == DT_DIR) {
			if (depth)
				take_tree(inner, depth - 1, fn, ctx);
			continue;
		}
		fd = bpf_obj_get(inner);
		if (fd >= 0)
			fn(ctx, fd, inner);
		else
			unlink(inner);
	}
	if (stream)
		closedir(stream);
	rmdir(path);
}

void migrate_take_gone(const char *instance, migrate_gone_fn fn, void *ctx)
{
	char name[16], path[FIB_PATH_MAX];

	for (int i = 0; i < GONE_MAX; i++) {
		snprintf(name, sizeof(name), "gone-%d", i);
		if (!exists(instance, name))
			continue;
		pin_dir(instance, name, path);
		take_tree(path, 2, fn, ctx);
	}
}
