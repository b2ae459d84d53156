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
