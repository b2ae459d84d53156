// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long answers in slices: opened by a handler, continued by socket.c whenever the socket has room, so that
 * a table of a million routes never exists as text and a slow reader costs one buffer. Here is what all
 * streams share: limit, cursor, and the end of the answer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/api_impl.h"

/* "STAGE:POSITION", as stream_finish() wrote it. */
static bool parse_cursor(const char *text, struct api_stream *stream)
{
	unsigned int stage, position;
	char rest;

	if (sscanf(text, "%4u:%10u%c", &stage, &position, &rest) != 2)
		return false;
	stream->stage = stage;
	stream->position = position;
	return true;
}

void *stream_open(struct api_call *call, size_t size,
		  bool (*step)(struct api_stream *stream, struct node *node, struct json_out *out))
{
	const char *cursor = request_text(call->request, "cursor");
	struct api_stream *stream = calloc(1, size);

	if (!stream) {
		api_fail(call->error, API_INTERNAL, NULL, "out of memory");
		return NULL;
	}
	stream->step = step;
	stream->limit = (uint32_t)request_integer(call->request, "limit", 0);
	if (cursor && !parse_cursor(cursor, stream)) {
		free(stream);
		api_fail(call->error, API_INVALID_PARAMS, "cursor",
			 "'cursor' is not a nextCursor of an earlier answer");
		return NULL;
	}
	json_out_begin_array(call->out, "value");
	call->stream = stream;
	return stream;
}

void *stream_open_bare(struct api_call *call, size_t size,
		       bool (*step)(struct api_stream *stream, struct node *node,
				    struct json_out *out))
{
	struct api_stream *stream = calloc(1, size);

	if (!stream) {
		api_fail(call->error, API_INTERNAL, NULL, "out of memory");
		return NULL;
	}
	stream->step = step;
	stream->bare = true;
	call->stream = stream;
	return stream;
}

bool stream_count(struct api_stream *stream)
{
	stream->count++;
	if (stream->limit && stream->count >= stream->limit)
		stream->more = true;
	return !stream->more;
}

void stream_finish(struct api_stream *stream, struct node *node, struct json_out *out)
{
	if (!stream->bare)
		json_out_end_array(out);
	if (stream->end)
		stream->end(stream, node, out);
	if (stream->bare)
		return;
	if (stream->more)
		json_out_stringf(out, "nextCursor", "%u:%u", stream->stage, stream->position);
	else
		json_out_null(out, "nextCursor");
	if (stream->gone)
		json_out_bool(out, "incomplete", true);
	json_out_uint(out, "generation", node->generation);
}

void stream_free(struct api_stream *stream)
{
	if (stream && stream->release)
		stream->release(stream);
	free(stream);
}
