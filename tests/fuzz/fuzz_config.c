// SPDX-License-Identifier: GPL-2.0-only
/* Any text: refused with an error that has a message, or accepted and then stable in its normal form. */
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *parse(const char *data, size_t size)
{
	struct config_error error = { .line = 0 };
	struct config *config = config_parse(data, size, &error);

	if (!config && (!*error.message || !error.line || !error.column))
		abort();
	return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = parse((const char *)data, size), *again;
	struct json_out once, twice;

	if (!config)
		return 0;
	json_out_init(&once);
	json_out_init(&twice);
	config_write(config, &once, NULL);
	again = parse(once.data, once.len);
	if (!again)
		abort();
	config_write(again, &twice, NULL);
	if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
		abort();
	config_free(config);
	config_free(again);
	json_out_done(&once);
	json_out_done(&twice);
	return 0;
}
