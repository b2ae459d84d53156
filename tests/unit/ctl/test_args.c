// SPDX-License-Identifier: GPL-2.0-only
/* xrsctl's arguments: words to methods, flags to parameters, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"
#include "api/api_impl.h"
#include "ctl/ctl.h"

static struct ctl_args args;
static char text[CTL_TEXT];

/* The arguments by blanks, as a shell without quotes would cut them. */
static int parse(const char *line)
{
	static char copy[1024];
	char *argv[32] = { (char *)"xrsctl" }, *save = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return ctl_args_parse(argc, argv, &args, text);
}

static const struct mapping {
	const char *line, *method, *params;
} mappings[] = {
	{ "peering list", "peering.list", NULL },
	{ "peering list prod", "peering.list", "{\"vnet\":\"prod\"}" },
	{ "peering list-learned-routes --name fw-a", "peering.listLearnedRoutes",
	  "{\"name\":\"fw-a\"}" },
	{ "peering list-learned-routes fw-a --limit 5 --match=longer", "peering.listLearnedRoutes",
	  "{\"limit\":5,\"match\":\"longer\",\"name\":\"fw-a\"}" },
	{ "-j nic --no-header show-next-hop tap0 --destination-ip 10.9.0.1 --source-port 7 -p",
	  "nic.showNextHop",
	  "{\"destinationIp\":\"10.9.0.1\",\"sourcePort\":7,\"name\":\"tap0\"}" },
	{ "peering list-learned-routes fw-a --azure --vnet prod", "peering.listLearnedRoutes",
	  "{\"vnet\":\"prod\",\"name\":\"fw-a\"}" },
	{ "fib verify --repair", "fib.verify", "{\"repair\":true}" },
	{ "route-table show main --vnet prod", "routeTable.show",
	  "{\"vnet\":\"prod\",\"name\":\"main\"}" },
	{ "route explain 10.0.0.0/8", "route.explain", "{\"prefix\":\"10.0.0.0/8\"}" },
	{ "log set-level debug", "log.setLevel", "{\"level\":\"debug\"}" },
	{ "rpc peering.show {\"name\":\"x\"}", "peering.show", "{\"name\":\"x\"}" },
	{ "rpc system.info", "system.info", NULL },
	{ "config apply --confirm-within 60", "config.apply", "{\"confirmWithinSeconds\":60}" },
	{ "peering create fw --peer-asn 65001 --peer-ip 10.0.0.4 --passive true --bfd "
	  "{\"enabled\":true} --device eth0",
	  "peering.create",
	  "{\"peerAsn\":65001,\"peerIp\":\"10.0.0.4\",\"passive\":true,\"bfd\":{\"enabled\":true},"
	  "\"device\":\"eth0\",\"name\":\"fw\"}" },
	{ "vnet create lab --address-prefixes 10.9.0.0/16,fd00:9::/48", "vnet.create",
	  "{\"addressPrefixes\":[\"10.9.0.0/16\",\"fd00:9::/48\"],\"name\":\"lab\"}" },
	{ "routeserver update --allow-branch-to-branch-traffic true", "routeserver.update",
	  "{\"allowBranchToBranchTraffic\":true}" },
	{ "rpc monitor.subscribe {\"replay\":1} --follow", "monitor.subscribe", "{\"replay\":1}" },
	{ "monitor", "monitor.subscribe", "{}" },
	{ "monitor peer.state,route.* nic.* --replay 5", "monitor.subscribe",
	  "{\"replay\":5,\"types\":[\"peer.state\",\"route.*\",\"nic.*\"]}" },
};

Test(args, words_become_methods)
{
	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		const struct mapping *want = &mappings[i];

		cr_assert_eq(parse(want->line), 0, "%s: %s", want->line, text);
		cr_assert_str_eq(args.method, want->method);
		if (want->params)
			cr_assert_str_eq(args.params, want->params, "%s: %s", want->line,
					 args.params);
		else
			cr_assert_null(args.params);
		ctl_args_done(&args);
	}
}

Test(args, options_stand_anywhere)
{
	cr_assert_eq(parse("-s /a/b peering list -j -p -w --no-header"), 0);
	cr_assert_str_eq(args.socket, "/a/b");
	cr_assert(args.json && args.pretty && args.watch && args.no_header);
	ctl_args_done(&args);
	cr_assert_eq(parse("dataplane detach --instance lab"), 0);
	cr_assert_eq(args.command->action, CTL_DETACH);
	cr_assert_str_eq(args.instance, "lab");
	ctl_args_done(&args);
	cr_assert_eq(parse("dataplane detach"), 0);
	cr_assert_str_eq(args.instance, "xrs");
	ctl_args_done(&args);
	cr_assert_eq(parse(""), 0);
	cr_assert_eq(args.command->action, CTL_HELP);
	ctl_args_done(&args);
}

static const struct {
	const char *line, *word;
} refusals[] = {
	{ "perring list", "did you mean 'peering'" },
	{ "peering", "'peering' needs one of: list, show" },
	{ "peering lits", "did you mean 'list'" },
	{ "peering frobnicate", "has no 'frobnicate', but: list" },
	{ "peering list --vnte x", "did you mean --vnet?" },
	{ "peering list a b", "'b' is one word too many" },
	{ "peering show a --name b", "given twice" },
	{ "peering list --limit x", "not a number" },
	{ "peering list --vnet", "needs a value" },
	{ "fib verify --repair=yes", "takes no value" },
	{ "status now", "one word too many" },
	{ "peering list -x", "no option '-x'" },
	{ "peering list -s", "needs the path" },
	{ "rpc", "usage: xrsctl rpc" },
	{ "rpc system.info [1]", "a JSON object" },
	{ "rpc system.info {", "a JSON object" },
};

Test(args, every_refusal_has_a_remedy)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		cr_assert_eq(parse(refusals[i].line), -1, "accepted: %s", refusals[i].line);
		cr_assert(strstr(text, refusals[i].word), "%s: %s", refusals[i].line, text);
		ctl_args_done(&args);
	}
}

Test(args, names_of_both_kinds)
{
	char buf[64];

	cr_assert_str_eq(ctl_camel("list-learned-routes", buf, sizeof(buf)), "listLearnedRoutes");
	cr_assert_str_eq(ctl_kebab("listLearnedRoutes", buf, sizeof(buf)), "list-learned-routes");
	cr_assert_str_eq(ctl_camel("a-", buf, sizeof(buf)), "a-");
	cr_assert_str_eq(ctl_camel("abcdef", buf, 4), "abc");
}

static const struct api_method *find_method(const char *name)
{
	for (size_t i = 0; i < api_n_methods; i++) {
		if (strcmp(api_methods[i].name, name) == 0)
			return &api_methods[i];
	}
	return NULL;
}

static const struct api_param *find_param(const struct api_method *method, const char *name)
{
	for (const struct api_param *p = method->params; p && p->name; p++) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static bool is_key(const struct api_method *method, const char *name)
{
	const struct config_object *object = api_method_object(method);

	for (const struct config_field *field = object ? object->fields : NULL; field && field->key;
	     field++) {
		if (strcmp(field->key, name) == 0)
			return true;
	}
	return false;
}

/* Every request of the command table is a method, with parameters of the right kind. */
Test(args, the_commands_are_methods)
{
	for (size_t i = 0; i < ctl_n_commands; i++) {
		const struct ctl_command *command = &ctl_commands[i];
		char noun[32], verb[32], name[64], words[256], *save = NULL;
		const struct api_method *method;

		if (!ctl_is_request(command))
			continue;
		snprintf(name, sizeof(name), "%s.%s", ctl_camel(command->noun, noun, sizeof(noun)),
			 ctl_camel(command->verb, verb, sizeof(verb)));
		method = find_method(name);
		cr_assert(method, "%s", name);
		snprintf(words, sizeof(words), "%s", command->params);
		for (char *word = strtok_r(words, " ", &save); word;
		     word = strtok_r(NULL, " ", &save)) {
			char last = word[strlen(word) - 1];
			const struct api_param *param;

			if (strcmp(word, "*") == 0 || last == '!')
				continue;
			word[strcspn(word, CTL_KINDS)] = 0;
			param = find_param(method, word);
			cr_assert(param || is_key(method, word), "%s has no %s", name, word);
			if (!param || last == '@') /* checked with the configuration */
				continue;
			cr_assert_eq(param->type == API_INTEGER, last == '#', "%s.%s", name, word);
			cr_assert_eq(param->type == API_BOOL, last == '?', "%s.%s", name, word);
		}
	}
}

/* And every method can be reached by its own words. */
Test(args, the_methods_are_commands)
{
	for (size_t i = 0; i < api_n_methods; i++) {
		char noun[32], verb[64];
		const char *dot = strchr(api_methods[i].name, '.');

		if (strcmp(api_methods[i].name, "metrics.get") == 0 ||
		    strncmp(api_methods[i].name, "monitor.", 8) == 0)
			continue; /* `xrsctl metrics`, `xrsctl monitor` */
		snprintf(verb, sizeof(verb), "%.*s", (int)(dot - api_methods[i].name),
			 api_methods[i].name);
		ctl_kebab(verb, noun, sizeof(noun));
		ctl_kebab(dot + 1, verb, sizeof(verb));
		cr_assert(ctl_find(noun, verb), "%s %s", noun, verb);
	}
}
