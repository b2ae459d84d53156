// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log lines and the limits on them. Only the edge (agent, api, net, fib loader) calls log_write();
 * pure modules return what happened instead. A line is one write(2), so that lines of two processes
 * never mix, and it is always one line of printable ASCII, whatever a peer sent.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

#define LOG_TEXT_MAX 2048
#define LOG_LINE_MAX (LOG_TEXT_MAX + 128)

/* sd-daemon(3) level prefixes: the syslog severities of RFC 5424 section 6.2.1. */
static const struct {
	const char *name;
	const char *journal_prefix;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARN] = { "warn", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "<6>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<7>" },
};
#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

static enum log_level threshold = LOG_LEVEL_INFO;
static log_sink_fn sink_fn;
static void *sink_ctx;

void log_set_level(enum log_level level)
{
	threshold = level;
}

enum log_level log_get_level(void)
{
	return threshold;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < LEVEL_COUNT ? levels[level].name : "unknown";
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		if (!strcmp(name, levels[i].name)) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_set_sink(log_sink_fn sink, void *ctx)
{
	sink_fn = sink;
	sink_ctx = ctx;
}

static bool is_printable(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

/*
 * Copies with every octet that @keep refuses as \xNN. Stops before an escape that does not fit as a
 * whole. Always terminated when @cap is not 0.
 */
static size_t escape_into(const char *text, size_t len, char *buf, size_t cap,
			  bool (*keep)(unsigned char c))
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		size_t need = keep(c) ? 1 : 4;

		if (need >= cap - used)
			break;
		if (need == 1) {
			buf[used++] = (char)c;
			continue;
		}
		buf[used++] = '\\';
		buf[used++] = 'x';
		buf[used++] = "0123456789abcdef"[c >> 4];
		buf[used++] = "0123456789abcdef"[c & 15];
	}
	buf[used] = '\0';
	return used;
}

static bool keep_in_value(unsigned char c)
{
	return is_printable(c) && c != '"' && c != '\\';
}

char *log_escape(const char *text, size_t len, char *buf, size_t cap)
{
	if (cap)
		escape_into(text, len, buf, cap, keep_in_value);
	return buf;
}

static void write_stderr(enum log_level level, const char *subsystem, const char *line)
{
	char buf[LOG_LINE_MAX];
	char when[RFC3339_MAX];
	ssize_t done;
	int len;

	if (getenv("JOURNAL_STREAM"))
		len = snprintf(buf, sizeof(buf), "%s%s: %s\n", levels[level].journal_prefix,
			       subsystem, line);
	else
		len = snprintf(buf, sizeof(buf), "%s %s %s: %s\n",
			       rfc3339_format(wall_now_usec(), when), levels[level].name, subsystem,
			       line);
	if (len >= (int)sizeof(buf)) {
		len = sizeof(buf) - 1;
		buf[len - 1] = '\n';
	}
	/* A log that can not be written must not stop the daemon, and there is nowhere to say so. */
	do {
		done = write(STDERR_FILENO, buf, (size_t)len);
	} while (done < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *subsystem, const char *format, ...)
{
	char text[LOG_TEXT_MAX];
	char line[LOG_TEXT_MAX];
	int saved_errno = errno;
	va_list args;
	int len;

	if (level > threshold || (size_t)level >= LEVEL_COUNT)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		len = 0;
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	/* Values were escaped by log_escape(); this catches what a caller passed as it came. */
	escape_into(text, (size_t)len, line, sizeof(line), is_printable);
	if (sink_fn)
		sink_fn(sink_ctx, level, subsystem, line);
	else
		write_stderr(level, subsystem, line);
	errno = saved_errno;
}

/* One token for each whole interval since @last, which keeps the rest for the next time. */
static void refill(struct log_limit *limit, struct mono now, uint32_t burst, uint32_t every_ms)
{
	uint64_t interval = (uint64_t)every_ms * 1000;
	uint64_t gained;

	if (!limit->started || !interval) {
		limit->started = true;
		limit->tokens = burst;
		limit->last = now;
		return;
	}
	gained = mono_since_usec(now, limit->last) / interval;
	if (gained >= burst || limit->tokens + gained >= burst) {
		limit->tokens = burst;
		limit->last = now;
		return;
	}
	limit->tokens += (uint32_t)gained;
	limit->last = mono_add_usec(limit->last, gained * interval);
}

bool log_allow(struct log_limit *limit, struct mono now, uint32_t burst, uint32_t every_ms)
{
	if (limit->passed)
		limit->suppressed = 0;
	limit->passed = false;
	refill(limit, now, burst, every_ms);
	if (!limit->tokens) {
		if (limit->suppressed < UINT32_MAX)
			limit->suppressed++;
		return false;
	}
	limit->tokens--;
	limit->passed = true;
	return true;
}
