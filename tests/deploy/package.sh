#!/usr/bin/env bash
# Makes the package from the release build and looks at it: what is in it, what it depends on, that its files are
# of use. Installs nothing. Prints TAP; exit 77 when there is no dpkg here.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"

for tool in cpack dpkg-deb dpkg-shlibdeps man file; do
    command -v $tool >/dev/null || { echo "1..0 # SKIP there is no $tool"; exit 77; }
done

total=0 failed=0
row() { # NAME COMMAND...
    local name=$1
    shift
    total=$((total + 1))
    if "$@" >build/log/package-row.log 2>&1 </dev/null; then
        echo "ok $total - $name"
    else
        failed=$((failed + 1))
        echo "not ok $total - $name"
        show_tail build/log/package-row.log 15 | sed 's/^/# /'
    fi
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root

make_package() {
    cmake --preset release && cmake --build --preset release --target janus-sidecar &&
        (cd build/release && cpack -G DEB -B "$scratch/pack")
}
unpack() { deb=$(echo "$scratch"/pack/*.deb) && dpkg-deb -x "$deb" "$root"; }
depends_on() { dpkg-deb -f "$deb" Depends | grep -q "$1"; }
stripped() { file "$root/usr/bin/janus-sidecar" | grep -q ', stripped'; }
page_is_clean() { # man says on standard error what it could not set
    [ -z "$(man --warnings -l "$root/usr/share/man/man1/janus-sidecar.1" 2>&1 >"$scratch/page")" ] &&
        grep -q -e '--token-file' "$scratch/page"
}
commands_in_page() { # every command of --help is in the page
    local word
    "$root/usr/bin/janus-sidecar" --help | awk '/^  janus-sidecar/ { print $2 }' | while read -r word; do
        grep -q "^.B $word" "$root/usr/share/man/man1/janus-sidecar.1" || { echo "missing: $word"; exit 1; }
    done
}
completes() { # WANTED WORD...: completing the last WORD offers WANTED
    local wanted=$1
    shift
    PATH=$root/usr/bin:$PATH bash -c '. "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); _janus_sidecar
        printf "%s\n" "${COMPREPLY[@]}"' completion "$root/usr/share/bash-completion/completions/janus-sidecar" "$@" |
        tr '\n' ' ' | grep -q -e "$wanted"
}
unit_is_valid() { # with the program where systemd would look for it
    local unit=$scratch/janus-sidecar@.service
    sed '/^Documentation/d' "$root/usr/lib/systemd/system/janus-sidecar@.socket" >"$scratch/janus-sidecar@.socket"
    sed "s|^ExecStart=janus-sidecar|ExecStart=$root/usr/bin/janus-sidecar|; /^Documentation/d" \
        "$root/usr/lib/systemd/system/janus-sidecar@.service" >"$unit"
    [ -z "$(systemd-analyze verify --man=no "$unit" "$scratch/janus-sidecar@.socket" 2>&1 | tee /dev/stderr)" ] &&
        systemd-analyze security --offline=true --threshold=20 "$unit"
}
socket_reaches() { # the socket unit's name is the one that its comment tells to use, and the sidecar takes it
    local unit=$root/usr/lib/systemd/system/janus-sidecar@.socket name
    name=$(sed -n 's/^FileDescriptorName=//p' "$unit")
    grep -q "systemd:$name" "$unit" || return 1
    echo '{"vendor": "a", "name": "b", "version": "1.0.0", "policies": []}' >"$scratch/manifest.json"
    systemd-socket-activate --listen="$scratch/activated.sock" --fdname="$name" "$root/usr/bin/janus-sidecar" run \
        --account storeacct --manifest "$scratch/manifest.json" --listen "systemd:$name" --admin 127.0.0.1:0 &
    local pid=$!
    curl -s -o /dev/null -w '%{http_code}' --retry 20 --retry-delay 1 --retry-all-errors --max-time 5 \
        --unix-socket "$scratch/activated.sock" http://nobody.example/ | grep -q 403
    local status=$?
    kill $pid && wait $pid
    return $status
}
installs() {
    cmake --install build/release --prefix "$scratch/prefix" && "$scratch/prefix/bin/janus-sidecar" version
}

row "cpack makes a package" make_package
row "it unpacks" unpack
row "its program runs" "$root/usr/bin/janus-sidecar" version
row "its program is stripped" stripped
for library in libc6 libssl3 libevent-core libc-ares2 libevhtp0 libjansson4 libidn2-0 libseccomp2; do
    row "it depends on $library" depends_on $library
done
row "the manual page has no warning" page_is_clean
row "the manual page knows every command" commands_in_page
row "completion: commands" completes '^validate $' janus-sidecar val
row "completion: options" completes '^--token-file $' janus-sidecar run --token-fi
row "completion: choices of an option" completes '^absent placeholder always off $' janus-sidecar run --inject ''
row "completion: nothing for a time" completes '^ *$' janus-sidecar run --drain-timeout ''
row "cmake --install puts it under a prefix" installs
if command -v systemd-analyze >/dev/null; then row "the systemd units are valid, and closed" unit_is_valid; fi
if command -v systemd-socket-activate >/dev/null; then row "the socket unit leads to the sidecar" socket_reaches; fi

echo "1..$total"
[ "$failed" -eq 0 ]
