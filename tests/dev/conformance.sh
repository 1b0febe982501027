#!/usr/bin/env bash
# ./dev conformance [--peers] [--show] [WORD...]: the cases of tests/conformance/ against our sidecar, TAP; with --peers
# against Debian's nginx and HAProxy too, and docs/conformance.md is written anew.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. tests/bench/peer.sh

haproxy_libraries="liblua5.3-0 libopentracing-c-wrapper0 libopentracing1"

# HAProxy needs libraries that few machines have: unpacked beside it.
find_haproxy() {
    local package
    peer=$(PATH=$PATH:/usr/sbin:/sbin command -v haproxy) && return 0
    HAPROXY_LIBS=$PWD/$peers/haproxy/usr/lib/$(gcc -print-multiarch)
    export HAPROXY_LIBS
    for package in $haproxy_libraries; do
        [ -d "$peers/$package" ] && continue
        step "conformance-$package" "Debian's $package, unpacked in $peers" unpack_package "$package" &&
            mkdir -p "$peers/haproxy" && cp -r "$peers/$package/." "$peers/haproxy/" || return 1
    done
    LD_LIBRARY_PATH=$HAPROXY_LIBS find_peer haproxy haproxy usr/sbin/haproxy
}

version_of() { # COMMAND...
    "$@" 2>&1 | sed -n 's/^nginx version: nginx\//nginx /p; s/^HAProxy version \([^ ]*\).*/HAProxy \1/p' | head -n 1
}

for word in "$@"; do
    [ "$word" = --peers ] || continue
    find_peer nginx nginx usr/sbin/nginx || exit 1
    NGINX=$(realpath "$peer")
    NGINX_VERSION=$(version_of "$NGINX" -v)
    find_haproxy || exit 1
    HAPROXY=$(realpath "$peer")
    HAPROXY_VERSION=$(version_of env LD_LIBRARY_PATH="${HAPROXY_LIBS:-}" "$HAPROXY" -v)
    export NGINX NGINX_VERSION HAPROXY HAPROXY_VERSION
done
need $packages_build openssl $(packages_node) && build release || exit 1
exec node tests/conformance/run.js "$@"
