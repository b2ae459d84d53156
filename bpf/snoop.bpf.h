/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DHCP snooping: hands the messages of DHCP (RFC 2131) and DHCPv6 (RFC 8415) of one nic to xrsd, which learns
 * from them what the VM's addresses are.
 *
 * Used by xrs_snoop_in and xrs_snoop_out, which are on a nic only while antiSpoof is to learn from DHCP. They
 * change no frame and decide nothing. Broadcasts of a server come out of every port of a bridge: here they
 * are told only where the VM asked (its transaction id), or is known by its MAC. What a server says counts
 * only when it did not come from another VM.
 */
#ifndef XRS_SNOOP_BPF_H
#define XRS_SNOOP_BPF_H

#include "admit.bpf.h"
#include "lookup.bpf.h"
#include "maps.bpf.h"

#define XRS_SNOOP_GAP_NS   20000000ull /* between two records of a nic, on average */
#define XRS_SNOOP_BURST_NS 1000000000ull

/* A BOOTP header up to the client's hardware address (RFC 951, RFC 2131 figure 1). */
#define XRS_BOOTP_LEN     34
#define XRS_BOOTP_XID     4
#define XRS_BOOTP_CHADDR  28
#define XRS_BOOTP_REQUEST 1
#define XRS_BOOTP_REPLY   2

/* Where the IP header is, behind as many tags as xrs_parse_ether() takes, and what kind it is of. */
XRS_INLINE __u32 xrs_snoop_l3(struct __sk_buff *skb, __u16 *ret_type)
{
	__u32 off = ETH_HLEN, tags = !!skb->vlan_present; /* one is beside the frame, not in it */
	__u16 type = (__u16)skb->protocol;

	for (; tags < XRS_VLAN_DEPTH && xrs_is_vlan(XRS_NET16(type)); tags++) {
		if (bpf_skb_load_bytes(skb, off + 2, &type, sizeof(type)))
			return 0;
		off += XRS_VLAN_LEN;
	}
	*ret_type = type;
	return off;
}

/* Where the message begins that UDP carries from port @from to @to; 0: there is none. */
XRS_INLINE __u32 xrs_dhcp4_off(struct __sk_buff *skb, __u32 l3, __u16 from, __u16 to)
{
	__u8 head[XRS_IPV4_LEN + XRS_UDP_LEN];
	const __u8 *udp = head + XRS_IPV4_LEN;

	if (bpf_skb_load_bytes(skb, l3, head, sizeof(head)) || head[0] != 0x45 ||
	    head[9] != XRS_PROTO_UDP || XRS_LOAD(__u16, head + 6) & XRS_NET16(0x3fff))
		return 0;
	if (XRS_LOAD(__u16, udp) != XRS_NET16(from) || XRS_LOAD(__u16, udp + 2) != XRS_NET16(to))
		return 0;
	return l3 + sizeof(head);
}

XRS_INLINE __u32 xrs_dhcp6_off(struct __sk_buff *skb, __u32 l3, __u16 from, __u16 to)
{
	__u8 head[XRS_IPV6_LEN + XRS_UDP_LEN];
	const __u8 *udp = head + XRS_IPV6_LEN;

	if (bpf_skb_load_bytes(skb, l3, head, sizeof(head)) || head[6] != XRS_PROTO_UDP)
		return 0;
	if (XRS_LOAD(__u16, udp) != XRS_NET16(from) || XRS_LOAD(__u16, udp + 2) != XRS_NET16(to))
		return 0;
	return l3 + sizeof(head);
}

/* A nic may say so much, and no more: the ring is everybody's. */
XRS_INLINE bool xrs_snoop_is_due(struct xrs_snoop_nic *seen)
{
	__u64 now = bpf_ktime_get_ns();

	if (seen->due_ns > now + XRS_SNOOP_BURST_NS)
		return false;
	seen->due_ns = (seen->due_ns > now ? seen->due_ns : now) + XRS_SNOOP_GAP_NS;
	return true;
}

/* The frame without its tags: addresses, and all from the type of what is at @l3. */
XRS_INLINE bool xrs_snoop_copy(struct __sk_buff *skb, __u32 l3, __u8 *to, __u32 len)
{
	const __u32 macs = 2 * ETH_ALEN;

	len -= macs;
	asm volatile("" : "+r"(len));
	return len && len <= XRS_SNOOP_DATA - macs && !bpf_skb_load_bytes(skb, 0, to, macs) &&
	       !bpf_skb_load_bytes(skb, l3 - 2, to + macs, len);
}

XRS_INLINE void xrs_snoop_tell(struct __sk_buff *skb, __u32 l3, struct xrs_snoop_nic *seen,
			       bool to_vm)
{
	struct xrs_snoop_record *record;
	__u32 len = skb->len - (l3 - ETH_HLEN);

	if (!xrs_snoop_is_due(seen))
		return;
	if (len > XRS_SNOOP_DATA)
		len = XRS_SNOOP_DATA;
	record = bpf_ringbuf_reserve(&xrs_snoop, sizeof(*record), 0);
	if (!record)
		return;
	record->ifindex = skb->ifindex;
	record->from = skb->ingress_ifindex;
	record->to_vm = to_vm;
	record->len = len;
	if (xrs_snoop_copy(skb, l3, record->frame, len))
		bpf_ringbuf_submit(record, 0);
	else
		bpf_ringbuf_discard(record, 0);
}

/* A message in which the VM speaks of itself: the transaction that an answer has to belong to. */
XRS_INLINE bool xrs_snoop_request4(struct __sk_buff *skb, __u32 off, struct xrs_snoop_nic *seen)
{
	__u8 boot[XRS_BOOTP_LEN], smac[ETH_ALEN];

	if (bpf_skb_load_bytes(skb, off, boot, sizeof(boot)) ||
	    bpf_skb_load_bytes(skb, ETH_ALEN, smac, sizeof(smac)) || boot[0] != XRS_BOOTP_REQUEST ||
	    !xrs_mac_equal(smac, boot + XRS_BOOTP_CHADDR))
		return false;
	seen->xid = XRS_SNOOP_ASKED | XRS_LOAD(__u32, boot + XRS_BOOTP_XID);
	return true;
}

/* Type and transaction id of a DHCPv6 message, one word (RFC 8415 section 8). */
XRS_INLINE __u64 xrs_snoop_xid6(struct __sk_buff *skb, __u32 off)
{
	__u8 head[4];

	if (bpf_skb_load_bytes(skb, off, head, sizeof(head)))
		return 0;
	head[0] = 0;
	return XRS_SNOOP_ASKED | XRS_LOAD(__u32, head);
}

/* From the VM. */
XRS_INLINE void xrs_snoop_vm(struct __sk_buff *skb, struct xrs_snoop_nic *seen)
{
	__u16 type = 0;
	__u32 off = 0, l3 = xrs_snoop_l3(skb, &type);

	if (type == XRS_NET16(ETH_P_IP)) {
		off = xrs_dhcp4_off(skb, l3, XRS_DHCP_CLIENT, XRS_DHCP_SERVER);
		if (off && !xrs_snoop_request4(skb, off, seen))
			return;
	} else if (type == XRS_NET16(ETH_P_IPV6)) {
		off = xrs_dhcp6_off(skb, l3, XRS_DHCP6_CLIENT, XRS_DHCP6_SERVER);
		if (off)
			seen->xid6 = xrs_snoop_xid6(skb, off);
	}
	if (off)
		xrs_snoop_tell(skb, l3, seen, false);
}

/* The frame was switched here from another VM. What the host has routed, xrsd judges: node_learn.c. */
XRS_INLINE bool xrs_snoop_is_foul(const struct __sk_buff *skb)
{
	const struct xrs_nic *from = xrs_find_nic(skb->ingress_ifindex);

	return from && from->role == XRS_NIC_VM;
}

XRS_INLINE bool xrs_snoop_answers4(struct __sk_buff *skb, __u32 off, const struct xrs_nic *nic,
				   const struct xrs_snoop_nic *seen)
{
	__u8 boot[XRS_BOOTP_LEN];

	if (bpf_skb_load_bytes(skb, off, boot, sizeof(boot)) || boot[0] != XRS_BOOTP_REPLY)
		return false;
	return seen->xid == (XRS_SNOOP_ASKED | XRS_LOAD(__u32, boot + XRS_BOOTP_XID)) ||
	       xrs_mac_equal(boot + XRS_BOOTP_CHADDR, nic->mac);
}

/* To the VM. */
XRS_INLINE void xrs_snoop_server(struct __sk_buff *skb, const struct xrs_nic *nic,
				 struct xrs_snoop_nic *seen)
{
	__u16 type = 0;
	__u32 off, l3 = xrs_snoop_l3(skb, &type);
	bool wanted = false;

	if (type == XRS_NET16(ETH_P_IP)) {
		off = xrs_dhcp4_off(skb, l3, XRS_DHCP_SERVER, XRS_DHCP_CLIENT);
		wanted = off && xrs_snoop_answers4(skb, off, nic, seen);
	} else if (type == XRS_NET16(ETH_P_IPV6)) {
		off = xrs_dhcp6_off(skb, l3, XRS_DHCP6_SERVER, XRS_DHCP6_CLIENT);
		wanted = off && seen->xid6 && seen->xid6 == xrs_snoop_xid6(skb, off);
	}
	if (wanted && !xrs_snoop_is_foul(skb))
		xrs_snoop_tell(skb, l3, seen, true);
}

#endif
