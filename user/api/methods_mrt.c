// SPDX-License-Identifier: GPL-2.0-only
/*
 * mrt.dump: every path of a vnet's RIB, as received, into a file that looking glasses and bgpdump read. In
 * slices, like any long answer; the file takes its name when it is whole. It writes nowhere but below the
 * state directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/state_file.h"
#include "api/api_impl.h"
#include "bgp/mrt.h"

#define DUMP_SLICE  512 /* paths */
#define BUFFER      (2 * MRT_RECORD_MAX)
#define PEER_NO_ONE UINT16_MAX

struct mrt_stream {
	struct api_stream base;
	char vnet[VNET_NAME_MAX], path[160], temporary[168];
	int fd;
	int error; /* of writing, negative */
	bool complete;
	uint8_t *buffer;
	struct wire_writer w;
	uint16_t *index; /* in the table of peers, by index in the RIB */
	uint32_t seconds, sequence;
	uint64_t paths, skipped, bytes;
	/* The prefix under way. */
	bool open;
	struct ip_prefix prefix;
	struct mrt_rib rib;
	struct mono now;
};

/* --- the file --------------------------------------------------------------------------------------- */

static void flush(struct mrt_stream *stream)
{
	size_t done = 0;

	while (done < stream->w.pos && !stream->error) {
		ssize_t n = write(stream->fd, stream->buffer + done, stream->w.pos - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			stream->error = -errno;
		else
			done += (size_t)n;
	}
	stream->bytes += done;
	wire_write_init(&stream->w, stream->buffer, BUFFER);
}

static void end_prefix(struct mrt_stream *stream)
{
	if (!stream->open)
		return;
	stream->open = false;
	mrt_end_rib(&stream->w, &stream->rib);
	if (stream->w.failed || stream->rib.n == 0) { /* too much for one record, or nothing */
		stream->skipped += stream->rib.n;
		stream->paths -= stream->rib.n;
		stream->w.failed = false;
		stream->w.pos = stream->rib.start;
		return;
	}
	stream->sequence++;
	if (stream->w.pos >= BUFFER - MRT_RECORD_MAX)
		flush(stream);
}

static bool write_path(void *ctx, const struct rib_path_view *view)
{
	struct mrt_stream *stream = ctx;
	bool v6 = view->prefix.addr.family == IP_V6;
	uint64_t age = mono_since_usec(stream->now, view->since) / 1000000;

	if (!stream->open || !prefix_equal(&stream->prefix, &view->prefix)) {
		end_prefix(stream);
		stream->prefix = view->prefix;
		stream->open = true;
		mrt_begin_rib(&stream->w, stream->seconds, stream->sequence, &view->prefix,
			      &stream->rib);
	}
	if (stream->index[view->peer] != PEER_NO_ONE &&
	    mrt_put_path(&stream->w, &stream->rib, v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST,
			 stream->index[view->peer], stream->seconds - (uint32_t)age,
			 view->attrs_in))
		stream->paths++;
	else
		stream->skipped++;
	return true;
}

/* --- slices ------------------------------------------------------------------------------------------- */

static bool step(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct mrt_stream *stream = (struct mrt_stream *)base;
	const struct node_vnet *vnet = node_find_vnet(node, stream->vnet);
	bool more;

	if (!vnet || !vnet->rib || stream->error)
		return false;
	stream->now = loop_now(node->loop);
	more = rib_walk_all(vnet->rib, base->stage, &base->position, DUMP_SLICE, write_path,
			    stream);
	end_prefix(stream); /* a call hands out whole prefixes */
	if (more)
		return true;
	base->position = 0;
	stream->complete = ++base->stage >= BGP_FAMILY_MAX;
	return !stream->complete;
}

static void end(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct mrt_stream *stream = (struct mrt_stream *)base;

	flush(stream);
	if (!stream->error && fsync(stream->fd) < 0)
		stream->error = -errno;
	if (!stream->error && stream->complete && rename(stream->temporary, stream->path) < 0)
		stream->error = -errno;
	stream->complete &= !stream->error;
	json_out_string(out, "path", stream->complete ? stream->path : NULL);
	json_out_uint(out, "prefixes", stream->sequence);
	json_out_uint(out, "paths", stream->paths);
	json_out_uint(out, "skipped", stream->skipped);
	json_out_uint(out, "bytes", stream->bytes);
	json_out_bool(out, "complete", stream->complete);
	if (stream->error)
		json_out_string(out, "error", strerror(-stream->error));
}

static void release(struct api_stream *base)
{
	struct mrt_stream *stream = (struct mrt_stream *)base;

	if (stream->fd >= 0)
		close(stream->fd);
	if (stream->fd >= 0 && !stream->complete)
		unlink(stream->temporary);
	free(stream->buffer);
	free(stream->index);
}

/* --- the beginning --------------------------------------------------------------------------------------- */

/* A name, not a path: nothing that leads elsewhere or hides. */
static bool is_file_name(const char *name)
{
	static const char ok[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	return *name && *name != '.' && strspn(name, ok) == strlen(name);
}

static void put_peers(struct mrt_stream *stream, const struct node_vnet *vnet)
{
	struct mrt_peer *peers = calloc(vnet->n_peerings + 1, sizeof(*peers));

	for (size_t i = 0; peers && i < vnet->n_peerings; i++) {
		const struct node_peering *peering = vnet->peerings[i];
		const struct bgp_session_params *params =
			rib_peer_params(vnet->rib, peering->rib_peer);

		peers[i] = (struct mrt_peer){ .router_id = params ? params->peer_id : 0,
					      .addr = peering->config->peer_ip,
					      .asn = peering->config->peer_asn };
		stream->index[peering->rib_peer] = (uint16_t)i;
	}
	if (peers)
		mrt_put_peers(&stream->w, stream->seconds, vnet->node->config->router_id,
			      vnet->config->name, peers, (uint16_t)vnet->n_peerings);
	free(peers);
}

static int open_file(struct mrt_stream *stream, const struct node *node, const char *name)
{
	char dir[128];
	int r;

	snprintf(dir, sizeof(dir), "%s/mrt", node->paths.state_dir);
	snprintf(stream->path, sizeof(stream->path), "%.90s/%.64s", dir, name);
	snprintf(stream->temporary, sizeof(stream->temporary), "%s.XXXXXX", stream->path);
	r = state_file_mkdir(node->paths.state_dir);
	if (r == 0)
		r = state_file_mkdir(dir);
	if (r < 0)
		return r;
	stream->fd = mkostemp(stream->temporary, O_CLOEXEC); /* two dumps may run at once */
	if (stream->fd >= 0 && fchmod(stream->fd, 0640) < 0)
		return -errno;
	return stream->fd < 0 ? -errno : 0;
}

static int prepare(struct mrt_stream *stream, const struct node_vnet *vnet, const char *name)
{
	stream->buffer = malloc(BUFFER);
	stream->index = malloc(RIB_PEERS_MAX * sizeof(*stream->index));
	if (!stream->buffer || !stream->index)
		return -ENOMEM;
	memset(stream->index, 0xff, RIB_PEERS_MAX * sizeof(*stream->index));
	snprintf(stream->vnet, sizeof(stream->vnet), "%s", vnet->config->name);
	stream->seconds = (uint32_t)(wall_now_usec() / 1000000);
	wire_write_init(&stream->w, stream->buffer, BUFFER);
	put_peers(stream, vnet);
	return open_file(stream, vnet->node, name);
}

int method_mrt_dump(struct api_call *call)
{
	const char *name = request_text(call->request, "file");
	const struct node_vnet *vnet = call_vnet(call);
	struct mrt_stream *stream;
	int r;

	if (!vnet)
		return -1;
	if (!is_file_name(name))
		return api_fail(
			call->error, API_INVALID_PARAMS, "file",
			"'file' must be a name: letters, digits, '.', '-' and '_', no path");
	if (!vnet->rib)
		return api_fail(call->error, API_NOT_FOUND, "vnet",
				"the vnet '%s' has no route server", vnet->config->name);
	stream = stream_open_bare(call, sizeof(*stream), step);
	if (!stream)
		return -1;
	stream->fd = -1;
	stream->base.end = end;
	stream->base.release = release;
	r = prepare(stream, vnet, name);
	if (r < 0) {
		api_fail(call->error, API_INTERNAL, "file", "%s: %s", stream->path, strerror(-r));
		call->error->error_number = -r;
		return -1;
	}
	return 0;
}
