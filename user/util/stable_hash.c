// SPDX-License-Identifier: GPL-2.0-only
/* Hashes for digests that two hosts compare. Called by user/rib. Pure; never change what they give. */
#include "util/stable_hash.h"

uint64_t stable_hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const uint8_t *octets = data;
	uint64_t hash = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ octets[i]) * 0x100000001b3u;
	return hash;
}

uint64_t stable_hash_mix(uint64_t a, uint64_t b)
{
	uint64_t hash = a ^ (b * 0x9e3779b97f4a7c15u);

	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
	return hash ^ hash >> 33;
}
