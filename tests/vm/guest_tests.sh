#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the guest runs: the hook past the verifier, the tests that /run/exchange/selection matches, and
# the demo. Leaves instructions, results.xml and demo.json in /run/exchange. The exit status says
# whether the hook was loaded and the demo good; the tests are for the reader of results.xml to judge.
set -euo pipefail
exchange=/run/exchange
seconds_per_test=300
export LINEARB_TEST_RATE=5000  # packets/s; the software CPU loses none in native mode

tests/vm/verifier_instructions.sh build/linearb.bpf.o >"$exchange/instructions"
echo "Linux $(uname -r) takes the hook"
ctest --test-dir build -R "$(cat "$exchange/selection")" --timeout "$seconds_per_test" \
  --output-on-failure --output-junit "$exchange/results.xml" || true
build/linearb demo --packets 2000 --rate 2000 --json >"$exchange/demo.json"
