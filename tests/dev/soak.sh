#!/usr/bin/env bash
# ./dev soak [TIME] [SEED]: mixed load with random faults, 30 minutes unless told otherwise; "90s", "30m",
# "2h". What it found is told with the seed, which plays the same requests again. The sanitizers' build.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need $packages_build && build dev || exit 1
JANUS_BIN_DIR=$PWD/build/dev/bin exec build/dev/bin/soak "${1:-30m}" ${2:+"$2"}
