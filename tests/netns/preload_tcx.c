// SPDX-License-Identifier: GPL-2.0-only
/* LD_PRELOAD: one process finds a kernel without tcx, hence uses clsact. */
#include "../lib/old_kernel.c"

__attribute__((constructor)) static void begin(void)
{
	old_kernel();
}
