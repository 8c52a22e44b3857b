#!/usr/bin/env bash
# Fails, naming the files, when a Go file is not as gofmt writes it.
set -euo pipefail
cd "$(dirname "$0")/.."

files=$(gofmt -l .)
if [[ -n $files ]]; then
	printf 'gofmt: run gofmt -w on:\n%s\n' "$files" >&2
	exit 1
fi
