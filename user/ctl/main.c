// SPDX-License-Identifier: GPL-2.0-only
/*
 * xrsctl: asks the daemon and prints what it says. Text goes to stdout, complaints to stderr; with -j
 * stdout gets exactly one JSON document, whatever happens. Exit: enum ctl_exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "fib/loader.h"
#include "util/mono.h"

#define SOCKET_DEFAULT "/run/xrs/xrs.sock"
#define WATCH_SEC      2

/* --- printing ------------------------------------------------------------------------------------- */

static void print_json(const struct ctl_args *args, const json_t *value)
{
	json_dumpf(value, stdout, JSON_ENCODE_ANY | (args->pretty ? JSON_INDENT(2) : JSON_COMPACT));
	putchar('\n');
}

/* An error of ours, in the shape of the daemon's. */
static enum ctl_exit complain(const struct ctl_args *args, enum ctl_exit code, const char *reason,
			      const char *text)
{
	json_t *error;

	fprintf(stderr, "xrsctl: %s\n", text);
	if (!args->json)
		return code;
	error = json_pack("{s:{s:i,s:s,s:{s:s}}}", "error", "code", -32000 - (int)code - 90,
			  "message", text, "data", "reason", reason);
	if (!error) /* the text was not UTF-8: it came from the command line */
		error = json_pack("{s:{s:i,s:s,s:{s:s}}}", "error", "code", -32000 - (int)code - 90,
				  "message", "the arguments are not valid UTF-8", "data", "reason",
				  reason);
	print_json(args, error);
	json_decref(error);
	return code;
}

static enum ctl_exit refused(const struct ctl_args *args, const json_t *error)
{
	const json_t *data = json_object_get(error, "data");
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *near = json_string_value(json_object_get(data, "didYouMean"));
	bool said = message && strstr(message, "did you mean");
	json_t *document;

	fprintf(stderr, "xrsctl: %s%s%s%s\n", message ? message : "refused",
		near && !said ? "; did you mean '" : "", near && !said ? near : "",
		near && !said ? "'?" : "");
	if (args->json) {
		document = json_pack("{s:O}", "error", error);
		print_json(args, document);
		json_decref(document);
	}
	return json_integer_value(json_object_get(error, "code")) == -32001 ? CTL_NOT_FOUND
									    : CTL_REFUSED;
}

static void flush_text(struct json_out *out)
{
	if (out->len) /* an answer without members is no text */
		fwrite(out->data, 1, out->len, stdout);
	json_out_done(out);
}

/* --- asking -------------------------------------------------------------------------------------------- */

static const char *socket_path(const struct ctl_args *args)
{
	const char *path = args->socket ? args->socket : getenv("XRS_SOCKET");

	return path && *path ? path : SOCKET_DEFAULT;
}

static enum ctl_exit no_daemon(const struct ctl_args *args, int error)
{
	char text[512];

	snprintf(text, sizeof(text), "cannot reach xrsd at %s: %s", socket_path(args),
		 error == EPROTO ? "it does not speak the protocol" : strerror(error));
	return complain(args, CTL_NO_DAEMON, "NoDaemon", text);
}

/* One call: the result with a reference, or NULL with everything said and *ret_exit set. */
static json_t *ask(const struct ctl_args *args, struct ctl_client *client, const char *method,
		   const char *params, enum ctl_exit *ret_exit)
{
	json_t *answer = NULL, *result = NULL;
	int r = ctl_call(client, method, params, &answer);

	*ret_exit = CTL_DONE;
	if (r < 0) {
		*ret_exit = no_daemon(args, -r);
	} else if (json_object_get(answer, "error")) {
		*ret_exit = refused(args, json_object_get(answer, "error"));
	} else {
		result = json_incref(json_object_get(answer, "result"));
	}
	json_decref(answer);
	return result;
}

/* peering.show of the peering that a request for its routes named. */
static json_t *ask_peering(const struct ctl_args *args, struct ctl_client *client,
			   enum ctl_exit *ret_exit)
{
	json_t *params = json_loads(args->params ? args->params : "{}", 0, NULL);
	json_t *only = json_pack("{s:O*,s:O*}", "name", json_object_get(params, "name"), "vnet",
				 json_object_get(params, "vnet"));
	char *text = only ? json_dumps(only, JSON_COMPACT) : NULL;
	json_t *peering = ask(args, client, "peering.show", text, ret_exit);

	free(text);
	json_decref(only);
	json_decref(params);
	return peering;
}

/* The routes of a peering as `az network routeserver peering` prints them. */
static enum ctl_exit print_azure(const struct ctl_args *args, struct ctl_client *client,
				 const json_t *result)
{
	bool learned = strcmp(args->method, "peering.listLearnedRoutes") == 0;
	enum ctl_exit code = CTL_DONE;
	json_t *peering = learned ? ask_peering(args, client, &code) : NULL;
	const char *address = json_string_value(json_object_get(peering, "peerIp"));
	json_t *document;

	if (learned && !peering)
		return code;
	document = ctl_azure_routes(result, learned && !address ? "" : address);
	print_json(args, document);
	json_decref(document);
	json_decref(peering);
	return CTL_DONE;
}

static enum ctl_exit do_request(const struct ctl_args *args, struct ctl_client *client)
{
	enum ctl_exit code;
	json_t *result = ask(args, client, args->method, args->params, &code);
	struct json_out out;

	if (!result)
		return code;
	if (args->azure) {
		code = print_azure(args, client, result);
		json_decref(result);
		return code;
	}
	/* A configuration is JSON: there is no better text for it. */
	if (args->json || strcmp(args->method, "config.show") == 0) {
		struct ctl_args pretty = *args;

		pretty.pretty |= !args->json;
		print_json(&pretty, args->json ? result : json_object_get(result, "config"));
	} else if (args->command->action != CTL_REQUEST && ctl_is_request(args->command)) {
		json_out_init(&out);
		ctl_print_sections(args->command, result, args->no_header, wall_now_usec(), &out);
		flush_text(&out);
	} else {
		json_out_init(&out);
		ctl_print_result(args->command, result, args->no_header, wall_now_usec(), &out);
		flush_text(&out);
	}
	if (strcmp(args->method, "fib.verify") == 0 &&
	    json_is_false(json_object_get(result, "clean")))
		code = CTL_REFUSED;
	json_decref(result);
	return code;
}

static bool is_event(const json_t *line, const char *type)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(line, "params"), "type"));

	return text && type && strcmp(text, type) == 0;
}

/* Events, one a line, until one of type @last, the daemon goes away, or nobody reads ours. */
static enum ctl_exit follow(const struct ctl_args *args, struct ctl_client *client,
			    const char *last)
{
	bool end = false;
	int r = 0;

	while (!end && r == 0 && fflush(stdout) == 0) {
		json_t *line = NULL;
		struct json_out out;

		r = ctl_next(client, &line);
		if (r == 0 && args->json) {
			print_json(args, line);
		} else if (r == 0) {
			json_out_init(&out);
			ctl_print_event(line, &out);
			flush_text(&out);
		}
		end = r == 0 && is_event(line, last);
		json_decref(line);
	}
	return r < 0 ? no_daemon(args, -r) : CTL_DONE;
}

static enum ctl_exit do_monitor(const struct ctl_args *args, struct ctl_client *client)
{
	enum ctl_exit code;
	json_t *result = ask(args, client, args->method, args->params, &code);

	if (!result)
		return code;
	json_decref(result);
	return follow(args, client, NULL);
}

/* First the ear, then the trace: nothing of it is missed. */
static enum ctl_exit do_trace(const struct ctl_args *args, struct ctl_client *client)
{
	enum ctl_exit code;
	json_t *result = ask(args, client, "monitor.subscribe",
			     "{\"types\":[\"trace.packet\",\"trace.end\"]}", &code);

	if (!result)
		return code;
	json_decref(result);
	result = ask(args, client, args->method, args->params, &code);
	if (!result)
		return code;
	json_decref(result);
	return follow(args, client, "trace.end");
}

static enum ctl_exit do_metrics(const struct ctl_args *args, struct ctl_client *client)
{
	enum ctl_exit code;
	json_t *result = ask(args, client, "metrics.get", NULL, &code);
	const char *text = json_string_value(json_object_get(result, "text"));

	if (result && args->json)
		print_json(args, result);
	else if (text)
		fputs(text, stdout);
	json_decref(result);
	return code;
}

/* --- status: one screen ------------------------------------------------------------------------------- */

static void print_section(const char *title, const struct ctl_command *command,
			  const json_t *result, struct json_out *out)
{
	const json_t *rows = json_object_get(result, command->list);

	ctl_put(out, "\n%s (%zu)\n", title, json_array_size(rows));
	if (json_array_size(rows))
		ctl_print_table(command->columns, rows, false, wall_now_usec(), out);
}

static long long number(const json_t *object, const char *group, const char *key)
{
	return (long long)json_integer_value(json_object_get(json_object_get(object, group), key));
}

static void print_status(const json_t *all, struct json_out *out)
{
	const json_t *info = json_object_get(all, "info"), *fib = json_object_get(all, "fib");
	const json_t *health = json_object_get(all, "health");
	long long up = (long long)json_integer_value(json_object_get(info, "uptimeSeconds"));

	ctl_put(out, "xrsd %s  instance %s  up %lldh%02lldm%02llds  health: %s\n",
		json_string_value(json_object_get(info, "version")),
		json_string_value(json_object_get(info, "instance")), up / 3600, up / 60 % 60,
		up % 60, json_string_value(json_object_get(health, "state")));
	ctl_put(out,
		"maps: %lld routes, %lld groups, %lld next hops; %lld pending, %lld rejected; "
		"mode %s\n",
		number(fib, "routes", "installed"), number(fib, "groups", "installed"),
		number(fib, "nextHops", "installed"), number(fib, "routes", "pending"),
		number(fib, "routes", "rejected"), json_string_value(json_object_get(fib, "mode")));
	print_section("Peerings", ctl_find("peering", "list"), json_object_get(all, "peerings"),
		      out);
	print_section("Nics", ctl_find("nic", "list"), json_object_get(all, "nics"), out);
	print_section("Next hops", ctl_find("fib", "show"), fib, out);
	if (strcmp(json_string_value(json_object_get(health, "state")) ?: "", "ok") != 0)
		print_section("Checks", ctl_find("system", "health"), health, out);
}

static enum ctl_exit do_status(const struct ctl_args *args, struct ctl_client *client)
{
	static const struct {
		const char *key, *method;
	} parts[] = {
		{ "info", "system.info" },      { "health", "system.health" },
		{ "peerings", "peering.list" }, { "nics", "nic.list" },
		{ "fib", "fib.show" },
	};
	enum ctl_exit code = CTL_DONE;
	json_t *all = json_object();
	struct json_out out;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == CTL_DONE; i++) {
		json_t *result = ask(args, client, parts[i].method, NULL, &code);

		if (result)
			json_object_set_new(all, parts[i].key, result);
	}
	if (code == CTL_DONE && args->json) {
		print_json(args, all);
	} else if (code == CTL_DONE) {
		json_out_init(&out);
		print_status(all, &out);
		flush_text(&out);
	}
	json_decref(all);
	return code;
}

/* --- without a daemon ------------------------------------------------------------------------------------ */

/* Whoever holds the lock of an instance would write to maps that are going away. */
static bool daemon_runs(const char *instance)
{
	char path[160];
	bool held;
	int fd;

	snprintf(path, sizeof(path), "/run/%s/api.lock", instance);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

static enum ctl_exit do_detach(const struct ctl_args *args)
{
	char text[LOADER_TEXT] = "", message[LOADER_TEXT + 64];
	int r;

	if (daemon_runs(args->instance))
		return complain(args, CTL_REFUSED, "Conflict", "xrsd is running: stop it first");
	r = loader_purge(args->instance, text);
	if (r < 0) {
		snprintf(message, sizeof(message), "detach: %s", *text ? text : strerror(-r));
		return complain(args, CTL_REFUSED, "DataplaneError", message);
	}
	if (args->json)
		printf("{\"instance\":\"%s\",\"detached\":true}\n", args->instance);
	else
		printf("instance %s: programs and maps are removed\n", args->instance);
	return CTL_DONE;
}

static enum ctl_exit do_route_map(const struct ctl_args *args)
{
	json_t *params = args->params ? json_loads(args->params, 0, NULL) : json_object();
	const char *expect = json_string_value(json_object_get(params, "expect"));
	char text[CTL_TEXT] = "";
	enum ctl_exit code = CTL_DONE;
	bool not_found;
	json_t *result = NULL;
	struct json_out out;
	bool permit;

	not_found = false;
	if (expect && strcmp(expect, "permit") != 0 && strcmp(expect, "drop") != 0)
		snprintf(text, sizeof(text), "--expect takes permit or drop");
	else
		result = ctl_route_map_test(params, text, &not_found);
	permit = json_is_true(json_object_get(result, "permit"));
	if (!result) {
		code = complain(args, not_found ? CTL_NOT_FOUND : CTL_USAGE,
				not_found ? "NotFound" : "Usage", text);
	} else if (args->json) {
		print_json(args, result);
	} else {
		json_out_init(&out);
		ctl_print_table(args->command->columns, json_object_get(result, "rules"),
				args->no_header, 0, &out);
		ctl_put(&out, "\n%s\n", permit ? "permit, as:" : "drop");
		if (permit)
			ctl_print_members(json_object_get(result, "route"), &out);
		flush_text(&out);
	}
	if (result && expect && strcmp(expect, permit ? "permit" : "drop") != 0) {
		fprintf(stderr, "xrsctl: expected %s, got %s\n", expect,
			permit ? "permit" : "drop");
		code = CTL_REFUSED;
	}
	json_decref(result);
	json_decref(params);
	return code;
}

static json_t *load_answer(const char *path, char text[static CTL_TEXT])
{
	json_error_t error;
	json_t *json = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &error)
					      : json_load_file(path, 0, &error);

	if (!json)
		snprintf(text, CTL_TEXT, "%s: %s", path, error.text);
	return json;
}

static enum ctl_exit do_compare(const struct ctl_args *args)
{
	static const struct ctl_column columns[] = { { "PREFIX", "prefix", CTL_PLAIN },
						     { "DIFFERENCE", "difference", CTL_PLAIN },
						     { "HERE", "here", CTL_PLAIN },
						     { "THERE", "there", CTL_PLAIN },
						     { NULL, NULL, CTL_PLAIN } };
	char text[CTL_TEXT] = "";
	json_t *a = load_answer(args->word, text), *b = a ? load_answer(args->other, text) : NULL;
	json_t *result = b ? ctl_compare(a, b, text) : NULL;
	const json_t *rows = json_object_get(result, "value");
	enum ctl_exit code = json_array_size(rows) ? CTL_REFUSED : CTL_DONE;
	struct json_out out;

	if (!result) {
		code = complain(args, CTL_USAGE, "Usage", text);
	} else if (args->json) {
		print_json(args, result);
	} else {
		json_out_init(&out);
		if (json_array_size(rows))
			ctl_print_table(columns, rows, args->no_header, 0, &out);
		ctl_put(&out, "%zu prefixes differ, %lld are the same\n", json_array_size(rows),
			(long long)json_integer_value(json_object_get(result, "same")));
		flush_text(&out);
	}
	json_decref(result);
	json_decref(a);
	json_decref(b);
	return code;
}

/* Names for the completion: silent when anything is wrong. */
static enum ctl_exit do_names(const struct ctl_args *args)
{
	struct ctl_client *client;
	json_t *answer = NULL;
	const json_t *row;
	char method[64], noun[40];
	size_t i;

	if (ctl_connect(socket_path(args), &client) < 0)
		return CTL_NO_DAEMON;
	snprintf(method, sizeof(method), "%s.list", ctl_camel(args->word, noun, sizeof(noun)));
	if (!strchr(noun, '"') && ctl_call(client, method, NULL, &answer) == 0) {
		json_array_foreach(json_object_get(json_object_get(answer, "result"), "value"), i,
				   row)
			printf("%s\n", json_string_value(json_object_get(row, "name")) ?: "");
	}
	json_decref(answer);
	ctl_disconnect(client);
	return CTL_DONE;
}

/* Text that is no table; with -j it is the member of an object, as any answer. */
static enum ctl_exit do_text(const struct ctl_args *args, void (*write)(struct json_out *out))
{
	struct json_out out;
	json_t *document;

	json_out_init(&out);
	write(&out);
	if (!args->json) {
		flush_text(&out);
		return CTL_DONE;
	}
	document = json_pack("{s:s%}", "text", out.data, out.len);
	print_json(args, document);
	json_decref(document);
	json_out_done(&out);
	return CTL_DONE;
}

static void put_version(struct json_out *out)
{
	ctl_put(out, "xrsctl %s\n", XRS_VERSION);
}

/* --- the whole -------------------------------------------------------------------------------------------- */

static enum ctl_exit run_once(const struct ctl_args *args)
{
	struct ctl_client *client;
	enum ctl_exit code;
	int r = ctl_connect(socket_path(args), &client);

	if (r < 0)
		return no_daemon(args, -r);
	switch (args->command->action) {
	case CTL_STATUS:
		code = do_status(args, client);
		break;
	case CTL_METRICS:
		code = do_metrics(args, client);
		break;
	case CTL_MONITOR:
		code = do_monitor(args, client);
		break;
	case CTL_TRACE:
		code = do_trace(args, client);
		break;
	default:
		code = do_request(args, client);
		if (code == CTL_DONE && args->follow)
			code = follow(args, client, NULL);
		break;
	}
	ctl_disconnect(client);
	return code;
}

static enum ctl_exit run(const struct ctl_args *args)
{
	enum ctl_exit code;

	switch (args->command->action) {
	case CTL_DETACH:
		return do_detach(args);
	case CTL_COMPLETION:
		return args->word ? do_names(args) : do_text(args, ctl_completion);
	case CTL_HELP:
		return do_text(args, ctl_help);
	case CTL_ROUTE_MAP:
		return do_route_map(args);
	case CTL_COMPARE:
		return do_compare(args);
	default:
		break;
	}
	for (;;) {
		if (args->watch && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		code = run_once(args);
		if (!args->watch || fflush(stdout) == EOF)
			return code;
		sleep(WATCH_SEC);
	}
}

int main(int argc, char **argv)
{
	char text[CTL_TEXT];
	struct ctl_args args;
	enum ctl_exit code;

	if (ctl_args_parse(argc, argv, &args, text) < 0)
		code = complain(&args, CTL_USAGE, "Usage", text);
	else if (args.version)
		code = do_text(&args, put_version);
	else
		code = run(&args);
	ctl_args_done(&args);
	return fflush(stdout) == EOF ? CTL_REFUSED : (int)code;
}
