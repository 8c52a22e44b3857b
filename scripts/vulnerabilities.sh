#!/usr/bin/env bash
# Runs the govulncheck given as argument over the tree. Fails on a known vulnerability that the code reaches.
# The database cannot be reached everywhere: that is said, and no failure.
set -uo pipefail
cd "$(dirname "$0")/.."

output=$(timeout 300 "$1" ./... 2>&1)
status=$?
if ((status == 124)) || { ((status != 0)) && grep -q 'fetching vulnerabilities:' <<<"$output"; }; then
	echo 'vulnerabilities: skipped (database out of reach)'
	exit 0
fi
printf '%s\n' "$output"
exit "$status"
