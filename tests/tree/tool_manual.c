// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference parts of the manual, written from the tables of the program, so that neither can say what
 * the other does not: `tool_manual config|api|ctl` prints mdoc. `make man` puts it between the marks of
 * xrs.json(5), xrs-api(7) and xrsctl(1); manual.sh holds the pages to it.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/config_schema.h"
#include "api/api_impl.h"
#include "ctl/ctl.h"

#define LINE_MAX 79 /* mandoc -Tlint wants at most 80 */

/* --- mdoc --------------------------------------------------------------------------------------- */

static void put_char(char c)
{
	if (c == '\\')
		fputs("\\e", stdout);
	else if (c == '"')
		fputs("\\(dq", stdout);
	else
		putchar(c);
}

/* Running text: words filled into lines, a new line for each new sentence. */
static void text(const char *words)
{
	size_t column = 0;

	while (*words) {
		size_t len = strcspn(words, " ");
		bool sentence = strchr(".?!", words[len - 1]) && words[len] &&
				isupper((unsigned char)words[len + 1]);

		if (column && column + 1 + len > LINE_MAX) {
			putchar('\n');
			column = 0;
		}
		if (column)
			putchar(' ');
		else if (*words == '.' || *words == '\'')
			fputs("\\&", stdout);
		column += len + (column > 0);
		for (size_t i = 0; i < len; i++)
			put_char(words[i]);
		words += len + (words[len] == ' ');
		if (sentence) {
			putchar('\n');
			column = 0;
		}
	}
	if (column)
		putchar('\n');
}

/* `.It Va key Pq "remark"`, the remark cut into arguments of several lines where it is long. */
static void item(const char *macro, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void item(const char *macro, const char *key, const char *format, ...)
{
	char remark[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(remark, sizeof(remark), format, args);
	va_end(args);
	printf(".It %s %s\n", macro, key);
	if (*remark) {
		printf(".Pq ");
		putchar('"');
		for (const char *c = remark; *c; c++)
			put_char(*c);
		printf("\"\n");
		puts(".br");
	}
}

/* --- xrs.json(5) ------------------------------------------------------------------------------------ */

struct remark {
	char text[1024];
};

static void add(struct remark *remark, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add(struct remark *remark, const char *format, ...)
{
	size_t used = strlen(remark->text);
	va_list args;

	va_start(args, format);
	vsnprintf(remark->text + used, sizeof(remark->text) - used, format, args);
	va_end(args);
}

static bool is_number(const struct config_type *type)
{
	return type == &config_type_u8 || type == &config_type_u16 || type == &config_type_u32 ||
	       type == &config_type_given_u32;
}

static void add_names(struct remark *remark, const struct config_name *names)
{
	for (const struct config_name *name = names; name->name; name++)
		add(remark, "%s%s", name == names ? " " : ", ", name->name);
}

static void add_type(struct remark *remark, const struct config_field *field)
{
	const struct config_type *type = field->type;

	add(remark, "%s", type->name);
	if (field->names && type != &config_type_keyed_list && type != &config_type_condition &&
	    type != &config_type_as_path)
		add_names(remark, field->names);
	else if (field->names) {
		add(remark, ":");
		add_names(remark, field->names);
	}
	if (field->element)
		add(remark, " of %s", field->element->name);
	if (is_number(type))
		add(remark, " from %u to %u", field->min, field->max);
	else if (type == &config_type_text || type == &config_type_name ||
		 type == &config_type_path)
		add(remark, " of at most %u octets", field->max - 1);
	else if ((type == &config_type_list || type == &config_type_objects ||
		  type == &config_type_patterns || type == &config_type_keyed_list ||
		  type == &config_type_condition || type == &config_type_as_path) &&
		 field->max)
		add(remark, ", at most %u", field->max);
}

static void add_default(struct remark *remark, const struct config_field *field)
{
	if (field->flags & CONFIG_REQUIRED)
		add(remark, "; required");
	else if (field->fallback)
		add(remark, "; default %s", field->fallback);
	else if (field->flags & CONFIG_NULLABLE)
		add(remark, "; default null");
	else
		add(remark, "; default: absent");
}

static void write_object(const struct config_object *object);

static void write_fields(const struct config_object *object)
{
	puts(".Bl -tag -width Ds");
	for (const struct config_field *field = object->fields; field->key; field++) {
		struct remark remark = { "" };

		add_type(&remark, field);
		add_default(&remark, field);
		item("Va", field->key, "%s", remark.text);
		text(field->doc);
	}
	puts(".El");
}

/* Outer objects first: a page is read from the top. */
static void write_object(const struct config_object *object)
{
	/* A name may end in "]", which would be a delimiter at the end of the line. */
	printf(".Ss %s\\&\n", *object->name ? object->name : "The file");
	write_fields(object);
	for (const struct config_field *field = object->fields; field->key; field++) {
		if (field->object)
			write_object(field->object);
	}
}

/* --- xrs-api(7) --------------------------------------------------------------------------------------- */

static void add_param_type(struct remark *remark, const struct api_param *param)
{
	static const char *const types[] = {
		[API_TEXT] = "string",        [API_INTEGER] = "integer",
		[API_BOOL] = "true or false", [API_WORD] = "one of",
		[API_ADDRESS] = "IP address", [API_PREFIX] = "prefix",
		[API_OBJECT] = "object",      [API_WORD_LIST] = "list of any of",
	};

	add(remark, "%s", types[param->type]);
	for (const char *const *word = param->words; word && *word; word++)
		add(remark, "%s%s", word == param->words ? " " : ", ", *word);
	if (param->type == API_INTEGER)
		add(remark, " from %lld to %lld", (long long)param->min, (long long)param->max);
	if (param->type == API_TEXT)
		add(remark, " of at most %lld octets", param->max ? (long long)param->max : 255);
	if (param->required)
		add(remark, "; required");
}

static const char *access_text(enum api_access access)
{
	static const char *const texts[] = {
		[API_READS] = "",
		[API_WRITES] = "Needs the right to write.",
		[API_WRITES_WITH_REPAIR] = "With repair it needs the right to write.",
	};

	return texts[access];
}

static void write_method(const struct api_method *method)
{
	printf(".Ss %s\n", method->name);
	text(method->summary);
	text(access_text(method->access));
	if (method->params && method->params->type != API_KEYS) {
		puts(".Bl -tag -width Ds");
		for (const struct api_param *param = method->params; param->name; param++) {
			struct remark remark = { "" };

			if (param->type == API_KEYS)
				continue;
			add_param_type(&remark, param);
			item("Va", param->name, "%s", remark.text);
			text(param->doc);
		}
		puts(".El");
	}
	if (api_method_object(method))
		printf(".Pp\nThe keys of\n.Va %s\nin\n.Xr xrs.json 5\nare parameters as well.\n",
		       api_method_object(method)->name);
	if (*method->result) {
		puts(".Pp\nThe result:");
		text(method->result);
	} else {
		puts(".Pp\nThe result is empty.");
	}
}

static void write_codes(void)
{
	static const int codes[] = {
		API_PARSE_ERROR,    API_INVALID_REQUEST,   API_METHOD_NOT_FOUND,
		API_INVALID_PARAMS, API_INTERNAL,          API_NOT_FOUND,
		API_ALREADY_EXISTS, API_PERMISSION_DENIED, API_MANAGED_BY_FILE,
		API_LIMIT_EXCEEDED, API_CONFLICT,          API_DATAPLANE_ERROR,
		API_NOT_READY,      API_INVALID_CONFIG,
	};

	puts(".Sh ERROR CODES\n.Bl -column -offset indent MMMMMM MMMMMMMMMMMMMMMM");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		printf(".It %d Ta %s\n", codes[i], api_code_reason(codes[i]));
	puts(".El");
}

static void write_events(void)
{
	puts(".Sh EVENTS\n.Bl -tag -width Ds");
	for (unsigned int i = 0; i < EVENT_TYPE_MAX; i++) {
		item("Va", event_type_name(i), "%s", "");
		text(event_type_members(i));
	}
	puts(".El");
}

static void write_api(void)
{
	puts(".Sh METHODS");
	for (size_t i = 0; i < api_n_methods; i++)
		write_method(&api_methods[i]);
	write_events();
	write_codes();
}

/* --- xrsctl(1) ------------------------------------------------------------------------------------------ */

/* The words of a command as mdoc: `.It Cm peering show Oo Fl -name Oc Ar name Op Fl -vnet Ar vnet`. */
static void write_command(const struct ctl_command *command)
{
	char words[512], flag[64], *save = NULL;
	const char *bare = command->positional;

	snprintf(words, sizeof(words), "%s", command->params);
	printf(".It Cm %s%s%s", command->noun, command->verb ? " " : "",
	       command->verb ? command->verb : "");
	if (bare)
		printf(" Oo Oo Fl -%s Oc Ar %s Oc", ctl_kebab(bare, flag, sizeof(flag)), flag);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		bool is_switch = strchr("?!", word[strlen(word) - 1]) != NULL;

		if (strcmp(word, "*") == 0) {
			printf(" Oo Fl -key Ar value Oc");
			continue;
		}
		word[strcspn(word, CTL_KINDS)] = 0;
		if (bare && strcmp(word, bare) == 0)
			continue;
		printf(" Oo Fl -%s", ctl_kebab(word, flag, sizeof(flag)));
		if (!is_switch)
			printf(" Ar %s", flag);
		printf(" Oc");
	}
	putchar('\n');
	text(command->summary);
}

static void write_ctl(void)
{
	puts(".Sh COMMANDS\n.Bl -tag -width Ds");
	for (size_t i = 0; i < ctl_n_commands; i++)
		write_command(&ctl_commands[i]);
	puts(".El");
}

int main(int argc, char **argv)
{
	const char *which = argc == 2 ? argv[1] : "";

	if (strcmp(which, "config") == 0) {
		puts(".Sh KEYS");
		write_object(&config_root);
	} else if (strcmp(which, "api") == 0) {
		write_api();
	} else if (strcmp(which, "ctl") == 0) {
		write_ctl();
	} else {
		fputs("usage: tool_manual config|api|ctl\n", stderr);
		return 2;
	}
	return fflush(stdout) == EOF;
}
