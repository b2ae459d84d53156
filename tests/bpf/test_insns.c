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

static struct bpf_prog_info info_of(const char *prog, bool observes)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = loader_prog(lab.loader, prog, observes);

	cr_assert(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len), "%s", prog);
	return info;
}

static void observe(void)
{
	char text[LOADER_TEXT];

	cr_assert(!loader_observe(lab.loader, LAB_NIC, true, text), "%s", text);
}

/* "xrs_steer", or "xrs_steer+observes": of the second set. */
static unsigned int verified(char *prog)
{
	char *observes = strchr(prog, '+');
	struct bpf_prog_info info;

	if (observes)
		*observes = 0;
	info = info_of(prog, observes);
	if (observes)
		*observes = '+';
	return info.verified_insns;
}

/* What nobody wants is not in the program that runs: traces and counters by route. */
Test(insns, off_is_not_there)
{
	static const char *const progs[] = { "xrs_steer", "xrs_steer_skb", "xrs_steer_tc",
					     "xrs_uplink", "xrs_uplink_tc" };

	observe();
	for (size_t i = 0; i < sizeof(progs) / sizeof(*progs); i++) {
		struct bpf_prog_info off = info_of(progs[i], false), on = info_of(progs[i], true);

		cr_log_info("%s: %u octets of instructions, observing %u", progs[i],
			    off.xlated_prog_len, on.xlated_prog_len);
		cr_assert(off.xlated_prog_len + 100 * sizeof(struct bpf_insn) < on.xlated_prog_len);
		cr_assert(off.jited_prog_len < on.jited_prog_len);
	}
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
	observe();
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
	cr_assert(lines == 12);
}
