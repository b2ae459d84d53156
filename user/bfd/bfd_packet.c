// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of BFD Control packets. Called by bfd_session.c, the engine's demultiplexer and the fuzzer;
 * knows nothing of sessions. Octets only through wire_*.
 */
#include "bfd/bfd_packet.h"

#include <string.h>

#include "util/digest.h"
#include "util/wire.h"

#define FLAG_POLL        0x20
#define FLAG_FINAL       0x10
#define FLAG_INDEPENDENT 0x08
#define FLAG_AUTH        0x04
#define FLAG_DEMAND      0x02
#define FLAG_MULTIPOINT  0x01
#define LENGTH_OFF       3 /* of the Length field */

/* One row a type: RFC 5880 4.2 to 4.4. */
struct auth_type {
	const char *name;
	uint8_t section;    /* octets with Type and Len; 0: as long as the password */
	uint8_t secret_max; /* also what a keyed type pads the secret to, and its digest's length */
	void (*digest)(const void *data, size_t len, uint8_t *ret_digest);
};

static void md5(const void *data, size_t len, uint8_t *ret_digest)
{
	digest_md5(data, len, ret_digest);
}

static void sha1(const void *data, size_t len, uint8_t *ret_digest)
{
	digest_sha1(data, len, ret_digest);
}

static const struct auth_type auth_types[BFD_AUTH_MAX] = {
	[BFD_AUTH_NONE] = { "none", 0, 0, NULL },
	[BFD_AUTH_PASSWORD] = { "simple", 0, 16, NULL },
	[BFD_AUTH_MD5] = { "md5", 24, DIGEST_MD5_LEN, md5 },
	[BFD_AUTH_METICULOUS_MD5] = { "meticulous-md5", 24, DIGEST_MD5_LEN, md5 },
	[BFD_AUTH_SHA1] = { "sha1", 28, DIGEST_SHA1_LEN, sha1 },
	[BFD_AUTH_METICULOUS_SHA1] = { "meticulous-sha1", 28, DIGEST_SHA1_LEN, sha1 },
};
#define PASSWORD_OFF 3 /* of a password in its section */
#define DIGEST_OFF   8 /* of a digest */

/* --- names ------------------------------------------------------------------------------------- */

const char *bfd_state_name(enum bfd_state state)
{
	static const char *const names[BFD_STATE_MAX] = { "AdminDown", "Down", "Init", "Up" };

	return state < BFD_STATE_MAX ? names[state] : "?";
}

const char *bfd_diag_name(unsigned int diag)
{
	static const char *const names[] = {
		"No Diagnostic",
		"Control Detection Time Expired",
		"Echo Function Failed",
		"Neighbor Signaled Session Down",
		"Forwarding Plane Reset",
		"Path Down",
		"Concatenated Path Down",
		"Administratively Down",
		"Reverse Concatenated Path Down",
	};

	return diag < sizeof(names) / sizeof(*names) ? names[diag] : "Reserved";
}

const char *bfd_auth_name(enum bfd_auth type)
{
	return type < BFD_AUTH_MAX ? auth_types[type].name : "?";
}

size_t bfd_auth_key_max(enum bfd_auth type)
{
	return type < BFD_AUTH_MAX ? auth_types[type].secret_max : 0;
}

const char *bfd_discard_name(enum bfd_discard discard)
{
	static const char *const names[BFD_DISCARD_MAX] = {
#define X(name, text) [BFD_DISCARD_##name] = text,
		BFD_DISCARDS(X)
#undef X
	};

	return discard < BFD_DISCARD_MAX ? names[discard] : "?";
}

/* --- in ------------------------------------------------------------------------------------------ */

/*
 * Key id and sequence of the section that fills the rest of the packet. A type that nobody knows is no
 * malformed packet: the session says that it is not its own.
 */
static bool decode_auth(struct wire_reader *r, struct bfd_packet *packet)
{
	size_t room = wire_left(r);
	uint8_t type = wire_u8(r), len = wire_u8(r);
	const struct auth_type *known = &auth_types[type < BFD_AUTH_MAX ? type : BFD_AUTH_NONE];

	packet->auth = type;
	packet->key_id = wire_u8(r);
	if (type == BFD_AUTH_NONE || len != room)
		return false;
	if (type == BFD_AUTH_PASSWORD)
		return len > PASSWORD_OFF && len <= PASSWORD_OFF + known->secret_max;
	if (!known->section)
		return !r->failed;
	wire_skip(r, 1);
	packet->sequence = wire_u32(r);
	return len == known->section && !r->failed;
}

static void decode_fixed(struct wire_reader *r, struct bfd_packet *packet)
{
	packet->my_discr = wire_u32(r);
	packet->your_discr = wire_u32(r);
	packet->min_tx_usec = wire_u32(r);
	packet->min_rx_usec = wire_u32(r);
	packet->min_echo_rx_usec = wire_u32(r);
}

/* RFC 5880 6.8.6, what can be told without a session. */
static enum bfd_discard check(const struct bfd_packet *packet, bool multipoint)
{
	if (!packet->multiplier)
		return BFD_DISCARD_MULTIPLIER;
	if (multipoint)
		return BFD_DISCARD_MULTIPOINT;
	if (!packet->my_discr)
		return BFD_DISCARD_MY_DISCR;
	if (!packet->your_discr && packet->state != BFD_DOWN && packet->state != BFD_ADMIN_DOWN)
		return BFD_DISCARD_YOUR_DISCR;
	return BFD_DISCARD_NONE;
}

enum bfd_discard bfd_packet_decode(const void *data, size_t len, struct bfd_packet *ret_packet)
{
	struct bfd_packet packet = { .octets = data };
	enum bfd_discard discard;
	struct wire_reader r;
	uint8_t first, flags;

	wire_read_init(&r, data, len);
	first = wire_u8(&r);
	flags = wire_u8(&r);
	packet.multiplier = wire_u8(&r);
	packet.len = wire_u8(&r);
	if (r.failed || first >> 5 != BFD_VERSION)
		return r.failed ? BFD_DISCARD_LENGTH : BFD_DISCARD_VERSION;
	if (packet.len < BFD_PACKET_LEN + (flags & FLAG_AUTH ? 2u : 0u) || packet.len > len)
		return BFD_DISCARD_LENGTH;
	wire_read_init(&r, (const uint8_t *)data + LENGTH_OFF + 1, packet.len - LENGTH_OFF - 1);
	packet.diag = first & 0x1f;
	packet.state = flags >> 6;
	packet.poll = flags & FLAG_POLL;
	packet.final = flags & FLAG_FINAL;
	packet.control_independent = flags & FLAG_INDEPENDENT;
	packet.demand = flags & FLAG_DEMAND;
	decode_fixed(&r, &packet);
	discard = check(&packet, flags & FLAG_MULTIPOINT);
	if (discard == BFD_DISCARD_NONE && flags & FLAG_AUTH && !decode_auth(&r, &packet))
		discard = BFD_DISCARD_AUTH_SECTION;
	if (discard == BFD_DISCARD_NONE)
		*ret_packet = packet;
	return discard;
}

/* --- authentication ------------------------------------------------------------------------------ */

/* The digest of the packet with the padded secret where the digest stands (RFC 5880 6.7.3, 6.7.4). */
static void digest_of(const struct auth_type *type, const struct bfd_key *key,
		      const uint8_t *octets, size_t len, uint8_t ret_digest[static BFD_KEY_MAX])
{
	uint8_t copy[BFD_PACKET_MAX];

	memcpy(copy, octets, len);
	memset(copy + len - type->secret_max, 0, type->secret_max);
	memcpy(copy + len - type->secret_max, key->secret, key->len);
	type->digest(copy, len, ret_digest);
}

bool bfd_packet_authentic(const struct bfd_packet *packet, const struct bfd_key *key)
{
	const struct auth_type *type = &auth_types[packet->auth];
	const uint8_t *section = packet->octets + BFD_PACKET_LEN;
	uint8_t digest[BFD_KEY_MAX];

	if (packet->auth == BFD_AUTH_NONE)
		return true;
	if (packet->auth == BFD_AUTH_PASSWORD)
		return packet->len == (size_t)BFD_PACKET_LEN + PASSWORD_OFF + key->len &&
		       digest_equal(section + PASSWORD_OFF, key->secret, key->len);
	digest_of(type, key, packet->octets, packet->len, digest);
	return digest_equal(section + DIGEST_OFF, digest, type->secret_max);
}

/* --- out ------------------------------------------------------------------------------------------- */

static void encode_auth(struct wire_writer *w, const struct bfd_packet *packet,
			const struct bfd_key *key)
{
	const struct auth_type *type = &auth_types[key->type];
	static const uint8_t zeros[BFD_KEY_MAX];

	wire_put_u8(w, key->type);
	if (key->type == BFD_AUTH_PASSWORD) {
		wire_put_u8(w, (uint64_t)PASSWORD_OFF + key->len);
		wire_put_u8(w, key->id);
		wire_put_bytes(w, key->secret, key->len);
		return;
	}
	wire_put_u8(w, type->section);
	wire_put_u8(w, key->id);
	wire_put_u8(w, 0);
	wire_put_u32(w, packet->sequence);
	wire_put_bytes(w, zeros, type->secret_max);
}

static uint8_t flags_of(const struct bfd_packet *packet, const struct bfd_key *key)
{
	return (uint8_t)(packet->state << 6 | (packet->poll ? FLAG_POLL : 0) |
			 (packet->final ? FLAG_FINAL : 0) |
			 (packet->control_independent ? FLAG_INDEPENDENT : 0) |
			 (key->type != BFD_AUTH_NONE ? FLAG_AUTH : 0) |
			 (packet->demand ? FLAG_DEMAND : 0));
}

size_t bfd_packet_encode(const struct bfd_packet *packet, const struct bfd_key *key,
			 uint8_t buf[static BFD_PACKET_MAX])
{
	uint8_t digest[BFD_KEY_MAX];
	struct wire_writer w;

	wire_write_init(&w, buf, BFD_PACKET_MAX);
	wire_put_u8(&w, BFD_VERSION << 5 | (packet->diag & 0x1f));
	wire_put_u8(&w, flags_of(packet, key));
	wire_put_u8(&w, packet->multiplier);
	wire_put_u8(&w, 0);
	wire_put_u32(&w, packet->my_discr);
	wire_put_u32(&w, packet->your_discr);
	wire_put_u32(&w, packet->min_tx_usec);
	wire_put_u32(&w, packet->min_rx_usec);
	wire_put_u32(&w, packet->min_echo_rx_usec);
	if (key->type != BFD_AUTH_NONE)
		encode_auth(&w, packet, key);
	buf[LENGTH_OFF] = (uint8_t)w.pos;
	if (auth_types[key->type].digest) {
		digest_of(&auth_types[key->type], key, buf, w.pos, digest);
		memcpy(buf + w.pos - auth_types[key->type].secret_max, digest,
		       auth_types[key->type].secret_max);
	}
	return w.pos;
}
