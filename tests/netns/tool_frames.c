// SPDX-License-Identifier: GPL-2.0-only
/*
 * One end of a wire, for tests/netns: sends made frames and says of each that arrives what is in it,
 * with every checksum computed afresh. Shares no code with bpf/.
 *
 *   tool_frames pkt IFNAME IN OUT    a packet socket on an interface that is there
 *   tool_frames tap IFNAME IN OUT    makes a tap, as a hypervisor does, and holds it open
 *
 * IN is a FIFO with one command a line, OUT a file that lines are appended to:
 *
 *   send KEY=VALUE...   dmac smac src dst [vlan ttl proto sport dport len id count step badsum]
 *                       count frames; id rises by one with each, sport by step (0)
 *   sync WORD           "sync WORD" goes to OUT once all before it is sent
 *   quit
 *
 * OUT, for each frame of ours: id=7 smac=.. dmac=.. vlan=0 src=.. dst=.. ttl=63 proto=17 sport=..
 * dport=.. len=100 ipsum=ok l4sum=ok payload=ok; for ICMP errors: icmp type=11 code=0 src=.. sum=ok.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/prefix.h"
#include "util/wire.h"

#define FRAME_MAX   9216
#define MAGIC       0x78667231u /* what frames of ours carry, then their id */
#define PROTO_ICMP  1
#define PROTO_TCP   6
#define PROTO_UDP   17
#define PROTO_ICMP6 58
#define IPV4_LEN    20
#define IPV6_LEN    40

struct tool {
	int fd;
	bool tap, quit;
	FILE *out;
};

/* --- checksums (RFC 1071) ---------------------------------------------------------------------- */

static uint32_t sum_octets(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of an L4 segment below its pseudo-header (RFC 9293 3.1, RFC 8200 8.1); 0xffff: it is right. */
static uint16_t sum_l4(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
		       const uint8_t *l4, size_t len)
{
	uint32_t sum = proto + (uint32_t)len;

	sum = sum_octets(src->bytes, ip_bytes(src->family), sum);
	sum = sum_octets(dst->bytes, ip_bytes(dst->family), sum);
	return fold(sum_octets(l4, len, sum));
}

/* --- making ------------------------------------------------------------------------------------ */

struct spec {
	uint8_t dmac[ETH_ALEN], smac[ETH_ALEN];
	struct ip_addr src, dst;
	unsigned int vlan, ttl, proto, sport, dport, len, id, count, step, badsum;
};

static bool parse_mac(const char *text, uint8_t mac[ETH_ALEN])
{
	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5]) == 6;
}

static bool parse_number(struct spec *spec, const char *key, const char *value)
{
	const struct {
		const char *key;
		unsigned int *number;
	} keys[] = {
		{ "vlan", &spec->vlan },     { "ttl", &spec->ttl },     { "proto", &spec->proto },
		{ "sport", &spec->sport },   { "dport", &spec->dport }, { "len", &spec->len },
		{ "id", &spec->id },         { "count", &spec->count }, { "step", &spec->step },
		{ "badsum", &spec->badsum },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(key, keys[i].key))
			return sscanf(value, "%u", keys[i].number) == 1;
	}
	return false;
}

static bool parse_word(struct spec *spec, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = 0;
	if (!strcmp(word, "dmac"))
		return parse_mac(value, spec->dmac);
	if (!strcmp(word, "smac"))
		return parse_mac(value, spec->smac);
	if (!strcmp(word, "src"))
		return ip_parse(value, &spec->src) == 0;
	if (!strcmp(word, "dst"))
		return ip_parse(value, &spec->dst) == 0;
	return parse_number(spec, word, value);
}

static bool parse_spec(char *words, struct spec *ret)
{
	char *save = NULL;

	*ret = (struct spec){
		.ttl = 64, .proto = PROTO_UDP, .sport = 5000, .dport = 53000, .len = 64, .count = 1
	};
	for (char *w = strtok_r(words, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (!parse_word(ret, w)) {
			fprintf(stderr, "can not read '%s'\n", w);
			return false;
		}
	}
	return ret->src.family != IP_NONE && ret->src.family == ret->dst.family && ret->len >= 8 &&
	       ret->len < 9000;
}

static void put_ethernet(struct wire_writer *w, const struct spec *spec)
{
	wire_put_bytes(w, spec->dmac, ETH_ALEN);
	wire_put_bytes(w, spec->smac, ETH_ALEN);
	if (spec->vlan) {
		wire_put_u16(w, ETHERTYPE_VLAN);
		wire_put_u16(w, spec->vlan);
	}
	wire_put_u16(w, spec->src.family == IP_V4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

static void put_ip(struct wire_writer *w, const struct spec *spec, size_t l4_len)
{
	size_t start = w->pos;

	if (spec->src.family == IP_V6) {
		wire_put_u32(w, 0x60000000);
		wire_put_u16(w, l4_len);
		wire_put_u8(w, spec->proto);
		wire_put_u8(w, spec->ttl);
		wire_put_bytes(w, spec->src.bytes, 16);
		wire_put_bytes(w, spec->dst.bytes, 16);
		return;
	}
	wire_put_u16(w, 0x4500);
	wire_put_u16(w, IPV4_LEN + l4_len);
	wire_put_u16(w, spec->id & 0xffff);
	wire_put_u16(w, 0x4000); /* DF */
	wire_put_u8(w, spec->ttl);
	wire_put_u8(w, spec->proto);
	wire_put_u16(w, 0);
	wire_put_bytes(w, spec->src.bytes, 4);
	wire_put_bytes(w, spec->dst.bytes, 4);
	wire_set_u16(w, start + 10, fold(sum_octets(w->base + start, IPV4_LEN, 0)) ^ 0xffff);
}

static uint8_t pattern(uint32_t id, size_t at)
{
	return (uint8_t)(id * 31 + at * 7);
}

static void put_l4(struct wire_writer *w, const struct spec *spec)
{
	size_t start = w->pos, sum_at = start + (spec->proto == PROTO_TCP ? 16 : 6);
	uint16_t sum;

	wire_put_u16(w, spec->sport);
	wire_put_u16(w, spec->dport);
	if (spec->proto == PROTO_TCP) {
		wire_put_u32(w, 1);
		wire_put_u32(w, 1);
		wire_put_u16(w, 0x5010); /* five words, ACK */
		wire_put_u16(w, 1024);
		wire_put_u32(w, 0);
	} else {
		wire_put_u16(w, 8 + spec->len);
		wire_put_u16(w, 0);
	}
	wire_put_u32(w, MAGIC);
	wire_put_u32(w, spec->id);
	for (size_t i = 8; i < spec->len; i++)
		wire_put_u8(w, pattern(spec->id, i));
	sum = sum_l4(&spec->src, &spec->dst, spec->proto, w->base + start, w->pos - start) ^ 0xffff;
	wire_set_u16(w, sum_at, (sum ? sum : 0xffff) ^ (spec->badsum ? 0x5555 : 0));
}

static void send_one(struct tool *tool, const struct spec *spec)
{
	uint8_t frame[FRAME_MAX];
	struct wire_writer w;
	ssize_t n;

	wire_write_init(&w, frame, sizeof(frame));
	put_ethernet(&w, spec);
	put_ip(&w, spec, spec->len + (spec->proto == PROTO_TCP ? 20 : 8));
	put_l4(&w, spec);
	do {
		struct pollfd room = { .fd = tool->fd, .events = POLLOUT };

		n = w.failed ? 0 : write(tool->fd, frame, w.pos);
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			poll(&room, 1, 10);
		else if (n != (ssize_t)w.pos)
			fprintf(stderr, "frame %u not sent: %s\n", spec->id, strerror(errno));
	} while (n < 0 && (errno == EAGAIN || errno == ENOBUFS));
}

/* --- reading ----------------------------------------------------------------------------------- */

struct seen {
	uint8_t dmac[ETH_ALEN], smac[ETH_ALEN];
	unsigned int vlan; /* 0: untagged */
	bool partial;      /* the kernel has not filled in the L4 checksum */
	struct ip_addr src, dst;
	uint8_t ttl, proto;
	bool ip_sum_ok;
	const uint8_t *l4;
	size_t l4_len;
};

static bool read_ipv4(struct wire_reader *r, struct seen *seen)
{
	const uint8_t *ip = wire_bytes(r, IPV4_LEN);
	size_t total, hlen;

	if (!ip || ip[0] >> 4 != 4)
		return false;
	hlen = (ip[0] & 15) * 4;
	total = ip[2] << 8 | ip[3];
	if (hlen < IPV4_LEN || total < hlen || total - IPV4_LEN > wire_left(r))
		return false;
	seen->ttl = ip[8];
	seen->proto = ip[9];
	seen->src = ip_from_bytes(IP_V4, ip + 12);
	seen->dst = ip_from_bytes(IP_V4, ip + 16);
	seen->ip_sum_ok = fold(sum_octets(ip, hlen, 0)) == 0xffff;
	seen->l4 = ip + hlen;
	seen->l4_len = total - hlen;
	return true;
}

static bool read_ipv6(struct wire_reader *r, struct seen *seen)
{
	const uint8_t *ip = wire_bytes(r, IPV6_LEN);

	if (!ip || ip[0] >> 4 != 6 || (size_t)(ip[4] << 8 | ip[5]) > wire_left(r))
		return false;
	seen->proto = ip[6];
	seen->ttl = ip[7];
	seen->src = ip_from_bytes(IP_V6, ip + 8);
	seen->dst = ip_from_bytes(IP_V6, ip + 24);
	seen->ip_sum_ok = true; /* there is none */
	seen->l4 = ip + IPV6_LEN;
	seen->l4_len = ip[4] << 8 | ip[5];
	return true;
}

static bool read_frame(const uint8_t *frame, size_t len, struct seen *seen)
{
	struct wire_reader r;
	const uint8_t *ether;
	uint16_t type;

	wire_read_init(&r, frame, len);
	ether = wire_bytes(&r, 2 * ETH_ALEN);
	type = wire_u16(&r);
	if (!ether || r.failed)
		return false;
	memcpy(seen->dmac, ether, ETH_ALEN);
	memcpy(seen->smac, ether + ETH_ALEN, ETH_ALEN);
	if (type == ETHERTYPE_VLAN) {
		seen->vlan = wire_u16(&r) & 0xfff;
		type = wire_u16(&r);
	}
	if (type == ETHERTYPE_IP)
		return read_ipv4(&r, seen);
	return type == ETHERTYPE_IPV6 && read_ipv6(&r, seen);
}

static const char *verdict(bool right)
{
	return right ? "ok" : "BAD";
}

static bool payload_ok(const uint8_t *data, size_t len, uint32_t id)
{
	for (size_t i = 8; i < len; i++) {
		if (data[i] != pattern(id, i))
			return false;
	}
	return true;
}

static void print_ours(struct tool *tool, const struct seen *s, size_t hlen)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX];
	struct wire_reader r;
	uint16_t sport, dport;
	uint32_t id;
	const char *sum;

	wire_read_init(&r, s->l4, s->l4_len);
	sport = wire_u16(&r);
	dport = wire_u16(&r);
	wire_skip(&r, hlen - 4);
	if (wire_u32(&r) != MAGIC)
		return;
	id = wire_u32(&r);
	sum = verdict(sum_l4(&s->src, &s->dst, s->proto, s->l4, s->l4_len) == 0xffff);
	fprintf(tool->out,
		"id=%u smac=%02x:%02x:%02x:%02x:%02x:%02x dmac=%02x:%02x:%02x:%02x:%02x:%02x "
		"vlan=%u src=%s dst=%s ttl=%u proto=%u sport=%u dport=%u len=%zu ipsum=%s "
		"l4sum=%s payload=%s\n",
		id, s->smac[0], s->smac[1], s->smac[2], s->smac[3], s->smac[4], s->smac[5],
		s->dmac[0], s->dmac[1], s->dmac[2], s->dmac[3], s->dmac[4], s->dmac[5], s->vlan,
		ip_format(&s->src, src), ip_format(&s->dst, dst), s->ttl, s->proto, sport, dport,
		s->l4_len - hlen, verdict(s->ip_sum_ok), s->partial ? "partial" : sum,
		verdict(payload_ok(s->l4 + hlen, s->l4_len - hlen, id)));
}

/* Time exceeded, unreachable, too big. Neighbour discovery and echoes are none. */
static bool is_icmp_error(const struct seen *s)
{
	uint8_t type = s->l4_len ? s->l4[0] : 0;

	if (s->proto == PROTO_ICMP)
		return type == 3 || type == 11;
	return s->proto == PROTO_ICMP6 && type >= 1 && type <= 4;
}

static void print_icmp(struct tool *tool, const struct seen *s)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX];
	bool right = s->proto == PROTO_ICMP
			     ? fold(sum_octets(s->l4, s->l4_len, 0)) == 0xffff
			     : sum_l4(&s->src, &s->dst, s->proto, s->l4, s->l4_len) == 0xffff;

	fprintf(tool->out, "icmp type=%u code=%u src=%s dst=%s ipsum=%s sum=%s\n", s->l4[0],
		s->l4[1], ip_format(&s->src, src), ip_format(&s->dst, dst), verdict(s->ip_sum_ok),
		s->partial ? "partial" : verdict(right));
}

static void print_frame(struct tool *tool, const uint8_t *frame, size_t len, struct seen *seen)
{
	if (!read_frame(frame, len, seen))
		return;
	if (seen->proto == PROTO_UDP && seen->l4_len >= 16)
		print_ours(tool, seen, 8);
	else if (seen->proto == PROTO_TCP && seen->l4_len >= 28)
		print_ours(tool, seen, 20);
	else if (is_icmp_error(seen) && seen->l4_len >= 2)
		print_icmp(tool, seen);
}

/* The kernel takes a tag out of the frame and puts it beside; likewise what it knows of the checksum. */
static void read_auxdata(struct msghdr *msg, struct seen *seen)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		seen->partial = aux.tp_status & TP_STATUS_CSUMNOTREADY;
		if (aux.tp_status & TP_STATUS_VLAN_VALID)
			seen->vlan = aux.tp_vlan_tci & 0xfff;
	}
}

static void receive(struct tool *tool)
{
	uint8_t frame[FRAME_MAX];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov = { frame, sizeof(frame) };
	struct sockaddr_ll from = { 0 };

	for (;;) {
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = &control,
				      .msg_controllen = sizeof(control) };
		struct seen seen = { 0 };
		ssize_t n = tool->tap ? read(tool->fd, frame, sizeof(frame))
				      : recvmsg(tool->fd, &msg, MSG_DONTWAIT);

		if (n <= 0)
			break;
		if (!tool->tap && from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (!tool->tap)
			read_auxdata(&msg, &seen);
		print_frame(tool, frame, (size_t)n, &seen);
	}
	fflush(tool->out);
}

/* --- commands ------------------------------------------------------------------------------------ */

static void cmd_send(struct tool *tool, char *words)
{
	struct spec spec;
	unsigned int count;

	if (!parse_spec(words, &spec)) {
		fprintf(stderr, "this is no frame\n");
		tool->quit = true;
		return;
	}
	for (count = spec.count; count; count--) {
		send_one(tool, &spec);
		spec.id++;
		spec.sport = 1 + (spec.sport - 1 + spec.step) % 65535;
	}
}

static void run_command(struct tool *tool, char *line)
{
	if (!strncmp(line, "send ", 5)) {
		cmd_send(tool, line + 5);
	} else if (!strncmp(line, "sync ", 5)) {
		fputs(line, tool->out);
		fflush(tool->out);
	} else {
		tool->quit = true;
	}
}

static int open_socket(const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), on = 1, room = 16 << 20;

	at.sll_ifindex = (int)if_nametoindex(ifname);
	if (fd < 0 || !at.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return -1;
	return fd;
}

static int open_tap(const char *ifname)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	return fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0 ? fd : -1;
}

static void loop(struct tool *tool, FILE *in)
{
	struct pollfd fds[] = { { .fd = fileno(in), .events = POLLIN },
				{ .fd = tool->fd, .events = POLLIN } };
	char line[512];

	while (!tool->quit && poll(fds, 2, -1) >= 0) {
		if (fds[1].revents)
			receive(tool);
		if (fds[1].revents & POLLERR) /* the interface is down: not at full speed */
			poll(NULL, 0, 20);
		if (fds[0].revents && fgets(line, sizeof(line), in))
			run_command(tool, line);
	}
}

int main(int argc, char **argv)
{
	struct tool tool = { .fd = -1 };
	FILE *in;

	if (argc != 5)
		return 2;
	tool.tap = !strcmp(argv[1], "tap");
	tool.fd = tool.tap ? open_tap(argv[2]) : open_socket(argv[2]);
	in = fopen(argv[3], "r+"); /* both ways: never at its end */
	tool.out = fopen(argv[4], "a");
	if (tool.fd < 0 || !in || !tool.out) {
		perror(argv[2]);
		return 1;
	}
	setvbuf(in, NULL, _IONBF, 0);
	fprintf(tool.out, "sync open\n");
	fflush(tool.out);
	loop(&tool, in);
	return 0;
}
