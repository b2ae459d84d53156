# dataplane.h -> that of a build which does not exist yet: fields in front of others, a counter before others,
# larger maps. Every struct that a migration carries gets another size.
s/^#define XRS_LAYOUT_VERSION \(.*\)/#define XRS_LAYOUT_VERSION (\1 + 1)/
s/^\(#define XRS_TABLE_MAX *\)1024/\12048/
/^struct xrs_\(route\|group\|nexthop\|bfd\|drain_flow\|nh_stats\|route_stats\) {/a\
	__u64 next_first;
/^struct xrs_\(nic\|host_key\|vni\) {/a\
	__u32 next_first;
s/^#define XRS_REASONS(X) .*/#define XRS_REASONS(X) X(NEXT_FIRST, next_first, "steered") \\/
s/^XRS_ASSERT_SIZE(struct xrs_\(route\|group\|nexthop\|bfd\|drain_flow\|route_stats\), /&8 + /
s/^XRS_ASSERT_SIZE(struct xrs_\(nic\|host_key\|vni\), /&4 + /
