// SPDX-License-Identifier: GPL-2.0-only
/*
 * Next hops and their groups. loc_rib.c takes next hops for paths and groups for prefixes; the node sets
 * what is usable and writes what group_render() says into the maps. Ids are indices of BPF arrays, so
 * they are small, stable, and given again only after the owner of the maps said so.
 *
 *	free -> (get or adopt) -> held -> last reference gone -> unused -> recycle -> free
 *	                           ^---------- get ----------------'
 *
 * A group keeps its members referenced until it is recycled: its map entry may still name them.
 * Must never depend on the order in which members came: two hosts with the same members agree.
 */
#include "rib/nexthop_group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/stable_hash.h"
#include "util/htab.h"

struct nexthop {
	struct nexthop_info info;
	uint32_t id;
	uint32_t alone; /* the group of it alone, without a backup; GROUP_NONE: there is none */
};

struct group {
	struct group_info info;
	uint32_t id;
	uint32_t hash;
};

/*
 * Groups that were asked for lately, by the ids as they were given: thousands of prefixes in a row ask for
 * the same few, and sorting members by address is most of what a group costs.
 */
#define RECENT      64
#define RECENT_LIST 24 /* members and backups; longer lists are not remembered */

struct recent {
	uint32_t group; /* GROUP_NONE: empty */
	uint8_t n_members, n_backup;
	uint32_t ids[RECENT_LIST]; /* members, then backups */
};

struct nexthop_table {
	struct nexthop_events events;
	struct nexthop *nexthops[XRS_NEXTHOP_MAX]; /* by id; NULL: free */
	struct group *groups[XRS_GROUP_MAX];
	uint32_t nexthop_high, group_high; /* one more than the highest id in use */
	uint32_t nexthop_low, group_low;   /* no free id lies below */
	struct htab *nexthop_index, *group_index;
	struct recent recent[RECENT];
};

struct nexthop_table *nexthop_table_new(const struct nexthop_events *events)
{
	struct nexthop_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->events = *events;
	table->nexthop_high = table->group_high = 1;
	table->nexthop_low = table->group_low = 1;
	table->nexthop_index = htab_new();
	table->group_index = htab_new();
	if (!table->nexthop_index || !table->group_index) {
		nexthop_table_free(table);
		return NULL;
	}
	return table;
}

void nexthop_table_free(struct nexthop_table *table)
{
	if (!table)
		return;
	for (uint32_t id = 0; id < table->nexthop_high; id++)
		free(table->nexthops[id]);
	for (uint32_t id = 0; id < table->group_high; id++)
		free(table->groups[id]);
	htab_free(table->nexthop_index);
	htab_free(table->group_index);
	free(table);
}

static void emit(const struct nexthop_table *table, void (*fn)(void *ctx, uint32_t id), uint32_t id)
{
	if (fn)
		fn(table->events.ctx, id);
}

/* --- next hops -------------------------------------------------------------------------------- */

struct nexthop_key {
	uint32_t vnet;
	struct ip_addr addr;
};

static uint32_t nexthop_hash(const struct nexthop_key *key)
{
	return hash_bytes(key->addr.bytes, sizeof(key->addr.bytes),
			  hash_u32(key->vnet, key->addr.family));
}

static bool nexthop_eq(const void *item, const void *key)
{
	const struct nexthop *nexthop = item;
	const struct nexthop_key *want = key;

	return nexthop->info.vnet == want->vnet && ip_equal(&nexthop->info.addr, &want->addr);
}

static struct nexthop *find_nexthop(const struct nexthop_table *table,
				    const struct nexthop_key *key)
{
	return htab_find(table->nexthop_index, nexthop_hash(key), nexthop_eq, key);
}

static struct nexthop *nexthop_at(const struct nexthop_table *table, uint32_t id)
{
	return id < table->nexthop_high ? table->nexthops[id] : NULL;
}

static int put_nexthop(struct nexthop_table *table, uint32_t id, const struct nexthop_key *key)
{
	struct nexthop *nexthop = calloc(1, sizeof(*nexthop));

	if (!nexthop)
		return -ENOMEM;
	nexthop->id = id;
	nexthop->info.vnet = key->vnet;
	nexthop->info.addr = key->addr;
	if (htab_insert(table->nexthop_index, nexthop_hash(key), nexthop)) {
		free(nexthop);
		return -ENOMEM;
	}
	table->nexthops[id] = nexthop;
	if (id >= table->nexthop_high)
		table->nexthop_high = id + 1;
	return 0;
}

uint32_t nexthop_get(struct nexthop_table *table, uint32_t vnet, const struct ip_addr *addr)
{
	struct nexthop_key key = { .vnet = vnet, .addr = *addr };
	struct nexthop *nexthop = find_nexthop(table, &key);
	uint32_t id = table->nexthop_low;

	if (!nexthop) {
		while (id < XRS_NEXTHOP_MAX && table->nexthops[id])
			id++;
		table->nexthop_low = id;
		if (id == XRS_NEXTHOP_MAX || put_nexthop(table, id, &key))
			return NEXTHOP_NONE;
		nexthop = table->nexthops[id];
	}
	if (!nexthop->info.refs++)
		emit(table, table->events.nexthop_added, nexthop->id);
	return nexthop->id;
}

uint32_t nexthop_find(const struct nexthop_table *table, uint32_t vnet, const struct ip_addr *addr)
{
	struct nexthop_key key = { .vnet = vnet, .addr = *addr };
	const struct nexthop *nexthop = find_nexthop(table, &key);

	return nexthop ? nexthop->id : NEXTHOP_NONE;
}

void nexthop_ref(struct nexthop_table *table, uint32_t id)
{
	if (id && !table->nexthops[id]->info.refs++)
		emit(table, table->events.nexthop_added, id);
}

void nexthop_unref(struct nexthop_table *table, uint32_t id)
{
	if (id && !--table->nexthops[id]->info.refs)
		emit(table, table->events.nexthop_unused, id);
}

const struct nexthop_info *nexthop_info(const struct nexthop_table *table, uint32_t id)
{
	const struct nexthop *nexthop = nexthop_at(table, id);

	return nexthop ? &nexthop->info : NULL;
}

static bool lists(const uint32_t *ids, unsigned int n, uint32_t id)
{
	for (unsigned int i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

/* A scan of at most 16,384 groups: 0.3 ms at the very worst, and no lists to keep for it. */
static void emit_groups_of(const struct nexthop_table *table, uint32_t id)
{
	for (uint32_t g = 1; g < table->group_high; g++) {
		const struct group *group = table->groups[g];

		if (group && (lists(group->info.member, group->info.n_members, id) ||
			      lists(group->info.backup, group->info.n_backup, id)))
			emit(table, table->events.group_changed, g);
	}
}

bool nexthop_set_usable(struct nexthop_table *table, uint32_t id, bool usable)
{
	struct nexthop *nexthop = nexthop_at(table, id);

	if (!nexthop || nexthop->info.usable == usable)
		return false;
	nexthop->info.usable = usable;
	emit_groups_of(table, id);
	return true;
}

void nexthop_set_held(struct nexthop_table *table, uint32_t id, bool held)
{
	struct nexthop *nexthop = nexthop_at(table, id);

	if (!nexthop || nexthop->info.held == held)
		return;
	nexthop->info.held = held;
	if (nexthop->info.usable)
		emit_groups_of(table, id);
}

void nexthop_set_draining(struct nexthop_table *table, uint32_t id, bool draining)
{
	struct nexthop *nexthop = nexthop_at(table, id);

	if (!nexthop || nexthop->info.draining == draining)
		return;
	nexthop->info.draining = draining;
	emit_groups_of(table, id);
}

int nexthop_adopt(struct nexthop_table *table, uint32_t id, uint32_t vnet,
		  const struct ip_addr *addr)
{
	struct nexthop_key key = { .vnet = vnet, .addr = *addr };

	if (!id || id >= XRS_NEXTHOP_MAX)
		return -EINVAL;
	if (table->nexthops[id] || find_nexthop(table, &key))
		return -EEXIST;
	return put_nexthop(table, id, &key);
}

int nexthop_recycle(struct nexthop_table *table, uint32_t id)
{
	struct nexthop *nexthop = nexthop_at(table, id);
	struct nexthop_key key;

	if (!nexthop)
		return -ENOENT;
	if (nexthop->info.refs)
		return -EBUSY;
	key = (struct nexthop_key){ .vnet = nexthop->info.vnet, .addr = nexthop->info.addr };
	htab_remove(table->nexthop_index, nexthop_hash(&key), nexthop_eq, &key);
	free(nexthop);
	table->nexthops[id] = NULL;
	if (id < table->nexthop_low)
		table->nexthop_low = id;
	return 0;
}

uint32_t nexthop_next(const struct nexthop_table *table, uint32_t after)
{
	for (uint32_t id = after + 1; id < table->nexthop_high; id++) {
		if (table->nexthops[id])
			return id;
	}
	return NEXTHOP_NONE;
}

/* --- groups ------------------------------------------------------------------------------------ */

/* By address, which is the same on every host; the vnet only where two have the same address. */
static int member_order(const struct nexthop_table *table, uint32_t a, uint32_t b)
{
	const struct nexthop_info *x = &table->nexthops[a]->info, *y = &table->nexthops[b]->info;
	int order = ip_cmp(&x->addr, &y->addr);

	return order ? order : (x->vnet > y->vnet) - (x->vnet < y->vnet);
}

struct wanted { /* a group as it is asked for */
	const uint32_t *members;
	const uint8_t *weights; /* of the members; NULL: all alike */
	unsigned int n_members;
	const uint32_t *backup;
	unsigned int n_backup;
};

/* Where it stands now. */
static unsigned int insert_member(const struct nexthop_table *table, uint32_t *list,
				  unsigned int *n, uint32_t id)
{
	unsigned int at = (*n)++;

	for (; at > 0 && member_order(table, id, list[at - 1]) < 0; at--)
		list[at] = list[at - 1];
	list[at] = id;
	return at;
}

static void insert_weight(uint8_t *weights, unsigned int n, unsigned int at, uint8_t weight)
{
	memmove(weights + at + 1, weights + at, n - 1 - at);
	weights[at] = weight;
}

/* The first XRS_MEMBERS_MAX distinct ones of each list, sorted; a member is no backup of itself. */
static struct group_info canonical(const struct nexthop_table *table, const struct wanted *want)
{
	struct group_info info = { 0 };

	for (unsigned int i = 0; i < want->n_members && info.n_members < XRS_MEMBERS_MAX; i++) {
		unsigned int at;

		if (lists(info.member, info.n_members, want->members[i]))
			continue;
		at = insert_member(table, info.member, &info.n_members, want->members[i]);
		if (want->weights)
			insert_weight(info.weight, info.n_members, at, want->weights[i]);
	}
	for (unsigned int i = 0; i < want->n_backup && info.n_backup < XRS_MEMBERS_MAX; i++) {
		if (!lists(info.member, info.n_members, want->backup[i]) &&
		    !lists(info.backup, info.n_backup, want->backup[i]))
			insert_member(table, info.backup, &info.n_backup, want->backup[i]);
	}
	return info;
}

static uint32_t group_hash(const struct group_info *info)
{
	uint32_t hash = hash_bytes(info->member, info->n_members * sizeof(info->member[0]), 0);

	hash = hash_bytes(info->backup, info->n_backup * sizeof(info->backup[0]), hash);
	return info->weight[0] ? hash_bytes(info->weight, info->n_members, hash) : hash;
}

static bool group_eq(const void *item, const void *key)
{
	const struct group_info *a = &((const struct group *)item)->info, *b = key;

	return a->n_members == b->n_members && a->n_backup == b->n_backup &&
	       !memcmp(a->member, b->member, a->n_members * sizeof(a->member[0])) &&
	       !memcmp(a->backup, b->backup, a->n_backup * sizeof(a->backup[0])) &&
	       !memcmp(a->weight, b->weight, a->n_members);
}

static struct group *group_at(const struct nexthop_table *table, uint32_t id)
{
	return id < table->group_high ? table->groups[id] : NULL;
}

static uint64_t members_digest(const struct nexthop_table *table, const struct group_info *info)
{
	uint64_t digest = info->n_members;

	for (unsigned int i = 0; i < info->n_members; i++) {
		const struct ip_addr *addr = &table->nexthops[info->member[i]]->info.addr;

		digest = stable_hash_bytes(addr->bytes, sizeof(addr->bytes), digest ^ addr->family);
	}
	if (info->weight[0])
		digest = stable_hash_bytes(info->weight, info->n_members, digest);
	return digest;
}

static bool is_alone(unsigned int n_members, unsigned int n_backup)
{
	return n_members == 1 && !n_backup;
}

static int put_group(struct nexthop_table *table, uint32_t id, const struct group_info *info)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return -ENOMEM;
	group->id = id;
	group->info = *info;
	group->info.digest = members_digest(table, info);
	group->hash = group_hash(info);
	if (htab_insert(table->group_index, group->hash, group)) {
		free(group);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < info->n_members; i++)
		nexthop_ref(table, info->member[i]);
	for (unsigned int i = 0; i < info->n_backup; i++)
		nexthop_ref(table, info->backup[i]);
	table->groups[id] = group;
	if (id >= table->group_high)
		table->group_high = id + 1;
	if (is_alone(info->n_members, info->n_backup))
		table->nexthops[info->member[0]]->alone = id;
	return 0;
}

/* Where these lists are remembered or would be; NULL: they are too long. */
static struct recent *recent_of(struct nexthop_table *table, struct recent *asked,
				const uint32_t *members, unsigned int n_members,
				const uint32_t *backup, unsigned int n_backup)
{
	uint32_t n = n_members + n_backup;

	if (n > RECENT_LIST)
		return NULL;
	asked->n_members = (uint8_t)n_members;
	asked->n_backup = (uint8_t)n_backup;
	memcpy(asked->ids, members, n_members * sizeof(*members));
	if (n_backup)
		memcpy(asked->ids + n_members, backup, n_backup * sizeof(*backup));
	return &table->recent[hash_bytes(asked->ids, n * sizeof(*members), n_members) % RECENT];
}

static bool recent_is(const struct recent *recent, const struct recent *asked)
{
	return recent->group && recent->n_members == asked->n_members &&
	       recent->n_backup == asked->n_backup &&
	       !memcmp(recent->ids, asked->ids,
		       (asked->n_members + asked->n_backup) * sizeof(asked->ids[0]));
}

static void forget_recent(struct nexthop_table *table, uint32_t group)
{
	for (unsigned int i = 0; i < RECENT; i++) {
		if (table->recent[i].group == group)
			table->recent[i].group = GROUP_NONE;
	}
}

static uint32_t find_or_make(struct nexthop_table *table, const struct wanted *want)
{
	struct group_info info = canonical(table, want);
	const struct group *group;
	uint32_t id = table->group_low;

	if (!info.n_members)
		return GROUP_NONE;
	group = htab_find(table->group_index, group_hash(&info), group_eq, &info);
	if (group)
		return group->id;
	while (id < XRS_GROUP_MAX && table->groups[id])
		id++;
	table->group_low = id;
	return id == XRS_GROUP_MAX || put_group(table, id, &info) ? GROUP_NONE : id;
}

uint32_t group_get_weighted(struct nexthop_table *table, const uint32_t *members,
			    const uint8_t *weights, unsigned int n_members, const uint32_t *backup,
			    unsigned int n_backup)
{
	const struct wanted want = { members, weights, n_members, backup, n_backup };
	uint32_t id;

	if (!weights || n_members < 2)
		return group_get(table, members, n_members, backup, n_backup);
	id = find_or_make(table, &want);
	group_ref(table, id);
	return id;
}

uint32_t group_get(struct nexthop_table *table, const uint32_t *members, unsigned int n_members,
		   const uint32_t *backup, unsigned int n_backup)
{
	const struct wanted want = { members, NULL, n_members, backup, n_backup };
	const struct nexthop *first;
	struct recent asked, *recent;
	uint32_t id;

	if (!n_members)
		return GROUP_NONE;
	first = nexthop_at(table, members[0]);
	if (first && first->alone && is_alone(n_members, n_backup)) {
		group_ref(table, first->alone); /* of most prefixes */
		return first->alone;
	}
	recent = recent_of(table, &asked, members, n_members, backup, n_backup);
	if (recent && recent_is(recent, &asked)) {
		id = recent->group;
	} else {
		id = find_or_make(table, &want);
		asked.group = id;
		if (recent)
			*recent = asked;
	}
	group_ref(table, id);
	return id;
}

void group_ref(struct nexthop_table *table, uint32_t id)
{
	if (id && !table->groups[id]->info.refs++)
		emit(table, table->events.group_changed, id);
}

void group_unref(struct nexthop_table *table, uint32_t id)
{
	if (id && !--table->groups[id]->info.refs)
		emit(table, table->events.group_unused, id);
}

const struct group_info *group_info(const struct nexthop_table *table, uint32_t id)
{
	const struct group *group = group_at(table, id);

	return group ? &group->info : NULL;
}

static bool all_known(const struct nexthop_table *table, const uint32_t *ids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!nexthop_at(table, ids[i]))
			return false;
	}
	return true;
}

int group_adopt(struct nexthop_table *table, uint32_t id, const uint32_t *members,
		unsigned int n_members, const uint32_t *backup, unsigned int n_backup)
{
	const struct wanted want = { members, NULL, n_members, backup, n_backup };
	struct group_info info;

	if (!id || id >= XRS_GROUP_MAX || !n_members || !all_known(table, members, n_members) ||
	    !all_known(table, backup, n_backup))
		return -EINVAL;
	info = canonical(table, &want);
	if (table->groups[id] || htab_find(table->group_index, group_hash(&info), group_eq, &info))
		return -EEXIST;
	return put_group(table, id, &info);
}

int group_recycle(struct nexthop_table *table, uint32_t id)
{
	struct group *group = group_at(table, id);
	struct group_info info;

	if (!group)
		return -ENOENT;
	if (group->info.refs)
		return -EBUSY;
	info = group->info;
	htab_remove(table->group_index, group->hash, group_eq, &info);
	free(group);
	table->groups[id] = NULL;
	forget_recent(table, id);
	if (is_alone(info.n_members, info.n_backup))
		table->nexthops[info.member[0]]->alone = GROUP_NONE;
	if (id < table->group_low)
		table->group_low = id;
	for (unsigned int i = 0; i < info.n_members; i++)
		nexthop_unref(table, info.member[i]);
	for (unsigned int i = 0; i < info.n_backup; i++)
		nexthop_unref(table, info.backup[i]);
	return 0;
}

uint32_t group_next(const struct nexthop_table *table, uint32_t after)
{
	for (uint32_t id = after + 1; id < table->group_high; id++) {
		if (table->groups[id])
			return id;
	}
	return GROUP_NONE;
}

/* --- rendering ----------------------------------------------------------------------------------- */

/* Two rounds of xor-shift and multiply; each bit in reaches each bit out. Fixed: hosts must agree. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

/* From octets in network order one by one: the same number on a host of any byte order. */
static uint64_t address_seed(const struct ip_addr *addr)
{
	uint64_t seed = addr->family;

	for (unsigned int i = 0; i < sizeof(addr->bytes); i += 4) {
		uint32_t word = (uint32_t)addr->bytes[i] << 24 |
				(uint32_t)addr->bytes[i + 1] << 16 |
				(uint32_t)addr->bytes[i + 2] << 8 | addr->bytes[i + 3];

		seed = mix(seed ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	}
	return seed;
}

/*
 * -log2(x / 2^64) in units of 2^-24, digit by digit: no floating point, which might differ between hosts. The
 * larger the number, the smaller the result; @x is not 0.
 */
static uint64_t negative_log2(uint64_t x)
{
	unsigned int zeros = (unsigned int)__builtin_clzll(x);
	uint64_t log = 63 - zeros;

	x <<= zeros; /* 1.0 <= x < 2.0 with 63 bits behind the point */
	for (unsigned int i = 0; i < 24; i++) {
		x = (uint64_t)((unsigned __int128)x * x >> 64); /* squared: 62 bits */
		log = log << 1 | x >> 63;
		if (!(x >> 63))
			x <<= 1;
	}
	return ((uint64_t)64 << 24) - log;
}

/*
 * Weighted rendezvous: who has the lowest -log(u) / weight wins, u being uniform. Of equal weights that is the
 * highest u, so that members without weights go on as they were. As a number where the highest wins.
 */
static uint64_t weighted(uint64_t u, uint8_t weight)
{
	return weight ? UINT64_MAX - (negative_log2(u) << 24) / weight : u;
}

struct set { /* next hops of a list that are in use */
	unsigned int n;
	uint32_t id[XRS_MEMBERS_MAX];
	uint8_t weight[XRS_MEMBERS_MAX];
};

static void add_to_set(struct set *set, uint32_t id, uint8_t weight)
{
	set->id[set->n] = id;
	set->weight[set->n++] = weight;
}

/* @weights: NULL, all alike. */
static struct set usable_of(const struct nexthop_table *table, const uint32_t *ids,
			    const uint8_t *weights, unsigned int n, bool held)
{
	struct set alive = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		const struct nexthop_info *info = &table->nexthops[ids[i]]->info;

		if (info->usable && (held || !info->held))
			add_to_set(&alive, ids[i], weights ? weights[i] : 0);
	}
	return alive;
}

static struct set staying_of(const struct nexthop_table *table, const struct set *set)
{
	struct set staying = { 0 };

	for (unsigned int i = 0; i < set->n; i++) {
		if (!table->nexthops[set->id[i]]->info.draining)
			add_to_set(&staying, set->id[i], set->weight[i]);
	}
	return staying;
}

struct choice { /* of one bucket, among those alive */
	uint32_t first, second;
	uint64_t first_weight, second_weight;
};

static void offer(struct choice *choice, uint32_t id, uint64_t weight)
{
	if (weight > choice->first_weight) {
		choice->second = choice->first;
		choice->second_weight = choice->first_weight;
		choice->first = id;
		choice->first_weight = weight;
	} else if (weight > choice->second_weight) {
		choice->second = id;
		choice->second_weight = weight;
	}
}

/*
 * Highest random weight: each bucket chooses for itself among those alive, so no choice depends on who
 * else is there. Members are in canonical order and only a higher weight wins: ties are settled alike.
 * The second highest is who will have the bucket without the first.
 */
static void choose(const struct nexthop_table *table, const struct set *set, struct choice *ret)
{
	uint64_t seed[XRS_MEMBERS_MAX];

	memset(ret, 0, XRS_BUCKETS * sizeof(*ret));
	for (unsigned int i = 0; i < set->n; i++)
		seed[i] = address_seed(&table->nexthops[set->id[i]]->info.addr);
	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		for (unsigned int i = 0; i < set->n; i++)
			offer(&ret[b], set->id[i],
			      weighted(mix(seed[i] ^ mix(b + 1)) | 1, set->weight[i]));
	}
}

/* The last one alive leaves its buckets to the backup set. */
static void fill_buckets(const struct nexthop_table *table, const struct set *alive,
			 const struct set *backup, struct xrs_bucket *bucket)
{
	struct choice choices[XRS_BUCKETS];

	choose(table, alive, choices);
	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		bucket->member[b] = (uint16_t)choices[b].first;
		bucket->next[b] = (uint16_t)choices[b].second;
	}
	if (alive->n > 1)
		return;
	choose(table, backup, choices);
	for (unsigned int b = 0; b < XRS_BUCKETS; b++)
		bucket->next[b] = (uint16_t)choices[b].first;
}

/*
 * Who gets the new flows of members that drain: one that does not, or else of the backup set. A member that
 * drains keeps its buckets, so nothing else in the group moves, and none of its own before they are asked.
 */
static void fill_heirs(const struct nexthop_table *table, const struct set *alive,
		       const struct set *backup, struct xrs_bucket *bucket)
{
	struct choice choices[XRS_BUCKETS];
	struct set heirs = staying_of(table, alive);

	if (heirs.n == alive->n)
		return;
	if (!heirs.n)
		heirs = staying_of(table, backup);
	if (!heirs.n)
		return;
	choose(table, &heirs, choices);
	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		if (table->nexthops[bucket->member[b]]->info.draining)
			bucket->next[b] = (uint16_t)choices[b].first;
	}
}

/* With @held those that are held back count as well. False: nobody is alive. */
static bool render(const struct nexthop_table *table, const struct group_info *info, bool held,
		   struct xrs_group *group, struct xrs_bucket *bucket)
{
	const struct set none = { 0 };
	struct set alive = usable_of(table, info->member, info->weight, info->n_members, held);
	struct set backup = usable_of(table, info->backup, NULL, info->n_backup, held);

	group->n_alive = alive.n;
	group->using_backup = !alive.n && backup.n;
	if (alive.n) {
		fill_buckets(table, &alive, &backup, bucket);
		fill_heirs(table, &alive, &backup, bucket);
	} else {
		fill_buckets(table, &backup, &none, bucket);
		fill_heirs(table, &backup, &none, bucket);
	}
	return alive.n || backup.n;
}

void group_render(const struct nexthop_table *table, uint32_t id, struct xrs_group *ret_group,
		  struct xrs_bucket *ret_bucket)
{
	const struct group_info *info = &table->groups[id]->info;

	*ret_group = (struct xrs_group){ .n_members = info->n_members, .n_backup = info->n_backup };
	memcpy(ret_group->member, info->member, info->n_members * sizeof(info->member[0]));
	memcpy(ret_group->backup, info->backup, info->n_backup * sizeof(info->backup[0]));
	if (!render(table, info, false, ret_group, ret_bucket))
		render(table, info, true, ret_group, ret_bucket);
}
