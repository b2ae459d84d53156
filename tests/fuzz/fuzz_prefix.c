// SPDX-License-Identifier: GPL-2.0-only
/* Text to address and prefix: whatever is accepted must print and parse back as the same. */
#include <stdlib.h>
#include <string.h>

#include "util/prefix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void try_addr(const char *text)
{
	char printed[IP_TEXT_MAX];
	struct ip_addr addr, back;

	if (ip_parse(text, &addr))
		return;
	check(!ip_parse(ip_format(&addr, printed), &back));
	check(ip_equal(&addr, &back));
}

static void try_prefix(const char *text)
{
	char printed[PREFIX_TEXT_MAX];
	struct ip_prefix prefix, back, masked;

	if (prefix_parse(text, &prefix))
		return;
	masked = prefix;
	prefix_mask(&masked);
	check(prefix_equal(&prefix, &masked));
	check(!prefix_parse(prefix_format(&prefix, printed), &back));
	check(prefix_equal(&prefix, &back) && prefix_covers(&prefix, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	if (!text)
		return 0;
	try_addr(text);
	try_prefix(text);
	free(text);
	return 0;
}
