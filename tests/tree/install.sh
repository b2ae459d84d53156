#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `make install DESTDIR=`: every file in its place with its mode whatever the umask, nothing else touched, and
# what was installed runs.
. "$(dirname "$0")/../lib/sh.sh"

need_cmd make jq
ROOT=$DIR/root

# The list of a package: mode, path below DESTDIR. Manual pages and examples are those of the tree.
expected_files() {
	local page
	cat <<-END
	640 /etc/xrs/xrs.json
	644 /lib/systemd/system/xrsd.service
	644 /usr/lib/sysusers.d/xrs.conf
	644 /usr/lib/tmpfiles.d/xrs.conf
	644 /usr/share/bash-completion/completions/xrsctl
	755 /usr/bin/xrsctl
	755 /usr/sbin/xrsd
	END
	for page in "$TOP"/deploy/man/*.[0-9]; do
		echo "644 /usr/share/man/man${page##*.}/${page##*/}"
	done
	for page in "$TOP"/deploy/examples/*.json "$TOP"/deploy/prometheus/{alerts.yml,dashboard.json}; do
		echo "644 /usr/share/doc/xrs/examples/${page##*/}"
	done
}

installed_files() {
	find "$ROOT" ! -type d -printf '%m /%P\n'
}

install_below() { # DESTDIR [VARIABLE=VALUE...]
	make -C "$TOP" --no-print-directory B="$BUILD" install DESTDIR="$1" "${@:2}"
}

same_files() {
	diff <(expected_files | LC_ALL=C sort) <(installed_files | LC_ALL=C sort)
}

# Names of what a unit file may say in its sections: a misspelled key would be ignored at run time.
unit_verified() {
	local unit=$DIR/xrsd.service
	sed "s,/usr/sbin/xrsd,$ROOT&,; s,/usr/bin/xrsctl,$ROOT&," \
		"$ROOT/lib/systemd/system/xrsd.service" >"$unit"
	if command -v systemd-analyze >/dev/null; then
		systemd-analyze verify --man=no "$unit" >"$DIR/verify" 2>&1
		local status=$?
		cat "$DIR/verify"
		[ $status -eq 0 ] && [ ! -s "$DIR/verify" ]
	else
		! grep -Evn '^(#.*|\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*|)$' "$unit"
	fi
}

(
	umask 077
	run_logged install_below "$ROOT"
) || abandon "make install"
check "every file is in place with its mode, and no other" same_files
check "directories can be entered by everyone" test -z "$(find "$ROOT" -mindepth 1 -type d ! -perm -755)"
check_not "no place-holder is left in the unit" grep -r '@[A-Z]*DIR@' "$ROOT/lib/systemd"
check "the unit passes systemd-analyze verify" unit_verified
check "the installed xrsd tells its version" "$ROOT/usr/sbin/xrsd" -V
check "the installed xrsctl tells its usage" "$ROOT/usr/bin/xrsctl" --help
check "the installed configuration is accepted" "$ROOT/usr/sbin/xrsd" -t -c "$ROOT/etc/xrs/xrs.json"
for example in "$TOP"/deploy/examples/*.json; do
	example=$ROOT/usr/share/doc/xrs/examples/${example##*/}
	check "the installed example ${example##*/} is accepted" "$ROOT/usr/sbin/xrsd" -t -c "$example"
done

echo '{ "mine": true } // edited' >"$ROOT/etc/xrs/xrs.json"
touch "$ROOT/usr/sbin/other"
cp "$ROOT/etc/xrs/xrs.json" "$DIR/edited"
check "it can be installed again" install_below "$ROOT"
check "over a configuration that stays as it was edited" cmp "$DIR/edited" "$ROOT/etc/xrs/xrs.json"
check "and files of others stay" test -e "$ROOT/usr/sbin/other"

check "with another PREFIX" install_below "$DIR/local" PREFIX=/usr/local
check "the unit calls the programs there" grep -q '^ExecStart=/usr/local/sbin/xrsd ' \
	"$DIR/local/lib/systemd/system/xrsd.service"
check "which are there" test -x "$DIR/local/usr/local/sbin/xrsd"
finish
