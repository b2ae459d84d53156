// SPDX-License-Identifier: GPL-2.0-only
/*
 * The types of single values in the configuration: each reads one JSON value into one member of a
 * struct, with its bounds, and writes it back. The tables in config_schema.c name them. Pure. A type
 * never looks beyond its own member; what depends on several is config_check.c's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "util/closest.h"

const char *config_json_kind(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",   [JSON_ARRAY] = "a list",
		[JSON_STRING] = "a string",    [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a real number", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",        [JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

static int wrong_kind(struct config_ctx *ctx, const char *wanted, const json_t *value)
{
	return config_fail(ctx, "expected %s, found %s", wanted, config_json_kind(value));
}

/* NULL with the error filled when it is no string. */
static const char *want_string(struct config_ctx *ctx, const char *wanted, const json_t *value)
{
	if (!json_is_string(value)) {
		wrong_kind(ctx, wanted, value);
		return NULL;
	}
	return json_string_value(value);
}

/* --- switches and numbers ------------------------------------------------------------------- */

static int parse_bool(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	if (!json_is_boolean(value))
		return wrong_kind(ctx, "true or false", value);
	*config_member(object, field->offset, bool) = json_is_true(value);
	return 0;
}

static void write_bool(const struct config_field *field, const void *object, struct json_out *out)
{
	json_out_bool(out, field->key, *config_member_const(object, field->offset, bool));
}

const struct config_type config_type_bool = { "true or false", parse_bool, write_bool };

static int parse_number(struct config_ctx *ctx, const struct config_field *field,
			const json_t *value, uint32_t *ret_number)
{
	json_int_t number;

	if (!json_is_integer(value))
		return wrong_kind(ctx, "an integer", value);
	number = json_integer_value(value);
	if (number < field->min || number > field->max)
		return config_fail(ctx, "%lld is out of range: %u to %u", (long long)number,
				   field->min, field->max);
	*ret_number = (uint32_t)number;
	return 0;
}

static void write_number(const struct config_field *field, uint32_t number, struct json_out *out)
{
	if (number == 0 && (field->flags & CONFIG_NULLABLE))
		json_out_null(out, field->key);
	else if (number || !(field->flags & CONFIG_OMIT))
		json_out_uint(out, field->key, number);
}

#define NUMBER_TYPE(name, type)                                                              \
	static int parse_##name(struct config_ctx *ctx, const struct config_field *field,    \
				const json_t *value, void *object)                           \
	{                                                                                    \
		uint32_t number = 0;                                                         \
		int r = parse_number(ctx, field, value, &number);                            \
                                                                                             \
		if (r == 0)                                                                  \
			*config_member(object, field->offset, type) = (type)number;          \
		return r;                                                                    \
	}                                                                                    \
	static void write_##name(const struct config_field *field, const void *object,       \
				 struct json_out *out)                                       \
	{                                                                                    \
		write_number(field, *config_member_const(object, field->offset, type), out); \
	}                                                                                    \
	const struct config_type config_type_##name = { "integer", parse_##name, write_##name }

NUMBER_TYPE(u8, uint8_t);
NUMBER_TYPE(u16, uint16_t);
NUMBER_TYPE(u32, uint32_t);

/* RFC 7607 (0), RFC 6793 (AS_TRANS), RFC 7300 (the last of each width). */
bool config_asn_valid(uint32_t asn)
{
	return asn != 0 && asn != BGP_AS_TRANS && asn != 65535 && asn != UINT32_MAX;
}

static int parse_asn(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		     void *object)
{
	uint32_t asn = 0;
	int r = parse_number(ctx, field, value, &asn);

	if (r < 0)
		return r;
	if (!config_asn_valid(asn))
		return config_fail(ctx, "%u is a reserved AS number (RFC 7607, 6793, 7300)", asn);
	*config_member(object, field->offset, uint32_t) = asn;
	return 0;
}

const struct config_type config_type_asn = { "AS number", parse_asn, write_u32 };

/* A list of AS numbers, each 65001 or "64512-65534": `peerAsns`. */
static int parse_asn_range(struct config_ctx *ctx, const json_t *value, struct bgp_asn_range *ret)
{
	const char *text = json_string_value(value);
	json_int_t first = json_integer_value(value), last = first;
	char tail;

	if (text &&
	    sscanf(text, "%" SCNu32 "-%" SCNu32 "%c", &ret->first, &ret->last, &tail) == 2) {
		first = ret->first;
		last = ret->last;
	} else if (!json_is_integer(value)) {
		return config_fail(ctx, "expected an AS number, or a range such as "
					"\"64512-65534\"");
	}
	if (first < 1 || first > last || last > UINT32_MAX)
		return config_fail(ctx, "1 <= first <= last <= 4294967295 does not hold");
	*ret = (struct bgp_asn_range){ (uint32_t)first, (uint32_t)last };
	return 0;
}

static int parse_asns(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	struct bgp_asn_set *set = config_member(object, field->offset, struct bgp_asn_set);
	size_t i;
	const json_t *item;

	if (!json_is_array(value))
		return wrong_kind(ctx, "a list of AS numbers", value);
	if (json_array_size(value) < 1 || json_array_size(value) > BGP_ASN_RANGES_MAX)
		return config_fail(ctx, "1 to %d entries are possible", BGP_ASN_RANGES_MAX);
	json_array_foreach(value, i, item) {
		size_t mark = config_enter_index(ctx, i);
		int r = parse_asn_range(ctx, item, &set->range[i]);

		if (r < 0)
			return r;
		config_leave(ctx, mark);
		set->n = (uint32_t)i + 1;
	}
	return 0;
}

static void write_asns(const struct config_field *field, const void *object, struct json_out *out)
{
	const struct bgp_asn_set *set =
		config_member_const(object, field->offset, struct bgp_asn_set);

	if (!set->n)
		return;
	json_out_begin_array(out, field->key);
	for (uint32_t i = 0; i < set->n; i++) {
		const struct bgp_asn_range *range = &set->range[i];

		if (range->first == range->last)
			json_out_uint(out, NULL, range->first);
		else
			json_out_stringf(out, NULL, "%u-%u", range->first, range->last);
	}
	json_out_end_array(out);
}

const struct config_type config_type_asns = { "list of AS numbers and ranges of them", parse_asns,
					      write_asns };

/* --- words ------------------------------------------------------------------------------------- */

static int unknown_word(struct config_ctx *ctx, const struct config_name *names, const char *word)
{
	char shown[CONFIG_SHOW_MAX], all[160] = "";
	struct closest closest;
	size_t used = 0;

	closest_init(&closest, word);
	for (; names->name; names++) {
		closest_offer(&closest, names->name);
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "",
					 names->name);
		if (used >= sizeof(all))
			break;
	}
	config_show(word, shown);
	if (closest_best(&closest))
		return config_fail(ctx, "'%s' is none of %s; did you mean '%s'?", shown, all,
				   closest_best(&closest));
	return config_fail(ctx, "'%s' is none of %s", shown, all);
}

static int find_word(struct config_ctx *ctx, const struct config_name *names, const json_t *value,
		     int *ret_value)
{
	const char *word = want_string(ctx, "a string", value);

	if (!word)
		return -EINVAL;
	for (const struct config_name *name = names; name->name; name++) {
		if (strcmp(name->name, word) == 0) {
			*ret_value = name->value;
			return 0;
		}
	}
	return unknown_word(ctx, names, word);
}

static int parse_enum(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	int number = 0;
	int r = find_word(ctx, field->names, value, &number);

	/* An enum of GNU C without negative values is an unsigned int. */
	if (r == 0)
		*config_member(object, field->offset, unsigned int) = (unsigned int)number;
	return r;
}

static void write_enum(const struct config_field *field, const void *object, struct json_out *out)
{
	unsigned int value = *config_member_const(object, field->offset, unsigned int);

	for (const struct config_name *name = field->names; name->name; name++) {
		if ((unsigned int)name->value == value) {
			json_out_string(out, field->key, name->name);
			return;
		}
	}
	if (field->flags & CONFIG_NULLABLE)
		json_out_null(out, field->key);
}

const struct config_type config_type_enum = { "one of", parse_enum, write_enum };

/* One of two words into a bool: `action`, `next`. */
static int parse_choice(struct config_ctx *ctx, const struct config_field *field,
			const json_t *value, void *object)
{
	int number = 0;
	int r = find_word(ctx, field->names, value, &number);

	if (r == 0)
		*config_member(object, field->offset, bool) = number;
	return r;
}

static void write_choice(const struct config_field *field, const void *object, struct json_out *out)
{
	int value = *config_member_const(object, field->offset, bool);

	json_out_string(out, field->key, field->names[field->names[0].value != value].name);
}

const struct config_type config_type_choice = { "one of", parse_choice, write_choice };

/* A list of words into a set of bits. */
static int parse_words(struct config_ctx *ctx, const struct config_field *field,
		       const json_t *value, void *object)
{
	uint32_t words = 0;
	size_t i;
	const json_t *item;

	if (!json_is_array(value))
		return wrong_kind(ctx, "a list of words", value);
	json_array_foreach(value, i, item) {
		size_t mark = config_enter_index(ctx, i);
		int bit = 0;
		int r = find_word(ctx, field->names, item, &bit);

		if (r == 0 && (words & (uint32_t)bit))
			r = config_fail(ctx, "this word is listed twice");
		if (r < 0)
			return r;
		config_leave(ctx, mark);
		words |= (uint32_t)bit;
	}
	*config_member(object, field->offset, uint32_t) = words;
	return 0;
}

static void write_words(const struct config_field *field, const void *object, struct json_out *out)
{
	uint32_t words = *config_member_const(object, field->offset, uint32_t);

	json_out_begin_array(out, field->key);
	for (const struct config_name *name = field->names; name->name; name++) {
		if (words & (uint32_t)name->value)
			json_out_string(out, NULL, name->name);
	}
	json_out_end_array(out);
}

const struct config_type config_type_words = { "list of", parse_words, write_words };

/* A list of words, or `true` for the first of them alone. */
static int parse_words_or_bool(struct config_ctx *ctx, const struct config_field *field,
			       const json_t *value, void *object)
{
	if (!json_is_boolean(value))
		return parse_words(ctx, field, value, object);
	*config_member(object, field->offset, uint32_t) =
		json_is_true(value) ? (uint32_t)field->names->value : 0;
	return 0;
}

const struct config_type config_type_words_or_bool = { "true, false or list of",
						       parse_words_or_bool, write_words };

static int parse_families(struct config_ctx *ctx, const struct config_field *field,
			  const json_t *value, void *object)
{
	if (json_is_array(value) && json_array_size(value) == 0)
		return config_fail(ctx, "a peering without families exchanges nothing: give one, "
					"or leave the key out");
	return parse_words(ctx, field, value, object);
}

const struct config_type config_type_families = { "list of", parse_families, write_words };

/* --- text ---------------------------------------------------------------------------------------- */

static int parse_text(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	const char *text = want_string(ctx, "a string", value);

	if (!text)
		return -EINVAL;
	if (strlen(text) >= field->max)
		return config_fail(ctx, "longer than %u octets", field->max - 1);
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return config_fail(ctx, "control characters are not allowed");
	}
	strcpy(config_member(object, field->offset, char), text); /* the length was checked */
	return 0;
}

static void write_text(const struct config_field *field, const void *object, struct json_out *out)
{
	const char *text = config_member_const(object, field->offset, char);

	if (*text)
		json_out_string(out, field->key, text);
	else if (field->flags & CONFIG_NULLABLE)
		json_out_null(out, field->key);
	else if (!(field->flags & CONFIG_OMIT))
		json_out_string(out, field->key, "");
}

const struct config_type config_type_text = { "string", parse_text, write_text };

/* Names become parts of paths and pins: nothing in them may need a quote. */
static int parse_name(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *text = want_string(ctx, "a name", value);
	char shown[CONFIG_SHOW_MAX];

	if (!text)
		return -EINVAL;
	if (!*text || text[0] == '-' || strspn(text, ok) != strlen(text))
		return config_fail(ctx,
				   "'%s' is not a name: letters, digits, '-' and '_', not "
				   "beginning with '-'",
				   config_show(text, shown));
	return parse_text(ctx, field, value, object);
}

const struct config_type config_type_name = { "name", parse_name, write_text };

static int parse_path(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	const char *text = want_string(ctx, "a path", value);

	if (!text)
		return -EINVAL;
	if (text[0] != '/')
		return config_fail(ctx, "must be an absolute path, beginning with '/'");
	return parse_text(ctx, field, value, object);
}

const struct config_type config_type_path = { "absolute path", parse_path, write_text };

/* "127.0.0.1:9470", "[::1]:9470". Nothing authenticates readers there, so it stays on the host. */
static int parse_listen(struct config_ctx *ctx, const struct config_field *field,
			const json_t *value, void *object)
{
	const char *text = want_string(ctx, "a string", value);
	struct config_listen listen;

	if (!text)
		return -EINVAL;
	if (config_parse_listen(text, &listen) < 0)
		return config_fail(ctx, "expected ADDRESS:PORT, for example \"127.0.0.1:9470\"");
	if (!ip_is_loopback(&listen.addr))
		return config_fail(ctx, "only loopback addresses are allowed: put a proxy that "
					"authenticates readers in front");
	return parse_text(ctx, field, value, object);
}

const struct config_type config_type_listen = { "address and port", parse_listen, write_text };

int config_parse_listen(const char *text, struct config_listen *ret_listen)
{
	struct config_listen listen = { .port = 0 };
	const char *colon = strrchr(text, ':');
	char host[IP_TEXT_MAX];
	size_t len = colon ? (size_t)(colon - text) : 0;
	unsigned long port;
	char *end;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = 0;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port == 0 || port > UINT16_MAX || ip_parse(host, &listen.addr) < 0)
		return -EINVAL;
	listen.port = (uint16_t)port;
	*ret_listen = listen;
	return 0;
}

/* --- addresses ----------------------------------------------------------------------------------- */

/* Of family field->min; 0: either. An address of one machine: no group, no "any". */
static int parse_address(struct config_ctx *ctx, uint32_t family, const json_t *value,
			 struct ip_addr *ret_addr)
{
	const char *text = want_string(ctx, "an IP address", value);
	char shown[CONFIG_SHOW_MAX];
	struct ip_addr addr;

	if (!text)
		return -EINVAL;
	if (ip_parse(text, &addr) < 0)
		return config_fail(ctx, "'%s' is not an IP address%s", config_show(text, shown),
				   strchr(text, '/') ? "; leave the prefix length out" : "");
	if (family && addr.family != family)
		return config_fail(ctx, "'%s' is not an IPv%u address", text, family);
	if (ip_is_zero(&addr) || ip_is_multicast(&addr))
		return config_fail(ctx, "'%s' is not the address of a host", text);
	*ret_addr = addr;
	return 0;
}

static int parse_ip(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		    void *object)
{
	return parse_address(ctx, field->min, value,
			     config_member(object, field->offset, struct ip_addr));
}

static void write_ip(const struct config_field *field, const void *object, struct json_out *out)
{
	const struct ip_addr *addr = config_member_const(object, field->offset, struct ip_addr);
	char text[IP_TEXT_MAX];

	if (addr->family != IP_NONE)
		json_out_string(out, field->key, ip_format(addr, text));
	else if (!(field->flags & CONFIG_OMIT))
		json_out_null(out, field->key);
}

const struct config_type config_type_ip = { "IP address", parse_ip, write_ip };

static int parse_bind(struct config_ctx *ctx, const struct config_field *field, const json_t *value,
		      void *object)
{
	struct ip_addr addr;
	int r = parse_address(ctx, 0, value, &addr);

	if (r == 0)
		ip_format(&addr, config_member(object, field->offset, char));
	return r;
}

const struct config_type config_type_bind = { "IP address", parse_bind, write_text };

static int parse_router_id(struct config_ctx *ctx, const struct config_field *field,
			   const json_t *value, void *object)
{
	struct ip_addr addr = { .family = IP_NONE };
	int r = parse_address(ctx, IP_V4, value, &addr);

	if (r == 0)
		*config_member(object, field->offset, uint32_t) = ip_to_v4(&addr);
	return r;
}

static void write_router_id(const struct config_field *field, const void *object,
			    struct json_out *out)
{
	struct ip_addr addr = ip_from_v4(*config_member_const(object, field->offset, uint32_t));
	char text[IP_TEXT_MAX];

	json_out_string(out, field->key, ip_is_zero(&addr) ? NULL : ip_format(&addr, text));
}

const struct config_type config_type_router_id = { "IPv4 address", parse_router_id,
						   write_router_id };

/* The prefix that was meant, for the message. */
static int mask_text(const char *text, struct ip_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	char host[IP_TEXT_MAX];
	struct ip_addr addr;

	if (!slash || (size_t)(slash - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = 0;
	if (ip_parse(host, &addr) < 0)
		return -EINVAL;
	*ret_prefix = prefix_of(&addr, (uint8_t)atoi(slash + 1));
	return 0;
}

int config_parse_prefix(struct config_ctx *ctx, const json_t *value, struct ip_prefix *ret_prefix)
{
	const char *text = want_string(ctx, "a prefix", value);
	char shown[CONFIG_SHOW_MAX], fixed[PREFIX_TEXT_MAX];
	struct ip_prefix prefix;

	if (!text)
		return -EINVAL;
	config_show(text, shown);
	switch (prefix_parse(text, ret_prefix)) {
	case 0:
		return 0;
	case -ERANGE:
		return config_fail(ctx, "the prefix length of '%s' is out of range", shown);
	case -EDOM:
		if (mask_text(text, &prefix) == 0)
			return config_fail(ctx, "'%s' has host bits set; did you mean '%s'?", shown,
					   prefix_format(&prefix, fixed));
		return config_fail(ctx, "'%s' has host bits set", shown);
	default:
		return config_fail(ctx, "'%s' is not a prefix such as 10.1.0.0/16", shown);
	}
}

static int parse_prefix(struct config_ctx *ctx, const struct config_field *field,
			const json_t *value, void *object)
{
	return config_parse_prefix(ctx, value,
				   config_member(object, field->offset, struct ip_prefix));
}

static void write_prefix(const struct config_field *field, const void *object, struct json_out *out)
{
	const struct ip_prefix *prefix =
		config_member_const(object, field->offset, struct ip_prefix);
	char text[PREFIX_TEXT_MAX];

	if (prefix->addr.family != IP_NONE)
		json_out_string(out, field->key, prefix_format(prefix, text));
}

const struct config_type config_type_prefix = { "prefix", parse_prefix, write_prefix };

/* --- values that may be absent: a bool beside them says so ------------------------------------------ */

static int parse_given_u32(struct config_ctx *ctx, const struct config_field *field,
			   const json_t *value, void *object)
{
	int r = parse_u32(ctx, field, value, object);

	if (r == 0)
		*config_member(object, field->flag_offset, bool) = true;
	return r;
}

static void write_given_u32(const struct config_field *field, const void *object,
			    struct json_out *out)
{
	if (*config_member_const(object, field->flag_offset, bool))
		write_u32(field, object, out);
}

const struct config_type config_type_given_u32 = { "integer", parse_given_u32, write_given_u32 };

static int parse_given_ip(struct config_ctx *ctx, const struct config_field *field,
			  const json_t *value, void *object)
{
	int r = parse_ip(ctx, field, value, object);

	if (r == 0)
		*config_member(object, field->flag_offset, bool) = true;
	return r;
}

const struct config_type config_type_given_ip = { "IP address", parse_given_ip, write_ip };
