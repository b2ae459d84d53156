/* SPDX-License-Identifier: GPL-2.0-only */
/* loader_links.c, for loader_attach.c and loader_all.c: what is attached and pinned. */
#ifndef XRS_USER_FIB_LINKS_IMPL_H
#define XRS_USER_FIB_LINKS_IMPL_H

#include "loader_impl.h"

/* XDP and tcx links both begin with the ifindex; 0: the device is gone. */
struct link_state {
	uint32_t ifindex, link_id, prog_id;
	bool tc; /* else XDP */
};

int link_read(int fd, struct link_state *ret_state);
/* The pin of one half: the interface's name, or with ":tc". -EINVAL: no name that a device can have. */
int link_path(const char *instance, const char *ifname, bool tc, char buf[static LOADER_PATH_MAX]);

typedef bool (*link_visit_fn)(void *ctx, const char *path, const char *ifname, bool tc,
			      const struct link_state *state);
/* Visits every pinned link until @visit says stop; the second name of a tc half is passed over. */
int link_each(const char *instance, link_visit_fn visit, void *ctx);
typedef bool (*link_skip_fn)(void *ctx, const char *ifname);
/* Does not even look at those that are to be skipped by their names; NULL: none. */
int link_each_but(const char *instance, link_skip_fn skip, link_visit_fn visit, void *ctx);
/*
 * The pinned link of this very device, under its name: a descriptor, or -ENOENT. @search_others: it may stand
 * under a name that the device had before, and is given the present one.
 */
int link_find(const char *instance, const char *ifname, uint32_t ifindex, bool tc,
	      bool search_others, struct link_state *ret_state);
/* Detached at once, not when the kernel gets round to freeing it. Takes over @fd. */
void link_drop(int fd, const char *path);
/* "links/tap0:tc" moved or went: so does its second name, "links/tap0", if it has one. */
void link_drop_second_name(const char *tc_path);

/* Devices with a pinned link, as far as this process knows. Not knowing of one only costs a search. */
bool link_is_known(const struct loader *loader, uint32_t ifindex, bool tc);
void link_set_known(struct loader *loader, uint32_t ifindex, bool tc, bool on);

/* A set of devices. device_set_put(): 0 or -ENOMEM. */
bool device_set_has(const struct htab *set, uint32_t ifindex);
int device_set_put(struct htab *set, uint32_t ifindex, bool on);

void loader_prog_name(uint32_t id, char buf[static 16]);

#define CLSACT_NAMES 2
/* loader_clsact.c: where a filter of ours stands on a device, on kernels without tcx. */
struct clsact {
	int point;                       /* enum bpf_tc_attach_point */
	uint32_t where;                  /* priority and handle: lower ones are asked first */
	const char *names[CLSACT_NAMES]; /* of programs that are ours there */
};
extern const struct clsact clsact_steer;
extern const struct clsact clsact_snoop[2]; /* in, out */

/* The id of our filter's program; 0: none, or the place is someone else's. */
uint32_t clsact_prog(const struct clsact *place, uint32_t ifindex);
/* In place of what is ours there. 0; -EEXIST: it is someone else's. */
int clsact_attach(const struct clsact *place, uint32_t ifindex, int prog_fd, bool *ret_replaced);
void clsact_detach(const struct clsact *place, uint32_t ifindex);
/* Calls @fn for every device that can have filters: they have no pins, the nics in the map are where they can be. */
void clsact_each(const char *instance, void (*fn)(const void *ctx, uint32_t ifindex),
		 const void *ctx);
/* Takes what is ours at @n places off all those devices that are not wanted. */
void clsact_sweep(const char *instance, bool (*wanted)(void *ctx, uint32_t ifindex), void *ctx,
		  const struct clsact *places, size_t n);

/* In which mode the halves that are attached serve the device. */
enum loader_mode loader_real_mode(const struct loader_attachment *at);

#endif
