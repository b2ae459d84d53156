/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads the BPF programs, pins them and attaches them to interfaces by bpf_link, so that frames go on
 * flowing when this process does not.
 *
 * Called by the agent (start, hot-plug, `dataplane detach`, `xrsd -t`), the API (nic.showNextHop) and
 * tests. Needs CAP_BPF and CAP_NET_ADMIN. Never replaces a program that someone else attached.
 *
 * Pins, below /sys/fs/bpf/<instance>:
 *   progs/xrs_steer, progs/xrs_steer_skb (generic mode), progs/xrs_steer_tc,
 *   progs/xrs_uplink, progs/xrs_uplink_tc, progs/xrs_snoop_in, progs/xrs_snoop_out
 *   next, commit, gone-<n>   for moments of a change of layout: see migrate.c
 *   closed/<map id>      tries that nobody uses any more, until they are empty
 *   links/<ifname>       the half that a frame meets first;  links/<ifname>:tc  the tcx half. Where the tcx
 *                        half is alone both are pins of its link.
 *   links/:snoop-<ifindex>-in, -out   DHCP snooping
 * With an old kernel's clsact instead of tcx there is no link to pin: the filters stay by themselves.
 *
 * Both halves are attached to a nic, always: xrs_steer_tc decides what xrs_steer leaves to it, and
 * whatever carries no mark of xrs_steer (see xrs.bpf.c). In mode tc it decides everything. The same goes for
 * xrs_uplink and xrs_uplink_tc.
 */
#ifndef XRS_FIB_LOADER_H
#define XRS_FIB_LOADER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "fib/fib_maps.h"

#define LOADER_TEXT      320 /* what went wrong and what to do about it, one line */
#define LOADER_FRAME_MAX 9216

struct loader;

enum loader_mode {
	LOADER_AUTO, /* native; where the driver has no XDP the tc half alone */
	LOADER_NATIVE,
	LOADER_GENERIC,
	LOADER_TC, /* the tc half alone, also beside somebody else's XDP program */
	/* What AUTO means for a device that is better off without XDP: as TC, but -EBUSY beside such. */
	LOADER_AUTO_TC,
	LOADER_UPLINK, /* the two programs of an uplink: native, or the tc half alone as in AUTO */
};
const char *loader_mode_name(enum loader_mode mode);
int loader_mode_parse(const char *name, enum loader_mode *ret_mode); /* 0 or -EINVAL */

/*
 * Loads the programs. Pinned maps of @instance are adopted; where there are none they are made and
 * pinned. Maps of an older layout are moved to this one's while frames go on through the old ones, and the links
 * with them (migrate.c); killed in between, the next call ends it. -EPROTO: pins of a newer layout, or of
 * one that does not say what is in it (nothing is touched). On failure @text
 * names the cause and the remedy. The caller frees; freeing detaches nothing.
 */
int loader_open(const char *instance, char text[static LOADER_TEXT], struct loader **ret_loader);
/* Whether loader_open() would refuse the layout of what is pinned. Changes nothing. */
int loader_check_layout(const char *instance, char text[static LOADER_TEXT]);

struct loader_migrated { /* zero: nothing was */
	uint32_t from;   /* the layout version that was found */
	unsigned int links;
	uint64_t routes;
};
struct loader_migrated loader_migrated(const struct loader *loader);
void loader_free(struct loader *loader);
/* What fib_maps_open() needs; its descriptor lives as long as @loader. */
struct fib_schema loader_schema(const struct loader *loader);

/* --- attaching -------------------------------------------------------------------------------------- */
struct loader_half {
	bool attached;
	uint32_t prog_id;
	uint32_t link_id; /* 0: no link (clsact) */
};

struct loader_attachment {
	char ifname[IFNAMSIZ];
	uint32_t ifindex;      /* 0: the device of a pinned link is gone */
	enum loader_mode mode; /* NATIVE, GENERIC or TC: what it really is; AUTO: not known */
	bool adopted;          /* a pinned link was taken over without a gap */
	int native_error;      /* AUTO: why it is TC: errno of the driver; 0: it is not */
	struct loader_half xdp, tc;
	uint32_t foreign_id; /* -EBUSY: the program that is in the way */
	char foreign_name[16];
};

/*
 * Attaches both halves to a device, or updates what this instance attached before. A failure undoes
 * what this call attached; adopted links stay. Errors besides those of the kernel:
 *   -EBUSY   someone else's XDP program is there: @ret->foreign_* say whose; nothing was changed
 *   -EINVAL  ifindex 1 (loopback is how the programs recognise a test run), or a name that is not one
 * @ret is filled in every case; @text as above.
 */
int loader_attach(struct loader *loader, const char *ifname, uint32_t ifindex,
		  enum loader_mode mode, char text[static LOADER_TEXT],
		  struct loader_attachment *ret);
/* Removes both halves of a device and their pins. Absent: 0. Needs no program: @instance suffices. */
int loader_detach(const char *instance, const char *ifname, uint32_t ifindex);
/* Whether an earlier process attached to this device, or this one did. Not while another thread attaches. */
bool loader_is_attached(const struct loader *loader, uint32_t ifindex);
/*
 * Whether packets of a device may be traced and counted by route, from its next loader_attach() on. The
 * programs that nobody observes have no instruction for that: there are two sets of them, and the second one is loaded
 * here when it is first wanted. 0 or negative errno with @text.
 */
int loader_observe(struct loader *loader, uint32_t ifindex, bool on, char text[static LOADER_TEXT]);

/* The descriptor of a program, of either set; it stays the loader's. -ENOENT: none of that name is loaded. */
int loader_prog(const struct loader *loader, const char *name, bool observes);

/* DHCP snooping of a device, into xrs_snoop. 0 or negative errno with @text. */
int loader_snoop(struct loader *loader, uint32_t ifindex, bool on, char text[static LOADER_TEXT]);
/* After a restart: takes it off devices that are not @wanted. loader_detach() does so for one. */
void loader_snoop_sweep(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex),
			void *ctx);
/* Likewise the filters of the tc half on kernels without tcx, which no pin tells of. */
void loader_sweep_filters(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex),
			  void *ctx);
/*
 * The attachments that are pinned, also defunct ones (ifindex 0). Fills up to @cap and returns how many
 * there are, or negative errno.
 */
int loader_list(const char *instance, struct loader_attachment *list, size_t cap);
/* Without those whose pins have names to be skipped, which are not looked at: each costs system calls. */
int loader_list_but(const char *instance, bool (*skip)(const void *ctx, const char *ifname),
		    const void *ctx, struct loader_attachment *list, size_t cap);
/* Detaches all, then removes every pin of the instance and its directories. Empty tries first. */
int loader_purge(const char *instance, char text[static LOADER_TEXT]);

/* --- asking the real program -------------------------------------------------------------------------- */
struct loader_probe {
	uint32_t ifindex; /* the nic whose entry in xrs_nic decides */
	const uint8_t *frame;
	size_t len;   /* 14..LOADER_FRAME_MAX */
	bool tc;      /* ask xrs_steer_tc */
	bool generic; /* ask xrs_steer_skb */
	uint32_t
		gso_size; /* tc: as if the frame were a GSO frame of this segment size; 0: it is not */
};

struct loader_verdict {
	uint32_t action; /* XDP_* or TC_ACT_* */
	struct xrs_decision decision;
	uint8_t frame[LOADER_FRAME_MAX]; /* as it would leave */
	size_t len;
	uint32_t duration_ns;
};
/* Runs the program on the frame; counts nothing. When XDP answers TO_TC ask again with @tc. */
int loader_test_run(struct loader *loader, const struct loader_probe *probe,
		    struct loader_verdict *ret);

/* --- what the kernel has -------------------------------------------------------------------------------- */
struct loader_feature {
	const char *name; /* "bpffs" */
	bool ok;
	bool required; /* without it XRS does not run; otherwise `why` says what is lost */
	const char *why;
	const char *remedy;
};
#define LOADER_FEATURES 16
/* Tries each feature by itself, needs no loader. Returns how many were filled. */
size_t loader_check_features(struct loader_feature list[static LOADER_FEATURES]);

/* Sends libbpf's messages to util/log, one level lower than libbpf thinks. Called once by the agent. */
void loader_log_init(void);

#endif
