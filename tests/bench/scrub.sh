#!/usr/bin/env bash
# ./dev bench scrub: what watching responses for the app token costs. Writes build/bench/scrub.json. No peer does it.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"

mkdir -p build/bench
build/release/bin/bench_scrub "${1:-5}" >build/bench/scrub.json
