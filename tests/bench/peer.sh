# Read by the suites of ./dev bench: programs that others wrote, to measure beside ours.

peers=build/bench/peers # what Debian's packages hold, unpacked here: no service is installed or started

unpack_packages() { # PACKAGE FURTHER-PACKAGE...: all below PACKAGE's folder
    local kept=$PWD/$peers/packages into=$1 package
    mkdir -p "$kept"
    for package in "$@"; do
        (cd "$kept" && rm -f "$package"_*.deb && apt-get download "$package" &&
            dpkg-deb -x "$package"_*.deb "../$into") || return 1
    done
}

refresh_lists() {
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
    "${sudo[@]}" apt-get update
}

# Where libraries that came with an unpacked PACKAGE are.
peer_libraries() { # PACKAGE
    echo "$PWD/$peers/$1/usr/lib/$(gcc -print-multiarch)"
}

peer_is_whole() { # PACKAGE
    [ -x "$peer" ] && ! LD_LIBRARY_PATH=$(peer_libraries "$1") ldd "$peer" | grep 'not found'
}

# Sets `peer` to the program: the machine's own, or the one in Debian's PACKAGE with its LIBRARIES, which are other
# packages. False if there is none.
find_peer() { # NAME PACKAGE PATH-IN-PACKAGE LIBRARY...
    local package=$2 path=$3
    peer=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") && return 0
    shift 3
    peer=$PWD/$peers/$package/$path
    peer_is_whole "$package" >/dev/null 2>&1 && return 0
    step "bench-$package" "Debian's $package, unpacked in $peers" unpack_packages "$package" "$@" ||
        { step apt-update "package lists" refresh_lists &&
            step "bench-$package" "Debian's $package, unpacked in $peers" unpack_packages "$package" "$@"; } || return 1
    peer_is_whole "$package"
}

# Processor time that a process has used so far, user and system, in nanoseconds.
cpu_ns() { # PID
    cut -d' ' -f1 "/proc/$1/schedstat"
}
