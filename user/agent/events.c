// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event bus: a ring of the latest events and a list of readers, each a place in it. Emitted to by the
 * files of the node, read by api/monitor.c. It must never block, log or call back into the emitter.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/events.h"

struct event_bus {
	struct event ring[EVENTS_KEPT]; /* event seq stands at seq % EVENTS_KEPT */
	uint64_t last;                  /* sequence number of the latest; 0: none */
	uint64_t lost;
	struct event_reader *readers;
	enum event_type type; /* of the one under way */
	struct json_out out;
};

static const struct {
	const char *name, *members;
} types[] = {
#define X(name, text, members) { text, members },
	EVENT_TYPES(X)
#undef X
};
static_assert(EVENT_TYPE_MAX <= 32, "a mask has 32 bits");

const char *event_type_name(enum event_type type)
{
	return types[type].name;
}

const char *event_type_members(enum event_type type)
{
	return types[type].members;
}

bool event_types_add(const char *pattern, uint32_t *mask)
{
	size_t len = strlen(pattern);
	bool all = strcmp(pattern, "*") == 0;
	bool noun = len > 2 && strcmp(pattern + len - 2, ".*") == 0;
	bool found = false;

	for (unsigned int i = 0; i < EVENT_TYPE_MAX; i++) {
		/* With the dot, so that "pe.*" is not "peer.*". */
		if (all || (noun ? strncmp(types[i].name, pattern, len - 1) == 0
				 : strcmp(types[i].name, pattern) == 0)) {
			*mask |= 1u << i;
			found = true;
		}
	}
	return found;
}

struct event_bus *events_new(void)
{
	struct event_bus *bus = calloc(1, sizeof(*bus));

	if (bus)
		json_out_init(&bus->out);
	return bus;
}

void events_free(struct event_bus *bus)
{
	if (!bus)
		return;
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(bus->ring[i].data);
	json_out_done(&bus->out);
	free(bus);
}

struct json_out *events_begin(struct event_bus *bus, enum event_type type)
{
	json_out_done(&bus->out);
	json_out_init(&bus->out);
	bus->type = type;
	json_out_begin_object(&bus->out, NULL);
	return &bus->out;
}

void events_end(struct event_bus *bus, struct mono now, uint64_t wall_usec)
{
	struct event *event = &bus->ring[(bus->last + 1) % EVENTS_KEPT];

	json_out_end_object(&bus->out);
	if (bus->out.failed) {
		bus->lost++;
		return;
	}
	free(event->data);
	*event = (struct event){ .seq = ++bus->last,
				 .type = bus->type,
				 .when = now,
				 .wall_usec = wall_usec,
				 .data = bus->out.data,
				 .len = bus->out.len };
	json_out_init(&bus->out); /* the ring has its buffer now, but for the room left in it */
	event->data = realloc(event->data, event->len) ?: event->data;
	for (struct event_reader *reader = bus->readers; reader; reader = reader->after) {
		if (reader->mask & (1u << event->type))
			reader->wake(reader);
	}
}

uint64_t events_last_seq(const struct event_bus *bus)
{
	return bus->last;
}

uint64_t events_lost(const struct event_bus *bus)
{
	return bus->lost;
}

static uint64_t first_kept(const struct event_bus *bus)
{
	return bus->last > EVENTS_KEPT ? bus->last - EVENTS_KEPT + 1 : 1;
}

static bool wants(const struct event_bus *bus, const struct event_reader *reader, uint64_t seq)
{
	return reader->mask & (1u << bus->ring[seq % EVENTS_KEPT].type);
}

void events_join(struct event_bus *bus, struct event_reader *reader, uint32_t replay)
{
	uint64_t first = first_kept(bus);

	reader->next = bus->last + 1;
	for (uint64_t seq = bus->last; replay && seq >= first; seq--) {
		if (!wants(bus, reader, seq))
			continue;
		reader->next = seq;
		replay--;
	}
	reader->prev = NULL;
	reader->after = bus->readers;
	if (bus->readers)
		bus->readers->prev = reader;
	bus->readers = reader;
}

void events_leave(struct event_bus *bus, struct event_reader *reader)
{
	if (reader->prev)
		reader->prev->after = reader->after;
	else
		bus->readers = reader->after;
	if (reader->after)
		reader->after->prev = reader->prev;
}

const struct event *events_read(struct event_bus *bus, struct event_reader *reader,
				uint64_t *ret_lost)
{
	uint64_t first = first_kept(bus);

	*ret_lost = 0;
	if (reader->next < first) {
		*ret_lost = first - reader->next;
		reader->next = first;
	}
	while (reader->next <= bus->last) {
		uint64_t seq = reader->next++;

		if (wants(bus, reader, seq))
			return &bus->ring[seq % EVENTS_KEPT];
	}
	return NULL;
}
