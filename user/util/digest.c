// SPDX-License-Identifier: GPL-2.0-only
/* MD5 and SHA-1 of one piece of memory, by libmd. See the header. */
#include "util/digest.h"

#include <assert.h>
#include <md5.h>
#include <sha1.h>

static_assert(DIGEST_MD5_LEN == MD5_DIGEST_LENGTH && DIGEST_SHA1_LEN == SHA1_DIGEST_LENGTH,
	      "lengths of RFC 1321 and RFC 3174");

void digest_md5(const void *data, size_t len, uint8_t ret_digest[static DIGEST_MD5_LEN])
{
	MD5_CTX md5;

	MD5Init(&md5);
	MD5Update(&md5, data, len);
	MD5Final(ret_digest, &md5);
}

void digest_sha1(const void *data, size_t len, uint8_t ret_digest[static DIGEST_SHA1_LEN])
{
	SHA1_CTX sha1;

	SHA1Init(&sha1);
	SHA1Update(&sha1, data, len);
	SHA1Final(ret_digest, &sha1);
}

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}
