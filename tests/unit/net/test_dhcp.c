// SPDX-License-Identifier: GPL-2.0-only
/* DHCP and DHCPv6 messages, written field by field: what they grant, what they give back, what is void. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/dhcp.h"
#include "util/wire.h"

#define MAC "\x02\x00\x00\x00\x01\x04"

struct spec {
	uint8_t op, type; /* BOOTP; option 53 */
	const char *ciaddr, *yiaddr, *requested;
	bool leased;
	uint32_t seconds;
	uint8_t overload; /* option 52: the type stands in that field */
};

static uint8_t frame[1514];
static size_t length;

static void put_addr(struct wire_writer *w, const char *text)
{
	struct ip_addr addr = { 0 };

	if (text)
		cr_assert(!ip_parse(text, &addr));
	wire_put_bytes(w, addr.bytes, addr.family == IP_V6 ? 16 : 4);
}

/* Ethernet and IP; *ret_udp: where UDP begins. */
static void begin(struct wire_writer *w, bool v6, bool to_vm, size_t *ret_udp)
{
	static const uint8_t zero[16];

	memset(frame, 0, sizeof(frame));
	wire_write_init(w, frame, sizeof(frame));
	wire_put_bytes(w, to_vm ? MAC : "\x02\x00\x00\x00\x00\x01", 6);
	wire_put_bytes(w, to_vm ? "\x02\x00\x00\x00\x00\x01" : MAC, 6);
	wire_put_u16(w, v6 ? 0x86dd : 0x0800);
	if (v6) {
		wire_put_u32(w, 0x60000000);
		wire_put_u16(w, 0);
		wire_put_u16(w, 17 << 8 | 64);
		wire_put_bytes(w, zero, 16);
		wire_put_bytes(w, zero, 16);
	} else {
		wire_put_u32(w, 0x45000000);
		wire_put_u32(w, 0);
		wire_put_u16(w, 64 << 8 | 17);
		wire_put_u16(w, 0);
		wire_put_bytes(w, zero, 8);
	}
	*ret_udp = w->pos;
	wire_put_u16(w, to_vm ? (v6 ? 547 : 67) : (v6 ? 546 : 68));
	wire_put_u16(w, to_vm ? (v6 ? 546 : 68) : (v6 ? 547 : 67));
	wire_put_u16(w, 0);
	wire_put_u16(w, 0);
}

static void end(struct wire_writer *w, size_t udp)
{
	cr_assert(!w->failed);
	length = w->pos;
	frame[udp + 4] = (uint8_t)((length - udp) >> 8);
	frame[udp + 5] = (uint8_t)(length - udp);
}

static void put_options(struct wire_writer *w, const struct spec *spec)
{
	wire_put_u8(w, 0);  /* pad */
	wire_put_u8(w, 12); /* host name: nobody's business */
	wire_put_u8(w, 2);
	wire_put_u16(w, 0x766d);
	if (spec->overload) {
		wire_put_u16(w, 52 << 8 | 1);
		wire_put_u8(w, spec->overload);
	} else {
		wire_put_u16(w, 53 << 8 | 1);
		wire_put_u8(w, spec->type);
	}
	if (spec->leased) {
		wire_put_u16(w, 51 << 8 | 4);
		wire_put_u32(w, spec->seconds);
	}
	if (spec->requested) {
		wire_put_u16(w, 50 << 8 | 4);
		put_addr(w, spec->requested);
	}
	wire_put_u8(w, 255);
}

static void make_v4(const struct spec *spec, bool to_vm)
{
	static const uint8_t zero[128];
	struct wire_writer w;
	size_t udp, boot;

	begin(&w, false, to_vm, &udp);
	boot = w.pos;
	wire_put_u8(&w, spec->op);
	wire_put_u8(&w, 1);
	wire_put_u8(&w, 6);
	wire_put_u8(&w, 0);
	wire_put_u32(&w, 0x12345678);
	wire_put_u32(&w, 0);
	put_addr(&w, spec->ciaddr);
	put_addr(&w, spec->yiaddr);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	wire_put_bytes(&w, MAC, 6);
	wire_put_bytes(&w, zero, 10);
	wire_put_bytes(&w, zero, 64);
	wire_put_bytes(&w, zero, 128);
	wire_put_u32(&w, 0x63825363);
	put_options(&w, spec);
	end(&w, udp);
	if (spec->overload) {
		uint8_t *field = frame + boot + (spec->overload & 1 ? 108 : 44);

		memcpy(field, "\x35\x01\x05\xff", 4);
	}
}

static struct dhcp_message parsed(bool to_vm)
{
	struct dhcp_message message;
	int err = dhcp_parse(frame, length, to_vm, &message);

	cr_assert(!err, "%d", err);
	return message;
}

static void check_lease(const struct dhcp_lease *lease, const char *text, uint32_t seconds)
{
	char buf[PREFIX_TEXT_MAX];

	cr_assert_str_eq(prefix_format_short(&lease->prefix, buf), text);
	cr_assert(lease->seconds == seconds, "%u", lease->seconds);
}

Test(dhcp, an_ack_grants_for_its_lease_time)
{
	static const struct spec ack = {
		.op = 2, .type = 5, .yiaddr = "10.1.1.4", .leased = true, .seconds = 3600
	};
	struct dhcp_message message;

	make_v4(&ack, true);
	message = parsed(true);
	cr_assert(message.n == 1);
	check_lease(&message.lease[0], "10.1.1.4", 3600);
	cr_assert_arr_eq(message.mac, MAC, 6);
	cr_assert(dhcp_parse(frame, length, false, &message) == -EINVAL, "not from a client");
}

Test(dhcp, options_may_stand_in_file_and_sname)
{
	for (uint8_t where = 1; where <= 3; where++) {
		struct spec ack = { .op = 2,
				    .yiaddr = "10.1.1.4",
				    .leased = true,
				    .seconds = 9,
				    .overload = where };

		make_v4(&ack, true);
		cr_assert(parsed(true).n == 1, "overload %u", where);
	}
}

Test(dhcp, other_words_of_a_server_grant_nothing)
{
	static const struct spec rows[] = {
		{ .op = 2,
		  .type = 2,
		  .yiaddr = "10.1.1.4",
		  .leased = true,
		  .seconds = 60 }, /* OFFER */
		{ .op = 2,
		  .type = 6,
		  .yiaddr = "10.1.1.4",
		  .leased = true,
		  .seconds = 60 },                            /* NAK */
		{ .op = 2, .type = 5, .yiaddr = "10.1.1.4" }, /* to INFORM: without a lease */
		{ .op = 2, .type = 5, .leased = true, .seconds = 60 },
		{ .op = 2, .type = 5, .yiaddr = "224.0.0.9", .leased = true, .seconds = 60 },
		{ .op = 2, .type = 5, .yiaddr = "169.254.1.1", .leased = true, .seconds = 60 },
		{ .op = 2, .type = 5, .yiaddr = "127.0.0.1", .leased = true, .seconds = 60 },
		{ .op = 2, .type = 5, .yiaddr = "255.255.255.255", .leased = true, .seconds = 60 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		make_v4(&rows[i], true);
		cr_assert(parsed(true).n == 0, "row %zu", i);
	}
}

Test(dhcp, a_client_gives_back)
{
	static const struct spec release = { .op = 1, .type = 7, .ciaddr = "10.1.1.4" };
	static const struct spec decline = { .op = 1, .type = 4, .requested = "10.1.1.5" };
	static const struct spec request = {
		.op = 1, .type = 3, .requested = "10.1.1.5", .leased = true, .seconds = 9
	};
	struct dhcp_message message;

	make_v4(&release, false);
	message = parsed(false);
	cr_assert(message.n == 1);
	check_lease(&message.lease[0], "10.1.1.4", 0);
	make_v4(&decline, false);
	message = parsed(false);
	cr_assert(message.n == 1);
	check_lease(&message.lease[0], "10.1.1.5", 0);
	make_v4(&request, false);
	cr_assert(parsed(false).n == 0, "what a client asks for is not granted");
}

/* --- DHCPv6 ------------------------------------------------------------------------------------------- */

static void put_address(struct wire_writer *w, const char *addr, uint32_t valid)
{
	wire_put_u16(w, 5);
	wire_put_u16(w, 24 + 6);
	put_addr(w, addr);
	wire_put_u32(w, valid / 2);
	wire_put_u32(w, valid);
	wire_put_u16(w, 13); /* a status of its own */
	wire_put_u16(w, 2);
	wire_put_u16(w, 0);
}

static void make_v6(uint8_t type, bool to_vm, uint32_t valid)
{
	struct wire_writer w;
	size_t udp;

	begin(&w, true, to_vm, &udp);
	wire_put_u32(&w, (uint32_t)type << 24 | 0xabcdef);
	wire_put_u16(&w, 1); /* client identifier */
	wire_put_u16(&w, 10);
	wire_put_bytes(&w, "\x00\x03\x00\x01" MAC, 10);
	wire_put_u16(&w, 3); /* IA_NA */
	wire_put_u16(&w, 12 + 2 * 34);
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	put_address(&w, "fd00:1::1:4", valid);
	put_address(&w, "fe80::9", valid);
	wire_put_u16(&w, 4); /* IA_TA */
	wire_put_u16(&w, 4 + 34);
	wire_put_u32(&w, 2);
	put_address(&w, "fd00:1::1:5", valid);
	end(&w, udp);
}

Test(dhcp, a_reply_grants_addresses)
{
	struct dhcp_message message;

	make_v6(7, true, 7200);
	message = parsed(true);
	cr_assert(message.n == 2);
	check_lease(&message.lease[0], "fd00:1::1:4", 7200);
	check_lease(&message.lease[1], "fd00:1::1:5", 7200);
	cr_assert_arr_eq(message.mac, MAC, 6);
	make_v6(7, true, DHCP_FOREVER);
	cr_assert(parsed(true).lease[0].seconds == DHCP_FOREVER);
	make_v6(7, true, 0);
	cr_assert(parsed(true).lease[0].seconds == 0, "a valid lifetime of 0 ends it");
	make_v6(2, true, 7200);
	cr_assert(parsed(true).n == 0, "ADVERTISE");
}

Test(dhcp, release_and_decline_of_v6)
{
	for (uint8_t type = 1; type < 14; type++) {
		make_v6(type, false, 7200);
		cr_assert(parsed(false).n == (type == 8 || type == 9 ? 2 : 0), "type %u", type);
	}
	make_v6(8, false, 7200);
	check_lease(&parsed(false).lease[0], "fd00:1::1:4", 0);
}

static void put_prefix(struct wire_writer *w, const char *prefix, uint8_t len, uint32_t preferred,
		       uint32_t valid)
{
	wire_put_u16(w, 26);
	wire_put_u16(w, 25 + 7);
	wire_put_u32(w, preferred);
	wire_put_u32(w, valid);
	wire_put_u8(w, len);
	put_addr(w, prefix);
	wire_put_u16(w, 67); /* what it excludes, RFC 6603: nobody's business */
	wire_put_u16(w, 3);
	wire_put_u16(w, 64 << 8);
	wire_put_u8(w, 0);
}

/* An IA_PD with one prefix, and one with a status instead. */
static void make_pd(uint8_t type, bool to_vm, const char *prefix, uint8_t len, uint32_t preferred,
		    uint32_t valid)
{
	struct wire_writer w;
	size_t udp;

	begin(&w, true, to_vm, &udp);
	wire_put_u32(&w, (uint32_t)type << 24 | 0xabcdef);
	wire_put_u16(&w, 25);
	wire_put_u16(&w, 12 + 36);
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	put_prefix(&w, prefix, len, preferred, valid);
	wire_put_u16(&w, 25);
	wire_put_u16(&w, 12 + 6);
	wire_put_u32(&w, 2);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	wire_put_u16(&w, 13);
	wire_put_u16(&w, 2);
	wire_put_u16(&w, 6); /* NoPrefixAvail */
	end(&w, udp);
}

Test(dhcp, a_reply_delegates_a_prefix)
{
	struct dhcp_message message;

	make_pd(7, true, "fd00:1:0:8000::", 56, 3600, 7200);
	message = parsed(true);
	cr_assert(message.n == 1);
	check_lease(&message.lease[0], "fd00:1:0:8000::/56", 7200);
	cr_assert_arr_eq(message.mac, MAC, 6);
	make_pd(7, true, "fd00:1:0:80ff::1", 56, 7200, 7200);
	check_lease(&parsed(true).lease[0], "fd00:1:0:8000::/56", 7200);
	make_pd(7, true, "fd00:1::9", 128, 0, DHCP_FOREVER);
	check_lease(&parsed(true).lease[0], "fd00:1::9", DHCP_FOREVER);
	make_pd(7, true, "fd00:1:0:8000::", 56, 0, 0);
	check_lease(&parsed(true).lease[0], "fd00:1:0:8000::/56", 0);
	make_pd(2, true, "fd00:1:0:8000::", 56, 3600, 7200);
	cr_assert(parsed(true).n == 0, "ADVERTISE");
}

Test(dhcp, a_prefix_is_given_back)
{
	for (uint8_t type = 1; type < 14; type++) {
		make_pd(type, false, "fd00:1:0:8000::", 56, 0, 7200);
		cr_assert(parsed(false).n == (type == 8 || type == 9), "type %u", type);
	}
	make_pd(8, false, "fd00:1:0:8000::", 56, 7200, 3600);
	check_lease(&parsed(false).lease[0], "fd00:1:0:8000::/56", 0);
}

Test(dhcp, prefixes_that_no_client_takes)
{
	static const struct {
		const char *prefix;
		uint8_t len;
		uint32_t preferred;
		const char *what;
	} rows[] = {
		{ "fd00:1:0:8000::", 56, 61, "preferred for longer than valid" },
		{ "fd00:1:0:8000::", 0, 60, "a wish of any" },
		{ "fe80::", 64, 60, "link-local" },
		{ "ff05::", 16, 60, "multicast" },
		{ "::1", 128, 60, "loopback" },
	};
	struct dhcp_message message;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		make_pd(7, true, rows[i].prefix, rows[i].len, rows[i].preferred, 60);
		cr_assert(parsed(true).n == 0, "%s", rows[i].what);
	}
	make_pd(7, true, "fd00:1:0:8000::", 129, 60, 60);
	cr_assert(dhcp_parse(frame, length, true, &message) == -EINVAL);
}

/* --- what is void --------------------------------------------------------------------------------------- */

static void cut_everywhere(void)
{
	uint8_t copy[sizeof(frame)];
	struct dhcp_message message;

	for (size_t len = 0; len < length; len++) {
		memcpy(copy, frame, len);
		cr_assert(dhcp_parse(copy, len, true, &message) == -EINVAL, "%zu octets", len);
	}
}

Test(dhcp, cut_short_is_void)
{
	static const struct spec ack = {
		.op = 2, .type = 5, .yiaddr = "10.1.1.4", .leased = true, .seconds = 3600
	};

	make_v4(&ack, true);
	cut_everywhere();
	make_v6(7, true, 7200);
	cut_everywhere();
	make_pd(7, true, "fd00:1:0:8000::", 56, 3600, 7200);
	cut_everywhere();
}

Test(dhcp, other_headers_are_void)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} rows[] = {
		{ 13, 6, "ARP" },
		{ 14, 0x46, "IP options" },
		{ 20, 0x20, "fragments follow" },
		{ 21, 1, "a later piece" },
		{ 23, 6, "TCP" },
		{ 35, 69, "another port" },
		{ 42, 1, "a request" },
		{ 43, 6, "not Ethernet" },
		{ 44, 8, "another length" },
		{ 278, 0, "no cookie" },
	};
	static const struct spec ack = {
		.op = 2, .type = 5, .yiaddr = "10.1.1.4", .leased = true, .seconds = 3600
	};
	struct dhcp_message message;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		make_v4(&ack, true);
		frame[rows[i].at] = rows[i].value;
		cr_assert(dhcp_parse(frame, length, true, &message) == -EINVAL, "%s", rows[i].what);
	}
	make_v4(&ack, true);
	memset(frame + 70, 0, 6);
	cr_assert(dhcp_parse(frame, length, true, &message) == -EINVAL, "no hardware address");
}
