#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what the peers run on: a venv a tool, of pinned packages, and llama.cpp's two programs. See README.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

readonly TOOLS=(autoawq llm-compressor gptqmodel gptaq auto-round auto-round-awq brevitas llama.cpp)
readonly LLAMA_CPP_SOURCE=llama-cpp-python==0.3.16 # a Python package is only how the source is published
readonly LLAMA_CPP_COMMIT=4227c9b                  # what it contains

usage() {
  cat <<TEXT
usage: setup.sh FOLDER [TOOL...]

Makes a venv a tool in FOLDER, and in FOLDER/llama.cpp/bin the programs llama-imatrix and llama-quantize; of these
tools, or of all: ${TOOLS[*]}
What is there already and was made of the same requirements stays. FOLDER/quality.args then has the options of
../quality/quality.py for all that is there. Takes 8 GB and, for llama.cpp, cmake, a C++ compiler and some minutes.
PYTHON names a Python 3.11 or 3.12 with venv; else python3 is taken.
TEXT
}

fail() { echo "setup.sh: $*" >&2; exit 1; }

# logged NAME COMMAND...: runs it with its output in a log; shows the end of the log if it fails.
logged() {
  local log=$folder/$1.log
  shift
  "$@" >>"$log" 2>&1 || { tail -n 10 "$log" >&2; fail "this failed, its log is $log: $*"; }
}

# made NAME MADE_OF: whether NAME is there and was made of just that; removes it if of something else.
made() {
  [[ $(cat "$folder/$1/made-of" 2>/dev/null || true) == "$2" ]] && return
  rm -rf "${folder:?}/$1" "$folder/$1.log"
  echo "making: $1 (log: $folder/$1.log)"
  false
}

readonly PIP=(-m pip --disable-pip-version-check --no-input)
packages_of() { "$folder/$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

# base: what is in reach of every venv; torch is large, so it is there once.
base() {
  local made_of
  made_of=$(echo "$python" && cat "$here/requirements/base.txt")
  made base "$made_of" && return
  logged base "$python" -m venv "$folder/base"
  logged base "$folder/base/bin/python" "${PIP[@]}" install -r "$here/requirements/base.txt"
  echo "$made_of" >"$folder/base/made-of"
}

# venv NAME REQUIREMENTS [PACKAGE]: REQUIREMENTS is a file's name, or empty. PACKAGE is built against the torch of base,
# and without a GPU, for which it would compile kernels that no script here calls.
venv() {
  local name=$1 requirements=${2:+$here/requirements/$2.txt} package=${3:-} made_of install
  made_of=$(echo "$python $package" && cat /dev/null ${requirements:+"$requirements"})
  made "$name" "$made_of" && return
  logged "$name" "$python" -m venv "$folder/$name"
  packages_of base >"$(packages_of "$name")/base.pth"
  install=("$folder/$name/bin/python" "${PIP[@]}" install --no-deps)
  [[ -z $requirements ]] || logged "$name" "${install[@]}" -r "$requirements"
  [[ -z $package ]] || CUDA_VISIBLE_DEVICES="" logged "$name" "${install[@]}" --no-build-isolation "$package"
  echo "$made_of" >"$folder/$name/made-of"
}

llama_cpp() {
  local made_of="$LLAMA_CPP_SOURCE" source=$folder/llama.cpp/source build=$folder/llama.cpp/build
  made llama.cpp "$made_of" && return
  mkdir -p "$source" "$folder/llama.cpp/bin"
  logged llama.cpp "$folder/base/bin/python" "${PIP[@]}" download --no-deps --no-binary llama-cpp-python \
    --dest "$source" "$LLAMA_CPP_SOURCE"
  logged llama.cpp tar -xzf "$source"/llama_cpp_python-*.tar.gz -C "$source" --strip-components=1
  logged llama.cpp cmake -S "$source/vendor/llama.cpp" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_TOOLS=ON -DLLAMA_CURL=OFF
  logged llama.cpp cmake --build "$build" --target llama-imatrix llama-quantize -j "$(nproc)"
  mv "$build"/bin/llama-imatrix "$build"/bin/llama-quantize "$folder/llama.cpp/bin"
  rm -rf "$build" "$source"
  echo "$made_of" >"$folder/llama.cpp/made-of"
}

make_tool() {
  case $1 in
    autoawq) venv autoawq "" autoawq==0.2.9 ;;
    gptqmodel) venv gptqmodel gptqmodel gptqmodel==2.2.0 ;;
    gptaq) venv gptaq gptqmodel gptqmodel==4.0.0 ;; # the first with GPTAQ
    llm-compressor | auto-round | auto-round-awq | brevitas) venv "$1" "$1" ;;
    llama.cpp) llama_cpp ;;
    *) fail "no such tool: $1; there are ${TOOLS[*]}" ;;
  esac
}

write_options() {
  local tool
  for tool in "${TOOLS[@]}"; do
    [[ -f $folder/$tool/made-of ]] || continue
    if [[ $tool == llama.cpp ]]; then
      printf '%s\n' --llama-cpp "$folder/$tool/bin" --llama-cpp-version "$LLAMA_CPP_COMMIT"
    else
      printf '%s\n' --python "$tool=$folder/$tool/bin/python"
    fi
  done >"$folder/quality.args"
}

case ${1:-} in
  "" | -h | --help) usage; exit ;;
esac
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
python=${PYTHON:-python3}
"$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null ||
  fail "$python is no Python 3.11 or 3.12 with venv; on Debian the package is python3-venv, elsewhere set PYTHON"
base
(($#)) || set -- "${TOOLS[@]}"
for tool; do make_tool "$tool"; done
write_options
echo "options of quality.py: @$folder/quality.args"
