// SPDX-License-Identifier: GPL-2.0-only
/*
 * xrsd: the node agent. Reads the configuration, builds the node and its API, and runs the loop until
 * it is told to stop. Stopping leaves programs, links and maps in place: forwarding goes on.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/bfd_engine.h"
#include "agent/node.h"
#include "agent/sd_notify.h"
#include "api/api.h"

#define SUBSYS         "xrsd"
#define DEFAULT_CONFIG "/etc/xrs/xrs.json"
#define SLICE_NS       100000 /* the least that the kernel gives */

struct daemon {
	struct loop *loop;
	struct node *node;
	struct api *api;
	struct loop_timer status;
	uint64_t watchdog_usec;
};

static void usage(FILE *out)
{
	fputs("usage: xrsd [-c FILE]      run in the foreground\n"
	      "       xrsd -t [-c FILE]   test the configuration and this kernel, then exit\n"
	      "       xrsd -V | -h        version, this help\n"
	      "FILE is " DEFAULT_CONFIG " unless given; see xrsd(8) and xrs.json(5).\n",
	      out);
}

/* @whole: with what the API made. */
static struct config *load(const char *path, bool whole)
{
	char text[CONFIG_ERROR_MAX + 512];
	struct config_error error;
	struct config *config = whole ? config_load_all(path, &error) : config_load(path, &error);

	if (!config)
		fprintf(stderr, "xrsd: %s\n",
			config_error_format(&error, path, text, sizeof(text)));
	return config;
}

/* Each missing feature by name, with what is lost and what to do. False: XRS can not run here. */
static bool report_features(void)
{
	struct loader_feature list[LOADER_FEATURES];
	size_t n = loader_check_features(list);
	bool able = true;

	for (size_t i = 0; i < n; i++) {
		if (list[i].ok)
			continue;
		able = able && !list[i].required;
		fprintf(stderr, "xrsd: kernel feature %s is missing (%s): %s. Remedy: %s\n",
			list[i].name, list[i].required ? "required" : "optional", list[i].why,
			list[i].remedy);
	}
	return able;
}

/* What is pinned may be of a newer version than this one. */
static bool report_layout(const char *instance)
{
	char text[LOADER_TEXT];

	if (!loader_check_layout(instance, text))
		return true;
	fprintf(stderr, "xrsd: %s\n", text);
	return false;
}

static int test(const char *path)
{
	bool root = geteuid() == 0, able = true;
	struct config *config = load(path, root);

	if (!config)
		return 1;
	if (!root)
		fprintf(stderr, "xrsd: not root: what the API made was not looked at\n");
	if (config->mode == DATAPLANE_NONE)
		fprintf(stderr, "xrsd: dataplane.mode is none: this kernel was not looked at\n");
	else if (!root)
		fprintf(stderr, "xrsd: not root: this kernel was not looked at\n");
	else
		able = report_features() && report_layout(config->instance);
	for (size_t i = 0; i < config->n_warnings; i++)
		fprintf(stderr, "xrsd: %s: warning: %s\n", path, config->warnings[i]);
	config_free(config);
	if (able)
		printf("%s: ok\n", path);
	return able ? 0 : 1;
}

static void on_stop(int signo, void *ctx)
{
	struct daemon *daemon = ctx;

	log_info(SUBSYS, "%s: stopping, forwarding goes on", strsignal(signo));
	loop_stop(daemon->loop);
}

static void on_hup(int signo, void *ctx)
{
	struct daemon *daemon = ctx;
	struct config_error error;
	char state[96];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, mono_now().usec);
	sd_notify_send(state);
	node_reload(daemon->node, &error);
	sd_notify_send("READY=1");
}

static unsigned int count_established(const struct node *node)
{
	unsigned int n = 0;

	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++)
			n += session_is_established(node->vnets[v]->peerings[i]->session);
	}
	return n;
}

/* The loop turns, so the watchdog is fed; and `systemctl status` says something useful. */
static void on_status(struct loop_timer *timer)
{
	struct daemon *daemon = timer->ctx;
	uint64_t every = daemon->watchdog_usec ? daemon->watchdog_usec : 10000000;
	char state[128];

	node_check_clock(daemon->node);
	snprintf(state, sizeof(state), "WATCHDOG=1\nSTATUS=%u peerings Established, %zu nics%s",
		 count_established(daemon->node), daemon->node->n_nics,
		 daemon->node->adoption ? ", adopting routes" : "");
	sd_notify_send(state);
	loop_timer_set(daemon->loop, timer, mono_add_usec(loop_now(daemon->loop), every));
}

/* Before anything is touched: a second one would take over pins and sockets of the first. */
static int lock_instance(const struct config *config)
{
	struct config_paths paths = { 0 };

	config_get_paths(config, &paths);
	return api_lock(&paths);
}

static int start(struct daemon *daemon, struct config *config, const char *path)
{
	int lock_fd = lock_instance(config), err = lock_fd;

	if (lock_fd >= 0) {
		daemon->loop = loop_new();
		err = daemon->loop ? 0 : -errno;
	}
	if (err < 0) {
		config_free(config);
		return err;
	}
	signal(SIGPIPE, SIG_IGN);
	loop_on_signal(daemon->loop, SIGTERM, on_stop, daemon);
	loop_on_signal(daemon->loop, SIGINT, on_stop, daemon);
	loop_on_signal(daemon->loop, SIGHUP, on_hup, daemon);
	loader_log_init();
	err = node_new(daemon->loop, config, path, &daemon->node);
	if (err < 0)
		return err;
	/* Not @config: a commit that waits, or went back, may have put another in its place. */
	err = api_new(daemon->node, daemon->loop, &daemon->node->paths,
		      daemon->node->config->api_group, lock_fd, &daemon->api);
	if (err < 0)
		return err;
	daemon->watchdog_usec = sd_notify_watchdog_usec();
	daemon->status = (struct loop_timer){ .fn = on_status, .ctx = daemon };
	sd_notify_send("READY=1");
	on_status(&daemon->status);
	return 0;
}

/* A session is a descriptor, and so is a client of the API: a shell's soft limit is far too low. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn(SUBSYS, "the limit of open files stays low: %s", strerror(errno));
}

/*
 * On a busy host whoever asks for short slices runs sooner when something happens, for the same share of the
 * processor. Kernels before 6.12 take no notice (sched_setattr(2); kernel/sched/syscalls.c).
 */
static void ask_for_short_slices(void)
{
	struct sched_attr attr = { .size = sizeof(attr),
				   .sched_nice = getpriority(PRIO_PROCESS, 0),
				   .sched_runtime = SLICE_NS };

	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		log_debug(SUBSYS, "slices stay as they are: %s", strerror(errno));
}

static int run(const char *path)
{
	struct daemon daemon = { 0 };
	struct config *config = load(path, true);
	int err;

	if (!config)
		return 1;
	log_set_level(config->log_level);
	raise_descriptor_limit();
	ask_for_short_slices();
	log_info(SUBSYS, "version %s, instance %s, configuration %s", XRS_VERSION, config->instance,
		 path);
	err = start(&daemon, config, path);
	if (err < 0)
		log_err(SUBSYS, "start failed: %s", strerror(-err));
	else
		err = loop_run(daemon.loop);
	sd_notify_send("STOPPING=1");
	if (daemon.loop)
		loop_timer_stop(daemon.loop, &daemon.status);
	api_free(daemon.api);
	node_free(daemon.node);
	loop_free(daemon.loop);
	return err < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *path = DEFAULT_CONFIG;
	bool test_only = false;
	int opt;

	if (argc == 2 && strcmp(argv[1], BFD_ENGINE_OPTION) == 0)
		return bfd_engine_main();
	while ((opt = getopt(argc, argv, "c:tVh")) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 't':
			test_only = true;
			break;
		case 'V':
			printf("xrsd %s\n", XRS_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	return test_only ? test(path) : run(path);
}
