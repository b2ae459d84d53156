// SPDX-License-Identifier: GPL-2.0-only
/* Files that are written whole or not at all. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/state_file.h"

static char dir[] = "/tmp/xrs-state-XXXXXX", path[64], temporary[80];

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state.json", dir);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

TestSuite(state_file, .init = make_dir, .fini = remove_dir);

Test(state_file, what_was_written_is_read)
{
	struct stat st;
	char *data;
	size_t len;

	cr_assert_eq(state_file_read(path, 100, &data, &len), -ENOENT);
	cr_assert_eq(state_file_write(path, "first", 5, 0600), 0);
	cr_assert_eq(state_file_write(path, "second, longer", 14, 0640), 0);
	cr_assert_eq(state_file_read(path, 100, &data, &len), 0);
	cr_assert_eq(len, 14);
	cr_assert_str_eq(data, "second, longer");
	free(data);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(access(temporary, F_OK), -1, "nothing is left beside it");
	cr_assert_eq(state_file_read(path, 13, &data, &len), -EFBIG);
	cr_assert_eq(state_file_remove(path), 0);
	cr_assert_eq(state_file_remove(path), 0, "that it is gone already is fine");
}

Test(state_file, what_an_attempt_left_is_no_obstacle)
{
	FILE *stale = fopen(temporary, "w");

	fputs("half of someth", stale);
	fclose(stale);
	cr_assert_eq(state_file_write(path, "whole", 5, 0600), 0);
	cr_assert_eq(access(temporary, F_OK), -1);
}

Test(state_file, a_failure_leaves_the_old_one)
{
	char missing[128];

	snprintf(missing, sizeof(missing), "%s/no/such/state.json", dir);
	cr_assert_eq(state_file_write(missing, "x", 1, 0600), -ENOENT);
	cr_assert_eq(state_file_mkdir(dir), 0, "it is there");
}
