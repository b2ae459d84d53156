#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every file stands in the README of its folder, or of the nearest folder above that has one. Folders that
# mirror user/ file by file (include/, tests/unit/) and corpora need no list of their own.
. "$(dirname "$0")/../lib/sh.sh"

# Not from git: a test must also run in an unpacked archive, and as root in the checkout of somebody else.
tree_files() {
	(cd "$TOP" && find bpf deploy tests user -type f ! -name '.*' ! -name '*~' ! -name '*.orig' ! -name '*.rej')
}

readme_of() { # FILE
	local dir=${1%/*}
	while [ ! -e "$TOP/$dir/README.md" ] && [ "$dir" != "${dir%/*}" ]; do
		dir=${dir%/*}
	done
	echo "$TOP/$dir/README.md"
}

# By name, by a pattern in backquotes, or a header beside the source file that is listed.
is_listed() { # README FILE
	local name=${2##*/} stem pattern
	grep -qF "\`$name\`" "$1" && return
	grep -qF "$name" "$1" && return
	stem=${name%.h}
	stem=${stem%_impl}
	[ "$stem" != "$name" ] && grep -qF "$stem.c" "$1" && return
	while read -r pattern; do
		# shellcheck disable=SC2254
		case $name in $pattern) return 0 ;; esac
	done < <(grep -o '`[^` ]*\*[^` ]*`' "$1" | tr -d '`')
	return 1
}

unlisted() { # prints what is missing where; succeeds when nothing is
	local file readme missing=0
	while read -r file; do
		case $file in
		*/README.md | tests/unit/*/* | tests/fuzz/corpus/*) continue ;;
		esac
		readme=$(readme_of "$file")
		if ! is_listed "$readme" "$file"; then
			echo "${readme#"$TOP"/} does not list $file"
			missing=$((missing + 1))
		fi
	done < <(tree_files)
	[ "$missing" -eq 0 ]
}

folders_described() {
	local dir bad=0
	for dir in "$TOP"/user/*/ "$TOP"/tests/*/ "$TOP"/bpf/ "$TOP"/deploy/ "$TOP"/include/; do
		case $dir in */tests/lib/) continue ;; esac
		[ -s "${dir}README.md" ] || { echo "${dir#"$TOP"/} has no README.md"; bad=1; }
	done
	return $bad
}

links_lead_somewhere() { # of the README at the top
	local link bad=0
	while read -r link; do
		[ -e "$TOP/$link" ] || { echo "README.md: there is no $link"; bad=1; }
	done < <(grep -o '](\([a-z][^):]*\))' "$TOP/README.md" | sed 's/^](//; s/)$//' | sort -u)
	return $bad
}

nothing_strays() { # at the top, beside what is built
	local entry bad=0
	for entry in "$TOP"/*; do
		case ${entry##*/} in
		Makefile | bpf | user | include | tests | deploy | README.md | LICENSE | build* | compile_commands.json) ;;
		*) echo "${entry##*/} does not belong at the top"; bad=1 ;;
		esac
	done
	return $bad
}

check "the top has what belongs there" nothing_strays
check "each folder has a README" folders_described
check "what the README links to is there" links_lead_somewhere
check "each file is listed in it" unlisted
finish
