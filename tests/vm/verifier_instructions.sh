#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# verifier_instructions.sh OBJECT: loads the XDP program of an object, on a bpffs of its own, and
# prints how many instructions the verifier of this kernel processed. When the kernel refuses it, the
# end of what the verifier said is on stderr. Needs root.
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2016  # the inner shell expands it
if ! unshare --mount bash -c 'mount -t bpf bpf /sys/fs/bpf &&
    bpftool --debug prog load "$1" /sys/fs/bpf/program' - "$1" &>"$log"; then
  sed '/-- END PROG LOAD LOG --/,$d' "$log" | tail -n 8 >&2
  echo "verifier_instructions.sh: kernel $(uname -r) does not load $1" >&2
  exit 1
fi
sed -n 's/^processed \([0-9]*\) insns.*/\1/p' "$log" | tail -n 1
