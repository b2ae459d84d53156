// SPDX-License-Identifier: GPL-2.0-only
/*
 * Path attributes as JSON: one form for everything that shows a route. Called by user/api and xrsctl.
 * Pure; it must never look at more than the attributes.
 */
#include "bgp/attr_json.h"
#include "bgp/aspath.h"
#include "bgp/community.h"

struct as_path_writer {
	struct json_out *out;
	bool in_set;
};

static void write_asn(void *ctx, uint32_t asn, enum bgp_as_segment type, bool segment_start)
{
	struct as_path_writer *writer = ctx;
	bool set = type == BGP_AS_SET || type == BGP_AS_CONFED_SET;

	if (segment_start && writer->in_set)
		json_out_end_array(writer->out);
	if (segment_start && set)
		json_out_begin_array(writer->out, NULL);
	if (segment_start)
		writer->in_set = set;
	json_out_uint(writer->out, NULL, asn);
}

void bgp_write_as_path(struct json_out *out, const char *key, struct bgp_blob path)
{
	struct as_path_writer writer = { .out = out };

	json_out_begin_array(out, key);
	aspath_each(path, write_asn, &writer);
	if (writer.in_set)
		json_out_end_array(out);
	json_out_end_array(out);
}

static void write_communities(struct json_out *out, const struct bgp_attrs *attrs)
{
	char text[COMMUNITY_TEXT_MAX], large[LARGE_COMMUNITY_TEXT_MAX];
	unsigned int n = community_count(attrs->communities);

	json_out_begin_array(out, "communities");
	for (unsigned int i = 0; i < n; i++)
		json_out_string(out, NULL,
				community_format(community_get(attrs->communities, i), text));
	json_out_end_array(out);
	n = large_community_count(attrs->large_communities);
	json_out_begin_array(out, "largeCommunities");
	for (unsigned int i = 0; i < n; i++)
		json_out_string(out, NULL,
				large_community_format(
					large_community_get(attrs->large_communities, i), large));
	json_out_end_array(out);
}

void bgp_write_attrs(struct json_out *out, const struct bgp_attrs *attrs)
{
	char text[IP_TEXT_MAX];

	json_out_string(out, "nextHop",
			attrs->next_hop.family ? ip_format(&attrs->next_hop, text) : NULL);
	json_out_string(out, "origin", bgp_origin_name(attrs->origin));
	bgp_write_as_path(out, "asPath", attrs->as_path);
	if (attrs->has & BGP_HAS_MED)
		json_out_uint(out, "med", attrs->med);
	else
		json_out_null(out, "med");
	if (attrs->has & BGP_HAS_LOCAL_PREF)
		json_out_uint(out, "localPref", attrs->local_pref);
	else
		json_out_null(out, "localPref");
	write_communities(out, attrs);
}
