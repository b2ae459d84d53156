// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attribute store: packs a set into octets, finds it by their hash or keeps it. learn.c calls it for
 * each UPDATE and admission.c for each set that a route map makes. Equal sets pack to equal octets, so
 * comparing two sets is one memcmp(). Must never change a set that somebody may hold.
 *
 *	sets    id -> record; a free entry holds the next free id
 *	slots   hash table of ids, linear probing; each with its hash, so that only what matches is read
 *	packed  has u32, origin u8, then what `has` names in the order of pack(), blobs with a u32 length
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "rib/attr_store.h"
#include "util/stable_hash.h"
#include "util/htab.h"
#include "util/wire.h"

#define MIN_SLOTS 64
#define MIN_SETS  64
/* What malloc() adds to a record: its header and the rounding to 16 octets, on average. */
#define MALLOC_COST 16
#define GOING       16 /* sets whose slots are asked for at once */
#define FREE_MARK   1u /* records are aligned: an odd "pointer" is a free id, shifted */

struct attr_set {
	uint32_t refs;
	uint32_t hash; /* as in its slot */
	uint32_t tag;
	uint32_t len : 31;  /* of packed */
	uint32_t going : 1; /* among the going: nobody refers to it, or somebody does again */
	struct attr_summary summary;
	uint8_t packed[];
};

union entry {
	struct attr_set *set;
	uintptr_t next_free; /* id << 1 | FREE_MARK */
};

struct attr_slot {
	uint32_t id; /* ATTR_NONE: empty */
	uint32_t hash;
};

struct attr_store {
	union entry *sets;
	uint32_t cap, limit;
	uint32_t first_free; /* ATTR_NONE: none */
	struct attr_slot *slots;
	uint32_t mask;
	uint32_t seed;
	size_t count;
	size_t record_bytes;
	uint8_t *scratch;
	size_t scratch_cap;
	void (*release)(void *ctx, uint32_t tag);
	void *release_ctx;
	bool together;
	uint32_t going
		[GOING]; /* sets without references, the oldest at `next_going`; ATTR_NONE: none */
	unsigned int next_going;
};

struct attr_store *attr_store_new(void)
{
	struct attr_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	/* Not known to a peer that would pick attributes to collide. */
	store->seed = hash_u32((uint32_t)((uintptr_t)store >> 4), 0);
	store->limit = 1;
	store->slots = calloc(MIN_SLOTS, sizeof(*store->slots));
	store->mask = MIN_SLOTS - 1;
	if (!store->slots) {
		free(store);
		return NULL;
	}
	return store;
}

static bool is_live(const struct attr_store *store, uint32_t id)
{
	return id && id < store->limit && !(store->sets[id].next_free & FREE_MARK);
}

void attr_store_free(struct attr_store *store)
{
	if (!store)
		return;
	for (uint32_t id = 1; id < store->limit; id++) {
		if (!is_live(store, id))
			continue;
		if (store->sets[id].set->tag && store->release)
			store->release(store->release_ctx, store->sets[id].set->tag);
		free(store->sets[id].set);
	}
	free(store->sets);
	free(store->slots);
	free(store->scratch);
	free(store);
}

/* --- packing ------------------------------------------------------------------------------- */

/* Addresses stand in the packed form whenever they are there, whatever `has` says: bits of our own. */
#define HAS_ADDR       (1u << 31)
#define HAS_LINK_LOCAL (1u << 30)
#define HAS_PARTIAL    (1u << 29)
#define HAS_AGG_PART   (1u << 28)
#define HAS_OWN        (HAS_ADDR | HAS_LINK_LOCAL | HAS_PARTIAL | HAS_AGG_PART)

/* The optional numbers and the blobs, one row each. */
static const struct number_row {
	uint32_t has;
	size_t offset;
} numbers[] = {
	{ BGP_HAS_MED, offsetof(struct bgp_attrs, med) },
	{ BGP_HAS_LOCAL_PREF, offsetof(struct bgp_attrs, local_pref) },
	{ BGP_HAS_AGGREGATOR, offsetof(struct bgp_attrs, aggregator_asn) },
	{ BGP_HAS_AGGREGATOR, offsetof(struct bgp_attrs, aggregator_id) },
	{ BGP_HAS_ORIGINATOR_ID, offsetof(struct bgp_attrs, originator_id) },
	{ BGP_HAS_OTC, offsetof(struct bgp_attrs, otc) },
	{ HAS_PARTIAL, offsetof(struct bgp_attrs, partial) },
};

static const struct number_row blobs[] = {
	{ BGP_HAS_AS_PATH, offsetof(struct bgp_attrs, as_path) },
	{ BGP_HAS_COMMUNITIES, offsetof(struct bgp_attrs, communities) },
	{ BGP_HAS_EXT_COMMUNITIES, offsetof(struct bgp_attrs, ext_communities) },
	{ BGP_HAS_IPV6_EXT, offsetof(struct bgp_attrs, ipv6_ext) },
	{ BGP_HAS_LARGE, offsetof(struct bgp_attrs, large_communities) },
	{ BGP_HAS_CLUSTER_LIST, offsetof(struct bgp_attrs, cluster_list) },
	{ BGP_HAS_UNKNOWN, offsetof(struct bgp_attrs, unknown) },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct bgp_blob *blob_at(const struct bgp_attrs *attrs, const struct number_row *row)
{
	return (const struct bgp_blob *)((const char *)attrs + row->offset);
}

static uint32_t packed_has(const struct bgp_attrs *attrs)
{
	uint32_t has = attrs->has & ~HAS_OWN;

	if (attrs->next_hop.family)
		has |= HAS_ADDR;
	if (attrs->link_local.family)
		has |= HAS_LINK_LOCAL;
	if (attrs->partial)
		has |= HAS_PARTIAL;
	if (attrs->aggregator_partial)
		has |= HAS_AGG_PART;
	return has;
}

static size_t packed_bound(const struct bgp_attrs *attrs)
{
	/* has, origin, two addresses, the numbers, a length for each blob */
	size_t size = 4 + 1 + 2 * 17 + 4 * ARRAY_SIZE(numbers) + 4 * ARRAY_SIZE(blobs);

	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		size += blob_at(attrs, &blobs[i])->len;
	return size;
}

static void put_addr(struct wire_writer *w, const struct ip_addr *addr)
{
	wire_put_u8(w, addr->family);
	wire_put_bytes(w, addr->bytes, ip_bytes((enum ip_family)addr->family));
}

static size_t pack(const struct bgp_attrs *attrs, uint8_t *buf, size_t cap)
{
	uint32_t has = packed_has(attrs);
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	wire_put_u32(&w, has);
	wire_put_u8(&w, attrs->has & BGP_HAS_ORIGIN ? attrs->origin : 0);
	if (has & HAS_ADDR)
		put_addr(&w, &attrs->next_hop);
	if (has & HAS_LINK_LOCAL)
		put_addr(&w, &attrs->link_local);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t value;

		memcpy(&value, (const char *)attrs + numbers[i].offset, sizeof(value));
		if (has & numbers[i].has)
			wire_put_u32(&w, value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		const struct bgp_blob *blob = blob_at(attrs, &blobs[i]);

		if (!(has & blobs[i].has))
			continue;
		wire_put_u32(&w, blob->len);
		wire_put_bytes(&w, blob->data, blob->len);
	}
	return w.failed ? 0 : w.pos;
}

static struct ip_addr take_addr(struct wire_reader *r)
{
	enum ip_family family = (enum ip_family)wire_u8(r);

	return ip_from_bytes(family, wire_bytes(r, ip_bytes(family)));
}

void attr_store_get(const struct attr_store *store, uint32_t id, struct bgp_attrs *ret_attrs)
{
	const struct attr_set *set = store->sets[id].set;
	struct bgp_attrs attrs = { 0 };
	struct wire_reader r;
	uint32_t has;

	wire_read_init(&r, set->packed, set->len);
	has = wire_u32(&r);
	attrs.has = has & ~HAS_OWN;
	attrs.aggregator_partial = has & HAS_AGG_PART;
	attrs.origin = wire_u8(&r);
	if (has & HAS_ADDR)
		attrs.next_hop = take_addr(&r);
	if (has & HAS_LINK_LOCAL)
		attrs.link_local = take_addr(&r);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t value = has & numbers[i].has ? wire_u32(&r) : 0;

		memcpy((char *)&attrs + numbers[i].offset, &value, sizeof(value));
	}
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		struct bgp_blob blob = { 0 };

		if (!(has & blobs[i].has))
			continue;
		blob.len = wire_u32(&r);
		blob.data = wire_bytes(&r, blob.len);
		memcpy((char *)&attrs + blobs[i].offset, &blob, sizeof(blob));
	}
	*ret_attrs = attrs;
}

/* Behind has and origin, as pack() writes it. */
struct ip_addr attr_store_next_hop(const struct attr_store *store, uint32_t id)
{
	const struct attr_set *set = store->sets[id].set;
	struct wire_reader r;

	wire_read_init(&r, set->packed, set->len);
	if (!(wire_u32(&r) & HAS_ADDR))
		return (struct ip_addr){ .family = IP_NONE };
	wire_skip(&r, 1);
	return take_addr(&r);
}

/* --- summary ------------------------------------------------------------------------------- */

static uint16_t community_flags(struct bgp_blob communities)
{
	static const struct {
		uint32_t community;
		uint16_t flag;
	} known[] = {
		{ BGP_COMM_NO_ADVERTISE, ATTR_SUM_NO_ADVERTISE },
		{ BGP_COMM_NO_EXPORT, ATTR_SUM_NO_EXPORT },
		{ BGP_COMM_NO_EXPORT_SUBCONFED, ATTR_SUM_NO_EXPORT_SUBCONF },
		{ BGP_COMM_GRACEFUL_SHUTDOWN, ATTR_SUM_GRACEFUL_SHUTDOWN },
		{ BGP_COMM_LLGR_STALE, ATTR_SUM_LLGR_STALE },
		{ BGP_COMM_NO_LLGR, ATTR_SUM_NO_LLGR },
		{ BGP_COMM_NOPEER, ATTR_SUM_NOPEER },
	};
	struct wire_reader r;
	uint16_t flags = 0;

	wire_read_init(&r, communities.data, communities.len);
	while (wire_left(&r) >= sizeof(uint32_t)) {
		uint32_t community = wire_u32(&r);

		if (community < 0xffff0000u) /* RFC 1997: the well-known ones all lie above */
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			flags |= known[k].community == community ? known[k].flag : 0;
	}
	return flags;
}

struct attr_summary attr_summarise(const struct bgp_attrs *attrs)
{
	bool originator = attrs->has & BGP_HAS_ORIGINATOR_ID;
	bool bandwidth = ext_community_bandwidth(attrs->ext_communities) > 0;
	unsigned int as_path_len = aspath_length(attrs->as_path);

	return (struct attr_summary){
		.as_path_len = as_path_len > UINT16_MAX ? UINT16_MAX : (uint16_t)as_path_len,
		.flags = (uint16_t)(community_flags(attrs->communities) |
				    (originator ? ATTR_SUM_ORIGINATOR : 0) |
				    (attrs->has & BGP_HAS_OTC ? ATTR_SUM_OTC : 0) |
				    (bandwidth ? ATTR_SUM_LINK_BANDWIDTH : 0)),
		.neighbour_as = aspath_first(attrs->as_path),
		.local_pref = attrs->has & BGP_HAS_LOCAL_PREF ? attrs->local_pref
							      : ATTR_DEFAULT_LOCAL_PREF,
		.med = attrs->has & BGP_HAS_MED ? attrs->med : 0,
		.originator_id = originator ? attrs->originator_id : 0,
		.path_digest =
			(uint32_t)stable_hash_bytes(attrs->as_path.data, attrs->as_path.len, 0),
		.cluster_len = (uint16_t)(attrs->cluster_list.len / 4),
		.origin = attrs->has & BGP_HAS_ORIGIN ? attrs->origin : BGP_ORIGIN_INCOMPLETE,
	};
}

/* --- the table ----------------------------------------------------------------------------- */

/* The slot that holds these octets, or the empty one that ends their run. */
static uint32_t locate(const struct attr_store *store, uint32_t hash, const uint8_t *packed,
		       size_t len)
{
	uint32_t at = hash & store->mask;

	for (; store->slots[at].id; at = (at + 1) & store->mask) {
		const struct attr_set *set;

		if (store->slots[at].hash != hash)
			continue;
		set = store->sets[store->slots[at].id].set;
		if (set->len == len && !memcmp(set->packed, packed, len))
			break;
	}
	return at;
}

static bool make_slot_room(struct attr_store *store)
{
	uint32_t count = (store->mask + 1) * 2;
	struct attr_slot *slots;

	if ((store->count + 1) * 4 <= (size_t)(store->mask + 1) * 3)
		return true;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i <= store->mask; i++) {
		uint32_t at = store->slots[i].hash & (count - 1);

		if (!store->slots[i].id)
			continue;
		while (slots[at].id)
			at = (at + 1) & (count - 1);
		slots[at] = store->slots[i];
	}
	free(store->slots);
	store->slots = slots;
	store->mask = count - 1;
	return true;
}

static bool make_id_room(struct attr_store *store)
{
	uint32_t cap = store->cap + store->cap / 4 + MIN_SETS;
	union entry *sets;

	if (store->first_free || store->limit < store->cap)
		return true;
	sets = reallocarray(store->sets, cap, sizeof(*sets));
	if (!sets)
		return false;
	store->sets = sets;
	store->cap = cap;
	return true;
}

static uint32_t take_id(struct attr_store *store)
{
	uint32_t id = store->first_free;

	if (!id)
		return store->limit++;
	store->first_free = (uint32_t)(store->sets[id].next_free >> 1);
	return id;
}

static uint32_t add_set(struct attr_store *store, const struct bgp_attrs *attrs, uint32_t hash,
			size_t len)
{
	struct attr_set *set;
	uint32_t id;

	if (!make_slot_room(store) || !make_id_room(store))
		return ATTR_NONE;
	set = malloc(sizeof(*set) + len);
	if (!set)
		return ATTR_NONE;
	*set = (struct attr_set){
		.refs = 1,
		.hash = hash,
		.len = (uint32_t)len,
		.summary = attr_summarise(attrs),
	};
	memcpy(set->packed, store->scratch, len);
	id = take_id(store);
	store->sets[id].set = set;
	store->slots[locate(store, hash, set->packed, len)] =
		(struct attr_slot){ .id = id, .hash = hash };
	store->count++;
	store->record_bytes += sizeof(*set) + len;
	return id;
}

static bool make_scratch(struct attr_store *store, size_t size)
{
	uint8_t *scratch;

	if (size <= store->scratch_cap)
		return true;
	scratch = realloc(store->scratch, size);
	if (!scratch)
		return false;
	store->scratch = scratch;
	store->scratch_cap = size;
	return true;
}

uint32_t attr_store_intern(struct attr_store *store, const struct bgp_attrs *attrs)
{
	uint32_t hash, id;
	size_t len;

	if (!make_scratch(store, packed_bound(attrs)))
		return ATTR_NONE;
	len = pack(attrs, store->scratch, store->scratch_cap);
	if (!len)
		return ATTR_NONE;
	hash = hash_bytes(store->scratch, len, store->seed);
	id = store->slots[locate(store, hash, store->scratch, len)].id;
	if (!id)
		return add_set(store, attrs, hash, len);
	store->sets[id].set->refs++;
	return id;
}

void attr_store_ref(struct attr_store *store, uint32_t id)
{
	if (id)
		store->sets[id].set->refs++;
}

static uint32_t slot_of(const struct attr_store *store, uint32_t id)
{
	uint32_t at = store->sets[id].set->hash & store->mask;

	while (store->slots[at].id != id)
		at = (at + 1) & store->mask;
	return at;
}

/* Fills the hole from the rest of its run, so that lookups never meet a tombstone. */
static void close_hole(struct attr_store *store, uint32_t hole)
{
	uint32_t at = (hole + 1) & store->mask;

	for (; store->slots[at].id; at = (at + 1) & store->mask) {
		uint32_t home = store->slots[at].hash & store->mask;

		if (((at - home) & store->mask) < ((at - hole) & store->mask))
			continue;
		store->slots[hole] = store->slots[at];
		hole = at;
	}
	store->slots[hole] = (struct attr_slot){ .id = ATTR_NONE };
}

static void forget(struct attr_store *store, uint32_t id)
{
	struct attr_set *set = store->sets[id].set;
	uint32_t tag = set->tag;

	close_hole(store, slot_of(store, id));
	store->count--;
	store->record_bytes -= sizeof(*set) + set->len;
	free(set);
	store->sets[id].next_free = (uintptr_t)store->first_free << 1 | FREE_MARK;
	store->first_free = id;
	if (tag && store->release)
		store->release(store->release_ctx, tag);
}

/* The oldest of the going makes room for @id. */
static void take_turn(struct attr_store *store, uint32_t id)
{
	uint32_t oldest = store->going[store->next_going];

	store->going[store->next_going] = id;
	store->next_going = (store->next_going + 1) % GOING;
	if (!oldest)
		return;
	store->sets[oldest].set->going = 0;
	if (!store->sets[oldest].set->refs)
		forget(store, oldest);
}

void attr_store_unref(struct attr_store *store, uint32_t id)
{
	struct attr_set *set = id ? store->sets[id].set : NULL;

	if (!id || --set->refs || set->going)
		return;
	if (!store->together) {
		forget(store, id);
		return;
	}
	__builtin_prefetch(&store->slots[set->hash & store->mask], 1);
	set->going = 1;
	take_turn(store, id);
}

void attr_store_together(struct attr_store *store, bool on)
{
	store->together = on;
	for (unsigned int i = 0; !on && i < GOING; i++)
		take_turn(store, ATTR_NONE);
}

const struct attr_summary *attr_store_summary(const struct attr_store *store, uint32_t id)
{
	return &store->sets[id].set->summary;
}

uint32_t attr_store_tag(const struct attr_store *store, uint32_t id)
{
	return store->sets[id].set->tag;
}

void attr_store_set_tag(struct attr_store *store, uint32_t id, uint32_t tag)
{
	store->sets[id].set->tag = tag;
}

void attr_store_on_release(struct attr_store *store, void (*fn)(void *ctx, uint32_t tag), void *ctx)
{
	store->release = fn;
	store->release_ctx = ctx;
}

size_t attr_store_count(const struct attr_store *store)
{
	return store->count;
}

uint32_t attr_store_octets(const struct attr_store *store, uint32_t id)
{
	const struct attr_set *set = id ? store->sets[id].set : NULL;

	return set ? (uint32_t)(sizeof(*set) + set->len + MALLOC_COST) : 0;
}

size_t attr_store_memory(const struct attr_store *store)
{
	return sizeof(*store) + store->cap * sizeof(*store->sets) +
	       ((size_t)store->mask + 1) * sizeof(*store->slots) + store->record_bytes +
	       store->count * MALLOC_COST + store->scratch_cap;
}
