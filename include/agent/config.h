/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration: one schema table from JSON (with comments) to plain structs and back. Strict: an
 * unknown key, a duplicate, a wrong type, an overlapping prefix, a dangling name is refused with line,
 * column, path and, for names, the closest match. Nothing is applied in part: a struct config is whole
 * or does not exist. xrs.json(5) documents every key.
 */
#ifndef XRS_AGENT_CONFIG_H
#define XRS_AGENT_CONFIG_H

#include "util/json_out.h"
#include "util/log.h"
#include "vnet/nic_match.h"
#include "vnet/vnet.h"

enum dataplane_mode {
	DATAPLANE_AUTO,
	DATAPLANE_NATIVE,
	DATAPLANE_GENERIC,
	DATAPLANE_TC,
	DATAPLANE_NONE
};
const char *dataplane_mode_name(enum dataplane_mode mode);

enum dataplane_lookup {
	DATAPLANE_LOOKUP_AUTO,
	DATAPLANE_LOOKUP_TRIE
};

struct config {
	char instance
		[VNET_NAME_MAX]; /* node.instance: names /run, /var/lib and bpffs directories */
	uint32_t router_id; /* host order; default: the first localAddress; 0: node.c chooses */
	enum dataplane_mode mode;
	enum dataplane_lookup lookup;
	uint32_t lookup_min_routes;
	bool route_counters;
	struct vnet_config *vnets;
	size_t n_vnets;
	struct nic_rule *nics; /* first match wins */
	size_t n_nics;
	char api_group[32];
	char metrics_tcp[64]; /* "127.0.0.1:9470" or "" */
	enum log_level log_level;
	char **warnings; /* for the log: keys that have no effect yet, and the like */
	size_t n_warnings;
	char *text; /* the file's part as it was given */
	size_t text_len;
	struct json_t *state; /* what the API made, see config_state.h; NULL: nothing */
};

#define CONFIG_ERROR_MAX 512
struct config_error {
	unsigned int line, column;      /* 1-based; 0: not from a text */
	char path[192];                 /* "vnets[0].peerings[1].peerAsn" */
	char message[CONFIG_ERROR_MAX]; /* with the remedy; no trailing full stop */
	bool merged; /* the file alone is right; not together with what the API made */
};

/* Reads and checks a text. NULL with *ret_error filled, or a config for config_free(). */
struct config *config_parse(const char *text, size_t len, struct config_error *ret_error);
/*
 * The file's part and what the API made (NULL: nothing; a reference is taken), checked as one. Objects
 * of the latter have from_api set. An error that only both together have has no line.
 */
struct config *config_parse_both(const char *text, size_t len, struct json_t *state,
				 struct config_error *ret_error);
/* The same from a file (bounded size). */
struct config *config_load(const char *path, struct config_error *ret_error);
struct config *config_load_both(const char *path, struct json_t *state,
				struct config_error *ret_error);
/* The file's part as JSON, a new reference; NULL: out of memory. */
struct json_t *config_file_json(const struct config *config);
/* The file, and the state.json of the instance that it names. For the start, and xrsd -t. */
struct config *config_load_all(const char *path, struct config_error *ret_error);
/* Writes what the API made. 0 or negative errno: nothing was written. */
int config_save_state(const char *state_dir, const struct json_t *state);
void config_free(struct config *config);
/* The normal form: every key with its value in force, in schema order; parses back to the same. */
void config_write(const struct config *config, struct json_out *out, const char *key);
const struct vnet_config *config_find_vnet(const struct config *config, const char *name);
/* "FILE:LINE:COLUMN: PATH: MESSAGE" for logs and xrsd -t. */
char *config_error_format(const struct config_error *error, const char *file, char *buf,
			  size_t cap);

/* api.metricsTcp: "127.0.0.1:9470" or "[::1]:9470". 0 or -EINVAL. */
struct config_listen {
	struct ip_addr addr;
	uint16_t port;
};
int config_parse_listen(const char *text, struct config_listen *ret_listen);

/* /run/<instance>/xrs.sock and the other names of this instance. */
struct config_paths {
	char run_dir[64], socket[80], socket_ro[88], state_dir[80], bpffs_dir[80];
};
void config_get_paths(const struct config *config, struct config_paths *ret_paths);

#endif
