// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two configurations in their normal forms, member by member: what is added, removed and replaced, with
 * paths that a person reads (vnets[prod].peerings[fw-a].holdTime). Objects of a list that have a name are
 * told apart by it, others by their place. Called by config.diff. Pure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_impl.h"

#define PATH_MAX_LEN 256

struct walk {
	struct json_out *out;
	char path[PATH_MAX_LEN];
	unsigned int count;
};

static void compare(struct walk *walk, const json_t *old, const json_t *new);

static size_t enter(struct walk *walk, const char *before, const char *word, const char *behind)
{
	size_t mark = strlen(walk->path);

	snprintf(walk->path + mark, sizeof(walk->path) - mark, "%s%s%s", before, word, behind);
	return mark;
}

static void write_value(struct json_out *out, const char *key, const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (text)
		json_out_raw(out, key, text, strlen(text));
	free(text);
}

static void write_change(struct walk *walk, const char *op, const json_t *old, const json_t *new)
{
	json_out_begin_object(walk->out, NULL);
	json_out_string(walk->out, "op", op);
	json_out_string(walk->out, "path", walk->path);
	write_value(walk->out, "old", old);
	write_value(walk->out, "new", new);
	json_out_end_object(walk->out);
	walk->count++;
}

/* The member that names an object of a list. */
static const char *name_of(const json_t *object)
{
	static const char *const keys[] = { "name", "addressPrefix", "remoteVnet" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *name = json_string_value(json_object_get(object, keys[i]));

		if (name)
			return name;
	}
	return NULL;
}

static const json_t *find(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *other = name_of(item);

		if (other && strcmp(other, name) == 0)
			return item;
	}
	return NULL;
}

static bool is_named(const json_t *list)
{
	return json_array_size(list) == 0 || name_of(json_array_get(list, 0)) != NULL;
}

static void compare_named(struct walk *walk, const json_t *old, const json_t *new)
{
	const json_t *item;
	size_t i;

	json_array_foreach(old, i, item) {
		size_t mark = enter(walk, "[", name_of(item), "]");

		compare(walk, item, find(new, name_of(item)));
		walk->path[mark] = 0;
	}
	json_array_foreach(new, i, item) {
		size_t mark = enter(walk, "[", name_of(item), "]");

		if (!find(old, name_of(item)))
			compare(walk, NULL, item);
		walk->path[mark] = 0;
	}
}

static void compare_objects(struct walk *walk, const json_t *old, const json_t *new)
{
	const char *key, *dot = *walk->path ? "." : "";
	json_t *value;

	json_object_foreach((json_t *)old, key, value) {
		size_t mark = enter(walk, dot, key, "");

		compare(walk, value, json_object_get(new, key));
		walk->path[mark] = 0;
	}
	json_object_foreach((json_t *)new, key, value) {
		size_t mark = enter(walk, dot, key, "");

		if (!json_object_get(old, key))
			compare(walk, NULL, value);
		walk->path[mark] = 0;
	}
}

static void compare(struct walk *walk, const json_t *old, const json_t *new)
{
	if (!old)
		write_change(walk, "add", NULL, new);
	else if (!new)
		write_change(walk, "remove", old, NULL);
	else if (json_equal(old, new))
		return;
	else if (json_is_object(old) && json_is_object(new))
		compare_objects(walk, old, new);
	else if (json_is_array(old) && json_is_array(new) && is_named(old) && is_named(new))
		compare_named(walk, old, new);
	else
		write_change(walk, "replace", old, new);
}

static json_t *normal_form(const struct config *config)
{
	struct json_out out;
	json_t *json;

	json_out_init(&out);
	config_write(config, &out, NULL);
	json = json_loadb(out.data, out.len, 0, NULL);
	json_out_done(&out);
	return json;
}

int write_config_changes(struct json_out *out, const struct config *old, const struct config *new)
{
	struct walk walk = { .out = out };
	json_t *a = normal_form(old), *b = normal_form(new);

	json_out_begin_array(out, "changes");
	if (a && b)
		compare(&walk, a, b);
	json_out_end_array(out);
	json_decref(a);
	json_decref(b);
	return a && b ? (int)walk.count : -1;
}
