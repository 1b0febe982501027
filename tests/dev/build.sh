#!/usr/bin/env bash
# ./dev build: one preset of CMakePresets.json, `release` unless told otherwise.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need $packages_build && build "${1:-release}"
