// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of pins: from any text to one part of a bpffs path and back.
 *
 * Called by fib_maps.c, fib_tables.c and loader.c. Touches no file but the mode of a pin directory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fib/fib_maps.h"

static bool is_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || c == '-';
}

int pin_encode(char *buf, size_t cap, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t start = strlen(buf), at = start;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = is_plain(c);

		if (at + (plain ? 1 : 3) >= cap) {
			buf[start] = 0;
			return -ENAMETOOLONG;
		}
		if (!plain) {
			buf[at++] = '%';
			buf[at++] = digits[c >> 4];
			c = (unsigned char)digits[c & 15];
		}
		buf[at++] = (char)c;
	}
	buf[at] = 0;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One octet of @name; how many it took, or 0: not canonical. */
static size_t decode_one(const char *name, size_t len, char *ret)
{
	int high, low;

	if (is_plain((unsigned char)*name)) {
		*ret = *name;
		return 1;
	}
	if (*name != '%' || len < 3)
		return 0;
	high = hex_digit(name[1]);
	low = hex_digit(name[2]);
	if (high < 0 || low < 0 || !(high | low) || is_plain((unsigned char)(high << 4 | low)))
		return 0;
	*ret = (char)(high << 4 | low);
	return 3;
}

int pin_decode(const char *name, size_t len, char *buf, size_t cap)
{
	size_t at = 0;

	while (len) {
		char c;
		size_t took = decode_one(name, len, &c);

		if (!took)
			return -EINVAL;
		if (at + 1 >= cap)
			return -ENAMETOOLONG;
		buf[at++] = c;
		name += took;
		len -= took;
	}
	if (!at)
		return -EINVAL;
	buf[at] = 0;
	return 0;
}

int pin_dir(const char *instance, const char *dir, char buf[static FIB_PATH_MAX])
{
	size_t len = strlen(instance);

	for (size_t i = 0; i < len; i++) {
		if (!is_plain((unsigned char)instance[i]))
			return -EINVAL;
	}
	if (!len || len > 64)
		return -EINVAL;
	snprintf(buf, FIB_PATH_MAX, "/sys/fs/bpf/%s%s%s", instance, *dir ? "/" : "", dir);
	return 0;
}

void pin_dots(const char *dir, bool allow)
{
	/* A failure shows at once: the pin that the caller makes next gets EPERM. */
	if (chmod(dir, allow ? 0 : 0700))
		return;
}
