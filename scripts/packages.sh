#!/usr/bin/env bash
# Installs the Debian packages named as arguments that are missing, through apt, as root or with sudo.
# Runs nothing when all are there. On a system without dpkg it only says what is needed.
# Exit status: 0 all there, or not Debian; 1 something is missing and could not be installed.
set -euo pipefail

if ! command -v dpkg-query >/dev/null; then
	echo "packages: this is no Debian system; the equivalents of these packages must be there: $*" >&2
	exit 0
fi

missing=()
for package in "$@"; do
	status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
	# Where several architectures are installed, each adds its word.
	[[ $status == *installed* && $status != *not-installed* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
	as_root=(sudo)
fi
if ! command -v apt-get >/dev/null; then
	echo "packages: missing: ${missing[*]}; there is no apt-get, so install them by hand" >&2
	exit 1
fi
if ((EUID != 0)) && ! command -v sudo >/dev/null; then
	echo "packages: missing: ${missing[*]}; neither root nor sudo, so ask an administrator to run: apt-get install ${missing[*]}" >&2
	exit 1
fi

echo "packages: installing ${missing[*]}" >&2
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet)
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}"
