#!/usr/bin/env bash
# Builds the program to the path given. With cgo, which USB-HID scanners need, where a C compiler and the libc headers are
# there; a CGO_ENABLED from the environment wins. The version is git's description of the commit, or "dev" outside git.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$1

if [[ -z ${CGO_ENABLED:-} ]]; then
	read -r -a compiler <<<"$(go env CC)"
	if [[ $(go env CGO_ENABLED) == 1 ]] && "${compiler[@]}" -E -x c - >/dev/null 2>&1 <<<'#include <stdlib.h>'; then
		export CGO_ENABLED=1
	else
		export CGO_ENABLED=0
	fi
fi
if [[ $CGO_ENABLED == 0 ]]; then
	echo 'build: without cgo: USB-HID scanners will not work (serial scanners will)' >&2
fi

version=$(git describe --tags --always --dirty 2>/dev/null || echo dev)
set -x
go build -trimpath -buildvcs=false -ldflags "-X main.version=$version" -o "$output" ./cmd/payscand
