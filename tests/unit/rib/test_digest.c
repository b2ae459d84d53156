// SPDX-License-Identifier: GPL-2.0-only
/* The digest of what is selected, and why a selection changed. */
#include "rib_lab.h"

static struct lab a, b;

static void start(void)
{
	lab_start(&a);
	lab_start(&b);
}

static void stop(void)
{
	lab_stop(&a);
	lab_stop(&b);
}

TestSuite(digest, .init = start, .fini = stop);

Test(digest, the_same_selection_has_the_same_digest_in_any_order)
{
	uint16_t a1 = lab_peer(&a, 65001, 1), a2 = lab_peer(&a, 65002, 2);
	uint16_t b2 = lab_peer(&b, 65002, 2), b1 = lab_peer(&b, 65001, 1);

	cr_assert_eq(rib_digest(a.rib), 0, "nothing is selected");
	lab_announce(&a, a1, "10.0.0.0/8 10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&a, a2, "10.0.0.0/8 10.2.0.0/16", "65002", "192.0.2.2", 0);
	lab_announce(&b, b2, "10.2.0.0/16", "65002", "192.0.2.2", 0);
	lab_announce(&b, b2, "10.0.0.0/8", "65002", "192.0.2.2", 0);
	cr_assert_neq(rib_digest(a.rib), rib_digest(b.rib));
	lab_announce(&b, b1, "10.1.0.0/16 10.0.0.0/8", "65001", "192.0.2.1", 0);
	cr_assert_neq(rib_digest(a.rib), 0);
	cr_assert_eq(rib_digest(a.rib), rib_digest(b.rib));
}

Test(digest, detours_leave_no_trace)
{
	uint16_t a1 = lab_peer(&a, 65001, 1), a2 = lab_peer(&a, 65002, 2);
	uint16_t b1 = lab_peer(&b, 65001, 1);
	uint64_t one;

	lab_announce(&b, b1, "10.0.0.0/8 10.1.0.0/16", "65001", "192.0.2.1", 0);
	one = rib_digest(b.rib);
	lab_announce(&a, a1, "10.0.0.0/8 10.1.0.0/16 10.9.0.0/16", "65001 65009", "192.0.2.1", 0);
	lab_announce(&a, a2, "10.0.0.0/8 10.5.0.0/16", "65002", "192.0.2.2", 0);
	lab_announce(&a, a1, "10.0.0.0/8 10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_withdraw(&a, a1, "10.9.0.0/16");
	rib_peer_down(a.rib, a2, false, lab_now);
	lab_work(&a);
	cr_assert_eq(rib_digest(a.rib), one);
	lab_withdraw(&a, a1, "10.0.0.0/8 10.1.0.0/16");
	cr_assert_eq(rib_digest(a.rib), 0, "and nothing is nothing");
}

Test(digest, whatever_leads_elsewhere_shows)
{
	uint16_t a1 = lab_peer(&a, 65001, 1), a2 = lab_peer(&a, 65002, 2);
	uint64_t digests[5];

	lab_announce(&a, a1, "10.0.0.0/8", "65001", "192.0.2.1", 0);
	digests[0] = rib_digest(a.rib);
	lab_announce(&a, a1, "10.0.0.0/8", "65001", "192.0.2.9", 0);
	digests[1] = rib_digest(a.rib);
	lab_announce(&a, a1, "10.0.0.0/8", "65001 65008", "192.0.2.1", 0);
	digests[2] = rib_digest(a.rib);
	lab_announce(&a, a2, "10.0.0.0/8", "65002 65008", "192.0.2.2", 0);
	digests[3] = rib_digest(a.rib);
	lab_withdraw(&a, a1, "10.0.0.0/8");
	lab_withdraw(&a, a2, "10.0.0.0/8");
	lab_announce(&a, a1, "10.0.0.0/9", "65001", "192.0.2.1", 0);
	digests[4] = rib_digest(a.rib);
	for (unsigned int i = 0; i < 5; i++) {
		for (unsigned int k = 0; k < i; k++)
			cr_assert_neq(digests[i], digests[k], "%u and %u", i, k);
	}
}

Test(digest, a_path_that_loses_does_not_count)
{
	uint16_t a1 = lab_peer(&a, 65001, 1), a2 = lab_peer(&a, 65002, 2);
	uint64_t digest;

	lab_announce(&a, a1, "10.0.0.0/8", "65001", "192.0.2.1", 0);
	digest = rib_digest(a.rib);
	lab_announce(&a, a2, "10.0.0.0/8", "65002 65003", "192.0.2.2", 0);
	cr_assert_eq(rib_digest(a.rib), digest);
}

/* --- causes ------------------------------------------------------------------------------------------ */

static void expect(enum rib_cause cause, uint16_t peer, enum decision_step step)
{
	cr_assert_str_eq(rib_cause_name(a.last_change.cause), rib_cause_name(cause));
	cr_assert_eq(a.last_change.cause_peer, peer);
	cr_assert_eq(a.last_change.step, step, "%s", decision_step_name(a.last_change.step));
}

Test(digest, a_change_says_why)
{
	uint16_t a1 = lab_peer(&a, 65001, 1), a2 = lab_peer(&a, 65002, 2);
	struct rib_config config = a.config;
	uint32_t group;

	lab_announce(&a, a1, "10.0.0.0/8", "65001", "192.0.2.1", 0);
	expect(RIB_CAUSE_ANNOUNCED, a1, STEP_NONE);
	cr_assert_eq(a.last_change.old_group, GROUP_NONE);
	group = a.last_change.offer.group;
	lab_announce(&a, a2, "10.0.0.0/8", "65002 65003", "192.0.2.2", 0);
	expect(RIB_CAUSE_ANNOUNCED, a2, STEP_AS_PATH_LENGTH);
	cr_assert_eq(a.last_change.old_group, group, "the backup set is part of a group");
	lab_withdraw(&a, a1, "10.0.0.0/8");
	expect(RIB_CAUSE_WITHDRAWN, a1, STEP_NONE);
	lab_announce(&a, a1, "10.0.0.0/8", "65001 65003", "192.0.2.1", 0);
	config.decision.max_paths = 1;
	rib_reconfigure(a.rib, &config);
	lab_work(&a);
	cr_assert_str_eq(rib_cause_name(a.last_change.cause), "configuration");
	rib_peer_down(a.rib, a1, false, lab_now);
	lab_work(&a);
	expect(RIB_CAUSE_SESSION_ENDED, a1, STEP_NONE);
}
