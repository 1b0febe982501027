#!/usr/bin/env bash
# ./dev check: rules exist only if a script checks them. Prints TAP.
#   check.sh fast   format, floors, banned functions, and that these checks do find what they look for
#   check.sh tidy   clang-tidy without its path analyzer: seconds instead of a minute; needs a configured build/dev
#   check.sh all    everything: the build with its warnings (they are errors), clang-tidy, cppcheck, and how the
#                   release build is hardened
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

how=${1:-all}
total=0 failed=0

check() { # NAME COMMAND...
    local name=$1 log=build/log/check-${1//[^a-z]/-}.log started=$SECONDS
    shift
    total=$((total + 1))
    if "$@" >"$log" 2>&1 </dev/null; then
        echo "ok $total - $name ($((SECONDS - started)) s)"
    else
        failed=$((failed + 1))
        echo "not ok $total - $name (log: $log)"
        show_findings "$log"
    fi
}

show_findings() { # FILE: its findings without what surrounds them, or its end when there are none
    local found
    found=$(grep -E '(error|warning): ' "$1" | sed "s|^$PWD/||" | sort -u | head -n 40)
    if [ -n "$found" ]; then sed 's/^/        | /' <<<"$found"; else show_tail "$1"; fi
}

sources() { # FOLDER...
    find "$@" -name node_modules -prune -o -name '*.[ch]' -print | sort
}

format() {
    sources config policy proxy tests | xargs clang-format --dry-run -Werror
}

floors() {
    cmake -P tests/floors.cmake
}

banned() {
    sources config policy proxy tests/flow | xargs awk -f tests/dev/banned.awk
}

shell_syntax() {
    local script
    for script in dev .ci/run tests/dev/*.sh tests/bench/*.sh tests/deploy/*.sh deploy/docker/janus-probe \
        deploy/completion/*.bash; do
        bash -n "$script" || return 1
    done
}

# Product code only: the tests' macros are not worth its opinion.
tidy() { # CLANG-TIDY-ARGUMENT...
    sources config policy proxy | grep '\.c$' |
        xargs -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option "$@" 2>&1 |
        grep -vE '^[0-9]+ warnings? .*generated|^[0-9]+ warnings? (generated|treated)|^Error while processing'
    return "${PIPESTATUS[2]}"
}

# Product code only, too. What it is told to leave out stands in .cppcheck, each with its reason.
cppcheck_product() {
    cppcheck --std=c11 -I. -D_GNU_SOURCE -DJANUS_VERSION='""' --enable=warning,performance,portability \
        --library=posix --library=openssl --library=tests/dev/cppcheck.cfg --suppressions-list=.cppcheck \
        --quiet -j "$(nproc)" --error-exitcode=1 --template='{file}:{line}: {severity}: {message} [{id}]' \
        config policy proxy
}

hardening() {
    configure_and_build release && tests/dev/hardening.sh
}

need $packages_build $packages_check || exit 1
if [ "$how" != tidy ]; then
    check format format
    check floors floors
    check "banned functions" banned
    check "shell syntax" shell_syntax
    check "the checks find what they look for" tests/dev/self-test.sh
fi
case $how in
    tidy)
        check "clang-tidy, quick" tidy --checks='-clang-analyzer-*'
        ;;
    all)
        check warnings configure_and_build dev
        check clang-tidy tidy
        check cppcheck cppcheck_product
        check hardening hardening
        ;;
esac
echo "1..$total"
[ "$failed" -eq 0 ]
