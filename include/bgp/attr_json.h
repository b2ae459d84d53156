/* SPDX-License-Identifier: GPL-2.0-only */
/* Path attributes as JSON, as the API and xrsctl show them. Pure. */
#ifndef XRS_BGP_ATTR_JSON_H
#define XRS_BGP_ATTR_JSON_H

#include "bgp/attr.h"
#include "util/json_out.h"

/* Members nextHop origin asPath med localPref communities largeCommunities of the object at hand. */
void bgp_write_attrs(struct json_out *out, const struct bgp_attrs *attrs);
/* AS_PATH as an array of numbers; a set is an array within it. */
void bgp_write_as_path(struct json_out *out, const char *key, struct bgp_blob path);

#endif
