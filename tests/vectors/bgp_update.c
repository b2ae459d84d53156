// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder against the table of bgp_update_vectors.h. After each row a good UPDATE of the same session
 * must still be read; what a row does to others is in bgp_update_effect.c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/update_decode.h"
#include "bgp_update_vectors.h"
#include "octets.h"

static struct bgp_update update;

static void check_reset(const struct vector *v, const struct bgp_error *error)
{
	uint8_t data[BGP_ERROR_DATA_MAX];
	size_t len = octets(v->data, data, sizeof(data));

	cr_expect_eq(error->code, BGP_ERR_UPDATE, "%s", v->name);
	cr_expect_eq(error->subcode, v->what, "%s: subcode %u", v->name, error->subcode);
	cr_expect_eq(error->data_len, len, "%s: %u octets of data", v->name, error->data_len);
	cr_expect_eq(memcmp(error->data, data, len), 0, "%s: data", v->name);
	cr_expect_not_null(error->reason, "%s", v->name);
}

static void check_kept(const struct vector *v)
{
	cr_expect_eq(update.outcome, v->outcome, "%s: outcome %d", v->name, update.outcome);
	if (v->outcome == BGP_ACCEPT)
		return;
	cr_assert(update.n_findings > 0, "%s: no finding", v->name);
	cr_expect_eq(update.findings[0].outcome, v->outcome, "%s: first finding %d (%s)", v->name,
		     update.findings[0].outcome, update.findings[0].reason);
	cr_expect_eq(update.findings[0].attr_code, v->what, "%s: attribute %u (%s)", v->name,
		     update.findings[0].attr_code, update.findings[0].reason);
	/* What was announced can be withdrawn. */
	if (v->outcome == BGP_TREAT_AS_WITHDRAW && !update.foreign_family)
		cr_expect(update.reach[0].len || update.reach[1].len, "%s: nothing to withdraw",
			  v->name);
}

static void check_good_route(enum session session, const char *name)
{
	uint8_t good[128];
	const char *text = session == OLD        ? WITH16("")
			   : session == ADD_PATH ? UPDATE("", BASE, "00000007" NET)
						 : WITH("");
	size_t len = octets(text, good, sizeof(good));
	struct bgp_error error;

	cr_expect_eq(bgp_update_decode(good, len, &sessions[session], &no_limits, &update, &error),
		     0, "after %s", name);
	cr_expect_eq(update.outcome, BGP_ACCEPT, "after %s", name);
	cr_expect_eq(update.reach[0].len,
		     session == ONLY_IPV6  ? 0
		     : session == ADD_PATH ? 8
					   : 4,
		     "after %s", name);
}

Test(bgp_update, each_condition_has_its_outcome)
{
	cr_assert_geq(N_VECTORS, 200);
	for (size_t i = 0; i < N_VECTORS; i++) {
		const struct vector *v = &vectors[i];
		size_t len = octets(v->body, body, sizeof(body));
		struct bgp_error error = { 0 };
		int err = bgp_update_decode(body, len, &sessions[v->session], &no_limits, &update,
					    &error);

		cr_expect_eq(err, v->outcome == BGP_RESET ? -EBADMSG : 0, "%s: %d (%s)", v->name,
			     err, err ? error.reason : "");
		if (err && v->outcome == BGP_RESET)
			check_reset(v, &error);
		else if (!err)
			check_kept(v);
		check_good_route(v->session, v->name);
	}
}

/* Each octet string that is a head of one of the vectors, in a buffer of exactly that size. */
Test(bgp_update, heads_of_messages_are_not_overread)
{
	for (size_t i = 0; i < N_VECTORS; i++) {
		size_t len = octets(vectors[i].body, body, sizeof(body));
		size_t step = len < 600 ? 1 : len / 500;

		for (size_t n = 0; n < len; n += step) {
			uint8_t *head = malloc(n ? n : 1);
			struct bgp_error error;
			int err;

			memcpy(head, body, n);
			err = bgp_update_decode(head, n, &sessions[vectors[i].session], &no_limits,
						&update, &error);
			if (err)
				cr_expect_eq(error.code, BGP_ERR_UPDATE, "%s", vectors[i].name);
			free(head);
		}
	}
}

/* Each octet of each vector is flipped in turn: anything may come of it but a wrong read. */
Test(bgp_update, flipped_octets_are_not_overread)
{
	for (size_t i = 0; i < N_VECTORS; i++) {
		size_t len = octets(vectors[i].body, body, sizeof(body));
		uint8_t *copy;

		if (len > 200)
			continue;
		copy = malloc(len ? len : 1);
		memcpy(copy, body, len);
		for (size_t n = 0; n < 3 * len; n++) {
			static const uint8_t masks[] = { 0xff, 0x01, 0x80 };
			struct bgp_error error;

			copy[n / 3] ^= masks[n % 3];
			bgp_update_decode(copy, len, &sessions[vectors[i].session], &no_limits,
					  &update, &error);
			copy[n / 3] ^= masks[n % 3];
		}
		free(copy);
	}
}
