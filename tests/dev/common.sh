# Read by the scripts beside it: how they speak, and how they install what is missing.
# They all run in the repository's root.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
export LC_ALL=C.UTF-8
mkdir -p build/log

bold='' red='' green='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
fi

# The end of a log, indented, so that the reason stands where the failure does.
show_tail() { # FILE [LINES]
    tail -n "${2:-40}" "$1" | sed 's/^/        | /'
}

result() { # ok|FAIL|skip TEXT
    local color=$green
    [ "$1" = FAIL ] && color=$red
    [ "$1" = skip ] && color=$dim
    printf '  %s%-4s%s  %s\n' "$color" "$1" "$plain" "$2"
}

# Runs a command as one step: one line, the output in build/log/LOG.log, its end shown on failure.
step() { # LOG TEXT COMMAND...
    local log=build/log/$1.log text=$2 started=$SECONDS
    shift 2
    if "$@" >"$log" 2>&1 </dev/null; then
        result ok "$text ($((SECONDS - started)) s)"
    else
        result FAIL "$text - the end of $log:"
        show_tail "$log"
        return 1
    fi
}

# --- what must be installed ------------------------------------------------------------------------

packages_build="gcc libc6-dev cmake ninja-build pkg-config libevent-dev libevhtp-dev libssl-dev
    libjansson-dev libidn2-dev libc-ares-dev libseccomp-dev libcmocka-dev ca-certificates"
packages_run="curl"
packages_check="clang-format clang-tidy cppcheck"
packages_bench="curl jq iproute2"
packages_guard="valgrind strace jq"
packages_fuzz="clang libclang-rt-14-dev"
packages_metrics="python3-prometheus-client curl jq" # the OpenMetrics parser; promtool: find_promtool

package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Node 18 or newer and npm, from wherever they are; Debian's own only where there is none.
packages_node() {
    node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
}

# Installs what of PACKAGE... is missing. Quiet, and no network, when nothing is.
need() { # PACKAGE...
    command -v dpkg-query >/dev/null || return 0 # not Debian: the build itself will say what it lacks
    local package missing=() sudo=()
    for package in "$@"; do
        package_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            result FAIL "these packages are missing, and we are neither root nor have sudo: ${missing[*]}"
            return 1
        fi
        sudo=(sudo)
    fi
    step apt-update "package lists" "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update &&
        step apt-install "installed ${missing[*]}" "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}"
}

# Where promtool is; fetched where it is not, out of Debian's package and without installing that, because to
# install it is to start a server.
find_promtool() {
    local tools=$PWD/build/tools
    command -v promtool && return 0
    [ -x "$tools/promtool" ] || fetch_promtool "$tools" >build/log/promtool.log 2>&1 || return 1
    echo "$tools/promtool"
}

fetch_promtool() { # FOLDER
    local scratch status
    command -v apt-get >/dev/null && mkdir -p "$1" && scratch=$(mktemp -d) || return 1
    (cd "$scratch" && { apt-get download prometheus || { apt-get update && apt-get download prometheus; }; } &&
        dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool && mv usr/bin/promtool "$1/")
    status=$?
    rm -rf "$scratch"
    return $status
}

# --- building --------------------------------------------------------------------------------------

configure_and_build() { # PRESET [TARGET]
    cmake --preset "$1" && cmake --build --preset "$1" ${2:+--target "$2"}
}

build() { # PRESET [TARGET]
    step "build-$1" "build $1" configure_and_build "$@"
}
