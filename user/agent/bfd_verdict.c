// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the BFD engine tells the world of a session: the verdict in xrs_bfd, its state in the memory that xrsd
 * reads, and a report of each change. Called by the engine's other files.
 *
 * xrs_bfd has two writers. The program sets a deadline that has not passed anew with each packet that says
 * Up; whatever else a peer says makes it unwatched. Only this process declares dead (deadline in the
 * past) and takes that back. Where packets are authenticated the program sees that there are some, and by which
 * detection time to judge (auth_usec); this process goes by the authentic ones.
 */
#include "agent/bfd_engine_impl.h"

#include <errno.h>
#include <sys/socket.h>

#define DEAD 1 /* a deadline that has always passed */

/* --- xrs_bfd ----------------------------------------------------------------------------------------- */

static struct xrs_bfd *entry_of(const struct engine_session *s)
{
	struct xrs_bfd *entry = engine.map ? &engine.map[s->spec.slot] : NULL;

	return entry && entry->local_discr == s->spec.discr ? entry : NULL;
}

void engine_set_deadline(const struct engine_session *s, uint64_t deadline_ns)
{
	struct xrs_bfd *entry = entry_of(s);

	if (entry)
		__atomic_store_n(&entry->deadline_ns, deadline_ns, __ATOMIC_SEQ_CST);
}

bool engine_is_watched(const struct engine_session *s)
{
	return s->kernel && !s->spec.lenient;
}

static bool is_authenticated(const struct engine_session *s)
{
	return s->spec.session.key.type != BFD_AUTH_NONE;
}

/* The values by which the program judges, before it sees the next packet. */
void engine_tell_program(const struct engine_session *s)
{
	uint32_t detection = bfd_session_detection_usec(&s->bfd);
	struct xrs_bfd *entry = entry_of(s);

	if (!entry)
		return;
	entry->auth_usec = is_authenticated(s) ? (detection ? detection : UINT32_MAX) : 0;
	entry->min_rx_usec = s->spec.lenient ? 0 : s->bfd.min_rx_in_force;
}

struct mono engine_seen(const struct engine_session *s)
{
	const struct xrs_bfd *entry = s->kernel ? entry_of(s) : NULL;

	return (struct mono){ entry ? __atomic_load_n(&entry->last_rx_ns, __ATOMIC_RELAXED) / 1000
				    : 0 };
}

/* But not where it may be forged. */
void engine_ask_kernel(struct engine_session *s)
{
	if (s->bfd.state == BFD_UP && !is_authenticated(s))
		bfd_session_heard(&s->bfd, engine_seen(s));
}

/*
 * After each packet that was received here: has the program seen the like a moment ago? Then the deadline
 * is the program's. If not, packets come by an interface without one, and it is ours alone. A deadline that
 * passed before the program saw its last packet, while the session is Up here: the packet came just in time
 * to be heard before anybody looked, so that the member is not dead either.
 */
void engine_judge_kernel(struct engine_session *s)
{
	uint64_t detection_ns = (uint64_t)bfd_session_detection_usec(&s->bfd) * 1000;
	struct xrs_bfd *entry = entry_of(s);
	uint64_t last_ns;

	if (!entry)
		return;
	last_ns = __atomic_load_n(&entry->last_rx_ns, __ATOMIC_RELAXED);
	s->kernel = last_ns && last_ns + detection_ns / 2 > mono_now().usec * 1000;
	engine_tell_program(s);
	if (s->bfd.state != BFD_UP)
		return;
	if (!engine_is_watched(s))
		engine_set_deadline(s, 0);
	else if (__atomic_load_n(&entry->deadline_ns, __ATOMIC_RELAXED) <= last_ns)
		engine_set_deadline(s, last_ns + detection_ns);
}

/* --- telling xrsd -------------------------------------------------------------------------------------- */

void engine_publish(struct engine_session *s)
{
	struct bfd_status *status = &engine.shared->status[s->spec.slot];
	uint32_t version = status->version | 1;

	__atomic_store_n(&status->version, version, __ATOMIC_SEQ_CST);
	*status = (struct bfd_status){
		.version = version,
		.discr = s->spec.discr,
		.state = s->bfd.state,
		.remote_state = s->bfd.remote_state,
		.diag = s->bfd.diag,
		.remote_diag = s->bfd.remote_diag,
		.remote_multiplier = s->bfd.remote_multiplier,
		.remote_control_independent = s->bfd.remote_control_independent,
		.remote_demand = s->bfd.remote_demand,
		.kernel = engine_is_watched(s),
		.problem = s->problem,
		.remote_discr = s->bfd.remote_discr,
		.interval_usec = bfd_session_interval_usec(&s->bfd),
		.detection_usec = bfd_session_detection_usec(&s->bfd),
		.remote_min_tx_usec = s->bfd.remote_min_tx,
		.remote_min_rx_usec = s->bfd.remote_min_rx,
		.changed = s->changed,
		.late_max_usec = s->late_max_usec,
		.stood_in = s->stood_in,
		.stats = s->bfd.stats,
	};
	__atomic_store_n(&status->version, version + 1, __ATOMIC_SEQ_CST);
}

/* The last state is what counts: one that could not be sent is replaced by the next. */
void engine_send_report(struct engine_session *s)
{
	ssize_t n = send(BFD_ENGINE_SOCKET_FD, &s->report, sizeof(s->report),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	s->report_pending = n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR);
}

/* RFC 5882 3.2: AdminDown of either side says nothing about the path. */
static bool is_failure(const struct engine_session *s)
{
	return s->bfd.state == BFD_DOWN &&
	       !(s->bfd.diag == BFD_DIAG_NEIGHBOUR_DOWN && s->bfd.remote_state == BFD_ADMIN_DOWN);
}

void engine_state_changed(struct engine_session *s, enum bfd_state before, struct mono detected)
{
	bool failure = before == BFD_UP && is_failure(s);

	s->changed = mono_now();
	s->report = (struct bfd_event){
		.slot = s->spec.slot,
		.discr = s->spec.discr,
		.state = s->bfd.state,
		.remote_state = s->bfd.remote_state,
		.diag = s->bfd.diag,
		.failure = failure && !(s->spec.lenient && !s->bfd.remote_control_independent),
		.detected = detected,
		.decided = s->changed,
	};
	if (before == BFD_UP || s->bfd.state == BFD_UP)
		engine_set_deadline(s, s->report.failure ? DEAD : 0);
	s->report.programmed = mono_now();
	engine_send_report(s);
}
