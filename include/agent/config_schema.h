/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The schema table behind config.c: for each object its keys, and for each key its type, bounds,
 * default and meaning. It drives parsing, the refusal of unknown keys, the normal form, and the test
 * that holds xrs.json(5) to it. Used by the config_*.c files and that test only; pure.
 */
#ifndef XRS_AGENT_CONFIG_SCHEMA_H
#define XRS_AGENT_CONFIG_SCHEMA_H

#include <jansson.h>

#include "agent/config.h"

struct config_field;

/* One parse under way. */
struct config_ctx {
	const char *text; /* as given, with comments: for positions */
	size_t len;
	struct config *config;
	struct config_error *error;
	char path[192]; /* where the parser stands */
};

/* Both act on the member of @object that @field names. Parse: 0, or negative with the error filled. */
struct config_type {
	const char *name; /* "integer", for people */
	int (*parse)(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		     void *object);
	void (*write)(const struct config_field *field, const void *object, struct json_out *out);
};

struct config_name { /* a word of an enumeration; a table ends with a NULL name */
	const char *name;
	int value;
};

struct config_object {
	const char *name;                  /* heading in the manual: "peerings[]" */
	size_t size;                       /* of one element, when it is the element of a list */
	const struct config_field *fields; /* ends with a NULL key */
};

struct config_element { /* what a list of single values holds */
	const char *name;
	size_t size;
	int (*parse)(struct config_ctx *ctx, const json_t *value, void *element);
	void (*write)(const void *element, struct json_out *out);
};

enum {
	CONFIG_REQUIRED = 1,
	CONFIG_NULLABLE = 2, /* null stands for the default; an unset value is written as null */
	CONFIG_OMIT = 4,     /* an unset value is not written */
};

struct config_field {
	const char *key;
	const struct config_type *type;
	size_t offset;       /* of the value in its object */
	size_t count_offset; /* lists: of the number of elements (size_t) */
	size_t flag_offset;  /* of the bool that says "given"; keyed lists: of the enum */
	uint32_t min, max;   /* numbers: bounds; text: octets; lists: elements */
	unsigned int flags;
	const struct config_name *names;
	const struct config_object *object;
	const struct config_element *element;
	const char *fallback; /* the default as JSON text, or NULL: zero */
	const char *doc;      /* for the manual; may name a default that is worked out */
};

/* --- config_schema.c --------------------------------------------------------------------------- */
extern const struct config_object config_root, config_policy_prefix;
/* Those that the API creates: their keys are parameters of its methods. */
extern const struct config_object config_vnet, config_peering, config_route_table,
	config_user_route;
/* As written in a route map; becomes a struct policy_prefix. */
struct config_policy_prefix {
	struct ip_prefix equals, contains; /* IP_NONE: not given */
	uint8_t ge, le;
};
#define CONFIG_PATTERN_LOWER 1 /* `min` of patterns that are compared in lower case */

/* --- config_value.c: the types of values ------------------------------------------------------- */
extern const struct config_type config_type_bool, config_type_u8, config_type_u16, config_type_u32,
	config_type_asn, config_type_enum, config_type_choice, config_type_text, config_type_name,
	config_type_path, config_type_listen, config_type_ip, config_type_bind,
	config_type_router_id, config_type_prefix, config_type_asns, config_type_words,
	config_type_words_or_bool, config_type_families, config_type_given_u32,
	config_type_given_ip, config_type_mac;
int config_parse_prefix(struct config_ctx *ctx, const json_t *value, struct ip_prefix *ret_prefix);

/* --- config_list.c: the types that hold others ---------------------------------------------------- */
extern const struct config_type config_type_object, config_type_objects, config_type_list,
	config_type_patterns, config_type_keyed_list, config_type_condition, config_type_as_path;
extern const struct config_element config_element_prefix, config_element_interface,
	config_element_mac, config_element_asn, config_element_community,
	config_element_large_community, config_element_policy_prefix;

/* Every key of @value into @object, then the defaults of those that were not given. */
int config_parse_object(struct config_ctx *ctx, const struct config_object *schema,
			const json_t *value, void *object);
void config_write_object(const struct config_object *schema, const void *object,
			 struct json_out *out, const char *key);

/* --- config_text.c ---------------------------------------------------------------------------- */
/*
 * Replaces comments by spaces in place; newlines stay. 0, or -EINVAL with *ret_offset at a comment that
 * is never closed.
 */
int config_blank_comments(char *text, size_t len, size_t *ret_offset);
/* Offset of what @path names, or of the deepest part of it that exists. */
size_t config_locate(const char *text, size_t len, const char *path);
/* 1-based; columns count characters. */
void config_position(const char *text, size_t len, size_t offset, unsigned int *ret_line,
		     unsigned int *ret_column);

/* --- config_check.c: what no single value shows ---------------------------------------------------- */
int config_check(struct config_ctx *ctx);
/* config_check_peered.c: its part about peered vnets. */
int config_check_peered(struct config_ctx *ctx);
/* config_check_vxlan.c: one entry of one vnet's vxlan. */
int config_check_vxlan(struct config_ctx *ctx, size_t v, size_t i);
/* Defaults that depend on other values, and the order that readers rely on; after config_check(). */
int config_finish(struct config_ctx *ctx);

/* --- helpers of the parsers ------------------------------------------------------------------------ */
const char *config_json_kind(const json_t *value); /* "an integer" */
bool config_asn_valid(uint32_t asn);
/* A member of @object. */
#define config_member(object, offset, type) ((type *)((char *)(object) + (offset)))
#define config_member_const(object, offset, type) \
	((type const *)((const char *)(object) + (offset)))
/* Descends for the time of one value; config_leave() takes what config_enter() gave. */
size_t config_enter_key(struct config_ctx *ctx, const char *key);
size_t config_enter_index(struct config_ctx *ctx, size_t index);
void config_leave(struct config_ctx *ctx, size_t mark);
/* @text escaped and shortened, for a message. */
#define CONFIG_SHOW_MAX 72
char *config_show(const char *text, char buf[static CONFIG_SHOW_MAX]);

/* --- errors ---------------------------------------------------------------------------------------- */
/* Fill the error once and return -EINVAL, so that callers `return config_fail(...)`. */
int config_fail(struct config_ctx *ctx, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int config_fail_at(struct config_ctx *ctx, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int config_fail_memory(struct config_ctx *ctx);
int config_warn(struct config *config, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
