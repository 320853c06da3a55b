#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bare_debian.sh PACKAGES CACHE: the Debian packages of the folder PACKAGES on a Debian 12 that has nothing but what
# every Debian has: apt installs them by their dependencies alone, the command quantizes, and C programs and the Rust
# crates are built with Debian's own compilers and run. In a folder below CACHE, by chroot, as root; nothing of this
# system changes, and the folder goes when all is done. The minimal system and what apt fetches stay in CACHE.
# `./dev packages` runs it.
set -euo pipefail
export LC_ALL=C
fail() { echo "bare_debian: $*" >&2; exit 1; }
(($# == 2)) || fail "usage: bare_debian.sh PACKAGES CACHE"
((EUID == 0)) || fail "chroot and debootstrap need root"
for command in debootstrap unshare dpkg; do
  command -v $command >/dev/null || fail "$command is missing; on Debian: apt-get install debootstrap util-linux"
done
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages=$(cd "$1" && pwd)
mkdir -p "$2"
cache=$(cd "$2" && pwd)
base=$cache/bookworm-$(dpkg --print-architecture) archives=$cache/archives
mkdir -p "$archives/partial"

# Mounts are of a name space of their own and go with it, whatever happens.
inside() { # COMMAND...
  unshare --mount --pid --fork --kill-child bash -c 'mount -t proc proc "$0/proc" &&
    mount --bind "$1" "$0/var/cache/apt/archives" && exec chroot "$0" "${@:2}"' "$root" "$archives" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}
quietly() { "$@" >"$cache/log" 2>&1 || { tail -n 30 "$cache/log" >&2; fail "failed: $*"; }; }

if [[ ! -d $base ]]; then
  echo "debootstrap, once"
  mirror=$(sed -nE 's,^(URIs: *|deb +(\[[^]]*\] *)?)(https?://[^ ]*/debian/?)( .*)?$,\3,p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)
  rm -rf "$base.new"
  quietly debootstrap --variant=minbase bookworm "$base.new" ${mirror:+"$mirror"}
  mv "$base.new" "$base"
fi
root=$(mktemp -d "$cache/root.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
cp -a "$base/." "$root"
cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/t"
cp "$packages"/{libscrooge0,scrooge-dev,scrooge-tools}_*.deb "$root/t"
cp "$source"/tests/consumers/{program,reader_program}.c "$root/t"
cp -r "$source/tests/golden/tiny_llama" "$source/tests/golden/tiny_text.txt" "$source/bindings/rust" "$root/t"
chown -R 0:0 "$root/t"
install_packages() { # a package of Debian, or the start of the name of one of ours
  local package arguments=()
  for package in "$@"; do
    [[ $package != *_ ]] || package=/t/$(basename "$root/t/$package"*.deb)
    arguments+=("$package")
  done
  quietly inside apt-get install -qq -y --no-install-recommends "${arguments[@]}"
}
quietly inside apt-get -qq update

echo "runtime and tools"
install_packages libscrooge0_ scrooge-tools_
quietly inside scrooge quantize /t/tiny_llama --output /t/tiny.scrooge --calibration /t/tiny_text.txt --samples 4 \
  --length 64 --group 32
quietly inside scrooge verify /t/tiny.scrooge

echo "C, shared and static"
install_packages scrooge-dev_ gcc pkg-config
quietly inside sh -euc 'cd /t
  flags="-std=c99 -Wall -Wextra -pedantic -Werror"
  gcc $flags program.c $(pkg-config --cflags --libs scrooge) -o shared
  gcc $flags program.c $(pkg-config --cflags scrooge) \
    $(pkg-config --static --libs scrooge | sed "s/-lscrooge/-l:libscrooge.a/") -o static
  gcc $flags reader_program.c -lscrooge_reader -o reader
  ldd shared | grep -q libscrooge
  if ldd static | grep libscrooge; then exit 1; fi
  for program in shared static reader; do ./$program tiny.scrooge; done'

echo "Rust, shared and static"
install_packages cargo
quietly inside sh -euc 'cd /t/rust
  cargo --version
  for SCROOGE_STATIC in 0 1; do
    export SCROOGE_STATIC
    cargo build --offline --locked --quiet -p scrooge --example quantize
    if [ $SCROOGE_STATIC = 1 ] && ldd target/debug/examples/quantize | grep libscrooge; then exit 1; fi
    target/debug/examples/quantize /t/tiny_llama /t/tiny_text.txt /t/rust.scrooge
  done
  cargo run --offline --locked --quiet -p scrooge-reader --example list -- /t/rust.scrooge'

quietly inside apt-get purge -qq -y libscrooge0 scrooge-dev scrooge-tools
left=$(find "$root/usr" "$root/etc" "$root/var" -path '*/apt/*' -prune -o -iname '*scrooge*' -print)
[[ -z $left ]] || fail "purged, the packages leave: $left"
echo "the packages work on a bare Debian 12"
