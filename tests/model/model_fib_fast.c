// SPDX-License-Identifier: GPL-2.0-only
/*
 * The derived lookup structure against a naive list: random routes that nest and collide come, change and
 * go; after each step addresses at the edges of a prefix are asked for. On the way the structure is copied
 * to larger memory and a larger root, with little memory and with much. And a thread that reads meanwhile.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fib/fib_fast.h"

#define MODEL_MAX 1500
#define STEPS     7000
#define PAGE      XRS_FAST_PAGE

struct model {
	struct ip_prefix prefix[MODEL_MAX];
	uint32_t leaf[MODEL_MAX];
	unsigned int n;
};

struct subject { /* the structure and its memory */
	struct fib_fast *fast;
	void *memory;
	uint32_t pages;
};

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % below;
}

static bool covers(const struct ip_prefix *p, const struct ip_addr *a, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++) {
		if ((p->addr.bytes[i / 8] ^ a->bytes[i / 8]) >> (7 - i % 8) & 1)
			return false;
	}
	return true;
}

/* The leaf of the longest prefix shorter than @below that holds @addr. */
static uint32_t best(const struct model *m, const struct ip_addr *addr, unsigned int below)
{
	int found = -1;

	for (unsigned int i = 0; i < m->n; i++) {
		if (m->prefix[i].len < below && covers(&m->prefix[i], addr, m->prefix[i].len) &&
		    (found < 0 || m->prefix[i].len > m->prefix[found].len))
			found = (int)i;
	}
	return found < 0 ? 0 : m->leaf[found];
}

static unsigned int find(const struct model *m, const struct ip_prefix *p)
{
	unsigned int i = 0;

	while (i < m->n && !prefix_equal(&m->prefix[i], p))
		i++;
	return i;
}

/*
 * Few distinct octets, so that prefixes meet: a third of them in one /16, so that dense nodes arise, a third
 * from so few that long ones hang below each other. Few are longer than @longest, so that index
 * nodes stay.
 */
static struct ip_prefix random_prefix(enum ip_family family, unsigned int longest)
{
	struct ip_addr addr = { .family = family };
	unsigned int bits = ip_bits(family), kind = draw(3);

	for (unsigned int i = 0; i < bits / 8; i++) {
		if (kind == 0 && i < 2)
			addr.bytes[i] = (uint8_t)(i && longest < bits ? draw(3) : 10);
		else if (kind == 0 || (kind == 1 && draw(4) == 0))
			addr.bytes[i] = (uint8_t)draw(256);
		else
			addr.bytes[i] = (uint8_t)(draw(kind == 1 ? 3 : 1 + (i % 5 == 0)) * 85);
	}
	return prefix_of(&addr, (uint8_t)draw((draw(200) ? longest : bits) + 1));
}

static void step_addr(struct ip_addr *addr, int by)
{
	for (int i = (int)ip_bytes(addr->family) - 1; i >= 0; i--) {
		addr->bytes[i] = (uint8_t)(addr->bytes[i] + by);
		if (addr->bytes[i] != (by > 0 ? 0 : 255))
			return;
	}
}

static void ask(const struct model *m, const struct subject *s, const struct ip_addr *addr)
{
	uint32_t want = best(m, addr, 129), got = fib_fast_lookup(s->fast, addr);
	char text[IP_TEXT_MAX];

	cr_assert(got == want, "%s: leaf %x, not %x", ip_format(addr, text), got, want);
}

/* First and last address of @p and those beside them. */
static void ask_edges(const struct model *m, const struct subject *s, const struct ip_prefix *p)
{
	struct ip_addr first = p->addr, last = p->addr;

	for (unsigned int i = p->len; i < ip_bits(p->addr.family); i++)
		last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	ask(m, s, &first);
	ask(m, s, &last);
	step_addr(&first, -1);
	step_addr(&last, 1);
	ask(m, s, &first);
	ask(m, s, &last);
}

static void subject_new(struct subject *s, enum ip_family family, unsigned int root_bits,
			uint32_t pages)
{
	s->memory = calloc(pages, PAGE);
	s->pages = pages;
	s->fast = fib_fast_new(family, root_bits, s->memory, pages);
	cr_assert(s->memory && s->fast);
}

static void subject_free(struct subject *s)
{
	fib_fast_free(s->fast);
	free(s->memory);
}

/* To a little more memory, so that it is soon full again, and a root @more bits larger. */
static void move(struct subject *s, enum ip_family family, unsigned int more)
{
	unsigned int bits = fib_fast_figures(s->fast).root_bits + more;
	uint32_t pages = s->pages + 1 + (more ? fib_fast_pages(bits, 0) : 0);
	struct subject to;

	/* As fast_maps.c: nobody reads any more, so that what was taken out is overwritten. */
	fib_fast_hold(s->fast, false);
	fib_fast_release(s->fast);
	subject_new(&to, family, bits, pages);
	while (fib_fast_copy(to.fast, s->fast) == -ENOSPC) {
		subject_free(&to);
		subject_new(&to, family, bits, ++pages);
	}
	subject_free(s);
	*s = to;
}

static void step_set(struct model *m, struct subject *s, const struct ip_prefix *p)
{
	struct xrs_route route = { .kind = draw(8) ? 0 : 1 + draw(4), .prefix_len = p->len };
	unsigned int i = find(m, p);

	route.group = route.kind ? 0 : 1 + draw(4);
	m->n += i == m->n;
	m->prefix[i] = *p;
	m->leaf[i] = fib_fast_leaf(&route);
	while (fib_fast_set(s->fast, p, m->leaf[i]) == -ENOSPC)
		move(s, p->addr.family, 0);
}

static void step_del(struct model *m, struct subject *s, unsigned int i)
{
	struct ip_prefix p = m->prefix[i];

	m->n--;
	m->prefix[i] = m->prefix[m->n];
	m->leaf[i] = m->leaf[m->n];
	while (fib_fast_del(s->fast, &p, best(m, &p.addr, p.len)) == -ENOSPC)
		move(s, p.addr.family, 0);
	ask_edges(m, s, &p);
}

/* Returns how many index nodes there were at most. */
static uint32_t run(enum ip_family family, unsigned int root_bits, unsigned int longest,
		    uint64_t seed)
{
	static struct model m;
	unsigned int more = family == IP_V6 && root_bits == 12 ? 5 : 2;
	uint32_t index = 0;
	struct subject s;

	if (root_bits + more > XRS_FAST_ROOT_MAX)
		more = XRS_FAST_ROOT_MAX - root_bits;
	state = seed;
	m.n = 0;
	subject_new(&s, family, root_bits, fib_fast_pages(root_bits, 0));
	for (int i = 0; i < STEPS; i++) {
		struct ip_prefix p = random_prefix(family, longest);

		fib_fast_hold(s.fast, draw(8));
		if (m.n < MODEL_MAX - 1 && draw(100) < (i < STEPS / 2 ? 70 : 35))
			step_set(&m, &s, draw(4) || !m.n ? &p : &m.prefix[draw(m.n)]);
		else if (m.n)
			step_del(&m, &s, draw(m.n));
		if (draw(500) == 0)
			fib_fast_release(s.fast);
		if (m.n)
			ask_edges(&m, &s, &m.prefix[draw(m.n)]);
		ask_edges(&m, &s, &p);
		if (fib_fast_figures(s.fast).index > index)
			index = fib_fast_figures(s.fast).index;
		if (i == STEPS / 3)
			move(&s, family, more);
	}
	while (m.n)
		step_del(&m, &s, m.n - 1);
	for (uint32_t i = 0; i < 1u << fib_fast_figures(s.fast).root_bits; i++)
		cr_assert(!((uint32_t *)s.memory)[i], "something is left");
	cr_assert(!fib_fast_figures(s.fast).dense && !fib_fast_figures(s.fast).ranges &&
		  !fib_fast_figures(s.fast).index);
	subject_free(&s);
	return index;
}

Test(fib_fast, ipv4_answers_as_a_list, .timeout = 120)
{
	run(IP_V4, 12, 32, 1);
	run(IP_V4, 8, 32, 2);
	run(IP_V4, 16, 32, 3);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t index = run(IP_V4, 17 + i, 23 + i, 4 + i);

		cr_assert(index > 3, "%u index nodes", index);
	}
}

Test(fib_fast, ipv6_answers_as_a_list, .timeout = 120)
{
	for (uint64_t seed = 110; seed < 120;
	     seed++) /* 119 runs out of room between a node and the one above */
		run(IP_V6, 12, 128, seed);
	run(IP_V6, 17, 128, 5);
}

Test(fib_fast, leaf_carries_what_the_program_needs)
{
	const struct xrs_route route = { .kind = XRS_ROUTE_STEER,
					 .group = XRS_GROUP_MAX - 1,
					 .prefix_len = 128,
					 .source = XRS_SOURCE_BGP,
					 .generation = 7 };
	struct xrs_route back = fib_fast_route(fib_fast_leaf(&route));

	cr_assert(back.kind == route.kind && back.group == route.group && back.prefix_len == 128);
	cr_assert(!(fib_fast_leaf(&route) & XRS_FAST_NODE));
}

/* --- a reader without a lock ---------------------------------------------------------------------------- */
struct reader {
	struct fib_fast *fast;
	uint32_t calm, outer;
	bool stop;
	unsigned long lookups, wrong;
};

/* The even half of a /24 is never touched; the odd addresses come and go below 10.0.0.0/8. */
static void *reader_main(void *arg)
{
	struct reader *r = arg;
	struct ip_addr addr;

	for (uint32_t i = 0; !__atomic_load_n(&r->stop, __ATOMIC_RELAXED); i++) {
		uint32_t leaf;

		addr = ip_from_v4(0x0a000000 + i % 256);
		leaf = fib_fast_lookup(r->fast, &addr);
		r->lookups++;
		if (i % 2 == 0 ? leaf != r->calm : leaf != r->outer && (leaf & 0xff) != 32)
			r->wrong++;
	}
	return NULL;
}

static void set_v4(struct fib_fast *fast, uint32_t addr, uint8_t len, uint32_t group, bool del,
		   uint32_t cover)
{
	struct xrs_route route = { .group = group, .prefix_len = len };
	struct ip_addr a = ip_from_v4(addr);
	struct ip_prefix p = { a, len };

	if (del)
		cr_assert(!fib_fast_del(fast, &p, cover));
	else
		cr_assert(!fib_fast_set(fast, &p, fib_fast_leaf(&route)));
}

Test(fib_fast, a_reader_meets_old_or_new_and_nothing_between, .timeout = 60)
{
	const struct xrs_route calm = { .group = 1, .prefix_len = 32 };
	const struct xrs_route outer = { .group = 2, .prefix_len = 8 };
	struct reader r = { .calm = fib_fast_leaf(&calm), .outer = fib_fast_leaf(&outer) };
	struct subject s;
	pthread_t thread;

	state = 9;
	subject_new(&s, IP_V4, 12, 20000);
	set_v4(s.fast, 0x0a000000, 8, 2, false, 0);
	for (uint32_t i = 0; i < 256; i += 2)
		set_v4(s.fast, 0x0a000000 + i, 32, 1, false, 0);
	fib_fast_hold(s.fast, true);
	r.fast = s.fast;
	cr_assert(!pthread_create(&thread, NULL, reader_main, &r));
	for (int i = 0; i < 200000; i++)
		set_v4(s.fast, 0x0a000000 + (draw(128) * 2 + 1), 32, 3 + draw(3), draw(2), r.outer);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_log_info("%lu lookups meanwhile", r.lookups);
	cr_assert(r.lookups && !r.wrong, "%lu of %lu wrong", r.wrong, r.lookups);
	subject_free(&s);
}
