// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an argument vector to one request: options anywhere, noun and verb, a bare name, --flags that
 * become parameters. Called by main.c; pure. Everything is refused here that the table of commands does
 * not know, with the nearest word.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "agent/state_file.h"
#include "ctl/ctl.h"
#include "util/closest.h"

#define KEBABS_MAX 24 /* flags of a command that are looked at for the nearest */
#define FILE_MAX   (16u << 20)
#define WORDS_MAX  12 /* bare words: noun, verb, and the types of monitor */

struct parser {
	struct ctl_args *args;
	char *text; /* of an error; CTL_TEXT octets */
	const char *words[WORDS_MAX];
	unsigned int n_words;
	json_t *params;
};

static int fail(struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int fail(struct parser *parser, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(parser->text, CTL_TEXT, format, list);
	va_end(list);
	return -1;
}

/* --- words ----------------------------------------------------------------------------------------- */

static int unknown_noun(struct parser *parser, const char *noun)
{
	struct closest closest;
	const char *near;

	closest_init(&closest, noun);
	for (size_t i = 0; i < ctl_n_commands; i++)
		closest_offer(&closest, ctl_commands[i].noun);
	near = closest_best(&closest);
	return fail(parser, "there is no command '%s'%s%s%s", noun, near ? "; did you mean '" : "",
		    near ? near : "", near ? "'?" : "; see 'xrsctl help'");
}

static int unknown_verb(struct parser *parser, const char *noun, const char *verb)
{
	char all[256] = "";
	struct closest closest;
	size_t used = 0;
	const char *near;

	closest_init(&closest, verb ? verb : "");
	for (size_t i = 0; i < ctl_n_commands && used < sizeof(all); i++) {
		if (strcmp(ctl_commands[i].noun, noun) != 0 || !ctl_commands[i].verb)
			continue;
		closest_offer(&closest, ctl_commands[i].verb);
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "",
					 ctl_commands[i].verb);
	}
	near = closest_best(&closest);
	if (!verb)
		return fail(parser, "'%s' needs one of: %s", noun, all);
	if (near)
		return fail(parser, "'%s' has no '%s'; did you mean '%s'?", noun, verb, near);
	return fail(parser, "'%s' has no '%s', but: %s", noun, verb, all);
}

static bool noun_known(const char *noun)
{
	for (size_t i = 0; i < ctl_n_commands; i++) {
		if (strcmp(ctl_commands[i].noun, noun) == 0)
			return true;
	}
	return false;
}

/* Finds the command of the words; *ret_used of them belong to it. */
static int find_command(struct parser *parser, unsigned int *ret_used)
{
	const char *noun = parser->n_words ? parser->words[0] : "help";
	const char *verb = parser->n_words > 1 ? parser->words[1] : NULL;

	if (!noun_known(noun))
		return unknown_noun(parser, noun);
	parser->args->command = verb ? ctl_find(noun, verb) : NULL;
	*ret_used = parser->args->command ? 2 : 1;
	if (!parser->args->command)
		parser->args->command = ctl_find(noun, NULL);
	return parser->args->command ? 0 : unknown_verb(parser, noun, verb);
}

/* --- parameters ------------------------------------------------------------------------------------ */

/* The kind of a parameter (of CTL_KINDS, or ' ' for text), or 0: the command has none of this name. */
static char find_param(const struct ctl_command *command, const char *name)
{
	size_t len = strlen(name);
	bool any = false;

	for (const char *at = command->params; *at;) {
		size_t word = strcspn(at, " ");
		char last = word ? at[word - 1] : ' ';
		bool typed = strchr(CTL_KINDS, last) != NULL;

		if (word - typed == len && memcmp(at, name, len) == 0)
			return typed ? last : ' ';
		any |= word == 1 && *at == '*';
		at += word + (at[word] == ' ');
	}
	return any ? '@' : 0;
}

/*
 * `--confirm-within` for confirmWithinSeconds: whole words at the beginning of one parameter are enough.
 * Completes @name in place; leaves it as it is when none or several begin so.
 */
static void complete_param(const struct ctl_command *command, char *name, size_t cap)
{
	const char *found = NULL;
	size_t len = strlen(name), found_len = 0;

	for (const char *at = command->params; *at;) {
		size_t word = strcspn(at, " ");
		size_t bare = word - (strchr(CTL_KINDS, at[word - 1]) != NULL);

		if (bare > len && memcmp(at, name, len) == 0 && isupper((unsigned char)at[len])) {
			if (found)
				return;
			found = at;
			found_len = bare;
		}
		at += word + (at[word] == ' ');
	}
	if (found)
		snprintf(name, cap, "%.*s", (int)found_len, found);
}

static int unknown_flag(struct parser *parser, const char *flag)
{
	const struct ctl_command *command = parser->args->command;
	char words[CTL_TEXT], kebab[KEBABS_MAX][48];
	struct closest closest;
	unsigned int n = 0;
	const char *near;
	char *save = NULL;

	snprintf(words, sizeof(words), "%s", command->params);
	closest_init(&closest, flag);
	for (char *word = strtok_r(words, " *" CTL_KINDS, &save); word && n < KEBABS_MAX;
	     word = strtok_r(NULL, " *" CTL_KINDS, &save))
		closest_offer(&closest, ctl_kebab(word, kebab[n++], sizeof(kebab[0])));
	near = closest_best(&closest);
	return fail(parser, "'%s%s%s' has no --%s%s%s%s", command->noun, command->verb ? " " : "",
		    command->verb ? command->verb : "", flag, near ? "; did you mean --" : "",
		    near ? near : "", near ? "?" : "");
}

static json_t *integer_value(struct parser *parser, const char *value)
{
	long long number;
	char *end;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || *end || end == value) {
		fail(parser, "'%s' is not a number", value);
		return NULL;
	}
	return json_integer(number);
}

static json_t *list_value(const char *value)
{
	char words[CTL_TEXT], *save = NULL;
	json_t *list = json_array();

	snprintf(words, sizeof(words), "%s", value);
	for (char *word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save))
		json_array_append_new(list, json_string(word));
	return list;
}

/* A file as the daemon reads it: JSON with comments. */
static json_t *file_value(struct parser *parser, const char *path)
{
	json_error_t error;
	json_t *json = NULL;
	char *text = NULL;
	size_t len = 0, offset;
	int r = state_file_read(path, FILE_MAX, &text, &len);

	if (r < 0)
		fail(parser, "%s: %s", path, strerror(-r));
	else if (config_blank_comments(text, len, &offset) < 0)
		fail(parser, "%s: a comment is never closed", path);
	else {
		json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
		if (!json)
			fail(parser, "%s:%d:%d: %s", path, error.line, error.column, error.text);
	}
	free(text);
	return json;
}

/* NULL with the complaint made, or for want of UTF-8. */
static json_t *param_value(struct parser *parser, char kind, const char *value)
{
	json_t *json;

	switch (kind) {
	case '?':
	case '!':
		return json_true();
	case '#':
		return integer_value(parser, value);
	case ',':
		return list_value(value);
	case '<':
		return file_value(parser, value);
	case '@':
		json = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		return json ? json : json_string(value);
	default:
		return json_string(value);
	}
}

static int set_param(struct parser *parser, const char *name, char kind, const char *value)
{
	json_t *json = param_value(parser, kind, value);

	if (!json)
		return *parser->text ? -1 : fail(parser, "'%s' is not valid UTF-8", name);
	if (json_object_get(parser->params, name)) {
		json_decref(json);
		return fail(parser, "'%s' is given twice", name);
	}
	return json_object_set_new(parser->params, name, json) < 0 ? fail(parser, "out of memory")
								   : 0;
}

/* "--peer-asn 5", "--peer-asn=5"; @value NULL: the next argument. Returns how many it took, or -1. */
static int take_flag(struct parser *parser, char *const *argv, int left)
{
	const char *text = argv[0] + 2, *equals = strchr(text, '=');
	char flag[64], name[64], kind;

	snprintf(flag, sizeof(flag), "%.*s", equals ? (int)(equals - text) : 63, text);
	ctl_camel(flag, name, sizeof(name));
	kind = find_param(parser->args->command, name);
	if (!kind) {
		complete_param(parser->args->command, name, sizeof(name));
		kind = find_param(parser->args->command, name);
	}
	if (!kind)
		return unknown_flag(parser, flag);
	if ((kind == '?' || kind == '!') && equals)
		return fail(parser, "--%s takes no value", flag);
	if (kind == '?' || kind == '!')
		return set_param(parser, name, kind, NULL) < 0 ? -1 : 1;
	if (!equals && left < 2)
		return fail(parser, "--%s needs a value", flag);
	if (set_param(parser, name, kind, equals ? equals + 1 : argv[1]) < 0)
		return -1;
	return equals ? 1 : 2;
}

/* --- global options --------------------------------------------------------------------------------- */

/* How many arguments it took; 0: it is none of these; -1: it is wrong. */
static int take_option(struct parser *parser, char *const *argv, int left)
{
	const struct {
		const char *brief, *full;
		bool *flag;
	} options[] = {
		{ "-j", "--json", &parser->args->json },
		{ "-p", "--pretty", &parser->args->pretty },
		{ "-w", "--watch", &parser->args->watch },
		{ "-V", "--version", &parser->args->version },
		{ "--no-header", "--no-headers", &parser->args->no_header },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(argv[0], options[i].brief) == 0 ||
		    strcmp(argv[0], options[i].full) == 0) {
			*options[i].flag = true;
			return 1;
		}
	}
	if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
		parser->words[0] = "help";
		parser->n_words = 1;
		return 1;
	}
	if (strncmp(argv[0], "--socket=", 9) == 0) {
		parser->args->socket = argv[0] + 9;
		return 1;
	}
	if (strcmp(argv[0], "-s") == 0 || strcmp(argv[0], "--socket") == 0) {
		if (left < 2)
			return fail(parser, "%s needs the path of a socket", argv[0]);
		parser->args->socket = argv[1];
		return 2;
	}
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

/* The value of a flag looks like a word: a flag takes what follows it unless it is a switch. */
static bool flag_takes_next(const char *flag)
{
	char name[64];

	if (strchr(flag, '='))
		return false;
	ctl_camel(flag + 2, name, sizeof(name));
	for (size_t i = 0; i < ctl_n_commands; i++) {
		char kind = find_param(&ctl_commands[i], name);

		if (kind == '?' || kind == '!')
			return false;
	}
	return true;
}

/* First pass: options and bare words. The flags of the command wait until the command is known. */
static int collect(struct parser *parser, int argc, char *const *argv)
{
	for (int i = 1; i < argc;) {
		int took = take_option(parser, argv + i, argc - i);

		if (took < 0)
			return -1;
		if (took == 0 && strncmp(argv[i], "--", 2) == 0 && argv[i][2])
			took = flag_takes_next(argv[i]) && i + 1 < argc ? 2 : 1;
		else if (took == 0 && argv[i][0] == '-' && argv[i][1])
			return fail(parser, "there is no option '%s'", argv[i]);
		else if (took == 0 && parser->n_words == WORDS_MAX)
			return fail(parser, "'%s' is one word too many", argv[i]);
		else if (took == 0) {
			parser->words[parser->n_words++] = argv[i];
			took = 1;
		}
		i += took;
	}
	return 0;
}

static int take_flags(struct parser *parser, int argc, char *const *argv)
{
	char ignored[CTL_TEXT];
	struct ctl_args again = { .json = false };
	struct parser options = { .args = &again, .text = ignored };

	for (int i = 1; i < argc;) {
		int took = take_option(&options, argv + i, argc - i);

		if (took == 0 && strncmp(argv[i], "--", 2) == 0 && argv[i][2])
			took = take_flag(parser, argv + i, argc - i);
		else if (took == 0)
			took = 1;
		if (took < 0)
			return -1;
		i += took;
	}
	return 0;
}

static int fill_request(struct parser *parser, unsigned int used)
{
	struct ctl_args *args = parser->args;
	const struct ctl_command *command = args->command;
	unsigned int extra = parser->n_words > used ? parser->n_words - used : 0;
	char noun[32], verb[32];

	if (extra > (command->positional ? 1u : 0u))
		return fail(parser, "'%s' is one word too many",
			    parser->words[used + (command->positional != NULL)]);
	if (extra && set_param(parser, command->positional,
			       find_param(command, command->positional), parser->words[used]) < 0)
		return -1;
	snprintf(args->method, sizeof(args->method), "%s.%s",
		 ctl_camel(command->noun, noun, sizeof(noun)),
		 ctl_camel(command->verb, verb, sizeof(verb)));
	if (find_param(command, "azure") == '!' && json_object_get(parser->params, "azure")) {
		args->azure = args->json = true;
		json_object_del(parser->params, "azure");
	}
	if (json_object_size(parser->params) == 0)
		return 0;
	args->params = json_dumps(parser->params, JSON_COMPACT);
	return args->params ? 0 : fail(parser, "out of memory");
}

/* `monitor peer.state,route.* nic.*`: the words are types, by commas or blanks. */
static int fill_monitor(struct parser *parser, unsigned int used)
{
	struct ctl_args *args = parser->args;
	json_t *types = json_array();
	char words[256], *save = NULL;
	int r = types ? 0 : -1;

	for (unsigned int i = used; r == 0 && i < parser->n_words; i++) {
		snprintf(words, sizeof(words), "%s", parser->words[i]);
		for (char *word = strtok_r(words, ",", &save); word && r == 0;
		     word = strtok_r(NULL, ",", &save))
			r = json_array_append_new(types, json_string(word));
	}
	if (r == 0 && json_array_size(types))
		r = json_object_set(parser->params, "types", types);
	json_decref(types);
	snprintf(args->method, sizeof(args->method), "monitor.subscribe");
	args->params = r == 0 ? json_dumps(parser->params, JSON_COMPACT) : NULL;
	return args->params ? 0 : fail(parser, "the types are not valid UTF-8");
}

static int fill_rpc(struct parser *parser)
{
	struct ctl_args *args = parser->args;
	json_error_t error;
	json_t *params;

	args->follow = json_is_true(json_object_get(parser->params, "follow"));
	if (parser->n_words < 2 || parser->n_words > 3)
		return fail(parser, "usage: xrsctl rpc METHOD [PARAMS as JSON] [--follow]");
	snprintf(args->method, sizeof(args->method), "%s", parser->words[1]);
	args->json = true;
	if (parser->n_words == 2)
		return 0;
	params = json_loads(parser->words[2], JSON_REJECT_DUPLICATES, &error);
	if (!params)
		return fail(parser,
			    "the parameters must be a JSON object such as '{\"name\":\"fw\"}': %s",
			    error.text);
	if (!json_is_object(params)) {
		json_decref(params);
		return fail(parser,
			    "the parameters must be a JSON object such as '{\"name\":\"fw\"}'");
	}
	args->params = json_dumps(params, JSON_COMPACT);
	json_decref(params);
	return args->params ? 0 : fail(parser, "out of memory");
}

static int parse(struct parser *parser, int argc, char *const *argv)
{
	struct ctl_args *args = parser->args;
	unsigned int used = 0;

	if (collect(parser, argc, argv) < 0 || find_command(parser, &used) < 0 ||
	    take_flags(parser, argc, argv) < 0)
		return -1;
	if (ctl_is_request(args->command) || args->command->action == CTL_ROUTE_MAP)
		return fill_request(parser, used);
	if (args->command->action == CTL_RPC)
		return fill_rpc(parser);
	if (args->command->action == CTL_COMPARE) {
		if (parser->n_words != 3)
			return fail(parser, "usage: xrsctl compare A.json B.json");
		args->word = parser->words[1];
		args->other = parser->words[2];
		return 0;
	}
	if (args->command->action == CTL_MONITOR)
		return fill_monitor(parser, used);
	if (args->command->action == CTL_DETACH) {
		const char *instance =
			json_string_value(json_object_get(parser->params, "instance"));

		snprintf(args->instance, sizeof(args->instance), "%s", instance ? instance : "xrs");
	}
	/* `completion bash NOUN` is what the completion itself asks: the names of that noun. */
	if (args->command->action == CTL_COMPLETION && parser->n_words == 3)
		args->word = parser->words[2];
	else if (parser->n_words > used)
		return fail(parser, "'%s' is one word too many", parser->words[used]);
	return 0;
}

int ctl_args_parse(int argc, char *const *argv, struct ctl_args *ret_args,
		   char text[static CTL_TEXT])
{
	struct parser parser = { .args = ret_args, .text = text };
	int r;

	*ret_args = (struct ctl_args){ .json = false };
	/* Known before anything is refused: then the refusal is JSON wherever -j stands. */
	for (int i = 1; i < argc; i++)
		ret_args->json |= strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0;
	text[0] = 0;
	parser.params = json_object();
	r = parser.params ? parse(&parser, argc, argv) : fail(&parser, "out of memory");
	json_decref(parser.params);
	return r;
}

void ctl_args_done(struct ctl_args *args)
{
	free(args->params);
	args->params = NULL;
}

void ctl_help(struct json_out *out)
{
	ctl_put(out, "usage: xrsctl [-j] [-p] [-w] [--no-header] [-s SOCKET] NOUN VERB [NAME] "
		     "[--flag value]\n\n");
	for (size_t i = 0; i < ctl_n_commands; i++) {
		const struct ctl_command *command = &ctl_commands[i];
		char words[64];

		snprintf(words, sizeof(words), "%s %s", command->noun,
			 command->verb ? command->verb : "");
		ctl_put(out, "  %-32s %s\n", words, command->summary);
	}
	ctl_put(out, "\n  -j JSON, -p indented JSON, -w again every two seconds, -V version\n"
		     "  exit: 0 done, 1 refused, 2 usage, 3 no daemon, 4 not found\n");
}
