// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two places that read a clock, and the one text form of wall time. Pure modules take a
 * `struct mono` as an argument and must not call the first two functions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "util/mono.h"

static uint64_t read_usec(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

struct mono mono_now(void)
{
	return (struct mono){ .usec = read_usec(CLOCK_MONOTONIC) };
}

uint64_t wall_now_usec(void)
{
	return read_usec(CLOCK_REALTIME);
}

/* RFC 3339 section 5.6; always UTC, so that nothing depends on the host's time zone. */
char *rfc3339_format(uint64_t wall_usec, char buf[static RFC3339_MAX])
{
	time_t sec = (time_t)(wall_usec / 1000000);
	struct tm tm;
	size_t len;

	gmtime_r(&sec, &tm);
	len = strftime(buf, RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, RFC3339_MAX - len, ".%06" PRIu64 "Z", wall_usec % 1000000);
	return buf;
}
