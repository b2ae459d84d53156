/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages as text for tests: octets in hex, lengths derived. Blanks mean nothing.
 *
 *	"4001 {1 00}"       a length of one octet, then what it counts; {2 ...} two octets
 *	"{1+2 00}"          the same, but the length is told two too high; {1-1 ...} one too low
 *	"*300(0000fde9)"    repeats
 */
#ifndef XRS_TEST_OCTETS_H
#define XRS_TEST_OCTETS_H

#include <stddef.h>
#include <stdint.h>

/* Octets written. A mistake in @text or a buffer that is too small aborts the test. */
size_t octets(const char *text, uint8_t *buf, size_t cap);

#endif
