#!/usr/bin/env bash
# ./dev run [--once]: the local Janus simulator, the sidecar in front of it, and sample requests that show
# each verdict: what is sent, what comes back, and what reached the origin. Tokens are masked.
#   SAMPLES_TAP=FILE  also writes one TAP line a sample there (./dev test counts them)
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
    '') once=no listen=127.0.0.1:8380 admin=127.0.0.1:8381 guard=127.0.0.1:8382 ;;
    --once) once=yes listen=127.0.0.1:0 admin=127.0.0.1:0 guard=127.0.0.1:0 ;;
    *) echo "./dev run: there is no \"$1\", only --once" >&2; exit 2 ;;
esac

account=storeacct workspace=master
manifest=config/examples/manifest.json
placeholder=janus-sidecar-placeholder
wait_limit=15 # seconds for a start, or for a rotated token to be used

# --- two programs, started here and ended here -----------------------------------------------------

scratch='' simulator='' sidecar='' follower=''

clean_up() {
    trap - EXIT INT TERM
    local pid
    for pid in $follower $sidecar $simulator; do kill "$pid" 2>/dev/null; done
    for pid in $follower $sidecar $simulator; do wait "$pid" 2>/dev/null; done
    if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
}
trap clean_up EXIT
trap 'echo; exit 0' INT TERM

give_up() {
    result FAIL "$1"
    exit 1
}

port_taken() { # ADDRESS:PORT
    (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

# Sets `ready` to the words behind "ready" in the program's log.
wait_ready() { # PID LOG NAME
    local end=$((SECONDS + wait_limit))
    until ready=$(grep -m1 '^ready ' "$2"); do
        if ! kill -0 "$1" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
            result FAIL "$3 did not start; its log:"
            show_tail "$2"
            exit 1
        fi
        sleep 0.05
    done
    ready=${ready#ready }
}

start_simulator() {
    build/release/bin/janus-sim --listen 127.0.0.1:0 --plain 127.0.0.1:0 --account $account --workspace $workspace \
        --ca-out "$scratch/ca.pem" --token-out "$scratch/token" 2>"$scratch/janus-sim.log" &
    simulator=$!
    wait_ready "$simulator" "$scratch/janus-sim.log" "the simulator"
    app_port=${ready##*:}
    simulator_port=${ready%% plain=*}
    simulator_port=${simulator_port##*:}
    result ok "local Janus simulator on 127.0.0.1:$simulator_port: it plays every host below, over TLS"
}

start_sidecar() {
    build/release/bin/janus-sidecar run --manifest $manifest --account $account --workspace $workspace \
        --listen $listen --admin $admin --token-file "$scratch/token" --ca-file "$scratch/ca.pem" \
        --provider-schemas config/examples/provider-schemas --guard-listen $guard \
        --guard-app "http://127.0.0.1:$app_port" --graphql-schema config/examples/graphql \
        --allow-address 127.0.0.0/8 --connect-to "::127.0.0.1:$simulator_port" 2>"$scratch/janus-sidecar.log" &
    sidecar=$!
    wait_ready "$sidecar" "$scratch/janus-sidecar.log" "the sidecar"
    listen=${ready#*listen=} listen=${listen%% *}
    admin=${ready#*admin=} admin=${admin%% *}
    guard=${ready#*guard=} guard=${guard%% *}
    proxy=http://$listen
    result ok "sidecar on $listen, admin on $admin, policies from $manifest"
    result ok "its guard on $guard, before the app's own GraphQL (config/examples/graphql)"
}

# --- the simulator's own answers: what arrived, new tokens -------------------------------------------

unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
curl() { command curl -q -sS --max-time 15 --path-as-is "$@"; }

ask_simulator() { # METHOD PATH
    curl -X "$1" --cacert "$scratch/ca.pem" --connect-to "::127.0.0.1:$simulator_port" \
        "https://portal.vtexcommercestable.com.br/_sim/$2" | tr -s ' \n' ' '
}

current_token() { tr -d ' \n' <"$scratch/token"; }

# Each token that we know gets a name; masked output shows the name.
tokens=() token_names=()
know_token() { # TOKEN NAME
    tokens+=("$1") token_names+=("$2")
}

mask() { # TEXT
    local text=$1 i
    for i in "${!tokens[@]}"; do text=${text//"${tokens[i]}"/"[${token_names[i]}, masked]"}; done
    printf '%s' "$text"
}

# --- one sample -------------------------------------------------------------------------------------

samples=0 good=0
title='' sent='' status='' body='' origin='' arrived=0 wrong=()

say() { # LABEL TEXT, further lines under the first
    mask "$2" | sed "1s/^/     $(printf '%-7s' "$1") /; 2,\$s/^/             /"
    echo
}

# A body for people: our own JSON one member a line, an origin's cut short.
readable() { # BODY
    case $1 in
        *'"source":"janus-sidecar"'* | *'"source": "janus-sidecar"'*) sed 's/, *"/,\n "/g' <<<"$1" ;;
        *) if [ ${#1} -gt 100 ]; then printf '%s ...' "${1:0:100}"; else printf '%s' "${1:-(no body)}"; fi ;;
    esac
}

quoted() { # WORD... as a person would type them
    local word out=''
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_.:/=@%+,-]*) out+=" '$word'" ;;
            *) out+=" $word" ;;
        esac
    done
    printf '%s' "${out# }"
}

begin() { # TITLE
    samples=$((samples + 1)) title=$1 wrong=() sent='' status='' body='' origin='' arrived=0
    printf '\n%s%2d  %s%s\n' "$bold" "$samples" "$title" "$plain"
}

# Sends with curl and keeps what was sent, what came back (status, body), and what the origin saw (origin, arrived).
send() { # CURL-ARGUMENT...
    sent="curl $(quoted "$@")"
    ask_simulator GET 'requests?clear=1' >/dev/null
    status=$(curl -o "$scratch/body" -w '%{http_connect}:%{http_code}' "$@" 2>"$scratch/curl.err")
    case $status in
        *:000) status=${status%:*} body=$(cat "$scratch/curl.err") ;; # only a CONNECT was answered
        *) status=${status#*:} body=$(cat "$scratch/body" 2>/dev/null) ;;
    esac
    rm -f "$scratch/body"
    origin=$(ask_simulator GET requests)
    arrived=$(grep -o '"method": *"' <<<"$origin" | wc -l)
}

field() { # NAME: the value of a string in the one request that the origin saw
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$origin"
}

header() { # NAME: every value of that header at the origin, one a line
    grep -oiE "\[\"$1\", *\"[^\"]*\"\]" <<<"$origin" | sed -E 's/^\["[^"]*", *"(.*)"\]$/\1/'
}

show() {
    local name value
    say sent "$sent"
    say back "$status $(readable "$body")"
    if [ "$arrived" -eq 0 ]; then
        say origin "saw nothing"
        return
    fi
    say origin "$(field method) $(field target)"
    for name in Host Authorization VtexIdclientAutCookie Cookie Proxy-Authorization X-Vtex-Use-Https; do
        while IFS= read -r value; do
            [ -n "$value" ] && say '' "$name: $value"
        done <<<"$(header "$name")"
    done
}

expect() { # WHAT GOT WANTED
    [ "$2" = "$3" ] || wrong+=("$1 is \"$(mask "$2")\", not \"$(mask "$3")\"")
}

expect_status() { expect "the status" "$status" "$1"; }

expect_code() { # CODE: our own answer's code, and nothing reached the origin
    case $body in
        *"\"code\":\"$1\""* | *"\"code\": \"$1\""*) ;;
        *) wrong+=("the answer has no code $1") ;;
    esac
    expect_arrived 0
}

expect_graphql_error() { # CODE: the guard's own answer
    case $body in
        *"\"code\":\"$1\""*'"data":null'*) ;;
        *) wrong+=("the answer is no GraphQL error with the code $1") ;;
    esac
}

expect_arrived() { expect "the number of requests at the origin" "$arrived" "$1"; }

# HOST, and then NAME VALUE pairs of headers; an empty VALUE means that the header must be absent. What
# must never arrive is looked for in every sample.
expect_origin() {
    local name
    expect_arrived 1
    expect "Host at the origin" "$(header Host)" "$1"
    shift
    while [ $# -gt 0 ]; do
        expect "$1 at the origin" "$(header "$1")" "$2"
        shift 2
    done
    for name in Proxy-Authorization X-Vtex-Use-Https X-Vtex-Proxy-To X-Vtex-Remote-Port X-Janus-Auth; do
        expect "$name at the origin" "$(header "$name")" ''
    done
    case $origin in *"$placeholder"*) wrong+=("the placeholder reached the origin") ;; esac
}

finish() { # SENTENCE for a sample that went as it should
    local reason
    show
    if [ ${#wrong[@]} -eq 0 ]; then
        good=$((good + 1))
        printf '     %s✓ %s%s\n' "$green" "$1" "$plain"
        [ -n "${SAMPLES_TAP:-}" ] && echo "ok $samples - $title" >>"$SAMPLES_TAP"
    else
        for reason in "${wrong[@]}"; do printf '     %s✗ %s%s\n' "$red" "$reason" "$plain"; done
        [ -n "${SAMPLES_TAP:-}" ] && echo "not ok $samples - $title" >>"$SAMPLES_TAP"
    fi
    return 0
}

# --- the samples ------------------------------------------------------------------------------------

portal=portal.vtexcommercestable.com.br
orders="/api/oms/pvt/orders?an=$account"

all_samples() {
    local app user end
    app=$(current_token)
    user=$(ask_simulator POST 'mint?kind=admin&user=ana@store.com' | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
    know_token "$app" "app token 1"
    know_token "$user" "Ana's own token"
    know_token cGFydG5lcjpzZWNyZXQ= "the partner's credential"

    begin "ALLOWED: a Janus call, as http_proxy sends it (absolute form)"
    send -x "$proxy" -H "Proxy-Authorization: $placeholder" "http://$portal$orders"
    expect_status 200
    expect_origin $portal VtexIdclientAutCookie "$app" Authorization ''
    finish "the manifest allows it; the sidecar went to TLS, took off Proxy-Authorization and added the app token"

    begin "ALLOWED: the same, as a hosts file or redirect rule sends it (Host names the destination)"
    send -H "Host: $portal" "$proxy$orders"
    expect_status 200
    expect_origin $portal VtexIdclientAutCookie "$app"
    finish "Host decided where it went"

    begin "ALLOWED: straight to the sidecar (the destination is --default-host)"
    send "$proxy/api/license-manager/account"
    expect_status 200
    expect_origin $account.vtexcommercestable.com.br VtexIdclientAutCookie "$app"
    finish "it went to the account's own host"

    begin "ALLOWED: a person's own token is left alone"
    send -x "$proxy" -H "VtexIdclientAutCookie: $user" "http://$portal$orders"
    expect_status 200
    expect_origin $portal VtexIdclientAutCookie "$user" Authorization ''
    finish "Ana's token passed untouched; no app token beside it"

    begin "ALLOWED: the placeholder that an app sends becomes the app token"
    send -x "$proxy" -H "Authorization: Bearer $placeholder" -H 'Content-Type: application/json' \
        -d '{"query":"{ categories { name } }"}' \
        "http://app.io.vtex.com/vtex.catalog-graphql/v1/$account/$workspace/_v/graphql"
    expect_status 200
    expect_origin app.io.vtex.com Authorization "Bearer $app" VtexIdclientAutCookie ''
    finish "replaced where it stood; the app never held a real token"

    begin "ALLOWED: a host outside VTEX never gets our token"
    send -x "$proxy" -H 'X-Vtex-Use-Https: true' -H 'Authorization: Basic cGFydG5lcjpzZWNyZXQ=' \
        -H "Proxy-Authorization: $placeholder" http://api.partner.example/v1/stock
    expect_status 200
    expect_origin api.partner.example Authorization 'Basic cGFydG5lcjpzZWNyZXQ=' VtexIdclientAutCookie ''
    finish "its own credential passed; ours stayed here"

    begin "ALLOWED: a placeholder addressed there is taken off, not replaced"
    send -x "$proxy" -H "Authorization: Bearer $placeholder" http://api.partner.example/v1/stock
    expect_status 200
    expect_origin api.partner.example Authorization '' VtexIdclientAutCookie ''
    finish "nothing of ours left the house"

    begin "DENIED: a host that no policy names"
    send -x "$proxy" http://api.unlisted.example/v1/stock
    expect_status 403
    expect_code OutboundAccessDenied
    finish "403, with what to put into the manifest if it should be allowed"

    begin "DENIED: a path that an origin may read in another way"
    send -x "$proxy" "http://$portal/api/checkout/pub/..%2f..%2fcatalog_system/pvt/brand/list?an=$account"
    expect_status 403
    expect_code OutboundAccessDenied
    finish "as sent it lies under /api/checkout/pub/, decoded it does not: every reading must be allowed"

    begin "REFUSED: a request that two servers would read differently"
    send -x "$proxy" -H 'Content-Length: 5' -H 'Transfer-Encoding: chunked' "http://$portal$orders"
    expect_status 400
    expect_code BadRequest
    finish "400: two lengths in one request are how requests are smuggled"

    begin "REFUSED: CONNECT, which an https:// URL through a proxy becomes"
    send -x "$proxy" "https://$portal$orders"
    expect_status 405
    body=$(curl -X CONNECT --request-target "$portal:443" "$proxy") # curl hides the body of a refused CONNECT
    expect_code MethodNotAllowed
    finish "405: inside a tunnel nothing could be judged; VTEX_IO=true keeps the clients on http://"

    begin "DENIED: another app's private query, and nobody who could be granted it"
    send -x "$proxy" -H 'Content-Type: application/json' -d '{"query":"{ brands { name } }"}' \
        "http://app.io.vtex.com/vtex.catalog-graphql/v1/$account/$workspace/_v/graphql"
    expect_status 403
    expect_code GraphQLDenied
    finish "the app token opens the way to the app; @auth there wants to know who asks"

    local graphql=(-H 'Host: orders-bridge.example' -H 'Content-Type: application/json')
    local own=http://$guard/$account/$workspace/_v/graphql

    begin "GUARDED: a public query comes in, and nobody is asked"
    send "${graphql[@]}" -d '{"query":"{ warehouses }"}' "$own"
    expect_status 200
    expect_origin orders-bridge.example
    finish "the guard read it and passed it on to the app as it came"

    begin "GUARDED: a private query without a token, behind an alias"
    send "${graphql[@]}" -d '{"query":"{ warehouses: order(id: 1) { state } }"}' "$own"
    expect_status 200
    expect_graphql_error UNAUTHENTICATED
    expect_arrived 0
    finish "a GraphQL error; the app saw nothing of it"

    begin "GUARDED: a private query by Ana, to whom License Manager grants it"
    send "${graphql[@]}" -H "Cookie: VtexIdclientAutCookie=$user" -d '{"query":"{ order(id: 1) { state } }"}' "$own"
    expect_status 200
    expect_arrived 3
    finish "VTEX ID said who she is, License Manager that she may, and the app got it: three requests"

    begin "GUARDED: a mutation by Ana, which nobody has granted her"
    send "${graphql[@]}" -H "Cookie: VtexIdclientAutCookie=$user" -d '{"query":"mutation { cancel(id: 1) }"}' "$own"
    expect_status 200
    expect_graphql_error FORBIDDEN
    expect_arrived 1
    finish "who she is was known still; License Manager alone was asked, and said no"

    begin "ROTATED: the next requests carry the new token"
    ask_simulator POST rotate >/dev/null
    app=$(current_token)
    know_token "$app" "app token 2"
    expect "the rotated token file" "$([ "${tokens[0]}" = "$app" ] && echo same || echo new)" new
    end=$((SECONDS + wait_limit))
    send -x "$proxy" "http://$portal$orders"
    while [ "$(header VtexIdclientAutCookie)" != "$app" ] && [ "$status" = 200 ] && [ "$SECONDS" -lt "$end" ]; do
        send -x "$proxy" "http://$portal$orders"
    done
    expect_status 200
    expect_origin $portal VtexIdclientAutCookie "$app"
    finish "the token file changed; no restart, and no request failed meanwhile"
}

print_help() {
    cat <<TEXT

${bold}The sidecar keeps serving.${plain} Point an app at it:

  VTEX_IO=true http_proxy=$proxy https_proxy=$proxy no_proxy=localhost,127.0.0.1 npm start

and where VTEX IO would hand the app a token (header x-vtex-credential, ctx.authToken), give it
  $placeholder

  allowed is what $manifest opens; a denial says what is missing there
  account $account, workspace $workspace; every host is played by the local simulator
  admin   http://$admin
  guard   http://$guard/$account/$workspace/_v/graphql, before an app that echoes
Requests are shown below as they come. Ctrl-C ends it.

TEXT
}

# --- the order of things ----------------------------------------------------------------------------

need $packages_build $packages_run && build release || exit 1
if [ $once = no ]; then
    for address in $listen $admin $guard; do
        port_taken "$address" &&
            give_up "$address is in use (another ./dev run?): end that first, or use ./dev run --once"
    done
fi
mkdir -p build/run
scratch=$(mktemp -d build/run/XXXXXX) || exit 1
start_simulator
start_sidecar
all_samples

printf '\n%s%d of %d samples went as they should%s\n' "$bold" "$good" "$samples" "$plain"
if [ "$good" -ne "$samples" ]; then
    echo "The sidecar's log:"
    mask "$(tail -n 30 "$scratch/janus-sidecar.log")" | sed 's/^/  | /'
    echo
fi
if [ $once = yes ]; then
    [ "$good" -eq "$samples" ]
    exit
fi
print_help
tail -n 0 -f "$scratch/janus-sidecar.log" &
follower=$!
wait "$sidecar"
give_up "the sidecar ended by itself; its log was: $(mask "$(tail -n 5 "$scratch/janus-sidecar.log")")"
