// SPDX-License-Identifier: GPL-2.0-only
/*
 * MD5 and SHA-1. Both cut the input into blocks of 64 octets, the last of which ends with the length in
 * bits; they differ in byte order and in what they do to a block. See the header.
 */
#include "util/digest.h"

#include <string.h>

#define BLOCK      64
#define LENGTH_OFF 56 /* of the 64-bit length in the last block */

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

static uint32_t load_le(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t load_be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* RFC 1321 3.4: T[i] is the integer part of 4294967296 times abs(sin(i)). */
static const uint32_t md5_t[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391
};

static void md5_block(uint32_t h[5], const uint8_t *block)
{
	static const uint8_t shift[4][4] = {
		{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
	};
	static const uint8_t step[4] = { 1, 5, 3, 7 }, start[4] = { 0, 1, 5, 0 };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3];

	for (unsigned int i = 0; i < 64; i++) {
		unsigned int round = i / 16;
		const uint32_t f[4] = { (b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d,
					c ^ (b | ~d) };
		uint32_t word = load_le(block + 4 * ((start[round] + step[round] * i) % 16));
		uint32_t sum = a + f[round] + md5_t[i] + word;

		a = d;
		d = c;
		c = b;
		b += rotate(sum, shift[round][i % 4]);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

static void sha1_block(uint32_t h[5], const uint8_t *block)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (unsigned int i = 0; i < 80; i++)
		w[i] = i < 16 ? load_be(block + 4 * i)
			      : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (unsigned int i = 0; i < 80; i++) {
		const uint32_t f[4] = { (b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d),
					b ^ c ^ d };
		uint32_t next = rotate(a, 5) + f[i / 20] + e + w[i] + k[i / 20];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

struct algorithm {
	void (*block)(uint32_t h[5], const uint8_t *block);
	bool big_endian;
};

static void run(const struct algorithm *algorithm, const uint8_t *data, size_t len, uint32_t h[5])
{
	uint8_t last[2 * BLOCK] = { 0 };
	size_t whole = len / BLOCK * BLOCK, rest = len - whole;
	size_t end = rest < LENGTH_OFF ? BLOCK : 2 * BLOCK;
	uint64_t bits = (uint64_t)len * 8;

	for (size_t at = 0; at < whole; at += BLOCK)
		algorithm->block(h, data + at);
	if (rest)
		memcpy(last, data + whole, rest);
	last[rest] = 0x80;
	for (unsigned int i = 0; i < 8; i++)
		last[end - 8 + i] = (uint8_t)(bits >> 8 * (algorithm->big_endian ? 7 - i : i));
	for (size_t at = 0; at < end; at += BLOCK)
		algorithm->block(h, last + at);
}

void digest_md5(const void *data, size_t len, uint8_t ret_digest[static DIGEST_MD5_LEN])
{
	static const struct algorithm md5 = { md5_block, false };
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };

	run(&md5, data, len, h);
	for (unsigned int i = 0; i < DIGEST_MD5_LEN; i++)
		ret_digest[i] = (uint8_t)(h[i / 4] >> 8 * (i % 4));
}

void digest_sha1(const void *data, size_t len, uint8_t ret_digest[static DIGEST_SHA1_LEN])
{
	static const struct algorithm sha1 = { sha1_block, true };
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };

	run(&sha1, data, len, h);
	for (unsigned int i = 0; i < DIGEST_SHA1_LEN; i++)
		ret_digest[i] = (uint8_t)(h[i / 4] >> 8 * (3 - i % 4));
}

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}
