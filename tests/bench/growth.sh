#!/usr/bin/env bash
# ./dev bench growth: what a request costs as things grow: rules, idle clients, origins, threads. Two sidecars that differ
# in one thing get the same load in turn, round by round; the ratio is what to read, it holds on a busy machine too.
# Writes build/bench/growth.json, in which the smaller one is the peer.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"
. tests/bench/peer.sh
. tests/bench/proxies.sh

rounds=${1:-5}
span_ms=1500 idle_clients=10000
[ "${2:-}" != quick ] || { span_ms=400 idle_clients=2000; }
many_rules=100000 many_origins=1000
top=build/bench/growth
figures=build/bench/growth.tsv
holder=''

clean_up() {
    local name
    [ -z "$holder" ] || kill "$holder" 2>/dev/null
    for name in "${!pids[@]}"; do stop_proxy "$name"; done
    exec 3<&-
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The 20 of the other suites, the hosts of the origins row, and as many as it takes of hosts that nobody asks for.
write_grown_manifest() { # RULES
    write_manifest | jq -c --argjson n "$1" '.policies += [{name: "outbound-access",
        attrs: {host: "*.vtexcommercestable.com.br", path: "/v9/*"}}]
        | .policies += [range($n - (.policies | length)) | {name: "outbound-access",
            attrs: {host: "shop\(.).example", path: "/v\(. % 10)/*"}}]'
}

# Each has a folder of its own, because each has a manifest of its own.
start_grown() { # NAME RULES OPTION...
    local name=$1 rules=$2 home=$top/$1
    shift 2
    mkdir -p "$home" && cp "$top/ca.pem" "$top/token" "$home/" && write_grown_manifest "$rules" >"$home/manifest.json" &&
        start_sidecar "$name" --log-level error "$@"
}

start_origin_once() {
    home=$top
    mkdir -p "$top" && write_token >"$top/token" && start_origin
}

hold_clients() { # PROXY
    coproc $load_core build/release/bin/bench_load --port "${ports[$1]}" --host $janus_host --path /v9/b/200 \
        --clients $idle_clients --hold idle
    holder=$COPROC_PID
    read -r -t 60 -u "${COPROC[0]}"
}

measure() { # ROW PROXY LOAD-OPTION...
    local row=$1 name=$2 answer
    shift 2
    answer=$($load_core build/release/bin/bench_load --port "${ports[$name]}" --path /v9/b/2048 --clients 64 \
        --ms "$span_ms" --watch "${pids[$name]}" "$@" --host $janus_host) || return 1
    printf '%s\t%s\t%s\n' "$row: processor" "$name" "$(sed -E 's/.*"cpu_us":([0-9.]+).*/\1/' <<<"$answer")" >>"$figures"
    [ "$row" != threads ] || printf '%s\t%s\t%s\n' "$row: at saturation" "$name" \
        "$(sed -E 's/.*"per_second":([0-9.]+).*/\1/' <<<"$answer")" >>"$figures"
}

set_up() {
    if [ "$(nproc)" -ge 2 ] && command -v taskset >/dev/null; then proxy_core='taskset -c 0' load_core='taskset -c 1'; fi
    ulimit -n "$(ulimit -Hn)"
    start_origin_once && start_grown small 20 && start_grown rules $many_rules && start_grown idle 20 &&
        start_grown origins 20 && hold_clients idle || return 1
    proxy_core='' # threads want cores
    start_grown one 20 && start_grown two 20 --threads 2
}

# Every client at every host: the connections are there before anything is measured.
warm_origins() {
    $load_core build/release/bin/bench_load --port "${ports[origins]}" --path /v9/b/200 --clients 64 \
        --requests $((20 * many_origins)) --host vtexcommercestable.com.br --hosts $many_origins >"$top/warm"
}

measure_all() {
    local round
    warm_origins || return 1
    for ((round = 0; round <= rounds; round++)); do
        [ $round != 1 ] || : >"$figures" # the first one warms
        measure rules small && measure rules rules && measure idle small && measure idle idle || return 1
        measure origins small --host vtexcommercestable.com.br --hosts 1 &&
            measure origins origins --host vtexcommercestable.com.br --hosts $many_origins || return 1
        measure threads one && measure threads two || return 1
    done
}

rows='
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def summed: {rounds: ., min: min, median: median, max: max};
{"rules: processor": ["GET 2 KiB, \($rules) rules", "us/request", "rules", "small", "20 rules"],
 "idle: processor": ["GET 2 KiB, \($idle) idle clients", "us/request", "idle", "small", "none"],
 "origins: processor": ["GET 2 KiB, \($origins) origins in turn", "us/request", "origins", "small", "one"],
 "threads: processor": ["GET 2 KiB, two threads", "us/request", "two", "one", "one"],
 "threads: at saturation": ["GET 2 KiB, two threads", "requests/s", "two", "one", "one"]} as $names
| [inputs | split("\t") | {row: .[0], proxy: .[1], value: .[2] | tonumber}] as $all
| [$names | to_entries[] | .key as $row | .value as [$name, $unit, $grown, $base, $peer]
   | ($all | map(select(.row == $row and .proxy == $grown).value)) as $ours
   | ($all | map(select(.row == $row and .proxy == $base).value)) as $theirs
   | {suite: "growth", name: $name, unit: $unit} + ($ours | summed) + {peer: ({name: $peer} + ($theirs | summed))}
   | .ratio = .median / .peer.median]'

started=$SECONDS
mkdir -p "$top" build/log
: >"$figures"
if set_up 2>build/log/bench-growth.log && measure_all 2>>build/log/bench-growth.log; then
    result ok "growth: $rounds rounds ($((SECONDS - started)) s)"
else
    result FAIL "growth: the end of build/log/bench-growth.log:"
    show_tail build/log/bench-growth.log 10
    exit 1
fi
jq -nR --arg rules $many_rules --arg idle $idle_clients --arg origins $many_origins "$rows" "$figures" >build/bench/growth.json
