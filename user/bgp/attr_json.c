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

static void write_id(struct json_out *out, const char *key, uint32_t id)
{
	struct ip_addr addr = ip_from_v4(id);
	char text[IP_TEXT_MAX];

	json_out_string(out, key, ip_format(&addr, text));
}

/* What few routes have: a member each, only where the attribute is there. */
static void write_rare(struct json_out *out, const struct bgp_attrs *attrs)
{
	char text[EXT_COMMUNITY_TEXT_MAX];

	if (attrs->has & BGP_HAS_EXT_COMMUNITIES) {
		json_out_begin_array(out, "extendedCommunities");
		for (unsigned int i = 0; i < ext_community_count(attrs->ext_communities); i++)
			json_out_string(
				out, NULL,
				ext_community_format(ext_community_get(attrs->ext_communities, i),
						     text));
		json_out_end_array(out);
	}
	if (attrs->has & BGP_HAS_ORIGINATOR_ID)
		write_id(out, "originatorId", attrs->originator_id);
	if (attrs->has & BGP_HAS_CLUSTER_LIST) {
		/* It has the shape of COMMUNITIES: numbers of four octets. */
		json_out_begin_array(out, "clusterList");
		for (unsigned int i = 0; i < community_count(attrs->cluster_list); i++)
			write_id(out, NULL, community_get(attrs->cluster_list, i));
		json_out_end_array(out);
	}
	if (attrs->has & BGP_HAS_ATOMIC_AGGREGATE)
		json_out_bool(out, "atomicAggregate", true);
	if (attrs->has & BGP_HAS_AGGREGATOR) {
		json_out_uint(out, "aggregatorAsn", attrs->aggregator_asn);
		write_id(out, "aggregatorId", attrs->aggregator_id);
	}
	if (attrs->has & BGP_HAS_OTC)
		json_out_uint(out, "onlyToCustomer", attrs->otc);
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
	write_rare(out, attrs);
}
