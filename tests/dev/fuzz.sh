#!/usr/bin/env bash
# ./dev fuzz [SECONDS [SEED]]: every fuzzer, for SECONDS each, beginning with its committed seeds. SEED decides what
# is tried; without one each run tries something else.
# Prints TAP for ./dev test; what a fuzzer found stays in build/fuzz/found/ to be run again:
#   build/fuzz/bin/fuzz_NAME build/fuzz/found/NAME-crash-...
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seconds=${1:-60}
case $seconds in
    ''|*[!0-9]*) echo "./dev fuzz: \"$seconds\" is not a number of seconds" >&2; exit 2 ;;
esac
seed=${2:-0} # libFuzzer takes 0 for "any"
need $packages_build $packages_fuzz && build fuzz || {
    echo "not ok 1 - the fuzzers build"
    echo "1..1"
    exit 1
}

mkdir -p build/fuzz/found
total=0 failed=0
for fuzzer in build/fuzz/bin/fuzz_*; do
    [ -x "$fuzzer" ] || continue
    name=${fuzzer##*/fuzz_}
    total=$((total + 1))
    corpus=build/fuzz/corpus/$name log=build/log/fuzz-$name.log
    mkdir -p "$corpus"
    # Seeds first; what earlier runs learned stays in the corpus folder, which is never committed.
    if [ -d "tests/fuzz/seeds/$name" ]; then cp -R "tests/fuzz/seeds/$name/." "$corpus/"; fi
    words=()
    if [ -f "tests/fuzz/dictionaries/$name" ]; then words=("-dict=tests/fuzz/dictionaries/$name"); fi
    case $name in
        head|chunked|destination|identity|exchange) words=(-dict=tests/fuzz/dictionaries/http) ;;
    esac
    if "$fuzzer" "$corpus" "${words[@]}" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/found/$name-" >"$log" 2>&1 </dev/null; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "ok $total - fuzz $name (${runs:-?} runs)"
    else
        failed=$((failed + 1))
        echo "not ok $total - fuzz $name (log: $log)"
        show_tail "$log" 25
    fi
done
echo "1..$total"
if [ "$total" -eq 0 ]; then
    result FAIL "no fuzzer was built"
    exit 1
fi
[ "$failed" -eq 0 ]
