# Read by tests/bench/proxy.sh: the proxies that are measured, each set up for the same work on one core.
#
#   plaintext HTTP/1.1 in; 20 rules of host and path; one header with the app token added; TLS out, verified, over
#   kept connections; no access log. Each has the shape that its makers recommend for this: nginx a location a rule,
#   HAProxy a prefix tree of host and path.

home=build/bench/proxy # configurations, certificates, logs
janus_host=storeacct.vtexcommercestable.com.br
full_host=portal.vtexcommercestable.com.br # its origin resumes no session
proxy_core='' load_core=''                 # taskset, where there are two cores

declare -A pids ports
peer_names=()

# 20 rules as "HOST PATH-PREFIX".
rules() {
    local i
    for i in 0 1 2 3 4 5 6 7 8 9; do echo "api.partner$i.example /v$i/"; done
    for i in 1 2 3 4 5 6 7 8 9; do echo "$janus_host /v$i/"; done
    echo "$full_host /v9/"
}

write_manifest() {
    rules | jq -Rn '{vendor: "storeacct", name: "bench", version: "1.0.0", builders: {node: "6.x"},
        policies: [inputs | split(" ") | {name: "outbound-access", attrs: {host: .[0], path: (.[1] + "*")}}]}'
}

# As long as a real one: about 900 bytes.
write_token() {
    local part
    part() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
    printf '{"alg":"ES256","typ":"JWT","kid":"6F1C5B2A9D"}' | part
    printf '.'
    printf '{"sub":"vrn:apps:aws-us-east-1:storeacct:master:/apps/storeacct.bench@1.0.0","account":"storeacct","exp":%s,"pad":"%s"}' \
        $(($(date +%s) + 86400)) "$(head -c 260 /dev/urandom | od -An -tx1 | tr -d ' \n')" | part
    printf '.'
    head -c 64 /dev/urandom | part
}

write_nginx() { # PORT
    local host backlog=' backlog=4096'
    cat <<TEXT
daemon off; master_process off; worker_processes 1; pid $PWD/$home/nginx.pid; error_log stderr crit;
worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http {
access_log off; keepalive_requests 1000000000; keepalive_timeout 75s;
client_body_temp_path $PWD/$home/tmp; proxy_temp_path $PWD/$home/tmp; fastcgi_temp_path $PWD/$home/tmp;
uwsgi_temp_path $PWD/$home/tmp; scgi_temp_path $PWD/$home/tmp;
upstream origin { server 127.0.0.1:$origin_port; keepalive 256; keepalive_requests 1000000000; }
upstream full { server 127.0.0.1:$full_port; keepalive 256; }
proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host \$host;
proxy_set_header VtexIdclientAutCookie "$(cat $home/token)";
proxy_ssl_verify on; proxy_ssl_trusted_certificate $PWD/$home/ca.pem; proxy_ssl_server_name on;
proxy_ssl_name \$host; proxy_ssl_protocols TLSv1.3; proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
proxy_request_buffering off; proxy_buffer_size 16k; proxy_buffers 4 16k; proxy_busy_buffers_size 32k;
proxy_max_temp_file_size 0; client_max_body_size 0;
TEXT
    for host in $(rules | cut -d' ' -f1 | sort -u); do
        echo "server { listen 127.0.0.1:$1$backlog; server_name $host; location / { return 403; }"
        backlog=''
        rules | awk -v host="$host" -v full="$full_host" '$1 == host {
            printf "location %s { proxy_pass https://%s; }\n", $2, host == full ? "full" : "origin" }'
        echo '}'
    done
    echo '}'
}

write_haproxy() { # PORT
    rules | tr -d ' ' >"$home/haproxy.rules"
    cat <<TEXT
global
  nbthread 1
  maxconn 12000
  tune.maxrewrite 4096
  no strict-limits
  ssl-default-server-options ssl-min-ver TLSv1.3
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:$1 backlog 4096
  http-request deny unless { base -m beg -f $PWD/$home/haproxy.rules }
  http-request set-header VtexIdclientAutCookie "$(cat $home/token)"
  use_backend full if { req.hdr(host) -m str $full_host }
  default_backend origin
backend origin
  server origin 127.0.0.1:$origin_port ssl verify required ca-file $PWD/$home/ca.pem sni str($janus_host) verifyhost $janus_host pool-max-conn 256
backend full
  server origin 127.0.0.1:$full_port ssl verify required ca-file $PWD/$home/ca.pem sni str($full_host) verifyhost $full_host pool-max-conn 256
TEXT
}

free_port() {
    local port
    for ((port = 20000 + RANDOM % 10000; ; port++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

until_it_answers() { # NAME
    local end=$((SECONDS + 20))
    until curl -q -sS -m 2 -o /dev/null -H "Host: $janus_host" "http://127.0.0.1:${ports[$1]}/v9/b/10" 2>>"build/log/bench-$1.log"; do
        kill -0 "${pids[$1]}" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

start_sidecar() { # NAME OPTION...
    local name=$1
    shift
    ports[$name]=$(free_port)
    $proxy_core build/release/bin/janus-sidecar run --account storeacct --manifest "$home/manifest.json" \
        --token-file "$home/token" --ca-file "$home/ca.pem" --listen "127.0.0.1:${ports[$name]}" --admin 127.0.0.1:0 \
        --allow-address 127.0.0.0/8 --connect-to "$full_host::127.0.0.1:$full_port" \
        --connect-to "::127.0.0.1:$origin_port" "$@" 2>"$home/$name.log" &
    pids[$name]=$!
    until_it_answers "$name"
}

start_proxy() { # NAME
    local port
    case $1 in
    sidecar) start_sidecar sidecar --log-level error ;;
    sidecar-logging) start_sidecar "$1" --log-level info ;;
    nginx)
        ports[nginx]=$(free_port)
        write_nginx "${ports[nginx]}" >"$home/nginx.conf"
        $proxy_core "${programs[nginx]}" -p "$PWD/$home" -e stderr -c nginx.conf 2>build/log/bench-nginx.log &
        pids[nginx]=$!
        until_it_answers nginx
        ;;
    haproxy)
        ports[haproxy]=$(free_port)
        write_haproxy "${ports[haproxy]}" >"$home/haproxy.cfg"
        LD_LIBRARY_PATH=$(peer_libraries haproxy) $proxy_core "${programs[haproxy]}" -db -q -f "$home/haproxy.cfg" \
            2>build/log/bench-haproxy.log &
        pids[haproxy]=$!
        until_it_answers haproxy
        ;;
    pump)
        exec 4< <(exec $proxy_core build/release/bin/pump --origin "$origin_port" --name "$janus_host" --ca "$home/ca.pem" \
            --add "VtexIdclientAutCookie: $(cat $home/token)")
        pids[pump]=$!
        read -r -u 4 port
        ports[pump]=$port
        until_it_answers pump
        ;;
    esac || { echo "$1 does not answer; see build/log/bench-$1.log" >&2; return 1; }
}

stop_proxy() { # NAME
    [ -n "${pids[$1]:-}" ] || return 0
    kill "${pids[$1]}" 2>/dev/null
    wait "${pids[$1]}" 2>/dev/null
    unset "pids[$1]"
}

start_origin() {
    exec 3< <(exec $load_core build/release/bin/bench_origin "$home")
    pids[origin]=$!
    read -r -u 3 origin_port full_port
}

# Each must do the same work: the token is added, what no rule names is refused.
same_work() { # NAME
    local status
    status=$(curl -q -sS -o /dev/null -w '%{http_code}' -H "Host: $janus_host" "http://127.0.0.1:${ports[$1]}/v0/b/10")
    [ "$status" = 403 ] || { echo "$1 answers $status where no rule opens" >&2; return 1; }
}
