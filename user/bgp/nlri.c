// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prefixes on the wire. Called by update_decode.c (checks a section once), by rib (walks it) and by
 * update_encode.c. Must never hand out a prefix with host bits set, or a multicast one.
 *
 *	[ path identifier, 4 octets, with ADD-PATH ] [ length in bits, 1 ] [ (length + 7) / 8 octets ]
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "bgp/nlri.h"

static bool is_multicast(enum ip_family ip, uint8_t len, uint8_t first)
{
	return ip == IP_V4 ? len >= 4 && first >> 4 == 0xe : len >= 8 && first == 0xff;
}

int nlri_scan(const struct bgp_nlri *nlri, unsigned int *ret_multicast)
{
	enum ip_family ip = bgp_family_ip(nlri->family);
	unsigned int bits = ip_bits(ip), multicast = 0;
	struct wire_reader r;
	int count = 0;

	wire_read_init(&r, nlri->data, nlri->len);
	while (wire_left(&r)) {
		const uint8_t *at;
		uint8_t len;

		if (nlri->add_path)
			wire_skip(&r, 4);
		len = wire_u8(&r);
		at = wire_bytes(&r, (len + 7u) / 8);
		if (!at || len > bits)
			return -EBADMSG;
		if (len && is_multicast(ip, len, at[0]))
			multicast++;
		count++;
	}
	if (r.failed)
		return -EBADMSG;
	*ret_multicast = multicast;
	return count;
}

int nlri_validate(const struct bgp_nlri *nlri)
{
	unsigned int multicast;

	return nlri_scan(nlri, &multicast);
}

void nlri_iter_init(struct nlri_iter *it, const struct bgp_nlri *nlri)
{
	wire_read_init(&it->r, nlri->data, nlri->len);
	it->ip = bgp_family_ip(nlri->family);
	it->add_path = nlri->add_path;
}

/*
 * The address of a prefix of @len bits at @at, its host bits cleared. Most of a million times it is IPv4 and
 * not the last of its section: then four octets can be read whatever the length.
 */
static void take_addr(const struct nlri_iter *it, const uint8_t *at, uint8_t len, uint8_t *to)
{
	size_t octets = (len + 7u) / 8;
	uint32_t word;

	if (it->ip == IP_V4 && it->r.end - at >= (ptrdiff_t)sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		word &= htobe32(len ? UINT32_MAX << (32 - len) : 0);
		memcpy(to, &word, sizeof(word));
		return;
	}
	memcpy(to, at, octets);
	if (len % 8)
		to[octets - 1] &= (uint8_t)(0xff << (8 - len % 8));
}

/* The prefix is written where it stays: a copy would wait for its parts to reach the cache. */
bool nlri_next(struct nlri_iter *it, struct ip_prefix *ret_prefix, uint32_t *ret_path_id)
{
	while (wire_left(&it->r)) {
		uint32_t path_id = it->add_path ? wire_u32(&it->r) : 0;
		uint8_t len = wire_u8(&it->r);
		const uint8_t *at = wire_bytes(&it->r, (len + 7u) / 8);

		/* Not after nlri_validate(); an iterator of anything else just ends. */
		if (!at || len > ip_bits(it->ip))
			return false;
		if (len && is_multicast(it->ip, len, at[0]))
			continue;
		memset(ret_prefix, 0, sizeof(*ret_prefix));
		ret_prefix->addr.family = (uint8_t)it->ip;
		take_addr(it, at, len, ret_prefix->addr.bytes);
		ret_prefix->len = len;
		*ret_path_id = path_id;
		return true;
	}
	return false;
}

size_t nlri_size(const struct ip_prefix *prefix, bool add_path)
{
	return (add_path ? 4 : 0) + 1 + (prefix->len + 7u) / 8;
}

void nlri_put(struct wire_writer *w, const struct ip_prefix *prefix, bool add_path,
	      uint32_t path_id)
{
	if (add_path)
		wire_put_u32(w, path_id);
	wire_put_u8(w, prefix->len);
	wire_put_bytes(w, prefix->addr.bytes, (prefix->len + 7u) / 8);
}

void nlri_append(struct wire_writer *w, const struct ip_prefix *prefix, bool add_path,
		 uint32_t path_id)
{
	uint8_t *to;

	if (add_path || prefix->addr.family != IP_V4 || wire_room(w) <= 4) {
		nlri_put(w, prefix, add_path, path_id);
		return;
	}
	to = wire_claim(w, nlri_size(prefix, false));
	to[0] = prefix->len;
	memcpy(to + 1, prefix->addr.bytes, 4);
}
