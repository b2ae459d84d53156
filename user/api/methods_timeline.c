// SPDX-License-Identifier: GPL-2.0-only
/* timeline.list: what took a next hop out of use or moved it, and how long each step took. */
#include "api/api_impl.h"

/* Microseconds after detection; null: that has not been seen. */
static void write_step(struct json_out *out, const char *key, struct mono step,
		       struct mono detected)
{
	if (mono_is_set(step))
		json_out_uint(out, key, mono_since_usec(step, detected));
	else
		json_out_null(out, key);
}

static void write_entry(struct json_out *out, const struct timeline_entry *entry)
{
	json_out_begin_object(out, NULL);
	json_out_uint(out, "id", entry->seq);
	write_time(out, "time", entry->wall_usec);
	json_out_string(out, "cause", timeline_cause_name(entry->cause));
	write_addr(out, "address", &entry->addr);
	json_out_string(out, "peering", entry->peering[0] ? entry->peering : NULL);
	json_out_string(out, "vnet", entry->vnet);
	json_out_uint(out, "detectedUs", entry->detected.usec);
	write_step(out, "decidedUs", entry->decided, entry->detected);
	write_step(out, "programmedUs", entry->programmed, entry->detected);
	write_step(out, "firstPacketUs", entry->first, entry->detected);
	json_out_uint(out, "prefixes", entry->prefixes);
	json_out_uint(out, "groups", entry->groups);
	json_out_uint(out, "mapWrites", entry->writes);
	json_out_end_object(out);
}

static bool step_list(struct api_stream *base, struct node *node, struct json_out *out)
{
	unsigned int budget = API_STREAM_BUDGET;
	const struct timeline_entry *entry;

	while ((entry = timeline_next(node->timeline, base->position))) {
		if (base->more || budget-- == 0)
			return !base->more;
		base->position = (uint32_t)entry->seq + 1;
		write_entry(out, entry);
		stream_count(base);
	}
	base->more = false; /* the limit was the length */
	return false;
}

int method_timeline_list(struct api_call *call)
{
	return stream_open(call, sizeof(struct api_stream), step_list) ? 0 : -1;
}
