// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions and the few writes of user/net: a route, a neighbour to be kept alive, XDP features, GRO.
 *
 * Neighbours: NTF_EXT_MANAGED makes the kernel resolve an entry and probe it again before it goes stale
 * (net/core/neighbour.c, neigh_managed_work). Kernels before 5.16 skip the attribute without an error, so
 * the entry is read back to learn which it is. An update with NTF_USE or NTF_EXT_MANAGED takes
 * NUD_PERMANENT off an entry, so the administrator's own ones are never touched.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/nl_parse.h"
#include "net/nl_request.h"
#include "net/nlsock.h"

struct nl_request {
	struct nlsock *route;
	struct nlsock *genl;
	uint16_t netdev_family; /* 0: the kernel has none */
};

int nl_request_new(struct nl_request **ret_request)
{
	struct nl_request *request = calloc(1, sizeof(*request));
	struct nl_family family = { 0 };
	int r;

	if (!request)
		return -ENOMEM;
	r = nlsock_open(NETLINK_ROUTE, &request->route);
	if (!r)
		r = nlsock_open(NETLINK_GENERIC, &request->genl);
	if (!r)
		r = nlsock_family(request->genl, "netdev", "mgmt", &family);
	if (r && r != -ENOENT) {
		nl_request_free(request);
		return r;
	}
	request->netdev_family = family.id;
	*ret_request = request;
	return 0;
}

void nl_request_free(struct nl_request *request)
{
	if (!request)
		return;
	nlsock_close(request->route);
	nlsock_close(request->genl);
	free(request);
}

static uint8_t af_of(const struct ip_addr *addr)
{
	return addr->family == IP_V4 ? AF_INET : AF_INET6;
}

static void put_ip(struct nlmsghdr *nlh, uint16_t attr, const struct ip_addr *addr)
{
	mnl_attr_put(nlh, attr, ip_bytes(addr->family), addr->bytes);
}

/* --- routes ------------------------------------------------------------------------------------------- */
/* What the lookup itself answers; everything else is a failure of asking. */
static bool is_route_error(int r)
{
	static const int errors[] = { ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL,       ENODEV,
				      ESRCH,       ENETDOWN,     EAGAIN, EADDRNOTAVAIL };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (r == -errors[i])
			return true;
	}
	return false;
}

static int take_route(void *ctx, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == RTM_NEWROUTE ? nl_parse_route(nlh, ctx) : 0;
}

int nl_route_lookup(struct nl_request *request, const struct nl_route_query *query,
		    struct net_route *ret)
{
	struct nlmsghdr *nlh = nlsock_begin(request->route, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	int r;

	memset(ret, 0, sizeof(*ret));
	rtm->rtm_family = af_of(&query->dst);
	rtm->rtm_dst_len = (uint8_t)ip_bits(query->dst.family);
	rtm->rtm_flags = query->must_match ? RTM_F_FIB_MATCH : 0;
	put_ip(nlh, RTA_DST, &query->dst);
	if (query->src.family != IP_NONE) {
		rtm->rtm_src_len = (uint8_t)ip_bits(query->src.family);
		put_ip(nlh, RTA_SRC, &query->src);
	}
	if (query->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, query->oif);
	if (query->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, query->mark);
	r = nlsock_ask(request->route, nlh, take_route, ret);
	if (!r && !ret->type)
		r = -EBADMSG;
	if (r)
		ret->error = r;
	return is_route_error(r) ? 0 : r;
}

/* --- neighbours --------------------------------------------------------------------------------------- */
static const char *const method_names[] = {
	[NL_NEIGH_NONE] = "none",
	[NL_NEIGH_MANAGED] = "managed",
	[NL_NEIGH_PROBED] = "probed",
	[NL_NEIGH_STATIC] = "static",
};

const char *nl_neigh_method_name(enum nl_neigh_method method)
{
	return method < sizeof(method_names) / sizeof(method_names[0]) ? method_names[method]
								       : "unknown";
}

static struct nlmsghdr *begin_neigh(struct nl_request *request, uint16_t type, uint16_t flags,
				    uint8_t ntf, uint32_t ifindex, const struct ip_addr *addr)
{
	struct nlmsghdr *nlh = nlsock_begin(request->route, type, flags);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = af_of(addr);
	ndm->ndm_ifindex = (int)ifindex;
	ndm->ndm_flags = ntf;
	put_ip(nlh, NDA_DST, addr);
	return nlh;
}

static int take_neigh(void *ctx, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == RTM_NEWNEIGH ? nl_parse_neigh(nlh, ctx) : 0;
}

/* -ENOENT: the kernel has no such entry. */
static int get_neigh(struct nl_request *request, uint32_t ifindex, const struct ip_addr *addr,
		     struct net_neigh *ret)
{
	memset(ret, 0, sizeof(*ret));
	return nlsock_ask(request->route, begin_neigh(request, RTM_GETNEIGH, 0, 0, ifindex, addr),
			  take_neigh, ret);
}

int nl_neigh_manage(struct nl_request *request, uint32_t ifindex, const struct ip_addr *addr,
		    enum nl_neigh_method *ret_method)
{
	struct net_neigh neigh;
	struct nlmsghdr *nlh;
	int r = get_neigh(request, ifindex, addr, &neigh);

	if (r && r != -ENOENT)
		return r;
	if (!r && neigh.nud & NUD_PERMANENT) {
		*ret_method = NL_NEIGH_STATIC;
		return 0;
	}
	nlh = begin_neigh(request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, NTF_USE, ifindex,
			  addr);
	mnl_attr_put_u32(nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	r = nlsock_ask(request->route, nlh, NULL, NULL);
	if (!r)
		r = get_neigh(request, ifindex, addr, &neigh);
	if (r && r != -ENOENT)
		return r;
	*ret_method = neigh.managed ? NL_NEIGH_MANAGED : NL_NEIGH_PROBED;
	return 0;
}

int nl_neigh_release(struct nl_request *request, uint32_t ifindex, const struct ip_addr *addr)
{
	struct net_neigh neigh;
	int r = get_neigh(request, ifindex, addr, &neigh);

	if (r == -ENOENT || r == -ENODEV || (!r && !neigh.managed))
		return 0;
	if (r)
		return r;
	r = nlsock_ask(request->route,
		       begin_neigh(request, RTM_NEWNEIGH, NLM_F_REPLACE, NTF_USE, ifindex, addr),
		       NULL, NULL);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

/* --- devices -------------------------------------------------------------------------------------------- */
static int take_features(void *ctx, const struct nlmsghdr *nlh)
{
	uint32_t ifindex;

	return nl_parse_xdp_features(nlh, &ifindex, ctx);
}

int nl_xdp_features(struct nl_request *request, uint32_t ifindex, uint64_t *ret_features)
{
	uint64_t features = 0;
	int r;

	if (!request->netdev_family)
		return -EOPNOTSUPP;
	r = nlsock_ask_features(request->genl, request->netdev_family, ifindex, take_features,
				&features);
	if (!r)
		*ret_features = features;
	return r;
}

int net_set_gro(const char *ifname, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = on };
	struct ifreq ifr = { .ifr_data = (char *)&value };
	int fd, r;

	if (strlen(ifname) >= sizeof(ifr.ifr_name))
		return -EINVAL;
	strcpy(ifr.ifr_name, ifname);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
	close(fd);
	return r;
}
