/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Monotonic time as a struct, so that seconds, milliseconds and wall time can not be mixed up.
 * Only mono_now() and wall_now_usec() read a clock; everything else is arithmetic and pure.
 */
#ifndef XRS_UTIL_MONO_H
#define XRS_UTIL_MONO_H

#include <stdbool.h>
#include <stdint.h>

struct mono {
	uint64_t usec; /* CLOCK_MONOTONIC microseconds; 0 means "never" */
};

struct mono mono_now(void);   /* edge only */
uint64_t wall_now_usec(void); /* edge only: CLOCK_REALTIME for logs and API times */

static inline struct mono mono_add_usec(struct mono t, uint64_t usec)
{
	return (struct mono){ .usec = t.usec + usec };
}
static inline struct mono mono_add_msec(struct mono t, uint64_t msec)
{
	return mono_add_usec(t, msec * 1000);
}
static inline struct mono mono_add_sec(struct mono t, uint64_t sec)
{
	return mono_add_usec(t, sec * 1000000);
}
static inline bool mono_before(struct mono a, struct mono b)
{
	return a.usec < b.usec;
}
static inline bool mono_is_set(struct mono t)
{
	return t.usec != 0;
}
/* a - b in microseconds, 0 when b is later. */
static inline uint64_t mono_since_usec(struct mono a, struct mono b)
{
	return a.usec > b.usec ? a.usec - b.usec : 0;
}

#define RFC3339_MAX 32
/* "2026-01-31T12:00:00.123456Z" of a CLOCK_REALTIME microsecond count; returns @buf. */
char *rfc3339_format(uint64_t wall_usec, char buf[static RFC3339_MAX]);

#endif
