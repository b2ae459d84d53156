/* SPDX-License-Identifier: GPL-2.0-only */
/* Small files below /var/lib/<instance>, written whole or not at all. The edge: it does file I/O. */
#ifndef XRS_AGENT_STATE_FILE_H
#define XRS_AGENT_STATE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Replaces the file: a new one beside it, fsync, rename, fsync of the directory, so that after a crash
 * either the old or the new one is there, whole. 0 or negative errno; then the old one is untouched.
 */
int state_file_write(const char *path, const void *data, size_t len, mode_t mode);
/*
 * Reads a file of at most @max octets; *ret_data is terminated by a zero octet and for the caller to
 * free. -ENOENT, -EFBIG, or another negative errno.
 */
int state_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len);
/* Makes the directory (0700) when it is not there. 0 or negative errno. */
int state_file_mkdir(const char *dir);
/* Removes the file; that it is not there is fine. 0 or negative errno. */
int state_file_remove(const char *path);

#endif
