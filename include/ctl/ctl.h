/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xrsctl: from an argument vector to one request, and from its answer to a table. commands.c, args.c,
 * table.c and completion.c are pure; client.c and main.c do the rest. It knows the protocol and a table of
 * commands, nothing of the daemon, so it works against any server that speaks the same.
 */
#ifndef XRS_CTL_CTL_H
#define XRS_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/json_out.h"

enum ctl_exit {
	CTL_DONE = 0,
	CTL_REFUSED = 1,
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3,
	CTL_NOT_FOUND = 4,
};

/* --- the table of commands ----------------------------------------------------------------------- */
enum ctl_cell {
	CTL_PLAIN,  /* text, number, or a list joined by ", " */
	CTL_SPACED, /* a list joined by spaces: AS_PATH */
	CTL_SINCE,  /* an RFC 3339 time as how long ago: "2d03h" */
	CTL_FLAG,   /* `title` when true, else nothing */
	CTL_POLICY, /* of route explain: "from-fw[2] no-default: dropped" */
	CTL_HOPS,   /* next hops of config diff: "fw-a, fw-b", or the type */
};
struct ctl_column {
	const char *title; /* NULL ends a list */
	const char *key;
	enum ctl_cell cell;
};
/*
 * # integer; ? switch without a value; @ JSON, or else a string; , list of strings; < JSON of a file;
 * ! a switch of xrsctl's own, which the daemon never sees
 */
#define CTL_KINDS "#?@,<!"
enum ctl_action { /* what no single request answers */
	CTL_REQUEST,
	CTL_STATUS,
	CTL_RPC,
	CTL_MONITOR,
	CTL_TRACE, /* a request, then events until it ends */
	CTL_DIFF,  /* requests whose answer has a form of its own */
	CTL_EXPLAIN,
	CTL_NEXT_HOP,
	CTL_METRICS,
	CTL_ROUTE_MAP,
	CTL_COMPARE,
	CTL_DETACH,
	CTL_COMPLETION,
	CTL_HELP,
};
struct ctl_command {
	const char *noun,
		*verb; /* "route-table", "show"; verb NULL: the noun is the whole command */
	enum ctl_action action;
	const char *positional; /* parameter that a bare word fills, or NULL */
	/*
	 * Parameters, by blanks, each with its kind behind it (CTL_KINDS): "vnet limit# repair?". A "*"
	 * takes any other flag as well: the daemon knows which there are.
	 */
	const char *params;
	const char *list; /* the member that is a table, or NULL: members line by line */
	const struct ctl_column *columns;
	const char *summary;
};
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_n_commands;
/* "list-learned-routes" -> "listLearnedRoutes" and back; cut at @cap. */
char *ctl_camel(const char *kebab, char *buf, size_t cap);
char *ctl_kebab(const char *camel, char *buf, size_t cap);

/* --- the argument vector ---------------------------------------------------------------------------- */
#define CTL_TEXT 512
struct ctl_args {
	bool json, pretty, watch, no_header;
	bool follow;        /* of rpc: print what comes after the answer as well */
	bool azure;         /* of routes of a peering: in Azure's JSON */
	const char *socket; /* -s, or NULL */
	const struct ctl_command *command;
	char method[64];          /* of CTL_REQUEST and CTL_RPC */
	char *params;             /* JSON text, owned; NULL: none */
	const char *word, *other; /* the positionals of commands that are no request */
	char instance[64];        /* of dataplane detach */
	bool version;
};
/* 0, or -1 with what is wrong and what may be right in @text. ctl_args_done() in both cases. */
int ctl_args_parse(int argc, char *const *argv, struct ctl_args *ret_args,
		   char text[static CTL_TEXT]);
void ctl_args_done(struct ctl_args *args);
void ctl_help(struct json_out *out); /* plain text */

/* --- output ------------------------------------------------------------------------------------------ */
/* Columns that UTF-8 text takes on a terminal: one for each character, none for combining marks. */
size_t ctl_width(const char *text);
/* One answer as text. @now_usec is the wall clock. */
void ctl_print_result(const struct ctl_command *command, const json_t *result, bool no_header,
		      uint64_t now_usec, struct json_out *out);
void ctl_print_members(const json_t *object, struct json_out *out); /* one a line */
void ctl_print_table(const struct ctl_column *columns, const json_t *rows, bool no_header,
		     uint64_t now_usec, struct json_out *out);
/* Answers in sections: config.diff, route.explain, nic.showNextHop. */
void ctl_print_sections(const struct ctl_command *command, const json_t *result, bool no_header,
			uint64_t now_usec, struct json_out *out);
/* One line for one monitor.event or monitor.lost, the whole notification. */
void ctl_print_event(const json_t *notification, struct json_out *out);
/*
 * An answer with routes of a peering in Azure's shape, a new reference. @peer_ip: the peer's address, for
 * learned routes; NULL: advertised ones.
 */
json_t *ctl_azure_routes(const json_t *result, const char *peer_ip);
void ctl_put(struct json_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One call of the method that the words name. */
bool ctl_is_request(const struct ctl_command *command);
const struct ctl_command *ctl_find(const char *noun, const char *verb);
void ctl_completion(struct json_out *out);

/* --- without a daemon -------------------------------------------------------------------------------- */
/*
 * A route through a map of a file: {map rules[] permit route}, for the caller to release. NULL with
 * @text; *ret_not_found: there is no such map.
 */
json_t *ctl_route_map_test(const json_t *params, char text[static CTL_TEXT], bool *ret_not_found);
/*
 * Two answers of `route list -j`: {prefixes same only[] differ[]}; NULL with @text when one is none.
 */
json_t *ctl_compare(const json_t *a, const json_t *b, char text[static CTL_TEXT]);

/* --- the connection (client.c) -------------------------------------------------------------------------- */
struct ctl_client;
/* 0 or negative errno. */
int ctl_connect(const char *path, struct ctl_client **ret_client);
void ctl_disconnect(struct ctl_client *client);
/* Sends one request and waits for its answer, the whole envelope. 0, -EPROTO, or another negative errno. */
int ctl_call(struct ctl_client *client, const char *method, const char *params,
	     json_t **ret_answer);
/* Waits for the next line that comes without being asked for. As ctl_call(). */
int ctl_next(struct ctl_client *client, json_t **ret_line);

#endif
