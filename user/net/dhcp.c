// SPDX-License-Identifier: GPL-2.0-only
/*
 * DHCP and DHCPv6 as far as antiSpoof learns from them: dhcp.h. Called by agent/node_learn.c with frames that
 * a VM or anybody else may have made up. Pure; reads through util/wire.h alone.
 */
#include "net/dhcp.h"

#include <errno.h>
#include <string.h>

#include "util/wire.h"

#define ETH_LEN     14
#define TYPE_IPV4   0x0800
#define TYPE_IPV6   0x86dd
#define PROTO_UDP   17
#define UDP_LEN     8
#define DHCP_CLIENT 68
#define DHCP_SERVER 67
#define V6_CLIENT   546
#define V6_SERVER   547

/* RFC 2131 section 2; RFC 2132 sections 3.1, 3.2, 9.1 to 9.3 and 9.6. */
#define BOOT_REQUEST 1
#define BOOT_REPLY   2
#define BOOT_SNAME   64
#define BOOT_FILE    128
#define COOKIE       0x63825363

enum {
	OPTION_PAD = 0,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_END = 255,
};

enum {
	DHCPDECLINE = 4,
	DHCPACK = 5,
	DHCPRELEASE = 7,
};

/* RFC 8415 sections 7.3, 21.4 to 21.6, 21.21 and 21.22; RFC 9915 has no IA_TA any more. */
enum {
	V6_REPLY = 7,
	V6_RELEASE = 8,
	V6_DECLINE = 9,
	V6_IA_NA = 3,
	V6_IA_TA = 4,
	V6_IAADDR = 5,
	V6_IA_PD = 25,
	V6_IAPREFIX = 26,
};

/* Identity associations: what stands before their options, and which option has a lease. */
static const struct association {
	uint16_t code, head, lease;
} associations[] = {
	{ V6_IA_NA, 12, V6_IAADDR }, /* IAID, T1, T2 */
	{ V6_IA_TA, 4, V6_IAADDR },
	{ V6_IA_PD, 12, V6_IAPREFIX },
};

struct options { /* of one DHCP message; 0: not there */
	uint8_t type, overload;
	bool has_lease;
	uint32_t lease;
	uint8_t requested[4];
};

static bool is_usable(const struct ip_addr *addr)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	return !ip_is_zero(addr) && !ip_is_multicast(addr) && !ip_is_link_local(addr) &&
	       !ip_is_loopback(addr) &&
	       (addr->family != IP_V4 || memcmp(addr->bytes, broadcast, 4) != 0);
}

static void add_lease(struct dhcp_message *message, enum ip_family family, const uint8_t *bytes,
		      uint8_t len, uint32_t seconds)
{
	struct ip_addr addr = ip_from_bytes(family, bytes);
	struct ip_prefix prefix = prefix_of(&addr, len);

	if (is_usable(&prefix.addr) && message->n < DHCP_LEASES)
		message->lease[message->n++] = (struct dhcp_lease){ prefix, seconds };
}

/* --- DHCP --------------------------------------------------------------------------------------------- */

/* An option that is there with another length than it must have makes the message void. */
static bool read_option(uint8_t code, struct wire_reader *value, struct options *options)
{
	const uint8_t *bytes;

	switch (code) {
	case OPTION_TYPE:
		options->type = wire_u8(value);
		return wire_done(value);
	case OPTION_OVERLOAD:
		options->overload = wire_u8(value);
		return wire_done(value);
	case OPTION_LEASE:
		options->lease = wire_u32(value);
		options->has_lease = true;
		return wire_done(value);
	case OPTION_REQUESTED:
		bytes = wire_bytes(value, sizeof(options->requested));
		if (bytes)
			memcpy(options->requested, bytes, sizeof(options->requested));
		return wire_done(value);
	}
	return true;
}

static bool read_options(struct wire_reader *r, struct options *options)
{
	while (wire_left(r)) {
		uint8_t code = wire_u8(r);
		struct wire_reader value;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			return true;
		value = wire_sub(r, wire_u8(r));
		if (r->failed || !read_option(code, &value, options))
			return false;
	}
	return !r->failed;
}

/* RFC 2132 section 9.3: the fields `file` (1) and `sname` (2) may hold more of them, in this order. */
static bool read_overload(const uint8_t *sname, const uint8_t *file, struct options *options)
{
	uint8_t where = options->overload;
	struct wire_reader r;

	if (where & 1) {
		wire_read_init(&r, file, BOOT_FILE);
		if (!read_options(&r, options))
			return false;
	}
	if (!(where & 2))
		return true;
	wire_read_init(&r, sname, BOOT_SNAME);
	return read_options(&r, options);
}

/* What a server grants; what a client gives back. */
static void judge_v4(const struct options *options, bool to_vm, const uint8_t *ciaddr,
		     const uint8_t *yiaddr, struct dhcp_message *message)
{
	if (to_vm && options->type == DHCPACK && options->has_lease)
		add_lease(message, IP_V4, yiaddr, 32, options->lease);
	else if (!to_vm && options->type == DHCPRELEASE)
		add_lease(message, IP_V4, ciaddr, 32, 0);
	else if (!to_vm && options->type == DHCPDECLINE)
		add_lease(message, IP_V4, options->requested, 32, 0);
}

/* RFC 2131 figure 1. */
static int parse_v4(struct wire_reader *r, bool to_vm, struct dhcp_message *message)
{
	static const uint8_t none[6];
	struct options options = { 0 };
	uint8_t op = wire_u8(r), htype = wire_u8(r), hlen = wire_u8(r);
	const uint8_t *ciaddr, *yiaddr, *chaddr, *sname, *file;

	wire_skip(r, 1 + 4 + 2 + 2); /* hops, xid, secs, flags */
	ciaddr = wire_bytes(r, 4);
	yiaddr = wire_bytes(r, 4);
	wire_skip(r, 4 + 4); /* siaddr, giaddr */
	chaddr = wire_bytes(r, 16);
	sname = wire_bytes(r, BOOT_SNAME);
	file = wire_bytes(r, BOOT_FILE);
	if (wire_u32(r) != COOKIE || r->failed || op != (to_vm ? BOOT_REPLY : BOOT_REQUEST) ||
	    htype != 1 || hlen != 6 || memcmp(chaddr, none, sizeof(none)) == 0)
		return -EINVAL;
	if (!read_options(r, &options) || !read_overload(sname, file, &options))
		return -EINVAL;
	memcpy(message->mac, chaddr, sizeof(message->mac));
	judge_v4(&options, to_vm, ciaddr, yiaddr, message);
	return 0;
}

/* --- DHCPv6 ------------------------------------------------------------------------------------------- */

static struct wire_reader next_option(struct wire_reader *r, uint16_t *ret_code)
{
	*ret_code = wire_u16(r);
	return wire_sub(r, wire_u16(r));
}

/*
 * An address or a prefix; options behind it change nothing. A client discards what would be preferred for longer
 * than it is valid (sections 21.6 and 21.22).
 */
static bool read_lease(struct wire_reader *r, uint16_t code, bool to_vm,
		       struct dhcp_message *message)
{
	const uint8_t *addr = code == V6_IAADDR ? wire_bytes(r, 16) : NULL;
	uint32_t preferred = wire_u32(r), valid = wire_u32(r);
	uint8_t len = 128;

	if (code == V6_IAPREFIX) {
		len = wire_u8(r);
		addr = wire_bytes(r, 16);
	}
	if (r->failed || len > 128)
		return false;
	if (!to_vm || preferred <= valid)
		add_lease(message, IP_V6, addr, len, to_vm ? valid : 0);
	return true;
}

static bool read_association(struct wire_reader *r, const struct association *ia, bool to_vm,
			     struct dhcp_message *message)
{
	wire_skip(r, ia->head);
	while (wire_left(r)) {
		uint16_t code;
		struct wire_reader value = next_option(r, &code);

		if (r->failed || (code == ia->lease && !read_lease(&value, code, to_vm, message)))
			return false;
	}
	return !r->failed;
}

static const struct association *find_association(uint16_t code)
{
	for (size_t i = 0; i < sizeof(associations) / sizeof(*associations); i++) {
		if (associations[i].code == code)
			return &associations[i];
	}
	return NULL;
}

static int parse_v6(struct wire_reader *r, bool to_vm, struct dhcp_message *message)
{
	uint8_t type = wire_u8(r);

	wire_skip(r, 3); /* transaction id */
	if (r->failed)
		return -EINVAL;
	if (to_vm ? type != V6_REPLY : type != V6_RELEASE && type != V6_DECLINE)
		return 0;
	while (wire_left(r)) {
		const struct association *ia;
		uint16_t code;
		struct wire_reader value = next_option(r, &code);

		ia = find_association(code);
		if (r->failed || (ia && !read_association(&value, ia, to_vm, message)))
			return -EINVAL;
	}
	return 0;
}

/* --- frames ------------------------------------------------------------------------------------------- */

/* @r stands at UDP. What follows the datagram's length is padding. */
static int parse_udp(struct wire_reader *r, bool v6, bool to_vm, struct dhcp_message *message)
{
	uint16_t client = v6 ? V6_CLIENT : DHCP_CLIENT, server = v6 ? V6_SERVER : DHCP_SERVER;
	uint16_t from = wire_u16(r), to = wire_u16(r), len = wire_u16(r);
	struct wire_reader body;

	wire_skip(r, 2); /* checksum: the VM's stack looks at it */
	if (r->failed || len < UDP_LEN || from != (to_vm ? server : client) ||
	    to != (to_vm ? client : server))
		return -EINVAL;
	body = wire_sub(r, len - UDP_LEN);
	if (r->failed)
		return -EINVAL;
	return v6 ? parse_v6(&body, to_vm, message) : parse_v4(&body, to_vm, message);
}

/* Without options, unfragmented: as xrs_snoop picks them. */
static bool skip_ipv4(struct wire_reader *r)
{
	uint8_t version = wire_u8(r);
	uint16_t fragment;

	wire_skip(r, 1 + 2 + 2);
	fragment = wire_u16(r);
	wire_skip(r, 1);
	if (version != 0x45 || fragment & 0x3fff || wire_u8(r) != PROTO_UDP)
		return false;
	wire_skip(r, 2 + 4 + 4);
	return !r->failed;
}

static bool skip_ipv6(struct wire_reader *r)
{
	uint8_t version = wire_u8(r) >> 4;

	wire_skip(r, 3 + 2);
	if (version != 6 || wire_u8(r) != PROTO_UDP)
		return false;
	wire_skip(r, 1 + 16 + 16);
	return !r->failed;
}

int dhcp_parse(const uint8_t *frame, size_t len, bool to_vm, struct dhcp_message *ret_message)
{
	struct dhcp_message message = { 0 };
	const uint8_t *macs;
	struct wire_reader r;
	uint16_t type;
	int err;

	wire_read_init(&r, frame, len);
	macs = wire_bytes(&r, ETH_LEN - 2);
	type = wire_u16(&r);
	if (r.failed || (type != TYPE_IPV4 && type != TYPE_IPV6) ||
	    !(type == TYPE_IPV4 ? skip_ipv4(&r) : skip_ipv6(&r)))
		return -EINVAL;
	macs += to_vm ? 0 : 6;
	if (!(macs[0] & 1))
		memcpy(message.mac, macs, sizeof(message.mac));
	err = parse_udp(&r, type == TYPE_IPV6, to_vm, &message);
	if (err < 0)
		return err;
	*ret_message = message;
	return 0;
}
