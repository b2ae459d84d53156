// SPDX-License-Identifier: GPL-2.0-only
/* Log lines: levels, one line whatever is in it, escaping, the limit on what a peer can cause. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

struct seen {
	unsigned int lines;
	enum log_level level;
	char subsystem[32];
	char line[4096];
};
static struct seen seen;

static void sink(void *ctx, enum log_level level, const char *subsystem, const char *line)
{
	struct seen *to = ctx;

	to->lines++;
	to->level = level;
	snprintf(to->subsystem, sizeof(to->subsystem), "%s", subsystem);
	snprintf(to->line, sizeof(to->line), "%s", line);
}

static void setup(void)
{
	log_set_sink(sink, &seen);
}

TestSuite(log, .init = setup);

Test(log, line_reaches_the_sink)
{
	log_warn("bgp", "hold timer expired peer=%s seconds=%d", "fw-a", 180);
	cr_assert_eq(seen.lines, 1);
	cr_assert_eq(seen.level, LOG_LEVEL_WARN);
	cr_assert_str_eq(seen.subsystem, "bgp");
	cr_assert_str_eq(seen.line, "hold timer expired peer=fw-a seconds=180");
}

Test(log, level_is_a_threshold)
{
	cr_assert_eq(log_get_level(), LOG_LEVEL_INFO);
	log_debug("x", "no");
	cr_assert_eq(seen.lines, 0);
	log_info("x", "yes");
	cr_assert_eq(seen.lines, 1);
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("x", "no");
	cr_assert_eq(seen.lines, 1);
	log_err("x", "yes");
	cr_assert_eq(seen.lines, 2);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("x", "yes");
	cr_assert_eq(seen.lines, 3);
}

Test(log, level_names)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	for (int i = 0; i < 4; i++) {
		enum log_level level = LOG_LEVEL_ERROR;

		cr_assert_str_eq(log_level_name((enum log_level)i), names[i]);
		cr_assert_eq(log_level_parse(names[i], &level), 0);
		cr_assert_eq((int)level, i);
	}
	cr_assert_str_eq(log_level_name((enum log_level)9), "unknown");
}

Test(log, unknown_level_is_refused)
{
	static const char *const bad[] = { "", "Info", "warning", "debug ", "4" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum log_level level = LOG_LEVEL_WARN;

		cr_assert_eq(log_level_parse(bad[i], &level), -EINVAL, "'%s'", bad[i]);
		cr_assert_eq(level, LOG_LEVEL_WARN);
	}
}

Test(log, nothing_makes_a_second_line)
{
	log_info("x", "a=%s", "1\n<3>forged: line\r\033[31m\x9b\xff\x7f\tend");
	cr_assert_str_eq(seen.line, "a=1\\x0a<3>forged: line\\x0d\\x1b[31m\\x9b\\xff\\x7f\\x09end");
}

Test(log, escaped_values_are_not_escaped_twice)
{
	char buf[64];

	log_info("x", "reason=\"%s\"", log_escape("a\"b\\", 4, buf, sizeof(buf)));
	cr_assert_str_eq(seen.line, "reason=\"a\\x22b\\x5c\"");
}

Test(log, long_line_is_cut)
{
	static char text[10000];

	memset(text, 'x', sizeof(text) - 1);
	log_info("x", "%s", text);
	cr_assert_eq(seen.lines, 1);
	cr_assert_geq(strlen(seen.line), 2000);
	cr_assert_lt(strlen(seen.line), 2100);
	memset(text, '\n', sizeof(text) - 1);
	log_info("x", "%s", text);
	cr_assert_str_eq(seen.line + strlen(seen.line) - 4, "\\x0a", "never half an escape");
}

Test(log, errno_is_kept)
{
	errno = EADDRINUSE;
	log_info("x", "%m");
	cr_assert_eq(errno, EADDRINUSE);
}

Test(log, escape)
{
	char buf[64];

	cr_assert_str_eq(log_escape("plain text", 10, buf, sizeof(buf)), "plain text");
	cr_assert_str_eq(log_escape("", 0, buf, sizeof(buf)), "");
	cr_assert_str_eq(log_escape("a\0b", 3, buf, sizeof(buf)), "a\\x00b");
	cr_assert_str_eq(log_escape("\xc3\xbc", 2, buf, sizeof(buf)), "\\xc3\\xbc");
	cr_assert_str_eq(log_escape("\x1f ~\x7f", 4, buf, sizeof(buf)), "\\x1f ~\\x7f");
	cr_assert_str_eq(log_escape("\"\\", 2, buf, sizeof(buf)), "\\x22\\x5c");
}

Test(log, escape_is_cut_before_what_does_not_fit)
{
	char buf[8];

	memset(buf, '!', sizeof(buf));
	cr_assert_str_eq(log_escape("abcdefgh", 8, buf, 8), "abcdefg");
	cr_assert_str_eq(log_escape("ab\n\n", 4, buf, 8), "ab\\x0a");
	cr_assert_str_eq(log_escape("\n", 1, buf, 4), "");
	cr_assert_str_eq(log_escape("\n", 1, buf, 5), "\\x0a");
	cr_assert_str_eq(log_escape("abc", 3, buf, 1), "");
	buf[0] = '!';
	cr_assert_eq(log_escape("abc", 3, buf, 0), buf);
	cr_assert_eq(buf[0], '!', "no room, not even for the end");
}

static struct mono at_ms(uint64_t ms)
{
	return (struct mono){ .usec = 1000000000 + ms * 1000 };
}

Test(log, limit_lets_a_burst_through)
{
	struct log_limit limit = { 0 };

	for (int i = 0; i < 5; i++)
		cr_assert(log_allow(&limit, at_ms(0), 5, 1000));
	for (int i = 0; i < 7; i++)
		cr_assert_not(log_allow(&limit, at_ms(10), 5, 1000));
	cr_assert_eq(limit.suppressed, 7);
}

Test(log, limit_then_lets_one_through_each_interval)
{
	struct log_limit limit = { 0 };
	unsigned int passed = 0;

	for (unsigned int ms = 0; ms < 10000; ms++)
		passed += log_allow(&limit, at_ms(ms), 3, 1000);
	cr_assert_eq(passed, 3 + 9);
}

Test(log, limit_names_what_it_swallowed_once)
{
	struct log_limit limit = { 0 };

	cr_assert(log_allow(&limit, at_ms(0), 1, 1000));
	cr_assert_eq(limit.suppressed, 0);
	log_allow(&limit, at_ms(1), 1, 1000);
	log_allow(&limit, at_ms(2), 1, 1000);
	cr_assert(log_allow(&limit, at_ms(1000), 1, 1000));
	cr_assert_eq(limit.suppressed, 2);
	cr_assert(log_allow(&limit, at_ms(5000), 1, 1000));
	cr_assert_eq(limit.suppressed, 0);
}

Test(log, limit_refills_to_the_burst_and_no_further)
{
	struct log_limit limit = { 0 };
	unsigned int passed = 0;

	for (int i = 0; i < 10; i++)
		log_allow(&limit, at_ms(0), 3, 100);
	for (int i = 0; i < 10; i++)
		passed += log_allow(&limit, at_ms(3600000), 3, 100);
	cr_assert_eq(passed, 3);
}

Test(log, limit_keeps_the_rest_of_an_interval)
{
	struct log_limit limit = { 0 };

	cr_assert(log_allow(&limit, at_ms(0), 1, 1000));
	cr_assert_not(log_allow(&limit, at_ms(900), 1, 1000));
	cr_assert(log_allow(&limit, at_ms(1000), 1, 1000));
}

Test(log, limit_survives_a_clock_that_stands_or_goes_back)
{
	struct log_limit limit = { 0 };

	cr_assert(log_allow(&limit, at_ms(5000), 1, 1000));
	cr_assert_not(log_allow(&limit, at_ms(4000), 1, 1000));
	cr_assert_not(log_allow(&limit, at_ms(0), 1, 1000));
	cr_assert(log_allow(&limit, at_ms(6000), 1, 1000));
}

Test(log, limit_without_interval_is_no_limit)
{
	struct log_limit limit = { 0 };

	for (int i = 0; i < 100; i++)
		cr_assert(log_allow(&limit, at_ms(0), 1, 0));
}

/* Standard error into a pipe; what one log call wrote there. */
static void read_stderr(char *buf, size_t cap, void (*write_log)(void))
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t len;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	dup2(fds[1], STDERR_FILENO);
	write_log();
	dup2(saved, STDERR_FILENO);
	close(fds[1]);
	len = read(fds[0], buf, cap - 1);
	buf[len > 0 ? len : 0] = '\0';
	close(fds[0]);
	close(saved);
}

static void log_one(void)
{
	log_err("net", "netlink overrun count=%d", 3);
}

static void log_long(void)
{
	log_err("net", "%05000d", 1);
}

Test(log, stderr_for_people)
{
	char buf[4096];

	unsetenv("JOURNAL_STREAM");
	log_set_sink(NULL, NULL);
	read_stderr(buf, sizeof(buf), log_one);
	cr_assert_str_eq(buf + 27, " error net: netlink overrun count=3\n", "%s", buf);
	cr_assert_eq(buf[10], 'T');
	cr_assert_eq(buf[26], 'Z');
}

Test(log, stderr_for_the_journal)
{
	char buf[4096];

	setenv("JOURNAL_STREAM", "8:12345", 1);
	log_set_sink(NULL, NULL);
	read_stderr(buf, sizeof(buf), log_one);
	cr_assert_str_eq(buf, "<3>net: netlink overrun count=3\n");
}

Test(log, stderr_line_always_ends)
{
	char buf[4096];

	log_set_sink(NULL, NULL);
	read_stderr(buf, sizeof(buf), log_long);
	cr_assert_eq(buf[strlen(buf) - 1], '\n');
	cr_assert_eq(strchr(buf, '\n'), buf + strlen(buf) - 1);
}
