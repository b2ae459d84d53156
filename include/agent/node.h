/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The node: everything that one xrsd holds, and the wiring between the parts.
 *
 *   session.c -> node_peering.c -> rib -> node_vnet.c -> vnet/effective -> fib_plan -> node_fib.c -> fib_maps
 *   nl_watch  -> node_net.c -> node_nic.c (attach, forget) and node_fib.c (resolve next hops)
 *   pins of an earlier process -> restart.c -> nexthop_group, fib_plan
 *
 * The API reads these structs directly and acts only through the functions below. One thread, one loop.
 */
#ifndef XRS_AGENT_NODE_H
#define XRS_AGENT_NODE_H

#include "agent/attacher.h"
#include "agent/bfd.h"
#include "agent/config.h"
#include "agent/events.h"
#include "agent/journal.h"
#include "agent/listener.h"
#include "agent/loop.h"
#include "agent/probe.h"
#include "agent/session.h"
#include "agent/timeline.h"
#include "fib/fib_maps.h"
#include "fib/fib_plan.h"
#include "fib/loader.h"
#include "net/nl_request.h"
#include "net/nl_watch.h"
#include "net/resolve.h"
#include "rib/rib.h"
#include "vnet/effective.h"
#include "vnet/limits.h"
#include "vnet/peered.h"

struct node;
struct node_vnet;

/* Why paths of a peer are stale, and until when: one family of a peering. */
struct node_stale {
	struct node_peering *peering;
	struct loop_timer timer;
	enum stale_phase {        /* what the timer bounds */
		STALE_RESTARTING, /* graceful restart: the peer's return */
		STALE_LONG_LIVED, /* the same, long-lived (RFC 9494) */
		STALE_RETURNED,   /* End-of-RIB of a peer that is back */
		STALE_REFRESHING, /* EoRR (RFC 7313) */
	} phase;
};

/* One peering of a vnet: its session and its place in the RIB. */
/* A peering whose running flows may end where they are. */
struct node_drain {
	struct mono since; /* never: it does not drain */
	struct mono last;  /* when its packets were last seen to be more; at first `since` */
	uint64_t packets;  /* of its next hop, at that time */
	uint32_t idle_sec; /* without a packet for so long: it is empty */
	bool empty;
	struct loop_timer timer;
};

struct node_peering {
	struct node_vnet *vnet;
	const struct peering_config *config; /* inside vnet->config; of a dynamic one: `own` */
	struct node_range *range;            /* that made it: it is dynamic; or NULL */
	struct peering_config *own;
	struct loop_timer idle; /* a dynamic one without a session goes when it fires */
	struct session *session;
	uint16_t rib_peer; /* index in vnet->rib */
	struct node_stale stale[BGP_FAMILY_MAX];
	bool was_up; /* Established at least once in the life of this process */
	struct loop_timer
		shutdown; /* it was told of its end (RFC 8326), which is when this fires */
	char shutdown_text[BGP_SHUTDOWN_TEXT_MAX + 1];
	struct loop_timer max_prefix; /* closes the session outside the UPDATE that was too much */
	uint64_t limit_warnings, limit_exceeded; /* times that maxPrefixes was neared, passed */
	struct log_limit memory_log;
	struct loop_timer room; /* asks for what was refused for want of memory */
	struct mono room_asked; /* ... when it did last */
	bool short_of_memory;   /* an UPDATE of it was not stored */
	struct mono created;
	uint64_t updates, findings; /* UPDATE messages; those with an RFC 7606 finding */
	struct loop_timer hold;     /* its return waits: groups with others alive do without it */
	bool failed;                /* it was taken out of use; the next return is held down */
	struct node_drain drain;    /* new flows go to others: node_drain.c */
	struct probe *probe;        /* NULL: none is configured */
	bool admin_down;            /* by configuration or by peering.disable */
	bool node_down;             /* by node_shutdown() */
	bool bfd_hold;              /* bfd.strict keeps the BGP session down until BFD is Up */
	uint32_t bfd_slot;          /* 0: no BFD session */
	struct bfd_spec bfd_path;   /* its addresses */
	char bfd_problem[160];      /* why there is none, or "" */
	struct {                    /* what the latest events said: node_events.c */
		enum fsm_state state;
		bool disabled, problem;
		uint64_t sent, received; /* time of the NOTIFICATION */
	} told;
};

/* Changed routes of a vnet that no event has told yet: node_events.c. */
#define NODE_ROUTES_TOLD 16 /* prefixes that one event names */
struct node_route_news {
	uint32_t changes, n;
	struct ip_prefix prefix[NODE_ROUTES_TOLD];
	struct loop_timer timer;
};

/* One route table of a vnet: its index in xrs_table and its precedence. */
struct node_table {
	struct node_vnet *vnet;
	const struct route_table_config *config; /* inside vnet->config */
	uint32_t index;                          /* in xrs_table and xrs_table6 */
	struct effective_table *effective;
	uint32_t *user_groups;        /* a held group id for each user route, 0: none */
	struct node_persist *persist; /* lost prefixes that are held or dropped; NULL: none yet */
};

/* A peering with peerRange: it listens, and each peer that comes gets a node_peering of its own. */
struct node_range {
	struct node_vnet *vnet;
	const struct peering_config *config; /* inside vnet->config */
	struct listener_entry *listening;    /* NULL: not (yet) */
	struct loop_timer retry;             /* the key could not be read or set */
	char problem[160];
	unsigned int n_peers; /* that it made and that are still there */
	uint64_t accepted, refused;
	struct log_limit log;
};

struct node_vnet {
	struct node *node;
	uint32_t number;                  /* identity for nexthop_get() */
	const struct vnet_config *config; /* inside node->config */
	struct rib *rib;                  /* NULL without a route server */
	struct node_peering **peerings;
	size_t n_peerings;
	bool short_of_memory; /* a route of a table was not planned */
	struct node_range **ranges;
	size_t n_ranges;
	struct node_table *tables;
	size_t n_tables;
	/* Peered vnets; whose RIB offers routes here (itself, a hub, NULL); others that use its RIB. */
	struct node_vnet **links;
	size_t n_links;
	struct node_vnet *source;
	struct node_vnet **users;
	size_t n_users;
	bool started;
	struct loop_timer
		deferral; /* runs: the first selection waits for peers, no longer than this */
	struct node_host *hosts; /* local VMs that are told as host routes, sorted */
	size_t n_hosts;
	struct loop_work rib_work;  /* queued while rib_work() has more */
	struct loop_work recompute; /* decides what the source's RIB selected again */
	enum bgp_family recompute_family;
	uint32_t recompute_cursor;
	struct node_route_news news;
	struct journal *journal; /* of what its RIB selected; NULL: nothing yet, or no memory */
};

enum nic_attach_state {
	NIC_ATTACHED,
	NIC_PENDING,
	NIC_CONFLICT,
	NIC_EXCLUDED,
	NIC_FAILED
};
const char *nic_attach_state_name(enum nic_attach_state state); /* "attached" */

enum nic_source_state { /* whether antiSpoof lets it through, and why not */
	NIC_SOURCE_ALLOWED,
	NIC_SOURCE_NOT_CONFIGURED, /* not in sourcePrefixes */
	NIC_SOURCE_NO_PLACE,       /* beside XRS_SOURCES others: waits for one of them to end */
	NIC_SOURCE_OUTSIDE,        /* not in the vnet */
};

struct nic_source { /* an address that antiSpoof has learned, or a prefix that is delegated to the VM */
	struct ip_prefix prefix;
	enum xrs_learned_from from;
	struct mono until; /* its lease ends; not set: no end */
	enum nic_source_state state;
};
const char *nic_source_from_name(enum xrs_learned_from from);   /* "dhcp" */
const char *nic_source_state_name(enum nic_source_state state); /* "allowed" */

/* What node_learn.c knows of the VM behind a nic: its MAC, and sources as far as antiSpoof holds them. */
struct nic_learned {
	uint8_t mac[6];
	uint32_t n[2]; /* IPv4, IPv6 */
	struct nic_source source[2][XRS_SOURCES];
	uint32_t n_refused; /* leases that it does not hold, the latest of them */
	struct nic_source refused[XRS_SOURCES];
};

/* One host interface that a rule took. */
struct node_nic {
	char name[NIC_IF_NAME_MAX];
	uint32_t ifindex;
	uint32_t slot; /* in xrs_stats */
	int rule;      /* index in config->nics */
	struct node_vnet *vnet;
	struct node_table *table; /* NULL: it went with the last configuration; for a moment */
	enum xrs_nic_role role;
	enum nic_attach_state state;
	char reason[192];            /* why it is not attached, or "" */
	enum nic_mode mode;          /* wanted: AUTO to TC */
	struct attacher_wish wanted; /* what `mode` means for this kind of device, and the rest */
	const char *mode_why;        /* for people; static */
	struct attacher_wish attached_as; /* `wanted` when it was attached */
	uint64_t ticket;                  /* of the last job of the attacher; 0: there was none */
	bool attaching;                   /* it is under way ... */
	bool again;                       /* ... and something was asked for since */
	bool traced;
	bool tc_alone; /* XDP is not there, or about to go */
	struct loader_attachment attachment;
	uint32_t
		learns; /* NIC_LEARN_*: where antiSpoof has its sources from; 0: the configuration */
	struct nic_learned learned;
	uint32_t n_gateway_macs;
	uint8_t gateway_mac[XRS_GATEWAY_MACS][6];
	struct mono since;
};

struct node_nexthop { /* by next-hop id: what resolve said last */
	struct resolved_nexthop resolved;
	bool live;       /* in nexthop_table */
	bool managed;    /* nl_neigh_manage() was asked for it */
	bool peer_dead;  /* its own session ended: not used until the RIB has forgotten its paths */
	bool port_lost;  /* its bridge port went: not used until its MAC is seen elsewhere */
	bool dirty;      /* resolve it again */
	uint32_t devmap; /* ifindex that it holds in xrs_devmap, 0: none */
	uint32_t napi_asked; /* other end of a veth where GRO was asked for */
	struct mono since;
};

/* The file's part of the configuration before the one in force, and whether that still has to be confirmed. */
struct node_commit {
	char *previous; /* NULL: there is none to go back to */
	size_t previous_len;
	bool pending;
	uint64_t deadline_wall; /* of pending: then it goes back by itself */
	struct loop_timer timer;
};

struct node_counters {
	uint64_t fib_batches, fib_writes, fib_write_errors;
	uint64_t reloads, reload_failures;
	uint64_t nic_attaches, nic_attach_failures;
	uint64_t out_of_memory;  /* times that something could not be kept */
	uint64_t state_failures; /* files that could not be written: a full disk */
	uint64_t clock_steps;    /* times that the wall clock was set */
};

/* The next hops that took over last; their packet counters are looked at until the first frame. */
struct node_heirs {
	uint64_t seq; /* of the entry in the timeline */
	uint64_t packets;
	unsigned int n, polls;
	uint32_t id[XRS_MEMBERS_MAX];
};

/* Decisions of one nic, told as events trace.packet for a while. */
struct node_trace {
	char nic[NIC_IF_NAME_MAX]; /* "": none */
	struct loop_io io;
	struct loop_timer end;
	uint64_t told;
};

struct node {
	struct loop *loop;
	struct event_bus *events; /* what happened, for monitor.subscribe */
	char config_path[256];
	struct config *config;
	struct config_paths paths;
	struct peered peered; /* of config->vnets, same indices */
	struct nexthop_table *nexthops;
	struct bfd *bfd;
	struct listener_set *listeners;
	struct node_vnet **vnets;
	size_t n_vnets;
	uint32_t next_vnet_number;
	struct node_nic **nics;
	size_t n_nics;
	struct htab *nic_index; /* by ifindex */
	uint32_t *
		slot_owner; /* by slot of xrs_stats: the ifindex that has it, 0: free; NULL: not read yet */
	uint32_t next_slot;        /* below it nothing was free when it was looked at last */
	struct attacher *attacher; /* of programs, on a second thread */
	uint64_t nic_ticket;
	struct node_nexthop *nexthop_state; /* XRS_NEXTHOP_MAX */
	bool *group_dirty;                  /* XRS_GROUP_MAX */
	bool nexthops_dirty, groups_dirty;  /* some entry of the two above is */
	/* Data plane; all NULL with dataplane.mode none. */
	struct loader *loader;
	struct fib_maps *maps;
	struct fib_plan *plan;
	struct fib_writer *writer; /* of routes, on a second thread */
	struct net_model *net;
	struct nl_watch *watch;
	struct nl_request *request;
	struct loop_io watch_io;
	struct loop_timer watch_timer;   /* a dump is due */
	struct loop_timer persist_timer; /* the time of a held prefix is over ... */
	struct mono persist_next;        /* ... then */
	struct loop_timer hosts_timer;   /* host routes are looked at again */
	bool hosts_due;                  /* ... in a moment */
	struct timeline *timeline;
	struct node_heirs heirs;
	struct loop_timer first_timer; /* looks at heirs */
	struct loop_timer probe_timer; /* neighbours that the kernel does not keep fresh; retries */
	struct loop_timer memory_timer; /* what there was no memory for is tried again */
	struct loop_timer derive_timer; /* derived structures are looked at again */
	struct mono bulk_at;            /* the last large batch of routes was written */
	struct loop_work fib_work;
	bool net_synced; /* the first picture is whole */
	struct node_trace trace;
	struct node_vms *vms;     /* addresses of local VMs */
	struct node_learn *learn; /* what antiSpoof learns; NULL: no data plane */
	struct node_counters counters;
	struct mono started;
	uint64_t started_wall;
	uint64_t
		wall_ahead; /* usec of the wall clock ahead of the monotonic one, when it was looked at last */
	bool adopted;                      /* pins of an earlier process were taken over */
	struct restart_adoption *adoption; /* ... and their routes are being read; NULL: all are */
	struct loop_work adopt_work;
	bool sweep_done; /* stale entries of that process are gone */
	struct loop_timer sweep_deadline;
	bool sweep_waits;    /* once more, for next hops to be resolved */
	uint32_t generation; /* of the maps' contents: one more at each start */
	struct node_commit commit;
	uint32_t config_generation; /* one more with each configuration that is applied */
	bool shut_down;             /* node_shutdown(): no session starts */
	bool stopping;
};

/* --- life (main.c) ------------------------------------------------------------------------ */
/* Takes over @config. 0, or negative errno with the cause logged. */
int node_new(struct loop *loop, struct config *config, const char *config_path,
	     struct node **ret_node);
/* Stops sessions; keeps links and maps: forwarding goes on. */
void node_free(struct node *node);

/* Notes when the wall clock was set. Nothing waits for it, but what is logged and told shows it. */
void node_check_clock(struct node *node);
/* The time of day of this callback, without a system call; behind by seconds when the clock was just set. */
uint64_t node_wall_now(const struct node *node);

/* --- lookups ------------------------------------------------------------------------------ */
struct node_vnet *node_find_vnet(const struct node *node, const char *name);
/* @vnet NULL: in any vnet; *ret_ambiguous when several vnets have one of that name. */
struct node_peering *node_find_peering(const struct node *node, const char *vnet, const char *name,
				       bool *ret_ambiguous);
/* A peering with peerRange, by the name of that. */
struct node_range *node_find_range(const struct node *node, const char *vnet, const char *name,
				   bool *ret_ambiguous);
struct node_nic *node_find_nic(const struct node *node, const char *name);
struct node_table *node_find_table(const struct node_vnet *vnet, const char *name);
/* The RIB that offers routes to the vnet's tables: its own or that of its hub. NULL: none. */
struct rib *node_vnet_source_rib(const struct node_vnet *vnet);

/* --- actions ------------------------------------------------------------------------------ */
/*
 * Each of these changes the configuration or nothing at all. A session is reset only when its own peering
 * changed in a way that needs it. @cause is for the event. -EBUSY: another one waits to be confirmed.
 */
int node_apply(struct node *node, struct config *config, const char *cause,
	       struct config_error *ret_error); /* takes over @config on success only */
/* What can not change while this process runs. 0, or -EINVAL with the error filled. */
int node_check_fixed(const struct node *node, const struct config *config,
		     struct config_error *error);
/* Reads the file again. */
int node_reload(struct node *node, struct config_error *ret_error);
/* Another file's part: @text, or NULL for the file. After @confirm_sec without node_confirm() it goes back. */
int node_config_apply(struct node *node, const char *text, size_t len, unsigned int confirm_sec,
		      struct config_error *ret_error);
int node_confirm(struct node *node); /* -ENOENT: nothing waits */
/* Back to the file's part before the last change of it. -ENOENT: there is none. */
int node_undo(struct node *node, struct config_error *ret_error);
/* Another set of what the API made; it is in state.json before it is in force. Takes no reference. */
int node_change_state(struct node *node, struct json_t *state, const char *cause,
		      struct config_error *ret_error);
/* Writes the file's part in force to the file; what was there is kept as FILE.old. *ret_saved false: it is
 * there already. 0 or negative errno. */
int node_config_save(struct node *node, bool *ret_saved);

/*
 * Disables a peering: at once, or with shutdownDrainTime after its peer was told (RFC 8326). @text goes
 * with the Cease (RFC 9003) and may be NULL. Enabling takes back what is not done yet.
 */
void node_peering_disable(struct node_peering *peering, const char *text);
/* The same for all, for good: until node_startup(), or a restart. */
void node_shutdown(struct node *node, uint32_t seconds, const char *text);
void node_startup(struct node *node);
const char *node_shutdown_state(struct node *node); /* "none", "announced", "done" */
#define NODE_DRAIN_IDLE_SEC 30                      /* the default, also as methods.c tells it */
/*
 * New flows go to other members, running ones stay; empty after @idle_sec without a packet. Again: only that
 * changes. -EOPNOTSUPP: nothing is steered here.
 */
int node_peering_drain(struct node_peering *peering, uint32_t idle_sec);
void node_peering_undrain(struct node_peering *peering);
const char *node_drain_state(const struct node_peering *peering); /* "none", "draining", "empty" */
void node_peering_enable(struct node_peering *peering);
/* The first selection of its vnet, while it is deferred, waits for this one. */
bool node_peering_awaited(const struct node_peering *peering);

/* False: there is no BFD session, or nothing is known about it. */
bool node_bfd_status(const struct node_peering *peering, struct bfd_status *ret_status);

/* The next hops of a group, for the journal. */
void node_journal_hops(const struct node_vnet *vnet, uint32_t group, struct journal_hops *ret_hops);

/*
 * Ends what persist holds or drops in a table: what @prefix covers, or all (NULL). How many it were.
 */
size_t node_persist_release(struct node_table *table, const struct ip_prefix *prefix);
size_t node_persist_count(const struct node_table *table);

/* --- reading the data plane ------------------------------------------------------------------ */
/* The effective routes of one table for exactly @prefix: every candidate with state and reason. */
void node_effective(const struct node_table *table, const struct ip_prefix *prefix,
		    struct effective_result *ret_result);
/*
 * All prefixes that any candidate exists for in @table: fixed ones first, then the RIB's. Resumable:
 * zero *cursor to begin; false at the end. Each prefix comes once.
 */
struct node_effective_cursor {
	unsigned int stage;
	uint32_t position;
};
bool node_effective_walk(const struct node_table *table, struct node_effective_cursor *cursor,
			 unsigned int budget,
			 bool (*fn)(void *ctx, const struct ip_prefix *prefix,
				    const struct effective_result *result),
			 void *ctx);

/* A local VM's address: learned by ARP or neighbour discovery, behind a nic of role vm. */
struct node_vm {
	const struct node_vnet *vnet;
	struct ip_addr addr;
	uint32_t ifindex; /* the nic */
};
/* Walks them, in no order: start with *cursor = 0; false at the end. */
bool node_vm_next(const struct node *node, size_t *cursor, struct node_vm *ret);
/* VXLAN networks that xrs_uplink takes frames of, times the addresses they come to. */
size_t node_vm_vnis(const struct node *node);

/*
 * Tells what becomes of packets of a nic that @rule matches, as events trace.packet, for @seconds; a trace that
 * runs ends. 0 or negative errno.
 */
int node_trace_start(struct node *node, struct node_nic *nic, const struct xrs_trace_rule *rule,
		     unsigned int seconds);
void node_trace_stop(struct node *node);

struct fib_verify_result {
	uint64_t expected, present, missing, stale, differing, pending, rejected;
	uint64_t derived_checked,
		derived_differing; /* routes at whose edges trie and structure were compared */
	bool incomplete;           /* a trie changed so much that not all of it could be read */
	unsigned int n_examples;
	struct {
		char table[2 * VNET_NAME_MAX + 2];
		struct ip_prefix prefix;
		const char *what; /* "missing", "stale", "differing", "derived" */
	} examples[16];
};
/*
 * Compares the maps with the plan, route by route, group by group, in slices: node_fib_verify_step() until it
 * says false. @repair writes the differences. NULL: out of memory. node->plan must be there.
 */
struct fib_verify;
struct fib_verify *node_fib_verify_new(struct node *node, bool repair);
bool node_fib_verify_step(struct fib_verify *verify);
const struct fib_verify_result *node_fib_verify_result(const struct fib_verify *verify);
void node_fib_verify_free(struct fib_verify *verify); /* NULL is fine */

#endif
