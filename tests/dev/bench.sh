#!/usr/bin/env bash
# ./dev bench [SUITE [ROUNDS]]: speed, side by side with the peers. Each suite is tests/bench/SUITE.sh; it writes
# build/bench/SUITE.json, an array of rows {suite, name, unit, rounds[], min, median, max, peer, ratio}.
# build/bench/results.json holds the rows of every suite that has run here. Lower is better in all of them.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suites="policy scrub graphql"
chosen=${1:-$suites}
rounds=${2:-5}
for suite in $chosen; do
    if [ ! -f "tests/bench/$suite.sh" ] || [[ " $suites " != *" $suite "* ]]; then
        echo "./dev bench: there is no \"$suite\", only: $suites" >&2
        exit 2
    fi
done
case $rounds in
    ''|*[!0-9]*|0|???*) echo "./dev bench: \"$rounds\" is not a number of rounds (1 to 99)" >&2; exit 2 ;;
esac

# Three digits that matter.
table='
def short: if . == null then "" elif . >= 100 then round | tostring
    elif . >= 10 then (. * 10 | round / 10 | tostring) else (. * 100 | round / 100 | tostring) end;
["", "unit", "min", "median", "max", "peer", "ratio"],
(.[] | [.name, .unit, (.min | short), (.median | short), (.max | short), (.peer.median? | short), (.ratio | short)])
| @tsv'

show_table() { # FILE
    jq -r "$table" "$1" | awk -F'\t' '{ printf "%-58s %-10s %8s %8s %8s %8s %7s\n", $1, $2, $3, $4, $5, $6, $7 }'
}

need $packages_build $packages_bench $(packages_node) && build release || exit 1
mkdir -p build/bench
failed=0
for suite in $chosen; do
    if "tests/bench/$suite.sh" "$rounds"; then
        echo
        peers=$(jq -r '[.[].peer.name? // empty] | unique | join(", ")' "build/bench/$suite.json")
        printf '%s%s%s (processor time; %s)\n' "$bold" "$suite" "$plain" "${peers:+the peer is }${peers:-no peer}"
        show_table "build/bench/$suite.json"
    else
        failed=$((failed + 1))
    fi
done
results=()
for suite in $suites; do
    if [ -f "build/bench/$suite.json" ]; then results+=("build/bench/$suite.json"); fi
done
[ ${#results[@]} -eq 0 ] || jq -s add "${results[@]}" >build/bench/results.json
[ "$failed" -eq 0 ]
