/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MD5 (RFC 1321) and SHA-1 (RFC 3174), as BFD's authentication asks for them (RFC 5880 6.7.3, 6.7.4).
 * For small inputs in one piece; neither is fit to protect anything else today. Pure.
 */
#ifndef XRS_UTIL_DIGEST_H
#define XRS_UTIL_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_MD5_LEN  16
#define DIGEST_SHA1_LEN 20

void digest_md5(const void *data, size_t len, uint8_t ret_digest[static DIGEST_MD5_LEN]);
void digest_sha1(const void *data, size_t len, uint8_t ret_digest[static DIGEST_SHA1_LEN]);
/* Takes the same time wherever they differ. */
bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
