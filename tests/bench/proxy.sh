#!/usr/bin/env bash
# ./dev bench proxy: whole requests, beside nginx, HAProxy and the pump (tests/bench/pump.c: the same bytes through the
# same TLS without HTTP). Writes build/bench/proxy.json. The rounds of all are interleaved; the proxies run on one core,
# the load and the origin on the other.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"
. tests/bench/peer.sh
. tests/bench/proxies.sh

rounds=${1:-5}
span_ms=1500 moderate_ms=3000 idle_clients=10000 slow_clients=200
[ "${2:-}" != quick ] || { span_ms=400 moderate_ms=1000 idle_clients=2000 slow_clients=50; }
moderate=3000 # requests a second: a quarter of what any of them can do
mib=1048576
declare -A programs
figures=build/bench/proxy.tsv

clean_up() {
    local name
    for name in "${!pids[@]}"; do stop_proxy "$name"; done
    exec 3<&- 4<&-
}
trap clean_up EXIT
trap 'exit 130' INT TERM

figure() { # NAME UNIT PROXY VALUE
    printf '%s\t%s\t%s\t%s\n' "$@" >>"$figures"
}

send() { # PROXY LOAD-OPTION...: sets `answer`
    local name=$1
    shift
    answer=$($load_core build/release/bin/bench_load --port "${ports[$name]}" --host "$janus_host" \
        --watch "${pids[$name]}" "$@") || { echo "$name: bench_load $*" >&2; return 1; }
}

of_answer() { # KEY
    sed -E "s/.*\"$1\":([0-9.]+).*/\1/" <<<"$answer"
}

saturate() { # PROXY TITLE LOAD-OPTION...
    local name=$1 title=$2
    shift 2
    send "$name" --ms "$span_ms" --clients 64 "$@" || return 1
    figure "$title: processor" us/request "$name" "$(of_answer cpu_us)"
    figure "$title: of it user" us/request "$name" "$(of_answer user_us)"
    figure "$title: of it system" us/request "$name" "$(of_answer system_us)"
    figure "$title: at saturation" requests/s "$name" "$(of_answer per_second)"
}

moderately() { # PROXY
    local at
    send "$1" --path /v9/b/2048 --rate $moderate --ms $moderate_ms --clients 64 || return 1
    for at in p50 p99 p999; do
        figure "GET 2 KiB, $moderate a second: $at" us "$1" "$(of_answer ${at}_us)"
    done
}

one_row() { # ROW PROXY
    case $1 in
    200B) saturate "$2" "GET 200 B" --path /v9/b/200 ;;
    2K) saturate "$2" "GET 2 KiB" --path /v9/b/2048 ;;
    64K) saturate "$2" "GET 64 KiB" --path /v9/b/65536 ;;
    1M) saturate "$2" "GET 1 MiB" --path /v9/b/$mib --clients 16 ;;
    64Kc) saturate "$2" "GET 64 KiB chunked" --path /v9/c/65536 ;;
    post) saturate "$2" "POST 2 KiB" --path /v9/b/200 --post 2048 ;;
    postc) saturate "$2" "POST 2 KiB chunked" --path /v9/b/200 --post 2048 --chunked 1 ;;
    rate) moderately "$2" ;;
    resumed) [ "$2" = pump ] || saturate "$2" "new TLS connection, resumed" --path /v9/x/200 ;;
    full) [ "$2" = pump ] || saturate "$2" "new TLS connection, full" --path /v9/x/200 --host $full_host ;;
    esac
}

# ---- instructions: of user code, by callgrind, so that a busy machine changes nothing

life_under_callgrind() { # PROXY REQUESTS: sets `count`
    local log=$home/callgrind.log proxy_core="env LD_BIND_NOW=1 JANUS_SANDBOX=off valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file=$home/callgrind.log"
    stop_proxy "$1"
    start_proxy "$1" && send "$1" --path /v9/b/2048 --clients 1 --requests "$2" || return 1
    stop_proxy "$1"
    count=$(sed -n 's/.*Collected : //p' "$log")
}

measure_instructions() { # PROXY
    local without
    life_under_callgrind "$1" 50 && without=$count && life_under_callgrind "$1" 250 || return 1
    figure "GET 2 KiB: instructions" a/request "$1" $(((count - without) / 200))
}

# ---- memory: each on a process of its own, so that what came before does not count

memory_kib() { # PROXY KEY
    awk -v key="$2:" '$1 == key { print $2 }' "/proc/${pids[$1]}/status"
}

while_held() { # PROXY CLIENTS LOAD-OPTION...: sets `grown`, bytes of its own memory a client
    local name=$1 clients=$2 before after load
    shift 2
    before=$(memory_kib "$name" RssAnon)
    coproc $load_core build/release/bin/bench_load --port "${ports[$name]}" --host $janus_host --clients "$clients" "$@"
    load=$COPROC_PID
    read -r -t 60 -u "${COPROC[0]}" || { kill "$load"; return 1; }
    [ "${!#}" != slow ] || settle "$name"
    after=$(memory_kib "$name" RssAnon)
    kill "$load" 2>/dev/null
    wait "$load" 2>/dev/null
    grown=$(((after - before) * 1024 / clients))
}

# Until its memory has stopped growing: what nobody reads has filled what there is to fill.
settle() { # PROXY
    local was=-1 now
    now=$(memory_kib "$1" RssAnon)
    while [ "$now" != "$was" ]; do
        was=$now
        sleep 1
        now=$(memory_kib "$1" RssAnon)
    done
}

measure_memory() { # PROXY
    stop_proxy "$1"
    start_proxy "$1" || return 1
    figure "memory at start, resident" KiB "$1" "$(memory_kib "$1" VmRSS)"
    figure "memory at start, its own" KiB "$1" "$(memory_kib "$1" RssAnon)"
    while_held "$1" $idle_clients --path /v9/b/200 --hold idle || return 1
    figure "memory of an idle client" bytes "$1" "$grown"
    stop_proxy "$1"
    start_proxy "$1" || return 1
    while_held "$1" $slow_clients --path /v9/b/$((64 * mib)) --hold slow || return 1
    figure "memory of a slow stream" bytes "$1" "$grown"
    stop_proxy "$1"
    start_proxy "$1" && send "$1" --path /v9/b/$((1024 * mib)) --requests 1 || return 1
    figure "memory while 1 GiB streams, peak" KiB "$1" "$(memory_kib "$1" VmHWM)"
}

# ---- all of it

set_up() {
    local name
    mkdir -p "$home/tmp" && write_manifest >"$home/manifest.json" && write_token >"$home/token" || return 1
    if [ "$(nproc)" -ge 2 ] && command -v taskset >/dev/null; then proxy_core='taskset -c 0' load_core='taskset -c 1'; fi
    ulimit -n "$(ulimit -Hn)"
    start_origin || return 1
    for name in "${proxies[@]}"; do
        start_proxy "$name" || return 1
        [ "$name" = pump ] || same_work "$name" || return 1
    done
}

measure() {
    local round row name
    for name in "${proxies[@]}"; do send "$name" --ms 200 --clients 64 --path /v9/b/2048 || return 1; done # warm
    for ((round = 0; round < rounds; round++)); do
        for row in 200B 2K 64K 1M 64Kc post postc rate resumed full; do
            for name in "${proxies[@]}"; do one_row $row "$name" || return 1; done
        done
    done
    for name in "${proxies[@]}"; do
        ! command -v valgrind >/dev/null || measure_instructions "$name" || return 1
        case $name in pump | *logging) ;; *) measure_memory "$name" || return 1 ;; esac
    done
}

# A row for each figure and peer, in the order of measuring.
rows='
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def summed: {rounds: ., min: min, median: median, max: max};
[inputs | split("\t") | {name: .[0], unit: .[1], proxy: .[2], value: .[3] | tonumber}] as $all
| ($all | map(.name) | reduce .[] as $n ([]; if index([$n]) then . else . + [$n] end)) as $names
| [ $names[] as $name | ($all | map(select(.name == $name))) as $of
  | ($of | map(select(.proxy == "sidecar").value)) as $ours | select($ours != [])
  | $peers[] as $peer | ($of | map(select(.proxy == $peer).value)) as $theirs | select($theirs != [])
  | {suite: "proxy", name: $name, unit: $of[0].unit} + ($ours | summed)
    + {peer: ({name: $peer} + ($theirs | summed))}
  | .ratio = (if .peer.median > 0 then .median / .peer.median else null end) ]'

started=$SECONDS
proxies=(sidecar sidecar-logging)
if find_peer nginx nginx usr/sbin/nginx; then
    programs[nginx]=$peer proxies+=(nginx)
else
    result skip "there is no nginx to measure beside"
fi
if find_peer haproxy haproxy usr/sbin/haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1; then
    programs[haproxy]=$peer proxies+=(haproxy)
else
    result skip "there is no HAProxy to measure beside"
fi
proxies+=(pump)
: >"$figures"
if set_up 2>build/log/bench-proxy.log && measure 2>>build/log/bench-proxy.log; then
    result ok "proxy: $rounds rounds of ${#proxies[@]} ($((SECONDS - started)) s)"
else
    result FAIL "proxy: the end of build/log/bench-proxy.log:"
    show_tail build/log/bench-proxy.log 10
    exit 1
fi
jq -nR --argjson peers '["nginx", "haproxy", "pump", "sidecar-logging"]' "$rows" "$figures" >build/bench/proxy.json
