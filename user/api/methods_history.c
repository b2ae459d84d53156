// SPDX-License-Identifier: GPL-2.0-only
/*
 * route.history: the latest changes of selection of a vnet, or of some prefixes, and what held at a moment.
 * A stream over the journal's ring. Reads only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/journal.h"
#include "api/api_impl.h"

#define BUDGET 256 /* entries looked at in one slice */

struct history_stream {
	struct api_stream base;
	char vnet[VNET_NAME_MAX];
	uint64_t next, until; /* numbers; entries after `until` came later than `at` */
	bool filter, longer;
	struct ip_prefix prefix;
	uint64_t at; /* usec; 0: not asked */
};

/* --- one entry ----------------------------------------------------------------------------------------- */

static const char *peering_at(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; addr->family && i < vnet->n_peerings; i++) {
		if (ip_equal(&vnet->peerings[i]->config->peer_ip, addr))
			return vnet->peerings[i]->config->name;
	}
	return NULL;
}

static void write_hops(struct json_out *out, const char *key, const struct node_vnet *vnet,
		       const struct journal_hops *hops)
{
	unsigned int kept = hops->n < JOURNAL_HOPS ? hops->n : JOURNAL_HOPS;

	if (!hops->n) {
		json_out_null(out, key);
		return;
	}
	json_out_begin_object(out, key);
	json_out_begin_array(out, "nextHopIpAddress");
	for (unsigned int i = 0; i < kept; i++)
		write_addr(out, NULL, &hops->hop[i]);
	json_out_end_array(out);
	json_out_begin_array(out, "peering");
	for (unsigned int i = 0; i < kept; i++)
		json_out_string(out, NULL, peering_at(vnet, &hops->hop[i]));
	json_out_end_array(out);
	json_out_uint(out, "width", hops->n);
	json_out_end_object(out);
}

void write_history_entry(struct json_out *out, const struct node_vnet *vnet,
			 const struct journal_entry *entry)
{
	json_out_begin_object(out, NULL);
	json_out_uint(out, "seq", entry->seq);
	write_time(out, "time", entry->wall_usec);
	write_prefix(out, "prefix", &entry->prefix);
	write_hops(out, "from", vnet, &entry->from);
	write_hops(out, "to", vnet, &entry->to);
	json_out_string(out, "cause", rib_cause_name(entry->cause));
	if (entry->peer.family && !peering_at(vnet, &entry->peer))
		write_addr(out, "causePeering", &entry->peer); /* it is no peering any more */
	else
		json_out_string(out, "causePeering", peering_at(vnet, &entry->peer));
	json_out_string(out, "step", entry->step ? decision_step_name(entry->step) : NULL);
	json_out_end_object(out);
}

/* --- the stream ------------------------------------------------------------------------------------------ */

static bool wanted(const struct history_stream *stream, const struct journal_entry *entry)
{
	if (stream->at && entry->wall_usec > stream->at)
		return false;
	if (!stream->filter)
		return true;
	return stream->longer ? prefix_covers(&stream->prefix, &entry->prefix)
			      : prefix_equal(&stream->prefix, &entry->prefix);
}

static bool step(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct history_stream *stream = (struct history_stream *)base;
	const struct node_vnet *vnet = node_find_vnet(node, stream->vnet);

	if (!vnet || !vnet->journal) {
		base->gone = !vnet;
		return false;
	}
	if (stream->next < journal_first(vnet->journal))
		stream->next = journal_first(vnet->journal);
	for (unsigned int i = 0; i < BUDGET && stream->next <= stream->until; i++) {
		const struct journal_entry *entry = journal_get(vnet->journal, stream->next++);

		if (entry && wanted(stream, entry))
			write_history_entry(out, vnet, entry);
	}
	return stream->next <= stream->until;
}

static void present_hops(const struct node_vnet *vnet, const struct ip_prefix *prefix,
			 struct journal_hops *ret)
{
	*ret = (struct journal_hops){ .n = 0 };
	if (vnet->rib)
		node_journal_hops(vnet, rib_lookup(vnet->rib, prefix), ret);
}

/* What one prefix led to at the moment that was asked for. */
static void end(struct api_stream *base, struct node *node, struct json_out *out)
{
	const struct history_stream *stream = (struct history_stream *)base;
	const struct node_vnet *vnet = node_find_vnet(node, stream->vnet);
	const struct journal_entry *entry, *oldest;
	struct journal_hops hops;
	bool before = false;

	if (!stream->at || !stream->filter || !vnet)
		return;
	entry = vnet->journal ? journal_at(vnet->journal, &stream->prefix, stream->at, &before)
			      : NULL;
	oldest = vnet->journal ? journal_get(vnet->journal, journal_first(vnet->journal)) : NULL;
	/* Of a time before the ring begins only a ring that never lost anything knows. */
	if (oldest && oldest->seq > 1 && stream->at < oldest->wall_usec) {
		json_out_bool(out, "known", false);
		json_out_null(out, "inForce");
		return;
	}
	json_out_bool(out, "known", true);
	present_hops(vnet, &stream->prefix, &hops);
	write_hops(out, "inForce", vnet, !entry ? &hops : before ? &entry->from : &entry->to);
}

/* --- the handler -------------------------------------------------------------------------------------------- */

/* "2026-11-26T12:00:00Z", with or without a fraction. 0: it is no such time. */
static uint64_t parse_time(const char *text)
{
	struct tm tm = { .tm_sec = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t usec = 0, unit = 100000;

	if (!rest)
		return 0;
	if (*rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			usec += unit * (uint64_t)(*rest - '0');
	}
	if (strcmp(rest, "Z") != 0)
		return 0;
	return (uint64_t)timegm(&tm) * 1000000 + usec;
}

/* The number of the entry with which the last @n wanted ones begin. */
static uint64_t begin_of_last(const struct history_stream *stream, const struct journal *journal,
			      uint32_t n)
{
	uint64_t seq = journal_last(journal);

	for (; seq > journal_first(journal); seq--) {
		n -= wanted(stream, journal_get(journal, seq));
		if (n == 0)
			break;
	}
	return seq;
}

int method_route_history(struct api_call *call)
{
	const char *at = request_text(call->request, "at");
	const char *prefix = request_text(call->request, "prefix");
	const char *match = request_text(call->request, "match");
	uint32_t limit = (uint32_t)request_integer(call->request, "limit", 0);
	const struct node_vnet *vnet = call_vnet(call);
	uint64_t moment = at ? parse_time(at) : 0;
	struct history_stream *stream;

	if (!vnet)
		return -1;
	if (at && !moment)
		return api_fail(call->error, API_INVALID_PARAMS, "at",
				"'at' must be a time such as \"2026-11-26T12:00:00Z\"");
	stream = stream_open(call, sizeof(*stream), step);
	if (!stream)
		return -1;
	stream->base.end = end;
	stream->at = moment;
	stream->longer = match && strcmp(match, "longer") == 0;
	stream->filter = prefix && prefix_parse(prefix, &stream->prefix) == 0;
	vnet = vnet->source ? vnet->source : vnet;
	snprintf(stream->vnet, sizeof(stream->vnet), "%s", vnet->config->name);
	stream->until = vnet->journal ? journal_last(vnet->journal) : 0;
	stream->next = limit && stream->until ? begin_of_last(stream, vnet->journal, limit) : 1;
	return 0;
}
