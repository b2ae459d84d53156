/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BFD Control packets: octets from and to a struct, and the Authentication Section (RFC 5880 4). Pure.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
 *    |                       My Discriminator                        |
 *    |                      Your Discriminator                       |
 *    |                 Desired Min TX Interval, usec                 |
 *    |                Required Min RX Interval, usec                 |
 *    |             Required Min Echo RX Interval, usec               |
 *    |   Auth Type   |   Auth Len    |  Auth Key ID  | ...           |
 */
#ifndef XRS_BFD_BFD_PACKET_H
#define XRS_BFD_BFD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BFD_VERSION       1
#define BFD_PACKET_LEN    24 /* the mandatory section */
#define BFD_PACKET_MAX    (BFD_PACKET_LEN + 28)
#define BFD_KEY_MAX       20 /* octets of a secret: SHA1; 16 for a password and MD5 */

#define BFD_PORT          3784 /* RFC 5881 4 */
#define BFD_PORT_MULTIHOP 4784 /* RFC 5883 5 */
#define BFD_TTL           255  /* RFC 5881 5 */

enum bfd_state {
	BFD_ADMIN_DOWN = 0,
	BFD_DOWN = 1,
	BFD_INIT = 2,
	BFD_UP = 3,
};
#define BFD_STATE_MAX 4
const char *bfd_state_name(enum bfd_state state); /* "AdminDown" "Down" "Init" "Up" */

enum bfd_diag { /* RFC 5880 4.1 */
	BFD_DIAG_NONE = 0,
	BFD_DIAG_TIME_EXPIRED = 1,
	BFD_DIAG_ECHO_FAILED = 2,
	BFD_DIAG_NEIGHBOUR_DOWN = 3,
	BFD_DIAG_FORWARDING_RESET = 4,
	BFD_DIAG_PATH_DOWN = 5,
	BFD_DIAG_CONCATENATED_DOWN = 6,
	BFD_DIAG_ADMIN_DOWN = 7,
	BFD_DIAG_REVERSE_CONCATENATED_DOWN = 8,
};
const char *bfd_diag_name(unsigned int diag); /* the RFC's words */

enum bfd_auth { /* RFC 5880 4.1, the Auth Type field */
	BFD_AUTH_NONE = 0,
	BFD_AUTH_PASSWORD = 1,
	BFD_AUTH_MD5 = 2,
	BFD_AUTH_METICULOUS_MD5 = 3,
	BFD_AUTH_SHA1 = 4,
	BFD_AUTH_METICULOUS_SHA1 = 5,
};
#define BFD_AUTH_MAX 6
const char *bfd_auth_name(enum bfd_auth type); /* "none" "simple" "md5" "meticulous-md5" ... */
/* The longest secret of @type. */
size_t bfd_auth_key_max(enum bfd_auth type);

struct bfd_key {
	enum bfd_auth type;
	uint8_t id;
	uint8_t len;
	uint8_t secret[BFD_KEY_MAX];
};

struct bfd_packet {
	uint8_t diag; /* as received: 9 to 31 have no name yet */
	enum bfd_state state;
	bool poll, final;
	bool control_independent; /* C: BFD does not share fate with the control plane */
	bool demand;
	uint8_t multiplier;
	uint32_t my_discr, your_discr;
	uint32_t min_tx_usec, min_rx_usec, min_echo_rx_usec;
	enum bfd_auth auth; /* BFD_AUTH_NONE: the A bit is clear */
	uint8_t key_id;
	uint32_t sequence; /* of the keyed types */
	/* As received, for bfd_packet_authentic(): valid as long as the input is. */
	const uint8_t *octets;
	size_t len; /* the Length field: what follows it is not BFD's */
};

/* Why a packet is discarded: RFC 5880 6.8.6 in its order, then what a session finds. */
#define BFD_DISCARDS(X)                        \
	X(NONE, "none")                        \
	X(VERSION, "version")                  \
	X(LENGTH, "length")                    \
	X(MULTIPLIER, "detect-mult-zero")      \
	X(MULTIPOINT, "multipoint")            \
	X(MY_DISCR, "my-discriminator-zero")   \
	X(YOUR_DISCR, "your-discriminator")    \
	X(AUTH_SECTION, "auth-section")        \
	X(AUTH_TYPE, "auth-type")              \
	X(AUTH_KEY, "auth-key")                \
	X(AUTH_SEQUENCE, "auth-sequence")      \
	X(AUTH_DIGEST, "auth-digest")          \
	X(ADMIN_DOWN, "administratively-down") \
	X(TTL, "ttl")                          \
	X(UNKNOWN_SESSION, "unknown-session")
enum bfd_discard {
#define X(name, text) BFD_DISCARD_##name,
	BFD_DISCARDS(X)
#undef X
	BFD_DISCARD_MAX,
};
const char *bfd_discard_name(enum bfd_discard discard);

/* BFD_DISCARD_NONE with *ret_packet, or why @data is no packet (then *ret_packet is untouched). */
enum bfd_discard bfd_packet_decode(const void *data, size_t len, struct bfd_packet *ret_packet);
/* A received packet's password or digest is that of @key; type and key id were compared before. */
bool bfd_packet_authentic(const struct bfd_packet *packet, const struct bfd_key *key);
/* Writes @packet, signed by @key; returns the octets. @octets and @len are not read. */
size_t bfd_packet_encode(const struct bfd_packet *packet, const struct bfd_key *key,
			 uint8_t buf[static BFD_PACKET_MAX]);

#endif
