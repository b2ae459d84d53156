# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Many routes each way: both appliances announce COUNT prefixes with 32 different sets of attributes, and every
# table on the way is compared with what it should be, prefix by prefix and attribute by attribute: what xrsd
# learned, what it says that it sent, and what the other appliance has. Sourced after lab.sh and scenarios.sh.

# The 32 blocks of /12 that begin at OCTET.0.0.0, each with attributes that its number makes.
route_classes() { # OCTET
	local c first line origins=(igp egp incomplete)
	for ((c = 0; c < 32; c++)); do
		first=$(($1 + c / 16)).$((c % 16 * 16)).0.0/12
		line="$first origin=${origins[c % 3]} med=$((c * 10)) community=65001:$((c + 1)),65001:65535"
		[ $((c % 2)) -eq 0 ] || line+=" large=4200000001:$c:7"
		[ $((c % 4)) -eq 0 ] || line+=" prepend=$((c % 4))"
		echo "$line "
	done
}

# The table that a node's routes make, as normal_route prints it, sorted.
expected_table() { # NODE OWN-ASNS WITH-MED: AS numbers in front, and whether MED is still there
	perl -e '
		my ($classes, $bulk, $hop, $asn, $front, $with_med) = @ARGV;
		my @classes;
		open my $list, "<", $classes or die;
		while (<$list>) {
			my ($prefix, @words) = split;
			my %w = map { split /=/ } @words;
			$w{number} = unpack "N", pack "C4", split /[.\/]/, $prefix;
			push @classes, \%w;
		}
		open my $in, "<", $bulk or die;
		while (<$in>) {
			chomp;
			my $number = unpack "N", pack "C4", split /[.\/]/;
			my ($w) = grep { ($number & 0xfff00000) == $_->{number} } @classes;
			my $path = join ",", (length $front ? $front : ()), ($asn) x (1 + ($w->{prepend} // 0));
			my $text = sub { join ",", map { "\"$_\"" } sort split /,/, $_[0] // "" };
			printf "{\"asPath\":[%s],\"communities\":[%s],\"largeCommunities\":[%s],\"med\":%d,\"network\":\"%s\",\"nextHop\":\"%s\",\"origin\":\"%s\"}\n",
				$path, $text->($w->{community}), $text->($w->{large}), $with_med ? $w->{med} : 0, $_, $hop, $w->{origin};
		}' "$DIR/$1.classes" "$DIR/$1.bulk" "${IP4[$1]}" "${ASN[$1]}" "$2" "$3" | LC_ALL=C sort
}

# Without the vnet's own prefix.
sorted_table() { # COMMAND...
	"$@" | grep -v '"network":"10\.1\.0\.0/16"' | LC_ALL=C sort
}

same_table() { # EXPECTED-FILE COMMAND...: shows the first differences
	local expected=$1
	shift
	sorted_table "$@" >"$DIR/.table"
	cmp -s "$expected" "$DIR/.table" && return
	wc -l "$expected" "$DIR/.table" | head -n 2
	diff "$expected" "$DIR/.table" | head -n 6
	return 1
}

learned_table() { # PEERING
	ctl -j peering list-learned-routes --name "$1" | normal_route '.value[]'
}

advertised_table() { # PEERING
	ctl -j peering list-advertised-routes --name "$1" | normal_route '.value[]'
}

compare_routes() { # COUNT
	local began
	route_classes 100 >"$DIR/a.classes"
	route_classes 150 >"$DIR/b.classes"
	bulk_prefixes 100 65536 >"$DIR/a.all"
	bulk_prefixes 101 65536 >>"$DIR/a.all"
	head -n "$1" "$DIR/a.all" >"$DIR/a.bulk"
	sed 's/^100/150/; s/^101/151/' "$DIR/a.bulk" >"$DIR/b.bulk"
	expected_table a "" 1 >"$DIR/a.learned"
	expected_table b "" 1 >"$DIR/b.learned"
	expected_table a 65515 0 >"$DIR/b.told"
	expected_table b 65515 0 >"$DIR/a.told"
	began=$EPOCHSECONDS
	run_logged app sync a || abandon "$1 routes of a"
	run_logged app sync b || abandon "$1 routes of b"
	wait_for 240 "$1 routes from both" both_learned "$1"
	check_soon "$1 routes are learned from a, every attribute" same_table "$DIR/a.learned" learned_table a
	check_soon "$1 routes are learned from b, every attribute" same_table "$DIR/b.learned" learned_table b
	check_soon "what we say that we sent to a is what b announced" same_table "$DIR/a.told" advertised_table a
	check_soon "a has exactly that" same_table "$DIR/a.told" app table a
	check_soon "b has exactly what a announced" same_table "$DIR/b.told" app table b
	diag "$1 routes each way and compared in $((EPOCHSECONDS - began)) s"
	check "the maps hold them all" verified
	: >"$DIR/a.bulk"
	: >"$DIR/a.classes"
	run_logged app sync a || abandon "a withdraws all"
	check_soon "all of a's are withdrawn" same_number a .pfxRcd 0
	check_soon "and gone from b" same_output "" sorted_table app table b
}

both_learned() { # COUNT
	same_number a .pfxRcd "$1" && same_number b .pfxRcd "$1"
}
