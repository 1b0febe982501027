#!/usr/bin/env bash
# Tries docker-compose.yml with a real engine. Prints TAP; exit 77 (and `1..0 # SKIP`) when no engine can be had.
#   tests/deploy/compose.sh             uses the engine that runs (DOCKER_HOST is honoured), or starts a dockerd of
#                                       its own if it is root and has one, and ends it
#   tests/deploy/compose.sh --install   first installs Debian's docker.io, docker-compose and debootstrap (as root)
#   BASE=IMAGE                          the base image; otherwise debian:12-slim, or, if that cannot be pulled,
#                                       one made with debootstrap
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"

engine_limit=60 # seconds for a dockerd's start
project=janus-compose-test-$$
scratch='' engine='' bridge_was_there=yes

skip() { # WHY
    echo "1..0 # SKIP $1"
    exit 77
}

compose() { # ARGUMENT...
    if docker compose version >/dev/null 2>&1; then
        BASE=$BASE docker compose -p "$project" "$@"
    else
        BASE=$BASE docker-compose -p "$project" "$@"
    fi
}

clean_up() {
    trap - EXIT INT TERM
    if [ -n "${BASE:-}" ]; then compose down -v --timeout 5 >>build/log/compose-down.log 2>&1; fi
    if [ -n "$engine" ]; then
        kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null
        [ $bridge_was_there = yes ] || ip link delete docker0 2>/dev/null
    fi
    if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# --- an engine, compose, a base image ---------------------------------------------------------------

start_engine() {
    local end=$((SECONDS + engine_limit)) data=$PWD/build/compose/engine
    command -v dockerd >/dev/null || skip "no Docker engine runs and there is no dockerd; --install gets Debian's"
    [ "$(id -u)" -eq 0 ] || skip "no Docker engine runs, and only root could start one"
    mkdir -p "$data"
    [ -e /sys/class/net/docker0 ] || bridge_was_there=no
    export DOCKER_HOST=unix://$scratch/docker.sock
    dockerd --data-root "$data" --exec-root "$scratch/exec" --pidfile "$scratch/pid" -H "$DOCKER_HOST" \
        >build/log/dockerd.log 2>&1 &
    engine=$!
    until docker info >/dev/null 2>&1; do
        if ! kill -0 "$engine" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
            show_tail build/log/dockerd.log 15 | sed 's/^/# /'
            skip "dockerd does not start here (its log is above)"
        fi
        sleep 0.2
    done
}

# A Debian of our own. What this machine's npm is told about its registry goes along as the image's environment;
# its package source and certificates too.
make_base() {
    local mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian} registry
    command -v debootstrap >/dev/null || skip "debian:12-slim cannot be pulled and there is no debootstrap"
    debootstrap --variant=minbase bookworm "$scratch/root" "$mirror" >build/log/debootstrap.log 2>&1 ||
        { show_tail build/log/debootstrap.log 15 | sed 's/^/# /'; skip "no base image: debootstrap failed"; }
    registry=$(npm config get registry 2>/dev/null)
    mkdir -p "$scratch/root/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$scratch/root/etc/ssl/builder.crt"
    tar -C "$scratch/root" -c . | docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/builder.crt' \
        ${registry:+--change "ENV npm_config_registry=$registry"} - janus-base:12 >/dev/null
    rm -rf --one-file-system "$scratch/root"
}

choose_base() {
    [ -n "${BASE:-}" ] && return
    if docker image inspect debian:12-slim >/dev/null 2>&1 || docker pull -q debian:12-slim >/dev/null 2>&1; then
        BASE=debian:12-slim
    else
        docker image inspect janus-base:12 >/dev/null 2>&1 || make_base
        BASE=janus-base:12
    fi
}

# --- tests ------------------------------------------------------------------------------------------

total=0 failed=0
row() { # NAME COMMAND...
    local name=$1
    shift
    total=$((total + 1))
    if "$@" >build/log/compose-row.log 2>&1 </dev/null; then
        echo "ok $total - $name"
    else
        failed=$((failed + 1))
        echo "not ok $total - $name"
        show_tail build/log/compose-row.log 15 | sed 's/^/# /'
    fi
}

lines() { # COUNT PATTERN: so many lines of the app's story
    [ "$(grep -cE "$2" build/log/compose-up.log)" -eq "$1" ]
}
no_token() { ! grep -qE 'eyJ[A-Za-z0-9_-]{8,}\.' build/log/compose-up.log; }
inside() { # SERVICE SCRIPT
    compose exec -T "$1" bash -c "$2"
}
story() {
    compose up --abort-on-container-exit --exit-code-from app >build/log/compose-up.log 2>&1 </dev/null
}
stops_with_0() { # SERVICE
    local id
    id=$(compose ps -q "$1") && docker stop -t 20 "$id" && [ "$(docker inspect -f '{{.State.ExitCode}}' "$id")" = 0 ]
}

if [ "${1:-}" = --install ]; then need docker.io docker-compose debootstrap iptables || skip "the packages cannot be installed"; fi
command -v docker >/dev/null || skip "there is no docker command; --install gets Debian's"
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null ||
    skip "neither 'docker compose' nor docker-compose is here; --install gets Debian's"
scratch=$(mktemp -d) || exit 1
docker info >/dev/null 2>&1 || start_engine
choose_base
echo "# engine $(docker version -f '{{.Server.Version}}'), $(docker info -f '{{.Driver}}, cgroup {{.CgroupVersion}}'), base $BASE"

row "docker-compose.yml is valid" compose config
row "the images build" compose build
row "the story ends with 0" story
row "three calls are allowed" lines 3 'ALLOWED 200'
row "two are denied, with a reason" lines 2 'OutboundAccessDenied: Role'
row "the orders carry the app token" lines 1 'VtexIdclientAutCookie: .*app token, masked'
row "the IO hop carries it behind Bearer" lines 1 '[Aa]uthorization: Bearer .*app token, masked'
row "the partner gets no credential" lines 1 'no credential'
row "no token is printed by anybody" no_token

row "simulator and sidecar start again" compose up -d simulator sidecar
for service in simulator sidecar; do
    row "$service: not root" inside $service '[ "$(id -u)" = 65532 ]'
    row "$service: no capability" inside $service 'grep -q "^CapBnd:.0000000000000000$" /proc/1/status'
    row "$service: no new privileges" inside $service 'grep -q "^NoNewPrivs:.1$" /proc/1/status'
    row "$service: the root is read-only" inside $service '! touch /tmp/x 2>/dev/null'
done
for tool in gcc cmake npm janus-sim; do
    row "sidecar: no $tool in the image" inside sidecar "! command -v $tool"
done
row "sidecar: every library is there" inside sidecar '! ldd /usr/bin/janus-sidecar | grep "not found"'
ready() { inside sidecar 'for i in {1..50}; do janus-probe readyz && exit 0; sleep 0.2; done; exit 1'; }
row "sidecar: becomes ready" ready
row "sidecar: cannot be reached from another container" \
    inside simulator 'getent hosts sidecar && ! (exec 3<>/dev/tcp/sidecar/8380)'
app_alone() { compose run --rm --no-deps -T --entrypoint bash app -c "$1"; }
row "app: cannot read the token" app_alone '! ls /run/token/ 2>/dev/null | grep -q .'
row "app: is another user than the sidecar" app_alone '[ "$(id -u)" = 65533 ]'
row "sidecar: SIGTERM ends it with 0" stops_with_0 sidecar

echo "1..$total"
[ "$failed" -eq 0 ]
