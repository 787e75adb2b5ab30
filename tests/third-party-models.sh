#!/usr/bin/env bash
# `fleet models split` on graphs that somebody else wrote: the conformance suite of ONNX itself (Debian's libonnx-testdata, no
# trained weights). Called by with-packages.sh, which installs it and builds; every line "ok: ..." or "FAILED: ..." is one check.
set -uo pipefail
cd "$(dirname "$0")/.."
suite=/usr/share/libonnx-testdata/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

split() { dotnet emulator/bin/Release/net10.0/fleet.dll models split "$@"; }

# refuses TEST OPERATOR: exit code 2, and the reason names the operator.
refuses() {
  split "$suite/node/$1/model.onnx" >"$work/said" 2>&1
  local code=$?
  if [ $code = 2 ] && grep -q "cannot be cut: node .*($2)" "$work/said"; then echo "ok: $1 is refused for its $2"; else echo "FAILED: $1: exit code $code, $(cat "$work/said")"; fi
}

# cuts TEST: stages + tail equal the whole at the first place that is listed.
cuts() {
  local model=$suite/$1/model.onnx at ratio
  at=$(split "$model" --json | jq -r '.cuts[0].value')
  ratio=$(split "$model" --at "$at" --out "$work" --json | jq '.comparison | select(.compared > 0) | .difference_ratio')
  if [ -n "$ratio" ] && jq -e '. <= 1e-4' >/dev/null <<<"$ratio"; then echo "ok: $1 at $at"; else echo "FAILED: $1 at \"$at\": difference ratio \"$ratio\""; fi
}

refuses test_lstm_defaults LSTM
refuses test_gru_defaults GRU
refuses test_simple_rnn_defaults RNN
refuses test_loop11 Loop
refuses test_scan9_sum Scan
refuses test_if If
cuts node/test_softmax_default_axis_expanded
