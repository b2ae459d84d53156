// SPDX-License-Identifier: GPL-2.0-only
/* The event bus: order, kinds, replay, and readers that are too slow. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/events.h"

static unsigned int woken;

static void wake(struct event_reader *reader)
{
	woken++;
}

static void emit(struct event_bus *bus, enum event_type type, unsigned int value)
{
	json_out_uint(events_begin(bus, type), "value", value);
	events_end(bus, (struct mono){ .usec = value }, 1000 + value);
}

static struct event_reader reader_of(const char *pattern)
{
	struct event_reader reader = { .wake = wake };

	cr_assert(event_types_add(pattern, &reader.mask));
	return reader;
}

Test(events, a_reader_gets_what_it_asked_for_in_order)
{
	struct event_reader reader = reader_of("peer.*");
	struct event_bus *bus = events_new();
	const struct event *event;
	uint64_t lost;

	emit(bus, EVENT_PEER_STATE, 1); /* before it joined */
	events_join(bus, &reader, 0);
	emit(bus, EVENT_PEER_NOTIFICATION, 2);
	emit(bus, EVENT_NIC_ATTACH, 3);
	emit(bus, EVENT_PEER_STATE, 4);
	cr_assert_eq(woken, 2, "an event of another kind wakes nobody");
	event = events_read(bus, &reader, &lost);
	cr_assert_eq(event->seq, 2);
	cr_assert_eq(event->type, EVENT_PEER_NOTIFICATION);
	cr_assert_eq(event->when.usec, 2);
	cr_assert_eq(event->wall_usec, 1002);
	cr_assert_eq(event->len, strlen("{\"value\":2}"));
	cr_assert_eq(memcmp(event->data, "{\"value\":2}", event->len), 0);
	event = events_read(bus, &reader, &lost);
	cr_assert_eq(event->seq, 4);
	cr_assert_eq(lost, 0);
	cr_assert_null(events_read(bus, &reader, &lost));
	events_leave(bus, &reader);
	emit(bus, EVENT_PEER_STATE, 5);
	cr_assert_eq(woken, 2, "nor one who left");
	cr_assert_eq(events_last_seq(bus), 5);
	events_free(bus);
}

Test(events, replay_begins_with_the_latest_that_are_wanted)
{
	struct event_reader two = reader_of("peer.state"), many = reader_of("*");
	struct event_bus *bus = events_new();
	uint64_t lost;

	for (unsigned int i = 1; i <= 10; i++)
		emit(bus, i % 2 ? EVENT_PEER_STATE : EVENT_NIC_ATTACH, i);
	events_join(bus, &two, 2);
	cr_assert_eq(events_read(bus, &two, &lost)->seq, 7);
	cr_assert_eq(events_read(bus, &two, &lost)->seq, 9);
	cr_assert_null(events_read(bus, &two, &lost));
	events_join(bus, &many, EVENTS_KEPT);
	cr_assert_eq(events_read(bus, &many, &lost)->seq, 1);
	events_leave(bus, &two);
	events_leave(bus, &many);
	events_free(bus);
}

Test(events, a_slow_reader_hears_how_many_it_missed)
{
	struct event_reader reader = reader_of("*");
	struct event_bus *bus = events_new();
	uint64_t lost;

	events_join(bus, &reader, 0);
	for (unsigned int i = 1; i <= EVENTS_KEPT; i++)
		emit(bus, EVENT_PEER_STATE, i);
	cr_assert_eq(events_read(bus, &reader, &lost)->seq, 1, "the ring holds so many");
	cr_assert_eq(lost, 0);
	for (unsigned int i = 1; i <= 7; i++)
		emit(bus, EVENT_PEER_STATE, i);
	cr_assert_eq(events_read(bus, &reader, &lost)->seq, 8);
	cr_assert_eq(lost, 6, "2 to 7 were overwritten before it came");
	cr_assert_eq(events_read(bus, &reader, &lost)->seq, 9);
	cr_assert_eq(lost, 0, "told once");
	events_leave(bus, &reader);
	events_free(bus);
}

Test(events, patterns_name_types)
{
	uint32_t mask = 0;

	cr_assert(event_types_add("config.*", &mask));
	cr_assert_eq(mask, 1u << EVENT_CONFIG_APPLIED | 1u << EVENT_CONFIG_PENDING |
				   1u << EVENT_CONFIG_CONFIRMED | 1u << EVENT_CONFIG_REFUSED);
	cr_assert_not(event_types_add("pe.*", &mask));
	cr_assert_not(event_types_add("peer", &mask));
	cr_assert_not(event_types_add("", &mask));
	cr_assert_not(event_types_add(".*", &mask));
	mask = 0;
	cr_assert(event_types_add("*", &mask));
	for (unsigned int i = 0; i < EVENT_TYPE_MAX; i++) {
		cr_assert(mask & (1u << i));
		cr_assert(strchr(event_type_name(i), '.'), "noun.verb");
		cr_assert_neq(*event_type_members(i), 0);
	}
}
