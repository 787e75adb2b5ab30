#!/usr/bin/env bash
# Checks that need Debian's packages: a fleet of four processes on Mosquitto, watched with mosquitto_sub, an edge server and a broker
# that die in the middle. Installs what it needs, so it wants root on a machine that lacks it; every line "ok: ..." or "FAILED: ..." is one check. Takes about eight minutes.
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
broker="mqtt://127.0.0.1:$port"
declare -A process=()

install() {
  local missing=()
  command -v mosquitto >/dev/null || missing+=(mosquitto)
  command -v mosquitto_sub >/dev/null || missing+=(mosquitto-clients)
  command -v jq >/dev/null || missing+=(jq)
  command -v npm >/dev/null || missing+=(npm)
  dpkg -s libonnx-testdata >/dev/null 2>&1 || missing+=(libonnx-testdata)
  [ ${#missing[@]} = 0 ] && return
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

cleanup() {
  for name in "${!process[@]}"; do kill "${process[$name]}" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

start() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  process[$name]=$!
}
start_broker() { start mosquitto mosquitto -c "$work/mosquitto.conf"; sleep 1; }
start_edge() { start edge dotnet edge-server/bin/Release/net10.0/fleet-edge.dll --broker "$broker" --store "$work/edge"; }
fleet() { dotnet emulator/bin/Release/net10.0/fleet.dll "$@"; }
watch() { fleet watch --broker "$broker" --for "$1" --json | tail -n 1; }
said() { timeout 5 mosquitto_sub -p "$port" -C 1 -t "fleet/v1/lab/$1"; }
tell() { mosquitto_pub -p "$port" -r -q 1 -t "fleet/v1/lab/$1" "${@:2}"; } # TOPIC PAYLOAD..., retained

# says NAME TOPIC FILTER: what is retained there comes to satisfy the filter within half a minute.
says() {
  local seen
  for _ in $(seq 30); do
    seen=$(said "$2")
    if [ -n "$seen" ] && jq -e "$3" >/dev/null 2>&1 <<<"$seen"; then break; fi
    sleep 1
  done
  check "$1" "$seen" "$3"
}
# check NAME JSON FILTER: the filter must be true of the object.
check() {
  # Nothing to look at is a failure: jq is content with an empty input.
  if [ -n "$2" ] && jq -e "$3" >/dev/null 2>&1 <<<"$2"; then echo "ok: $1"; else echo "FAILED: $1: $3"; echo "        $2"; fi
}
holds() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then echo "ok: $name"; else echo "FAILED: $name"; fi
}

install || { echo "FAILED: Debian's packages could not be installed"; exit 1; }
dotnet build emulator -c Release --nologo -v quiet || { echo "FAILED: the release build"; exit 1; }
sed -E "s/^listener .*/listener $port 127.0.0.1/" deploy/mosquitto.conf >"$work/mosquitto.conf"
printf 'persistence_location %s/\nuser root\n' "$work" >>"$work/mosquitto.conf"

echo "-- four processes on Mosquitto"
start_broker
# On one machine the device is as fast as the edge server and a planner would rightly stay local: a static split makes it offload.
start controller dotnet controller/bin/Release/net10.0/fleet-controller.dll --broker "$broker" --http-port 0 --report 2s --policy static-split
start_edge
start agent-1 dotnet device-agent/bin/Release/net10.0/fleet-agent.dll --broker "$broker" --id pi-1 --rate 40 --store "$work/pi-1"
start agent-2 dotnet device-agent/bin/Release/net10.0/fleet-agent.dll --broker "$broker" --id pi-2 --rate 40 --store "$work/pi-2" --seed 2
sleep 8
seen=$(watch 20s)
check "two agents online, running what is desired" "$seen" '.devices_online == 2 and .edges_online == 1 and .desired_equals_reported'
# Two agents give some 1,600 answers in this time: their accuracy has a standard error of 0.7 points, hence 0.03 and not 0.02.
check "nothing lost" "$seen" '.lost == 0 and .inferences > 1000'
check "accuracy as expected" "$seen" '(.accuracy_ratio - .accuracy_expected_ratio) | fabs < 0.03'
check "offloading" "$seen" '.offload_ratio >= 0.1 and .fallback_ratio <= 0.02'

echo "-- the tree that viewers see"
timeout 6 mosquitto_sub -p "$port" -v -t 'fleet/#' >"$work/tree.txt"
for topic in _summary _plan _edge/edge-1/state _edge/edge-1/info _edge/edge-1/load _edge/edge-1/desired _edge/edge-1/reported pi-1/state pi-1/info pi-1/budget pi-1/infer pi-1/desired pi-1/reported; do
  holds "topic $topic is there" grep -q "^fleet/v1/lab/$topic " "$work/tree.txt"
done
holds "nothing binary under fleet/" bash -c "! LC_ALL=C grep -qP '[^\x20-\x7E]' '$work/tree.txt'"
holds "every message keeps the protocol" fleet lint --broker "$broker" --for 6s
holds "explain tells what pi-1 could do, and what it does" bash -c "dotnet emulator/bin/Release/net10.0/fleet.dll explain pi-1 --broker '$broker' | grep -q '^  \* .* runs\$'"

echo "-- the edge server dies"
kill -9 "${process[edge]}"
gone=$(watch 8s)
check "every inference is answered without it" "$gone" '.lost == 0 and .fallback_ratio > 0.1'
start_edge
sleep 10
back=$(watch 8s)
check "offloading resumes" "$back" '.lost == 0 and .offload_ratio >= 0.1 and .fallback_ratio <= 0.05'

echo "-- the broker dies for ten seconds"
kill -9 "${process[mosquitto]}"
sleep 10
start_broker
sleep 35
again=$(watch 10s)
check "everybody is back" "$again" '.devices_online == 2 and .edges_online == 1 and .desired_equals_reported'
check "the books still close" "$again" '.lost == 0 and .inferences > 200'

echo "-- the controller restarts"
before=$(timeout 2 mosquitto_sub -p "$port" -v -t 'fleet/v1/lab/+/desired' | sort)
kill "${process[controller]}"
sleep 2
start controller dotnet controller/bin/Release/net10.0/fleet-controller.dll --broker "$broker" --http-port 0 --report 2s --policy static-split --artifacts-url "$(grep -o 'http://[^ ]*' "$work/controller.log" | head -n 1)"
sleep 8
after=$(timeout 2 mosquitto_sub -p "$port" -v -t 'fleet/v1/lab/+/desired' | sort)
holds "it changes nothing that need not change" [ -n "$before" -a "$before" = "$after" ]
echo "-- what an operator wants"
printf '{"site": "lab", "points": [{"name": "quiet", "error_weight": 1, "sent_max_bytes": 0}]}' >"$work/objectives.json"
kill "${process[controller]}"
sleep 2
start controller dotnet controller/bin/Release/net10.0/fleet-controller.dll --broker "$broker" --http-port 0 --report 2s --policy static-split --objective "$work/objectives.json:quiet"
says "a controller keeps to a point of a front" _plan '.policy == "dual" and (.reason | endswith("objective quiet")) and .offload_expected_ratio == 0'
tell _objective -m '{"name": "frugal", "joule_weight": 1000, "error_weight": 0.001}'
says "and to another that an operator wants" _plan '.policy == "dual" and (.reason | endswith("objective frugal")) and .offload_expected_ratio > 0.5'
tell _objective -n
says "and to the first again when the operator clears it" _plan '(.reason | endswith("objective quiet")) and .offload_expected_ratio == 0'
sleep 4
quiet=$(watch 10s)
check "nothing is sent then, and nothing lost" "$quiet" '.lost == 0 and .inferences > 300 and .offload_ratio == 0 and .desired_equals_reported'
kill "${process[controller]}" "${process[edge]}"

echo "-- tails come and go within an edge server's memory"
start edge dotnet edge-server/bin/Release/net10.0/fleet-edge.dll --broker "$broker" --store "$work/edge" --tail-memory 4000000 --tail-room 1000000
loads=1
for kind in greedy infida; do
  # As if the controller before had wanted another tail. Where joules count for much, sending the input to the whole network is worth most.
  sleep 2
  tell _edge/edge-1/desired -m "$(said _edge/edge-1/desired | jq -c '.tails = "2" | .bottlenecks = "" | .version += 1')"
  says "an edge server holds what it is told ($kind)" _edge/edge-1/load ".held_bytes == 861387 and .loads_total == $loads and .unloads_total == $loads - 1"
  timeout 60 mosquitto_sub -p "$port" -t fleet/v1/lab/_edge/edge-1/reported >"$work/reported-$kind.txt" &
  process[listener]=$!
  start controller dotnet controller/bin/Release/net10.0/fleet-controller.dll --broker "$broker" --http-port 0 --report 2s --joule-weight 1000 --placement "$kind" --placement-period 2s --swap-price 1e-9
  says "$kind has it load what saves more" _edge/edge-1/desired ".tails == \"0\" and (.reason | startswith(\"$kind: saves\"))"
  says "it holds that alone in the end" _edge/edge-1/load ".held_bytes == 3747672 and .loads_total == $loads + 1 and .unloads_total == $loads and .refused == 0"
  kill "${process[listener]}"
  holds "and held both before" bash -c "jq -r .tails '$work/reported-$kind.txt' | uniq | tr '\n' ' ' | grep -q '^2 0,2 0 \$'"
  sleep 4
  placed=$(watch 10s)
  check "what is sent is answered ($kind)" "$placed" '.lost == 0 and .inferences > 300 and .offload_ratio > 0.9 and .fallback_ratio < 0.05 and .desired_equals_reported'
  loads=$((loads + 2))
  kill "${process[controller]}"
done
holds "what cannot be placed is refused" bash -c "dotnet controller/bin/Release/net10.0/fleet-controller.dll --broker '$broker' --http-port 0 --policy dual+hierarchical --cloud cloud --placement greedy 2>&1 | grep -q 'allowed: two of the three'"
for name in edge agent-1 agent-2; do kill "${process[$name]}"; done
sleep 3

echo "-- fifty emulated devices"
up=$(fleet up --broker "$broker" --devices 50 --for 30s --json 2>/dev/null | tail -n 1)
check "on Mosquitto" "$up" '.devices_online == 50 and .desired_equals_reported and .inferences > 3000 and .lost == 0'
up=$(fleet up --port 0 --devices 50 --for 30s --json 2>/dev/null | tail -n 1)
check "on the embedded broker" "$up" '.devices_online == 50 and .desired_equals_reported and .inferences > 3000 and .lost == 0'
check "as accurate as expected" "$up" '((.accuracy_ratio - .accuracy_expected_ratio) | fabs) < 0.02 and .offload_ratio >= 0.1 and .fallback_ratio <= 0.01'

echo "-- very many emulated devices, few or many connections"
start controller dotnet controller/bin/Release/net10.0/fleet-controller.dll --broker "$broker" --http-port 0 --report 2s --site +
sleep 4
whole='.assigned == .devices and .misdirected == 0 and .lost == 0 and .dropped == 0 and (.unacknowledged == 0 or .drift.oldest_unacknowledged_s < 1) and .unheard_by_controller == 0 and .broker_dropped == 0 and .stopped == ""'
start recorder dotnet emulator/bin/Release/net10.0/fleet.dll record --broker "$broker" --out "$work/run.fltrec" --for 40s
bulk=$(fleet devices --broker "$broker" --site bulk --per-site 100 --count 300 --gateways 3 --ramp 300/s --telemetry-qos1 --for 15s --json 2>/dev/null | tail -n 1)
check "300 over three gateways" "$bulk" ".devices == 300 and .connections == 3 and $whole"
bulk=$(fleet devices --broker "$broker" --site own --id-prefix own- --count 200 --connections per-device --ramp 200/s --telemetry-qos1 --for 15s --json 2>/dev/null | tail -n 1)
check "200 over a connection each" "$bulk" ".devices == 200 and .connections == 200 and $whole"
wait "${process[recorder]}"
holds "their recording can be replayed" fleet replay "$work/run.fltrec" --broker "$broker" --speed 4 --drift-max 20s
cut=$(stat -c %s "$work/run.fltrec")
head -c $((cut / 2)) "$work/run.fltrec" >"$work/cut.fltrec"
holds "half a recording is replayed and said to be cut off" bash -c "dotnet emulator/bin/Release/net10.0/fleet.dll replay '$work/cut.fltrec' --broker '$broker' --speed 10 --drift-max 20s 2>&1 | grep -q 'damaged at byte'"

echo "-- clones of a real board"
start agent-1 dotnet device-agent/bin/Release/net10.0/fleet-agent.dll --broker "$broker" --site hybrid --id real --rate 20 --store "$work/real"
sleep 12
clones=$(fleet devices --broker "$broker" --site hybrid --id-prefix clone- --count 20 --gateways 1 --ramp 20/s --clone-of hybrid/real --telemetry-qos1 --for 15s --json 2>/dev/null | tail -n 1)
check "follow what it measures" "$clones" ".predictions[\"hybrid/real\"].error_ratio > 0 and .assigned == 20 and .lost == 0 and .dropped == 0 and (.unacknowledged == 0 or .drift.oldest_unacknowledged_s < 1)"
timeout 3 mosquitto_sub -p "$port" -v -t 'fleet/v1/hybrid/real/prediction' -C 1 >"$work/prediction.txt"
holds "its prediction error is published" grep -q error_ratio "$work/prediction.txt"
for name in controller agent-1; do kill "${process[$name]}"; done
holds "the doctor finds the broker fit" fleet doctor --broker "$broker"
holds "the zoo's files reach what their card says" fleet models verify
echo "-- a run's tables, opened by another reader"
npm install --silent --prefix "$work/npm" hyparquet@1.33.0 >/dev/null
fleet run emulator/scenarios/all-faults.json --events --replications 2 --out "$work/run" >/dev/null
holds "Parquet says what CSV says, and is null where that is empty" node tests/parquet-against-csv.mjs "$work/npm" "$work/run"
echo "-- other people's networks"
tests/third-party-models.sh
echo "end: $work/*.log"
