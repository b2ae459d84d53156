// SPDX-License-Identifier: GPL-2.0-only
/* How much the verifier walks through: a jump of it is noticed before an older kernel refuses to load. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lab.h"

TestSuite(insns, .init = lab_up, .fini = lab_down, .timeout = 60);

static unsigned int verified(const char *prog)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/progs/%s", lab.instance, prog);
	fd = bpf_obj_get(path);
	cr_assert(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len));
	close(fd);
	return info.verified_insns;
}

Test(insns, verified_instructions_have_not_grown)
{
	FILE *file = fopen("tests/bpf/insns.txt", "r");
	struct utsname kernel;
	char line[128], prog[32];
	unsigned int recorded, lines = 0;
	bool same = true;

	cr_assert(file, "run from the top of the tree");
	cr_assert(!uname(&kernel));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "kernel %31s", prog) == 1)
			same = !strncmp(kernel.release, prog, strlen(prog));
		if (line[0] == '#' || sscanf(line, "%31s %u", prog, &recorded) != 2 ||
		    strncmp(prog, "xrs_", 4))
			continue;
		lines++;
		cr_log_info("%s: %u, recorded %u", prog, verified(prog), recorded);
		/* Verifiers differ between kernels: elsewhere only twice as much is alarming. */
		cr_assert(verified(prog) * 10 <= recorded * (same ? 11 : 20), "%s: %u, recorded %u",
			  prog, verified(prog), recorded);
	}
	fclose(file);
	cr_assert(lines == 5);
}
