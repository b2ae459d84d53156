/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hashes that mean the same on every host and in every version: they are shown and compared, unlike those of
 * htab.h. Not against somebody who makes collisions on purpose. Pure.
 */
#ifndef XRS_UTIL_STABLE_HASH_H
#define XRS_UTIL_STABLE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a over @len octets, beginning with @seed. */
uint64_t stable_hash_bytes(const void *data, size_t len, uint64_t seed);
/* Two numbers into one; every bit of both matters (the finaliser of MurmurHash3). */
static inline uint64_t stable_hash_mix(uint64_t a, uint64_t b)
{
	uint64_t hash = a ^ (b * 0x9e3779b97f4a7c15u);

	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
	return hash ^ hash >> 33;
}

#endif
