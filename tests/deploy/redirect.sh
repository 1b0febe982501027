#!/usr/bin/env bash
# Tries deploy/kubernetes/redirect.nft in a network namespace of its own, with the real sidecar and simulator.
# Prints TAP; exit 77 when it cannot be done here: it needs root, nft, ip, unshare, setpriv and curl.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"

skip() { # WHY
    echo "1..0 # SKIP $1"
    exit 77
}

sidecar_user=65532 app_user=1000 outside=198.51.100.9
bin=$PWD/build/release/bin portal=portal.vtexcommercestable.com.br

if [ "${1:-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] || skip "only root makes network namespaces"
    for tool in nft ip unshare setpriv curl; do
        command -v $tool >/dev/null || skip "there is no $tool"
    done
    [ -x "$bin/janus-sidecar" ] && [ -x "$bin/janus-sim" ] || skip "not built: ./dev build"
    unshare -n true 2>/dev/null || skip "no network namespace can be made here"
    exec unshare -n "$0" inside
fi

# --- the namespace: loopback, and an outside that answers nothing ------------------------------------

ip link set lo up && ip link add outside type veth peer name hole && ip link set hole up && ip addr add 198.51.100.2/24 dev outside &&
    ip link set outside up && ip neigh add $outside lladdr 02:00:00:00:00:09 dev outside || exit 1
nft add table inet probe 2>/dev/null || skip "this kernel has no nftables"
nft -f deploy/kubernetes/redirect.nft || exit 1

scratch=$(mktemp -d) simulator='' sidecar=''
clean_up() {
    trap - EXIT
    local pid
    for pid in $sidecar $simulator; do kill "$pid" && wait "$pid"; done 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT
chmod 711 "$scratch"
mkdir "$scratch/run"
chown $sidecar_user "$scratch/run"
cp config/examples/manifest.json "$bin/janus-sim" "$bin/janus-sidecar" "$scratch/"
as() { # USER COMMAND...: only in a subshell, whose process it becomes, so that whoever ends that ends it
    local user=$1
    shift
    exec setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all "$@"
}
wait_ready() { # LOG: sets `ready`
    local end=$((SECONDS + 15))
    until ready=$(grep -m1 '^ready ' "$1"); do
        [ "$SECONDS" -lt "$end" ] || { show_tail "$1"; exit 1; }
        sleep 0.05
    done
}
as $sidecar_user "$scratch/janus-sim" --listen 127.0.0.1:0 --account storeacct --ca-out "$scratch/run/ca.pem" \
    --token-out "$scratch/run/token" 2>"$scratch/janus-sim.log" &
simulator=$!
wait_ready "$scratch/janus-sim.log"
as $sidecar_user "$scratch/janus-sidecar" run --manifest "$scratch/manifest.json" --account storeacct \
    --token-file "$scratch/run/token" --ca-file "$scratch/run/ca.pem" --connect-to "::127.0.0.1:${ready##*:}" \
    --allow-address 127.0.0.1/32 2>"$scratch/janus-sidecar.log" &
sidecar=$!
wait_ready "$scratch/janus-sidecar.log"

# --- rows -------------------------------------------------------------------------------------------

total=0 failed=0
row() { # NAME WANTED USER CURL-ARGUMENT...: WANTED is curl's exit status and the answer's
    local name=$1 wanted=$2 user=$3 got
    shift 3
    got=$(as "$user" curl -q -sS -o "$scratch/run/body" -w '%{http_code}' --max-time 2 --noproxy '*' "$@" 2>/dev/null)
    got="$? $got"
    total=$((total + 1))
    if [ "$got" = "$wanted" ]; then
        echo "ok $total - $name"
    else
        failed=$((failed + 1))
        echo "not ok $total - $name"
        echo "# got \"$got\" instead of \"$wanted\""
    fi
}
chmod 777 "$scratch/run"
orders="http://$outside/api/oms/pvt/orders"

row "the app's plain request goes through the sidecar" "0 200" $app_user -H "Host: $portal" "$orders"
row "root's does too" "0 200" 0 -H "Host: $portal" "$orders"
row "a host that no policy names is denied" "0 403" $app_user -H "Host: api.unlisted.example" "http://$outside/"
row "TLS past the sidecar is refused" "7 000" $app_user "https://$outside/"
row "another port is refused" "7 000" $app_user "http://$outside:8080/"
row "the sidecar's user is not redirected: outside nobody answers" "28 000" $sidecar_user "http://$outside/"
row "loopback stays open" "0 200" $app_user "http://127.0.0.1:8381/healthz"
row "http_proxy works beside it" "0 200" $app_user --noproxy '' -x http://127.0.0.1:8380 \
    "http://$portal/api/oms/pvt/orders"
nft -f deploy/kubernetes/redirect.nft || failed=$((failed + 1))
row "loaded twice, it is the same" "0 200" $app_user -H "Host: $portal" "$orders"
rules=$(nft list table inet janus_sidecar | grep -c redirect)
nft delete table inet janus_sidecar
row "without it the app would be outside (so the rows above prove something)" "28 000" $app_user "https://$outside/"
[ "$rules" -ge 1 ] || failed=$((failed + 1))

echo "1..$total"
[ "$failed" -eq 0 ]
