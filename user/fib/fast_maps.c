// SPDX-License-Identifier: GPL-2.0-only
/*
 * The derived lookup structures in their maps: when one is made, filled, kept up with the trie, and shown to
 * the program. fib_fast.c knows what stands in it.
 *
 * Called by fib_routes.c around each write to a trie, and by the owner's slices (fib_maps_fast_work). The
 * program looks at xrs_fast_head first: while root_bits is 0 there, the trie answers.
 *
 *   NONE --> BUILD --> OFF <--> ON        OFF, BUILD: no reader; changes are made in place
 *                                         ON: readers; set to 0 for the moment of each batch of writes, so
 *                                         that trie and structure never differ while it is asked
 *
 * A process that dies leaves what it made in the maps: with root_bits if it was right, without if it was in
 * the middle of a batch. The next one lets it answer until it writes its first route or has its own.
 *
 * Waiting for readers (fast_memory.c) takes about 10 ms: hence it is done once for many changes.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BULK 1024 /* routes of a batch from which the structure goes OFF for it */
#define HELD_LEAST \
	(1 << 20) /* octets taken out of a structure that is ON before we wait for readers */

static struct xrs_fast_head *head_of(const struct fib_maps *maps, const struct fast_table *fast)
{
	return &maps->heads[fast->index];
}

static void set_root_bits(struct fib_maps *maps, const struct fast_table *fast, uint32_t bits)
{
	__atomic_store_n(&head_of(maps, fast)->root_bits, bits, __ATOMIC_SEQ_CST);
}

static void mark(struct fib_maps *maps, const struct fast_table *fast)
{
	maps->fast_pending[fast->index / 64] |= 1ull << fast->index % 64;
}

/* What fib_maps_fast_figures() says from now on. */
static void tell(const struct fib_maps *maps, struct fast_table *fast)
{
	struct fib_maps_fast now = {
		.on = fast->state == FAST_ON,
		.building = fast->state == FAST_BUILD || fast->state == FAST_OFF,
		.error = -fast->error,
		.builds = fast->builds,
		.copies = fast->copies,
		.pauses = fast->pauses,
	};

	if (fast->fast) {
		now.figures = fib_fast_figures(fast->fast);
		now.memory = fast->memory.size;
	}
	pthread_mutex_lock(maps->told_lock);
	fast->told = now;
	pthread_mutex_unlock(maps->told_lock);
}

/* --- memory --------------------------------------------------------------------------------------------- */
/* A structure of its own in memory of its own, which the program does not know. */
static int memory_new(enum ip_family family, unsigned int root_bits, uint32_t pages,
		      struct fast_table *ret)
{
	int error = fast_memory_new((size_t)pages * XRS_FAST_PAGE, &ret->memory);

	if (error)
		return error;
	ret->fast = fib_fast_new(family, root_bits, ret->memory.at,
				 (uint32_t)(ret->memory.size / XRS_FAST_PAGE));
	if (ret->fast)
		return 0;
	fast_memory_free(&ret->memory);
	return -ENOMEM;
}

static void memory_free(struct fast_table *fast)
{
	if (!fast->fast)
		return;
	fib_fast_free(fast->fast);
	fast_memory_free(&fast->memory);
	fast->fast = NULL;
}

/* --- states --------------------------------------------------------------------------------------------- */
/* The program asks the trie, and none is left that does not. */
static void go_off(struct fib_maps *maps, struct fast_table *fast)
{
	if (fast->state != FAST_ON)
		return;
	set_root_bits(maps, fast, 0);
	fast_memory_wait(maps, fast->index, &fast->memory);
	fib_fast_hold(fast->fast, false);
	fib_fast_release(fast->fast);
	fast->state = FAST_OFF;
	fast->pauses++;
}

/* Nothing is there any more, for the program and for us. */
static void drop(struct fib_maps *maps, struct fast_table *fast)
{
	struct xrs_fast_head *head = head_of(maps, fast);

	set_root_bits(maps, fast, 0);
	head->built = 0;
	fast_memory_hide(maps, fast->index);
	head->otherwise = 0;
	memory_free(fast);
	fast->state = FAST_NONE;
	fast->installed = fast->inherited = false;
	tell(maps, fast);
}

static void fail(struct fib_maps *maps, struct fast_table *fast, int error)
{
	fast->error = error;
	drop(maps, fast);
}

/* A copy of @fast in so many pages. -ENOSPC: they are too few. */
static int copy_to(const struct fast_table *fast, unsigned int root_bits, uint32_t pages,
		   struct fast_table *ret)
{
	enum ip_family family = fast->index & 1 ? IP_V6 : IP_V4;
	int error;

	*ret = *fast;
	ret->fast = NULL;
	error = memory_new(family, root_bits, pages, ret);
	if (error)
		return error == -ENOSPC ? -ENOMEM : error;
	error = fib_fast_copy(ret->fast, fast->fast);
	if (error)
		memory_free(ret);
	return error;
}

#define MORE_PAGES 16

/* For as many routes, and a quarter more. */
static uint32_t pages_for(unsigned int root_bits, size_t routes)
{
	return fib_fast_pages(root_bits, routes + routes / 4);
}

/* For the nodes that there are, and half as many. Below another root they are others: as for a new one. */
static uint32_t more_pages(const struct fib_fast_figures *now, unsigned int root_bits,
			   size_t routes)
{
	uint32_t root = fib_fast_pages(root_bits, 0);
	uint32_t nodes = now->pages > root ? now->pages - root : 0;

	if (root_bits != now->root_bits)
		return pages_for(root_bits, routes);
	return root + nodes + nodes / 2 + MORE_PAGES;
}

/*
 * By a chunk, where the kind of memory has more than one. Else the whole structure is copied into another with more
 * room, and a larger root where the table has outgrown its own.
 */
static int enlarge(struct fib_maps *maps, struct fast_table *fast, size_t routes)
{
	enum ip_family family = fast->index & 1 ? IP_V6 : IP_V4;
	struct fib_fast_figures now = fib_fast_figures(fast->fast);
	unsigned int bits = fib_fast_root_bits(family, routes);
	struct fast_table to;
	uint32_t pages;
	int ret;

	go_off(maps, fast);
	tell(maps, fast);
	if (bits < now.root_bits)
		bits = now.root_bits;
	if (bits == now.root_bits && !fast_memory_more(&fast->memory)) {
		fib_fast_more(fast->fast, (uint32_t)(fast->memory.size / XRS_FAST_PAGE));
		fast->installed = false;
		return 0;
	}
	pages = more_pages(&now, bits, routes);
	while ((ret = copy_to(fast, bits, pages, &to)) == -ENOSPC)
		pages += pages / 2;
	if (ret)
		return ret;
	memory_free(fast);
	/* Not the whole of it: another thread reads the rest without the lock. */
	fast->fast = to.fast;
	fast->memory = to.memory;
	fast->installed = false;
	fast->copies++;
	return 0;
}

/* Complete and equal to the trie: the program may ask it. */
static int publish(struct fib_maps *maps, struct fast_table *fast)
{
	struct xrs_fast_head *head = head_of(maps, fast);
	int ret;

	if (!fast->installed) {
		/* Nobody may take the root of one for that of the other. */
		if (fast->inherited) {
			set_root_bits(maps, fast, 0);
			fast_memory_hide(maps, fast->index);
		}
		ret = fast_memory_show(maps, fast->index, &fast->memory);
		if (ret)
			return ret;
		head->chunk = fast->memory.chunk;
		fast->installed = true;
	}
	fast->inherited = false;
	head->otherwise = fib_fast_otherwise(fast->fast);
	head->built = 1;
	fib_fast_hold(fast->fast, true);
	set_root_bits(maps, fast, fib_fast_figures(fast->fast).root_bits);
	fast->state = FAST_ON;
	return 0;
}

/* --- changes -------------------------------------------------------------------------------------------- */
/* The leaf of the longest prefix that holds @prefix and is shorter, from the trie. */
static uint32_t cover_of(const struct fib_maps *maps, uint32_t table,
			 const struct ip_prefix *prefix)
{
	struct xrs_route route;
	struct ip_prefix shorter;

	if (!prefix->len)
		return 0;
	shorter = prefix_of(&prefix->addr, prefix->len - 1);
	return fib_maps_route_cover(maps, table, &shorter, &route) ? 0 : fib_fast_leaf(&route);
}

static int apply(struct fib_maps *maps, struct fast_table *fast, const struct fib_route *route,
		 bool del)
{
	uint32_t leaf = del ? cover_of(maps, fast->index / 2, &route->prefix)
			    : fib_fast_leaf(&route->value);

	if (del)
		return fib_fast_del(fast->fast, &route->prefix, leaf);
	return fib_fast_set(fast->fast, &route->prefix, leaf);
}

/* Until it fits. A structure that cannot keep up is of no use to anybody. */
static int apply_or_enlarge(struct fib_maps *maps, struct fast_table *fast, size_t routes,
			    const struct fib_route *route, bool del)
{
	int ret = apply(maps, fast, route, del);

	while (ret == -ENOSPC) {
		ret = enlarge(maps, fast, routes);
		if (!ret)
			ret = apply(maps, fast, route, del);
	}
	return ret;
}

static bool wanted(const struct fib_maps *maps, size_t routes)
{
	return maps->fast_least && routes >= maps->fast_least;
}

static int start(struct fib_maps *maps, struct fast_table *fast, size_t routes)
{
	enum ip_family family = fast->index & 1 ? IP_V6 : IP_V4;
	unsigned int bits = fib_fast_root_bits(family, routes);
	int ret = memory_new(family, bits, pages_for(bits, routes), fast);

	if (ret)
		return ret;
	fast->state = FAST_BUILD;
	fast->installed = false;
	fast->most = routes;
	fast->builds++;
	fib_walk_init(&fast->walk, fast->index / 2, family);
	tell(maps, fast);
	return 0;
}

/* The next part of the trie into the structure; false when all of it is there. */
static bool build_some(struct fib_maps *maps, struct fast_table *fast, size_t routes)
{
	size_t n;
	int ret = fib_walk_locked(maps, &fast->walk, maps->fast_routes, FAST_SLICE, &n);

	if (ret == -ESTALE) { /* what comes again changes nothing */
		fib_walk_init(&fast->walk, fast->walk.table, fast->walk.family);
		return true;
	}
	for (size_t i = 0; !ret && i < n; i++)
		ret = apply_or_enlarge(maps, fast, routes, &maps->fast_routes[i], false);
	if (ret) {
		fail(maps, fast, ret);
		return false;
	}
	if (n)
		return true;
	fast->state = FAST_OFF;
	return false;
}

void fast_before(struct fib_maps *maps, struct fast_table *fast, bool del, size_t n)
{
	if (fast->inherited && head_of(maps, fast)->root_bits) {
		set_root_bits(maps, fast, 0);
		mark(maps, fast);
	}
	if (fast->state != FAST_ON)
		return;
	if (n >= BULK)
		go_off(maps, fast);
	else
		set_root_bits(maps, fast, 0);
}

/* What is held, to be used again once nobody reads it: octets from which it is worth a grace period. */
static size_t held_limit(const struct fib_fast_figures *f)
{
	size_t quarter = (size_t)f->pages_used * XRS_FAST_PAGE / 4;

	return quarter > HELD_LEAST ? quarter : HELD_LEAST;
}

/* True: there was enough, and it may be used again. */
static bool reclaim(struct fib_maps *maps, struct fast_table *fast, size_t times)
{
	struct fib_fast_figures f = fib_fast_figures(fast->fast);

	if (f.held < times * held_limit(&f))
		return false;
	fast_memory_wait(maps, fast->index, &fast->memory);
	fib_fast_release(fast->fast);
	return true;
}

/* A table that is being filled: made with its first batch, nothing has to be read back later. */
static void start_early(struct fib_maps *maps, struct fast_table *fast, size_t count)
{
	int ret;

	if (fast->error || count > 2 * FIB_BATCH || !wanted(maps, count))
		return;
	ret = start(maps, fast, count);
	if (ret)
		fail(maps, fast, ret);
	while (fast->state == FAST_BUILD && build_some(maps, fast, count))
		;
}

/* The changes of a batch, in place. 0 or negative errno. */
static int follow(struct fib_maps *maps, struct fast_table *fast, size_t count, bool del,
		  const struct fib_route *routes, size_t n)
{
	int ret = 0;

	if (count > fast->most)
		fast->most = count;
	for (size_t i = 0; !ret && i < n; i++) {
		if (!routes[i].error)
			ret = apply_or_enlarge(maps, fast, count, &routes[i], del);
	}
	return ret;
}

void fast_after(struct fib_maps *maps, struct fast_table *fast, size_t count, bool del,
		const struct fib_route *routes, size_t n)
{
	int ret;

	mark(maps, fast);
	if (fast->state == FAST_NONE) {
		if (!del)
			start_early(maps, fast, count);
		return;
	}
	if (del && fast->state == FAST_OFF && n >= BULK) {
		drop(maps,
		     fast); /* each would ask the trie for its cover: reading what is left is less */
		return;
	}
	ret = follow(maps, fast, count, del, routes, n);
	if (ret) {
		fail(maps, fast, ret);
		return;
	}
	tell(maps, fast);
	if (fast->state != FAST_ON)
		return;
	/* fib_maps_fast_work() has not come by for long. */
	reclaim(maps, fast, 2);
	head_of(maps, fast)->otherwise = fib_fast_otherwise(fast->fast);
	set_root_bits(maps, fast, fib_fast_figures(fast->fast).root_bits);
}

/* --- slices --------------------------------------------------------------------------------------------- */
static bool outgrown(const struct fast_table *fast, size_t count)
{
	struct fib_fast_figures f = fib_fast_figures(fast->fast);

	return fib_fast_root_bits(fast->index & 1 ? IP_V6 : IP_V4, count) > f.root_bits;
}

/* Its memory is that of a table that was four times as large. */
static bool shrunk(const struct fast_table *fast, size_t count)
{
	return count < fast->most / 4 && fast->most > FIB_BATCH;
}

static bool work_table(struct fib_maps *maps, struct fast_table *fast, size_t count)
{
	int ret = 0;

	switch (fast->state) {
	case FAST_NONE:
		if (!wanted(maps, count) && fast->inherited)
			drop(maps, fast);
		if (fast->error || !wanted(maps, count))
			return false;
		ret = start(maps, fast, count);
		break;
	case FAST_BUILD:
		build_some(maps, fast, count);
		return true;
	case FAST_OFF:
	case FAST_ON:
		/* Half as many: a table that varies about the limit is not built again and again. */
		if (!wanted(maps, 2 * count) || shrunk(fast, count))
			drop(maps, fast);
		else if (outgrown(fast, count))
			ret = enlarge(maps, fast, count);
		else if (fast->state == FAST_OFF)
			ret = publish(maps, fast);
		else
			return reclaim(maps, fast, 1);
		break;
	}
	if (ret)
		fail(maps, fast, ret);
	else
		tell(maps, fast);
	return true;
}

bool fib_maps_fast_work(struct fib_maps *maps)
{
	FIB_LOCKED(maps);
	for (uint32_t i = 0; i < XRS_FAST_MAX / 64; i++) {
		while (maps->fast_pending[i]) {
			uint32_t index = 64 * i + (uint32_t)__builtin_ctzll(maps->fast_pending[i]);
			struct fib_table *table = &maps->tables[index / 2];

			if (table->name[0] &&
			    work_table(maps, &table->fast[index & 1], table->trie[index & 1].count))
				return true;
			maps->fast_pending[i] &= maps->fast_pending[i] - 1;
		}
	}
	return false;
}

void fib_maps_fast_least(struct fib_maps *maps, size_t routes)
{
	FIB_LOCKED(maps);
	maps->fast_least = routes;
	memset(maps->fast_pending, 0xff, sizeof(maps->fast_pending));
}

/* --- tables come and go --------------------------------------------------------------------------------- */
void fast_open(struct fib_maps *maps, struct fast_table *fast, uint32_t table, bool v6,
	       bool adopted)
{
	*fast = (struct fast_table){ .index = XRS_FAST_HEAD(table, v6) };
	fast->inherited = fast_memory_is_shown(maps, fast->index);
	if (!adopted && (fast->inherited || head_of(maps, fast)->root_bits))
		drop(maps, fast);
	mark(maps, fast);
}

void fast_close(struct fib_maps *maps, struct fast_table *fast)
{
	if (fast->state != FAST_NONE || fast->inherited)
		drop(maps, fast);
	head_of(maps, fast)->fallbacks = 0;
}

void fast_done(struct fast_table *fast)
{
	memory_free(fast);
}

/* --- reading -------------------------------------------------------------------------------------------- */
static const struct fast_table *find(const struct fib_maps *maps, uint32_t table,
				     enum ip_family family)
{
	if (table >= XRS_TABLE_MAX || !maps->tables[table].name[0] ||
	    (family != IP_V4 && family != IP_V6))
		return NULL;
	return &maps->tables[table].fast[family == IP_V6];
}

int fib_maps_fast_match(const struct fib_maps *maps, uint32_t table, const struct ip_addr *addr,
			struct xrs_route *ret_route)
{
	FIB_LOCKED(maps);
	const struct fast_table *fast = find(maps, table, addr->family);
	uint32_t leaf;

	if (!fast || fast->state != FAST_ON)
		return -ENODATA;
	leaf = fib_fast_lookup(fast->fast, addr);
	if (!leaf)
		return -ENOENT;
	*ret_route = fib_fast_route(leaf);
	return 0;
}

int fib_maps_fast_rebuild(struct fib_maps *maps, uint32_t table, enum ip_family family)
{
	FIB_LOCKED(maps);
	struct fast_table *fast = (struct fast_table *)find(maps, table, family);

	if (!fast)
		return -ENOENT;
	fast->error = 0;
	drop(maps, fast);
	mark(maps, fast);
	return 0;
}

int fib_maps_fast_figures(const struct fib_maps *maps, uint32_t table, enum ip_family family,
			  struct fib_maps_fast *ret)
{
	const struct fast_table *fast = find(maps, table, family);

	if (!fast)
		return -ENOENT;
	pthread_mutex_lock(maps->told_lock);
	*ret = fast->told;
	pthread_mutex_unlock(maps->told_lock);
	ret->fallbacks = __atomic_load_n(&head_of(maps, fast)->fallbacks, __ATOMIC_RELAXED);
	return 0;
}

/* A copy of so much is a moment, and so many pages are room for any handful of routes. */
#define COPY_QUICK 512 /* pages */
#define ROOM_PAGES 32

bool fib_maps_fast_quick(const struct fib_maps *maps, uint32_t table, enum ip_family family)
{
	struct fib_maps_fast fast;
	const struct fib_fast_figures *f = &fast.figures;

	return fib_maps_fast_figures(maps, table, family, &fast) || f->pages_used < COPY_QUICK ||
	       f->pages - f->pages_used >= ROOM_PAGES;
}
