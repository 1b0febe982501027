#!/usr/bin/env bash
# ./dev bench graphql: reading GraphQL documents, beside the npm package `graphql`. Writes build/bench/graphql.json.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"

rounds=${1:-5}
bench=build/release/bin/bench_graphql
out=build/bench
mkdir -p "$out"

# Puts the peer's rounds beside ours.
join='
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
($peer | split("\n") | map(select(. != "") | split("\t") | {name: .[0], ns: .[1] | tonumber}) | group_by(.name)
    | map({key: .[0].name, value: map(.ns)}) | from_entries) as $theirs
| map(($theirs[.name]) as $rounds
    | if $rounds then .peer = {name: "npm graphql", $rounds, min: ($rounds | min), median: ($rounds | median),
        max: ($rounds | max)} | .ratio = .median / .peer.median else . end)'

peer_is_here() {
    [ -d tests/graphql/node_modules/graphql ] ||
        step npm-ci-graphql "the reference implementation of GraphQL" \
            npm --prefix tests/graphql ci --ignore-scripts --no-audit --no-fund
}

step bench-graphql "graphql: $rounds rounds of ours" sh -c "$bench $rounds >$out/graphql-ours.json" || exit 1
: >"$out/graphql-peer.tsv"
status=0
if peer_is_here; then
    started=$SECONDS
    if node tests/bench/graphql.js "$bench" "$rounds" >"$out/graphql-peer.tsv" 2>build/log/bench-peer.log; then
        result ok "graphql: $rounds rounds of npm graphql ($((SECONDS - started)) s)"
    else
        status=1
        result FAIL "npm graphql could not be measured; the end of build/log/bench-peer.log:"
        show_tail build/log/bench-peer.log 5
    fi
else
    result skip "npm graphql is not here to measure beside"
fi
jq --rawfile peer "$out/graphql-peer.tsv" "$join" "$out/graphql-ours.json" >"$out/graphql.json" || exit 1
exit $status
