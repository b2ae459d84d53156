// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of bounds with names and texts. Called by the configuration's checks, the API and the
 * metrics. Must never hold state: the counters are the caller's.
 */
#include "vnet/limits.h"

static const struct {
	size_t max;
	const char *name, *text;
} limits[LIMIT_COUNT] = {
#define X(id, bound, counter, what) [LIMIT_##id] = { (bound), counter, what },
	LIMITS(X)
#undef X
};

size_t limit_max(enum limit limit)
{
	return limits[limit].max;
}

const char *limit_name(enum limit limit)
{
	return limits[limit].name;
}

const char *limit_text(enum limit limit)
{
	return limits[limit].text;
}

bool limit_allows(struct limit_hits *hits, enum limit limit, size_t count)
{
	if (count <= limits[limit].max)
		return true;
	if (hits)
		hits->hits[limit]++;
	return false;
}
