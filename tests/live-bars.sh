#!/usr/bin/env bash
# The live bars: an emulator, a broker and a controller as processes of their own, on loopback. Prints one line of figures for each bar.
#   tests/live-bars.sh [connections|gateways|million] [embedded|mosquitto] [COUNT] [SECONDS]
# RAMP (gateways 2000/s, million 1250/s), PLAN, POLICY, DRIFT_MAX and BUDGET (10m: budgets that are no news are left out so long) change it. Exit code 0: every device received its own desired, and nothing was lost.
# CPU is user + system of each process over the whole run, by message published; memory is each process's peak resident set, by device.
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_gcServer=0 DOTNET_GCConserveMemory=5
bar=${1:-connections} broker=${2:-embedded} seconds=${4:-120}
work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
bin=emulator/bin/Release/net10.0
case $bar in
  connections) count=${3:-15000} devices=(--connections per-device --ramp 500/s --rate 1/10 --phase 10s) report=10s plan=1s ;;
  gateways) count=${3:-100000} devices=(--gateways 8 --ramp "${RAMP:-2000/s}" --rate 1/10 --phase 10s) report=10s plan=5s ;;
  million) count=${3:-1000000} devices=(--gateways 16 --ramp "${RAMP:-1250/s}" --rate 1/60 --phase 60s --threads 2) report=60s plan=${PLAN:-20s} ;;
  *) echo "bar is \"$bar\"; allowed: connections, gateways, million" >&2; exit 2 ;;
esac
pids=()
cleanup() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; rm -rf "$work"; }
trap cleanup EXIT
ulimit -n "$(ulimit -Hn)"

controller=(dotnet "$bin/fleet-controller.dll" --policy "${POLICY:-dual}" --site + --http-port 0 --report "$report" --plan "$plan" ${BUDGET:+--budget "$BUDGET"})
if [ "$broker" = mosquitto ]; then
  sed -E "s/^listener .*/listener $port 127.0.0.1/; s/^persistence true/persistence false/" deploy/mosquitto.conf >"$work/mosquitto.conf"
  mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
  pids+=($!)
  sleep 1
  "${controller[@]}" --broker "mqtt://127.0.0.1:$port" >"$work/controller.log" 2>&1 &
else
  "${controller[@]}" --port "$port" >"$work/controller.log" 2>&1 &
fi
pids+=($!)
until grep -qs "on mqtt://" "$work/controller.log"; do sleep 0.5; kill -0 "${pids[-1]}" || { cat "$work/controller.log"; exit 1; }; done

dotnet "$bin/fleet.dll" devices --broker "mqtt://127.0.0.1:$port" --count "$count" "${devices[@]}" --telemetry-qos1 --drift-max "${DRIFT_MAX:-30s}" --for "${seconds}s" --json >"$work/out.json" 2>"$work/progress.txt"
code=$?
tail -n 3 "$work/progress.txt"
hertz=$(getconf CLK_TCK)
published=$(grep -o '"published":[0-9]*' "$work/out.json" | cut -d: -f2)
for pid in "${pids[@]}"; do
  read -r name ticks < <(sed -E 's/^[0-9]+ \(([^)]*)\) //' "/proc/$pid/stat" | awk -v name="$(cat "/proc/$pid/comm")" '{print name, $12 + $13}')
  peak=$(awk '/^VmHWM/ {print $2}' "/proc/$pid/status")
  awk -v name="$name" -v ticks="$ticks" -v hertz="$hertz" -v published="${published:-0}" -v peak="$peak" -v count="$count" 'BEGIN {
    printf "%s: %.1f CPU s, %.1f us a message published, peak %d MiB, %d bytes a device\n", name, ticks / hertz, published ? ticks / hertz / published * 1e6 : 0, peak / 1024, peak * 1024 / count }'
done
assigned=$(grep -o '"assigned":[0-9]*' "$work/out.json" | cut -d: -f2)
if [ "$code" = 0 ] && [ "${assigned:-0}" != "$count" ]; then echo "${assigned:-0} of $count devices received their own desired" >&2; code=1; fi
echo "$bar $broker exit $code: $(cat "$work/out.json")"
exit "$code"
