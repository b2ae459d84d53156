// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and prefixes: parsing, printing, comparing. Every module calls it. Pure: no resolver, no
 * locale, no allocation; nothing else in the tree turns text into an address or back.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util/htab.h"
#include "util/prefix.h"

struct ip_addr ip_from_v4(uint32_t host_order)
{
	struct ip_addr addr = { .family = IP_V4 };

	for (unsigned int i = 0; i < 4; i++)
		addr.bytes[i] = (uint8_t)(host_order >> (24 - 8 * i));
	return addr;
}

uint32_t ip_to_v4(const struct ip_addr *addr)
{
	const uint8_t *b = addr->bytes;

	if (addr->family != IP_V4)
		return 0;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

int ip_parse(const char *text, struct ip_addr *ret_addr)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*ret_addr = ip_from_bytes(IP_V4, bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ret_addr = ip_from_bytes(IP_V6, bytes);
	else
		return -EINVAL;
	return 0;
}

static char *put_number(char *at, unsigned int value, unsigned int base)
{
	char digits[8];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		*at++ = digits[--n];
	return at;
}

static char *put_v4(char *at, const uint8_t *bytes)
{
	for (unsigned int i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		at = put_number(at, bytes[i], 10);
	}
	return at;
}

struct zero_run {
	unsigned int from, len;
};

/* RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equal ones. */
static struct zero_run longest_zero_run(const uint8_t *bytes, unsigned int groups)
{
	struct zero_run best = { .from = groups, .len = 1 };
	struct zero_run run = { 0 };

	for (unsigned int i = 0; i < groups; i++) {
		if (bytes[2 * i] || bytes[2 * i + 1]) {
			run = (struct zero_run){ .from = i + 1 };
			continue;
		}
		run.len++;
		if (run.len > best.len)
			best = run;
	}
	return best;
}

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static char *put_v6(char *at, const uint8_t *bytes)
{
	/* RFC 5952 section 5: of the mixed forms only ::ffff:0:0/96 is sure to hold an IPv4. */
	bool mapped = !memcmp(bytes, v4_mapped, sizeof(v4_mapped));
	unsigned int groups = mapped ? 6 : 8;
	struct zero_run run = longest_zero_run(bytes, groups);

	for (unsigned int i = 0; i < groups; i++) {
		if (i == run.from) {
			*at++ = ':';
			*at++ = ':';
			i += run.len - 1;
			continue;
		}
		if (i && i != run.from + run.len)
			*at++ = ':';
		at = put_number(at, (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1], 16);
	}
	if (mapped) {
		*at++ = ':';
		at = put_v4(at, bytes + 12);
	}
	return at;
}

/* Returns the end of the text, which is not terminated. */
static char *put_ip(char *at, const struct ip_addr *addr)
{
	if (addr->family == IP_V4)
		return put_v4(at, addr->bytes);
	if (addr->family == IP_V6)
		return put_v6(at, addr->bytes);
	*at = '-';
	return at + 1;
}

char *ip_format(const struct ip_addr *addr, char buf[static IP_TEXT_MAX])
{
	*put_ip(buf, addr) = '\0';
	return buf;
}

static uint64_t load64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ip_cmp(a, b) == 0;
}

int ip_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->family == IP_V6 && load64(a->bytes) == load64(b->bytes))
		return compare(load64(a->bytes + 8), load64(b->bytes + 8));
	if (a->family == IP_V6)
		return compare(load64(a->bytes), load64(b->bytes));
	return a->family == IP_V4 ? compare(ip_to_v4(a), ip_to_v4(b)) : 0;
}

bool ip_is_zero(const struct ip_addr *addr)
{
	for (unsigned int i = 0; i < ip_bytes(addr->family); i++) {
		if (addr->bytes[i])
			return false;
	}
	return true;
}

bool ip_is_multicast(const struct ip_addr *addr)
{
	if (addr->family == IP_V4)
		return (addr->bytes[0] & 0xf0) == 0xe0;
	return addr->family == IP_V6 && addr->bytes[0] == 0xff;
}

bool ip_is_link_local(const struct ip_addr *addr)
{
	if (addr->family == IP_V4)
		return addr->bytes[0] == 169 && addr->bytes[1] == 254;
	return addr->family == IP_V6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

bool ip_is_loopback(const struct ip_addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (addr->family == IP_V4)
		return addr->bytes[0] == 127;
	return addr->family == IP_V6 && !memcmp(addr->bytes, one, sizeof(one));
}

/* Decimal without sign, blanks or leading zeros. Numbers above any length are -ERANGE. */
static int parse_length(const char *text, unsigned int *ret_len)
{
	size_t digits = strspn(text, "0123456789");
	unsigned int len = 0;

	if (!digits || text[digits] || (digits > 1 && text[0] == '0'))
		return -EINVAL;
	if (digits > 3)
		return -ERANGE;
	for (size_t i = 0; i < digits; i++)
		len = len * 10 + (unsigned int)(text[i] - '0');
	*ret_len = len;
	return 0;
}

int prefix_parse(const char *text, struct ip_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	char addr_text[IP_TEXT_MAX];
	struct ip_prefix prefix;
	struct ip_addr addr;
	unsigned int len;
	int err;

	if (!slash || (size_t)(slash - text) >= sizeof(addr_text))
		return -EINVAL;
	memcpy(addr_text, text, (size_t)(slash - text));
	addr_text[slash - text] = '\0';
	err = ip_parse(addr_text, &addr);
	if (!err)
		err = parse_length(slash + 1, &len);
	if (err)
		return err;
	if (len > ip_bits(addr.family))
		return -ERANGE;
	prefix = prefix_of(&addr, (uint8_t)len);
	if (!ip_equal(&prefix.addr, &addr))
		return -EDOM;
	*ret_prefix = prefix;
	return 0;
}

char *prefix_format(const struct ip_prefix *prefix, char buf[static PREFIX_TEXT_MAX])
{
	char *at = put_ip(buf, &prefix->addr);

	*at++ = '/';
	*put_number(at, prefix->len, 10) = '\0';
	return buf;
}

bool prefix_is_host(const struct ip_prefix *prefix)
{
	return prefix->len == ip_bits((enum ip_family)prefix->addr.family);
}

char *prefix_format_short(const struct ip_prefix *prefix, char buf[static PREFIX_TEXT_MAX])
{
	if (!prefix_is_host(prefix))
		return prefix_format(prefix, buf);
	*put_ip(buf, &prefix->addr) = '\0';
	return buf;
}

struct ip_prefix prefix_of(const struct ip_addr *addr, uint8_t len)
{
	struct ip_prefix prefix = { .addr = *addr, .len = len };

	prefix_mask(&prefix);
	return prefix;
}

void prefix_mask(struct ip_prefix *prefix)
{
	unsigned int bits = ip_bits(prefix->addr.family);
	unsigned int whole;

	if (prefix->len > bits)
		prefix->len = (uint8_t)bits;
	whole = prefix->len / 8;
	if (whole == sizeof(prefix->addr.bytes))
		return;
	prefix->addr.bytes[whole] &= (uint8_t)(0xff00 >> prefix->len % 8);
	memset(prefix->addr.bytes + whole + 1, 0, sizeof(prefix->addr.bytes) - whole - 1);
}

bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_equal(&a->addr, &b->addr);
}

int prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = ip_cmp(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

static bool same_leading_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return !memcmp(a, b, whole) && (!mask || !((a[whole] ^ b[whole]) & mask));
}

bool prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->addr.family == inner->addr.family && outer->len <= inner->len &&
	       same_leading_bits(outer->addr.bytes, inner->addr.bytes, outer->len);
}

bool prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *addr)
{
	return prefix->addr.family == addr->family &&
	       same_leading_bits(prefix->addr.bytes, addr->bytes, prefix->len);
}

bool prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

uint32_t prefix_hash(const struct ip_prefix *prefix)
{
	return hash_bytes(prefix->addr.bytes, ip_bytes(prefix->addr.family),
			  (uint32_t)prefix->addr.family << 8 | prefix->len);
}
