/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RFC 7606 and RFC 4271 6.3 as a table: one row for each condition, with the outcome, what is said of which
 * attribute, and for a reset the NOTIFICATION to the octet.
 */
#ifndef XRS_BGP_UPDATE_VECTORS_H
#define XRS_BGP_UPDATE_VECTORS_H

#include "bgp/update_decode.h"

/* Parts of a good UPDATE. */
#define ORIGIN   "40 01 {1 00} "
#define PATH     "40 02 {1 02 01 0000fde9} "
#define PATH16   "40 02 {1 02 01 fde9} "
#define NEXT_HOP "40 03 {1 0a000001} "
#define BASE     ORIGIN PATH NEXT_HOP
#define BASE16   ORIGIN PATH16 NEXT_HOP
#define NET      "18 0a0102"
#define NH6      "10 20010db8 00000000 00000000 00000001 "
#define NET6     "20 20010db8 "
#define REACH6   "80 0e {1 0002 01 " NH6 "00 " NET6 "} "
#define UNREACH6 "80 0f {1 0002 01 " NET6 "} "

/* Withdrawn, attributes, NLRI. */
#define UPDATE(withdrawn, attributes, nlri) "{2 " withdrawn "} {2 " attributes "} " nlri
#define WITH(attributes)                    UPDATE("", BASE attributes, NET)
#define WITH16(attributes)                  UPDATE("", BASE16 attributes, NET)

enum session {
	EXTERNAL,
	INTERNAL,
	OLD,       /* external, 2-octet ASNs */
	ADD_PATH,  /* external */
	EXT_HOP,   /* external, RFC 8950 */
	ONLY_IPV4, /* external */
	ONLY_IPV6,
	N_SESSIONS,
};

#define BOTH (BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST))
#define EBGP .local_asn = 65515, .peer_asn = 65001, .ebgp = true, .extended_message = true

static const struct bgp_session_params sessions[N_SESSIONS] = {
	[EXTERNAL] = { EBGP, .as4 = true, .families = BOTH },
	[INTERNAL] = { .local_asn = 65001, .peer_asn = 65001, .as4 = true, .families = BOTH },
	[OLD] = { EBGP, .families = BOTH },
	[ADD_PATH] = { EBGP, .as4 = true, .families = BOTH, .add_path_rx = BOTH },
	[EXT_HOP] = { EBGP, .as4 = true, .families = BOTH,
		      .ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) },
	[ONLY_IPV4] = { EBGP, .as4 = true, .families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) },
	[ONLY_IPV6] = { EBGP, .as4 = true, .families = BGP_FAMILY_BIT(BGP_IPV6_UNICAST) },
};

#define ACCEPT   BGP_ACCEPT
#define DISCARD  BGP_DISCARD_ATTR
#define WITHDRAW BGP_TREAT_AS_WITHDRAW
#define RESET    BGP_RESET

struct vector {
	const char *name;
	enum session session;
	const char *body;
	enum bgp_outcome outcome;
	unsigned int what; /* reset: subcode; else the attribute of the strongest finding */
	const char *data;  /* reset: data of the NOTIFICATION */
};

/* clang-format off */
static const struct vector vectors[] = {
/* Good ones. */
{ "plain", EXTERNAL, WITH(""), ACCEPT, 0, NULL },
{ "plain, internal without LOCAL_PREF", INTERNAL, WITH(""), ACCEPT, 0, NULL },
{ "plain, 2-octet ASNs", OLD, WITH16(""), ACCEPT, 0, NULL },
{ "withdrawal alone", EXTERNAL, UPDATE(NET, "", ""), ACCEPT, 0, NULL },
{ "announcement and withdrawal", EXTERNAL, UPDATE("18 0a0103", BASE, NET), ACCEPT, 0, NULL },
{ "IPv6", EXTERNAL, UPDATE("", REACH6 ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "IPv6 and IPv4", EXTERNAL, UPDATE("", REACH6 BASE, NET), ACCEPT, 0, NULL },
{ "IPv6 withdrawal", EXTERNAL, UPDATE("", UNREACH6, ""), ACCEPT, 0, NULL },
{ "IPv6 both ways", EXTERNAL, UPDATE("", REACH6 UNREACH6 ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "IPv6, global and link-local next hop", EXTERNAL, UPDATE("", ORIGIN PATH
	"80 0e {1 0002 01 {1 20010db8 *11(00) 01 fe80 *13(00) 01} 00 " NET6 "}", ""), ACCEPT, 0, NULL },
{ "IPv6, NEXT_HOP beside it is ignored", EXTERNAL, UPDATE("",
	REACH6 ORIGIN PATH "40 03 {1 00000000} ", ""), ACCEPT, 0, NULL },
{ "IPv4 in MP_REACH_NLRI", EXTERNAL, UPDATE("", ORIGIN PATH
	"80 0e {1 0001 01 {1 0a000001} 00 " NET "}", ""), ACCEPT, 0, NULL },
{ "IPv4 with IPv6 next hop", EXT_HOP, UPDATE("", ORIGIN PATH
	"80 0e {1 0001 01 " NH6 "00 " NET "}", ""), ACCEPT, 0, NULL },
{ "IPv4 with IPv6 next hop of 32 octets", EXT_HOP, UPDATE("", ORIGIN PATH
	"80 0e {1 0001 01 {1 20010db8 *11(00) 01 fe80 *13(00) 01} 00 " NET "}", ""), ACCEPT, 0, NULL },
{ "ADD-PATH", ADD_PATH, UPDATE("", BASE, "00000007" NET), ACCEPT, 0, NULL },
{ "ADD-PATH withdrawal", ADD_PATH, UPDATE("00000007" NET, "", ""), ACCEPT, 0, NULL },
{ "default route", EXTERNAL, UPDATE("", BASE, "00"), ACCEPT, 0, NULL },
{ "host bits set in a prefix", EXTERNAL, UPDATE("", BASE, "17 0a01ff"), ACCEPT, 0, NULL },
{ "same prefix announced and withdrawn", EXTERNAL, UPDATE(NET, BASE, NET), ACCEPT, 0, NULL },
{ "attributes in descending order", EXTERNAL, UPDATE("", NEXT_HOP PATH ORIGIN, NET), ACCEPT, 0, NULL },
{ "long length form for a short attribute", EXTERNAL, UPDATE("",
	"50 01 {2 00} " PATH NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "unused flag bits set", EXTERNAL, UPDATE("", "5f 01 {2 00} " PATH NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "Partial on a well-known attribute", EXTERNAL, UPDATE("",
	"60 01 {1 00} " PATH NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "every optional attribute", INTERNAL, WITH("80 04 {1 00000001} 40 05 {1 00000064} 40 06 {1}"
	"c0 07 {1 0000fde9 0a000001} c0 08 {1 fde90001} 80 09 {1 01020304} 80 0a {1 05060708}"
	"c0 10 {1 0002fde900000001} c0 19 {1 *20(01)} c0 20 {1 *12(02)} c0 23 {1 0000fde9}"), ACCEPT, 0, NULL },
{ "empty UPDATE is End-of-RIB", EXTERNAL, UPDATE("", "", ""), ACCEPT, 0, NULL },
{ "End-of-RIB of IPv6", EXTERNAL, UPDATE("", "80 0f {1 0002 01}", ""), ACCEPT, 0, NULL },
{ "attributes without any prefix", EXTERNAL, UPDATE("", BASE, ""), ACCEPT, 0, NULL },

/* RFC 4271 6.3, RFC 7606 4 and 5.3: lengths of the message. */
{ "no octets at all", EXTERNAL, "", RESET, 1, "" },
{ "one octet", EXTERNAL, "00", RESET, 1, "" },
{ "no attribute length", EXTERNAL, "{2}", RESET, 1, "" },
{ "half an attribute length", EXTERNAL, "{2} 00", RESET, 1, "" },
{ "withdrawn length one too high", EXTERNAL, "{2+1} {2}", RESET, 1, "" },
{ "withdrawn length far too high", EXTERNAL, "{2+65000} {2}", RESET, 1, "" },
{ "attribute length one too high", EXTERNAL, "{2} {2+1 " BASE "}", RESET, 1, "" },
{ "attribute length eats the NLRI and more", EXTERNAL, "{2} {2+5 " BASE "} " NET, RESET, 1, "" },
{ "attribute length too low: NLRI read from attributes", EXTERNAL, "{2} {2-4 " BASE "} " NET,
	WITHDRAW, 3, NULL },
{ "attribute length 0 with NLRI", EXTERNAL, UPDATE("", "", NET), WITHDRAW, 1, NULL },
{ "NLRI prefix of 33 bits", EXTERNAL, UPDATE("", BASE, "21 0a01020304"), RESET, 10, "" },
{ "NLRI prefix of 255 bits", EXTERNAL, UPDATE("", BASE, "ff *32(01)"), RESET, 10, "" },
{ "NLRI prefix beyond the field", EXTERNAL, UPDATE("", BASE, "18 0a01"), RESET, 10, "" },
{ "NLRI length octet alone at the end", EXTERNAL, UPDATE("", BASE, NET "18"), RESET, 10, "" },
{ "withdrawn prefix of 33 bits", EXTERNAL, UPDATE("21 0a01020304", "", ""), RESET, 10, "" },
{ "withdrawn prefix beyond the field", EXTERNAL, UPDATE("18 0a01", "", ""), RESET, 10, "" },
{ "ADD-PATH identifier cut", ADD_PATH, UPDATE("", BASE, "000000"), RESET, 10, "" },
{ "ADD-PATH identifier without a prefix", ADD_PATH, UPDATE("", BASE, "00000001"), RESET, 10, "" },
{ "ADD-PATH prefix without identifier", ADD_PATH, UPDATE("", BASE, "18 0a0102"), RESET, 10, "" },
{ "multicast prefix", EXTERNAL, UPDATE("", BASE, "08 e0"), ACCEPT, 0, NULL },
{ "multicast beside a good prefix", EXTERNAL, UPDATE("", BASE, "20 e0000005" NET), ACCEPT, 0, NULL },
{ "multicast IPv6 prefix", EXTERNAL, UPDATE("", ORIGIN PATH
	"80 0e {1 0002 01 " NH6 "00 10 ff02}", ""), ACCEPT, 0, NULL },

/* RFC 7606 4: the walk over the attributes. */
{ "last attribute overruns", EXTERNAL, WITH("80 04 {1+1 00000001}"), WITHDRAW, 4, NULL },
{ "last attribute overruns by 255", EXTERNAL, WITH("c0 08 {1+251 00000001}"), WITHDRAW, 8, NULL },
{ "long length overruns", EXTERNAL, WITH("d0 08 {2+65000 00000001}"), WITHDRAW, 8, NULL },
{ "one octet left", EXTERNAL, WITH("80"), WITHDRAW, 0, NULL },
{ "two octets left", EXTERNAL, WITH("8004"), WITHDRAW, 4, NULL },
{ "three octets left, long form", EXTERNAL, WITH("9004 00"), WITHDRAW, 4, NULL },
{ "attribute overruns, no NLRI", EXTERNAL, UPDATE("", BASE "80 04 {1+1 00000001}", ""), RESET, 1, "" },
{ "attribute overruns before NLRI of IPv6 was seen", EXTERNAL, UPDATE("", ORIGIN
	"40 02 {1+200 02 01 0000fde9}" REACH6, ""), RESET, 1, "" },
{ "attribute overruns after MP_REACH_NLRI", EXTERNAL, UPDATE("", REACH6 ORIGIN PATH "8004", ""),
	WITHDRAW, 4, NULL },
{ "MP_UNREACH_NLRI and a torn attribute", EXTERNAL, UPDATE("", UNREACH6 "80", ""), RESET, 1, "" },
{ "ORIGIN overruns first of all", EXTERNAL, UPDATE("", "40 01 {1+100 00} " PATH NEXT_HOP, NET),
	WITHDRAW, 1, NULL },

/* RFC 7606 3 c: flags. Each known attribute. */
{ "flags of ORIGIN, optional", EXTERNAL, UPDATE("", "c0 01 {1 00} " PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "flags of ORIGIN, not transitive", EXTERNAL, UPDATE("", "00 01 {1 00} " PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "flags of AS_PATH", EXTERNAL, UPDATE("", ORIGIN "80 02 {1 02 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "flags of NEXT_HOP", EXTERNAL, UPDATE("", ORIGIN PATH "c0 03 {1 0a000001}", NET), WITHDRAW, 3, NULL },
{ "flags of MULTI_EXIT_DISC", EXTERNAL, WITH("c0 04 {1 00000001}"), WITHDRAW, 4, NULL },
{ "flags of MULTI_EXIT_DISC, well-known", EXTERNAL, WITH("40 04 {1 00000001}"), WITHDRAW, 4, NULL },
{ "flags of LOCAL_PREF", INTERNAL, WITH("c0 05 {1 00000064}"), WITHDRAW, 5, NULL },
{ "flags of ATOMIC_AGGREGATE", EXTERNAL, WITH("c0 06 {1}"), WITHDRAW, 6, NULL },
{ "flags of AGGREGATOR", EXTERNAL, WITH("80 07 {1 0000fde9 0a000001}"), WITHDRAW, 7, NULL },
{ "flags of COMMUNITIES", EXTERNAL, WITH("80 08 {1 fde90001}"), WITHDRAW, 8, NULL },
{ "flags of COMMUNITIES, well-known", EXTERNAL, WITH("40 08 {1 fde90001}"), WITHDRAW, 8, NULL },
{ "flags of ORIGINATOR_ID", INTERNAL, WITH("c0 09 {1 01020304}"), WITHDRAW, 9, NULL },
{ "flags of CLUSTER_LIST", INTERNAL, WITH("c0 0a {1 01020304}"), WITHDRAW, 10, NULL },
{ "flags of MP_REACH_NLRI", EXTERNAL, UPDATE("", "c0 0e {1 0002 01 " NH6 "00 " NET6 "} " ORIGIN PATH, ""),
	RESET, 4, "c0 0e {1 0002 01 " NH6 "00 " NET6 "}" },
{ "flags of MP_UNREACH_NLRI", EXTERNAL, UPDATE("", "40 0f {1 0002 01 " NET6 "}", ""),
	RESET, 4, "40 0f {1 0002 01 " NET6 "}" },
{ "flags of EXTENDED COMMUNITIES", EXTERNAL, WITH("80 10 {1 0002fde900000001}"), WITHDRAW, 16, NULL },
{ "flags of AS4_PATH", OLD, WITH16("80 11 {1 02 01 0000fde9}"), WITHDRAW, 17, NULL },
{ "flags of AS4_AGGREGATOR", OLD, WITH16("80 12 {1 0000fde9 0a000001}"), WITHDRAW, 18, NULL },
{ "flags of IPV6 EXTENDED COMMUNITIES", EXTERNAL, WITH("80 19 {1 *20(01)}"), WITHDRAW, 25, NULL },
{ "flags of LARGE_COMMUNITIES", EXTERNAL, WITH("80 20 {1 *12(01)}"), WITHDRAW, 32, NULL },
{ "flags of OTC", EXTERNAL, WITH("80 23 {1 0000fde9}"), WITHDRAW, 35, NULL },
{ "flags wrong and no NLRI", EXTERNAL, UPDATE("", "c0 01 {1 00} " PATH NEXT_HOP, ""), RESET, 4, "c0 01 {1 00}" },

/* RFC 7606 3 g: twice. */
{ "ORIGIN twice", EXTERNAL, WITH("40 01 {1 02}"), DISCARD, 1, NULL },
{ "ORIGIN twice, the second malformed", EXTERNAL, WITH("40 01 {1 0909}"), DISCARD, 1, NULL },
{ "ORIGIN twice, the first malformed", EXTERNAL, UPDATE("", "40 01 {1 09} " BASE, NET), WITHDRAW, 1, NULL },
{ "AS_PATH twice", EXTERNAL, WITH(PATH), DISCARD, 2, NULL },
{ "NEXT_HOP twice", EXTERNAL, WITH("40 03 {1 0a000002}"), DISCARD, 3, NULL },
{ "COMMUNITIES twice", EXTERNAL, WITH("c0 08 {1 fde90001} c0 08 {1 fde90002}"), DISCARD, 8, NULL },
{ "unknown transitive twice", EXTERNAL, WITH("c0 63 {1 01} c0 63 {1 02}"), DISCARD, 99, NULL },
{ "unknown non-transitive twice", EXTERNAL, WITH("80 63 {1 01} 80 63 {1 02}"), DISCARD, 99, NULL },
{ "MP_REACH_NLRI twice", EXTERNAL, UPDATE("", REACH6 REACH6 ORIGIN PATH, ""), RESET, 1, "" },
{ "MP_UNREACH_NLRI twice", EXTERNAL, UPDATE("", UNREACH6 UNREACH6, ""), RESET, 1, "" },
{ "MP_UNREACH_NLRI twice, beside good NLRI", EXTERNAL, UPDATE("", UNREACH6 UNREACH6 BASE, NET), RESET, 1, "" },

/* RFC 7606 3 d: missing. */
{ "no ORIGIN", EXTERNAL, UPDATE("", PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "no AS_PATH", EXTERNAL, UPDATE("", ORIGIN NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "no NEXT_HOP", EXTERNAL, UPDATE("", ORIGIN PATH, NET), WITHDRAW, 3, NULL },
{ "IPv6 without ORIGIN", EXTERNAL, UPDATE("", REACH6 PATH, ""), WITHDRAW, 1, NULL },
{ "IPv6 without AS_PATH", EXTERNAL, UPDATE("", REACH6 ORIGIN, ""), WITHDRAW, 2, NULL },
{ "MP_REACH_NLRI does not stand in for NEXT_HOP", EXTERNAL, UPDATE("", REACH6 ORIGIN PATH, NET), WITHDRAW, 3, NULL },
{ "only an unknown attribute, with NLRI", EXTERNAL, UPDATE("", "c0 63 {1 01}", NET), WITHDRAW, 1, NULL },
{ "only an unknown attribute, no NLRI", EXTERNAL, UPDATE("", "c0 63 {1 01}", ""), ACCEPT, 0, NULL },
{ "MP_UNREACH_NLRI and NLRI without mandatory attributes", EXTERNAL, UPDATE("", UNREACH6, NET), WITHDRAW, 1, NULL },
{ "missing and malformed", EXTERNAL, UPDATE("", "40 01 {1 03} " NEXT_HOP, NET), WITHDRAW, 1, NULL },

/* ORIGIN, RFC 7606 7.1 */
{ "ORIGIN EGP", EXTERNAL, UPDATE("", "40 01 {1 01} " PATH NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "ORIGIN INCOMPLETE", EXTERNAL, UPDATE("", "40 01 {1 02} " PATH NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "ORIGIN 3", EXTERNAL, UPDATE("", "40 01 {1 03} " PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "ORIGIN 255", EXTERNAL, UPDATE("", "40 01 {1 ff} " PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "ORIGIN of 0 octets", EXTERNAL, UPDATE("", "40 01 {1} " PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "ORIGIN of 2 octets", EXTERNAL, UPDATE("", "40 01 {1 0000} " PATH NEXT_HOP, NET), WITHDRAW, 1, NULL },
{ "ORIGIN 3, no NLRI", EXTERNAL, UPDATE("", "40 01 {1 03} " PATH NEXT_HOP, ""), RESET, 6, "40 01 {1 03}" },
{ "ORIGIN of 2 octets, no NLRI", EXTERNAL, UPDATE("", "40 01 {1 0000} " PATH, ""), RESET, 5, "40 01 {1 0000}" },

/* AS_PATH, RFC 7606 7.2 */
{ "AS_PATH empty, internal", INTERNAL, UPDATE("", ORIGIN "40 02 {1} " NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "AS_PATH segment type 0", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 00 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH segment type 5", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 05 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH segment type 255", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 ff 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH segment overruns", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 02 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH segment of 255 overruns", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 ff 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH, one octet left", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 01 0000fde9 02} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH, ASN cut", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 01 0000fd} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH of one octet", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH segment without ASNs", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 00} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH, empty segment after a good one", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 01 0000fde9 02 00} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH, 2-octet ASNs in a 4-octet session", EXTERNAL, UPDATE("", ORIGIN PATH16 NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH, 4-octet ASNs in a 2-octet session", OLD, UPDATE("", ORIGIN PATH NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS 0", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 02 0000fde9 00000000} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS 0, 2-octet", OLD, UPDATE("", ORIGIN "40 02 {1 02 02 fde9 0000} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS_SET", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 01 0000fde9 01 02 00000001 00000002} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS_SET, internal", INTERNAL, UPDATE("", ORIGIN "40 02 {1 01 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS_SET, 2-octet", OLD, UPDATE("", ORIGIN "40 02 {1 02 01 fde9 01 01 0001} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS_CONFED_SEQUENCE", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 03 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS_CONFED_SEQUENCE, internal", INTERNAL, UPDATE("", ORIGIN "40 02 {1 03 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH with AS_CONFED_SET", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 04 01 0000fde9} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH of 255 ASNs", EXTERNAL, UPDATE("", ORIGIN "50 02 {2 02 ff *255(0000fde9)} " NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "AS_PATH of 1000 ASNs in four segments", EXTERNAL, UPDATE("", ORIGIN "50 02 {2 *4(02 fa *250(0000fde9))} " NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "AS_PATH of 3,000 ASNs, 2-octet", OLD, UPDATE("", ORIGIN "50 02 {2 *12(02 fa *250(fde9))} " NEXT_HOP, NET), ACCEPT, 0, NULL },
{ "AS_PATH of 5,000 ASNs, 2-octet: more than is kept", OLD, UPDATE("", ORIGIN "50 02 {2 *20(02 fa *250(fde9))} " NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS_PATH malformed, no NLRI", EXTERNAL, UPDATE("", ORIGIN "40 02 {1 02 00} ", ""), RESET, 11, "" },
{ "AS_PATH malformed, IPv6", EXTERNAL, UPDATE("", REACH6 ORIGIN "40 02 {1 02 00} ", ""), WITHDRAW, 2, NULL },

/* NEXT_HOP, RFC 7606 7.3 */
{ "NEXT_HOP of 0 octets", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP of 3 octets", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 0a0000} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP of 5 octets", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 0a00000101} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP of 16 octets", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 *16(20)} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP 0.0.0.0", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 00000000} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP 0.1.2.3", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 00010203} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP 127.0.0.1", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 7f000001} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP 224.0.0.5", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 e0000005} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP 240.0.0.1", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 f0000001} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP 255.255.255.255", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 ffffffff} ", NET), WITHDRAW, 3, NULL },
{ "NEXT_HOP of 3 octets, no NLRI", EXTERNAL, UPDATE("", ORIGIN PATH "40 03 {1 0a0000} ", ""), RESET, 5, "40 03 {1 0a0000}" },

/* MULTI_EXIT_DISC, LOCAL_PREF, ATOMIC_AGGREGATE: 7.4 to 7.6 */
{ "MULTI_EXIT_DISC of 0 octets", EXTERNAL, WITH("80 04 {1}"), WITHDRAW, 4, NULL },
{ "MULTI_EXIT_DISC of 3 octets", EXTERNAL, WITH("80 04 {1 000001}"), WITHDRAW, 4, NULL },
{ "MULTI_EXIT_DISC of 5 octets", EXTERNAL, WITH("80 04 {1 0000000001}"), WITHDRAW, 4, NULL },
{ "LOCAL_PREF from outside", EXTERNAL, WITH("40 05 {1 00000064}"), DISCARD, 5, NULL },
{ "LOCAL_PREF of 2 octets from outside", EXTERNAL, WITH("40 05 {1 0064}"), DISCARD, 5, NULL },
{ "LOCAL_PREF of 0 octets from inside", INTERNAL, WITH("40 05 {1}"), WITHDRAW, 5, NULL },
{ "LOCAL_PREF of 5 octets from inside", INTERNAL, WITH("40 05 {1 0000000064}"), WITHDRAW, 5, NULL },
{ "ATOMIC_AGGREGATE of 1 octet", EXTERNAL, WITH("40 06 {1 00}"), DISCARD, 6, NULL },
{ "ATOMIC_AGGREGATE of 1 octet, no NLRI", EXTERNAL, UPDATE("", BASE "40 06 {1 00}", ""), DISCARD, 6, NULL },

/* AGGREGATOR, 7.7 */
{ "AGGREGATOR of 0 octets", EXTERNAL, WITH("c0 07 {1}"), DISCARD, 7, NULL },
{ "AGGREGATOR of 6 octets from a 4-octet speaker", EXTERNAL, WITH("c0 07 {1 fde9 0a000001}"), DISCARD, 7, NULL },
{ "AGGREGATOR of 8 octets from a 2-octet speaker", OLD, WITH16("c0 07 {1 0000fde9 0a000001}"), DISCARD, 7, NULL },
{ "AGGREGATOR of 9 octets", EXTERNAL, WITH("c0 07 {1 0000fde9 0a000001 00}"), DISCARD, 7, NULL },
{ "AGGREGATOR with AS 0", EXTERNAL, WITH("c0 07 {1 00000000 0a000001}"), DISCARD, 7, NULL },
{ "AGGREGATOR with AS 0, 2-octet", OLD, WITH16("c0 07 {1 0000 0a000001}"), DISCARD, 7, NULL },
{ "AGGREGATOR of 6 octets, 2-octet", OLD, WITH16("c0 07 {1 fde9 0a000001}"), ACCEPT, 0, NULL },

/* Communities: 7.8, 7.14, RFC 5701, RFC 8092 5 */
{ "COMMUNITIES of 0 octets", EXTERNAL, WITH("c0 08 {1}"), WITHDRAW, 8, NULL },
{ "COMMUNITIES of 3 octets", EXTERNAL, WITH("c0 08 {1 fde900}"), WITHDRAW, 8, NULL },
{ "COMMUNITIES of 5 octets", EXTERNAL, WITH("c0 08 {1 fde9000101}"), WITHDRAW, 8, NULL },
{ "COMMUNITIES with reserved values and repeats", EXTERNAL, WITH("c0 08 {1 00000000 ffffffff ffffffff}"), ACCEPT, 0, NULL },
{ "COMMUNITIES, 100 of them", EXTERNAL, WITH("d0 08 {2 *100(fde90001)}"), ACCEPT, 0, NULL },
{ "EXTENDED COMMUNITIES of 0 octets", EXTERNAL, WITH("c0 10 {1}"), WITHDRAW, 16, NULL },
{ "EXTENDED COMMUNITIES of 7 octets", EXTERNAL, WITH("c0 10 {1 *7(00)}"), WITHDRAW, 16, NULL },
{ "EXTENDED COMMUNITIES of 12 octets", EXTERNAL, WITH("c0 10 {1 *12(00)}"), WITHDRAW, 16, NULL },
{ "EXTENDED COMMUNITIES of unknown type", EXTERNAL, WITH("c0 10 {1 3f3f000000000000}"), ACCEPT, 0, NULL },
{ "IPV6 EXTENDED COMMUNITIES of 0 octets", EXTERNAL, WITH("c0 19 {1}"), WITHDRAW, 25, NULL },
{ "IPV6 EXTENDED COMMUNITIES of 19 octets", EXTERNAL, WITH("c0 19 {1 *19(00)}"), WITHDRAW, 25, NULL },
{ "IPV6 EXTENDED COMMUNITIES of 24 octets", EXTERNAL, WITH("c0 19 {1 *24(00)}"), WITHDRAW, 25, NULL },
{ "LARGE_COMMUNITIES of 0 octets", EXTERNAL, WITH("c0 20 {1}"), WITHDRAW, 32, NULL },
{ "LARGE_COMMUNITIES of 11 octets", EXTERNAL, WITH("c0 20 {1 *11(00)}"), WITHDRAW, 32, NULL },
{ "LARGE_COMMUNITIES of 16 octets", EXTERNAL, WITH("c0 20 {1 *16(00)}"), WITHDRAW, 32, NULL },
{ "LARGE_COMMUNITIES with a reserved ASN and repeats", EXTERNAL, WITH("c0 20 {1 *24(00)}"), ACCEPT, 0, NULL },
{ "COMMUNITIES malformed, no NLRI", EXTERNAL, UPDATE("", BASE "c0 08 {1 fde900}", ""), RESET, 5, "c0 08 {1 fde900}" },

/* Reflection: 7.9, 7.10 */
{ "ORIGINATOR_ID from outside", EXTERNAL, WITH("80 09 {1 01020304}"), DISCARD, 9, NULL },
{ "ORIGINATOR_ID of 3 octets from outside", EXTERNAL, WITH("80 09 {1 010203}"), DISCARD, 9, NULL },
{ "ORIGINATOR_ID of 3 octets", INTERNAL, WITH("80 09 {1 010203}"), WITHDRAW, 9, NULL },
{ "ORIGINATOR_ID of 0 octets", INTERNAL, WITH("80 09 {1}"), WITHDRAW, 9, NULL },
{ "CLUSTER_LIST from outside", EXTERNAL, WITH("80 0a {1 01020304}"), DISCARD, 10, NULL },
{ "CLUSTER_LIST of 0 octets", INTERNAL, WITH("80 0a {1}"), WITHDRAW, 10, NULL },
{ "CLUSTER_LIST of 6 octets", INTERNAL, WITH("80 0a {1 010203040506}"), WITHDRAW, 10, NULL },

/* MP_REACH_NLRI and MP_UNREACH_NLRI: 7.11, 7.12, 5.3, RFC 4760 7 */
{ "MP_REACH_NLRI of 0 octets", EXTERNAL, UPDATE("", "80 0e {1}", ""), RESET, 9, "80 0e {1}" },
{ "MP_REACH_NLRI of 4 octets", EXTERNAL, UPDATE("", "80 0e {1 0002 01 00}", ""), RESET, 9, "80 0e {1 0002 01 00}" },
{ "MP_REACH_NLRI, next hop overruns", EXTERNAL, UPDATE("", "80 0e {1 0002 01 10 20010db8}", ""),
	RESET, 9, "80 0e {1 0002 01 10 20010db8}" },
{ "MP_REACH_NLRI, next hop length 255", EXTERNAL, UPDATE("", "80 0e {1 0002 01 ff 20010db8}", ""),
	RESET, 9, "80 0e {1 0002 01 ff 20010db8}" },
{ "MP_REACH_NLRI, no reserved octet", EXTERNAL, UPDATE("", "80 0e {1 0002 01 " NH6 "}", ""),
	RESET, 9, "80 0e {1 0002 01 " NH6 "}" },
{ "MP_REACH_NLRI, next hop of 0 octets", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1} 00 " NET6 "}", ""),
	RESET, 9, "80 0e {1 0002 01 {1} 00 " NET6 "}" },
{ "MP_REACH_NLRI, IPv6 with next hop of 4 octets", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 0a000001} 00 " NET6 "}", ""),
	RESET, 9, "80 0e {1 0002 01 {1 0a000001} 00 " NET6 "}" },
{ "MP_REACH_NLRI, next hop of 24 octets", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 *24(20)} 00 " NET6 "}", ""),
	RESET, 9, "80 0e {1 0002 01 {1 *24(20)} 00 " NET6 "}" },
{ "MP_REACH_NLRI, IPv4 with IPv6 next hop not agreed", EXTERNAL, UPDATE("", "80 0e {1 0001 01 " NH6 "00 " NET "}", ""),
	RESET, 9, "80 0e {1 0001 01 " NH6 "00 " NET "}" },
{ "MP_REACH_NLRI, prefix of 129 bits", EXTERNAL, UPDATE("", "80 0e {1 0002 01 " NH6 "00 81 *17(20)}", ""),
	RESET, 9, "80 0e {1 0002 01 " NH6 "00 81 *17(20)}" },
{ "MP_REACH_NLRI, IPv4 prefix of 33 bits", EXTERNAL, UPDATE("", "80 0e {1 0001 01 {1 0a000001} 00 21 *5(0a)}", ""),
	RESET, 9, "80 0e {1 0001 01 {1 0a000001} 00 21 *5(0a)}" },
{ "MP_REACH_NLRI, prefix beyond the attribute", EXTERNAL, UPDATE("", "80 0e {1 0002 01 " NH6 "00 20 2001}" BASE, NET),
	RESET, 9, "80 0e {1 0002 01 " NH6 "00 20 2001}" },
{ "MP_REACH_NLRI, next hop ::", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 *16(00)} 00 " NET6 "}" ORIGIN PATH, ""), WITHDRAW, 14, NULL },
{ "MP_REACH_NLRI, next hop ::1", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 *15(00) 01} 00 " NET6 "}" ORIGIN PATH, ""), WITHDRAW, 14, NULL },
{ "MP_REACH_NLRI, next hop ff02::1", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 ff02 *13(00) 01} 00 " NET6 "}" ORIGIN PATH, ""), WITHDRAW, 14, NULL },
{ "MP_REACH_NLRI, next hop 127.0.0.1", EXTERNAL, UPDATE("", "80 0e {1 0001 01 {1 7f000001} 00 " NET "}" ORIGIN PATH, ""), WITHDRAW, 14, NULL },
{ "MP_REACH_NLRI, only a link-local next hop", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 fe80 *13(00) 01} 00 " NET6 "}" ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "MP_REACH_NLRI, :: and a link-local next hop", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 *16(00) fe80 *13(00) 01} 00 " NET6 "}" ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "MP_REACH_NLRI, second next hop not link-local", EXTERNAL, UPDATE("", "80 0e {1 0002 01 {1 *2(20010db8 *11(00) 01)} 00 " NET6 "}" ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "MP_REACH_NLRI without prefixes", EXTERNAL, UPDATE("", "80 0e {1 0002 01 " NH6 "00}", ""), ACCEPT, 0, NULL },
{ "MP_REACH_NLRI without prefixes and a bad ORIGIN", EXTERNAL, UPDATE("", "80 0e {1 0002 01 " NH6 "00} 40 01 {1 03}", ""), RESET, 6, "40 01 {1 03}" },
{ "MP_REACH_NLRI, reserved octet not 0", EXTERNAL, UPDATE("", "80 0e {1 0002 01 " NH6 "05 " NET6 "}" ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "MP_UNREACH_NLRI of 0 octets", EXTERNAL, UPDATE("", "80 0f {1}", ""), RESET, 9, "80 0f {1}" },
{ "MP_UNREACH_NLRI of 2 octets", EXTERNAL, UPDATE("", "80 0f {1 0002}", ""), RESET, 9, "80 0f {1 0002}" },
{ "MP_UNREACH_NLRI, prefix of 129 bits", EXTERNAL, UPDATE("", "80 0f {1 0002 01 81 *17(20)}", ""),
	RESET, 9, "80 0f {1 0002 01 81 *17(20)}" },
{ "MP_UNREACH_NLRI, prefix beyond the attribute", EXTERNAL, UPDATE("", "80 0f {1 0002 01 40 20010db8}", ""),
	RESET, 9, "80 0f {1 0002 01 40 20010db8}" },
{ "MP_UNREACH_NLRI without prefixes, and a bad ORIGIN", EXTERNAL, UPDATE("", "80 0f {1 0002 01} 40 01 {1 03}", ""), RESET, 6, "40 01 {1 03}" },
{ "ADD-PATH, IPv6 prefix without identifier", ADD_PATH, UPDATE("", ORIGIN PATH "80 0e {1 0002 01 " NH6 "00 10 2001}", ""),
	RESET, 9, "80 0e {1 0002 01 " NH6 "00 10 2001}" },
{ "multicast family is not ours", EXTERNAL, UPDATE("", "80 0e {1 0002 02 " NH6 "00 ffffff}" ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "VPN family is not ours", EXTERNAL, UPDATE("", "80 0e {1 0001 80 {1 *12(00)} 00 ffffff}" ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "family not in force, and a bad attribute", EXTERNAL, UPDATE("", "80 0e {1 0001 80 {1 *12(00)} 00 ffffff} 40 01 {1 03}" PATH, ""), WITHDRAW, 1, NULL },
{ "family not in force, next hop overruns", EXTERNAL, UPDATE("", "80 0e {1 0001 80 ff}", ""), RESET, 9, "80 0e {1 0001 80 ff}" },
{ "IPv6 in an IPv4 session", ONLY_IPV4, UPDATE("", REACH6 UNREACH6 ORIGIN PATH, ""), ACCEPT, 0, NULL },
{ "IPv4 in an IPv6 session", ONLY_IPV6, UPDATE(NET, BASE, NET), ACCEPT, 0, NULL },

/* RFC 6793 6, RFC 9774 3, RFC 7607 2 */
{ "AS4_PATH from a 4-octet speaker", EXTERNAL, WITH("c0 11 {1 02 01 0000fde9}"), DISCARD, 17, NULL },
{ "AS4_AGGREGATOR from a 4-octet speaker", EXTERNAL, WITH("c0 12 {1 0000fde9 0a000001}"), DISCARD, 18, NULL },
{ "AS4_PATH of 0 octets", OLD, WITH16("c0 11 {1}"), DISCARD, 17, NULL },
{ "AS4_PATH of 5 octets", OLD, WITH16("c0 11 {1 02 01 0000fd}"), DISCARD, 17, NULL },
{ "AS4_PATH, segment type 0", OLD, WITH16("c0 11 {1 00 01 0000fde9}"), DISCARD, 17, NULL },
{ "AS4_PATH, count 0", OLD, WITH16("c0 11 {1 02 00}"), DISCARD, 17, NULL },
{ "AS4_PATH with AS 0", OLD, WITH16("c0 11 {1 02 01 00000000}"), DISCARD, 17, NULL },
{ "AS4_PATH with AS_CONFED_SEQUENCE", OLD, WITH16("c0 11 {1 03 01 0000fde9}"), DISCARD, 17, NULL },
{ "AS4_PATH with AS_SET", OLD, WITH16("c0 11 {1 01 01 0000fde9}"), WITHDRAW, 17, NULL },
{ "AS4_PATH with AS_SET and malformed", OLD, WITH16("c0 11 {1 01 01 0000fde9 02}"), DISCARD, 17, NULL },
{ "AS4_PATH before AS_PATH", OLD, UPDATE("", "c0 11 {1 02 01 0000fde9}" BASE16, NET), ACCEPT, 0, NULL },
{ "AS4_PATH without AS_PATH", OLD, UPDATE("", "c0 11 {1 02 01 0000fde9}" ORIGIN NEXT_HOP, NET), WITHDRAW, 2, NULL },
{ "AS4_AGGREGATOR of 6 octets", OLD, WITH16("c0 12 {1 fde9 0a000001}"), DISCARD, 18, NULL },
{ "AS4_AGGREGATOR with AS 0", OLD, WITH16("c0 12 {1 00000000 0a000001}"), DISCARD, 18, NULL },
{ "AS4_AGGREGATOR alone", OLD, WITH16("c0 12 {1 0000fde9 0a000001}"), ACCEPT, 0, NULL },

/* RFC 9234 5, and what we do not know: RFC 4271 5, 6.3 */
{ "OTC of 3 octets", EXTERNAL, WITH("c0 23 {1 00fde9}"), WITHDRAW, 35, NULL },
{ "OTC of 0 octets", EXTERNAL, WITH("c0 23 {1}"), WITHDRAW, 35, NULL },
{ "OTC of 1024 octets", EXTERNAL, WITH("d0 23 {2 *1024(00)}"), WITHDRAW, 35, NULL },
{ "unknown transitive", EXTERNAL, WITH("c0 63 {1 01}"), ACCEPT, 0, NULL },
{ "unknown transitive of 0 octets", EXTERNAL, WITH("c0 63 {1}"), ACCEPT, 0, NULL },
{ "unknown non-transitive", EXTERNAL, WITH("80 63 {1 01}"), ACCEPT, 0, NULL },
{ "unknown well-known", EXTERNAL, WITH("40 63 {1 01}"), RESET, 2, "40 63 {1 01}" },
{ "unknown, neither optional nor transitive", EXTERNAL, WITH("00 63 {1 01}"), RESET, 2, "00 63 {1 01}" },
{ "unknown well-known of 300 octets: data cut at 256", EXTERNAL, WITH("50 63 {2 *300(aa)}"), RESET, 2, "50 63 012c *252(aa)" },
{ "attribute code 0, well-known", EXTERNAL, WITH("40 00 {1}"), RESET, 2, "40 00 {1}" },
{ "attribute 28 with content (2 June 2023)", EXTERNAL, WITH("c0 1c {1 00ff}"), ACCEPT, 0, NULL },
{ "attribute 40 of zeros (20 May 2025)", EXTERNAL, WITH("c0 28 {1 *32(00)}"), ACCEPT, 0, NULL },
{ "attribute 23 corrupt", EXTERNAL, WITH("c0 17 {1 ffffffff}"), ACCEPT, 0, NULL },
{ "AIGP", EXTERNAL, WITH("80 1a {1 01}"), ACCEPT, 0, NULL },
{ "Traffic Engineering, of 1 octet", EXTERNAL, WITH("80 18 {1 00}"), ACCEPT, 0, NULL },
{ "BGP-LS, its TLV longer than the attribute", EXTERNAL, WITH("80 1d {1 0100 ffff}"), ACCEPT, 0, NULL },
{ "ATTR_SET of 3 octets", EXTERNAL, WITH("c0 80 {1 00fde9}"), ACCEPT, 0, NULL },
{ "Prefix-SID with an SRv6 TLV cut short", EXTERNAL, WITH("c0 28 {1 05 00ff 00}"), ACCEPT, 0, NULL },
{ "attribute 25 known, 26 and 40 not, in one UPDATE", EXTERNAL,
	WITH("c0 19 {1 0002 *16(20) 0001} 80 1a {1 01} c0 28 {1 *4(00)}"), ACCEPT, 0, NULL },
{ "three unknown codes, up to 255", EXTERNAL, WITH("c0 26 {1 *10(00)} c0 fe {1 *10(00)} c0 ff {1 01}"), ACCEPT, 0, NULL },
{ "unknown transitive of 20,000 octets: more than is kept", EXTERNAL, WITH("d0 63 {2 *20000(aa)}"), WITHDRAW, 0, NULL },

/* RFC 7606 3 h: the strongest wins. */
{ "discard, then withdraw", EXTERNAL, WITH("40 06 {1 00} 80 04 {1 00}"), WITHDRAW, 4, NULL },
{ "withdraw, then discard", EXTERNAL, WITH("80 04 {1 00} 40 05 {1 00000064}"), WITHDRAW, 4, NULL },
{ "withdraw, then reset", EXTERNAL, WITH("80 04 {1 00} 40 63 {1 01}"), RESET, 2, "40 63 {1 01}" },
{ "two withdraws, no NLRI: the first is told", EXTERNAL, UPDATE("", "40 01 {1 03} 80 04 {1 00}", ""), RESET, 6, "40 01 {1 03}" },
};
/* clang-format on */
#define N_VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static const struct bgp_update_limits no_limits;
static uint8_t body[70000];

#endif
