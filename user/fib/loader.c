// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the programs onto pinned maps, pins them, and runs them on test packets.
 *
 * Called by the agent, the API and tests; loader_attach.c puts the programs on interfaces. Pins of an
 * older run are adopted, never replaced: frames go through them at this moment.
 */
#include "links_impl.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/log.h"
#include "xrs.skel.h"

int loader_say(char text[static LOADER_TEXT], int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, LOADER_TEXT, format, args);
	va_end(args);
	return code;
}

/* --- libbpf's messages -------------------------------------------------------------------------------- */
static __thread bool expects_no; /* the attacher's thread asks as well */

void loader_log_expect_no(bool on)
{
	expects_no = on;
}

static int __attribute__((format(printf, 2, 0)))
log_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];
	size_t len;

	if (level == LIBBPF_DEBUG || expects_no)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	len = strcspn(line, "\n");
	line[len] = 0;
	log_write(level == LIBBPF_WARN ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "libbpf", "%s", line);
	return 0;
}

void loader_log_init(void)
{
	libbpf_set_print(log_libbpf);
}

/* --- loading ------------------------------------------------------------------------------------------ */
static int check_bpffs(char text[static LOADER_TEXT])
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) || fs.f_type != BPF_FS_MAGIC)
		return loader_say(text, -ENODEV,
				  "bpffs is not mounted: mount -t bpf bpf /sys/fs/bpf");
	return 0;
}

static int check_description(const char *instance, uint32_t version, char text[static LOADER_TEXT])
{
	struct btf *btf = migrate_description(instance);

	if (!btf)
		return loader_say(
			text, -EPROTO,
			"the maps pinned in /sys/fs/bpf/%s/maps have layout %u and do not "
			"say what is in them (xrs_layout): take them away with `xrsctl "
			"dataplane detach --instance %s`, then start again",
			instance, version, instance);
	btf__free(btf);
	return 1;
}

/* 0: no pins, or pins of this layout; 1: of an older one, *ret_version. */
static int check_layout(const char *instance, uint32_t *ret_version, char text[static LOADER_TEXT])
{
	int ret = fib_maps_layout(instance, ret_version);

	if (ret == -ENOENT || (!ret && (!*ret_version || *ret_version == XRS_LAYOUT_VERSION)))
		return 0;
	if (ret == -EPROTO)
		return loader_say(text, ret,
				  "/sys/fs/bpf/%s/maps has pins, but no readable xrs_meta: take "
				  "them away with `xrsctl dataplane detach --instance %s`",
				  instance, instance);
	if (ret)
		return loader_say(text, ret, "/sys/fs/bpf/%s/maps: %s", instance, strerror(-ret));
	if (*ret_version < XRS_LAYOUT_VERSION)
		return check_description(instance, *ret_version, text);
	return loader_say(
		text, -EPROTO,
		"the maps pinned in /sys/fs/bpf/%s/maps have layout %u (xrs_meta), newer "
		"than layout %u of this program: install the xrsd that made them or a newer "
		"one, or stop steering with `xrsctl dataplane detach --instance %s`",
		instance, *ret_version, XRS_LAYOUT_VERSION, instance);
}

int loader_check_layout(const char *instance, char text[static LOADER_TEXT])
{
	uint32_t version;
	int ret = check_layout(instance, &version, text);

	return ret < 0 ? ret : 0;
}

static int make_dirs(const char *instance, char text[static LOADER_TEXT])
{
	static const char *const dirs[] = { "", "maps", "tables", "links", "progs" };
	char path[FIB_PATH_MAX];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		int ret = pin_dir(instance, dirs[i], path);

		if (ret)
			return loader_say(text, ret, "'%s' is not an instance name", instance);
		if (mkdir(path, 0700) && errno != EEXIST)
			return loader_say(text, -errno, "%s: %s", path, strerror(errno));
	}
	return 0;
}

static bool is_pinned_map(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map);
}

/* Where a load finds or leaves its pins: in place, or in next/ while an older layout still serves. */
struct pins {
	const char *instance, *maps, *progs;
};

static void map_path(const struct pins *pins, const struct bpf_map *map,
		     char buf[static LOADER_PATH_MAX])
{
	char dir[FIB_PATH_MAX];

	pin_dir(pins->instance, pins->maps, dir);
	snprintf(buf, LOADER_PATH_MAX, "%s/%s", dir, bpf_map__name(map));
}

/*
 * libbpf's own reuse compares flags, and the kernel adds one to every devmap: so this compares what a
 * layout version is about, and hands over the descriptor.
 */
static int reuse_map(struct bpf_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int ret = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (ret)
		return ret;
	if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) ||
	    info.max_entries != bpf_map__max_entries(map))
		return -EPROTO;
	return bpf_map__reuse_fd(map, fd);
}

static int adopt_maps(const struct pins *pins, struct xrs_bpf *skel, char text[static LOADER_TEXT])
{
	struct bpf_map *map;
	char path[LOADER_PATH_MAX];

	bpf_object__for_each_map(map, skel->obj)
	{
		int fd, ret;

		if (!is_pinned_map(map))
			continue;
		map_path(pins, map, path);
		fd = bpf_obj_get(path);
		if (fd == -ENOENT)
			continue;
		ret = fd < 0 ? fd : reuse_map(map, fd);
		if (fd >= 0)
			close(fd);
		if (ret)
			return loader_say(text, ret, "%s can not be adopted: %s", path,
					  strerror(-ret));
	}
	return 0;
}

static int pin_maps(const struct pins *pins, struct xrs_bpf *skel, char text[static LOADER_TEXT])
{
	struct bpf_map *map;
	char path[LOADER_PATH_MAX];
	int ret;

	bpf_object__for_each_map(map, skel->obj)
	{
		if (!is_pinned_map(map))
			continue;
		map_path(pins, map, path);
		if (!access(path, F_OK))
			continue;
		ret = bpf_obj_pin(bpf_map__fd(map), path);
		if (ret)
			return loader_say(text, ret, "pin %s: %s", path, strerror(-ret));
	}
	ret = migrate_describe(bpf_object__btf(skel->obj), pins->instance, pins->maps);
	return ret ? loader_say(text, ret, "pin the description of the maps: %s", strerror(-ret))
		   : 0;
}

static int pin_prog(const struct pins *pins, const char *name, int fd,
		    char text[static LOADER_TEXT])
{
	char dir[FIB_PATH_MAX], path[LOADER_PATH_MAX];
	int ret;

	pin_dir(pins->instance, pins->progs, dir);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	ret = bpf_obj_pin(fd, path);
	return ret ? loader_say(text, ret, "pin %s: %s", path, strerror(-ret)) : 0;
}

static int pin_progs(const struct loader_progs *fds, const struct pins *pins,
		     char text[static LOADER_TEXT])
{
	const struct {
		const char *name;
		int fd;
	} progs[] = {
		{ STEER_PROG, fds->xdp },      { STEER_SKB, fds->generic },
		{ STEER_TC, fds->tc },         { UPLINK_PROG, fds->uplink },
		{ UPLINK_TC, fds->uplink_tc }, { SNOOP_IN, fds->snoop_in },
		{ SNOOP_OUT, fds->snoop_out },
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(progs) / sizeof(*progs) && !ret; i++)
		ret = pin_prog(pins, progs[i].name, progs[i].fd, text);
	return ret;
}

struct variant {
	bool frags;    /* with multi-buffer XDP (5.18) */
	bool observes; /* with what traces packets and counts them by route */
};

/* What the verifier takes for constants: branches that they rule out are not in the program that runs. */
static void set_constants(struct xrs_bpf *skel, const struct variant *variant)
{
	skel->rodata->xrs_has_frags = variant->frags;
	skel->rodata->xrs_observes = variant->observes;
	skel->rodata->xrs_has_coarse =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns, NULL) == 1;
	if (variant->frags) {
		bpf_program__set_flags(skel->progs.xrs_steer, BPF_F_XDP_HAS_FRAGS);
		bpf_program__set_flags(skel->progs.xrs_uplink, BPF_F_XDP_HAS_FRAGS);
	}
	/* There is nothing in them to observe: one set has them. */
	bpf_program__set_autoload(skel->progs.xrs_snoop_in, !variant->observes);
	bpf_program__set_autoload(skel->progs.xrs_snoop_out, !variant->observes);
	bpf_program__set_autoload(skel->progs.xrs_move_routes, !variant->observes);
}

static int load(const struct pins *pins, const struct variant *variant,
		char text[static LOADER_TEXT], struct xrs_bpf **ret_skel)
{
	struct xrs_bpf *skel = xrs_bpf__open();
	int ret;

	if (!skel)
		return loader_say(text, -errno, "open the BPF object: %s", strerror(errno));
	set_constants(skel, variant);
	ret = adopt_maps(pins, skel, text);
	if (!ret) {
		ret = xrs_bpf__load(skel);
		if (ret)
			loader_say(text, ret, "the kernel refuses the BPF programs: %s%s",
				   strerror(-ret),
				   ret == -EPERM ? " (CAP_BPF and CAP_NET_ADMIN are needed)"
						 : "; `xrsd -t` names what is missing");
	}
	if (ret) {
		xrs_bpf__destroy(skel);
		return ret;
	}
	*ret_skel = skel;
	return 0;
}

static struct loader_progs progs_of(const struct xrs_bpf *skel)
{
	return (struct loader_progs){
		.xdp = bpf_program__fd(skel->progs.xrs_steer),
		.generic = bpf_program__fd(skel->progs.xrs_steer_skb),
		.tc = bpf_program__fd(skel->progs.xrs_steer_tc),
		.uplink = bpf_program__fd(skel->progs.xrs_uplink),
		.uplink_tc = bpf_program__fd(skel->progs.xrs_uplink_tc),
		.snoop_in = bpf_program__fd(skel->progs.xrs_snoop_in),
		.snoop_out = bpf_program__fd(skel->progs.xrs_snoop_out),
	};
}

static int load_and_pin(struct loader *loader, const struct pins *pins,
			char text[static LOADER_TEXT])
{
	struct variant variant = { .frags = true };
	int ret = load(pins, &variant, text, &loader->skel);

	if (ret == -EINVAL) {
		variant.frags = false;
		ret = load(pins, &variant, text, &loader->skel);
	}
	if (ret)
		return ret;
	loader->progs = progs_of(loader->skel);
	ret = pin_maps(pins, loader->skel, text);
	return ret ? ret : pin_progs(&loader->progs, pins, text);
}

/* Programs of an attempt to migrate that did not end may still be in links: they must not be the last ones. */
static int load_in_place(struct loader *loader, bool leftovers, char text[static LOADER_TEXT])
{
	const struct pins pins = { loader->instance, "maps", "progs" };
	unsigned int links;
	int ret = load_and_pin(loader, &pins, text);

	if (!ret)
		ret = fib_maps_layout_finish(loader->instance);
	if (!ret && leftovers)
		ret = loader_swap(loader->instance, &loader->progs, text, &links);
	return ret;
}

static int load_beside(struct loader *loader, uint32_t version, bool leftovers,
		       char text[static LOADER_TEXT])
{
	const struct pins pins = { loader->instance, "next/maps", "next/progs" };
	int ret = migrate_begin(loader->instance);

	if (ret)
		return loader_say(text, ret, "/sys/fs/bpf/%s/next: %s", loader->instance,
				  strerror(-ret));
	ret = load_and_pin(loader, &pins, text);
	if (!ret)
		return migrate_run(loader, version, leftovers, text);
	migrate_forget(loader->instance, "next");
	return ret;
}

static int prepare(const char *instance, uint32_t *ret_version, bool *ret_leftovers,
		   char text[static LOADER_TEXT])
{
	int ret = check_bpffs(text);

	if (ret)
		return ret;
	/* Before directories are made: what an exchange has not put into its place yet is no empty directory. */
	ret = migrate_resume(instance, ret_leftovers);
	if (ret)
		return loader_say(text, ret, "/sys/fs/bpf/%s: %s", instance, strerror(-ret));
	ret = make_dirs(instance, text);
	return ret ? ret : check_layout(instance, ret_version, text);
}

int loader_open(const char *instance, char text[static LOADER_TEXT], struct loader **ret_loader)
{
	struct loader *loader;
	bool leftovers = false;
	uint32_t version = 0;
	int layout = prepare(instance, &version, &leftovers, text);
	int ret;

	if (layout < 0)
		return layout;
	loader = calloc(1, sizeof(*loader));
	if (!loader)
		return loader_say(text, -ENOMEM, "out of memory");
	snprintf(loader->instance, sizeof(loader->instance), "%s", instance);
	text[0] = 0;
	ret = layout ? load_beside(loader, version, leftovers, text)
		     : load_in_place(loader, leftovers, text);
	if (!ret && loader_index_links(loader))
		ret = loader_say(text, -ENOMEM, "out of memory");
	if (ret) {
		loader_free(loader);
		return ret;
	}
	*ret_loader = loader;
	return 0;
}

int loader_observe(struct loader *loader, uint32_t ifindex, bool on, char text[static LOADER_TEXT])
{
	const struct pins pins = { loader->instance, "maps", "progs" };
	const struct variant variant = { loader->skel->rodata->xrs_has_frags, true };
	int ret = 0;

	if (on && !loader->observing) {
		ret = load(&pins, &variant, text, &loader->observing);
		if (!ret)
			loader->observing_progs = progs_of(loader->observing);
	}
	if (!ret && device_set_put(loader->observed, ifindex, on))
		ret = loader_say(text, -ENOMEM, "out of memory");
	return ret;
}

const struct loader_progs *loader_progs_for(const struct loader *loader, uint32_t ifindex)
{
	return device_set_has(loader->observed, ifindex) ? &loader->observing_progs
							 : &loader->progs;
}

int loader_prog(const struct loader *loader, const char *name, bool observes)
{
	const struct xrs_bpf *skel = observes ? loader->observing : loader->skel;
	const struct bpf_program *prog =
		skel ? bpf_object__find_program_by_name(skel->obj, name) : NULL;
	int fd = prog ? bpf_program__fd(prog) : -1;

	return fd >= 0 ? fd : -ENOENT;
}

struct loader_migrated loader_migrated(const struct loader *loader)
{
	return loader->migrated;
}

const struct btf *loader_btf(const struct loader *loader)
{
	return bpf_object__btf(loader->skel->obj);
}

void loader_free(struct loader *loader)
{
	if (!loader)
		return;
	xrs_bpf__destroy(loader->skel);
	xrs_bpf__destroy(loader->observing);
	loader_forget_links(loader);
	free(loader);
}

static uint32_t struct_id(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 ? (uint32_t)id : 0;
}

struct fib_schema loader_schema(const struct loader *loader)
{
	const struct btf *btf = bpf_object__btf(loader->skel->obj);

	return (struct fib_schema){
		.btf_fd = bpf_object__btf_fd(loader->skel->obj),
		.key4 = struct_id(btf, "xrs_key4"),
		.key6 = struct_id(btf, "xrs_key6"),
		.route = struct_id(btf, "xrs_route"),
		.move_prog = bpf_program__fd(loader->skel->progs.xrs_move_routes),
		.moves = &loader->skel->bss->xrs_moves,
	};
}

/* --- test runs ---------------------------------------------------------------------------------------- */
/* The record stands in front of the frame as XDP metadata, both ways. */
static int run_xdp(const struct loader *loader, const struct loader_probe *probe,
		   struct loader_verdict *ret)
{
	const uint32_t meta = sizeof(struct xrs_decision);
	struct xrs_decision record = { .magic = XRS_PROBE_MAGIC, .ifindex = probe->ifindex };
	uint8_t in[sizeof(record) + LOADER_FRAME_MAX], out[sizeof(in) + 16];
	struct xdp_md ctx = { .data = meta, .data_end = meta + (uint32_t)probe->len };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = ctx.data_end,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx, .ctx_size_out = sizeof(ctx));
	int error;

	memcpy(in, &record, meta);
	memcpy(in + meta, probe->frame, probe->len);
	error = bpf_prog_test_run_opts(probe->generic ? loader->progs.generic : loader->progs.xdp,
				       &opts);
	if (error)
		return error;
	if (ctx.data != meta || opts.data_size_out < meta ||
	    opts.data_size_out - meta > sizeof(ret->frame))
		return -EPROTO;
	ret->action = opts.retval;
	ret->duration_ns = opts.duration;
	ret->len = opts.data_size_out - meta;
	memcpy(&ret->decision, out, meta);
	memcpy(ret->frame, out + meta, ret->len);
	return 0;
}

static struct xrs_decision unpack_cb(const struct __sk_buff *skb, uint32_t ifindex)
{
	return (struct xrs_decision){
		.magic = skb->cb[0],
		.ifindex = ifindex,
		.reason = skb->cb[1] & 0xff,
		.kind = skb->cb[1] >> 8 & 0xff,
		.prefix_len = skb->cb[1] >> 16 & 0xff,
		.family = (uint8_t)(skb->cb[1] >> 24),
		.table = skb->cb[2] >> 16,
		.bucket = skb->cb[2] & 0xffff,
		.group = skb->cb[3] >> 16,
		.nexthop = skb->cb[3] & 0xffff,
		.hash = skb->cb[4],
	};
}

static int run_tc(const struct loader *loader, const struct loader_probe *probe,
		  struct loader_verdict *ret)
{
	struct __sk_buff skb = {
		.cb = { XRS_PROBE_MAGIC, probe->ifindex },
		.gso_size = probe->gso_size,
		.gso_segs = probe->gso_size ? (uint32_t)probe->len / probe->gso_size + 1 : 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = probe->frame,
		    .data_size_in = (uint32_t)probe->len, .data_out = ret->frame,
		    .data_size_out = sizeof(ret->frame), .ctx_in = &skb, .ctx_size_in = sizeof(skb),
		    .ctx_out = &skb, .ctx_size_out = sizeof(skb));
	int error = bpf_prog_test_run_opts(loader->progs.tc, &opts);

	if (error)
		return error;
	ret->action = opts.retval;
	ret->duration_ns = opts.duration;
	ret->len = opts.data_size_out;
	ret->decision = unpack_cb(&skb, probe->ifindex);
	return 0;
}

int loader_test_run(struct loader *loader, const struct loader_probe *probe,
		    struct loader_verdict *ret)
{
	struct loader_verdict verdict = { .action = 0 };
	int error;

	if (probe->len < 14 || probe->len > LOADER_FRAME_MAX)
		return -EINVAL;
	error = probe->tc ? run_tc(loader, probe, &verdict) : run_xdp(loader, probe, &verdict);
	if (!error)
		*ret = verdict;
	return error;
}
