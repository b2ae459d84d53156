// SPDX-License-Identifier: GPL-2.0-only
/* MD5 and SHA-1 against the test suites of RFC 1321 A.5 and RFC 3174 7.3. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "util/digest.h"

static const char *hex(const uint8_t *digest, size_t len)
{
	static char text[2 * DIGEST_SHA1_LEN + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static void md5_is(const char *text, const char *expected)
{
	uint8_t digest[DIGEST_MD5_LEN];

	digest_md5(text, strlen(text), digest);
	cr_expect_str_eq(hex(digest, sizeof(digest)), expected, "\"%s\"", text);
}

static void sha1_is(const char *text, const char *expected)
{
	uint8_t digest[DIGEST_SHA1_LEN];

	digest_sha1(text, strlen(text), digest);
	cr_expect_str_eq(hex(digest, sizeof(digest)), expected, "\"%s\"", text);
}

Test(digest, md5_of_the_rfc)
{
	md5_is("", "d41d8cd98f00b204e9800998ecf8427e");
	md5_is("a", "0cc175b9c0f1b6a831c399e269772661");
	md5_is("abc", "900150983cd24fb0d6963f7d28e17f72");
	md5_is("message digest", "f96b697d7cb7938d525a2f31aaf161d0");
	md5_is("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	       "d174ab98d277d9f5a5611c2c9f419d9f");
	md5_is("12345678901234567890123456789012345678901234567890123456789012345678901234567890",
	       "57edf4a22be3c955ac49da2e2107b67a");
}

Test(digest, sha1_of_the_rfc)
{
	sha1_is("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	sha1_is("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	sha1_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	sha1_is("0123456701234567012345670123456701234567012345670123456701234567",
		"e0c094e867ef46c350ef54a7f59dd60bed92ae83");
}

Test(digest, equal_looks_at_each_octet)
{
	uint8_t a[DIGEST_MD5_LEN] = { 0 }, b[DIGEST_MD5_LEN] = { 0 };

	cr_assert(digest_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		cr_assert_not(digest_equal(a, b, sizeof(a)));
		b[i] = 0;
	}
}
