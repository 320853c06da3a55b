#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages and the archive: made twice with the same bytes, complete, and good for a system that has nothing
# else of Scrooge: unpacked into a scratch root, where the command runs.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
export SOURCE_DATE_EPOCH=1700000000
for turn in first second; do
  quietly "$(dirname "$CMAKE")/cpack" --config "$BUILD/CPackConfig.cmake" -B "$SCRATCH/$turn"
  rm -rf "$SCRATCH/$turn/_CPack_Packages"
  sleep 1 # so that times of the files differ
done
diff -r "$SCRATCH/first" "$SCRATCH/second" || fail "made twice, the packages differ"

cd "$SCRATCH/first"
arch=$(dpkg --print-architecture)
version=$(basename libscrooge0_*"_$arch.deb" "_$arch.deb")
version=${version#libscrooge0_}
root=$SCRATCH/root
mkdir "$root"
for package in libscrooge0 scrooge-dev scrooge-tools; do
  deb=${package}_${version}_$arch.deb
  [[ -s $deb ]] || fail "no $deb among $(ls)"
  dpkg-deb -x "$deb" "$root"
  copyright=$root/usr/share/doc/$package/copyright
  [[ -s $copyright ]] || fail "$package has no copyright file"
  for part in Scrooge CLI11 Eigen FlatBuffers Highway volk Vulkan simdjson xxHash PCRE2 utf8proc Nettle; do
    grep -q "^\(Upstream-Name\|Comment\): .*$part" "$copyright" || fail "the copyright file of $package lacks $part"
  done
  # Each licence that a paragraph of files names has a paragraph with its text.
  awk '/^Files:/ { files = 1 } !NF { files = 0 }
       sub(/^License: /, "") { if (files) used[$0] = 1; else told[$0] = 1 }
       END { for (name in used) if (!(name in told)) { print name; wrong = 1 } exit wrong }' "$copyright" ||
    fail "licences without a text in the copyright file of $package"
  [[ $(dpkg-deb -f "$deb" Maintainer) ]] || fail "$package has no maintainer"
  owners=$(dpkg-deb -c "$deb" | awk '{ print $2 }' | sort -u)
  [[ $owners == root/root ]] || fail "files of $package belong to $owners"
done
field() { dpkg-deb -f "$1_${version}_$arch.deb" Depends; }
has() { [[ ", $(field "$1")," == *", $2"[,\ ]* ]] || fail "$1 does not depend on $2: $(field "$1")"; }
for library in libc6 libstdc++6 libpcre2-8-0 libsimdjson14; do has libscrooge0 $library; done
has scrooge-tools libscrooge0
for library in libscrooge0 libpcre2-dev libutf8proc-dev libhwy-dev libsimdjson-dev libxxhash-dev nettle-dev; do
  has scrooge-dev $library
done
[[ $(field scrooge-dev) =~ libstdc\+\+(-[0-9]+)?-dev ]] || fail "scrooge-dev lacks a C++ library: $(field scrooge-dev)"
# What the packages depend on (the first of alternatives) beside each other is installed here, as it was needed to
# build: so the names are right.
for package in $(for name in libscrooge0 scrooge-dev scrooge-tools; do field $name; done |
  sed 's/([^)]*)//g; s/,/\n/g' | sed 's/|.*//' | tr -d ' ' | sort -u); do
  [[ $package == libscrooge0 ]] && continue
  dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed' || fail "not in Debian: $package"
done
dpkg-deb --ctrl-tarfile "libscrooge0_${version}_$arch.deb" | tar -xO ./shlibs | grep -q '^libscrooge 0 libscrooge0' ||
  fail "libscrooge0 has no shlibs"
files() { dpkg-deb -c "$1_${version}_$arch.deb" | sed 's/.*\.\/usr/usr/; s/ -> .*//' | grep -v '/$'; }
files libscrooge0 | grep -vE '^usr/(lib/.*libscrooge\.so\.0|share/doc)' && fail "too much in libscrooge0"
files scrooge-tools | grep -vE '^usr/(bin/scrooge|lib/.*/ScroogeToolTargets|share/doc)' && fail "too much in scrooge-tools"

quietly "$root/usr/bin/scrooge" quantize "$CHECKPOINT" --method rtn --output "$SCRATCH/tiny.scrooge"
cmp "$SCRATCH/tiny.scrooge" "$MODEL" || fail "the packaged command makes another file"
configure find_package "$SCRATCH/consumer" -DCMAKE_PREFIX_PATH="$root/usr"
quietly "$CMAKE" --build "$SCRATCH/consumer" --target with_scrooge
quietly "$SCRATCH/consumer/with_scrooge" "$MODEL"

mkdir "$SCRATCH/archive"
tar -xzf scrooge-*-Linux-"$(uname -m)".tar.gz -C "$SCRATCH/archive" --strip-components=1
for file in bin/scrooge include/scrooge/scrooge.h share/doc/libscrooge0/LICENSE; do
  find "$SCRATCH/archive" -path "*/$file" | grep -q . || fail "the archive lacks $file"
done
quietly "$(find "$SCRATCH/archive" -path '*/bin/scrooge')" verify "$MODEL"
