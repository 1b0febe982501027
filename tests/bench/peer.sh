# Read by the suites of ./dev bench: programs that others wrote, to measure beside ours.

peers=build/bench/peers # what Debian's packages hold, unpacked here: no service is installed or started

unpack_package() { # PACKAGE
    local kept=$PWD/$peers/packages
    mkdir -p "$kept"
    (cd "$kept" && rm -f "$1"_*.deb && apt-get download "$1" && dpkg-deb -x "$1"_*.deb "../$1")
}

refresh_lists() {
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
    "${sudo[@]}" apt-get update
}

# Sets `peer` to the program: the machine's own, or the one in Debian's PACKAGE. False if there is none.
find_peer() { # NAME PACKAGE PATH-IN-PACKAGE
    peer=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") && return 0
    peer=$peers/$2/$3
    [ -x "$peer" ] && return 0
    step "bench-$2" "Debian's $2, unpacked in $peers" unpack_package "$2" ||
        { step apt-update "package lists" refresh_lists &&
            step "bench-$2" "Debian's $2, unpacked in $peers" unpack_package "$2"; } || return 1
    if ldd "$peer" | grep 'not found'; then return 1; fi
    [ -x "$peer" ]
}

# Processor time that a process has used so far, user and system, in nanoseconds.
cpu_ns() { # PID
    cut -d' ' -f1 "/proc/$1/schedstat"
}
