// SPDX-License-Identifier: GPL-2.0-only
/* One connection to the control socket: a line out, a line back. Called by main.c and status.c; blocking. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"

#define ANSWER_MAX ((size_t)1 << 32) /* octets; more is not an answer */

struct ctl_client {
	int fd;
	unsigned int id;
	char *buf;
	size_t len, cap;
	size_t used; /* octets at the beginning that were handed out as a line */
};

int ctl_connect(const char *path, struct ctl_client **ret_client)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ctl_client *client;
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->fd = fd;
	*ret_client = client;
	return 0;
}

void ctl_disconnect(struct ctl_client *client)
{
	if (!client)
		return;
	close(client->fd);
	free(client->buf);
	free(client);
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Reads on until a whole line stands in the buffer. Its length without the newline, or negative errno. */
static ssize_t read_line(struct ctl_client *client)
{
	size_t looked = 0;

	client->len -= client->used;
	if (client->len)
		memmove(client->buf, client->buf + client->used, client->len);
	client->used = 0;
	for (;;) {
		char *end = client->len > looked
				    ? memchr(client->buf + looked, '\n', client->len - looked)
				    : NULL;
		ssize_t n;

		if (end) {
			client->used = (size_t)(end - client->buf) + 1;
			return end - client->buf;
		}
		looked = client->len;
		if (client->len == client->cap) {
			size_t cap = client->cap ? 2 * client->cap : 65536;
			char *bigger = cap > ANSWER_MAX ? NULL : realloc(client->buf, cap);

			if (!bigger)
				return -ENOMEM;
			client->buf = bigger;
			client->cap = cap;
		}
		n = recv(client->fd, client->buf + client->len, client->cap - client->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		client->len += (size_t)n;
	}
}

int ctl_next(struct ctl_client *client, json_t **ret_line)
{
	ssize_t len = read_line(client);
	json_t *line;

	if (len < 0)
		return (int)len;
	line = json_loadb(client->buf, (size_t)len, 0, NULL);
	if (!json_is_object(line)) {
		json_decref(line);
		return -EPROTO;
	}
	*ret_line = line;
	return 0;
}

int ctl_call(struct ctl_client *client, const char *method, const char *params, json_t **ret_answer)
{
	json_t *answer = NULL;
	char *request = NULL;
	int n, r;

	n = asprintf(&request, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\"%s%s}\n",
		     ++client->id, method, params ? ",\"params\":" : "", params ? params : "");
	if (n < 0)
		return -ENOMEM;
	r = send_all(client->fd, request, (size_t)n);
	free(request);
	if (r == 0)
		r = ctl_next(client, &answer);
	if (r < 0)
		return r;
	if (!json_object_get(answer, "result") && !json_object_get(answer, "error")) {
		json_decref(answer);
		return -EPROTO;
	}
	*ret_answer = answer;
	return 0;
}
