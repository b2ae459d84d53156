/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control API of a node: JSON-RPC 2.0, one object a line, on two Unix sockets (read and write; read
 * only), and HTTP GET for /metrics and /healthz on the same sockets. Called by main.c; reads the node's
 * structs and acts only through agent/node.h and agent/session.h. xrs-api(7) is its manual.
 */
#ifndef XRS_API_API_H
#define XRS_API_API_H

#include "agent/config.h"
#include "agent/loop.h"

struct api;
struct node;

/*
 * The descriptor by which this process, and no other, is the one of its instance; a process that is going
 * away is waited for, at most five seconds. -EADDRINUSE: another one lives. Other negative errno. The cause is
 * logged.
 */
int api_lock(const struct config_paths *paths);

/*
 * Listens on @paths' sockets, made for root and @group (when there is such a group), and on
 * node->config->metrics_tcp when it is set; what stands there is of a process that is dead: @lock_fd, which it
 * takes over. Negative errno with the cause logged. Nothing else that is given is owned; all outlive the API.
 */
int api_new(struct node *node, struct loop *loop, const struct config_paths *paths,
	    const char *group, int lock_fd, struct api **ret_api);
/* Closes connections and removes the sockets. NULL is fine. */
void api_free(struct api *api);

#endif
