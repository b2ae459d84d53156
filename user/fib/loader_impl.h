/* SPDX-License-Identifier: GPL-2.0-only */
/* What loader.c (programs), loader_attach.c, loader_all.c (links) and migrate.c share; fib_closed.c takes what is gone. */
#ifndef XRS_USER_FIB_LOADER_IMPL_H
#define XRS_USER_FIB_LOADER_IMPL_H

#include "fib/loader.h"

#define LOADER_INSTANCE_MAX 65
#define LOADER_PATH_MAX     (FIB_PATH_MAX * 2)

#define STEER_PROG          "xrs_steer"
#define STEER_SKB           "xrs_steer_skb"
#define STEER_TC            "xrs_steer_tc"
#define UPLINK_PROG         "xrs_uplink"
#define UPLINK_TC           "xrs_uplink_tc"
#define SNOOP_IN            "xrs_snoop_in"
#define SNOOP_OUT           "xrs_snoop_out"

struct loader_progs { /* descriptors */
	int xdp, generic, tc, uplink, uplink_tc;
	int snoop_in, snoop_out;
};

struct loader {
	char instance[LOADER_INSTANCE_MAX];
	struct xrs_bpf *skel;
	struct loader_progs progs; /* the skeleton's */
	/* The same programs with traces and counters by route in them: loaded when the first device wants them. */
	struct xrs_bpf *observing;
	struct loader_progs observing_progs;
	struct htab *observed; /* devices that do */
	struct loader_migrated migrated;
	/* Devices that have a pinned link of the XDP half, of the tc half: others need not be searched for. */
	struct htab *pinned[2];
};

/* One line for the caller's caller; returns @code. */
int loader_say(char text[static LOADER_TEXT], int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* While on, for this thread: "there is no such filter" is an answer, of which libbpf is not to warn. */
void loader_log_expect_no(bool on);

/* Fills loader->pinned with what an earlier process left. 0 or negative errno. */
int loader_index_links(struct loader *loader);
void loader_forget_links(struct loader *loader);

struct btf;
const struct btf *loader_btf(const struct loader *loader);

/*
 * Puts @progs into every pinned link (and clsact filter) of @instance, each according to what it is: tc half,
 * native, generic, uplink. Stops at the first that fails; @ret_n: how many links were changed.
 */
int loader_swap(const char *instance, const struct loader_progs *progs,
		char text[static LOADER_TEXT], unsigned int *ret_n);

/* The programs for a device: with or without what observes packets. */
const struct loader_progs *loader_progs_for(const struct loader *loader, uint32_t ifindex);

/* Takes the snooping programs off a device. Absent is fine. */
void loader_snoop_drop(const char *instance, uint32_t ifindex);

/* --- migrate.c ------------------------------------------------------------------------------------------ */
/*
 * Ends an exchange of directories that was begun, and puts aside what an earlier attempt left. @ret_leftovers:
 * there is something that links may still lead into: loader_swap() before it is taken.
 */
int migrate_resume(const char *instance, bool *ret_leftovers);
/* Makes next/, into which this build's maps and programs are pinned. */
int migrate_begin(const char *instance);
/* Writes down, beside the maps in @dir, what is in them: this build's BTF. */
int migrate_describe(const struct btf *btf, const char *instance, const char *dir);
/* What is in the maps of @instance; NULL: nothing says it. The caller frees it. */
struct btf *migrate_description(const char *instance);
/*
 * Fills next/ from the pins of layout @version, changes every link, and puts next/ in their place. On failure
 * the old pins and links are as they were and @text says what was in the way.
 */
int migrate_run(struct loader *loader, uint32_t version, bool interrupted,
		char text[static LOADER_TEXT]);

/* Empties and unpins all in @dir, into which no link leads (any more), and whatever else is gone. */
void migrate_forget(const char *instance, const char *dir);

/* Takes over the descriptor of a program or a map of any layout, and unpins it from @path or moves it elsewhere. */
typedef void (*migrate_gone_fn)(void *ctx, int fd, const char *path);
/* For all that is gone. */
void migrate_take_gone(const char *instance, migrate_gone_fn fn, void *ctx);
/* Which XDP program is on the device and how: NATIVE, GENERIC, or AUTO for neither; id 0: none. */
enum loader_mode loader_xdp_query(uint32_t ifindex, uint32_t *ret_prog_id);

/* Kernel 6.6 and later: the tc half is a link. Asks the kernel. */
bool loader_has_tcx(void);

#endif
