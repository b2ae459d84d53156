// SPDX-License-Identifier: GPL-2.0-only
/*
 * Communities as numbers and text. Called by policy, adj_rib_out and the API. Must never change a set:
 * sets are blobs of the attribute store.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/community.h"
#include "util/wire.h"

enum {
	COMMUNITY_LEN = 4,
	LARGE_LEN = 12
};

static const struct {
	uint32_t value;
	const char *name;
} well_known[] = {
	{ BGP_COMM_GRACEFUL_SHUTDOWN, "graceful-shutdown" },
	{ BGP_COMM_LLGR_STALE, "llgr-stale" },
	{ BGP_COMM_NO_LLGR, "no-llgr" },
	{ BGP_COMM_BLACKHOLE, "blackhole" },
	{ BGP_COMM_NO_EXPORT, "no-export" },
	{ BGP_COMM_NO_ADVERTISE, "no-advertise" },
	{ BGP_COMM_NO_EXPORT_SUBCONFED, "no-export-subconfed" },
	{ BGP_COMM_NOPEER, "no-peer" },
};
#define N_WELL_KNOWN (sizeof(well_known) / sizeof(well_known[0]))

/* At element @index of @size octets; failed when there is none. */
static struct wire_reader element(struct bgp_blob blob, unsigned int index, size_t size)
{
	struct wire_reader r;

	wire_read_init(&r, blob.data, blob.len);
	wire_skip(&r, index * size);
	return wire_sub(&r, size);
}

unsigned int community_count(struct bgp_blob blob)
{
	return blob.len / COMMUNITY_LEN;
}

uint32_t community_get(struct bgp_blob blob, unsigned int index)
{
	struct wire_reader r = element(blob, index, COMMUNITY_LEN);

	return wire_u32(&r);
}

bool community_contains(struct bgp_blob blob, uint32_t community)
{
	struct wire_reader r;

	wire_read_init(&r, blob.data, blob.len);
	while (wire_left(&r) >= COMMUNITY_LEN) {
		if (wire_u32(&r) == community)
			return true;
	}
	return false;
}

int community_add(struct bgp_attrs *attrs, uint32_t community, uint8_t *buf, size_t cap)
{
	struct wire_writer w;

	if (community_contains(attrs->communities, community))
		return 0;
	wire_write_init(&w, buf, cap);
	wire_put_bytes(&w, attrs->communities.data, attrs->communities.len);
	wire_put_u32(&w, community);
	if (w.failed)
		return -ENOSPC;
	attrs->communities = (struct bgp_blob){ buf, (uint32_t)w.pos };
	attrs->has |= BGP_HAS_COMMUNITIES;
	return 0;
}

unsigned int large_community_count(struct bgp_blob blob)
{
	return blob.len / LARGE_LEN;
}

struct bgp_large_community large_community_get(struct bgp_blob blob, unsigned int index)
{
	struct wire_reader r = element(blob, index, LARGE_LEN);
	struct bgp_large_community c;

	c.global = wire_u32(&r);
	c.local1 = wire_u32(&r);
	c.local2 = wire_u32(&r);
	return c;
}

bool large_community_contains(struct bgp_blob blob, struct bgp_large_community community)
{
	for (unsigned int i = 0; i < large_community_count(blob); i++) {
		struct bgp_large_community c = large_community_get(blob, i);

		if (c.global == community.global && c.local1 == community.local1 &&
		    c.local2 == community.local2)
			return true;
	}
	return false;
}

char *community_format(uint32_t community, char buf[static COMMUNITY_TEXT_MAX])
{
	for (size_t i = 0; i < N_WELL_KNOWN; i++) {
		if (well_known[i].value == community) {
			snprintf(buf, COMMUNITY_TEXT_MAX, "%s", well_known[i].name);
			return buf;
		}
	}
	snprintf(buf, COMMUNITY_TEXT_MAX, "%u:%u", community >> 16, community & 0xffff);
	return buf;
}

char *large_community_format(struct bgp_large_community c,
			     char buf[static LARGE_COMMUNITY_TEXT_MAX])
{
	snprintf(buf, LARGE_COMMUNITY_TEXT_MAX, "%u:%u:%u", c.global, c.local1, c.local2);
	return buf;
}

/* --- extended ------------------------------------------------------------------------------------ */

/* RFC 4360 3, RFC 5668 2: what the value begins with, by the type without its I and T bits. */
enum ext_admin {
	EXT_AS2,
	EXT_IPV4,
	EXT_AS4,
	EXT_ADMIN_MAX,
};

#define EXT_T_BIT          0x40 /* not transitive across ASes */
#define EXT_RT             0x02
#define EXT_SOO            0x03
#define EXT_LINK_BANDWIDTH 0x04

unsigned int ext_community_count(struct bgp_blob blob)
{
	return blob.len / EXT_COMMUNITY_LEN;
}

const uint8_t *ext_community_get(struct bgp_blob blob, unsigned int index)
{
	return blob.data + (size_t)index * EXT_COMMUNITY_LEN;
}

static uint32_t number(const uint8_t *data, size_t len)
{
	uint32_t n = 0;

	while (len--)
		n = n << 8 | *data++;
	return n;
}

/* draft-ietf-idr-link-bandwidth 3: an IEEE 754 single, octets a second. */
static double bandwidth_of(const uint8_t *data)
{
	uint32_t bits = number(data, 4);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return (double)value;
}

static bool is_bandwidth(const uint8_t *c)
{
	return (c[0] & ~EXT_T_BIT) == EXT_AS2 && c[1] == EXT_LINK_BANDWIDTH;
}

double ext_community_bandwidth(struct bgp_blob blob)
{
	for (unsigned int i = 0; i < ext_community_count(blob); i++) {
		const uint8_t *c = ext_community_get(blob, i);
		double bandwidth;

		if (!is_bandwidth(c))
			continue;
		bandwidth = bandwidth_of(c + 4);
		return isfinite(bandwidth) && bandwidth > 0 ? bandwidth : 0;
	}
	return 0;
}

char *ext_community_format(const uint8_t c[static EXT_COMMUNITY_LEN],
			   char buf[static EXT_COMMUNITY_TEXT_MAX])
{
	static const char *const names[] = { [EXT_RT] = "rt", [EXT_SOO] = "soo" };
	uint8_t admin = c[0] & ~EXT_T_BIT, kind = c[1];

	if (is_bandwidth(c))
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "bandwidth:%u:%.9g", number(c + 2, 2),
			 bandwidth_of(c + 4));
	else if (c[0] >= EXT_ADMIN_MAX || (kind != EXT_RT && kind != EXT_SOO))
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "0x%08x%08x", number(c, 4), number(c + 4, 4));
	else if (admin == EXT_AS2)
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "%s:%u:%u", names[kind], number(c + 2, 2),
			 number(c + 4, 4));
	else if (admin == EXT_AS4)
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "%s:%u:%u", names[kind], number(c + 2, 4),
			 number(c + 6, 2));
	else
		snprintf(buf, EXT_COMMUNITY_TEXT_MAX, "%s:%u.%u.%u.%u:%u", names[kind], c[2], c[3],
			 c[4], c[5], number(c + 6, 2));
	return buf;
}

/* --- back to numbers ------------------------------------------------------------------------------ */

/* @n numbers between colons, each at most @max; nothing before, between or after. */
static int parse_numbers(const char *text, unsigned int n, uint32_t max, uint32_t *ret_numbers)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned long long value;
		char *end;

		/* strtoull takes blanks and signs, which are no part of the form. */
		if (*text < '0' || *text > '9')
			return -EINVAL;
		errno = 0;
		value = strtoull(text, &end, 10);
		if (errno || value > max || *end != (i + 1 < n ? ':' : '\0'))
			return -EINVAL;
		ret_numbers[i] = (uint32_t)value;
		text = end + 1;
	}
	return 0;
}

int community_parse(const char *text, uint32_t *ret_community)
{
	uint32_t n[2];

	for (size_t i = 0; i < N_WELL_KNOWN; i++) {
		if (!strcmp(well_known[i].name, text)) {
			*ret_community = well_known[i].value;
			return 0;
		}
	}
	if (parse_numbers(text, 2, UINT16_MAX, n) < 0)
		return -EINVAL;
	*ret_community = n[0] << 16 | n[1];
	return 0;
}

int large_community_parse(const char *text, struct bgp_large_community *ret_community)
{
	uint32_t n[3];

	if (parse_numbers(text, 3, UINT32_MAX, n) < 0)
		return -EINVAL;
	*ret_community = (struct bgp_large_community){ n[0], n[1], n[2] };
	return 0;
}
