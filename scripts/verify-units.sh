#!/usr/bin/env bash
# Fails on any warning of systemd-analyze verify about the units of systemd/, of systemd-sysusers about its users, or of
# udevadm verify about its rules (systemd 254; skipped with an older one).
# The units are copied first, with the programs' paths replaced by one that exists on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for unit in systemd/*.service; do
	sed 's,^ExecStart=/usr/bin/[a-z]*,ExecStart=/bin/true,' "$unit" >"$work/$(basename "$unit")"
done
status=0
warnings=$(systemd-analyze verify --man=no --recursive-errors=no "$work"/*.service 2>&1) || status=$?
if ((status != 0)) || [[ -n $warnings ]]; then
	printf 'units: systemd-analyze verify (status %d):\n%s\n' "$status" "$warnings" >&2
	exit 1
fi

for users in systemd/*.sysusers; do
	if ! warnings=$(systemd-sysusers --root="$work" --dry-run "$PWD/$users" 2>&1 >/dev/null) || grep -qE '^[^ ]+:[0-9]+: ' <<<"$warnings"; then
		printf 'units: systemd-sysusers:\n%s\n' "$warnings" >&2
		exit 1
	fi
done
rules=unchecked
if udevadm verify --help >/dev/null 2>&1; then
	if ! warnings=$(udevadm verify --resolve-names=never systemd/*.rules 2>&1); then
		printf 'units: udevadm verify:\n%s\n' "$warnings" >&2
		exit 1
	fi
	rules=ok
fi
echo "units: ok, udev rules: $rules"
