// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration from text or file to a whole struct config, or to one error with its place. Called
 * by main.c (start, xrsd -t), the node (reload) and the API (config.test). The steps are in files of
 * their own: config_text.c (comments, positions), config_schema.c (the table), config_value.c and
 * config_list.c (types), config_check.c (what several values say together). Nothing is applied here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config_schema.h"

#define CONFIG_TEXT_MAX (16u << 20)
#define WARNINGS_MAX    256

const char *dataplane_mode_name(enum dataplane_mode mode)
{
	static const char *const names[] = { "auto", "native", "generic", "tc", "none" };

	return names[mode];
}

/* --- errors and the path ----------------------------------------------------------------------- */

static int fail_v(struct config_ctx *ctx, const char *path, const char *format, va_list args)
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
		snprintf(buf + n, cap - (size_t)n, "%s%s%s", error->path, *error->path ? ": " : "",
			 error->message);
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

static int parse_copy(struct config_ctx *ctx, char *copy)
{
	json_t *root = load_json(ctx, copy);
	int r;

	if (!root)
		return -EINVAL;
	r = config_parse_object(ctx, &config_root, root, ctx->config);
	json_decref(root);
	if (r == 0)
		r = config_check(ctx);
	if (r == 0)
		r = config_finish(ctx);
	return r;
}

struct config *config_parse(const char *text, size_t len, struct config_error *ret_error)
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
	copy = malloc(len + 1);
	if (ctx.config && copy) {
		memcpy(copy, text, len);
		copy[len] = 0;
		r = parse_copy(&ctx, copy);
	} else {
		r = config_fail_memory(&ctx);
	}
	free(copy);
	if (r == 0)
		return ctx.config;
	config_free(ctx.config);
	return NULL;
}

/* Reads up to the limit; the caller frees. A negative errno otherwise. */
static int read_file(int fd, char **ret_text, size_t *ret_len)
{
	size_t len = 0, cap = 65536;
	char *text = malloc(cap);

	while (text) {
		ssize_t n = read(fd, text + len, cap - len);
		char *bigger;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = errno;

			free(text);
			return -error;
		}
		if (n == 0 || len > CONFIG_TEXT_MAX)
			break;
		len += (size_t)n;
		if (len < cap)
			continue;
		cap *= 2;
		bigger = realloc(text, cap);
		if (!bigger)
			free(text);
		text = bigger;
	}
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	*ret_len = len;
	return 0;
}

struct config *config_load(const char *path, struct config_error *ret_error)
{
	struct config_ctx ctx = { .error = ret_error };
	struct config *config;
	char *text = NULL;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_file(fd, &text, &len);

	if (fd >= 0)
		close(fd);
	if (r < 0) {
		config_fail(&ctx, "cannot be read: %s", strerror(-r));
		return NULL;
	}
	config = config_parse(text, len, ret_error);
	free(text);
	return config;
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
