// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fixed maps: opening the pins, and typed access to nics, groups, next hops, devices, counters.
 *
 * Called by the fib edge of the agent, the API and tests. Buckets and next hops are mapped memory that
 * packets read at the same moment: see the order of stores at each function. Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const map_names[FIB_MAP_MAX] = {
	[FIB_MAP_META] = "xrs_meta",
	[FIB_MAP_NIC] = "xrs_nic",
	[FIB_MAP_NEAR] = "xrs_near",
	[FIB_MAP_TABLE] = "xrs_table",
	[FIB_MAP_TABLE6] = "xrs_table6",
	[FIB_MAP_FAST_SMALL] = "xrs_fast_small",
	[FIB_MAP_FAST_MIDDLE] = "xrs_fast_middle",
	[FIB_MAP_FAST_LARGE] = "xrs_fast_large",
	[FIB_MAP_FAST_HEAD] = "xrs_fast_head",
	[FIB_MAP_GROUP] = "xrs_group",
	[FIB_MAP_BUCKET] = "xrs_bucket",
	[FIB_MAP_NEXTHOP] = "xrs_nexthop",
	[FIB_MAP_DEVMAP] = "xrs_devmap",
	[FIB_MAP_STATS] = "xrs_stats",
	[FIB_MAP_NH_STATS] = "xrs_nh_stats",
	[FIB_MAP_TRACE] = "xrs_trace",
	[FIB_MAP_BFD] = "xrs_bfd",
	[FIB_MAP_BFD_PEER] = "xrs_bfd_peer",
	[FIB_MAP_HOST] = "xrs_host",
	[FIB_MAP_VNI] = "xrs_vni",
	[FIB_MAP_ROUTE_STATS] = "xrs_route_stats",
	[FIB_MAP_TRACE_RULE] = "xrs_trace_rule",
	[FIB_MAP_LEARNED] = "xrs_learned",
	[FIB_MAP_SNOOP] = "xrs_snoop",
};

/* --- opening -------------------------------------------------------------------------------------- */
static int open_pin(const char *instance, const char *map)
{
	char dir[FIB_PATH_MAX], path[FIB_PATH_MAX + 32];
	int ret = pin_dir(instance, "maps", dir);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/%s", dir, map);
	return bpf_obj_get(path);
}

/* True when any of the maps is pinned. */
static bool any_pin(const char *instance)
{
	for (int i = 0; i < FIB_MAP_MAX; i++) {
		int fd = open_pin(instance, map_names[i]);

		if (fd >= 0) {
			close(fd);
			return true;
		}
	}
	return false;
}

static int read_meta(int fd, struct xrs_meta *ret_meta)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(fd, &zero, ret_meta);
}

int fib_maps_layout(const char *instance, uint32_t *ret_version)
{
	struct xrs_meta meta;
	int ret, fd = open_pin(instance, map_names[FIB_MAP_META]);

	if (fd == -ENOENT)
		return any_pin(instance) ? -EPROTO : -ENOENT;
	if (fd < 0)
		return fd;
	ret = read_meta(fd, &meta);
	close(fd);
	if (ret)
		return -EPROTO;
	*ret_version = meta.layout_version;
	return 0;
}

int fib_maps_layout_finish(const char *instance)
{
	struct xrs_meta meta;
	uint32_t zero = 0;
	int ret, fd = open_pin(instance, map_names[FIB_MAP_META]);

	if (fd < 0)
		return fd;
	ret = read_meta(fd, &meta);
	if (!ret && !meta.layout_version) {
		meta.layout_version = XRS_LAYOUT_VERSION;
		ret = bpf_map_update_elem(fd, &zero, &meta, BPF_ANY);
	}
	close(fd);
	return ret;
}

static size_t page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

#define BUCKETS_SIZE  page_round(sizeof(struct xrs_bucket) * XRS_GROUP_MAX)
#define NEXTHOPS_SIZE page_round(sizeof(struct xrs_nexthop) * XRS_NEXTHOP_MAX)
#define BFD_SIZE      page_round(sizeof(struct xrs_bfd) * XRS_BFD_MAX)
#define NEAR_SIZE     page_round(sizeof(struct xrs_near) * XRS_NIC_MAX)
#define HEADS_SIZE    page_round(sizeof(struct xrs_fast_head) * XRS_FAST_MAX)

/* NULL, and errno says why. */
static void *map_one(const struct fib_maps *maps, enum fib_map map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, maps->fd[map], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_memory(struct fib_maps *maps)
{
	maps->buckets = map_one(maps, FIB_MAP_BUCKET, BUCKETS_SIZE);
	if (maps->buckets)
		maps->nexthops = map_one(maps, FIB_MAP_NEXTHOP, NEXTHOPS_SIZE);
	if (maps->nexthops)
		maps->heads = map_one(maps, FIB_MAP_FAST_HEAD, HEADS_SIZE);
	if (maps->heads)
		maps->bfd = map_one(maps, FIB_MAP_BFD, BFD_SIZE);
	if (maps->bfd)
		maps->near = map_one(maps, FIB_MAP_NEAR, NEAR_SIZE);
	return maps->near ? 0 : -errno;
}

static int open_all(struct fib_maps *maps)
{
	for (int i = 0; i < FIB_MAP_MAX; i++) {
		maps->fd[i] = open_pin(maps->instance, map_names[i]);
		if (maps->fd[i] < 0)
			return maps->fd[i];
	}
	return map_memory(maps);
}

static bool make_locks(struct fib_maps *maps)
{
	maps->lock = malloc(sizeof(*maps->lock));
	maps->told_lock = malloc(sizeof(*maps->told_lock));
	if (!maps->lock || !maps->told_lock)
		return false;
	pthread_mutex_init(&maps->lock->gate, NULL);
	pthread_mutex_init(&maps->lock->lock, NULL);
	pthread_mutex_init(maps->told_lock, NULL);
	return true;
}

static struct fib_maps *alloc_maps(const char *instance, const struct fib_schema *schema)
{
	struct fib_maps *maps = calloc(1, sizeof(*maps));
	int n_cpus = libbpf_num_possible_cpus();

	if (!maps)
		return NULL;
	for (int i = 0; i < FIB_MAP_MAX; i++)
		maps->fd[i] = -1;
	snprintf(maps->instance, sizeof(maps->instance), "%s", instance);
	maps->schema = *schema;
	maps->n_cpus = n_cpus > 0 ? (unsigned int)n_cpus : 0;
	maps->per_cpu = calloc(maps->n_cpus, sizeof(struct xrs_nic_stats));
	maps->tables = calloc(XRS_TABLE_MAX, sizeof(*maps->tables));
	maps->buffer = malloc(sizeof(*maps->buffer));
	maps->reading = malloc(sizeof(*maps->reading));
	maps->fast_routes = calloc(FAST_SLICE, sizeof(*maps->fast_routes));
	maps->fast_least = FIB_FAST_LEAST;
	if (make_locks(maps) && maps->n_cpus && maps->per_cpu && maps->tables && maps->buffer &&
	    maps->reading && maps->fast_routes && fib_counters_init(maps) == 0)
		return maps;
	fib_maps_free(maps);
	return NULL;
}

int fib_maps_open(const char *instance, const struct fib_schema *schema, struct fib_maps **ret_maps)
{
	struct fib_maps *maps;
	uint32_t version;
	int ret = fib_maps_layout(instance, &version);

	if (ret)
		return ret;
	if (version != XRS_LAYOUT_VERSION)
		return -EPROTO;
	maps = alloc_maps(instance, schema);
	if (!maps)
		return -ENOMEM;
	ret = open_all(maps);
	if (ret) {
		fib_maps_free(maps);
		return ret;
	}
	fib_near_fill(maps);
	fib_closed_take_gone(maps);
	*ret_maps = maps;
	return 0;
}

void fib_maps_free(struct fib_maps *maps)
{
	if (!maps)
		return;
	fib_tables_done(maps);
	if (maps->buckets)
		munmap(maps->buckets, BUCKETS_SIZE);
	if (maps->nexthops)
		munmap(maps->nexthops, NEXTHOPS_SIZE);
	if (maps->heads)
		munmap(maps->heads, HEADS_SIZE);
	if (maps->bfd)
		munmap(maps->bfd, BFD_SIZE);
	if (maps->near)
		munmap(maps->near, NEAR_SIZE);
	for (int i = 0; i < FIB_MAP_MAX; i++) {
		if (maps->fd[i] >= 0)
			close(maps->fd[i]);
	}
	fib_counters_done(maps);
	free(maps->per_cpu);
	free(maps->tables);
	free(maps->buffer);
	free(maps->reading);
	free(maps->fast_routes);
	free(maps->lock);
	free(maps->told_lock);
	free(maps);
}

int fib_maps_fd(const struct fib_maps *maps, const char *map)
{
	for (int i = 0; i < FIB_MAP_MAX; i++) {
		if (!strcmp(map_names[i], map))
			return maps->fd[i];
	}
	return -ENOENT;
}

int fib_maps_meta_get(const struct fib_maps *maps, struct xrs_meta *ret_meta)
{
	return read_meta(maps->fd[FIB_MAP_META], ret_meta);
}

int fib_maps_generation_set(struct fib_maps *maps, uint32_t generation)
{
	struct xrs_meta meta = { XRS_LAYOUT_VERSION, generation };
	uint32_t zero = 0;

	return bpf_map_update_elem(maps->fd[FIB_MAP_META], &zero, &meta, BPF_ANY);
}

/* --- nics and devices: hashes by ifindex -------------------------------------------------------------- */
static int delete_key(int fd, uint32_t key)
{
	int ret = bpf_map_delete_elem(fd, &key);

	return ret == -ENOENT ? 0 : ret;
}

static int next_key(int fd, uint32_t key, uint32_t *ret_key)
{
	return bpf_map_get_next_key(fd, key ? &key : NULL, ret_key);
}

int fib_maps_nic_set(struct fib_maps *maps, uint32_t ifindex, const struct xrs_nic *nic)
{
	struct xrs_nic_key key = { ifindex };
	int ret;

	if (!ifindex || nic->table >= XRS_TABLE_MAX || nic->slot >= XRS_NIC_MAX)
		return -ERANGE;
	ret = bpf_map_update_elem(maps->fd[FIB_MAP_NIC], &key, nic, BPF_ANY);
	if (!ret)
		fib_near_set(maps, ifindex, nic);
	return ret;
}

int fib_maps_nic_get(const struct fib_maps *maps, uint32_t ifindex, struct xrs_nic *ret_nic)
{
	struct xrs_nic_key key = { ifindex };

	return bpf_map_lookup_elem(maps->fd[FIB_MAP_NIC], &key, ret_nic);
}

int fib_maps_nic_del(struct fib_maps *maps, uint32_t ifindex)
{
	fib_near_set(maps, ifindex, NULL);
	return delete_key(maps->fd[FIB_MAP_NIC], ifindex);
}

int fib_maps_nic_next(const struct fib_maps *maps, uint32_t ifindex, uint32_t *ret_ifindex)
{
	return next_key(maps->fd[FIB_MAP_NIC], ifindex, ret_ifindex);
}

int fib_maps_dev_add(struct fib_maps *maps, uint32_t ifindex)
{
	return bpf_map_update_elem(maps->fd[FIB_MAP_DEVMAP], &ifindex, &ifindex, BPF_ANY);
}

int fib_maps_dev_del(struct fib_maps *maps, uint32_t ifindex)
{
	return delete_key(maps->fd[FIB_MAP_DEVMAP], ifindex);
}

bool fib_maps_dev_has(const struct fib_maps *maps, uint32_t ifindex)
{
	uint32_t value;

	return !bpf_map_lookup_elem(maps->fd[FIB_MAP_DEVMAP], &ifindex, &value);
}

int fib_maps_dev_next(const struct fib_maps *maps, uint32_t ifindex, uint32_t *ret_ifindex)
{
	return next_key(maps->fd[FIB_MAP_DEVMAP], ifindex, ret_ifindex);
}

/* --- local VMs and the VXLAN networks that end here --------------------------------------------------- */
static int delete_any(int fd, const void *key)
{
	int ret = bpf_map_delete_elem(fd, key);

	return ret == -ENOENT ? 0 : ret;
}

int fib_maps_host_set(struct fib_maps *maps, const struct xrs_host_key *key,
		      const struct xrs_nexthop *host)
{
	return bpf_map_update_elem(maps->fd[FIB_MAP_HOST], key, host, BPF_ANY);
}

int fib_maps_host_del(struct fib_maps *maps, const struct xrs_host_key *key)
{
	return delete_any(maps->fd[FIB_MAP_HOST], key);
}

int fib_maps_host_next(const struct fib_maps *maps, const struct xrs_host_key *key,
		       struct xrs_host_key *ret_key)
{
	return bpf_map_get_next_key(maps->fd[FIB_MAP_HOST], key, ret_key);
}

int fib_maps_vni_set(struct fib_maps *maps, const struct xrs_vni_key *key,
		     const struct xrs_vni *vni)
{
	return bpf_map_update_elem(maps->fd[FIB_MAP_VNI], key, vni, BPF_ANY);
}

int fib_maps_vni_del(struct fib_maps *maps, const struct xrs_vni_key *key)
{
	return delete_any(maps->fd[FIB_MAP_VNI], key);
}

int fib_maps_vni_next(const struct fib_maps *maps, const struct xrs_vni_key *key,
		      struct xrs_vni_key *ret_key)
{
	return bpf_map_get_next_key(maps->fd[FIB_MAP_VNI], key, ret_key);
}

/* --- groups ------------------------------------------------------------------------------------------- */
/* Whole 16-bit stores: a packet sees the old member or the new one of its bucket, never a mixture. */
static void store_buckets(struct xrs_bucket *to, const struct xrs_bucket *from)
{
	for (unsigned int i = 0; i < XRS_BUCKETS; i++) {
		__atomic_store_n(&to->next[i], from ? from->next[i] : 0, __ATOMIC_RELAXED);
		__atomic_store_n(&to->member[i], from ? from->member[i] : 0, __ATOMIC_RELAXED);
	}
}

static bool group_ok(uint32_t index)
{
	return index && index < XRS_GROUP_MAX;
}

int fib_maps_group_set(struct fib_maps *maps, uint32_t index, const struct xrs_group *group,
		       const struct xrs_bucket *bucket)
{
	if (!group_ok(index))
		return -ERANGE;
	store_buckets(&maps->buckets[index], bucket);
	return bpf_map_update_elem(maps->fd[FIB_MAP_GROUP], &index, group, BPF_ANY);
}

int fib_maps_group_get(const struct fib_maps *maps, uint32_t index, struct xrs_group *ret_group,
		       struct xrs_bucket *ret_bucket)
{
	int ret;

	if (!group_ok(index))
		return -ERANGE;
	if (ret_group) {
		ret = fib_counters_read(maps, FIB_HELD_GROUP, index, ret_group);
		if (ret)
			return ret;
	}
	if (ret_bucket)
		*ret_bucket = maps->buckets[index];
	return 0;
}

int fib_maps_group_del(struct fib_maps *maps, uint32_t index)
{
	static const struct xrs_group none;

	return fib_maps_group_set(maps, index, &none, NULL);
}

/* --- next hops ---------------------------------------------------------------------------------------- */
static bool nexthop_ok(uint32_t index)
{
	return index && index < XRS_NEXTHOP_MAX;
}

int fib_maps_nexthop_set(struct fib_maps *maps, uint32_t index, const struct xrs_nexthop *nexthop)
{
	struct xrs_nexthop quiet = *nexthop;
	struct xrs_nexthop *slot;

	if (!nexthop_ok(index))
		return -ERANGE;
	slot = &maps->nexthops[index];
	quiet.way = XRS_WAY_NONE;
	__atomic_store_n(&slot->way, XRS_WAY_NONE, __ATOMIC_SEQ_CST);
	memcpy(slot, &quiet, sizeof(*slot));
	__atomic_store_n(&slot->way, nexthop->way, __ATOMIC_SEQ_CST);
	return 0;
}

int fib_maps_nexthop_way(struct fib_maps *maps, uint32_t index, enum xrs_way way)
{
	if (!nexthop_ok(index))
		return -ERANGE;
	__atomic_store_n(&maps->nexthops[index].way, way, __ATOMIC_SEQ_CST);
	return 0;
}

int fib_maps_nexthop_get(const struct fib_maps *maps, uint32_t index,
			 struct xrs_nexthop *ret_nexthop)
{
	if (!nexthop_ok(index))
		return -ERANGE;
	*ret_nexthop = maps->nexthops[index];
	return 0;
}

int fib_maps_nexthop_del(struct fib_maps *maps, uint32_t index)
{
	static const struct xrs_nexthop none;

	return fib_maps_nexthop_set(maps, index, &none);
}

/* --- BFD ---------------------------------------------------------------------------------------------- */
struct xrs_bfd *fib_maps_bfd(const struct fib_maps *maps)
{
	return maps->bfd;
}

static struct xrs_bfd_key bfd_key(const struct xrs_bfd *entry)
{
	struct xrs_bfd_key key;

	memcpy(key.peer, entry->peer, sizeof(key.peer));
	memcpy(key.local, entry->local, sizeof(key.local));
	return key;
}

int fib_maps_bfd_set(struct fib_maps *maps, uint32_t slot, const struct xrs_bfd *entry)
{
	struct xrs_bfd_key key = bfd_key(entry);
	struct xrs_bfd *to;

	if (!slot || slot >= XRS_BFD_MAX)
		return -ERANGE;
	to = &maps->bfd[slot];
	__atomic_store_n(&to->local_discr, 0, __ATOMIC_SEQ_CST); /* nobody finds half an entry */
	memcpy(&to->min_rx_usec, &entry->min_rx_usec,
	       sizeof(*to) - offsetof(struct xrs_bfd, min_rx_usec));
	to->last_rx_ns = 0;
	to->packets = 0;
	__atomic_store_n(&to->deadline_ns, entry->deadline_ns, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to->local_discr, entry->local_discr, __ATOMIC_SEQ_CST);
	return bpf_map_update_elem(maps->fd[FIB_MAP_BFD_PEER], &key, &slot, BPF_ANY);
}

int fib_maps_bfd_del(struct fib_maps *maps, uint32_t slot)
{
	struct xrs_bfd_key key;

	if (!slot || slot >= XRS_BFD_MAX)
		return -ERANGE;
	key = bfd_key(&maps->bfd[slot]);
	__atomic_store_n(&maps->bfd[slot].deadline_ns, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&maps->bfd[slot].local_discr, 0, __ATOMIC_SEQ_CST);
	memset(&maps->bfd[slot], 0, sizeof(maps->bfd[slot]));
	bpf_map_delete_elem(maps->fd[FIB_MAP_BFD_PEER], &key);
	return 0;
}
