/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of user/api say to each other; nobody else includes it. */
#ifndef XRS_API_API_IMPL_H
#define XRS_API_API_IMPL_H

#include "agent/node.h"
#include "api/api.h"
#include "api/request.h"

#define API_VERSION       "1.0"
#define API_CONNS_MAX     256 /* connections at a time; more are closed at once and counted */
#define API_OUT_HIGH      (64u << 10) /* octets queued above which a stream or the next request waits */
#define API_HTTP_MAX      8192        /* octets of an HTTP request */
#define API_STREAM_BUDGET 64          /* prefixes of one slice */
#define API_CODES         16
#define API_METHODS_MAX   96 /* rows of the table that are counted */

struct api_conn;

/* --- one request under way -------------------------------------------------------------------- */
struct api_stream;
struct api_call {
	struct api *api;
	struct node *node;
	struct api_conn *conn;
	const struct api_request *request;
	struct json_out *out; /* inside the object `result` */
	struct api_error *error;
	struct api_stream *stream; /* set by a handler whose answer goes on: see stream.c */
};

/*
 * A long answer: a resumable walk that is asked for more when the socket has room. It holds names and
 * cursors, never pointers into the node, which may be reloaded between two slices. The array "value" is
 * open while it runs.
 */
struct api_stream {
	/* Appends at most about API_STREAM_BUDGET elements; false: the end. */
	bool (*step)(struct api_stream *stream, struct node *node, struct json_out *out);
	/* May be NULL: members behind the array; and what goes with the stream, but for itself. */
	void (*end)(struct api_stream *stream, struct node *node, struct json_out *out);
	void (*release)(struct api_stream *stream);
	uint32_t limit, count; /* elements; limit 0: none */
	bool more;             /* ended at the limit: the cursor below leads on */
	bool bare;             /* no array, no cursor: stream_open_bare() */
	bool gone;             /* what it walked over does not exist any more */
	unsigned int stage;    /* of the walk: family, list, ... */
	uint32_t position;     /* within the stage */
};
/*
 * A stream of @size octets that begins with a struct api_stream, opened with the call's `limit` and
 * `cursor`. NULL with the error filled.
 */
void *stream_open(struct api_call *call, size_t size,
		  bool (*step)(struct api_stream *stream, struct node *node, struct json_out *out));
/* One that is no list: step() does work in slices, end() writes the members. */
void *stream_open_bare(struct api_call *call, size_t size,
		       bool (*step)(struct api_stream *stream, struct node *node,
				    struct json_out *out));
/* One element is written: false when the limit is reached (rib_view_fn and the like return it). */
bool stream_count(struct api_stream *stream);
/* Closes the array and writes nextCursor and generation. */
void stream_finish(struct api_stream *stream, struct node *node, struct json_out *out);
void stream_free(struct api_stream *stream); /* NULL is fine */

/* --- the table ------------------------------------------------------------------------------------ */
extern const struct api_method api_methods[];
extern const size_t api_n_methods;

/* Handlers, by noun: methods_node.c, methods_vnet.c, methods_peering.c, methods_nic.c, methods_route.c,
 * methods_fib.c. */
int method_system_info(struct api_call *call);
int method_system_graceful_shutdown(struct api_call *call);
int method_system_startup(struct api_call *call);
int method_system_health(struct api_call *call);
int method_rpc_discover(struct api_call *call);
int method_config_show(struct api_call *call);
int method_config_test(struct api_call *call);
int method_config_reload(struct api_call *call);
int method_config_diff(struct api_call *call);
int method_config_apply(struct api_call *call);
int method_config_confirm(struct api_call *call);
int method_config_undo(struct api_call *call);
int method_config_save(struct api_call *call);
int method_routeserver_update(struct api_call *call);
int method_vnet_create(struct api_call *call);
int method_vnet_delete(struct api_call *call);
int method_route_table_create(struct api_call *call);
int method_route_table_update(struct api_call *call);
int method_route_table_delete(struct api_call *call);
int method_peering_create(struct api_call *call);
int method_peering_delete(struct api_call *call);
int method_route_create(struct api_call *call);
int method_route_delete(struct api_call *call);
int method_metrics_get(struct api_call *call);
int method_log_set_level(struct api_call *call);
int method_routeserver_show(struct api_call *call);
int method_vnet_list(struct api_call *call);
int method_vnet_show(struct api_call *call);
int method_route_table_list(struct api_call *call);
int method_route_table_show(struct api_call *call);
int method_monitor_subscribe(struct api_call *call);
int method_monitor_unsubscribe(struct api_call *call);
int method_route_table_release(struct api_call *call);
int method_peering_list(struct api_call *call);
int method_bfd_list(struct api_call *call);
int method_timeline_list(struct api_call *call);
int method_peering_show(struct api_call *call);
int method_peering_enable(struct api_call *call);
int method_peering_disable(struct api_call *call);
int method_peering_drain(struct api_call *call);
int method_peering_undrain(struct api_call *call);
int method_peering_reset(struct api_call *call);
int method_peering_learned(struct api_call *call);
int method_peering_advertised(struct api_call *call);
int method_nic_list(struct api_call *call);
int method_nic_show(struct api_call *call);
int method_nic_effective(struct api_call *call);
int method_nic_next_hop(struct api_call *call);
int method_route_list(struct api_call *call);
int method_route_explain(struct api_call *call);
int method_route_history(struct api_call *call);
int method_mrt_dump(struct api_call *call);
int method_fib_show(struct api_call *call);
int method_trace_start(struct api_call *call);
int method_trace_stop(struct api_call *call);
int method_fib_verify(struct api_call *call);

/* The members of one object, without its braces. */
void write_peering(struct json_out *out, const struct node_peering *peering);
void write_vnet(struct json_out *out, const struct node_vnet *vnet);
void write_route_server(struct json_out *out, const struct node_vnet *vnet);
void write_route_table(struct json_out *out, const struct node_table *table, bool routes);
const char *managed_by(bool from_api); /* "api", "file" */
/* A refusal by the configuration as the call's error. @code: when it is about values. */
int call_config_failed(struct api_call *call, int r, int code, const struct config_error *error,
		       const char *file);

/* The parameter `config` as text for the caller to free, NULL: none was given. 0, or -1 with the error filled. */
int call_config_text(struct api_call *call, char **ret_text);
/* changes[]{op path old new} between the normal forms. How many, or -1: out of memory. */
int write_config_changes(struct json_out *out, const struct config *old, const struct config *new);

/* --- what handlers share: lookup.c ------------------------------------------------------------------ */
/* The parameter `vnet`, or the only vnet there is. NULL with the error filled. */
struct node_vnet *call_vnet(struct api_call *call);
/* The parameter `name`, in `vnet` when that is given. NULL with the error filled. */
struct node_peering *call_peering(struct api_call *call);
struct node_nic *call_nic(struct api_call *call);
struct node_nic *call_nic_of(struct api_call *call, const char *param);
/* The parameter @param (default main) of @vnet. */
struct node_table *call_table(struct api_call *call, struct node_vnet *vnet, const char *param);

void write_addr(struct json_out *out, const char *key, const struct ip_addr *addr);
void write_prefix(struct json_out *out, const char *key, const struct ip_prefix *prefix);
void write_mac(struct json_out *out, const char *key, const uint8_t *mac);  /* zero: null */
void write_time(struct json_out *out, const char *key, uint64_t wall_usec); /* 0: null */
const char *nic_role_name(enum xrs_nic_role role);
const char *nic_ifname(const struct node *node, uint32_t ifindex, char buf[static 16]);

/* --- methods_peering.c --------------------------------------------------------------------------- */
struct peering_bound {
	const char *name;         /* as in the configuration */
	uint64_t limit, exceeded; /* 0: no bound; times that it was passed */
};
#define PEERING_BOUNDS 6
void peering_bounds(const struct node_peering *peering, struct peering_bound ret[PEERING_BOUNDS]);

/* --- methods_range.c -------------------------------------------------------------------------------- */
struct node_range *call_range(const struct api_call *call); /* by `name`; NULL: it is no range */
void write_range(struct json_out *out, const struct node_range *range);

/* --- methods_bfd.c: members of a peering ------------------------------------------------------------ */
/* "bfdState"; null: BFD is not configured; "Unknown": the engine has not said anything yet. */
void write_bfd_state(struct json_out *out, const struct node_peering *peering);
/* "bfd": an object, or null. */
void write_bfd_member(struct json_out *out, const struct node_peering *peering);

/* --- BGP routes: methods_route.c ---------------------------------------------------------------------- */
/* The peering with this index in the vnet's RIB, or NULL. */
const struct node_peering *route_peering(const struct node_vnet *vnet, uint16_t rib_peer);
void write_route_attrs(struct json_out *out, const struct bgp_attrs *attrs, uint32_t weight);
/* routeStatus, installStatus, installReason of a path in this table. */
void write_install(struct json_out *out, const struct node_table *table,
		   const struct rib_path_view *view);

/* {seq time prefix from to cause causePeering step}; @vnet is the one whose RIB it is. */
void write_history_entry(struct json_out *out, const struct node_vnet *vnet,
			 const struct journal_entry *entry);

/* --- what a packet meets: next_hop_steps.c ------------------------------------------------------------- */
struct step_input {
	const struct node_nic *nic;
	const struct xrs_nic *entry; /* of xrs_nic */
	const struct loader_verdict *verdict;
	const uint8_t *frame; /* as it came; Ethernet without tags */
	size_t len;
	struct ip_addr src, dst;
	bool tc;
};
/* steps[]{step result detail}, in the program's order, up to the one that decided. */
void write_steps(struct json_out *out, const struct node *node, const struct step_input *input);

/* --- what the maps say: read_back.c ----------------------------------------------------------------- */
/* The members of a group that forward now, as read from the maps (or, without maps, as wanted). */
struct group_view {
	unsigned int n, width; /* kept; alive members of the group */
	bool using_backup;
	struct xrs_nexthop hop[XRS_MEMBERS_MAX];
	uint32_t id[XRS_MEMBERS_MAX];
	unsigned int buckets[XRS_MEMBERS_MAX]; /* of XRS_BUCKETS: its share of the flows */
	uint64_t packets, bytes;               /* of the next hops, whatever prefix led to them */
};
void read_group(const struct node *node, uint32_t group, struct group_view *ret_view);
/* nextHopIpAddress[], peering[], nextHopMac[], nextHopInterface[], nextHopBuckets[], packets, bytes. */
void write_group(const struct node *node, struct json_out *out, const struct group_view *view);
/* "installed", "missing", "differs", "pending", "rejected", "none": what the map holds for a winner. */
const char *read_back_state(const struct node_table *table, const struct ip_prefix *prefix,
			    const struct xrs_route *want, struct xrs_route *ret_found);

/* --- monitor.c ---------------------------------------------------------------------------------------- */
/* The subscriptions of one connection; NULL: it never had one. */
struct api_monitor;
void monitor_free(struct api_monitor *monitor, struct node *node);
bool monitor_active(const struct api_monitor *monitor);
/* Appends notifications that wait, until about API_OUT_HIGH octets are queued. True: more wait. */
bool monitor_write(struct api_monitor *monitor, struct node *node, struct json_out *out);

/* --- metrics.c --------------------------------------------------------------------------------------- */
struct metrics_walk { /* zero: the beginning */
	unsigned int piece;
	size_t at;
};
/* Appends the next piece of the OpenMetrics text; false: it was the last, "# EOF" included. */
bool metrics_step(const struct api *api, struct metrics_walk *walk, struct json_out *out);
/* The text as the body of an HTTP answer. NULL: out of memory. */
struct api_stream *metrics_stream_new(const struct api *api);

/* --- socket.c ------------------------------------------------------------------------------------------ */
struct api_stats {
	uint64_t connections, refused; /* refused: above the limit */
	uint64_t exhausted;            /* descriptors ran out */
	uint64_t stalls;               /* a client did not take all that was there for it */
	/* By row of api_methods (the last: no such), by code_index(). */
	uint64_t requests[API_METHODS_MAX + 1][API_CODES];
	unsigned int open;
};
const struct api_stats *api_stats(const struct api *api);
struct node *api_node(const struct api *api);
/* Where a connection keeps its subscriptions; and: there is something for it to write. */
struct api_monitor **api_conn_monitor(struct api_conn *conn);
void api_conn_wake(struct api_conn *conn);
/* 0: done; then the codes of enum api_code in a fixed order. */
unsigned int code_index(int code);
int code_of_index(unsigned int index);
#endif
