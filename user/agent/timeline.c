// SPDX-License-Identifier: GPL-2.0-only
/* The ring and the histogram behind timeline.list. See the header. */
#include "agent/timeline.h"

#include <stdlib.h>

struct timeline {
	uint64_t next_seq;
	struct timeline_entry entries[TIMELINE_MAX]; /* by number, modulo the size */
	struct timeline_histogram histograms[TIMELINE_CAUSE_MAX];
};

static const uint64_t bounds[TIMELINE_BUCKETS - 1] = TIMELINE_BOUNDS;

const char *timeline_cause_name(enum timeline_cause cause)
{
	static const char *const names[TIMELINE_CAUSE_MAX] = {
#define X(name, text, doc) [TIMELINE_##name] = text,
		TIMELINE_CAUSES(X)
#undef X
	};

	return cause < TIMELINE_CAUSE_MAX ? names[cause] : "?";
}

struct timeline *timeline_new(void)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (timeline)
		timeline->next_seq = 1;
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	free(timeline);
}

uint64_t timeline_bound_usec(unsigned int bucket)
{
	return bucket < TIMELINE_BUCKETS - 1 ? bounds[bucket] : 0;
}

static void count(struct timeline_histogram *histogram, uint64_t usec)
{
	unsigned int bucket = 0;

	while (bucket < TIMELINE_BUCKETS - 1 && usec > bounds[bucket])
		bucket++;
	histogram->count[bucket]++;
	histogram->total++;
	histogram->sum_usec += usec;
}

uint64_t timeline_add(struct timeline *timeline, const struct timeline_entry *entry)
{
	uint64_t seq = timeline->next_seq++;
	struct timeline_entry *slot = &timeline->entries[seq % TIMELINE_MAX];

	*slot = *entry;
	slot->seq = seq;
	count(&timeline->histograms[entry->cause],
	      mono_since_usec(entry->programmed, entry->detected));
	return seq;
}

struct timeline_entry *timeline_find(struct timeline *timeline, uint64_t seq)
{
	struct timeline_entry *slot = &timeline->entries[seq % TIMELINE_MAX];

	return seq && slot->seq == seq ? slot : NULL;
}

const struct timeline_entry *timeline_next(const struct timeline *timeline, uint64_t seq)
{
	uint64_t oldest = timeline->next_seq > TIMELINE_MAX ? timeline->next_seq - TIMELINE_MAX : 1;

	if (seq < oldest)
		seq = oldest;
	return seq < timeline->next_seq ? &timeline->entries[seq % TIMELINE_MAX] : NULL;
}

const struct timeline_histogram *timeline_histogram(const struct timeline *timeline,
						    enum timeline_cause cause)
{
	return &timeline->histograms[cause];
}
