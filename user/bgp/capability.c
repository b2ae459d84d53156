// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities (RFC 5492): one table of code, name, length rule, decoder and encoder. Called by open.c.
 * Must never fail an OPEN for a capability that is merely unknown or odd (RFC 5492 3).
 *
 *	+------+--------+----------
 *	| code | length | value ...		many in one optional parameter
 *	+------+--------+----------
 */
#include <errno.h>
#include <string.h>

#include "bgp/capability.h"

#define AFI_SAFI_F_FORWARDING 0x80   /* RFC 4724 3, RFC 9494 3 */
#define GR_F_RESTARTING       0x8000 /* of the 16 bits: R, N, two reserved, 12 of time */
#define GR_F_NOTIFICATION     0x4000 /* RFC 8538 2 */
#define GR_TIME_MASK          0x0fff
#define LLGR_TIME_MAX         0xffffff

static bool read_family(struct wire_reader *r, enum bgp_family *ret_family)
{
	uint16_t afi = wire_u16(r);
	uint8_t safi = wire_u8(r);

	return bgp_family_from_afi(afi, safi, ret_family);
}

static void put_family(struct wire_writer *w, enum bgp_family family)
{
	wire_put_u16(w, bgp_family_afi(family));
	wire_put_u8(w, BGP_SAFI_UNICAST);
}

/* --- one reader and one writer for each ------------------------------------------------------ */

/* RFC 4760 8: AFI, a reserved octet, SAFI; one capability for each family. */
static void read_multiprotocol(struct wire_reader *r, struct bgp_caps *caps)
{
	uint16_t afi = wire_u16(r);
	enum bgp_family family;

	wire_skip(r, 1);
	caps->multiprotocol = true;
	if (bgp_family_from_afi(afi, wire_u8(r), &family))
		caps->families |= BGP_FAMILY_BIT(family);
}

static void read_route_refresh(struct wire_reader *r, struct bgp_caps *caps)
{
	caps->route_refresh = true;
}

/* RFC 8950 4: NLRI AFI, SAFI in two octets, next hop AFI. Other triples are not for us. */
static void read_ext_next_hop(struct wire_reader *r, struct bgp_caps *caps)
{
	while (wire_left(r)) {
		uint16_t afi = wire_u16(r), safi = wire_u16(r), next_hop = wire_u16(r);

		if (afi == BGP_AFI_IPV4 && safi == BGP_SAFI_UNICAST && next_hop == BGP_AFI_IPV6)
			caps->ext_next_hop |= BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	}
}

static void read_ext_message(struct wire_reader *r, struct bgp_caps *caps)
{
	caps->extended_message = true;
}

static void read_role(struct wire_reader *r, struct bgp_caps *caps)
{
	uint8_t role = wire_u8(r);

	if (caps->has_role && caps->role != role)
		caps->role_conflict = true;
	caps->has_role = true;
	caps->role = role;
}

/* RFC 4724 3: of several instances the last one counts. */
static void read_graceful_restart(struct wire_reader *r, struct bgp_caps *caps)
{
	uint16_t head = wire_u16(r);

	caps->graceful_restart = true;
	caps->gr_restarting = head & GR_F_RESTARTING;
	caps->gr_notification = head & GR_F_NOTIFICATION;
	caps->gr_time = head & GR_TIME_MASK;
	caps->gr_families = caps->gr_forwarding = 0;
	while (wire_left(r)) {
		enum bgp_family family;
		bool ours = read_family(r, &family);
		uint8_t flags = wire_u8(r);

		if (!ours)
			continue;
		caps->gr_families |= BGP_FAMILY_BIT(family);
		if (flags & AFI_SAFI_F_FORWARDING)
			caps->gr_forwarding |= BGP_FAMILY_BIT(family);
	}
}

static void read_as4(struct wire_reader *r, struct bgp_caps *caps)
{
	caps->as4 = true;
	caps->asn = wire_u32(r);
}

/* RFC 7911 4: a value other than receive, send or both is not understood. */
static void read_add_path(struct wire_reader *r, struct bgp_caps *caps)
{
	while (wire_left(r)) {
		enum bgp_family family;
		bool ours = read_family(r, &family);
		uint8_t mode = wire_u8(r);

		if (ours && mode <= (BGP_ADD_PATH_RECEIVE | BGP_ADD_PATH_SEND))
			caps->add_path[family] = mode;
	}
}

static void read_enhanced_refresh(struct wire_reader *r, struct bgp_caps *caps)
{
	caps->enhanced_refresh = true;
}

/* RFC 9494 3.1: family, flags, 24 bits of time; the last instance counts. */
static void read_llgr(struct wire_reader *r, struct bgp_caps *caps)
{
	caps->llgr = true;
	caps->llgr_families = caps->llgr_forwarding = 0;
	while (wire_left(r)) {
		enum bgp_family family;
		bool ours = read_family(r, &family);
		uint32_t tail = wire_u32(r);

		if (!ours)
			continue;
		caps->llgr_families |= BGP_FAMILY_BIT(family);
		caps->llgr_time[family] = tail & LLGR_TIME_MAX;
		if (tail >> 24 & AFI_SAFI_F_FORWARDING)
			caps->llgr_forwarding |= BGP_FAMILY_BIT(family);
	}
}

static bool has_route_refresh(const struct bgp_caps *caps)
{
	return caps->route_refresh;
}

static bool has_ext_next_hop(const struct bgp_caps *caps)
{
	return caps->ext_next_hop & BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
}

static void put_ext_next_hop(const struct bgp_caps *caps, struct wire_writer *w)
{
	wire_put_u16(w, BGP_AFI_IPV4);
	wire_put_u16(w, BGP_SAFI_UNICAST);
	wire_put_u16(w, BGP_AFI_IPV6);
}

static bool has_ext_message(const struct bgp_caps *caps)
{
	return caps->extended_message;
}

static bool has_role(const struct bgp_caps *caps)
{
	return caps->has_role;
}

static void put_role(const struct bgp_caps *caps, struct wire_writer *w)
{
	wire_put_u8(w, caps->role);
}

static bool has_graceful_restart(const struct bgp_caps *caps)
{
	return caps->graceful_restart;
}

static void put_graceful_restart(const struct bgp_caps *caps, struct wire_writer *w)
{
	wire_put_u16(w, (caps->gr_restarting ? GR_F_RESTARTING : 0u) |
				(caps->gr_notification ? GR_F_NOTIFICATION : 0u) |
				(caps->gr_time < GR_TIME_MASK ? caps->gr_time : GR_TIME_MASK));
	for (int f = 0; f < BGP_FAMILY_MAX; f++) {
		if (!(caps->gr_families & BGP_FAMILY_BIT(f)))
			continue;
		put_family(w, (enum bgp_family)f);
		wire_put_u8(w, caps->gr_forwarding & BGP_FAMILY_BIT(f) ? AFI_SAFI_F_FORWARDING : 0);
	}
}

static bool has_as4(const struct bgp_caps *caps)
{
	return caps->as4;
}

static void put_as4(const struct bgp_caps *caps, struct wire_writer *w)
{
	wire_put_u32(w, caps->asn);
}

static bool has_add_path(const struct bgp_caps *caps)
{
	bool any = false;

	for (int f = 0; f < BGP_FAMILY_MAX; f++)
		any = any || caps->add_path[f];
	return any;
}

static void put_add_path(const struct bgp_caps *caps, struct wire_writer *w)
{
	for (int f = 0; f < BGP_FAMILY_MAX; f++) {
		if (!caps->add_path[f])
			continue;
		put_family(w, (enum bgp_family)f);
		wire_put_u8(w, caps->add_path[f]);
	}
}

static bool has_enhanced_refresh(const struct bgp_caps *caps)
{
	return caps->enhanced_refresh;
}

static bool has_llgr(const struct bgp_caps *caps)
{
	return caps->llgr;
}

static void put_llgr(const struct bgp_caps *caps, struct wire_writer *w)
{
	for (int f = 0; f < BGP_FAMILY_MAX; f++) {
		uint32_t time = caps->llgr_time[f];

		if (!(caps->llgr_families & BGP_FAMILY_BIT(f)))
			continue;
		put_family(w, (enum bgp_family)f);
		wire_put_u32(w, (caps->llgr_forwarding & BGP_FAMILY_BIT(f)
					 ? (uint32_t)AFI_SAFI_F_FORWARDING << 24
					 : 0) |
					(time < LLGR_TIME_MAX ? time : LLGR_TIME_MAX));
	}
}

/* --- the table ------------------------------------------------------------------------------- */

struct cap_rule {
	uint8_t code;
	const char *name;
	uint8_t head, each; /* length: head, and then any number of `each` */
	bool vital;         /* decides how UPDATEs are read: a wrong length fails the OPEN */
	void (*read)(struct wire_reader *r, struct bgp_caps *caps);
	bool (*has)(const struct bgp_caps *caps); /* whether to send it */
	void (*put)(const struct bgp_caps *caps, struct wire_writer *w);
};

/* Multiprotocol has one instance for each family and is written by hand. */
static const struct cap_rule rules[] = {
	{ BGP_CAP_MULTIPROTOCOL, "multiprotocol", 4, 0, true, read_multiprotocol, NULL, NULL },
	{ BGP_CAP_ROUTE_REFRESH, "route-refresh", 0, 0, false, read_route_refresh,
	  has_route_refresh, NULL },
	{ BGP_CAP_EXT_NEXT_HOP, "extended-next-hop", 0, 6, false, read_ext_next_hop,
	  has_ext_next_hop, put_ext_next_hop },
	{ BGP_CAP_EXT_MESSAGE, "extended-message", 0, 0, false, read_ext_message, has_ext_message,
	  NULL },
	{ BGP_CAP_ROLE, "role", 1, 0, false, read_role, has_role, put_role },
	{ BGP_CAP_GRACEFUL_RESTART, "graceful-restart", 2, 4, false, read_graceful_restart,
	  has_graceful_restart, put_graceful_restart },
	{ BGP_CAP_AS4, "4-octet-as", 4, 0, true, read_as4, has_as4, put_as4 },
	{ BGP_CAP_ADD_PATH, "add-path", 0, 4, false, read_add_path, has_add_path, put_add_path },
	{ BGP_CAP_ENH_REFRESH, "enhanced-route-refresh", 0, 0, false, read_enhanced_refresh,
	  has_enhanced_refresh, NULL },
	{ BGP_CAP_LLGR, "long-lived-graceful-restart", 0, 7, false, read_llgr, has_llgr, put_llgr },
	/* Names only: what peers are seen to send and we do not take part in. */
	{ 3, "outbound-route-filtering", 0, 0, false, NULL, NULL, NULL },
	{ 7, "bgpsec", 0, 0, false, NULL, NULL, NULL },
	{ 8, "multiple-labels", 0, 0, false, NULL, NULL, NULL },
	{ 67, "dynamic-capability", 0, 0, false, NULL, NULL, NULL },
	{ 73, "fqdn", 0, 0, false, NULL, NULL, NULL },
	{ 75, "software-version", 0, 0, false, NULL, NULL, NULL },
	{ 76, "paths-limit", 0, 0, false, NULL, NULL, NULL },
	{ 128, "route-refresh-cisco", 0, 0, false, NULL, NULL, NULL },
};
#define N_RULES (sizeof(rules) / sizeof(rules[0]))

static const struct cap_rule *rule_of(uint8_t code)
{
	for (size_t i = 0; i < N_RULES; i++) {
		if (rules[i].code == code)
			return &rules[i];
	}
	return NULL;
}

const char *bgp_capability_name(uint8_t code)
{
	const struct cap_rule *rule = rule_of(code);

	return rule ? rule->name : NULL;
}

static void remember_unknown(struct bgp_caps *caps, uint8_t code)
{
	for (unsigned int i = 0; i < caps->n_unknown; i++) {
		if (caps->unknown[i] == code)
			return;
	}
	if (caps->n_unknown < BGP_CAPS_UNKNOWN_MAX)
		caps->unknown[caps->n_unknown++] = code;
}

static bool length_fits(const struct cap_rule *rule, size_t len)
{
	if (len < rule->head || !rule->each)
		return len == rule->head;
	return (len - rule->head) % rule->each == 0;
}

static int decode_one(uint8_t code, struct wire_reader *value, struct bgp_caps *caps)
{
	const struct cap_rule *rule = rule_of(code);
	bool fits = rule && length_fits(rule, wire_left(value));

	if (rule && rule->vital && !fits)
		return -EBADMSG;
	if (fits && rule->read)
		rule->read(value, caps);
	else
		remember_unknown(caps, code);
	return 0;
}

int bgp_caps_decode(struct wire_reader *r, struct bgp_caps *caps)
{
	while (wire_left(r)) {
		uint8_t code = wire_u8(r);
		struct wire_reader value = wire_sub(r, wire_u8(r));

		if (r->failed || decode_one(code, &value, caps) < 0)
			return -EBADMSG;
	}
	return 0;
}

/* RFC 4760 8 */
static void put_multiprotocol(const struct bgp_caps *caps, struct wire_writer *w)
{
	for (int f = 0; caps->multiprotocol && f < BGP_FAMILY_MAX; f++) {
		if (!(caps->families & BGP_FAMILY_BIT(f)))
			continue;
		wire_put_u8(w, BGP_CAP_MULTIPROTOCOL);
		wire_put_u8(w, 4);
		wire_put_u16(w, bgp_family_afi((enum bgp_family)f));
		wire_put_u8(w, 0);
		wire_put_u8(w, BGP_SAFI_UNICAST);
	}
}

void bgp_caps_encode(const struct bgp_caps *caps, struct wire_writer *w)
{
	put_multiprotocol(caps, w);
	for (size_t i = 0; i < N_RULES; i++) {
		const struct cap_rule *rule = &rules[i];
		size_t mark;

		if (!rule->has || !rule->has(caps))
			continue;
		wire_put_u8(w, rule->code);
		mark = wire_mark_u8(w);
		if (rule->put)
			rule->put(caps, w);
		wire_patch_u8(w, mark);
	}
}

/* --- negotiation ----------------------------------------------------------------------------- */

/* RFC 4760 8: who says nothing of families speaks IPv4 unicast. */
static uint32_t families_of(const struct bgp_caps *caps)
{
	return caps->multiprotocol ? caps->families : BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
}

/* RFC 7911 4: paths flow with identifiers where the sender said send and the receiver receive. */
static uint32_t add_path_flow(const struct bgp_caps *from, const struct bgp_caps *to)
{
	uint32_t flow = 0;

	for (int f = 0; f < BGP_FAMILY_MAX; f++) {
		if ((from->add_path[f] & BGP_ADD_PATH_SEND) &&
		    (to->add_path[f] & BGP_ADD_PATH_RECEIVE))
			flow |= BGP_FAMILY_BIT(f);
	}
	return flow;
}

void bgp_caps_negotiate(const struct bgp_caps *sent, const struct bgp_caps *received,
			struct bgp_session_params *params)
{
	params->families = families_of(sent) & families_of(received);
	params->as4 = sent->as4 && received->as4;
	params->extended_message = sent->extended_message && received->extended_message;
	params->route_refresh = sent->route_refresh && received->route_refresh;
	params->enhanced_refresh = sent->enhanced_refresh && received->enhanced_refresh;
	params->ext_next_hop = sent->ext_next_hop & received->ext_next_hop & params->families;
	params->add_path_rx = add_path_flow(received, sent) & params->families;
	params->add_path_tx = add_path_flow(sent, received) & params->families;
	params->peer_gr = sent->graceful_restart && received->graceful_restart;
	params->notification_gr =
		params->peer_gr && sent->gr_notification && received->gr_notification;
	params->llgr = params->peer_gr && sent->llgr && received->llgr;
	params->peer_llgr = received->llgr;
	params->role = sent->has_role && received->has_role;
}

uint32_t bgp_caps_missed(const struct bgp_caps *ours, const struct bgp_session_params *params,
			 uint32_t needed, struct bgp_caps *missed)
{
	const struct {
		uint32_t need;
		bool in_force;
	} rows[] = {
		{ BGP_NEED_AS4, params->as4 },
		{ BGP_NEED_ROUTE_REFRESH, params->route_refresh },
		{ BGP_NEED_ENH_REFRESH, params->enhanced_refresh },
		{ BGP_NEED_EXT_MESSAGE, params->extended_message },
		{ BGP_NEED_EXT_NEXT_HOP, params->ext_next_hop },
		{ BGP_NEED_GRACEFUL_RESTART, params->peer_gr },
	};
	uint32_t missing = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		missing |= rows[i].in_force ? 0 : rows[i].need & needed;
	missed->as4 |= missing & BGP_NEED_AS4;
	missed->asn = ours->asn;
	missed->route_refresh |= !!(missing & BGP_NEED_ROUTE_REFRESH);
	missed->enhanced_refresh |= !!(missing & BGP_NEED_ENH_REFRESH);
	missed->extended_message |= !!(missing & BGP_NEED_EXT_MESSAGE);
	if (missing & BGP_NEED_EXT_NEXT_HOP)
		missed->ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	if (missing & BGP_NEED_GRACEFUL_RESTART) {
		missed->graceful_restart = true;
		missed->gr_families = ours->gr_families;
		missed->gr_time = ours->gr_time;
	}
	return missing;
}
