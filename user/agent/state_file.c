// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that must survive a crash at any moment: read whole, written to a new file and renamed. Called by
 * config.c, node_config.c and main.c. It knows nothing of what is in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/state_file.h"

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A rename is on the disk only when the directory is. */
static int sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd, r;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int state_file_write(const char *path, const void *data, size_t len, mode_t mode)
{
	char temporary[PATH_MAX];
	int fd, r;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return -ENAMETOOLONG;
	unlink(temporary); /* of an attempt that did not end */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r < 0 ? r : sync_directory(path);
}

int state_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	size_t len = 0, cap = 4096;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data;
	int r = 0;

	if (fd < 0)
		return -errno;
	data = malloc(cap + 1);
	while (data) {
		ssize_t n = read(fd, data + len, cap - len);
		char *bigger;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (len > max) {
			r = -EFBIG;
			break;
		}
		if (len < cap)
			continue;
		cap *= 2;
		bigger = realloc(data, cap + 1);
		if (!bigger)
			free(data);
		data = bigger;
	}
	close(fd);
	if (!data)
		return -ENOMEM;
	if (r < 0) {
		free(data);
		return r;
	}
	data[len] = 0;
	*ret_data = data;
	*ret_len = len;
	return 0;
}

int state_file_mkdir(const char *dir)
{
	return mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int state_file_remove(const char *path)
{
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
