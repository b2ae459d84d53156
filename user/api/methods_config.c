// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers of config.*: showing, testing and changing the file's part of the configuration. They change it
 * through node_config_apply() and its kin only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_impl.h"

static void write_warnings(struct json_out *out, const struct config *config)
{
	json_out_begin_array(out, "warnings");
	for (size_t i = 0; i < config->n_warnings; i++)
		json_out_string(out, NULL, config->warnings[i]);
	json_out_end_array(out);
}

static void write_commit(struct json_out *out, const struct node *node)
{
	json_out_uint(out, "generation", node->config_generation);
	write_time(out, "confirmBefore", node->commit.pending ? node->commit.deadline_wall : 0);
}

int method_config_show(struct api_call *call)
{
	config_write(call->node->config, call->out, "config");
	write_warnings(call->out, call->node->config);
	json_out_string(call->out, "path", call->node->config_path);
	write_commit(call->out, call->node);
	return 0;
}

/* What follows the last "]." of a path: the key within its object. */
static const char *key_within(const char *path)
{
	const char *at = path;

	for (const char *c = path; *c; c++) {
		if (c[0] == ']' && c[1] == '.')
			at = c + 2;
	}
	return at;
}

/* "peerings[3]": the object that is made, not one of its keys. */
static bool is_whole(const char *key)
{
	static const char *const lists[] = { "vnets[", "peerings[", "routeTables[", "routes[" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strncmp(key, lists[i], strlen(lists[i])) == 0 && !strchr(key, '.'))
			return true;
	}
	return false;
}

int call_config_failed(struct api_call *call, int r, int code, const struct config_error *error,
		       const char *file)
{
	char text[CONFIG_ERROR_MAX + 512];

	if (r == -EBUSY)
		return api_fail(call->error, API_CONFLICT, NULL, "%s", error->message);
	if (code == API_INVALID_PARAMS && is_whole(key_within(error->path)))
		return api_fail(call->error, code, NULL, "%s", error->message);
	if (code == API_INVALID_PARAMS && *error->path)
		return api_fail(call->error, code, key_within(error->path), "%s: %s",
				key_within(error->path), error->message);
	config_error_format(error, file, text, sizeof(text));
	return api_fail(call->error, code, error->path, "%s", text);
}

int call_config_text(struct api_call *call, char **ret_text)
{
	const json_t *given = request_value(call->request, "config");

	*ret_text = given ? json_dumps(given, JSON_INDENT(2)) : NULL;
	if (given && !*ret_text)
		return api_fail(call->error, API_INTERNAL, NULL, "out of memory");
	return 0;
}

int method_config_test(struct api_call *call)
{
	struct config_error error = { .line = 0 };
	struct node *node = call->node;
	struct config *config;
	char *text;

	if (call_config_text(call, &text) < 0)
		return -1;
	config = text ? config_parse_both(text, strlen(text), node->config->state, &error)
		      : config_load_both(node->config_path, node->config->state, &error);
	if (!config) {
		free(text);
		return call_config_failed(call, -EINVAL, API_INVALID_CONFIG, &error,
					  text ? NULL : node->config_path);
	}
	free(text);
	json_out_bool(call->out, "valid", true);
	write_warnings(call->out, config);
	config_free(config);
	return 0;
}

int method_config_apply(struct api_call *call)
{
	unsigned int seconds =
		(unsigned int)request_integer(call->request, "confirmWithinSeconds", 0);
	struct config_error error = { .line = 0 };
	char *text;
	int r;

	if (call_config_text(call, &text) < 0)
		return -1;
	r = node_config_apply(call->node, text, text ? strlen(text) : 0, seconds, &error);
	if (r < 0) {
		free(text);
		return call_config_failed(call, r, API_INVALID_CONFIG, &error,
					  text ? NULL : call->node->config_path);
	}
	free(text);
	write_commit(call->out, call->node);
	write_warnings(call->out, call->node->config);
	return 0;
}

int method_config_reload(struct api_call *call)
{
	struct config_error error = { .line = 0 };
	int r = node_reload(call->node, &error);

	if (r < 0)
		return call_config_failed(call, r, API_INVALID_CONFIG, &error,
					  call->node->config_path);
	write_commit(call->out, call->node);
	write_warnings(call->out, call->node->config);
	return 0;
}

int method_config_confirm(struct api_call *call)
{
	if (node_confirm(call->node) < 0)
		return api_fail(call->error, API_CONFLICT, NULL,
				"no configuration waits to be confirmed");
	write_commit(call->out, call->node);
	return 0;
}

int method_config_undo(struct api_call *call)
{
	struct config_error error = { .line = 0 };
	int r = node_undo(call->node, &error);

	if (r == -ENOENT)
		return api_fail(call->error, API_CONFLICT, NULL,
				"there is no configuration to go back to");
	if (r < 0)
		return call_config_failed(call, r, API_INVALID_CONFIG, &error, NULL);
	write_commit(call->out, call->node);
	return 0;
}

int method_config_save(struct api_call *call)
{
	bool saved;
	int r = node_config_save(call->node, &saved);

	if (r < 0) {
		api_fail(call->error, API_INTERNAL, NULL,
			 "%s can not be written: %s; use 'xrsctl config show' and write it by hand",
			 call->node->config_path, strerror(-r));
		call->error->error_number = -r;
		return -1;
	}
	json_out_bool(call->out, "saved", saved);
	json_out_string(call->out, "path", call->node->config_path);
	return 0;
}
