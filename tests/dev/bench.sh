#!/usr/bin/env bash
# ./dev bench [SUITE [ROUNDS]] [--quick] [--compare FILE]: speed, side by side with the peers. Each suite is
# tests/bench/SUITE.sh; it writes build/bench/SUITE.json, an array of rows {suite, name, unit, rounds[], min, median,
# max, peer, ratio}. build/bench/results.json holds the rows of every suite that has run here. Lower is better but
# where the unit is something a second.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suites="policy scrub graphql proxy growth"
words=() quick='' compared=''
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=quick ;;
        --compare) compared=${2:-} && shift ;;
        -*) echo "./dev bench: there is no option $1" >&2; exit 2 ;;
        *) words+=("$1") ;;
    esac
    shift
done
chosen=${words[0]:-$suites}
rounds=${words[1]:-${quick:+3}}
rounds=${rounds:-5}
for suite in $chosen; do
    if [ ! -f "tests/bench/$suite.sh" ] || [[ " $suites " != *" $suite "* ]]; then
        echo "./dev bench: there is no \"$suite\", only: $suites" >&2
        exit 2
    fi
done
case $rounds in
    ''|*[!0-9]*|0|???*) echo "./dev bench: \"$rounds\" is not a number of rounds (1 to 99)" >&2; exit 2 ;;
esac
if [ -n "$compared" ] && ! jq -e 'type == "array"' "$compared" >/dev/null 2>&1; then
    echo "./dev bench: \"$compared\" holds no rows of an earlier run" >&2
    exit 2
fi

# Three digits that matter. A figure with several peers is one line: theirs stand behind ours, each with the ratio.
short='def short: if . == null then "" elif . >= 100 then round | tostring
    elif . >= 10 then (. * 10 | round / 10 | tostring) else (. * 100 | round / 100 | tostring) end;'
table=$short'
["", "unit", "min", "median", "max", "peers: median (ratio)"],
(reduce .[] as $row ([]; if .[-1][0].name? == $row.name then .[-1] += [$row] else . + [[$row]] end) | .[]
    | [.[0].name, .[0].unit, (.[0] | (.min, .median, .max) | short),
        (map(select(.peer) | "\(.peer.name) \(.peer.median | short) (\(.ratio | short))") | join("  "))]) | @tsv'

# Both runs beside one another: what is ours, and how it stands to the peer, since the machine may differ.
comparison=$short'
def key: .suite + .name + (.peer.name? // "");
($old[0] | map({key: key, value: .}) | from_entries) as $old
| ["", "unit", "peer", "median then", "now", "now/then", "ratio then", "now"],
(.[] | . as $row | $old[key] | select(.) | [$row.name, $row.unit, $row.peer.name? // "", (.median | short),
    ($row.median | short), (if .median > 0 then $row.median / .median else null end | short), (.ratio | short),
    ($row.ratio | short)]) | @tsv'

print_columns() {
    awk -F'\t' '{ printf "%-52s %-11s", $1, $2; for (i = 3; i <= NF; i++) printf " %12s", $i; print "" }'
}

show_table() { # FILE
    jq -r "$table" "$1" | awk -F'\t' '{ printf "%-58s %-10s %8s %8s %8s  %s\n", $1, $2, $3, $4, $5, $6 }'
}

need $packages_build $packages_bench $(packages_node) && build release || exit 1
mkdir -p build/bench
failed=0
for suite in $chosen; do
    if "tests/bench/$suite.sh" "$rounds" $quick; then
        echo
        printf '%s%s%s\n' "$bold" "$suite" "$plain"
        show_table "build/bench/$suite.json"
        if [ -n "$compared" ]; then
            printf '\n%s%s%s beside %s\n' "$bold" "$suite" "$plain" "$compared"
            jq -r --slurpfile old "$compared" "$comparison" "build/bench/$suite.json" | print_columns
        fi
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
