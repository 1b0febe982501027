#!/usr/bin/env bash
# ./dev bench policy: verdicts beside nginx's `map` with the same rules. Writes build/bench/policy.json.
#
# nginx runs one process with two listeners that answer alike: with a hundred fixed headers, and with a hundred
# headers whose value is the map's. The map is `volatile`, so each header looks it up again. The same requests go
# to both in turn; the difference of the processor time, by the hundred lookups, is what one lookup costs.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"
. tests/bench/peer.sh

rounds=${1:-5}
lookups=100   # a request
requests=500  # a round and a question, on one connection
bench=build/release/bin/bench_policy
out=build/bench
mkdir -p "$out"

server=''
clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        server=''
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

headers() { # VALUE
    local i
    for ((i = 0; i < lookups; i++)); do echo "add_header A \"$1\";"; done
}

write_config() { # RULES SHAPE
    local pid=$PWD/$out/nginx.pid
    cat <<TEXT
daemon off; master_process off; pid $pid; pcre_jit on; error_log stderr crit;
events { worker_connections 64; }
http {
access_log off; keepalive_requests 1000000; large_client_header_buffers 4 32k;
variables_hash_max_size 65536; map_hash_max_size 1048576; map_hash_bucket_size 256;
client_body_temp_path $PWD/$out/tmp; proxy_temp_path $PWD/$out/tmp; fastcgi_temp_path $PWD/$out/tmp;
uwsgi_temp_path $PWD/$out/tmp; scgi_temp_path $PWD/$out/tmp;
$("$bench" nginx "$1" "$2")
server { listen unix:$PWD/$out/fixed.sock; return 200 ""; $(headers 1) }
server { listen unix:$PWD/$out/map.sock; return 200 ""; $(headers '$allowed') }
}
TEXT
}

start_nginx() { # RULES SHAPE
    local end=$((SECONDS + 60))
    rm -f "$out"/*.sock
    write_config "$1" "$2" >"$out/nginx.conf"
    "$peer" -p "$PWD/$out" -e stderr -c nginx.conf 2>build/log/bench-nginx.log &
    server=$!
    until curl -q -sS -o /dev/null --unix-socket "$out/map.sock" http://api.partner.example/ 2>/dev/null; do
        kill -0 "$server" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

ask() { # SOCKET PATH COUNT: sets `spent`, in nanoseconds
    local before after
    before=$(cpu_ns "$server")
    curl -q -sS -o /dev/null --unix-socket "$out/$1.sock" "http://api.partner.example$2?[1-$3]" || return 1
    after=$(cpu_ns "$server")
    spent=$((after - before))
}

# nginx must say what we say, or the comparison is none.
same_verdict() { # PATH by|denied
    local want=1 got
    [ "$2" = denied ] && want=0
    got=$(curl -q -sS -o /dev/null -D - --unix-socket "$out/map.sock" "http://api.partner.example$1" |
        grep -m1 '^A: ' | tr -d '\r')
    [ "$got" = "A: $want" ]
}

measure_set() { # RULES SHAPE
    local which path round fixed
    local -A paths=([by the first]=first [by the last]=last [denied]=denied)
    for which in "${!paths[@]}"; do
        path=$("$bench" path "$1" "$2" "${paths[$which]}")
        same_verdict "$path" "${which%% *}" || { echo "nginx differs: $1 $2 $which" >&2; return 1; }
    done
    for ((round = 0; round < rounds; round++)); do
        for which in "${!paths[@]}"; do
            path=$("$bench" path "$1" "$2" "${paths[$which]}")
            ask fixed "$path" $requests && fixed=$spent && ask map "$path" $requests || return 1
            printf 'verdict, %s rules, %s, %s\t%s\n' "$1" "$2" "$which" \
                "$(awk "BEGIN { print ($spent - $fixed) / $requests / $lookups }")"
        done
    done
}

measure_peer() {
    local rules shape
    for rules in 20 1000 100000; do
        for shape in exact prefix middle mixed stars; do
            start_nginx "$rules" "$shape" && measure_set "$rules" "$shape" || return 1
            clean_up
        done
    done
}

# Puts the peer's rounds beside ours.
join='
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
($peer | split("\n") | map(select(. != "") | split("\t") | {name: .[0], ns: .[1] | tonumber}) | group_by(.name)
    | map({key: .[0].name, value: map(.ns)}) | from_entries) as $theirs
| map(($theirs[.name]) as $rounds
    | if $rounds then .peer = {name: "nginx map", $rounds, min: ($rounds | min), median: ($rounds | median),
        max: ($rounds | max)} | .ratio = .median / .peer.median else . end)'

step bench-policy "policy: $rounds rounds of ours" sh -c "$bench $rounds >$out/policy-ours.json" || exit 1
: >"$out/policy-peer.tsv"
status=0
if find_peer nginx nginx usr/sbin/nginx; then
    started=$SECONDS
    if measure_peer >"$out/policy-peer.tsv" 2>build/log/bench-peer.log; then
        result ok "policy: $rounds rounds of $("$peer" -v 2>&1 | sed 's/.*: //') ($((SECONDS - started)) s)"
    else
        status=1
        result FAIL "nginx could not be measured; the ends of build/log/bench-peer.log and bench-nginx.log:"
        show_tail build/log/bench-peer.log 5
        show_tail build/log/bench-nginx.log 5
    fi
else
    result skip "there is no nginx to measure beside"
fi
jq --rawfile peer "$out/policy-peer.tsv" "$join" "$out/policy-ours.json" >"$out/policy.json" || exit 1
exit $status
