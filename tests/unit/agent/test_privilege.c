// SPDX-License-Identifier: GPL-2.0-only
/* The privileged operations: each row is complete, and key files are judged before they are read. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/privilege.h"

static char path[64];

static void setup(void)
{
	strcpy(path, "/tmp/xrs-privilege-XXXXXX");
	close(mkstemp(path));
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(privilege, .init = setup, .fini = teardown);

static int read_key(const char *text, mode_t mode, uint8_t *key, size_t *ret_len)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
	chmod(path, mode);
	return privilege_read_key(path, key, ret_len);
}

Test(privilege, the_table_is_complete)
{
	for (unsigned int op = 0; op < PRIVILEGE_OP_MAX; op++) {
		const struct privilege_info *info = privilege_info(op);

		cr_assert(info->name && info->capability && info->why, "row %u", op);
	}
	cr_assert_null(privilege_info(PRIVILEGE_OP_MAX));
}

Test(privilege, key_files)
{
	uint8_t key[PRIVILEGE_KEY_MAX] = { 0 };
	char long_key[PRIVILEGE_KEY_MAX + 2];
	size_t len = 77;

	cr_assert_eq(read_key("secret\n", 0600, key, &len), 0);
	cr_assert_eq(len, 6);
	cr_assert_arr_eq(key, "secret", 6);
	cr_assert_eq(read_key("two\n\n", 0640, key, &len), 0);
	cr_assert_eq(len, 4, "one newline is cut");

	len = 77;
	cr_assert_eq(read_key("secret\n", 0644, key, &len), -EPERM);
	cr_assert_eq(read_key("secret\n", 0602, key, &len), -EPERM);
	cr_assert_eq(read_key("", 0600, key, &len), -ENODATA);
	cr_assert_eq(read_key("\n", 0600, key, &len), -ENODATA);
	memset(long_key, 'x', sizeof(long_key));
	long_key[PRIVILEGE_KEY_MAX + 1] = '\0';
	cr_assert_eq(read_key(long_key, 0600, key, &len), -EFBIG);
	cr_assert_eq(len, 77, "untouched on failure");
	long_key[PRIVILEGE_KEY_MAX] = '\0';
	cr_assert_eq(read_key(long_key, 0600, key, &len), 0);
	cr_assert_eq(len, PRIVILEGE_KEY_MAX);
}

Test(privilege, key_must_be_a_file)
{
	uint8_t key[PRIVILEGE_KEY_MAX];
	size_t len;

	cr_assert_eq(privilege_read_key("/nonexistent/key", key, &len), -ENOENT);
	cr_assert_eq(privilege_read_key("/tmp", key, &len), -EINVAL);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(privilege_read_key(path, key, &len), -EINVAL, "and it does not hang");
}

Test(privilege, calls_and_failures_are_counted)
{
	uint64_t calls = privilege_info(PRIVILEGE_READ_KEY)->calls;
	uint64_t failures = privilege_info(PRIVILEGE_READ_KEY)->failures;
	uint8_t key[PRIVILEGE_KEY_MAX];
	size_t len;

	privilege_read_key("/nonexistent/key", key, &len);
	cr_assert_eq(privilege_info(PRIVILEGE_READ_KEY)->calls, calls + 1);
	cr_assert_eq(privilege_info(PRIVILEGE_READ_KEY)->failures, failures + 1);
}

/* IP_FREEBIND: the address need not exist yet. */
Test(privilege, listens_on_an_address_that_is_not_there)
{
	struct privilege_listen request = { .port = 34179 };
	int fd;

	cr_assert_eq(ip_parse("203.0.113.77", &request.addr), 0);
	fd = privilege_bind_listen(&request);
	cr_assert_geq(fd, 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	request.addr.family = IP_NONE;
	cr_assert_eq(privilege_bind_listen(&request), -EINVAL);
}

Test(privilege, a_key_that_is_too_long_is_refused)
{
	struct privilege_md5 key = { .len = PRIVILEGE_KEY_MAX + 1 };

	cr_assert_eq(privilege_tcp_md5(-1, &key), -EFBIG);
}
