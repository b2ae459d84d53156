// SPDX-License-Identifier: GPL-2.0-only
/* What the API tells about BFD: bfd.list, and the members of a peering. */
#include <string.h>

#include "api/api_impl.h"

void write_bfd_state(struct json_out *out, const struct node_peering *peering)
{
	struct bfd_status status;

	if (!peering->config->bfd.enabled)
		json_out_null(out, "bfdState");
	else
		json_out_string(out, "bfdState",
				node_bfd_status(peering, &status) ? bfd_state_name(status.state)
								  : "Unknown");
}

static void write_discards(struct json_out *out, const struct bfd_stats *stats)
{
	json_out_begin_object(out, "discarded");
	for (enum bfd_discard d = BFD_DISCARD_NONE + 1; d < BFD_DISCARD_MAX; d++) {
		if (stats->discarded[d])
			json_out_uint(out, bfd_discard_name(d), stats->discarded[d]);
	}
	json_out_end_object(out);
}

static void write_status(struct json_out *out, const struct node_peering *peering,
			 const struct bfd_status *status)
{
	json_out_string(out, "state", bfd_state_name(status->state));
	json_out_string(out, "diag", bfd_diag_name(status->diag));
	json_out_string(out, "remoteState", bfd_state_name(status->remote_state));
	json_out_string(out, "remoteDiag", bfd_diag_name(status->remote_diag));
	json_out_bool(out, "multihop", peering->config->bfd.multihop);
	json_out_bool(out, "strict", peering->config->bfd.strict);
	json_out_string(out, "auth", bfd_auth_name(peering->config->bfd.auth_type));
	json_out_bool(out, "kernel", status->kernel);
	json_out_uint(out, "transmitIntervalUs", status->interval_usec);
	json_out_uint(out, "detectionTimeUs", status->detection_usec);
	json_out_uint(out, "remoteMultiplier", status->remote_multiplier);
	json_out_uint(out, "localDiscriminator", status->discr);
	json_out_uint(out, "remoteDiscriminator", status->remote_discr);
	json_out_bool(out, "remoteControlPlaneIndependent", status->remote_control_independent);
	json_out_uint(out, "ageSeconds", mono_since_usec(mono_now(), status->changed) / 1000000);
	json_out_uint(out, "received", status->stats.received);
	json_out_uint(out, "sent", status->stats.sent);
	json_out_uint(out, "sentByStandIn", status->stood_in);
	json_out_uint(out, "sentLateMaxUs", status->late_max_usec);
	json_out_uint(out, "ups", status->stats.ups);
	json_out_uint(out, "downs", status->stats.downs);
	write_discards(out, &status->stats);
}

static const char *problem_of(const struct node_peering *peering, const struct bfd_status *status)
{
	if (peering->bfd_problem[0])
		return peering->bfd_problem;
	return status->problem ? strerror(status->problem) : NULL;
}

void write_bfd_member(struct json_out *out, const struct node_peering *peering)
{
	struct bfd_status status = { 0 };
	bool known = node_bfd_status(peering, &status);

	if (!peering->config->bfd.enabled) {
		json_out_null(out, "bfd");
		return;
	}
	json_out_begin_object(out, "bfd");
	if (known)
		write_status(out, peering, &status);
	json_out_string(out, "problem", problem_of(peering, &status));
	json_out_end_object(out);
}

static void write_session(struct json_out *out, const struct node_peering *peering)
{
	struct bfd_status status = { 0 };
	char text[IP_TEXT_MAX];
	bool known = node_bfd_status(peering, &status);

	json_out_begin_object(out, NULL);
	json_out_string(out, "peering", peering->config->name);
	json_out_string(out, "vnet", peering->vnet->config->name);
	json_out_string(out, "peerIp", ip_format(&peering->config->peer_ip, text));
	if (known)
		write_status(out, peering, &status);
	else
		json_out_string(out, "state", "Unknown");
	json_out_string(out, "problem", problem_of(peering, &status));
	json_out_end_object(out);
}

static bool step_list(struct api_stream *base, struct node *node, struct json_out *out)
{
	unsigned int budget = API_STREAM_BUDGET;

	for (; base->stage < node->n_vnets; base->stage++, base->position = 0) {
		const struct node_vnet *vnet = node->vnets[base->stage];

		while (base->position < vnet->n_peerings) {
			const struct node_peering *peering = vnet->peerings[base->position];

			if (base->more || budget-- == 0)
				return !base->more;
			base->position++;
			if (!peering->config->bfd.enabled)
				continue;
			write_session(out, peering);
			stream_count(base);
		}
	}
	base->more = false; /* the limit was the length */
	return false;
}

int method_bfd_list(struct api_call *call)
{
	return stream_open(call, sizeof(struct api_stream), step_list) ? 0 : -1;
}
