// SPDX-License-Identifier: GPL-2.0-only
/*
 * AS_PATH: checks the wire form, and reads, lengthens, merges, narrows and prints the kept one. Called
 * by attr.c, update_encode.c, rib and api. Must never be asked about a path that aspath_check() did not
 * pass, but stays inside the blob even then.
 *
 *	segment: type 1 | count of ASNs 1 | ASNs, 2 or 4 octets each (kept: always 4)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/aspath.h"
#include "util/wire.h"

#define SEGMENT_MAX 255 /* ASNs: the count is one octet */

struct segment {
	enum bgp_as_segment type;
	unsigned int count;
	struct wire_reader asns; /* 4 octets each */
};

static bool next_segment(struct wire_reader *r, struct segment *ret_segment)
{
	if (!wire_left(r))
		return false;
	ret_segment->type = (enum bgp_as_segment)wire_u8(r);
	ret_segment->count = wire_u8(r);
	ret_segment->asns = wire_sub(r, 4 * (size_t)ret_segment->count);
	return !r->failed;
}

static struct wire_reader reader_of(struct bgp_blob path)
{
	struct wire_reader r;

	wire_read_init(&r, path.data, path.len);
	return r;
}

/* --- the wire form --------------------------------------------------------------------------- */

static bool has_zero_asn(const uint8_t *asns, unsigned int count, unsigned int octets)
{
	for (unsigned int i = 0; i < count; i++, asns += octets) {
		unsigned int any = asns[0] | asns[1];

		if (octets == 4)
			any |= asns[2] | asns[3];
		if (!any)
			return true;
	}
	return false;
}

static enum aspath_fault worse(enum aspath_fault a, enum aspath_fault b)
{
	if (a == ASPATH_OK || b == ASPATH_OK)
		return a == ASPATH_OK ? b : a;
	return a < b ? a : b;
}

static const enum aspath_fault fault_of_type[] = {
	[0] = ASPATH_MALFORMED,           [BGP_AS_SET] = ASPATH_SET,
	[BGP_AS_SEQUENCE] = ASPATH_OK,    [BGP_AS_CONFED_SEQUENCE] = ASPATH_CONFED,
	[BGP_AS_CONFED_SET] = ASPATH_SET,
};

enum aspath_fault aspath_check(struct bgp_blob wire, unsigned int asn_octets)
{
	struct wire_reader r = reader_of(wire);
	enum aspath_fault fault = ASPATH_OK;

	while (wire_left(&r)) {
		uint8_t type = wire_u8(&r);
		uint8_t count = wire_u8(&r);
		const uint8_t *asns = wire_bytes(&r, (size_t)count * asn_octets);

		if (!asns || !count || type > BGP_AS_CONFED_SET)
			return ASPATH_MALFORMED;
		fault = worse(fault, fault_of_type[type]);
		if (has_zero_asn(asns, count, asn_octets))
			fault = worse(fault, ASPATH_AS_ZERO);
		if (fault == ASPATH_MALFORMED)
			break;
	}
	return fault;
}

int aspath_widen(struct bgp_blob wire, uint8_t *buf, size_t cap)
{
	struct wire_reader r = reader_of(wire);
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	while (wire_left(&r)) {
		unsigned int count;

		wire_put_u8(&w, wire_u8(&r));
		count = wire_u8(&r);
		wire_put_u8(&w, count);
		while (count-- && !w.failed)
			wire_put_u32(&w, wire_u16(&r));
	}
	return w.failed ? -ENOSPC : (int)w.pos;
}

bool aspath_narrow(struct bgp_blob path, struct wire_writer *w)
{
	struct wire_reader r = reader_of(path);
	struct segment s;
	bool lossy = false;

	while (next_segment(&r, &s)) {
		wire_put_u8(w, s.type);
		wire_put_u8(w, s.count);
		while (wire_left(&s.asns)) {
			uint32_t asn = wire_u32(&s.asns);

			lossy = lossy || asn > UINT16_MAX;
			wire_put_u16(w, asn > UINT16_MAX ? BGP_AS_TRANS : asn);
		}
	}
	return lossy;
}

/* --- reading --------------------------------------------------------------------------------- */

/* RFC 4271 9.1.2.2 a, RFC 5065 5.3 */
static unsigned int segment_length(const struct segment *s)
{
	return s->type == BGP_AS_SEQUENCE ? s->count : s->type == BGP_AS_SET ? 1 : 0;
}

unsigned int aspath_length(struct bgp_blob path)
{
	struct wire_reader r = reader_of(path);
	unsigned int length = 0;
	struct segment s;

	while (next_segment(&r, &s))
		length += segment_length(&s);
	return length;
}

unsigned int aspath_count_of(struct bgp_blob path, uint32_t asn)
{
	struct wire_reader r = reader_of(path);
	unsigned int count = 0;
	struct segment s;

	while (next_segment(&r, &s)) {
		while (wire_left(&s.asns))
			count += wire_u32(&s.asns) == asn;
	}
	return count;
}

bool aspath_contains(struct bgp_blob path, uint32_t asn)
{
	return aspath_count_of(path, asn) > 0;
}

uint32_t aspath_first(struct bgp_blob path)
{
	struct wire_reader r = reader_of(path);
	struct segment s;

	if (!next_segment(&r, &s) || s.type != BGP_AS_SEQUENCE)
		return 0;
	return wire_u32(&s.asns);
}

uint32_t aspath_origin(struct bgp_blob path)
{
	struct wire_reader r = reader_of(path);
	uint32_t origin = 0;
	struct segment s;

	while (next_segment(&r, &s)) {
		while (wire_left(&s.asns))
			origin = wire_u32(&s.asns);
	}
	return origin;
}

void aspath_each(struct bgp_blob path,
		 void (*fn)(void *ctx, uint32_t asn, enum bgp_as_segment type, bool segment_start),
		 void *ctx)
{
	struct wire_reader r = reader_of(path);
	struct segment s;

	while (next_segment(&r, &s)) {
		for (bool start = true; wire_left(&s.asns); start = false)
			fn(ctx, wire_u32(&s.asns), s.type, start);
	}
}

/* --- making ---------------------------------------------------------------------------------- */

/* A new AS_SEQUENCE of @count times @asn, which the caller may follow with more ASNs of the segment. */
static void put_repeated(struct wire_writer *w, uint32_t asn, unsigned int count, unsigned int more)
{
	wire_put_u8(w, BGP_AS_SEQUENCE);
	wire_put_u8(w, count + more);
	for (unsigned int i = 0; i < count; i++)
		wire_put_u32(w, asn);
}

/* RFC 4271 5.1.2 a: into the leading AS_SEQUENCE as far as it has room, the rest in front of it. */
int aspath_prepend(struct bgp_blob path, uint32_t asn, unsigned int times, uint8_t *buf, size_t cap)
{
	struct wire_reader r = reader_of(path), rest = r;
	struct segment first = { 0 };
	unsigned int into;
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	if (!next_segment(&rest, &first) || first.type != BGP_AS_SEQUENCE) {
		first.count = 0;
		rest = r;
	}
	into = first.count && times ? SEGMENT_MAX - first.count : 0;
	into = times < into ? times : into;
	for (unsigned int left = times - into; left && !w.failed;) {
		/* The odd part comes first, so that what follows is full and stays so. */
		unsigned int n = left % SEGMENT_MAX ? left % SEGMENT_MAX : SEGMENT_MAX;

		put_repeated(&w, asn, n, 0);
		left -= n;
	}
	if (first.count) {
		put_repeated(&w, asn, into, first.count);
		wire_put_bytes(&w, first.asns.pos, wire_left(&first.asns));
	}
	wire_put_bytes(&w, rest.pos, wire_left(&rest));
	return w.failed ? -ENOSPC : (int)w.pos;
}

int aspath_from_asns(const uint32_t *asns, size_t n, uint8_t *buf, size_t cap)
{
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	for (size_t i = 0; i < n && !w.failed; i++) {
		size_t left = n - i;

		if (i % SEGMENT_MAX == 0) {
			wire_put_u8(&w, BGP_AS_SEQUENCE);
			wire_put_u8(&w, left < SEGMENT_MAX ? left : SEGMENT_MAX);
		}
		wire_put_u32(&w, asns[i]);
	}
	return w.failed ? -ENOSPC : (int)w.pos;
}

/*
 * Copies the leading @hops hops of @path. A cut AS_SEQUENCE that meets another AS_SEQUENCE of @next
 * ASNs becomes one segment with it when there is room: the count is then already the sum, and true is returned.
 */
static bool put_head(struct wire_writer *w, struct bgp_blob path, unsigned int hops,
		     unsigned int next)
{
	struct wire_reader r = reader_of(path);
	struct segment s;

	while (hops && next_segment(&r, &s)) {
		unsigned int take = s.type == BGP_AS_SEQUENCE && s.count > hops ? hops : s.count;
		bool join;

		hops -= segment_length(&s) < hops ? segment_length(&s) : hops;
		join = !hops && next && s.type == BGP_AS_SEQUENCE && take + next <= SEGMENT_MAX;
		wire_put_u8(w, s.type);
		wire_put_u8(w, take + (join ? next : 0));
		wire_put_bytes(w, s.asns.pos, 4 * (size_t)take);
		if (join)
			return true;
	}
	return false;
}

int aspath_merge_as4(struct bgp_blob path, struct bgp_blob as4_path, uint8_t *buf, size_t cap)
{
	unsigned int old = aspath_length(path), new = aspath_length(as4_path);
	struct wire_reader tail = reader_of(as4_path);
	struct segment first = { 0 };
	struct wire_writer w;
	bool sequence;

	wire_write_init(&w, buf, cap);
	if (old < new) {
		wire_put_bytes(&w, path.data, path.len);
		return w.failed ? -ENOSPC : (int)w.pos;
	}
	sequence = next_segment(&tail, &first) && first.type == BGP_AS_SEQUENCE;
	tail = reader_of(as4_path);
	if (put_head(&w, path, old - new, sequence ? first.count : 0))
		wire_skip(&tail, 2); /* type and count: the head's segment goes on */
	wire_put_bytes(&w, tail.pos, wire_left(&tail));
	return w.failed ? -ENOSPC : (int)w.pos;
}

/* --- text ------------------------------------------------------------------------------------ */

struct text {
	char *buf;
	size_t cap, len;
	bool cut;
};

static void put_text(struct text *t, const char *piece)
{
	size_t n = strlen(piece);

	/* Four octets stay free for "..." and the end. */
	if (t->cut || t->len + n + 4 > t->cap) {
		t->cut = true;
		return;
	}
	memcpy(t->buf + t->len, piece, n);
	t->len += n;
}

static const char *const segment_open[] = { [BGP_AS_SET] = "{",
					    [BGP_AS_SEQUENCE] = "",
					    [BGP_AS_CONFED_SEQUENCE] = "(",
					    [BGP_AS_CONFED_SET] = "[" };
static const char *const segment_close[] = { [BGP_AS_SET] = "}",
					     [BGP_AS_SEQUENCE] = "",
					     [BGP_AS_CONFED_SEQUENCE] = ")",
					     [BGP_AS_CONFED_SET] = "]" };

static void format_segment(struct text *t, struct segment *s)
{
	bool known = s->type >= BGP_AS_SET && s->type <= BGP_AS_CONFED_SET;
	const char *open = known ? segment_open[s->type] : "?";
	const char *close = known ? segment_close[s->type] : "?";

	for (bool start = true; wire_left(&s->asns) && !t->cut; start = false) {
		char number[16];

		snprintf(number, sizeof(number), "%s%s%u", t->len ? " " : "", start ? open : "",
			 wire_u32(&s->asns));
		put_text(t, number);
	}
	put_text(t, close);
}

char *aspath_format(struct bgp_blob path, char *buf, size_t cap)
{
	struct wire_reader r = reader_of(path);
	struct text t = { .buf = buf, .cap = cap };
	struct segment s;

	if (!cap)
		return buf;
	while (!t.cut && next_segment(&r, &s))
		format_segment(&t, &s);
	/* A buffer shorter than the mark gets as much of it as fits. */
	snprintf(buf + t.len, cap - t.len, "%s", t.cut ? "..." : "");
	return buf;
}
