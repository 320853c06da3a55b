#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sysroot.sh TARGET FOLDER: fills FOLDER with what Scrooge links for TARGET (aarch64, armhf, riscv64), all as static
# libraries. Nothing of this system changes and nobody need be root: apt works in FOLDER alone, on an index of its own.
# Libraries that Debian has no static form of, or no package at all for TARGET, are compiled from Debian's sources.
set -euo pipefail
fail() { echo "sysroot: $*" >&2; exit 1; }
(($# == 2)) || fail "usage: sysroot.sh aarch64|armhf|riscv64 FOLDER"

headers=(libeigen3-dev libcli11-dev libflatbuffers-dev)
libraries=(libpcre2-dev libutf8proc-dev libxxhash-dev nettle-dev libhwy-dev libsimdjson-dev libgtest-dev googletest)
sources=(highway simdjson)
case $1 in
  aarch64) architecture=arm64 triple=aarch64-linux-gnu ;;
  armhf) architecture=armhf triple=arm-linux-gnueabihf ;;
  riscv64) # not among the architectures of Debian 12, which has a compiler for it: any architecture's headers do
    architecture=amd64 triple=riscv64-linux-gnu libraries=()
    sources+=(googletest nettle pcre2 utf8proc xxhash)
    ;;
  *) fail "no such target: $1" ;;
esac
command -v "$triple-g++" >/dev/null || fail "$triple-g++ is missing"

# What was made by another version of this script is made anew.
stamp=$(sha256sum <"${BASH_SOURCE[0]}")
[[ -f $2/stamp && $(<"$2/stamp") == "$stamp" ]] && exit 0
rm -rf "$2"
mkdir -p "$2"/{apt/lists/partial,apt/archives/partial,src,usr/include,usr/lib/"$triple"/pkgconfig}
folder=$(cd "$2" && pwd)
include=$folder/usr/include
lib=$folder/usr/lib/$triple
log=$folder/log

logged() { "$@" >>"$log" 2>&1 || fail "this failed, and the log is $log: $*"; }

# ---- packages, from the mirror of this system where it names one -----------------------------------------------------

mirror=$(sed -nE 's,^(URIs: *|deb +(\[[^]]*\] *)?)(https?://[^ ]*/debian/?)( .*)?$,\3,p' \
  /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)
for kind in deb deb-src; do
  echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian}" \
    "bookworm main"
done >"$folder/apt/sources.list"
: >"$folder/apt/status"

apt() {
  apt-get -qq -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o Dir::State="$folder/apt" \
    -o Dir::State::status="$folder/apt/status" -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt" \
    -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o APT::Sandbox::User= "$@" >>"$log" 2>&1 && return
  grep -E '^[EW]:' "$log" | tail -n 3 >&2
  fail "packages for $1 could not be fetched; is there a network? The whole log is $log"
}
apt update
cd "$folder/src"
apt download "${headers[@]}" "${libraries[@]}"
for package in *.deb; do logged dpkg-deb -x "$package" "$folder"; done
apt source --only-source --download-only "${sources[@]}"
for description in *.dsc; do logged dpkg-source --no-check -x "$description" "${description%%_*}"; done
# Only archives are linked, and the CMake files of these two name what is not there.
find "$folder/usr/lib" -name '*.so' -delete
rm -rf "$lib"/cmake/{simdjson,hwy}

# ---- from source -----------------------------------------------------------------------------------------------------

# archive NAME FILE... FLAG...: compiles the files into libNAME.a.
archive() {
  local name=$1 argument files=() flags=() objects=() compiler
  shift
  for argument in "$@"; do
    if [[ $argument == -* ]]; then flags+=("$argument"); else files+=("$argument"); fi
  done
  for argument in "${files[@]}"; do
    compiler=("$triple-gcc")
    [[ $argument == *.c ]] || compiler=("$triple-g++" -std=c++17)
    objects+=("$name-${argument##*/}.o")
    logged "${compiler[@]}" -O2 -fPIC -ffunction-sections -fdata-sections "${flags[@]}" -c "$argument" \
      -o "${objects[-1]}"
  done
  logged "$triple-ar" rcs "$lib/lib$name.a" "${objects[@]}"
}

# described PACKAGE LIBRARY VERSION: what pkg-config is to say of an archive.
described() {
  printf '%s\n' "Name: $1" "Description: $1" "Version: $3" "Libs: -L/usr/lib/$triple -l$2" "Cflags: -I/usr/include" \
    >"$lib/pkgconfig/$1.pc"
}

archive hwy highway/hwy/{targets,aligned_allocator,per_target}.cc -Ihighway
archive simdjson simdjson/singleheader/simdjson.cpp -Isimdjson/singleheader
if [[ $1 == riscv64 ]]; then
  cp simdjson/singleheader/simdjson.h "$include"
  (cd highway && find hwy -name '*.h' -exec cp --parents {} "$include" \;)
  described libhwy hwy 1.0.3

  archive xxhash xxhash/xxhash.c
  cp xxhash/{xxhash,xxh3}.h "$include"
  described libxxhash xxhash 0.8.1

  archive utf8proc utf8proc/utf8proc.c -DUTF8PROC_STATIC
  cp utf8proc/utf8proc.h "$include"
  described libutf8proc utf8proc 2.8.0

  # As its NON-AUTOTOOLS-BUILD says: all but the programs and what other files include.
  cd pcre2/src
  cp config.h.generic config.h
  cp pcre2.h.generic pcre2.h
  cp pcre2_chartables.c.dist pcre2_chartables.c
  cp pcre2.h "$include"
  files=()
  for file in pcre2_*.c; do
    [[ $file == pcre2_@(dftables|fuzzsupport|jit_match|jit_misc|jit_test|printint|ucptables).c ]] || files+=("$file")
  done
  archive pcre2-8 "${files[@]}" -DHAVE_CONFIG_H -DPCRE2_CODE_UNIT_WIDTH=8 -DSUPPORT_UNICODE -DPCRE2_STATIC
  described libpcre2-8 pcre2-8 10.42
  cd ../..

  archive gtest googletest/googletest/src/gtest-all.cc -Igoogletest/googletest -Igoogletest/googletest/include
  archive gtest_main googletest/googletest/src/gtest_main.cc -Igoogletest/googletest/include
  cp -r googletest/googletest/include/gtest "$include"

  cd nettle
  logged ./configure --host="$triple" --disable-shared --enable-mini-gmp --disable-documentation --disable-openssl
  logged make -j2 libnettle.a
  cp libnettle.a "$lib"
  mkdir -p "$include/nettle"
  cp ./*.h "$include/nettle"
  described nettle nettle 3.8.1
  cd ..
fi
cd /
rm -rf "$folder/src" "$folder/apt"
echo "$stamp" >"$folder/stamp"
