# SPDX-License-Identifier: GPL-2.0-only
#
# A flame graph from `perf script -F comm,ip,sym`: awk -v title=TEXT -f flame.awk > graph.svg
#
# A sample is a line with the program's name, then its frames, the innermost first, then an empty line. Frames of
# the same callers are merged; a box is as wide as its part of all samples, its children stand above it.
# With `-v list=N` no picture: the N functions with most samples of their own, in percent.

/^[^ \t]/ { comm = $1; depth = 0; next }
NF >= 1 {
	sub(/^[ \t]*[0-9a-f]+[ \t]+/, "")
	sub(/\+0x[0-9a-f]+.*$/, "")
	frame[++depth] = $0 == "" ? "[unknown]" : $0
	next
}
depth {
	path = comm
	count[path]++
	parent[path] = ""
	for (i = depth; i >= 1; i--) {
		up = path
		path = path ";" frame[i]
		if (!(path in count)) {
			parent[path] = up
			children[up] = children[up] "\n" path
			level = depth - i + 2
			if (level > levels) levels = level
		}
		count[path]++
	}
	self[frame[1]]++
	roots[comm] = 1
	total++
	depth = 0
}

function escape(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

# Warm colours; the same name has the same colour everywhere.
function colour(name,   i, h) {
	for (i = 1; i <= length(name); i++)
		h = (h * 31 + index("abcdefghijklmnopqrstuvwxyz_0123456789", substr(name, i, 1))) % 1009
	return sprintf("rgb(%d,%d,%d)", 205 + h % 50, 90 + (h * 7) % 120, 40 + (h * 13) % 40)
}

function box(path, x, y,   name, width, list, n, i, text) {
	width = count[path] / total * 1180
	if (width < 0.4)
		return
	name = path
	sub(/^.*;/, "", name)
	text = width > 40 ? substr(name, 1, int(width / 7)) : ""
	printf "<g><title>%s: %d samples, %.1f %%</title>", escape(name), count[path], 100 * count[path] / total
	printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"15\" fill=\"%s\"/>", x, y, width - 0.2, colour(name)
	printf "<text x=\"%.1f\" y=\"%d\">%s</text></g>\n", x + 2, y + 11, escape(text)
	n = split(children[path], list, "\n")
	for (i = 2; i <= n; i++) {
		box(list[i], x, y - 16)
		x += count[list[i]] / total * 1180
	}
}

function print_list(   name, best, i) {
	for (i = 1; i <= list; i++) {
		best = ""
		for (name in self)
			if (best == "" || self[name] > self[best])
				best = name
		if (best == "")
			return
		printf "%5.1f %%  %s\n", 100 * self[best] / total, best
		delete self[best]
	}
}

END {
	if (!total)
		exit 1
	if (list) {
		print_list()
		exit
	}
	height = levels * 16 + 60
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1200\" height=\"%d\" font-family=\"monospace\" font-size=\"11\">\n", height
	printf "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff8f0\"/><text x=\"10\" y=\"20\" font-size=\"14\">%s, %d samples</text>\n", escape(title), total
	x = 10
	for (comm in roots) {
		box(comm, x, height - 25)
		x += count[comm] / total * 1180
	}
	print "</svg>"
}
