// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an older layout to this one, also when the process is killed in the middle. The older layout here has the
 * same structs and another number; tests/netns/upgrade.sh goes to one with others.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

#define ROUTES 20000

TestSuite(migrate, .init = lab_up, .fini = lab_down, .timeout = 240);

static void make_old(uint32_t version)
{
	struct xrs_meta meta = { version, 7 };
	uint32_t zero = 0;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/maps/xrs_meta", lab.instance);
	fd = bpf_obj_get(path);
	cr_assert(fd >= 0 && !bpf_map_update_elem(fd, &zero, &meta, BPF_ANY));
	close(fd);
}

static void fill(void)
{
	struct fib_route *routes = calloc(ROUTES, sizeof(*routes));
	int failed;

	lab_steer(XRS_WAY_BRIDGE);
	for (uint32_t i = 0; i < ROUTES; i++) {
		uint8_t octets[4] = { 100, (uint8_t)(i >> 8), (uint8_t)i, 0 };

		routes[i].prefix = (struct ip_prefix){ ip_from_bytes(IP_V4, octets), 24 };
		routes[i].value = (struct xrs_route){ .group = 1 + i % 7, .generation = i };
	}
	failed = fib_maps_routes_set(lab.maps, LAB_TABLE, routes, ROUTES);
	free(routes);
	cr_assert(!failed);
}

/* As the next process does. */
static int open_again(char text[static LOADER_TEXT])
{
	struct fib_schema schema;
	int ret;

	fib_maps_free(lab.maps);
	loader_free(lab.loader);
	lab.maps = NULL;
	lab.loader = NULL;
	ret = loader_open(lab.instance, text, &lab.loader);
	if (ret)
		return ret;
	schema = loader_schema(lab.loader);
	ret = fib_maps_open(lab.instance, &schema, &lab.maps);
	return ret ? ret : fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "main");
}

static void check_contents(void)
{
	struct frame_spec spec = { .ttl = 9 };
	struct xrs_nexthop nh;
	struct xrs_meta meta;
	struct xrs_route route;
	struct frame f;

	cr_assert(lab_walk(IP_V4, 4096) == ROUTES + 1);
	for (uint32_t i = 0; i < ROUTES; i += 97) {
		uint8_t octets[4] = { 100, (uint8_t)(i >> 8), (uint8_t)i, 0 };
		struct ip_prefix prefix = { ip_from_bytes(IP_V4, octets), 24 };

		cr_assert(!fib_maps_route_get(lab.maps, LAB_TABLE, &prefix, &route));
		cr_assert(route.group == 1 + i % 7 && route.generation == i);
	}
	cr_assert(!fib_maps_nexthop_get(lab.maps, 1, &nh) && nh.way == XRS_WAY_BRIDGE);
	cr_assert(!fib_maps_meta_get(lab.maps, &meta) && meta.generation == 7);
	cr_assert(meta.layout_version == XRS_LAYOUT_VERSION);
	frame_make(&f, &spec);
	assert_reason(lab_run(&f, false), XRS_REASON_BRIDGED);
}

static bool stands_aside(void)
{
	static const char *const usual[] = { ".", "..", "maps", "tables", "links", "progs" };
	const struct dirent *entry;
	bool found = false;
	char path[128];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s", lab.instance);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		bool known = false;

		for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
			known |= !strcmp(entry->d_name, usual[i]);
		found |= !known;
	}
	closedir(dir);
	return found;
}

static void check_moved(void)
{
	char text[LOADER_TEXT];
	int ret = open_again(text);

	cr_assert(!ret, "%d %s", ret, text);
	check_contents();
	while (fib_maps_reap(lab.maps, FIB_BATCH))
		;
	cr_assert(!stands_aside());
}

Test(migrate, everything_is_there_afterwards)
{
	fill();
	make_old(XRS_LAYOUT_VERSION - 1);
	check_moved();
	cr_assert(loader_migrated(lab.loader).from == XRS_LAYOUT_VERSION - 1);
	cr_assert(loader_migrated(lab.loader).routes >= ROUTES);
	check_moved();
	cr_assert(loader_migrated(lab.loader).from == 0, "once");
}

Test(migrate, killed_in_the_middle)
{
	unsigned int halves = 0, seed = (unsigned int)getpid();
	uint32_t version;

	fill();
	make_old(XRS_LAYOUT_VERSION - 1);
	for (int i = 0; i < 25; i++) {
		pid_t child = fork();

		if (!child) {
			char text[LOADER_TEXT];

			_exit(!!loader_open(lab.instance, text, &lab.loader));
		}
		usleep((useconds_t)(rand_r(&seed) % (20000 + 8000 * i)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		cr_assert(!fib_maps_layout(lab.instance, &version));
		halves += version != XRS_LAYOUT_VERSION && stands_aside();
		if (version != XRS_LAYOUT_VERSION)
			continue;
		check_moved();
		make_old(XRS_LAYOUT_VERSION - 1);
	}
	check_moved();
	cr_assert(halves >= 1, "seed: pid %d", (int)getpid());
}

static void move(const char *from, const char *to)
{
	char old[160], new[160];

	snprintf(old, sizeof(old), "/sys/fs/bpf/%s/%s", lab.instance, from);
	snprintf(new, sizeof(new), "/sys/fs/bpf/%s/%s", lab.instance, to);
	cr_assert(!rename(old, new), "%s %s", from, to);
}

static void make_dir(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/%s", lab.instance, name);
	cr_assert(!mkdir(path, 0700));
}

/* The exchange of directories stopped after each of its renames. */
Test(migrate, an_exchange_is_ended)
{
	static const char *const dirs[] = { "tables", "progs", "maps" };

	fill();
	make_old(XRS_LAYOUT_VERSION);
	for (size_t begun = 0; begun <= 3; begun++) {
		for (int half = 0; half < 2; half++) {
			make_dir("commit");
			for (size_t i = begun; i < 3; i++) {
				char fresh[32];

				snprintf(fresh, sizeof(fresh), "commit/%s", dirs[i]);
				move(dirs[i], fresh);
				if (i == begun && half)
					continue;  /* its place is empty */
				make_dir(dirs[i]); /* stands for the old one */
			}
			check_moved();
		}
	}
}

Test(migrate, what_does_not_describe_itself_is_refused)
{
	char text[LOADER_TEXT], path[128];
	int ret;

	fill();
	make_old(XRS_LAYOUT_VERSION - 1);
	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/maps/xrs_layout", lab.instance);
	cr_assert(!unlink(path));
	ret = open_again(text);
	cr_assert(ret == -EPROTO && strstr(text, lab.instance) && strstr(text, "detach"), "%s",
		  text);
	cr_assert(!stands_aside());
	make_old(XRS_LAYOUT_VERSION);
	check_moved();
}
