#!/usr/bin/env bash
# Runs every fuzzer of the tree for the time given (a go test -fuzztime value), two at a time.
# Prints one line for each; all output of one that fails. A found input is under the package's testdata/fuzz. Little is spent
# on minimising (10 runs an input): by default that would eat the whole time.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz() {
	local time=$1 package=$2 name=$3 output try
	for try in 1 2; do
		if output=$(go test -run='^$' -fuzz="^$name\$" -fuzztime="$time" -fuzzminimizetime=10x -parallel=1 -timeout=5m "$package" 2>&1); then
			echo "fuzz: ok $package $name, $(grep -o 'execs: [0-9]*' <<<"$output" | tail -n 1)"
			return 0
		fi
		# On a loaded machine go test can report its own deadline as the finding. A real one leaves an input behind.
		if grep -q 'Failing input written' <<<"$output" || ! grep -q 'context deadline exceeded' <<<"$output"; then
			break
		fi
	done
	printf 'fuzz: FAILED %s %s\n%s\n' "$package" "$name" "$output" >&2
	return 1
}
export -f fuzz

go list -f '{{$package := .ImportPath}}{{$dir := .Dir}}{{range .TestGoFiles}}{{$package}} {{$dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$package}} {{$dir}}/{{.}}{{"\n"}}{{end}}' ./... |
	while read -r package file; do
		[[ -n $package ]] || continue
		sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\([a-z]+ \*testing\.F\).*/\1/p' "$file" |
			while read -r name; do printf '%s\0%s\0' "$package" "$name"; done
	done |
	xargs --null --no-run-if-empty --max-args=2 --max-procs=2 bash -c 'fuzz "$@"' fuzz "$1"
