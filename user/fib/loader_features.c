// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the running kernel has of what XRS uses, tried one by one, for `xrsd -t` and `demo.sh check`.
 *
 * Needs no loader and leaves nothing behind. Each probe asks the kernel itself: versions say little
 * about what a distribution switched on.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader_impl.h"

#define NO_IFINDEX         0x7ffffff0 /* no device has it */
#define ATTACH_TCX_INGRESS 46

/* Two instructions: return @verdict. */
static int tiny_prog(enum bpf_prog_type type, int verdict, uint32_t flags)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = flags);

	return bpf_prog_load(type, "xrs_probe", "GPL", insns, 2, &opts);
}

static bool close_ok(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int tiny_map(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t n,
		    uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);

	return bpf_map_create(type, "xrs_probe", key, value, n, &opts);
}

static bool has_bpffs(void)
{
	struct statfs fs;

	return !statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC;
}

static bool has_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static bool has_maps(void)
{
	return close_ok(tiny_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0));
}

static int make_trie(void)
{
	return tiny_map(BPF_MAP_TYPE_LPM_TRIE, 8, 16, 4, BPF_F_NO_PREALLOC);
}

static bool has_trie(void)
{
	return close_ok(make_trie());
}

static bool has_map_in_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int outer = -1, inner = make_trie();

	if (inner >= 0) {
		opts.inner_map_fd = (uint32_t)inner;
		outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "xrs_probe", 4, 4, 1, &opts);
	}
	close_ok(inner);
	return close_ok(outer);
}

static bool has_mmap(void)
{
	return close_ok(tiny_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE));
}

static bool has_devmap(void)
{
	return close_ok(tiny_map(BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 1, 0));
}

static bool has_ringbuf(void)
{
	return close_ok(tiny_map(BPF_MAP_TYPE_RINGBUF, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), 0));
}

static bool has_batch(void)
{
	struct xrs_key4 key = { .prefixlen = 8, .addr = { 10 } };
	struct xrs_route value = { .prefix_len = 8 };
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	uint32_t count = 1;
	int fd = make_trie();
	int ret = fd < 0 ? fd : bpf_map_update_batch(fd, &key, &value, &count, &opts);

	close_ok(fd);
	return !ret;
}

static bool has_xdp(void)
{
	return close_ok(tiny_prog(BPF_PROG_TYPE_XDP, 2, 0));
}

static bool has_frags(void)
{
	return close_ok(tiny_prog(BPF_PROG_TYPE_XDP, 2, BPF_F_XDP_HAS_FRAGS));
}

static bool has_tc(void)
{
	return close_ok(tiny_prog(BPF_PROG_TYPE_SCHED_CLS, -1, 0));
}

/*
 * Tries a link where it cannot succeed, and tells "not here" from "unknown": the loopback device has no
 * native XDP, and no device has the other index.
 */
static bool link_answers(enum bpf_prog_type type, int attach_type, int ifindex, uint32_t flags,
			 int expected)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int fd = tiny_prog(type, 2, 0), link;

	if (fd < 0)
		return false;
	link = bpf_link_create(fd, ifindex, (enum bpf_attach_type)attach_type, &opts);
	close(fd);
	return !close_ok(link) && link == expected;
}

static bool has_xdp_link(void)
{
	return link_answers(BPF_PROG_TYPE_XDP, BPF_XDP, 1, XDP_FLAGS_DRV_MODE, -EOPNOTSUPP);
}

/* Asked once: a kernel does not change. */
bool loader_has_tcx(void)
{
	static enum {
		UNKNOWN,
		NO,
		YES
	} answer;

	if (answer == UNKNOWN)
		answer = link_answers(BPF_PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS, NO_IFINDEX, 0,
				      -ENODEV)
				 ? YES
				 : NO;
	return answer == YES;
}

static bool has_test_run(void)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	int fd = tiny_prog(BPF_PROG_TYPE_XDP, 2, 0);
	int ret = fd < 0 ? fd : bpf_prog_test_run_opts(fd, &opts);

	close_ok(fd);
	return !ret && opts.retval == 2;
}

static const struct {
	const char *name;
	bool (*probe)(void);
	bool required;
	const char *why, *remedy;
} features[] = {
	{ "bpffs", has_bpffs, true, "maps and links are pinned there, so that they outlive xrsd",
	  "mount -t bpf bpf /sys/fs/bpf" },
	{ "bpf maps", has_maps, true, "nothing goes without them",
	  "run as root, or with CAP_BPF and CAP_NET_ADMIN" },
	{ "lpm_trie", has_trie, true, "the route tables", "kernel 4.11, CONFIG_BPF_SYSCALL" },
	{ "array_of_maps", has_map_in_map, true, "one route table for each nic", "kernel 4.12" },
	{ "mmapable arrays", has_mmap, true, "failover is a store into one", "kernel 5.5" },
	{ "ringbuf", has_ringbuf, true, "traces of single decisions", "kernel 5.8" },
	{ "sched_cls programs", has_tc, true, "the tc half: offloads, large packets",
	  "CONFIG_NET_CLS_BPF, CONFIG_NET_ACT_BPF" },
	{ "xdp programs", has_xdp, true, "the fast half", "kernel 4.8, CONFIG_BPF_SYSCALL" },
	{ "devmap_hash", has_devmap, true, "redirects to another device", "kernel 5.4" },
	{ "xdp link", has_xdp_link, true, "programs stay attached when xrsd stops", "kernel 5.9" },
	{ "xdp frags", has_frags, false,
	  "without it native XDP refuses a veth with an MTU above about 3500", "kernel 5.18" },
	{ "tcx", loader_has_tcx, false, "without it clsact filters are used, which no pin holds",
	  "kernel 6.6" },
	{ "lpm batches", has_batch, false, "without them routes are written one by one, at a third",
	  "kernel 5.13" },
	{ "prog test_run", has_test_run, false, "nic show-next-hop asks the program itself",
	  "kernel 4.12 (XDP)" },
	{ "kernel BTF", has_btf, false, "tools that trace the programs need it; XRS does not",
	  "CONFIG_DEBUG_INFO_BTF" },
};
_Static_assert(sizeof(features) / sizeof(*features) <= LOADER_FEATURES,
	       "the caller's list is short");

size_t loader_check_features(struct loader_feature list[static LOADER_FEATURES])
{
	size_t n = sizeof(features) / sizeof(*features);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct loader_feature){
			.name = features[i].name,
			.ok = features[i].probe(),
			.required = features[i].required,
			.why = features[i].why,
			.remedy = features[i].remedy,
		};
	return n;
}
