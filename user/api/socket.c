// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets of the API: listening, who may do what, requests in, answers out. One request of a
 * connection at a time, in order; a connection whose answers are not read is not read from, and waits
 * with at most one answer in memory. All on the agent's loop, in slices: BGP never waits for a client.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "api/api_impl.h"
#include "api/http.h"

#define LISTENERS_MAX   3
#define READ_CHUNK      16384
#define LOCK_WAIT_MS    5000
#define LOCK_POLL_MS    20
#define ACCEPT_PAUSE_MS 100 /* after running out of descriptors */
#define GROUPS_MAX      256 /* supplementary groups of a client that are looked at */

struct api_listener {
	struct api *api;
	struct loop_io io;
	char path[108]; /* "": TCP */
	bool read_only, http_only;
};

struct api_conn {
	struct api *api;
	struct api_conn *prev, *next;
	struct loop_io io;
	struct loop_work work; /* slices of the stream, and lines that wait */
	char *in;
	size_t in_len, in_cap;
	struct json_out out;
	struct api_stream *stream;
	struct api_monitor *monitor;
	bool news;          /* events wait for room */
	bool started, http; /* the first octet was seen, and was not JSON's */
	bool http_only, may_write;
	bool eof;     /* the client will say no more; what it asked for is still answered */
	bool closing; /* when everything is sent */
	uid_t uid;
	pid_t pid;
};

struct api {
	struct node *node;
	struct loop *loop;
	int lock_fd;
	bool has_group;
	gid_t group;
	struct api_listener listeners[LISTENERS_MAX];
	unsigned int n_listeners;
	struct loop_timer accept_timer;
	struct api_conn *conns;
	struct api_stats stats;
	struct log_limit refused_log;
};

struct node *api_node(const struct api *api)
{
	return api->node;
}

struct api_monitor **api_conn_monitor(struct api_conn *conn)
{
	return &conn->monitor;
}

void api_conn_wake(struct api_conn *conn)
{
	loop_work_add(conn->api->loop, &conn->work);
}

const struct api_stats *api_stats(const struct api *api)
{
	return &api->stats;
}

/* --- counting ---------------------------------------------------------------------------------------- */

static const int codes[API_CODES] = {
	0,
	API_PARSE_ERROR,
	API_INVALID_REQUEST,
	API_METHOD_NOT_FOUND,
	API_INVALID_PARAMS,
	API_INTERNAL,
	API_NOT_FOUND,
	API_ALREADY_EXISTS,
	API_PERMISSION_DENIED,
	API_MANAGED_BY_FILE,
	API_LIMIT_EXCEEDED,
	API_CONFLICT,
	API_DATAPLANE_ERROR,
	API_NOT_READY,
	API_INVALID_CONFIG,
};

unsigned int code_index(int code)
{
	for (unsigned int i = 0; i < API_CODES; i++) {
		if (codes[i] == code)
			return i;
	}
	return API_CODES - 1;
}

int code_of_index(unsigned int index)
{
	return codes[index];
}

static void count_request(struct api *api, const struct api_method *method, int code)
{
	size_t row = method ? (size_t)(method - api_methods) : api_n_methods;

	api->stats.requests[row][code_index(code)]++;
}

/* --- the life of a connection ---------------------------------------------------------------------- */

static void conn_free(struct api_conn *conn)
{
	struct api *api = conn->api;

	loop_io_del(api->loop, &conn->io);
	loop_work_del(api->loop, &conn->work);
	close(conn->io.fd);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		api->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	api->stats.open--;
	json_out_done(&conn->out);
	monitor_free(conn->monitor, api->node);
	stream_free(conn->stream);
	free(conn->in);
	free(conn);
}

/* The next request may be looked at. */
static bool conn_idle(const struct api_conn *conn)
{
	return !conn->closing && !conn->stream && conn->out.len < API_OUT_HIGH;
}

static bool conn_may_read(const struct api_conn *conn)
{
	return conn_idle(conn) && !conn->eof && conn->in_len <= API_LINE_MAX;
}

/* What the connection waits for follows from its state alone. */
static void conn_update(struct api_conn *conn)
{
	uint32_t events = (conn_may_read(conn) ? EPOLLIN : 0) | (conn->out.len ? EPOLLOUT : 0);

	if (conn->closing && !conn->out.len && !conn->stream) {
		conn_free(conn);
		return;
	}
	if ((conn->stream || conn->news) && conn->out.len < API_OUT_HIGH)
		loop_work_add(conn->api->loop, &conn->work);
	loop_io_mod(conn->api->loop, &conn->io, events);
}

/* --- requests ------------------------------------------------------------------------------------------ */

static void end_result(struct json_out *out)
{
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_put_char(out, '\n');
}

static void log_write_call(const struct api_conn *conn, const struct api_request *request)
{
	char *params = request->params ? json_dumps(request->params, JSON_COMPACT) : NULL;
	char shown[512];

	log_escape(params ? params : "{}", params ? strlen(params) : 2, shown, sizeof(shown));
	log_info("api", "write method=%s uid=%u pid=%d params=\"%s\"", request->method->name,
		 (unsigned int)conn->uid, (int)conn->pid, shown);
	free(params);
}

static int run_method(struct api_conn *conn, const struct api_request *request,
		      struct api_error *error)
{
	struct api_call call = { .api = conn->api,
				 .node = conn->api->node,
				 .conn = conn,
				 .request = request,
				 .out = &conn->out,
				 .error = error };
	int r;

	if (request_writes(request)) {
		if (!conn->may_write)
			return api_fail(
				error, API_PERMISSION_DENIED, NULL,
				"'%s' changes something: it needs root or the api group, and "
				"the socket that is not read only",
				request->method->name);
		log_write_call(conn, request);
	}
	r = request->method->handle(&call);
	if (r < 0)
		stream_free(call.stream);
	else
		conn->stream = call.stream;
	return r;
}

/* Forgets what was written behind @mark, which was not sent yet. */
static void take_back(struct json_out *out, size_t mark)
{
	struct json_out fresh;

	json_out_init(&fresh);
	fresh.data = out->data;
	fresh.cap = out->cap;
	fresh.len = mark;
	fresh.failed = out->failed;
	*out = fresh;
}

static void answer(struct api_conn *conn, const struct api_request *request,
		   struct api_error *error)
{
	struct json_out *out = &conn->out;
	size_t mark = out->len;

	json_out_begin_object(out, NULL);
	json_out_string(out, "jsonrpc", "2.0");
	json_out_raw(out, "id", *request->id ? request->id : "null",
		     *request->id ? strlen(request->id) : 4);
	json_out_begin_object(out, "result");
	if (run_method(conn, request, error) < 0) {
		take_back(out, mark);
		api_write_error(out, request->id, error);
	} else if (!conn->stream) {
		end_result(out);
	}
	if (request_is_notification(request)) { /* JSON-RPC 4.1: no answer, whatever came of it */
		stream_free(conn->stream);
		conn->stream = NULL;
		take_back(out, mark);
	}
}

static void handle_line(struct api_conn *conn, const char *line, size_t len)
{
	struct api_request request;
	struct api_error error;

	if (request_parse(line, len, api_methods, api_n_methods, &request, &error) < 0) {
		/* Only what is surely a notification goes without an answer. */
		if (!request_is_notification(&request) || error.code == API_PARSE_ERROR ||
		    error.code == API_INVALID_REQUEST)
			api_write_error(&conn->out, request.id, &error);
	} else {
		answer(conn, &request, &error);
	}
	count_request(conn->api, request.method, error.code);
	request_done(&request);
}

static void handle_http(struct api_conn *conn)
{
	struct json_out body;
	enum http_target target;
	bool head_only;
	int status = 200;
	const char *type = "text/plain; charset=utf-8";

	if (!http_parse(conn->in, conn->in_len, &target, &head_only)) {
		if (conn->in_len >= API_HTTP_MAX)
			conn->closing = true;
		return;
	}
	conn->closing = true;
	conn->in_len = 0;
	if (target == HTTP_METRICS) {
		http_begin(&conn->out,
			   "application/openmetrics-text; version=1.0.0; charset=utf-8");
		if (!head_only)
			conn->stream = metrics_stream_new(conn->api);
		return;
	}
	json_out_init(&body);
	switch (target) {
	case HTTP_HEALTH:
		for (const char *text = "ok\n"; *text; text++)
			json_out_put_char(&body, *text);
		break;
	case HTTP_ROOT:
		for (const char *text = "xrsd: /metrics /healthz\n"; *text; text++)
			json_out_put_char(&body, *text);
		break;
	default:
		status = target == HTTP_NOT_FOUND ? 404 : target == HTTP_BAD_METHOD ? 405 : 400;
		break;
	}
	http_respond(&conn->out, status, type, body.data, body.len, head_only);
	json_out_done(&body);
}

static void too_long(struct api_conn *conn)
{
	struct api_error error;

	api_fail(&error, API_INVALID_REQUEST, NULL, "the request is longer than %u octets",
		 API_LINE_MAX);
	api_write_error(&conn->out, "null", &error);
	count_request(conn->api, NULL, error.code);
	conn->closing = true;
	conn->in_len = 0;
}

/* Handles one waiting line; false: there is no whole one. */
static bool handle_one(struct api_conn *conn)
{
	char *end = conn->in_len ? memchr(conn->in, '\n', conn->in_len) : NULL;
	size_t len, used;

	if (!end && conn->in_len > API_LINE_MAX)
		too_long(conn);
	if (!end && conn->eof && !monitor_active(conn->monitor))
		conn->closing = true;
	if (!end || conn->closing)
		return false;
	len = (size_t)(end - conn->in);
	used = len + 1;
	if (len && conn->in[len - 1] == '\r')
		len--;
	if (len > API_LINE_MAX) {
		too_long(conn);
		return false;
	}
	if (len)
		handle_line(conn, conn->in, len);
	conn->in_len -= used;
	memmove(conn->in, conn->in + used, conn->in_len);
	return true;
}

static void handle_input(struct api_conn *conn)
{
	if (conn->in_len && !conn->started) {
		conn->started = true;
		/* '[' is a batch, which has an error of its own. */
		conn->http = conn->http_only || !strchr("{[\r\n", conn->in[0]);
	}
	if (conn->http) {
		handle_http(conn);
		conn->closing |= conn->eof;
		return;
	}
	/* One line a turn, so that a client that sends a thousand does not hold up the rest. */
	if (conn_idle(conn) && handle_one(conn) && (conn->in_len || conn->eof) && conn_idle(conn))
		loop_work_add(conn->api->loop, &conn->work);
}

/* --- output ------------------------------------------------------------------------------------------- */

/* False: the connection is gone. */
static bool conn_send(struct api_conn *conn)
{
	ssize_t n;

	if (conn->out.failed) {
		log_warn("api", "out of memory for an answer: connection closed pid=%d",
			 (int)conn->pid);
		conn_free(conn);
		return false;
	}
	if (!conn->out.len)
		return true;
	n = send(conn->io.fd, conn->out.data, conn->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_free(conn);
		return false;
	}
	if (n > 0)
		json_out_consume(&conn->out, (size_t)n);
	conn->api->stats.stalls += conn->out.len > 0;
	return true;
}

/* Counters and groups that one slice asks for are read together. */
static bool stream_slice(struct api_stream *stream, struct node *node, struct json_out *out)
{
	bool more;

	if (node->maps)
		fib_maps_hold(node->maps, true);
	more = stream->step(stream, node, out);
	if (node->maps)
		fib_maps_hold(node->maps, false);
	return more;
}

static bool conn_slice(struct loop_work *work)
{
	struct api_conn *conn = work->ctx;
	struct api_stream *stream = conn->stream;

	if (stream && conn->out.len < API_OUT_HIGH &&
	    !stream_slice(stream, conn->api->node, &conn->out)) {
		if (!conn->http) {
			stream_finish(stream, conn->api->node, &conn->out);
			end_result(&conn->out);
		}
		stream_free(stream);
		conn->stream = NULL;
	}
	if (!conn->stream) { /* events never come into the middle of an answer */
		conn->news = monitor_write(conn->monitor, conn->api->node, &conn->out);
		handle_input(conn);
	}
	if (conn_send(conn))
		conn_update(conn); /* queues the next slice itself */
	return false;
}

static bool conn_receive(struct api_conn *conn)
{
	ssize_t n;

	if (conn->in_cap - conn->in_len < READ_CHUNK) {
		char *bigger = realloc(conn->in, conn->in_len + 2 * READ_CHUNK + conn->in_cap / 2);

		if (!bigger) {
			conn_free(conn);
			return false;
		}
		conn->in_cap = conn->in_len + 2 * READ_CHUNK + conn->in_cap / 2;
		conn->in = bigger;
	}
	n = recv(conn->io.fd, conn->in + conn->in_len, READ_CHUNK, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		conn->eof = true; /* perhaps of its half only */
		return true;
	}
	conn->in_len += (size_t)n;
	return true;
}

static void conn_ready(struct loop_io *io, uint32_t events)
{
	struct api_conn *conn = io->ctx;

	if (events & EPOLLERR) {
		conn_free(conn);
		return;
	}
	if ((events & EPOLLHUP) && !conn_may_read(conn)) {
		conn_free(conn); /* nobody is there to read the rest */
		return;
	}
	if (!(events & ~EPOLLOUT))
		loop_work_add(conn->api->loop, &conn->work); /* lines may have waited for room */
	if ((events & (EPOLLIN | EPOLLHUP)) && conn_may_read(conn)) {
		if (!conn_receive(conn))
			return;
		handle_input(conn);
	}
	if (conn_send(conn))
		conn_update(conn);
}

/* --- who is there ---------------------------------------------------------------------------------------- */

/* Root, or a member of the group by primary or supplementary group. */
static bool peer_in_group(const struct api *api, int fd, const struct ucred *cred)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (cred->uid == 0 || cred->uid == geteuid())
		return true;
	if (!api->has_group)
		return false;
	if (cred->gid == api->group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == api->group)
			return true;
	}
	return false;
}

static void conn_new(struct api_listener *listener, int fd)
{
	struct api *api = listener->api;
	struct api_conn *conn = calloc(1, sizeof(*conn));
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (!conn ||
	    (*listener->path && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)) {
		free(conn);
		close(fd);
		return;
	}
	conn->api = api;
	conn->io = (struct loop_io){ .fd = fd, .fn = conn_ready, .ctx = conn, .urgent = true };
	conn->work = (struct loop_work){ .fn = conn_slice, .ctx = conn };
	json_out_init(&conn->out);
	conn->http_only = listener->http_only;
	conn->uid = cred.uid;
	conn->pid = cred.pid;
	conn->may_write = *listener->path && !listener->read_only && peer_in_group(api, fd, &cred);
	if (loop_io_add(api->loop, &conn->io, EPOLLIN) < 0) {
		free(conn);
		close(fd);
		return;
	}
	conn->next = api->conns;
	if (conn->next)
		conn->next->prev = conn;
	api->conns = conn;
	api->stats.open++;
	api->stats.connections++;
}

static void listen_again(struct loop_timer *timer)
{
	struct api *api = timer->ctx;

	for (unsigned int i = 0; i < api->n_listeners; i++)
		loop_io_mod(api->loop, &api->listeners[i].io, EPOLLIN);
}

/* Out of descriptors: the connection stays in the backlog; looking at once again would only spin. */
static void pause_accept(struct api *api)
{
	api->stats.exhausted++;
	for (unsigned int i = 0; i < api->n_listeners; i++)
		loop_io_mod(api->loop, &api->listeners[i].io, 0);
	loop_timer_set(api->loop, &api->accept_timer,
		       mono_add_msec(loop_now(api->loop), ACCEPT_PAUSE_MS));
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
	struct api_listener *listener = io->ctx;
	struct api *api = listener->api;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accept(api);
		return;
	}
	if (api->stats.open >= API_CONNS_MAX) {
		api->stats.refused++;
		if (log_allow(&api->refused_log, loop_now(api->loop), 3, 60000))
			log_warn("api", "connection refused: %d are open", API_CONNS_MAX);
		close(fd);
		return;
	}
	conn_new(listener, fd);
}

/* --- listening ------------------------------------------------------------------------------------------ */

static int add_listener(struct api *api, int fd, const char *path, bool read_only)
{
	struct api_listener *listener = &api->listeners[api->n_listeners];
	int r;

	*listener = (struct api_listener){ .api = api, .read_only = read_only };
	snprintf(listener->path, sizeof(listener->path), "%s", path);
	listener->http_only = !*path;
	listener->io =
		(struct loop_io){ .fd = fd, .fn = listener_ready, .ctx = listener, .urgent = true };
	r = loop_io_add(api->loop, &listener->io, EPOLLIN);
	if (r == 0)
		api->n_listeners++;
	return r;
}

static int bind_unix(int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	/* We hold the lock: a socket that is there belongs to nobody. Anything else is not ours. */
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		unlink(path);
	}
	mask = umask(0177); /* nobody but us until owner and mode are right */
	r = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	umask(mask);
	return r;
}

static int listen_unix(struct api *api, const char *path, bool read_only, bool has_group,
		       gid_t group)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : bind_unix(fd, path);

	if (r == 0 && has_group && chown(path, (uid_t)-1, group) < 0 && geteuid() == 0)
		r = -errno;
	if (r == 0 && chmod(path, 0660) < 0)
		r = -errno;
	if (r == 0 && listen(fd, 64) < 0)
		r = -errno;
	if (r == 0)
		r = add_listener(api, fd, path, read_only);
	if (r < 0) {
		log_err("api", "socket %s: %s", path, strerror(-r));
		if (fd >= 0)
			close(fd);
	}
	return r;
}

static int listen_tcp(struct api *api, const char *text)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct config_listen listen_at;
	bool is6;
	int fd, r, one = 1;

	if (config_parse_listen(text, &listen_at) < 0)
		return -EINVAL;
	is6 = listen_at.addr.family == IP_V6;
	memcpy(&v6.sin6_addr, listen_at.addr.bytes, 16);
	memcpy(&v4.sin_addr, listen_at.addr.bytes, 4);
	v6.sin6_port = v4.sin_port = htons(listen_at.port);
	fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	r = is6 ? bind(fd, (struct sockaddr *)&v6, sizeof(v6))
		: bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (r < 0 || listen(fd, 16) < 0)
		r = -errno;
	else
		r = add_listener(api, fd, "", true);
	if (r < 0) {
		log_err("api", "metrics listener %s: %s", text, strerror(-r));
		close(fd);
	}
	return r;
}

/* One that was killed holds it until the kernel has taken it apart. */
static bool wait_for_lock(int fd)
{
	const struct timespec moment = { .tv_nsec = LOCK_POLL_MS * 1000000 };

	for (int i = 0; i < LOCK_WAIT_MS / LOCK_POLL_MS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		nanosleep(&moment, NULL);
	}
	errno = EWOULDBLOCK;
	return false;
}

int api_lock(const struct config_paths *paths)
{
	char path[128];
	int fd, error;

	if (mkdir(paths->run_dir, 0755) < 0 && errno != EEXIST) {
		error = errno;
		log_err("api", "directory %s: %s", paths->run_dir, strerror(error));
		return -error;
	}
	snprintf(path, sizeof(path), "%s/api.lock", paths->run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && wait_for_lock(fd))
		return fd;
	error = errno;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && error == EWOULDBLOCK) {
		log_err("api", "%s is held: another xrsd serves this instance", path);
		return -EADDRINUSE;
	}
	log_err("api", "lock file %s: %s", path, strerror(error));
	return -error;
}

/* The read-only socket belongs to GROUP-ro when there is such a group, else to the same group. */
static void find_groups(struct api *api, const char *name, bool *ret_ro, gid_t *ret_ro_group)
{
	const struct group *group = name && *name ? getgrnam(name) : NULL;
	char ro_name[64];

	api->has_group = group != NULL;
	api->group = group ? group->gr_gid : 0;
	if (!group && name && *name)
		log_info("api", "there is no group '%s': only root may use the sockets", name);
	snprintf(ro_name, sizeof(ro_name), "%.60s-ro", name ? name : "");
	group = name && *name ? getgrnam(ro_name) : NULL;
	*ret_ro = group || api->has_group;
	*ret_ro_group = group ? group->gr_gid : api->group;
}

static int api_listen(struct api *api, const struct config_paths *paths, const char *group)
{
	const char *tcp = api->node->config->metrics_tcp;
	bool ro;
	gid_t ro_group;
	int r;

	find_groups(api, group, &ro, &ro_group);
	r = listen_unix(api, paths->socket, false, api->has_group, api->group);
	if (r == 0)
		r = listen_unix(api, paths->socket_ro, true, ro, ro_group);
	if (r == 0 && *tcp)
		r = listen_tcp(api, tcp);
	return r;
}

int api_new(struct node *node, struct loop *loop, const struct config_paths *paths,
	    const char *group, int lock_fd, struct api **ret_api)
{
	struct api *api = calloc(1, sizeof(*api));
	int r;

	if (!api) {
		close(lock_fd);
		return -ENOMEM;
	}
	api->node = node;
	api->loop = loop;
	api->lock_fd = lock_fd;
	api->accept_timer = (struct loop_timer){ .fn = listen_again, .ctx = api };
	r = api_listen(api, paths, group);
	if (r < 0) {
		api_free(api);
		return r;
	}
	*ret_api = api;
	return 0;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	while (api->conns)
		conn_free(api->conns);
	for (unsigned int i = 0; i < api->n_listeners; i++) {
		struct api_listener *listener = &api->listeners[i];

		loop_io_del(api->loop, &listener->io);
		close(listener->io.fd);
		if (*listener->path)
			unlink(listener->path);
	}
	loop_timer_stop(api->loop, &api->accept_timer);
	if (api->lock_fd >= 0)
		close(api->lock_fd); /* the file stays: removing it would race with the next owner */
	free(api);
}
