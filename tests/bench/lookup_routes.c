// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes with the mix of lengths of the Internet's table of October 2025, and destinations in them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup_lab.h"

#define FULL_MAX 2000000

struct share { /* of every 1000 prefixes */
	uint8_t len;
	uint16_t of_1000;
};

static const struct share mix4[] = { { 24, 596 }, { 22, 120 }, { 23, 107 }, { 21, 56 }, { 20, 47 },
				     { 19, 28 },  { 18, 15 },  { 16, 15 },  { 17, 9 },  { 15, 3 },
				     { 14, 2 },   { 13, 1 },   { 32, 1 } };
static const struct share mix6[] = { { 48, 480 }, { 32, 115 }, { 44, 100 }, { 40, 95 },
				     { 36, 60 },  { 46, 40 },  { 47, 30 },  { 29, 30 },
				     { 42, 20 },  { 33, 10 },  { 34, 10 },  { 64, 10 } };

static uint64_t state = 20251126;

uint32_t lab_draw(uint32_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((state >> 32) * below >> 32);
}

static uint8_t draw_len(const struct share *mix, size_t n)
{
	uint32_t at = lab_draw(1000);

	for (size_t i = 0; i < n; i++) {
		if (at < mix[i].of_1000)
			return mix[i].len;
		at -= mix[i].of_1000;
	}
	return mix[0].len;
}

/* 1.0.0.0 to 223.255.255.255 but 10/8 and 127/8; 2000::/3, in 30,000 allocations of 32 bits. */
static struct ip_prefix generate(enum ip_family family)
{
	struct ip_addr addr = { .family = family };
	uint8_t len;

	if (family == IP_V4) {
		len = draw_len(mix4, sizeof(mix4) / sizeof(*mix4));
		do {
			addr.bytes[0] = (uint8_t)(1 + lab_draw(223));
		} while (addr.bytes[0] == 10 || addr.bytes[0] == 127);
		for (int i = 1; i < 4; i++)
			addr.bytes[i] = (uint8_t)lab_draw(256);
	} else {
		uint32_t block = lab_draw(30000) * 2654435761u;

		len = draw_len(mix6, sizeof(mix6) / sizeof(*mix6));
		addr.bytes[0] = (uint8_t)(0x20 | (block >> 24 & 0x0f));
		addr.bytes[1] = (uint8_t)(block >> 16);
		addr.bytes[2] = (uint8_t)(block >> 8);
		addr.bytes[3] = (uint8_t)block;
		for (int i = 4; i < 8; i++)
			addr.bytes[i] = (uint8_t)lab_draw(256);
	}
	return prefix_of(&addr, len);
}

static size_t read_file(enum ip_family family, const char *file, struct ip_prefix *prefixes)
{
	char command[512], line[128];
	size_t n = 0;
	FILE *in;

	snprintf(command, sizeof(command), "gzip -dc '%s'", file);
	in = popen(command, "r");
	while (in && n < FULL_MAX && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\r\n")] = 0;
		if (!prefix_parse(line, &prefixes[n]) && prefixes[n].addr.family == family)
			n++;
	}
	if (in)
		pclose(in);
	return n;
}

static int compare(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

static size_t sort_unique(struct ip_prefix *prefixes, size_t n)
{
	size_t kept = 0;

	qsort(prefixes, n, sizeof(*prefixes), compare);
	for (size_t i = 0; i < n; i++) {
		if (!kept || !prefix_equal(&prefixes[kept - 1], &prefixes[i]))
			prefixes[kept++] = prefixes[i];
	}
	return kept;
}

/* The first @n in a random order. */
static void choose(struct ip_prefix *prefixes, size_t total, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = i + lab_draw((uint32_t)(total - i));
		struct ip_prefix swap = prefixes[i];

		prefixes[i] = prefixes[j];
		prefixes[j] = swap;
	}
}

struct ip_prefix *lab_prefixes(enum ip_family family, size_t n, const char *file)
{
	struct ip_prefix *prefixes = calloc(FULL_MAX, sizeof(*prefixes));
	size_t have;

	if (!prefixes || n > FULL_MAX / 2)
		lab_die("%zu prefixes are too many", n);
	have = file ? read_file(family, file, prefixes) : 0;
	if (have > n) {
		choose(prefixes, have, n);
		have = n;
	}
	while ((have = sort_unique(prefixes, have)) < n) {
		for (size_t missing = n - have; missing; missing--)
			prefixes[have++] = generate(family);
	}
	return prefixes;
}

/* --- destinations --------------------------------------------------------------------------------------- */
static struct ip_addr address_in(const struct ip_prefix *prefix)
{
	struct ip_addr addr = prefix->addr;

	for (unsigned int i = prefix->len; i < ip_bits(addr.family); i++) {
		if (lab_draw(2))
			addr.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	return addr;
}

/* What no router forwards (RFC 3927): some prefix may hold it. */
static bool is_link_local(const struct ip_addr *addr)
{
	return addr->family == IP_V4 && addr->bytes[0] == 169 && addr->bytes[1] == 254;
}

/* Rank by the inverse of the harmonic sum, which is close to a logarithm. */
static size_t zipf_rank(size_t n)
{
	double u = (lab_draw(1u << 30) + 0.5) / (1u << 30);
	double rank = exp(u * log((double)n + 1)) - 1;

	return rank < (double)n ? (size_t)rank : n - 1;
}

void lab_destinations(const struct ip_prefix *prefixes, size_t n_prefixes, enum lab_spread spread,
		      struct ip_addr *ret, size_t n)
{
	uint32_t *order = malloc(n_prefixes * sizeof(*order));

	if (!order)
		lab_die("out of memory");
	for (uint32_t i = 0; i < n_prefixes; i++) {
		uint32_t j = lab_draw(i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (size_t i = 0; i < n; i++) {
		if (spread == LAB_HOT && i >= 64) {
			ret[i] = ret[lab_draw(64)];
			continue;
		}
		do {
			size_t rank = spread == LAB_ZIPF ? zipf_rank(n_prefixes)
							 : lab_draw((uint32_t)n_prefixes);

			ret[i] = address_in(&prefixes[order[rank]]);
		} while (is_link_local(&ret[i]));
	}
	free(order);
}

/* --- an index of 24 bits -------------------------------------------------------------------------------- */
static void put(uint32_t *words, uint32_t first, unsigned int free_bits, uint32_t leaf)
{
	for (uint32_t i = 0; i < 1u << free_bits; i++)
		words[first + i] = leaf;
}

void lab_index(const struct ip_prefix *prefixes, size_t n, uint32_t *index, uint32_t *behind,
	       size_t n_behind)
{
	uint32_t used = 0;

	memset(index, 0, sizeof(*index) << 24);
	for (unsigned int len = 0; len <= 32; len++) {
		for (size_t i = 0; i < n; i++) {
			uint32_t addr = ip_to_v4(&prefixes[i].addr), *word = &index[addr >> 8];

			if (prefixes[i].len != len)
				continue;
			if (len <= 24) {
				put(index, addr >> 8, 24 - len, len);
				continue;
			}
			if (!(*word & LAB_GOES_ON)) {
				if ((used + 1) << 8 > n_behind)
					lab_die("too many routes behind /24");
				put(behind, used << 8, 8, *word);
				*word = LAB_GOES_ON | used++;
			}
			put(behind, (*word & ~LAB_GOES_ON) << 8 | (addr & 0xff), 32 - len, len);
		}
	}
}
