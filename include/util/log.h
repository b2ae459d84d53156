/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log lines: a subsystem, a message, key=value pairs. One line per event, to stderr with journald
 * level prefixes ("<4>") when JOURNAL_STREAM is set, else "TIME LEVEL subsystem: text". Control
 * octets and quotes in values are escaped: a peer's text can not forge a line. Only the edge
 * (agent, api, net, fib loader) logs; pure modules never do. Tests replace the sink.
 */
#ifndef XRS_UTIL_LOG_H
#define XRS_UTIL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/mono.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);
int log_level_parse(const char *name, enum log_level *ret_level); /* 0 or -EINVAL */

typedef void (*log_sink_fn)(void *ctx, enum log_level level, const char *subsystem,
			    const char *line);
void log_set_sink(log_sink_fn sink, void *ctx); /* NULL: back to stderr */

void log_write(enum log_level level, const char *subsystem, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define log_err(subsys, ...)   log_write(LOG_LEVEL_ERROR, subsys, __VA_ARGS__)
#define log_warn(subsys, ...)  log_write(LOG_LEVEL_WARN, subsys, __VA_ARGS__)
#define log_info(subsys, ...)  log_write(LOG_LEVEL_INFO, subsys, __VA_ARGS__)
#define log_debug(subsys, ...) log_write(LOG_LEVEL_DEBUG, subsys, __VA_ARGS__)

/* A token bucket for what a peer or client can cause: at most @burst lines, then one per @every_ms. */
struct log_limit {
	struct mono last;
	uint32_t tokens;
	/*
	 * Lines swallowed since the last one that passed. When log_allow() says yes it still holds
	 * them, so that the line can name the number; the call after that starts again from 0.
	 */
	uint32_t suppressed;
	bool started;
	bool passed; /* the last call said yes */
};
bool log_allow(struct log_limit *limit, struct mono now, uint32_t burst, uint32_t every_ms);

/*
 * Copies @text into @buf as printable ASCII with \xNN escapes (quotes and backslashes too: write the
 * value between quotes), truncated to fit but never inside an escape; returns @buf.
 */
char *log_escape(const char *text, size_t len, char *buf, size_t cap);

#endif
