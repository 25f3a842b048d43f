#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# vm_test.sh [SERIES...]: the tests of tests.txt, and a demo, of what is built in build/, on the newest
# Debian kernel of each series (6.1) in QEMU. The exit status is 1 when one of them failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# A script that waits for a child in the foreground is deaf until that has ended.
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; wait; exit 130' INT TERM
interruptibly() {
  local status=0
  "$@" &
  child=$!
  wait "$child" || status=$?
  child=
  return "$status"
}

# What came back from the guest, in words; on stdout, the last line is the verdict.
report() {
  local exchange=$1 guest_status=$2 took=$3 counts tests_are_good=true verdict=good
  counts=$(python3 tests/count_results.py tests/allowed_skips.txt "$exchange/results.xml") ||
    tests_are_good=false
  [ "$guest_status" -eq 0 ] && $tests_are_good || verdict=FAILED
  head -n -1 <<<"$counts"
  grep -aE 'BUG:|WARNING:|Oops' "$exchange/console" | sed 's/^/the kernel said: /' || true
  echo "Linux $(cat "$exchange/release"): $verdict. $(tail -n 1 <<<"$counts")," \
    "$((took / 60)) min $((took % 60)) s. The verifier processed $(cat "$exchange/instructions")" \
    "instructions of the hook; on $(uname -r), here, $instructions_here"
  [ "$verdict" = good ]
}

test_on() {
  local series=$1 exchange=build/vm/$1.results status=0 start=$SECONDS
  rm -rf "$exchange"
  mkdir -p "$exchange"
  cp "build/vm/$series/release" "$exchange/"
  echo "$selection" >"$exchange/selection"
  echo "booting Linux $(cat "$exchange/release")"
  interruptibly tests/vm/boot.sh "build/vm/$series" "$exchange" tests/vm/guest_tests.sh || status=$?
  if [ ! -s "$exchange/results.xml" ]; then
    echo "Linux $(cat "$exchange/release"): FAILED before the tests were done; what is left is in $exchange" >&2
    return 1
  fi
  report "$exchange" "$status" $((SECONDS - start))
}

[ $# -gt 0 ] || set -- 6.1
for series in "$@"; do tests/vm/fetch_kernel.sh "$series" "build/vm/$series"; done
selection=$(python3 tests/vm/select_tests.py tests/vm/tests.txt build)
instructions_here=$(as_root tests/vm/verifier_instructions.sh build/linearb.bpf.o)
failed=()
for series in "$@"; do
  test_on "$series" || failed+=("$series")
done
[ ${#failed[@]} -eq 0 ] || {
  echo "failed on ${failed[*]}" >&2
  exit 1
}
