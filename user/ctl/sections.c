// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers that are more than one table: what a configuration would change, why a route won, what a packet
 * meets. Called by main.c; pure.
 */
#include "ctl/ctl.h"

#define COLUMNS(...) ((const struct ctl_column[]){ __VA_ARGS__, { NULL, NULL, CTL_PLAIN } })

struct page {
	const json_t *result;
	bool no_header;
	uint64_t now_usec;
	struct json_out *out;
};

/* A title and a table; nothing when there are no rows. */
static void section(const struct page *page, const char *title, const char *key,
		    const struct ctl_column *columns)
{
	const json_t *rows = json_object_get(page->result, key);

	if (json_array_size(rows) == 0)
		return;
	ctl_put(page->out, "%s (%zu)\n", title, json_array_size(rows));
	ctl_print_table(columns, rows, page->no_header, page->now_usec, page->out);
	ctl_put(page->out, "\n");
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : "-";
}

/* --- config diff ----------------------------------------------------------------------------------- */

static void print_diff(const struct page *page, const struct ctl_command *command)
{
	long long routes =
		(long long)json_integer_value(json_object_get(page->result, "routesChanged"));
	size_t listed = json_array_size(json_object_get(page->result, "value"));

	if (json_array_size(json_object_get(page->result, "changes")) == 0) {
		ctl_put(page->out, "nothing would change\n");
		return;
	}
	section(page, "Values", "changes",
		COLUMNS({ "OP", "op", CTL_PLAIN }, { "PATH", "path", CTL_PLAIN },
			{ "OLD", "old", CTL_PLAIN }, { "NEW", "new", CTL_PLAIN }));
	section(page, "Sessions", "sessions",
		COLUMNS({ "VNET", "vnet", CTL_PLAIN }, { "PEERING", "peering", CTL_PLAIN },
			{ "CHANGE", "change", CTL_PLAIN }, { "WHY", "why", CTL_PLAIN },
			{ "DISRUPTS", "disrupts", CTL_FLAG }));
	section(page, "Nics", "nics",
		COLUMNS({ "NIC", "nic", CTL_PLAIN }, { "CHANGE", "change", CTL_PLAIN },
			{ "FROM", "from", CTL_PLAIN }, { "TO", "to", CTL_PLAIN }));
	section(page, "Routes", "value", command->columns);
	if (routes > (long long)listed)
		ctl_put(page->out, "and %lld more routes\n\n", routes - (long long)listed);
	section(page, "Traffic through next hops that lose routes", "traffic",
		COLUMNS({ "NEXT HOP", "nextHopIpAddress", CTL_PLAIN },
			{ "ROUTES", "prefixes", CTL_PLAIN },
			{ "LEAVING", "prefixesLeaving", CTL_PLAIN },
			{ "PACKETS", "packets", CTL_PLAIN }, { "BYTES", "bytes", CTL_PLAIN },
			{ "% OF ALL", "sharePercent", CTL_PLAIN }));
}

/* --- route explain ------------------------------------------------------------------------------------ */

static void print_explain(const struct page *page, const struct ctl_command *command)
{
	const json_t *map = json_object_get(page->result, "inMap");

	ctl_put(page->out, "%s in %s.%s\n\n", text_of(page->result, "prefix"),
		text_of(page->result, "vnet"), text_of(page->result, "routeTable"));
	section(page, "BGP paths", "candidates", command->columns);
	section(page, "Precedence", "effective",
		COLUMNS({ "SOURCE", "source", CTL_PLAIN }, { "STATE", "state", CTL_PLAIN },
			{ "NEXT HOP TYPE", "nextHopType", CTL_PLAIN },
			{ "REASON", "reasonText", CTL_PLAIN }));
	section(page, "Latest changes", "history",
		COLUMNS({ "TIME", "time", CTL_PLAIN }, { "FROM", "from", CTL_HOPS },
			{ "TO", "to", CTL_HOPS }, { "CAUSE", "cause", CTL_PLAIN },
			{ "BY", "causePeering", CTL_PLAIN }));
	if (json_is_object(map)) {
		ctl_put(page->out, "In the map (%s)\n", text_of(page->result, "dataplane"));
		ctl_print_members(map, page->out);
	} else {
		ctl_put(page->out, "Not in the map (%s); %s answers\n",
			text_of(page->result, "dataplane"), text_of(page->result, "answeredBy"));
	}
}

/* --- nic show-next-hop ----------------------------------------------------------------------------------- */

static void print_next_hop(const struct page *page)
{
	json_t *rest = json_copy((json_t *)page->result);

	json_object_del(rest, "steps");
	ctl_print_members(rest, page->out);
	json_decref(rest);
	ctl_put(page->out, "\n");
	section(page, "Steps", "steps",
		COLUMNS({ "STEP", "step", CTL_PLAIN }, { "RESULT", "result", CTL_PLAIN },
			{ "REASON", "reason", CTL_PLAIN }, { "DETAIL", "detail", CTL_PLAIN }));
}

void ctl_print_sections(const struct ctl_command *command, const json_t *result, bool no_header,
			uint64_t now_usec, struct json_out *out)
{
	const struct page page = { result, no_header, now_usec, out };

	if (command->action == CTL_DIFF)
		print_diff(&page, command);
	else if (command->action == CTL_EXPLAIN)
		print_explain(&page, command);
	else
		print_next_hop(&page);
}
