// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which XDP program is on a device, asked of the kernel for that device alone. bpf_xdp_query() of libbpf before
 * 1.2 has all devices listed to find one: on a host with thousands that costs more than attaching.
 *
 * Called by loader_attach.c, on whatever thread that is on.
 */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "loader_impl.h"

#define ANSWER_MAX 32768 /* one link, with all of its statistics and addresses */

struct xdp_state {
	uint8_t attached;      /* XDP_ATTACHED_* */
	uint32_t prog, native; /* ids; 0: none */
	uint32_t generic;
};

static int on_xdp(const struct nlattr *attr, void *data)
{
	struct xdp_state *state = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_ATTACHED:
		state->attached = mnl_attr_get_u8(attr);
		break;
	case IFLA_XDP_PROG_ID:
		state->prog = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP_DRV_PROG_ID:
		state->native = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP_SKB_PROG_ID:
		state->generic = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int on_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) != IFLA_XDP)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, on_xdp, data);
}

static int on_link(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_ERROR;
	return mnl_attr_parse(header, sizeof(struct ifinfomsg), on_attr, data) == MNL_CB_ERROR
		       ? MNL_CB_ERROR
		       : MNL_CB_STOP;
}

static bool ask(struct mnl_socket *sock, uint32_t ifindex, struct xdp_state *ret_state)
{
	union {
		struct nlmsghdr align;
		uint8_t octets[ANSWER_MAX];
	} buf;
	struct nlmsghdr *header = mnl_nlmsg_put_header(&buf);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
	ssize_t n;

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = 1;
	link->ifi_index = (int)ifindex;
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, header, header->nlmsg_len) < 0)
		return false;
	n = mnl_socket_recvfrom(sock, &buf, sizeof(buf));
	return n > 0 && mnl_cb_run(&buf, (size_t)n, 1, mnl_socket_get_portid(sock), on_link,
				   ret_state) == MNL_CB_STOP;
}

enum loader_mode loader_xdp_query(uint32_t ifindex, uint32_t *ret_prog_id)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct xdp_state state = { 0 };
	bool answered = sock && ask(sock, ifindex, &state);

	if (sock)
		mnl_socket_close(sock);
	*ret_prog_id = 0;
	if (!answered)
		return LOADER_AUTO;
	*ret_prog_id = state.native ? state.native : state.generic ? state.generic : state.prog;
	if (state.attached == XDP_ATTACHED_DRV)
		return LOADER_NATIVE;
	return state.attached == XDP_ATTACHED_SKB ? LOADER_GENERIC : LOADER_AUTO;
}
