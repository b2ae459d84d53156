// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes for the bench. The mix is that of the default-free zone: neighbouring prefixes share attributes
 * (five on average, half of the sets stand for one prefix), paths of four ASNs, two thirds with
 * communities; the groups come in random order, as they do in a table dump of a router.
 */
#include "bgp_routes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MSG_MAX         4096
#define HEADER_LEN      19
#define PATH_MAX_AS     32

#define ATTR_WELL_KNOWN 0x40
#define ATTR_OPTIONAL   0x80
#define ATTR_TRANSITIVE 0xc0 /* with Optional */
#define ATTR_EXTENDED   0x10

static void *need(void *memory)
{
	if (!memory) {
		perror("bench_bgp");
		exit(1);
	}
	return memory;
}

#define GROW(array, n, cap)                                                       \
	do {                                                                      \
		if ((n) >= (cap)) {                                               \
			(cap) = (cap) ? 2 * (cap) : 1024;                         \
			(array) = need(reallocarray(array, cap, sizeof(*array))); \
		}                                                                 \
	} while (0)

void put_octets(struct octets *out, const void *data, size_t len)
{
	if (out->len + len > out->cap) {
		out->cap = 2 * (out->len + len);
		out->data = need(realloc(out->data, out->cap));
	}
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void put8(struct octets *out, uint8_t value)
{
	put_octets(out, &value, 1);
}

static void put16(struct octets *out, uint32_t value)
{
	uint16_t net = htons((uint16_t)value);

	put_octets(out, &net, 2);
}

static void put32(struct octets *out, uint32_t value)
{
	uint32_t net = htonl(value);

	put_octets(out, &net, 4);
}

/* --- random numbers -------------------------------------------------------------------------- */

static uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

static uint32_t any(uint32_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * UINT64_C(0x2545f4914f6cdd1d) >> 32) * below >> 32);
}

/* An index, chosen by weights that end with 0. */
static unsigned int weighted(const unsigned int *weights)
{
	unsigned int sum = 0, at = 0;
	uint32_t pick;

	for (unsigned int i = 0; weights[i]; i++)
		sum += weights[i];
	for (pick = any(sum); pick >= weights[at]; at++)
		pick -= weights[at];
	return at;
}

/* --- prefixes -------------------------------------------------------------------------------- */

static void add_route(struct route_set *set, struct route route)
{
	GROW(set->routes, set->n, set->cap);
	set->routes[set->n++] = route;
}

static bool parse_route(const char *line, struct route *ret_route)
{
	unsigned int a, b, c, d, len;

	if (sscanf(line, "%u.%u.%u.%u/%u", &a, &b, &c, &d, &len) != 5 || len > 32)
		return false;
	ret_route->addr = a << 24 | b << 16 | c << 8 | d;
	ret_route->len = (uint8_t)len;
	return true;
}

static void read_prefixes(struct route_set *set, struct prefix_set *seen, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[128];
	struct route route;

	if (!file) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof(line), file)) {
		if (parse_route(line, &route) && set_add(seen, route))
			add_route(set, route);
	}
	fclose(file);
}

static bool is_public(uint32_t addr)
{
	uint32_t first = addr >> 24;

	return first && first < 224 && first != 10 && first != 127 && addr >> 16 != 0xa9fe &&
	       addr >> 17 != (198u << 7 | 9);
}

/* How many in 10,000 of the default-free zone have each length from /8 on (October 2025). */
static struct route random_route(void)
{
	static const unsigned int lengths[] = { 1,  1,   1,   1,   3,   6,    13,   23,   150,
						91, 153, 276, 472, 563, 1204, 1070, 5962, 1,
						1,  1,   1,   1,   1,   1,    4,    0 };
	struct route route = { .len = (uint8_t)(8 + weighted(lengths)) };

	do
		route.addr = any(224) << 24 | any(1 << 24);
	while (!is_public(route.addr));
	route.addr &= ~0u << (32 - route.len);
	return route;
}

static int compare_routes(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	return x->addr != y->addr ? (x->addr > y->addr) - (x->addr < y->addr) : x->len - y->len;
}

/* Sorted, so that groups are made of neighbours. */
static void make_prefixes(struct route_set *set, const struct route_source *source, size_t n)
{
	struct prefix_set seen = { 0 };

	if (source->prefixes && !source->compact)
		read_prefixes(set, &seen, source->prefixes);
	for (uint32_t i = 0; source->compact && i < n; i++)
		add_route(set, (struct route){ .addr = (16u << 24) + (i << 8), .len = 24 });
	while (set->n < n) {
		struct route route = random_route();

		if (set_add(&seen, route))
			add_route(set, route);
	}
	set_clear(&seen);
	qsort(set->routes, set->n, sizeof(*set->routes), compare_routes);
}

/* --- attributes ------------------------------------------------------------------------------ */

static void put_attr_header(struct octets *out, uint8_t flags, uint8_t code, size_t len)
{
	put8(out, len > 255 ? flags | ATTR_EXTENDED : flags);
	put8(out, code);
	if (len > 255)
		put16(out, (uint32_t)len);
	else
		put8(out, (uint8_t)len);
}

static uint32_t any_asn(void)
{
	return any(10) < 6 ? 1000 + any(60000) : 131072 + any(270000);
}

static void add_path(struct route_set *set, struct attr_group *group)
{
	static const unsigned int lengths[] = { 4, 16, 29, 26, 14, 6, 3, 2, 0 };

	group->n_as = (uint8_t)(1 + weighted(lengths));
	group->as_at = (uint32_t)set->n_asns;
	for (unsigned int i = 0; i < group->n_as; i++) {
		GROW(set->asns, set->n_asns, set->asn_cap);
		set->asns[set->n_asns++] = i + 1 < group->n_as ? 1000 + any(500) : any_asn();
	}
}

static void add_tail(struct route_set *set, struct attr_group *group, const struct octets *tail)
{
	group->tail_at = (uint32_t)set->n_tails;
	group->tail_len = (uint16_t)tail->len;
	while (set->n_tails + tail->len > set->tail_cap) {
		set->tail_cap = 2 * set->tail_cap + 4096;
		set->tails = need(realloc(set->tails, set->tail_cap));
	}
	memcpy(set->tails + set->n_tails, tail->data, tail->len);
	set->n_tails += tail->len;
}

/* MED, ATOMIC_AGGREGATE with AGGREGATOR, COMMUNITIES, LARGE_COMMUNITY: in ascending order. */
static void make_tail(struct octets *tail)
{
	unsigned int n = any(100) < 65 ? 1 + any(8) : 0, large = any(100) < 8 ? 1 + any(3) : 0;

	tail->len = 0;
	if (any(100) < 15) {
		put_attr_header(tail, ATTR_OPTIONAL, 4, 4);
		put32(tail, any(1000));
	}
	if (any(100) < 6) {
		put_attr_header(tail, ATTR_WELL_KNOWN, 6, 0);
		put_attr_header(tail, ATTR_TRANSITIVE, 7, 8);
		put32(tail, any_asn());
		put32(tail, any(1u << 31));
	}
	if (n)
		put_attr_header(tail, ATTR_TRANSITIVE, 8, 4 * n);
	for (unsigned int i = 0; i < n; i++)
		put32(tail, (1000 + any(500)) << 16 | any(30000));
	if (large)
		put_attr_header(tail, ATTR_TRANSITIVE, 32, 12 * large);
	for (unsigned int i = 0; i < 3 * large; i++)
		put32(tail, any_asn());
}

static uint32_t group_size(void)
{
	static const unsigned int sizes[] = { 523, 200, 210, 60, 7, 0 };

	switch (weighted(sizes)) {
	case 0:
		return 1;
	case 1:
		return 2;
	case 2:
		return 3 + any(6);
	case 3:
		return 9 + any(50);
	default:
		return 60 + any(240);
	}
}

static struct attr_group *add_group(struct route_set *set)
{
	GROW(set->groups, set->n_groups, set->group_cap);
	set->groups[set->n_groups] = (struct attr_group){ 0 };
	return &set->groups[set->n_groups++];
}

static void make_groups(struct route_set *set)
{
	struct octets tail = { 0 };
	uint32_t n;

	for (uint32_t at = 0; at < set->n; at += n) {
		struct attr_group *group = add_group(set);

		n = group_size();
		if (n > set->n - at)
			n = (uint32_t)(set->n - at);
		group->first = at;
		group->n = n;
		group->origin = any(100) < 90 ? 0 : 2;
		add_path(set, group);
		make_tail(&tail);
		add_tail(set, group, &tail);
	}
	free(tail.data);
}

/* Random order of the groups; @n routes of all, and the routes again in the order of the wire. */
static void shuffle(struct route_set *set, size_t n)
{
	struct route *routes = need(calloc(set->n + 1, sizeof(*routes)));
	size_t done = 0, kept = 0;

	for (size_t i = set->n_groups; i > 1; i--) {
		size_t j = any((uint32_t)i);
		struct attr_group other = set->groups[j];

		set->groups[j] = set->groups[i - 1];
		set->groups[i - 1] = other;
	}
	for (; kept < set->n_groups && done < n; kept++) {
		struct attr_group *group = &set->groups[kept];

		if (group->n > n - done)
			group->n = (uint32_t)(n - done);
		memcpy(routes + done, set->routes + group->first, group->n * sizeof(*routes));
		group->first = (uint32_t)done;
		done += group->n;
	}
	free(set->routes);
	set->routes = routes;
	set->n = set->cap = done;
	set->n_groups = kept;
}

/* --- MRT (RFC 6396) -------------------------------------------------------------------------- */

struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

static uint32_t take(struct cursor *c, unsigned int n)
{
	uint32_t value = 0;

	if (c->failed || (size_t)(c->end - c->at) < n) {
		c->failed = true;
		return 0;
	}
	while (n--)
		value = value << 8 | *c->at++;
	return value;
}

static struct cursor take_part(struct cursor *c, size_t n)
{
	struct cursor part = { c->at, c->at + n, false };

	if (c->failed || (size_t)(c->end - c->at) < n) {
		c->failed = true;
		return (struct cursor){ .failed = true };
	}
	c->at += n;
	return part;
}

struct mrt_attrs { /* of one route */
	uint8_t origin;
	unsigned int n_as;
	uint32_t as[PATH_MAX_AS];
	struct octets tail;
};

/* A path of sequences only; a set (RFC 9774: no longer used) or too long a path: false. */
static bool take_path(struct cursor value, unsigned int as_size, struct mrt_attrs *attrs)
{
	attrs->n_as = 0;
	while (value.at < value.end && !value.failed) {
		uint32_t type = take(&value, 1), n = take(&value, 1);

		if (type != 2 || attrs->n_as + n > PATH_MAX_AS)
			return false;
		while (n--)
			attrs->as[attrs->n_as++] = take(&value, as_size);
	}
	return !value.failed;
}

static bool take_mrt_attrs(struct cursor c, unsigned int as_size, struct mrt_attrs *attrs)
{
	attrs->tail.len = 0;
	attrs->n_as = 0;
	while (c.at < c.end && !c.failed) {
		uint32_t flags = take(&c, 1), code = take(&c, 1);
		struct cursor value = take_part(&c, take(&c, flags & ATTR_EXTENDED ? 2 : 1));
		size_t len = (size_t)(value.end - value.at);

		if (c.failed)
			return false;
		if (code == 1)
			attrs->origin = (uint8_t)take(&value, 1);
		else if (code == 2 && !take_path(value, as_size, attrs))
			return false;
		else if (code == 4 || code == 6 || code == 8 || code == 32 ||
			 (code == 7 && as_size == 4)) {
			put_attr_header(&attrs->tail, (uint8_t)(flags & ATTR_TRANSITIVE),
					(uint8_t)code, len);
			put_octets(&attrs->tail, value.at, len);
		}
	}
	return !c.failed && attrs->origin <= 2;
}

static bool same_attrs(const struct route_set *set, const struct attr_group *group,
		       const struct mrt_attrs *attrs)
{
	return group->origin == attrs->origin && group->n_as == attrs->n_as &&
	       group->tail_len == attrs->tail.len &&
	       !memcmp(set->asns + group->as_at, attrs->as, attrs->n_as * sizeof(*attrs->as)) &&
	       !memcmp(set->tails + group->tail_at, attrs->tail.data, attrs->tail.len);
}

/* Neighbours with equal attributes make a group. */
static void add_mrt_route(struct route_set *set, struct route route, const struct mrt_attrs *attrs)
{
	struct attr_group *group = set->n_groups ? &set->groups[set->n_groups - 1] : NULL;

	if (!group || !same_attrs(set, group, attrs)) {
		group = add_group(set);
		group->first = (uint32_t)set->n;
		group->origin = attrs->origin;
		group->n_as = (uint8_t)attrs->n_as;
		group->as_at = (uint32_t)set->n_asns;
		for (unsigned int i = 0; i < attrs->n_as; i++) {
			GROW(set->asns, set->n_asns, set->asn_cap);
			set->asns[set->n_asns++] = attrs->as[i];
		}
		add_tail(set, group, &attrs->tail);
	}
	add_route(set, route);
	group->n++;
}

/* The first usable entry of TABLE_DUMP_V2 RIB_IPV4_UNICAST, or the one of TABLE_DUMP AFI_IPv4. */
static bool take_entry(uint32_t type, struct cursor c, struct route *ret_route,
		       struct mrt_attrs *attrs)
{
	uint32_t n = 1;

	if (type == 13) {
		take(&c, 4);
		ret_route->len = (uint8_t)take(&c, 1);
		ret_route->addr = take(&c, (ret_route->len + 7u) / 8);
		if (ret_route->len <= 24)
			ret_route->addr <<= ret_route->len ? 32 - (ret_route->len + 7) / 8 * 8 : 0;
		n = take(&c, 2);
	} else {
		take(&c, 4);
		ret_route->addr = take(&c, 4);
		ret_route->len = (uint8_t)take(&c, 1);
		take(&c, 1 + 4);
	}
	while (n-- && !c.failed) {
		struct cursor part;

		take(&c, 2 + 4);
		part = take_part(&c, take(&c, 2));
		if (take_mrt_attrs(part, type == 13 ? 4 : 2, attrs))
			return ret_route->len <= 32;
	}
	return false;
}

static void read_mrt(struct route_set *set, const char *path)
{
	static uint8_t body[1 << 20];
	struct prefix_set seen = { 0 };
	struct mrt_attrs attrs = { 0 };
	FILE *file = fopen(path, "r");
	uint8_t header[12];

	if (!file) {
		perror(path);
		exit(1);
	}
	while (fread(header, sizeof(header), 1, file) == 1) {
		struct cursor c = { header + 4, header + 12, false };
		uint32_t type = take(&c, 2), subtype = take(&c, 2), len = take(&c, 4);
		struct route route;

		if (len > sizeof(body) || (len && fread(body, len, 1, file) != 1))
			break;
		c = (struct cursor){ body, body + len, false };
		if (!(type == 13 && subtype == 2) && !(type == 12 && subtype == 1))
			continue;
		if (take_entry(type, c, &route, &attrs) && is_public(route.addr)) {
			route.addr &= route.len ? ~0u << (32 - route.len) : 0;
			if (set_add(&seen, route))
				add_mrt_route(set, route, &attrs);
		}
	}
	fclose(file);
	free(attrs.tail.data);
	set_clear(&seen);
}

void routes_make(struct route_set *set, const struct route_source *source, size_t n)
{
	memset(set, 0, sizeof(*set));
	if (source->mrt) {
		read_mrt(set, source->mrt);
	} else {
		make_prefixes(set, source, n);
		make_groups(set);
	}
	shuffle(set, n);
}

/* --- messages -------------------------------------------------------------------------------- */

/* Marker, length to be filled in, type. Returns where the message begins. */
static size_t begin_update(struct octets *out)
{
	static const uint8_t header[HEADER_LEN] = { [0 ... 15] = 0xff, [18] = 2 };

	put_octets(out, header, sizeof(header));
	return out->len - sizeof(header);
}

static void patch16(struct octets *out, size_t at, size_t value)
{
	out->data[at] = (uint8_t)(value >> 8);
	out->data[at + 1] = (uint8_t)value;
}

static void put_route(struct octets *out, struct route route)
{
	uint32_t net = htonl(route.addr);

	put8(out, route.len);
	put_octets(out, &net, (route.len + 7u) / 8);
}

static void put_path(struct octets *out, const struct sender *sender, const uint32_t *asns,
		     unsigned int n)
{
	unsigned int all = 1 + sender->prepend + n;

	put_attr_header(out, ATTR_WELL_KNOWN, 2, 2 + 4 * (size_t)all);
	put8(out, 2);
	put8(out, (uint8_t)all);
	for (unsigned int i = 0; i <= sender->prepend; i++)
		put32(out, sender->asn);
	for (unsigned int i = 0; i < n; i++)
		put32(out, asns[i]);
}

/* ORIGIN, AS_PATH, NEXT_HOP. */
static void put_head(struct octets *out, uint8_t origin, const struct sender *sender,
		     const uint32_t *asns, unsigned int n)
{
	put_attr_header(out, ATTR_WELL_KNOWN, 1, 1);
	put8(out, origin);
	put_path(out, sender, asns, n);
	put_attr_header(out, ATTR_WELL_KNOWN, 3, 4);
	put32(out, sender->next_hop);
}

/* As many messages as it takes for routes [from, to) of one group. */
static void announce_group(const struct route_set *set, const struct attr_group *group, size_t from,
			   size_t to, const struct sender *sender, struct octets *out)
{
	while (from < to) {
		size_t start = begin_update(out), attrs;

		put16(out, 0);
		put16(out, 0);
		attrs = out->len;
		put_head(out, group->origin, sender, set->asns + group->as_at, group->n_as);
		put_octets(out, set->tails + group->tail_at, group->tail_len);
		patch16(out, attrs - 2, out->len - attrs);
		while (from < to && out->len - start + 5 <= MSG_MAX)
			put_route(out, set->routes[from++]);
		patch16(out, start + 16, out->len - start);
	}
}

void routes_announce(const struct route_set *set, size_t from, size_t to,
		     const struct sender *sender, struct octets *out)
{
	for (size_t i = 0; i < set->n_groups; i++) {
		const struct attr_group *group = &set->groups[i];
		size_t first = group->first > from ? group->first : from;
		size_t last = group->first + group->n < to ? group->first + group->n : to;

		announce_group(set, group, first, last, sender, out);
	}
}

void routes_withdraw(const struct route_set *set, size_t from, size_t to, struct octets *out)
{
	while (from < to) {
		size_t start = begin_update(out);

		put16(out, 0);
		while (from < to && out->len - start + 5 + 2 <= MSG_MAX)
			put_route(out, set->routes[from++]);
		patch16(out, start + HEADER_LEN, out->len - start - HEADER_LEN - 2);
		put16(out, 0);
		patch16(out, start + 16, out->len - start);
	}
}

void route_announce(struct route route, const struct sender *sender, uint32_t community,
		    struct octets *out)
{
	size_t start = begin_update(out), attrs;

	put16(out, 0);
	put16(out, 0);
	attrs = out->len;
	put_head(out, 0, sender, NULL, 0);
	if (community) {
		put_attr_header(out, ATTR_TRANSITIVE, 8, 4);
		put32(out, community);
	}
	patch16(out, attrs - 2, out->len - attrs);
	put_route(out, route);
	patch16(out, start + 16, out->len - start);
}

void end_of_rib(struct octets *out)
{
	size_t start = begin_update(out);

	put32(out, 0);
	patch16(out, start + 16, out->len - start);
}
