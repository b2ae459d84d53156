// SPDX-License-Identifier: GPL-2.0-only
/* The engine's second thread: it sends what is overdue, each packet once, and nothing before its time. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/bfd_standin.h"
#include "agent/sockaddr.h"

#define PATIENCE_MS 20000

/* What there is to send: packet @n is due at `due` and then `period` later. Under the lock of the stand-in. */
static struct {
	struct mono due;
	uint64_t period;
	unsigned int taken;
	struct bfd_departure departure;
} plan;

static struct mono due(void)
{
	return plan.due;
}

static bool take(struct mono now, struct bfd_departure *ret)
{
	if (!mono_is_set(plan.due) || mono_before(now, plan.due))
		return false;
	*ret = plan.departure;
	ret->octets[0] = (uint8_t)plan.taken++;
	plan.due = mono_add_usec(plan.due, plan.period);
	return true;
}

/* A receiver on the loopback device, and the plan leads there. */
static int open_pair(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert(bind(fd, (struct sockaddr *)&sa, len) == 0);
	cr_assert(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
	memset(&plan, 0, sizeof(plan));
	plan.departure = (struct bfd_departure){ .fd = socket(AF_INET, SOCK_DGRAM, 0),
						 .port = ntohs(sa.sin_port),
						 .len = BFD_PACKET_LEN };
	cr_assert_eq(ip_parse("127.0.0.1", &plan.departure.to), 0);
	return fd;
}

static int receive(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint8_t octets[BFD_PACKET_MAX];

	if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
		return -1;
	return recv(fd, octets, sizeof(octets), 0) == BFD_PACKET_LEN ? octets[0] : -1;
}

static struct bfd_standin *start(void)
{
	int error = 0;
	struct bfd_standin *standin = bfd_standin_new(due, take, &error);

	cr_assert_not_null(standin);
	if (error == -ENOTSUP)
		cr_skip_test("one processor");
	cr_assert_eq(error, 0);
	return standin;
}

static void set_due(struct bfd_standin *standin, struct mono when)
{
	bfd_standin_lock(standin);
	plan.due = when;
	bfd_standin_look(standin);
	bfd_standin_unlock(standin);
}

Test(bfd_standin, sends_what_is_overdue_in_order)
{
	int fd = open_pair();
	struct bfd_standin *standin;

	plan.period = 2000;
	standin = start();
	set_due(standin, mono_now());
	for (int n = 0; n < 20; n++)
		cr_assert_eq(receive(fd), n);
	bfd_standin_free(standin);
}

Test(bfd_standin, sooner_than_it_thought)
{
	int fd = open_pair();
	struct bfd_standin *standin;
	struct mono began = mono_now();

	plan.period = 3600ull * 1000000;
	plan.due = mono_add_sec(began, 3600);
	standin = start();
	set_due(standin, mono_add_usec(began, 1000));
	cr_assert_eq(receive(fd), 0);
	cr_assert_geq(mono_since_usec(mono_now(), began), 1000);
	bfd_standin_lock_all(standin);
	cr_assert_eq(plan.taken, 1);
	bfd_standin_unlock_all(standin);
	bfd_standin_free(standin);
}

/* The first thread is on time: it moves what would be overdue before it is, and nothing is sent for it. */
Test(bfd_standin, leaves_alone_what_is_in_time)
{
	struct bfd_standin *standin;

	open_pair();
	plan.period = 1;
	standin = start();
	set_due(standin, mono_add_sec(mono_now(), 3600));
	for (unsigned int n = 0; n < 100; n++)
		set_due(standin, mono_add_sec(mono_now(), 3600));
	bfd_standin_lock_all(standin);
	cr_assert_eq(plan.taken, 0);
	bfd_standin_unlock_all(standin);
	bfd_standin_free(standin);
}

Test(bfd_standin, ends_while_it_waits_for_nothing)
{
	struct bfd_standin *standin;

	open_pair();
	standin = start();
	bfd_standin_free(standin);
}

/* The two threads share no processor. */
Test(bfd_standin, each_has_its_own_processors)
{
	struct bfd_standin *standin;
	cpu_set_t before, after;

	open_pair();
	cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	standin = start();
	cr_assert_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	cr_assert_eq(CPU_COUNT(&after), (CPU_COUNT(&before) + 1) / 2);
	bfd_standin_free(standin);
}
