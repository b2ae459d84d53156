# SPDX-License-Identifier: GPL-2.0-only
#
# Lines "round <tab> what <tab> way <tab> value" to a table: for each what and way the median and the quartiles of
# its values, and of its ratios to the way named REFERENCE in the same round the median and an interval that holds
# the true median with a probability of 95 % or a little more, whatever the distribution is (order statistics).
#
#	awk -f paired.awk -v REFERENCE=kernel -v DIGITS=1 FILE...     each file has rounds of its own

function sort_values(v, n,    i, j, x) {
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
}

# Between the two neighbours where the part does not fall on one.
function quantile(v, n, part,    at, low) {
	at = 1 + (n - 1) * part
	low = int(at)
	return low >= n ? v[n] : v[low] + (at - low) * (v[low + 1] - v[low])
}

# The largest rank k so that the median is below the kth or above the kth last of n with at most 5 %; 0: too few.
function rank(n,    k, p, sum) {
	p = 0.5 ^ n
	for (k = 0; (sum += p) <= 0.025; k++)
		p *= (n - k) / (k + 1)
	return k
}

function interval(v, n,    k) {
	k = rank(n)
	return k ? sprintf("%.3f to %.3f", v[k], v[n + 1 - k]) : "-"
}

BEGIN {
	FS = "\t"
	if (REFERENCE != "")
		ways[++n_ways] = REFERENCE
}

FNR == 1 { file++ }

{
	value[file, $1, $2, $3] = $4
	if (!seen["round", file, $1]++)
		rounds[++n_rounds] = file SUBSEP $1
	if (!seen["what", $2]++)
		whats[++n_whats] = $2
	if ($3 != REFERENCE && !seen["way", $3]++)
		ways[++n_ways] = $3
}

function row(what, way,    i, n, m, v, r, base) {
	for (i = 1; i <= n_rounds; i++) {
		if (!((rounds[i], what, way) in value))
			continue
		v[++n] = value[rounds[i], what, way]
		base = value[rounds[i], what, REFERENCE]
		if (base > 0)
			r[++m] = v[n] / base
	}
	if (!n)
		return
	sort_values(v, n)
	printf "%-32s %-8s %7.*f %7.*f %7.*f", what, way, DIGITS, quantile(v, n, 0.5),
		DIGITS, quantile(v, n, 0.25), DIGITS, quantile(v, n, 0.75)
	if (way != REFERENCE && m) {
		sort_values(r, m)
		printf " %9.3f   %s", quantile(r, m, 0.5), interval(r, m)
	}
	print ""
}

END {
	printf "%-32s %-8s %7s %7s %7s %9s   %s\n", n_rounds " rounds", "", "median", "lower", "upper",
		"ratio", "95 % of its median"
	for (i = 1; i <= n_whats; i++)
		for (j = 1; j <= n_ways; j++)
			row(whats[i], ways[j])
}
