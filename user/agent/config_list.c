// SPDX-License-Identifier: GPL-2.0-only
/*
 * The types that hold others: objects, lists of objects, lists of values, and the lists of route maps
 * that are named by what is done with them ({"add": [...]}). Called through the tables of
 * config_schema.c; pure. Whatever was allocated hangs in the struct config even after a failure, so
 * that config_free() finds it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "util/closest.h"

/* --- objects ------------------------------------------------------------------------------------ */

static const struct config_field *find_field(const struct config_object *schema, const char *key)
{
	for (const struct config_field *field = schema->fields; field->key; field++) {
		if (strcmp(field->key, key) == 0)
			return field;
	}
	return NULL;
}

static int unknown_key(struct config_ctx *ctx, const struct config_object *schema, const char *key)
{
	char shown[CONFIG_SHOW_MAX];
	struct closest closest;

	closest_init(&closest, key);
	for (const struct config_field *field = schema->fields; field->key; field++)
		closest_offer(&closest, field->key);
	config_show(key, shown);
	config_enter_key(ctx, key);
	if (closest_best(&closest))
		return config_fail(ctx, "unknown key '%s'; did you mean '%s'?", shown,
				   closest_best(&closest));
	return config_fail(ctx, "unknown key '%s'", shown);
}

static int parse_default(struct config_ctx *ctx, const struct config_field *field, void *object)
{
	json_t *value;
	int r;

	if (!field->fallback)
		return 0;
	value = json_loads(field->fallback, JSON_DECODE_ANY, NULL);
	if (!value)
		return config_fail_memory(ctx);
	r = field->type->parse(ctx, field, value, object);
	json_decref(value);
	return r;
}

static int parse_field(struct config_ctx *ctx, const struct config_field *field,
		       const json_t *value, void *object)
{
	size_t mark = config_enter_key(ctx, field->key);
	int r;

	if (!value || (json_is_null(value) && (field->flags & CONFIG_NULLABLE)))
		r = parse_default(ctx, field, object);
	else
		r = field->type->parse(ctx, field, value, object);
	if (r == 0)
		config_leave(ctx, mark);
	return r;
}

int config_parse_object(struct config_ctx *ctx, const struct config_object *schema,
			const json_t *value, void *object)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return config_fail(ctx, "expected an object, found %s", config_json_kind(value));
	/* jansson's iterators want a pointer that is not const, and change nothing. */
	json_object_foreach((json_t *)value, key, member) {
		if (!find_field(schema, key))
			return unknown_key(ctx, schema, key);
	}
	for (const struct config_field *field = schema->fields; field->key; field++) {
		int r;

		member = json_object_get(value, field->key);
		if (!member && (field->flags & CONFIG_REQUIRED))
			return config_fail(ctx, "the key '%s' is missing", field->key);
		r = parse_field(ctx, field, member, object);
		if (r < 0)
			return r;
	}
	return 0;
}

void config_write_object(const struct config_object *schema, const void *object,
			 struct json_out *out, const char *key)
{
	json_out_begin_object(out, key);
	for (const struct config_field *field = schema->fields; field->key; field++)
		field->type->write(field, object, out);
	json_out_end_object(out);
}

/* An object in the file whose members lie in the struct around it, from field->offset on. */
static int parse_object(struct config_ctx *ctx, const struct config_field *field,
			const json_t *value, void *object)
{
	int r = config_parse_object(ctx, field->object, value,
				    config_member(object, field->offset, void));

	if (r == 0 && field->flag_offset)
		*config_member(object, field->flag_offset, bool) = true;
	return r;
}

static void write_object(const struct config_field *field, const void *object, struct json_out *out)
{
	if (field->flag_offset && !*config_member_const(object, field->flag_offset, bool))
		return;
	config_write_object(field->object, config_member_const(object, field->offset, void), out,
			    field->key);
}

const struct config_type config_type_object = { "object", parse_object, write_object };

/* --- lists ------------------------------------------------------------------------------------- */

/* Room for the elements of @value, in place in @object. NULL with the error filled, or the list. */
static int make_list(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		     size_t size, void *object, char **ret_list)
{
	void **list = config_member(object, field->offset, void *);
	size_t n = json_array_size(value);

	if (!json_is_array(value))
		return config_fail(ctx, "expected a list, found %s", config_json_kind(value));
	if (n < field->min)
		return config_fail(ctx, "at least %u %s needed", field->min,
				   field->min == 1 ? "entry is" : "entries are");
	if (n > field->max)
		return config_fail(ctx, "%zu entries are more than the limit of %u", n, field->max);
	*ret_list = NULL;
	if (n == 0)
		return 0;
	*list = calloc(n, size);
	if (!*list)
		return config_fail_memory(ctx);
	*config_member(object, field->count_offset, size_t) = n;
	*ret_list = *list;
	return 0;
}

static int parse_objects(struct config_ctx *ctx, const struct config_field *field,
			 const json_t *value, void *object)
{
	const json_t *item;
	char *list;
	size_t i;
	int r = make_list(ctx, field, value, field->object->size, object, &list);

	if (r < 0)
		return r;
	json_array_foreach(value, i, item) {
		size_t mark = config_enter_index(ctx, i);

		r = config_parse_object(ctx, field->object, item, list + i * field->object->size);
		if (r < 0)
			return r;
		config_leave(ctx, mark);
	}
	return 0;
}

static void write_objects(const struct config_field *field, const void *object,
			  struct json_out *out)
{
	const char *list = *config_member_const(object, field->offset, const char *);
	size_t n = *config_member_const(object, field->count_offset, size_t);

	json_out_begin_array(out, field->key);
	for (size_t i = 0; i < n; i++)
		config_write_object(field->object, list + i * field->object->size, out, NULL);
	json_out_end_array(out);
}

const struct config_type config_type_objects = { "list of objects", parse_objects, write_objects };

static int parse_list(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	const struct config_element *element = field->element;
	const json_t *item;
	char *list;
	size_t i;
	int r = make_list(ctx, field, value, element->size, object, &list);

	if (r < 0)
		return r;
	json_array_foreach(value, i, item) {
		size_t mark = config_enter_index(ctx, i);

		r = element->parse(ctx, item, list + i * element->size);
		if (r < 0)
			return r;
		config_leave(ctx, mark);
	}
	return 0;
}

static void write_list_as(const struct config_field *field, const char *key, const void *object,
			  struct json_out *out)
{
	const char *list = *config_member_const(object, field->offset, const char *);
	size_t n = *config_member_const(object, field->count_offset, size_t);

	if (n == 0 && (field->flags & CONFIG_OMIT))
		return;
	json_out_begin_array(out, key);
	for (size_t i = 0; i < n; i++)
		field->element->write(list + i * field->element->size, out);
	json_out_end_array(out);
}

static void write_list(const struct config_field *field, const void *object, struct json_out *out)
{
	write_list_as(field, field->key, object, out);
}

const struct config_type config_type_list = { "list", parse_list, write_list };

/* --- patterns of a nic rule: a list, or one string ------------------------------------------------ */

/* What is compared is lower case for a MAC, decimal for a group: accept both spellings. */
static char *make_pattern(const json_t *value, bool lower)
{
	char *pattern = NULL;

	if (json_is_string(value) && json_string_length(value) > 0)
		pattern = strdup(json_string_value(value));
	else if (json_is_integer(value) && json_integer_value(value) >= 0 &&
		 asprintf(&pattern, "%lld", (long long)json_integer_value(value)) < 0)
		pattern = NULL;
	for (char *c = pattern; c && lower && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return pattern;
}

static int parse_patterns(struct config_ctx *ctx, const struct config_field *field,
			  const json_t *value, void *object)
{
	bool single = !json_is_array(value);
	size_t n = single ? 1 : json_array_size(value);
	char **list;

	if (n > field->max)
		return config_fail(ctx, "%zu patterns are more than the limit of %u", n,
				   field->max);
	list = n ? calloc(n, sizeof(*list)) : NULL;
	if (n && !list)
		return config_fail_memory(ctx);
	*config_member(object, field->offset, char **) = list;
	*config_member(object, field->count_offset, size_t) = n;
	for (size_t i = 0; i < n; i++) {
		size_t mark = single ? strlen(ctx->path) : config_enter_index(ctx, i);
		const json_t *item = single ? value : json_array_get(value, i);

		list[i] = make_pattern(item, field->min == CONFIG_PATTERN_LOWER);
		if (!list[i] || strcmp(list[i], "!") == 0)
			return config_fail(ctx, "expected a pattern such as \"tap*\" or \"!tap0\"");
		config_leave(ctx, mark);
	}
	return 0;
}

static void write_patterns(const struct config_field *field, const void *object,
			   struct json_out *out)
{
	const char *const *list = *config_member_const(object, field->offset, void *);
	size_t n = *config_member_const(object, field->count_offset, size_t);

	if (n == 0)
		return;
	json_out_begin_array(out, field->key);
	for (size_t i = 0; i < n; i++)
		json_out_string(out, NULL, list[i]);
	json_out_end_array(out);
}

const struct config_type config_type_patterns = { "list of patterns", parse_patterns,
						  write_patterns };

/* --- {"add": [...]}: an object with exactly one key, which goes into an enum ----------------------- */

static int parse_keyed_list(struct config_ctx *ctx, const struct config_field *field,
			    const json_t *value, void *object)
{
	const struct config_name *name = field->names;
	const char *key = json_is_object(value)
				  ? json_object_iter_key(json_object_iter((json_t *)value))
				  : NULL;
	struct config_field list = *field;
	char all[80] = "";
	size_t used = 0, mark;
	int r;

	for (; name->name; name++) {
		if (key && json_object_size(value) == 1 && strcmp(name->name, key) == 0)
			break;
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s\"%s\"",
					 used ? ", " : "", name->name);
	}
	if (!name->name)
		return config_fail(ctx, "expected an object with one key of %s", all);
	/* Only to replace by nothing, or to match the empty AS_PATH, is an empty list of any use. */
	list.min = strcmp(key, "replace") == 0 || (field->min == 0 && strcmp(key, "equals") == 0)
			   ? 0
			   : 1;
	mark = config_enter_key(ctx, key);
	r = parse_list(ctx, &list, json_object_get(value, key), object);
	if (r < 0)
		return r;
	config_leave(ctx, mark);
	*config_member(object, field->flag_offset, unsigned int) = (unsigned int)name->value;
	return 0;
}

static void write_keyed_list(const struct config_field *field, const void *object,
			     struct json_out *out)
{
	unsigned int value = *config_member_const(object, field->flag_offset, unsigned int);

	for (const struct config_name *name = field->names; name->name; name++) {
		if ((unsigned int)name->value != value)
			continue;
		json_out_begin_object(out, field->key);
		write_list_as(field, name->name, object, out);
		json_out_end_object(out);
	}
}

const struct config_type config_type_keyed_list = { "object with one list", parse_keyed_list,
						    write_keyed_list };

/* As above for match conditions: whether one was given is not in the enum, but in the list's length. */
static void write_condition(const struct config_field *field, const void *object,
			    struct json_out *out)
{
	if (*config_member_const(object, field->count_offset, size_t))
		write_keyed_list(field, object, out);
}

const struct config_type config_type_condition = { "object with one list", parse_keyed_list,
						   write_condition };

/* The AS_PATH may be asked to be empty, so there is a bool for "given". */
static int parse_as_path(struct config_ctx *ctx, const struct config_field *field,
			 const json_t *value, void *object)
{
	int r = parse_keyed_list(ctx, field, value, object);

	if (r == 0)
		((struct policy_match *)object)->as_path_given = true;
	return r;
}

static void write_as_path(const struct config_field *field, const void *object,
			  struct json_out *out)
{
	if (((const struct policy_match *)object)->as_path_given)
		write_keyed_list(field, object, out);
}

const struct config_type config_type_as_path = { "object with one list", parse_as_path,
						 write_as_path };

/* --- elements ------------------------------------------------------------------------------------- */

static int parse_prefix_element(struct config_ctx *ctx, const json_t *value, void *element)
{
	return config_parse_prefix(ctx, value, element);
}

static void write_prefix_element(const void *element, struct json_out *out)
{
	char text[PREFIX_TEXT_MAX];

	json_out_string(out, NULL, prefix_format(element, text));
}

const struct config_element config_element_prefix = { "prefix", sizeof(struct ip_prefix),
						      parse_prefix_element, write_prefix_element };

static int parse_interface(struct config_ctx *ctx, const json_t *value, void *element)
{
	const char *text = json_string_value(value);
	struct vnet_interface *interface = element;

	if (!text || !*text || strlen(text) >= sizeof(interface->name) || strchr(text, '/'))
		return config_fail(ctx, "expected the name of an interface such as \"br0\"");
	strcpy(interface->name, text); /* the length was checked */
	return 0;
}

static void write_interface(const void *element, struct json_out *out)
{
	const struct vnet_interface *interface = element;

	json_out_string(out, NULL, interface->name);
}

const struct config_element config_element_interface = { "interface", sizeof(struct vnet_interface),
							 parse_interface, write_interface };

static int parse_mac_element(struct config_ctx *ctx, const json_t *value, void *element)
{
	const char *text = json_string_value(value);
	struct mac_addr *mac = element;

	if (!text || mac_parse(text, mac) < 0)
		return config_fail(ctx, "expected a MAC address such as \"02:00:00:00:01:01\"");
	if (mac->bytes[0] & 1)
		return config_fail(ctx, "'%s' is a multicast MAC address", text);
	return 0;
}

static void write_mac_element(const void *element, struct json_out *out)
{
	char text[MAC_TEXT_MAX];

	json_out_string(out, NULL, mac_format(element, text));
}

const struct config_element config_element_mac = { "MAC address", sizeof(struct mac_addr),
						   parse_mac_element, write_mac_element };

static int parse_mac_type(struct config_ctx *ctx, const struct config_field *field,
			  const json_t *value, void *object)
{
	return parse_mac_element(ctx, value, config_member(object, field->offset, struct mac_addr));
}

/* Zero: not given. */
static void write_mac_type(const struct config_field *field, const void *object,
			   struct json_out *out)
{
	const struct mac_addr *mac = config_member_const(object, field->offset, struct mac_addr);
	static const struct mac_addr zero;
	char text[MAC_TEXT_MAX];

	if (memcmp(mac, &zero, sizeof(zero)) == 0)
		json_out_null(out, field->key);
	else
		json_out_string(out, field->key, mac_format(mac, text));
}

const struct config_type config_type_mac = { "MAC address", parse_mac_type, write_mac_type };

static int parse_asn_element(struct config_ctx *ctx, const json_t *value, void *element)
{
	json_int_t asn = json_integer_value(value);

	if (!json_is_integer(value) || asn < 1 || asn > UINT32_MAX)
		return config_fail(ctx, "expected an AS number, 1 to 4294967295");
	*(uint32_t *)element = (uint32_t)asn;
	return 0;
}

static void write_asn_element(const void *element, struct json_out *out)
{
	json_out_uint(out, NULL, *(const uint32_t *)element);
}

const struct config_element config_element_asn = { "AS number", sizeof(uint32_t), parse_asn_element,
						   write_asn_element };

static int parse_community_element(struct config_ctx *ctx, const json_t *value, void *element)
{
	const char *text = json_string_value(value);

	if (!text || community_parse(text, element) < 0)
		return config_fail(ctx, "expected a community such as \"65001:100\" or "
					"\"no-export\"");
	return 0;
}

static void write_community_element(const void *element, struct json_out *out)
{
	char text[COMMUNITY_TEXT_MAX];

	json_out_string(out, NULL, community_format(*(const uint32_t *)element, text));
}

const struct config_element config_element_community = { "community", sizeof(uint32_t),
							 parse_community_element,
							 write_community_element };

static int parse_large_element(struct config_ctx *ctx, const json_t *value, void *element)
{
	const char *text = json_string_value(value);

	if (!text || large_community_parse(text, element) < 0)
		return config_fail(ctx, "expected a large community such as \"65001:1:2\"");
	return 0;
}

static void write_large_element(const void *element, struct json_out *out)
{
	char text[LARGE_COMMUNITY_TEXT_MAX];

	json_out_string(out, NULL,
			large_community_format(*(const struct bgp_large_community *)element, text));
}

const struct config_element config_element_large_community = { "large community",
							       sizeof(struct bgp_large_community),
							       parse_large_element,
							       write_large_element };

static int check_policy_prefix(struct config_ctx *ctx, const struct policy_prefix *prefix)
{
	unsigned int bits = ip_bits(prefix->prefix.addr.family);
	unsigned int ge = prefix->ge ? prefix->ge : prefix->prefix.len;
	unsigned int le = prefix->le ? prefix->le : bits;

	if (prefix->op == POLICY_EQUALS && (prefix->ge || prefix->le))
		return config_fail(ctx, "'ge' and 'le' go with 'contains', not with 'equals'");
	if (ge < prefix->prefix.len || le > bits || ge > le)
		return config_fail(ctx, "%u <= ge <= le <= %u does not hold", prefix->prefix.len,
				   bits);
	return 0;
}

/* "10.0.0.0/8" means {"equals": "10.0.0.0/8"}. */
static int parse_policy_prefix(struct config_ctx *ctx, const json_t *value, void *element)
{
	struct config_policy_prefix given = { .equals = { .len = 0 } };
	struct policy_prefix *prefix = element;
	size_t mark = strlen(ctx->path);
	int r;

	if (json_is_string(value))
		return config_parse_prefix(ctx, value, &prefix->prefix);
	r = config_parse_object(ctx, &config_policy_prefix, value, &given);
	if (r < 0)
		return r;
	if ((given.equals.addr.family != IP_NONE) == (given.contains.addr.family != IP_NONE))
		return config_fail(ctx, "exactly one of 'equals' and 'contains' is needed");
	prefix->op = given.contains.addr.family ? POLICY_CONTAINS : POLICY_EQUALS;
	prefix->prefix = given.contains.addr.family ? given.contains : given.equals;
	prefix->ge = given.ge;
	prefix->le = given.le;
	config_leave(ctx, mark);
	return check_policy_prefix(ctx, prefix);
}

static void write_policy_prefix(const void *element, struct json_out *out)
{
	const struct policy_prefix *prefix = element;
	struct config_policy_prefix given = { .ge = prefix->ge, .le = prefix->le };

	if (prefix->op == POLICY_CONTAINS)
		given.contains = prefix->prefix;
	else
		given.equals = prefix->prefix;
	config_write_object(&config_policy_prefix, &given, out, NULL);
}

const struct config_element config_element_policy_prefix = {
	"prefix or object", sizeof(struct policy_prefix), parse_policy_prefix, write_policy_prefix
};
