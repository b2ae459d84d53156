// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring of changes of selection. Filled by node_vnet.c for each change, read by route.history. It must
 * stay cheap: a table of a million routes that arrives writes a million entries.
 */
#include <stdlib.h>

#include "agent/journal.h"

struct journal {
	uint64_t last;
	struct journal_entry ring[JOURNAL_KEPT]; /* entry seq stands at seq % JOURNAL_KEPT */
};

struct journal *journal_new(void)
{
	return calloc(1, sizeof(struct journal));
}

void journal_free(struct journal *journal)
{
	free(journal);
}

struct journal_entry *journal_add(struct journal *journal)
{
	uint64_t seq = ++journal->last;
	struct journal_entry *entry = &journal->ring[seq % JOURNAL_KEPT];

	entry->seq = seq;
	return entry;
}

uint64_t journal_last(const struct journal *journal)
{
	return journal->last;
}

uint64_t journal_first(const struct journal *journal)
{
	return journal->last > JOURNAL_KEPT ? journal->last - JOURNAL_KEPT + 1 : 1;
}

const struct journal_entry *journal_get(const struct journal *journal, uint64_t seq)
{
	if (seq < journal_first(journal) || seq > journal->last)
		return NULL;
	return &journal->ring[seq % JOURNAL_KEPT];
}

const struct journal_entry *journal_at(const struct journal *journal,
				       const struct ip_prefix *prefix, uint64_t wall_usec,
				       bool *ret_before)
{
	const struct journal_entry *found = NULL;

	*ret_before = false;
	for (uint64_t seq = journal_first(journal); seq <= journal->last; seq++) {
		const struct journal_entry *entry = journal_get(journal, seq);

		if (!prefix_equal(&entry->prefix, prefix))
			continue;
		if (entry->wall_usec > wall_usec && found)
			break;
		found = entry;
		*ret_before = entry->wall_usec > wall_usec;
		if (*ret_before)
			break;
	}
	return found;
}
