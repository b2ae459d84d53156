// SPDX-License-Identifier: GPL-2.0-only
#include "old_kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS 46 /* enum bpf_attach_type of 6.6; older headers lack the names */
#define TCX_EGRESS  47

static bool is_old;

void old_kernel(void)
{
	is_old = true;
}

static bool is_tcx_link(const long *arg)
{
	const union bpf_attr *attr = (const void *)arg[1];

	return arg[0] == BPF_LINK_CREATE && (attr->link_create.attach_type == TCX_INGRESS ||
					     attr->link_create.attach_type == TCX_EGRESS);
}

/* In front of the C library's, by which libbpf makes its system calls. */
long syscall(long number, ...)
{
	static long (*next)(long number, ...);
	long arg[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	if (is_old && number == SYS_bpf && is_tcx_link(arg)) {
		errno = EINVAL;
		return -1;
	}
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
