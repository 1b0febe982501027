#!/usr/bin/env bash
# ./dev test [--nightly]: builds and runs everything. Every suite speaks TAP (`ok`, `not ok`, `1..N`); every single test is
# counted, and a suite that crashes, hangs, or says nothing counts as failed. The last line is the sum.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
    '')        nightly=no ;;
    --nightly) nightly=yes ;;
    *)         echo "./dev test: there is no \"$1\"; --nightly is" >&2; exit 2 ;;
esac

suite_limit=300     # seconds until a suite counts as hanging
fuzz_seconds=5      # for each fuzzer; ./dev fuzz takes longer
fuzz_seed=1         # a change is not red because of what a dice found; the night and ./dev fuzz look for that
soak_time=10s       # ./dev soak takes longer
if [ $nightly = yes ]; then
    suite_limit=3600 fuzz_seconds=60 fuzz_seed=0 soak_time=30m
fi
units_limit_ms=9000 # all unit tests together, release build, processor time: under 3000 on a quiet machine

passed=0 failed=0 skipped=0 failures=()

fail() { # NAME
    failed=$((failed + 1))
    failures+=("$1")
}

finish() {
    local name
    if [ "$failed" -gt 0 ]; then
        printf '\n%sfailed:%s\n' "$bold" "$plain"
        for name in "${failures[@]}"; do echo "  $name"; done
    fi
    echo
    if [ "$skipped" -gt 0 ]; then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" -eq 0 ]
    exit
}

running='' # the suite that runs now
trap 'trap - INT TERM; [ -n "$running" ] && kill "$running" 2>/dev/null; fail "interrupted"; finish' INT TERM

# Runs a command with a time limit, and stays open to Ctrl-C meanwhile. Sets `status`.
run_limited() { # OUT ERR COMMAND...
    local out=$1 err=$2
    shift 2
    timeout -k 10 "$suite_limit" "$@" >"$out" 2>"$err" </dev/null &
    running=$!
    wait "$running"
    status=$?
    running=''
}

# Prints "passed failed skipped planned" of a TAP file. cmocka 1.1 writes a skipped test as "not ok N # SKIP".
count_tap() { # FILE
    awk '/^(not )?ok [0-9]+ # SKIP/ { s++; next }
         /^ok .* # SKIP/ { s++; next }
         /^ok / { p++ }
         /^not ok / { f++ }
         /^1\.\.[0-9]+/ { plan += substr($1, 4) }
         END { print p + 0, f + 0, s + 0, plan + 0 }' "$1"
}

# A cmocka program that has lost its environment speaks cmocka's own language.
translate_cmocka() { # FILE
    sed -i -E 's/^\[==========\] Running ([0-9]+) test.*/1..\1/; s/^\[ +OK +\] /ok - /
               s/^\[ +FAILED +\] /not ok - /; s/^\[ +SKIPPED +\] /ok - # SKIP /' "$1"
}

# Adds up what a suite wrote to build/log/NAME.tap and how it ended.
count_suite() { # NAME EXIT-STATUS SECONDS
    local name=$1 status=$2 took=$3 tap=build/log/$1.tap p f s planned ran note=''
    translate_cmocka "$tap"
    read -r p f s planned < <(count_tap "$tap")
    ran=$((p + f + s))
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    while IFS= read -r test; do failures+=("$name: $test"); done \
        < <(awk '/^not ok / && !/^not ok [0-9]+ # SKIP/ { sub(/^not ok ([0-9]+ )?(- )?/, ""); print }' "$tap")
    if [ "$status" -eq 124 ]; then
        note="no end after $suite_limit s"
    elif [ "$ran" -eq 0 ]; then
        note="printed no result, exit status $status"
    elif [ "$ran" -ne "$planned" ]; then
        note="ended after $ran of $planned tests, exit status $status"
    elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        note="every test passed, but the exit status is $status"
    fi
    if [ -n "$note" ]; then fail "$name: $note"; fi
    if [ "$f" -gt 0 ] || [ -n "$note" ]; then
        result FAIL "$name: $p passed, $f failed${note:+; $note} - see $tap"
        grep -v '^ok ' "$tap" | tail -n 30 | sed 's/^/        | /'
        [ -s "build/log/$name.err" ] && show_tail "build/log/$name.err" 30
    else
        result ok "$name: $p$([ "$s" -gt 0 ] && echo ", $s skipped") ($took s)"
    fi
    return 0
}

suite() { # NAME COMMAND...
    local name=$1 started=$SECONDS status
    shift
    run_limited "build/log/$name.tap" "build/log/$name.err" "$@"
    count_suite "$name" "$status" $((SECONDS - started))
}

# A suite that ends with 77 could not be run here, and its first line says why.
optional_suite() { # NAME COMMAND...
    local name=$1 started=$SECONDS status
    shift
    run_limited "build/log/$name.tap" "build/log/$name.err" "$@"
    if [ "$status" -eq 77 ]; then
        skipped=$((skipped + 1))
        result skip "$name: $(sed -n 's/^1\.\.0 # SKIP //p' "build/log/$name.tap")"
    else
        count_suite "$name" "$status" $((SECONDS - started))
    fi
}

# Every build/dev/bin/PREFIX_* is a cmocka program.
cmocka_suites() { # PREFIX WHAT
    local program any=no
    for program in build/dev/bin/"$1"_*; do
        [ -x "$program" ] || continue
        any=yes
        suite "${program##*/}" env CMOCKA_MESSAGE_OUTPUT=TAP JANUS_BIN_DIR="$PWD/build/dev/bin" \
            JANUS_RELEASE_BIN_DIR="$PWD/build/release/bin" "$program"
    done
    if [ $any = no ]; then
        result FAIL "$2: none was built"
        fail "$2: none was built"
    fi
}

# Suites that know nothing of threads, with four of them.
threaded_suites() {
    local name
    for name in life reload settings rotation listeners callers admin streaming slow tls_life guard graphql_out metrics log; do
        suite "flow_$name-4-threads" env CMOCKA_MESSAGE_OUTPUT=TAP FLOW_THREADS=4 JANUS_BIN_DIR="$PWD/build/dev/bin" \
            JANUS_RELEASE_BIN_DIR="$PWD/build/release/bin" "build/dev/bin/flow_$name"
    done
}

# Unit tests stay quick, or nobody runs them: their processor time on the release build, as one test.
units_are_quick() {
    local program spent times status=0 started=$SECONDS
    local before after
    before=$(awk '{ print $16 + $17 }' /proc/$$/stat)
    for program in build/release/bin/test_*; do
        [ -x "$program" ] || continue
        CMOCKA_MESSAGE_OUTPUT=TAP "$program" >build/log/units-release.log 2>&1 </dev/null || {
            result FAIL "${program##*/}: fails on the release build"
            show_tail build/log/units-release.log
            fail "${program##*/}: fails on the release build"
            status=1
        }
    done
    after=$(awk '{ print $16 + $17 }' /proc/$$/stat)
    [ $status -eq 0 ] || return 0
    spent=$(((after - before) * 1000 / $(getconf CLK_TCK)))
    times="all unit tests on the release build: $spent ms of processor time, $((SECONDS - started)) s"
    if [ "$spent" -le "$units_limit_ms" ]; then
        passed=$((passed + 1))
        result ok "$times"
    else
        result FAIL "$times (the limit is $units_limit_ms ms)"
        fail "unit tests are quick: $spent ms"
    fi
}

# What a folder wants from npm, at the versions in package-lock.json; installed again only when that file changes.
install_npm() { # FOLDER WHAT
    local folder=$1 stamp=$1/node_modules/.installed want
    want=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return 0
    step "npm-ci-${folder##*/}" "$2" npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund &&
        echo "$want" >"$stamp"
}

samples() {
    local tap=build/log/samples.tap started=$SECONDS status
    rm -f "$tap"
    touch "$tap"
    run_limited build/log/samples.out build/log/samples.err env SAMPLES_TAP="$tap" tests/dev/run.sh --once
    sed -n 's/^\([0-9]*\) of \([0-9]*\) samples.*/1..\2/p' build/log/samples.out >>"$tap"
    [ $status -eq 0 ] || grep -B12 '✗' build/log/samples.out >>build/log/samples.err
    count_suite samples $status $((SECONDS - started))
}

# --- everything ---------------------------------------------------------------------------------------

need $packages_build $packages_run $packages_check $packages_fuzz $packages_guard $packages_metrics $(packages_node) || {
    fail "installing what is missing"
    finish
}
for preset in dev release; do
    build $preset || {
        fail "build $preset"
        finish
    }
done

build threads janus-sidecar || { # ThreadSanitizer's, for one suite
    fail "build threads"
    finish
}

if [ -d ../shared/manifests ]; then
    JANUS_REAL_MANIFESTS=$(cd ../shared/manifests && pwd)
    export JANUS_REAL_MANIFESTS
else
    result skip "the real manifests (../shared/manifests) are not here: their tests are skipped"
fi

suite check tests/dev/check.sh fast
cmocka_suites test "unit tests"
units_are_quick
suite guard tests/bench/guard.sh
cmocka_suites flow "flow tests"
suite threads env CMOCKA_MESSAGE_OUTPUT=TAP JANUS_BIN_DIR="$PWD/build/threads/bin" build/dev/bin/flow_threads
[ $nightly = no ] || threaded_suites
if install_npm tests/clients "the npm clients"; then
    suite clients env JANUS_BIN_DIR="$PWD/build/dev/bin" node tests/clients/run.js
else
    fail "clients: npm ci"
fi
if install_npm tests/graphql "the reference implementation of GraphQL"; then
    suite graphql env JANUS_BIN_DIR="$PWD/build/dev/bin" node tests/graphql/run.js
else
    fail "graphql: npm ci"
fi
samples
suite conformance env JANUS_BIN_DIR="$PWD/build/dev/bin" node tests/conformance/run.js
suite differential env JANUS_BIN_DIR="$PWD/build/dev/bin" node tests/differential/heads.js
suite soak env CMOCKA_MESSAGE_OUTPUT=TAP JANUS_BIN_DIR="$PWD/build/dev/bin" build/dev/bin/soak "$soak_time"
optional_suite package tests/deploy/package.sh
optional_suite redirect tests/deploy/redirect.sh
optional_suite metrics tests/deploy/metrics.sh
result skip "compose: minutes, and an engine; tests/deploy/compose.sh tries docker-compose.yml"
suite fuzz tests/dev/fuzz.sh "$fuzz_seconds" "$fuzz_seed"
suite clang-tidy tests/dev/check.sh tidy
finish
