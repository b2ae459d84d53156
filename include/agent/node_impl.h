/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the node (user/agent/node*.c, restart.c) say to each other; nobody else includes it. */
#ifndef XRS_AGENT_NODE_IMPL_H
#define XRS_AGENT_NODE_IMPL_H

#include "agent/attacher.h"
#include "agent/fib_writer.h"
#include "agent/node.h"

/* Seconds after start at which what nobody announced again is removed. */
#define NODE_SWEEP_DEADLINE_SEC 180
/* Between the last End-of-RIB and that removal; longer while a next hop is not resolved. */
#define NODE_SWEEP_SETTLE_MS  200
#define NODE_SWEEP_RESOLVE_MS 2000
/* Prefixes of one slice of RIB work: well under a millisecond each hundred. */
#define NODE_RIB_SLICE 512

/* --- node_vnet.c --------------------------------------------------------------------------- */
/* Makes the runtime of a vnet without peerings, so that adoption knows its number. NULL: no memory. */
struct node_vnet *node_vnet_new(struct node *node, const struct vnet_config *config);
/*
 * First the RIBs of all, then the links between them (node_peered.c), then route tables and peerings:
 * a table may live on another vnet's RIB. 0 or negative errno; what failed is logged.
 */
int node_vnet_start_rib(struct node_vnet *vnet);
int node_vnet_start(struct node_vnet *vnet);
/* Adds a peering, configured or dynamic. 0 or negative errno; what failed is logged. */
int node_vnet_add_peering(struct node_vnet *vnet, const struct peering_config *config,
			  struct node_peering **ret_peering);
void node_vnet_remove_peering(struct node_vnet *vnet, struct node_peering *peering);
void node_vnet_free(struct node_vnet *vnet);
/* Takes over a changed configuration of the same vnet: RIB and peerings; then, in the order above, tables. */
void node_vnet_reconfigure(struct node_vnet *vnet, const struct vnet_config *config);
int node_vnet_reconfigure_tables(struct node_vnet *vnet);
/* Decides one prefix in every route table that lives on the vnet's RIB. */
void node_vnet_decide(struct node_vnet *vnet, const struct ip_prefix *prefix,
		      const struct rib_offer *offer);
/* Queues the RIB's deferred work. */
void node_vnet_rib_work(struct node_vnet *vnet);
/* No deferred work is left. */
bool node_vnet_idle(const struct node_vnet *vnet);

/* For what its RIB selects now: decides the tables of @vnet alone, with the group or without any. */
void node_vnet_offer_all(struct node_vnet *vnet);
void node_vnet_withdraw_all(struct node_vnet *vnet);

/* Decides every prefix of its tables again. */
void node_vnet_redecide(struct node_vnet *vnet);

/* --- node_memory.c ------------------------------------------------------------------------- */
void node_memory_init(struct node *node);
/* An UPDATE could not be stored; a route could not be planned: counted, and made good later. */
void node_memory_peering(struct node_peering *peering);
void node_memory_table(struct node_table *table);

/* --- node_peered.c ------------------------------------------------------------------------- */
/* Builds node->peered from the configuration in force. 0 or -ENOMEM. */
int node_peered_build(struct node *node);
/* Carries it to the runtime: who uses whose RIB; tables that change their source are decided again. */
int node_peered_relink(struct node *node);
/* The vnet goes: nobody refers to it any more. */
void node_peered_unlink(struct node_vnet *vnet);
/* As peered_prefixes(); what can not be had for want of memory is logged. */
struct ip_prefix *node_peered_prefixes(const struct node_vnet *vnet, bool users, size_t *ret_n);
bool node_peered_linked(const struct node_vnet *a, const struct node_vnet *b);
/* The vnet that an address lies in: @vnet itself or a peered one; else @vnet. */
const struct node_vnet *node_peered_owner(const struct node_vnet *vnet, const struct ip_addr *addr);

/* Precedence and groups of user routes of a table, by its config; and gone again. 0 or -ENOMEM. */
int node_table_fill(struct node_table *table);
void node_table_empty(struct node_table *table);
void node_vnet_fill_rib(const struct node_vnet *vnet, struct rib_config *ret);
/*
 * Addresses are a session's identity: other ones make another session. The first key of @a and @b, or of
 * the route server that was @old and is @vnet's, that differs; NULL: none.
 */
const char *node_vnet_endpoint_differs(const struct node_vnet *vnet, const struct peering_config *a,
				       const struct peering_config *b,
				       const struct route_server_config *old);

/* What tells this vnet's addresses from another's in the maps: the index of its table main. */
uint32_t node_vnet_scope(const struct node_vnet *vnet);

/* Decides one prefix in one table from what BGP offers now. */
void node_vnet_decide_again(struct node_table *table, const struct ip_prefix *prefix);

/* --- node_persist.c ------------------------------------------------------------------------ */
void node_persist_init(struct node *node);
/*
 * Begins, keeps or ends what the table does with a lost prefix. True: *ret_result is the decision; false:
 * there is nothing to persist.
 */
bool node_persist_decide(struct node_table *table, const struct ip_prefix *prefix,
			 const struct rib_offer *offer, struct effective_result *ret_result);
/* The same to look at only. */
bool node_persist_view(const struct node_table *table, const struct ip_prefix *prefix,
		       struct effective_result *ret_result);
/* Held prefixes one by one, from *cursor 0. */
bool node_persist_walk(const struct node_table *table, uint32_t *cursor,
		       struct ip_prefix *ret_prefix);
/* Forgets all without deciding anything: the table goes. */
void node_persist_free(struct node_table *table);
/* Some table that lives on this vnet's RIB has a persist of its own. */
bool node_persist_wanted(const struct node_vnet *vnet);
/* Before the sweep after a restart: what nobody announced again is lost. */
void node_persist_adopt(struct node *node);

/* --- node_peering_config.c ----------------------------------------------------------------- */
void node_peering_fill_rib(const struct node_vnet *vnet, const struct peering_config *config,
			   struct rib_peer_config *ret);
void node_peering_fill_session(const struct node_vnet *vnet, const struct peering_config *config,
			       struct session_config *ret);
/* Where its sessions come from: of the peering, else the route server's of that family. */
void node_peering_local_address(const struct node_peering *peering, struct ip_addr *ret_addr);
void node_range_local_address(const struct node_range *range, struct ip_addr *ret_addr);

/* --- node_peering.c ------------------------------------------------------------------------ */
int node_peering_new(struct node_vnet *vnet, const struct peering_config *config,
		     struct node_peering **ret_peering);
void node_peering_free(struct node_peering *peering);
/* Same name, changed configuration: live where possible. */
int node_peering_reconfigure(struct node_peering *peering, const struct peering_config *config);
/* node_peering_disable() with @seconds (0: at once) in place of the configured shutdownDrainTime. */
void node_peering_end(struct node_peering *peering, const char *text, uint32_t seconds);
void node_peering_rib_event(struct node_vnet *vnet, enum rib_event_type type, uint16_t peer,
			    enum bgp_family family, uint32_t count);
/* The peering of @vnet with this peerIp; NULL: none. */
struct node_peering *node_peering_by_addr(const struct node_vnet *vnet, const struct ip_addr *addr);

/* --- node_graceful.c ----------------------------------------------------------------------- */
/* What the peering's next OPEN says of a restart. */
void node_graceful_tell(const struct node_peering *peering);
/* The restart is over: OPENs say so from now on. */
void node_peerings_restarted(const struct node *node);
/* Every enabled peering is up and has sent End-of-RIB for what it negotiated. */
bool node_peerings_complete(const struct node *node);
/* A peering that graceful restart covers has not said everything since we started. */
bool node_vnet_awaits_peers(const struct node_vnet *vnet);
void node_stale_init(struct node_peering *peering);
void node_stale_done(struct node_peering *peering);
/* The session ended: families (BGP_FAMILY_BIT) whose paths stay as stale ones. */
uint32_t node_stale_kept(const struct node_peering *peering, const struct bgp_peer_down *down);
/* Those of @kept stay and have a bound, all others go. */
void node_stale_begin(struct node_peering *peering, uint32_t kept);
/* The session is back. */
void node_stale_returned(struct node_peering *peering);
/* BoRR or EoRR. */
void node_stale_refresh(struct node_peering *peering, enum bgp_family family, bool begins);
/* The peer has said everything: no bound any more. */
void node_stale_end(struct node_peering *peering, enum bgp_family family);

/* --- node_health.c ------------------------------------------------------------------------- */
void node_health_init(struct node_peering *peering);
void node_health_done(struct node_peering *peering);
/* Makes, changes or ends the probe as the configuration says. */
void node_health_apply(struct node_peering *peering);
/* It is back after a failure: flows return when that has lasted. */
void node_health_returned(struct node_peering *peering);
/* It has a probe that says dead. */
bool node_peering_probe_failed(const struct node_peering *peering);

/* --- node_drain.c -------------------------------------------------------------------------- */
void node_drain_init(struct node_peering *peering);
/* At start: goes on with a drain that an earlier process had begun. */
void node_drain_resume(struct node_peering *peering);
void node_drain_done(struct node_peering *peering);
/* When the drain of the peering with this address began, for xrs_nexthop; 0: it does not drain. */
uint64_t node_drain_since_ns(const struct node_vnet *vnet, const struct ip_addr *addr);

/* --- node_bfd.c ---------------------------------------------------------------------------- */
int node_bfd_init(struct node *node); /* 0 or -ENOMEM; done with bfd_free() */
/* Makes, changes or removes the BFD session as the configuration and the administrative state say. */
void node_bfd_apply(struct node_peering *peering);
void node_bfd_forget(struct node_peering *peering);
/* The session in xrs_bfd of the peer with this address; 0: none. */
uint32_t node_bfd_slot(const struct node_vnet *vnet, const struct ip_addr *addr);
/* After a restart: entries of xrs_bfd that no peering has taken over go. */
void node_bfd_sweep(struct node *node);
/* bfd.strict, and BFD is not Up. */
bool node_bfd_holds(const struct node_peering *peering);
/* The session is allowed to start: at once, or when BFD is Up. */
void node_bfd_enable(struct node_peering *peering);
/* BGP is up again although BFD is not: the member may be used. */
void node_bfd_established(struct node_peering *peering);

/* --- node_config.c ------------------------------------------------------------------------- */
/* A configuration that waited for confirmation when an earlier process ended. Before anything starts. */
void node_config_resume(struct node *node);
void node_config_done(struct node *node);

/* --- node_timeline.c ----------------------------------------------------------------------- */
void node_timeline_init(struct node *node);
/* Before the writes: *ret_entry with the time of now. @vnet may be NULL. */
void node_timeline_begin(struct node *node, uint32_t id, const struct node_vnet *vnet,
			 enum timeline_cause cause, struct timeline_entry *ret_entry);
/* After them: counts what it was about and looks for the first frame. */
void node_timeline_end(struct node *node, uint32_t id, struct timeline_entry *entry);

/* --- node_events.c ------------------------------------------------------------------------- */
/* The state of a session, its problem or its last NOTIFICATION is another than was told. */
void node_event_session(struct node_peering *peering, const struct session *session);
/* Its BFD session is in another state. */
void node_event_bfd(const struct node_peering *peering, const struct bfd_event *event);
/* It began or ended to drain, or is empty. */
void node_event_drain(const struct node_peering *peering);
void node_event_limit(const struct node_peering *peering, enum bgp_family family, uint32_t count,
		      bool exceeded);
/* A selected route changed: told with others, a little later. */
void node_event_route(struct node_vnet *vnet, const struct ip_prefix *prefix);
void node_event_routes_init(struct node_vnet *vnet);
void node_event_routes_done(struct node_vnet *vnet);
/* @to: "attached", ..., or "gone". */
void node_event_nic(struct node *node, const struct node_nic *nic, const char *from,
		    const char *to);
void node_event_fib_error(struct node *node, const char *operation, int error_number);
void node_event_timeline(struct node *node, const struct timeline_entry *entry);
void node_event_swept(struct node *node, size_t routes);
void node_event_config(struct node *node, const char *cause);
void node_event_config_pending(struct node *node, uint64_t deadline_wall);
void node_event_config_confirmed(struct node *node);
void node_event_config_refused(struct node *node, const char *cause,
			       const struct config_error *error);

/* --- node_range.c: peers that are made as they connect -------------------------------------------------- */
/* Brings ranges, and the peers that they made, in line with vnet->config; @before: what it was. */
void node_ranges_apply(struct node_vnet *vnet, const struct vnet_config *before);
void node_ranges_free(struct node_vnet *vnet);
/* What the range @config makes of a peer at @addr. */
void node_range_fill_peer(const struct peering_config *config, const struct ip_addr *addr,
			  struct peering_config *ret);
/* The range that a dynamic peer would have with @config; NULL: none, or it has a peering of its own. */
const struct peering_config *node_range_then(const struct vnet_config *config,
					     const struct node_peering *peering);
/* A peer's session came up, with this ASN, or went down; configured peers are none of its business. */
void node_range_peer_up(struct node_peering *peering, uint32_t asn);
void node_range_peer_down(struct node_peering *peering);

/* --- node_fib.c ---------------------------------------------------------------------------- */
int node_fib_init(struct node *node);
void node_fib_done(struct node *node);
/* Something in the plan, a next hop or a group is to be dealt with: in the next slices. */
void node_fib_kick(struct node *node);
/* What the configuration says of derived lookup structures. */
void node_fib_reconfigure(struct node *node);
/* Waits for the routes that are being written by the second thread: before a table goes, or is compared. */
void node_fib_drain(struct node *node);
/* Writes changed next hops and groups now: the failure path does not wait for a slice. */
void node_fib_urgent(struct node *node);
struct node_vnet *node_vnet_by_number(const struct node *node, uint32_t number);

/* --- node_nexthop.c ------------------------------------------------------------------------ */
/* This one is to be resolved again, in one of the next slices. */
void node_nexthop_dirty(struct node *node, uint32_t id);
/* A slice of that. Without a data plane (mode none) they are usable, or released. */
void node_nexthop_refresh(struct node *node);
/* The maps have forgotten it: gives back what it holds in the kernel, and its id. */
void node_nexthop_release(struct node *node, uint32_t id);
/* When all that followed from deaths of peers is done: they may be used again. True: some were waiting. */
bool node_nexthop_release_dead(struct node *node);
/* Resolve again: all of a vnet and its peered vnets (NULL: of all), or those with this address or MAC. */
void node_nexthop_dirty_all(struct node *node, const struct node_vnet *vnet);
void node_nexthop_dirty_addr(struct node *node, const struct ip_addr *addr);
void node_nexthop_dirty_mac(struct node *node, const uint8_t *mac);
void node_nexthop_dirty_link(struct node *node, uint32_t ifindex);
/* A link went or lost its carrier: the next hops behind it are out of use at once. */
void node_nexthop_port_lost(struct node *node, uint32_t ifindex, enum timeline_cause cause);
/*
 * The peer with this address is dead: its next hop is out of use at once. @fault: why, and when that was
 * seen; times that are not set are those of the call.
 */
struct node_fault {
	enum timeline_cause cause;
	struct mono detected, decided, programmed;
};
void node_nexthop_peer_dead(struct node_vnet *vnet, const struct ip_addr *addr,
			    const struct node_fault *fault);
/* Its session is up again. */
void node_nexthop_peer_alive(struct node_vnet *vnet, const struct ip_addr *addr);
/* Its hold-down is over, or its probe says something else. */
void node_nexthop_peer_changed(struct node_vnet *vnet, const struct ip_addr *addr,
			       enum timeline_cause cause);

/* --- node_scope.c -------------------------------------------------------------------------- */
/*
 * As nl_route_lookup(), through interfaces of @vnet and its peered vnets, or through such as belong to no
 * vnet.
 */
int node_scope_route(const struct node_vnet *vnet, const struct ip_addr *addr,
		     struct net_route *ret_route);

/* --- node_nic.c ---------------------------------------------------------------------------- */
int node_nic_init(struct node *node); /* 0 or negative errno */
/* Matches one link, or all, against the rules: attaches, changes or forgets. */
void node_nic_link(struct node *node, const struct net_link *link);
void node_nic_gone(struct node *node, uint32_t ifindex);
/* nic->learned is another: antiSpoof goes by it. Says in it what is let through. */
void node_nic_learned(struct node *node, struct node_nic *nic);
/* Its decisions go to xrs_trace, or no more; in a moment, when the programs that can tell them are there. */
void node_nic_trace(struct node *node, struct node_nic *nic, bool on);
/* The addresses of this device have changed, or of any (0): they may be the gateway's. */
void node_nic_addresses(struct node *node, uint32_t ifindex);
void node_nic_rematch(struct node *node);
/*
 * The route tables of @vnet stand elsewhere now, those before are about to be freed: its nics follow by
 * name. Those whose table is no more have none until node_nic_rematch().
 */
void node_nic_tables_moved(struct node_vnet *vnet);
/* Attach failures that may have passed are tried again. */
void node_nic_retry(struct node *node);
/* What the nics of a vnet and its peered vnets have in common, for the choice of a way out. */
struct resolve_nics node_nic_common(const struct node *node, const struct node_vnet *vnet);
struct node_nic *node_nic_by_ifindex(const struct node *node, uint32_t ifindex);
/* Some nic is served by XDP, in any mode. */
bool node_nic_any_xdp(const struct node *node);
/* At a stop: forgets the structs; attachments stay, and what was to be detached is. */
void node_nic_free_all(struct node *node);
/* After a restart: removes attachments and nic entries that no rule wants any more. */
void node_nic_sweep(struct node *node);

/* --- node_hosts.c -------------------------------------------------------------------------- */
/* A neighbour, a nic or the configuration changed: in a moment host routes are looked at again. */
void node_hosts_kick(struct node *node);
/* The RIB goes, and with it what it told. */
void node_hosts_forget(struct node_vnet *vnet);

/* --- node_trace.c -------------------------------------------------------------------------- */
void node_trace_init(struct node *node);
void node_trace_done(struct node *node);

/* --- node_vm.c ----------------------------------------------------------------------------- */
int node_vm_init(struct node *node);
void node_vm_done(struct node *node);
/* Something that the list of local VMs is made from has changed. */
void node_vm_dirty(struct node *node);
/* The device went: its addresses lead nowhere, and not to another device that gets its ifindex. */
void node_vm_gone(struct node *node, uint32_t ifindex);
/* Tells node_learn.c what is known of one nic. */
void node_vm_learn(struct node *node, struct node_nic *nic);
/* A local VM is behind this device: it stays in xrs_devmap. */
bool node_vm_uses(const struct node *node, uint32_t ifindex);

/* --- node_learn.c -------------------------------------------------------------------------- */
int node_learn_init(struct node *node); /* 0 or -ENOMEM */
void node_learn_done(struct node *node);
/* It was a nic of an earlier process: takes over what that had learned. */
void node_learn_inherit(struct node *node, struct node_nic *nic);
/* What its rule has it learn from: a set of NIC_LEARN_*. @is_new: it has just come. */
void node_learn_wanted(struct node *node, struct node_nic *nic, uint32_t learns, bool is_new);
void node_learn_forget(struct node *node, struct node_nic *nic);
/* A neighbour of this address and MAC is behind it. */
void node_learn_neigh(struct node *node, struct node_nic *nic, const struct ip_addr *addr,
		      const uint8_t *mac);
/* After a restart: forgets the devices that have gone. */
void node_learn_sweep(struct node *node);

/* --- node_net.c ---------------------------------------------------------------------------- */
int node_net_init(struct node *node);
void node_net_done(struct node *node);

/* --- restart.c ----------------------------------------------------------------------------- */
/*
 * Takes over next hops and groups that the maps hold, and, in slices of the loop, routes. Vnets exist, nothing
 * else has started. 0 or negative errno.
 */
int restart_adopt(struct node *node);
/* One slice of it; false: all is adopted. */
bool restart_adopt_more(struct node *node);
void restart_done(struct node *node);
/* The index that a pinned table has, or the lowest free one; FIB_TABLE_BAD: none left. */
uint32_t restart_table_index(struct node *node, const char *vnet, const char *table);
/* Defers the first selection of a vnet until its peers have said everything (RFC 4724 4.1). */
void restart_defer(struct node_vnet *vnet);
/* Selects when nobody is waited for any more. */
void restart_check_vnet(struct node_vnet *vnet);
/* Brings the sweep forward when every peer has said everything again. */
void restart_check(struct node *node);

#endif
