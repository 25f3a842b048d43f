#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fetch_kernel.sh SERIES DIRECTORY: the newest Debian kernel of a series (6.1, 6.12, ...), unpacked
# in DIRECTORY for boot.sh: vmlinuz, modules/ and release, which holds what `uname -r` will say.
# Nothing is installed, and apt's own lists are left alone. A kernel that is there already stays,
# and no server is asked.
set -euo pipefail

# Series, the Debian suites that hold it, and the packages that make one kernel of it: from 6.19 on
# an image is split in three. VERSION stands for what the newest one puts there.
kernels='
6.1    bookworm,bookworm-security            linux-image-VERSION
6.12   bookworm-backports,bookworm-security  linux-image-VERSION
6.16   trixie-backports                      linux-image-VERSION
6.17   trixie-backports                      linux-image-VERSION
6.18   trixie-backports                      linux-image-VERSION
7.3    trixie-backports                      linux-binary-VERSION,linux-modules-VERSION,linux-base-VERSION
'
mirror=http://deb.debian.org

fail() {
  echo "fetch_kernel.sh: $1" >&2
  exit "${2:-1}"
}

# A sources list, package lists and a cache that only this script sees. That nothing is installed
# there keeps apt from looking at the machine's own packages.
private_apt() {
  local command=$1
  shift
  "$command" -qq -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$scratch/lists" -o Dir::State::status=/dev/null \
    -o Dir::Cache="$scratch/cache" -o APT::Sandbox::User= "$@"
}

write_sources() {
  local suite archive
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
  for suite in ${1//,/ }; do
    archive=debian
    [[ $suite == *-security ]] && archive=debian-security
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
      "$mirror/$archive $suite main"
  done >"$scratch/sources.list"
}

# The newest VERSION for which there is a package. Neither real-time, cloud (no 9p) nor unsigned
# kernels match, nor the package that only depends on the newest.
newest_version() {
  local series=$1 package=$2
  private_apt apt-cache pkgnames "${package%VERSION}$series." |
    sed -nE "s/^${package%VERSION}(${series//./\\.}\.[^-]+(-[0-9]+)?-amd64)\$/\1/p" | sort -V | tail -n 1
}

unpack() {
  local package modules image release
  for package in "$scratch"/*.deb; do dpkg-deb -x "$package" "$scratch/tree"; done
  for modules in "$scratch"/tree/{usr/,}lib/modules/*-amd64; do
    [ -d "$modules" ] && break
  done
  release=$(basename "$modules")
  depmod -b "${modules%/lib/modules/*}" "$release"
  mkdir -p "$scratch/kernel/modules"
  for image in "$scratch/tree/boot/vmlinuz-$release" "$modules/vmlinuz"; do
    [ -f "$image" ] && cp "$image" "$scratch/kernel/vmlinuz"
  done
  mv "$modules" "$scratch/kernel/modules/"
  echo "$release" >"$scratch/kernel/release"
}

[ $# -eq 2 ] || fail "usage: fetch_kernel.sh SERIES DIRECTORY" 2
series=$1 directory=$(readlink -m "$2")  # apt takes paths for relative to its own
[ -f "$directory/release" ] && exit

read -r _ suites packages < <(awk -v series="$series" '$1 == series' <<<"$kernels") ||
  fail "no kernel $series here; there are $(awk '{printf "%s ", $1}' <<<"$kernels")" 2

mkdir -p "$(dirname "$directory")"
scratch=$(mktemp -d -p "$(dirname "$directory")" .fetch.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

write_sources "$suites"
private_apt apt-get update || fail "read the package lists of $suites at $mirror; is the network there?"
version=$(newest_version "$series" "${packages%%,*}")
[ -n "$version" ] || fail "no package ${packages/VERSION/$series} in $suites any more; see packages.debian.org"
IFS=, read -ra names <<<"${packages//VERSION/$version}"
echo "fetching ${names[*]} of Debian ${suites//,/ and }"
(cd "$scratch" && private_apt apt-get download "${names[@]}") ||
  fail "download ${names[*]} from $mirror"
unpack
rm -rf "$directory"
mv "$scratch/kernel" "$directory"
