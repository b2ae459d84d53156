// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration from text or file to a whole struct config, or to one error with its place. Called
 * by main.c (start, xrsd -t), the node (reload) and the API (config.test). The steps are in files of
 * their own: config_text.c (comments, positions), config_schema.c (the table), config_value.c and
 * config_list.c (types), config_check.c (what several values say together). Nothing is applied here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "agent/config_state.h"
#include "agent/state_file.h"

#define CONFIG_TEXT_MAX (16u << 20)
#define WARNINGS_MAX    256
#define STATE_PATH_MAX  128

const char *dataplane_mode_name(enum dataplane_mode mode)
{
	static const char *const names[] = { "auto", "native", "generic", "tc", "none" };

	return names[mode];
}

/* --- errors and the path ----------------------------------------------------------------------- */

static int __attribute__((format(printf, 3, 0)))
fail_v(struct config_ctx *ctx, const char *path, const char *format, va_list args)
{
	struct config_error *error = ctx->error;
	size_t offset = ctx->text ? config_locate(ctx->text, ctx->len, path) : 0;

	*error = (struct config_error){ .line = 0 };
	snprintf(error->path, sizeof(error->path), "%s", path);
	vsnprintf(error->message, sizeof(error->message), format, args);
	if (ctx->text)
		config_position(ctx->text, ctx->len, offset, &error->line, &error->column);
	return -EINVAL;
}

int config_fail(struct config_ctx *ctx, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = fail_v(ctx, ctx->path, format, args);
	va_end(args);
	return r;
}

int config_fail_at(struct config_ctx *ctx, const char *path, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = fail_v(ctx, path, format, args);
	va_end(args);
	return r;
}

int config_fail_memory(struct config_ctx *ctx)
{
	config_fail(ctx, "out of memory");
	return -ENOMEM;
}

int config_warn(struct config *config, const char *format, ...)
{
	char **list = config->warnings, *text = NULL;
	va_list args;

	if (config->n_warnings >= WARNINGS_MAX)
		return 0;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	list = text ? realloc(list, (config->n_warnings + 1) * sizeof(*list)) : NULL;
	if (!list) {
		free(text);
		return -ENOMEM;
	}
	config->warnings = list;
	list[config->n_warnings++] = text;
	return 0;
}

static size_t enter(struct config_ctx *ctx, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static size_t enter(struct config_ctx *ctx, const char *format, ...)
{
	size_t mark = strlen(ctx->path);
	va_list args;

	va_start(args, format);
	vsnprintf(ctx->path + mark, sizeof(ctx->path) - mark, format, args);
	va_end(args);
	return mark;
}

size_t config_enter_key(struct config_ctx *ctx, const char *key)
{
	char shown[CONFIG_SHOW_MAX];

	return enter(ctx, "%s%s", *ctx->path ? "." : "", config_show(key, shown));
}

size_t config_enter_index(struct config_ctx *ctx, size_t index)
{
	return enter(ctx, "[%zu]", index);
}

void config_leave(struct config_ctx *ctx, size_t mark)
{
	ctx->path[mark] = 0;
}

char *config_show(const char *text, char buf[static CONFIG_SHOW_MAX])
{
	return log_escape(text, strlen(text), buf, CONFIG_SHOW_MAX);
}

char *config_error_format(const struct config_error *error, const char *file, char *buf, size_t cap)
{
	int n = 0;

	if (cap == 0)
		return buf;
	buf[0] = 0;
	if (file && error->line)
		n = snprintf(buf, cap, "%s:%u:%u: ", file, error->line, error->column);
	else if (file)
		n = snprintf(buf, cap, "%s: ", file);
	if ((size_t)n < cap)
		snprintf(buf + n, cap - (size_t)n, "%s%s%s%s", error->path,
			 *error->path ? ": " : "", error->message,
			 error->merged ? " (together with what the API made)" : "");
	return buf;
}

/* --- parsing ------------------------------------------------------------------------------------- */

/* A copy of the text without comments, as JSON. NULL with the error filled. */
static json_t *load_json(struct config_ctx *ctx, char *copy)
{
	struct config_error *error = ctx->error;
	json_error_t json_error;
	size_t offset = 0;
	json_t *root;

	if (config_blank_comments(copy, ctx->len, &offset) < 0) {
		config_fail(ctx, "this comment is never closed");
		config_position(ctx->text, ctx->len, offset, &error->line, &error->column);
		return NULL;
	}
	ctx->text = copy; /* of the same length, and positions are looked for where no comment is */
	root = json_loadb(copy, ctx->len, JSON_REJECT_DUPLICATES, &json_error);
	if (root)
		return root;
	config_fail(ctx, "not valid JSON: %s", json_error.text);
	config_position(copy, ctx->len, json_error.position > 0 ? (size_t)json_error.position : 0,
			&error->line, &error->column);
	return NULL;
}

/* A vnet with peerings has a route server: one of defaults where the file says nothing of it. */
static void imply_route_servers(json_t *root)
{
	json_t *vnet;
	size_t i;

	json_array_foreach(json_object_get(root, "vnets"), i, vnet) {
		if (json_array_size(json_object_get(vnet, "peerings")) &&
		    !json_object_get(vnet, "routeServer"))
			json_object_set_new(vnet, "routeServer", json_object());
	}
}

static char *duplicate(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}

/* @whole false: the rest may be the API's, so that names may lead nowhere yet. */
static int parse_root(struct config_ctx *ctx, json_t *root, bool whole)
{
	int r;

	imply_route_servers(root);
	r = config_parse_object(ctx, &config_root, root, ctx->config);
	if (r == 0 && whole)
		r = config_check(ctx);
	if (r == 0)
		r = config_finish(ctx);
	return r;
}

static int parse_copy(struct config_ctx *ctx, char *copy, bool whole)
{
	json_t *root = load_json(ctx, copy);
	int r = root ? parse_root(ctx, root, whole) : -EINVAL;

	json_decref(root);
	return r;
}

static struct config *parse_text(const char *text, size_t len, bool whole,
				 struct config_error *ret_error)
{
	struct config_ctx ctx = { .text = text, .len = len, .error = ret_error };
	char *copy;
	int r;

	if (len > CONFIG_TEXT_MAX) {
		ctx.text = NULL;
		config_fail(&ctx, "longer than %u octets", CONFIG_TEXT_MAX);
		return NULL;
	}
	ctx.config = calloc(1, sizeof(*ctx.config));
	copy = duplicate(text, len);
	if (ctx.config && copy) {
		ctx.config->text = duplicate(text, len);
		ctx.config->text_len = len;
		r = ctx.config->text ? parse_copy(&ctx, copy, whole) : config_fail_memory(&ctx);
	} else {
		r = config_fail_memory(&ctx);
	}
	free(copy);
	if (r == 0)
		return ctx.config;
	config_free(ctx.config);
	return NULL;
}

struct config *config_parse(const char *text, size_t len, struct config_error *ret_error)
{
	return parse_text(text, len, true, ret_error);
}

/* --- with what the API made -------------------------------------------------------------------------- */

json_t *config_file_json(const struct config *config)
{
	char *copy = duplicate(config->text, config->text_len);
	json_t *root = NULL;
	size_t offset;

	if (copy && config_blank_comments(copy, config->text_len, &offset) == 0)
		root = json_loadb(copy, config->text_len, JSON_REJECT_DUPLICATES, NULL);
	free(copy);
	return root;
}

/* What the file alone does not have is the API's: its lists begin with what the file lists. */
static void mark_vnet(struct vnet_config *vnet, const struct vnet_config *file)
{
	vnet->from_api = !file;
	for (size_t i = file ? file->n_peerings : 0; i < vnet->n_peerings; i++)
		vnet->peerings[i].from_api = true;
	for (size_t t = 0; t < vnet->n_route_tables; t++) {
		struct route_table_config *table = &vnet->route_tables[t];
		const struct route_table_config *old =
			file ? vnet_find_table(file, table->name) : NULL;

		table->from_api = (!old || old->implied) && !table->implied;
		for (size_t i = old ? old->n_routes : 0; i < table->n_routes; i++)
			table->routes[i].from_api = true;
	}
}

static struct config *parse_merged(const struct config *file, json_t *state,
				   struct config_error *error)
{
	struct config_ctx ctx = { .error = error };
	json_t *root = config_file_json(file);
	int r;

	imply_route_servers(root);
	ctx.config = calloc(1, sizeof(*ctx.config));
	if (!ctx.config || !root || config_state_merge(root, state, ctx.config) < 0)
		r = config_fail_memory(&ctx);
	else
		r = parse_root(&ctx, root, true);
	json_decref(root);
	if (r == 0)
		return ctx.config;
	error->merged = true;
	config_free(ctx.config);
	return NULL;
}

/* An error that the file has by itself is better told with its place in the file. */
static void blame_file(const char *text, size_t len, struct config_error *error)
{
	struct config_error alone;
	struct config *config = config_parse(text, len, &alone);

	if (!config)
		*error = alone;
	config_free(config);
}

struct config *config_parse_both(const char *text, size_t len, json_t *state,
				 struct config_error *ret_error)
{
	bool alone = config_state_is_empty(state);
	struct config *file = parse_text(text, len, alone, ret_error), *both;

	if (!file || alone) {
		if (file)
			file->state = json_incref(state);
		return file;
	}
	both = parse_merged(file, state, ret_error);
	if (both) {
		for (size_t i = 0; i < both->n_vnets; i++)
			mark_vnet(&both->vnets[i], config_find_vnet(file, both->vnets[i].name));
		both->text = file->text;
		both->text_len = file->text_len;
		both->state = json_incref(state);
		file->text = NULL;
	} else {
		blame_file(text, len, ret_error);
	}
	config_free(file);
	return both;
}

/* --- files -------------------------------------------------------------------------------------------- */

static int read_config(const char *path, char **ret_text, size_t *ret_len,
		       struct config_error *error)
{
	struct config_ctx ctx = { .error = error };
	int r = state_file_read(path, CONFIG_TEXT_MAX, ret_text, ret_len);

	if (r == -EFBIG)
		return config_fail(&ctx, "longer than %u octets", CONFIG_TEXT_MAX);
	return r < 0 ? config_fail(&ctx, "cannot be read: %s", strerror(-r)) : 0;
}

struct config *config_load_both(const char *path, json_t *state, struct config_error *ret_error)
{
	struct config *config;
	char *text;
	size_t len;

	if (read_config(path, &text, &len, ret_error) < 0)
		return NULL;
	config = config_parse_both(text, len, state, ret_error);
	free(text);
	return config;
}

struct config *config_load(const char *path, struct config_error *ret_error)
{
	return config_load_both(path, NULL, ret_error);
}

static char *state_path(const char *state_dir, char buf[static STATE_PATH_MAX])
{
	snprintf(buf, STATE_PATH_MAX, "%s/state.json", state_dir);
	return buf;
}

/* *ret_state NULL: there is none. 0, or -EINVAL with the error filled. */
static int load_state(const char *state_dir, json_t **ret_state, struct config_error *error)
{
	struct config_ctx ctx = { .error = error };
	char path[STATE_PATH_MAX], *text = NULL;
	const char *problem;
	json_error_t json_error;
	size_t len = 0;
	int r = state_file_read(state_path(state_dir, path), CONFIG_TEXT_MAX, &text, &len);

	*ret_state = NULL;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return config_fail_at(&ctx, path, "cannot be read: %s", strerror(-r));
	*ret_state = json_loadb(text, len, JSON_REJECT_DUPLICATES, &json_error);
	free(text);
	problem = *ret_state ? config_state_problem(*ret_state) : json_error.text;
	if (!problem)
		return 0;
	json_decref(*ret_state);
	*ret_state = NULL;
	return config_fail_at(
		&ctx, path,
		"is damaged: %s; repair it, or remove it to go without what the API made", problem);
}

struct config *config_load_all(const char *path, struct config_error *ret_error)
{
	struct config *file, *both;
	struct config_paths paths;
	json_t *state = NULL;
	char *text;
	size_t len;

	if (read_config(path, &text, &len, ret_error) < 0)
		return NULL;
	file = parse_text(text, len, false, ret_error); /* for the name of the instance */
	free(text);
	if (!file)
		return NULL;
	config_get_paths(file, &paths);
	if (load_state(paths.state_dir, &state, ret_error) < 0) {
		config_free(file);
		return NULL;
	}
	both = config_parse_both(file->text, file->text_len, state, ret_error);
	config_free(file);
	json_decref(state);
	return both;
}

int config_save_state(const char *state_dir, const json_t *state)
{
	char path[STATE_PATH_MAX];
	char *text = json_dumps(state, JSON_INDENT(2));
	int r = text ? state_file_mkdir(state_dir) : -ENOMEM;

	if (r == 0)
		r = state_file_write(state_path(state_dir, path), text, strlen(text), 0600);
	free(text);
	return r;
}

void config_write(const struct config *config, struct json_out *out, const char *key)
{
	config_write_object(&config_root, config, out, key);
}

/* --- reading ------------------------------------------------------------------------------------ */

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_vnets; i++)
		vnet_config_done(&config->vnets[i]);
	for (size_t i = 0; i < config->n_nics; i++)
		nic_rule_done(&config->nics[i]);
	for (size_t i = 0; i < config->n_warnings; i++)
		free(config->warnings[i]);
	free(config->vnets);
	free(config->nics);
	free(config->warnings);
	free(config->text);
	json_decref(config->state);
	free(config);
}

const struct vnet_config *config_find_vnet(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_vnets; i++) {
		if (strcmp(config->vnets[i].name, name) == 0)
			return &config->vnets[i];
	}
	return NULL;
}

void config_get_paths(const struct config *config, struct config_paths *ret_paths)
{
	const char *name = config->instance;

	snprintf(ret_paths->run_dir, sizeof(ret_paths->run_dir), "/run/%s", name);
	snprintf(ret_paths->socket, sizeof(ret_paths->socket), "/run/%s/xrs.sock", name);
	snprintf(ret_paths->socket_ro, sizeof(ret_paths->socket_ro), "/run/%s/xrs-ro.sock", name);
	snprintf(ret_paths->state_dir, sizeof(ret_paths->state_dir), "/var/lib/%s", name);
	snprintf(ret_paths->bpffs_dir, sizeof(ret_paths->bpffs_dir), "/sys/fs/bpf/%s", name);
}
