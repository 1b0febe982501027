#!/usr/bin/env bash
# What a request costs, counted, not timed: instructions (callgrind) and system calls (strace) of the release program
# for the same requests over one kept connection. Start-up and the first 50 requests are taken off by a run without the
# rest. Prints TAP; fails where a count is 3 % over tests/bench/ceilings.json. `guard.sh --write` writes that file anew.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"
. tests/bench/peer.sh
. tests/bench/proxies.sh

home=build/bench/guard
bin=build/release/bin
ceilings=tests/bench/ceilings.json
warm=50 counted=200
total=0 failed=0

clean_up() {
    local name
    for name in "${!pids[@]}"; do stop_proxy "$name"; done
    exec 3<&-
}
trap clean_up EXIT

skip() { # REASON
    echo "ok 1 # SKIP $1"
    echo "1..1"
    exit 0
}

load() { # COUNT LOAD-OPTION...
    local n=$1
    shift
    "$bin/bench_load" --port "${ports[sidecar]}" --host "$janus_host" --clients 1 --requests "$n" "$@" >"$home/load"
}

ready_port() {
    local end=$((SECONDS + 60)) port=''
    until port=$(sed -n 's/.*ready listen=127.0.0.1:\([0-9]*\) .*/\1/p' "$home/err") && [ -n "$port" ]; do
        kill -0 "${pids[sidecar]}" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
    ports[sidecar]=$port
}

# One life of the sidecar under a counting program: the warm requests, then the scenario's, if any.
run_under() { # LEVEL "COUNTER..." [LOAD-OPTION...]
    local level=$1 counter=$2
    shift 2
    : >"$home/err" # or the last run's "ready" is read
    # shellcheck disable=SC2086
    $counter "$bin/janus-sidecar" run --account storeacct --manifest "$home/manifest.json" --token-file "$home/token" \
        --ca-file "$home/ca.pem" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --allow-address 127.0.0.0/8 \
        --connect-to "::127.0.0.1:$origin_port" --log-level "$level" 2>"$home/err" &
    pids[sidecar]=$!
    ready_port && load $warm --path /v9/b/2048 && { [ $# -eq 0 ] || load $counted "$@"; }
    local status=$?
    stop_proxy sidecar
    return $status
}

instructions() { # LEVEL [LOAD-OPTION...]: sets `count`
    local level=$1
    shift
    # The helper of the sandbox would be counted too.
    run_under "$level" "env LD_BIND_NOW=1 JANUS_SANDBOX=off valgrind --tool=callgrind --callgrind-out-file=/dev/null" "$@" || return 1
    count=$(sed -n 's/.*Collected : //p' "$home/err")
}

calls() { # [LOAD-OPTION...]: sets `count`, and `waits`, of which it is not known how many there are
    run_under error "strace -D -f -c -o $home/calls" "$@" || return 1
    local end=$((SECONDS + 10))
    until grep -q ' total$' "$home/calls" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; do sleep 0.05; done
    count=$(awk '$NF == "total" { n += $(NF - 1) == "total" ? 0 : $4 } $NF == "epoll_wait" { n -= $4 } END { print n }' "$home/calls")
    rm -f "$home/calls"
}

verdict() { # NAME KIND VALUE
    local ceiling
    total=$((total + 1))
    if [ -n "$writing" ]; then
        written=$(jq --arg n "$1" --arg k "$2" --argjson v "$3" '.[$n][$k] = $v' <<<"$written")
        echo "ok $total - $1: $3 $2 a request, written"
        return
    fi
    ceiling=$(jq -r --arg n "$1" --arg k "$2" '.[$n][$k] // 0' "$ceilings")
    if jq -ne "$3 <= $ceiling * 1.03" >/dev/null; then
        echo "ok $total - $1: $3 $2 a request (at most $ceiling and 3 %)"
    else
        failed=$((failed + 1))
        echo "not ok $total - $1: $3 $2 a request (at most $ceiling and 3 %)"
    fi
}

count_instructions() { # NAME LEVEL BASE LOAD-OPTION...
    local name=$1 level=$2 base=$3
    shift 3
    instructions "$level" "$@" || { failed=$((failed + 1)) total=$((total + 1)); echo "not ok $total - $name: no count"; return; }
    verdict "$name" instructions $(((count - base) / counted))
}

count_calls() { # NAME BASE LOAD-OPTION...
    local name=$1 base=$2
    shift 2
    calls "$@" || { failed=$((failed + 1)) total=$((total + 1)); echo "not ok $total - $name: no count"; return; }
    verdict "$name" calls "$(awk "BEGIN { printf \"%.1f\", ($count - $base) / $counted }")"
}

for tool in valgrind strace jq; do command -v $tool >/dev/null || skip "there is no $tool"; done
[ -x "$bin/bench_load" ] || skip "the release programs are not built"
writing='' written='{}'
[ "${1:-}" != --write ] || writing=yes
mkdir -p "$home" && write_manifest >"$home/manifest.json" && write_token >"$home/token" && start_origin || exit 1

instructions error && base=$count && instructions info && base_logged=$count || { cat "$home/err" >&2; exit 1; }
count_instructions "GET 2 KiB" error "$base" --path /v9/b/2048
count_instructions "GET 2 KiB, logged" info "$base_logged" --path /v9/b/2048
count_instructions "GET 64 KiB" error "$base" --path /v9/b/65536
count_instructions "GET 64 KiB chunked" error "$base" --path /v9/c/65536
count_instructions "POST 2 KiB" error "$base" --path /v9/b/200 --post 2048
if calls; then
    base=$count
    count_calls "GET 2 KiB" "$base" --path /v9/b/2048
    count_calls "POST 2 KiB" "$base" --path /v9/b/200 --post 2048
    count_calls "GET 64 KiB" "$base" --path /v9/b/65536
    count_calls "POST 64 KiB" "$base" --path /v9/b/200 --post 65536
else
    total=$((total + 1))
    echo "ok $total # SKIP system calls cannot be counted here: $(tail -n 1 "$home/err")"
fi
[ -z "$writing" ] || jq -S . <<<"$written" >"$ceilings"
echo "1..$total"
[ "$failed" -eq 0 ]
