/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IP addresses and prefixes of both families in one type, and their text forms.
 *
 * Everything that speaks of an address uses these two structs; nothing else parses or prints one.
 * All functions are pure. A `struct ip_addr` of family IP_NONE means "no address".
 */
#ifndef XRS_UTIL_PREFIX_H
#define XRS_UTIL_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ip_family {
	IP_NONE = 0,
	IP_V4 = 4,
	IP_V6 = 6
};

struct ip_addr {
	uint8_t family;    /* enum ip_family */
	uint8_t bytes[16]; /* network order; IPv4 in the first four, the rest zero */
};

struct ip_prefix {
	struct ip_addr addr; /* host bits are always zero: see prefix_mask() */
	uint8_t len;         /* 0..32 or 0..128 */
};

#define IP_TEXT_MAX     46 /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_MAX 50

/* Bits of an address of that family: 32, 128, or 0 for IP_NONE. */
static inline unsigned int ip_bits(enum ip_family family)
{
	return family == IP_V4 ? 32 : family == IP_V6 ? 128 : 0;
}

/* Bytes of an address of that family: 4, 16 or 0. */
static inline unsigned int ip_bytes(enum ip_family family)
{
	return ip_bits(family) / 8;
}

/* From network-order bytes; @data holds ip_bytes(family) octets. */
static inline struct ip_addr ip_from_bytes(enum ip_family family, const void *data)
{
	struct ip_addr addr = { .family = (uint8_t)family };

	if (family == IP_V4)
		memcpy(addr.bytes, data, 4);
	else if (family == IP_V6)
		memcpy(addr.bytes, data, 16);
	return addr;
}

/* IPv4 from a host-order number, and back (0 when not IPv4). */
struct ip_addr ip_from_v4(uint32_t host_order);
uint32_t ip_to_v4(const struct ip_addr *addr);

/* Textual forms (RFC 4291, RFC 5952). 0, or -EINVAL and *ret_addr untouched. */
int ip_parse(const char *text, struct ip_addr *ret_addr);
/* Writes at most IP_TEXT_MAX octets, always terminated ("-" for IP_NONE); returns @buf. */
char *ip_format(const struct ip_addr *addr, char buf[static IP_TEXT_MAX]);

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
int ip_cmp(const struct ip_addr *a, const struct ip_addr *b); /* family, then bytes */
bool ip_is_zero(const struct ip_addr *addr);
bool ip_is_multicast(const struct ip_addr *addr);  /* 224/4, ff00::/8 */
bool ip_is_link_local(const struct ip_addr *addr); /* 169.254/16, fe80::/10 */
bool ip_is_loopback(const struct ip_addr *addr);   /* 127/8, ::1 */

/*
 * "10.1.0.0/16", "fd00:1::/48". Strict: the length must be present and host bits must be zero.
 * 0; -EINVAL: not a prefix; -ERANGE: length out of range; -EDOM: host bits are set.
 */
int prefix_parse(const char *text, struct ip_prefix *ret_prefix);
char *prefix_format(const struct ip_prefix *prefix, char buf[static PREFIX_TEXT_MAX]);
/* The same, but a single address without its length. */
char *prefix_format_short(const struct ip_prefix *prefix, char buf[static PREFIX_TEXT_MAX]);
bool prefix_is_host(const struct ip_prefix *prefix); /* a single address */
/* The prefix of @len bits (cut to the family's) that holds @addr (host bits cleared). */
struct ip_prefix prefix_of(const struct ip_addr *addr, uint8_t len);
/* Clears the host bits in place. */
void prefix_mask(struct ip_prefix *prefix);
bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);
/* Family, then address, then length: the order in which map writes are sorted. */
int prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b);
/* @inner is equal to or more specific than @outer. */
bool prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner);
bool prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *addr);
bool prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);
uint32_t prefix_hash(const struct ip_prefix *prefix);

#endif
