#!/usr/bin/env bash
# What is made for Prometheus and Grafana: the alert rules under promtool's own unit tests, the dashboard's shape and
# its expressions as Prometheus reads them, and /metrics of a running sidecar by the two readers that decide what it
# is worth: promtool (text) and Prometheus's own OpenMetrics parser for Python. Prints TAP; exit 77 without promtool.
. "$(dirname "${BASH_SOURCE[0]}")/../dev/common.sh"

promtool=$(find_promtool) || { echo "1..0 # SKIP promtool is not here and cannot be had"; exit 77; }
bin=build/release/bin
board=deploy/grafana/janus-sidecar.json
total=0 failed=0
scratch=$(mktemp -d) || exit 1
pid=''
clean_up() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT

row() { # NAME COMMAND...
    local name=$1
    shift
    total=$((total + 1))
    if "$@" >build/log/metrics-row.log 2>&1 </dev/null; then
        echo "ok $total - $name"
    else
        failed=$((failed + 1))
        echo "not ok $total - $name"
        show_tail build/log/metrics-row.log 20 | sed 's/^/# /'
    fi
}

# --- deploy/ -----------------------------------------------------------------------------------------------

# Each expression as the rule of a file, with Grafana's variables filled in.
expressions_are_read() {
    jq -r '.panels[].targets // [] | .[].expr' $board |
        sed 's/\$__rate_interval/5m/g; s/\$job/.*/g; s/\$instance/.*/g' |
        jq -R '{record: "x:y", expr: .}' | jq -s '{groups: [{name: "board", rules: .}]}' >"$scratch/board.json" &&
        jq -e '.groups[0].rules | length > 20' "$scratch/board.json" && "$promtool" check rules "$scratch/board.json"
}
# A wrong one would have been found.
wrong_expression_is_not_read() {
    echo '{"groups":[{"name":"x","rules":[{"record":"x:y","expr":"sum(rate(a[5m])"}]}]}' >"$scratch/wrong.json"
    ! "$promtool" check rules "$scratch/wrong.json"
}
panels_are_whole() { # each has a place of its own and an own number
    jq -e '[.panels[] | select(.type != "row")] as $p
        | ([.panels[].id] | length == (unique | length))
        and ([.panels[].gridPos | [.x, .y]] | length == (unique | length))
        and all($p[]; (.targets | length > 0) and all(.targets[]; .expr != "") and .gridPos.x + .gridPos.w <= 24)' $board
}
every_alert_is_tested() { # it rings in one test at least, and stays silent in one
    local alert
    for alert in $(sed -n 's/.*- alert: //p' deploy/prometheus/alerts.yml); do
        grep -A 1 "alertname: $alert\$" deploy/prometheus/alerts_test.yml | grep -q 'exp_alerts:$' ||
            { echo "$alert never rings"; return 1; }
    done
}

# --- a running sidecar -------------------------------------------------------------------------------------

ask() { # NAME CURL-OPTION...
    local name=$1
    shift
    curl -sS --fail --max-time 10 -o "$scratch/$name" "$@" "http://$admin/metrics"
}

start_sidecar() {
    printf '{"vendor":"v","name":"a","version":"1.0.0","policies":[{"name":"outbound-access","attrs":{"host":"*.example.test","path":"*"}}]}' \
        >"$scratch/manifest.json"
    echo a-token >"$scratch/token"
    "$bin/janus-sidecar" run --account acme --manifest "$scratch/manifest.json" --token-file "$scratch/token" \
        --listen 127.0.0.1:0 --admin 127.0.0.1:0 --connect-to '::127.0.0.1:9' --allow-address 127.0.0.0/8 2>"$scratch/log" &
    pid=$!
    local end=$((SECONDS + 20))
    until grep -q '^ready ' "$scratch/log"; do
        kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
    listen=$(sed -n 's/^ready .*listen=\([^ ]*\).*/\1/p' "$scratch/log")
    admin=$(sed -n 's/^ready .*admin=\([^ ]*\).*/\1/p' "$scratch/log")
}
# Some of everything: failed, denied, malformed.
some_traffic() {
    local host
    for host in a.example.test b.example.test denied.test; do
        curl -sS --max-time 10 -o /dev/null -H "Host: $host" "http://$listen/x" || return 1
    done
    curl -sS --max-time 10 -o /dev/null -X CONNECT --request-target a:443 "http://$listen/" || return 1
}
text_is_clean() { ask text && "$promtool" check metrics <"$scratch/text"; }
broken_text_is_found() { # or the row above proves nothing
    { cat "$scratch/text"; echo 'janus_sidecar_x_total{a="b} 1'; } >"$scratch/broken"
    ! "$promtool" check metrics <"$scratch/broken"
}
read_open_metrics() { # FILE
    /usr/bin/python3 - "$1" <<'PYTHON'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
samples = {s.name for f in families for s in f.samples}
assert len(families) > 40, len(families)
assert "janus_sidecar_requests_total" in samples, samples
assert all(f.documentation and f.type != "unknown" for f in families)
PYTHON
}
open_metrics_are_read() { ask open -H 'Accept: application/openmetrics-text;version=1.0.0' && read_open_metrics "$scratch/open"; }
broken_open_metrics_are_found() {
    sed '/# EOF/d' "$scratch/open" >"$scratch/broken"
    ! read_open_metrics "$scratch/broken"
}
both_say_the_same() { # but for what grows by itself
    diff <(grep -v '^#' "$scratch/text" | grep -vE 'process_|buffer_bytes|_in_seconds|loop_lag' | sort) \
        <(grep -v '^#' "$scratch/open" | grep -vE 'process_|buffer_bytes|_in_seconds|loop_lag' | sort)
}

row "alert rules are rules" "$promtool" check rules deploy/prometheus/alerts.yml
row "alert rules ring when they should and are silent when not" "$promtool" test rules deploy/prometheus/alerts_test.yml
row "every alert rings in a test" every_alert_is_tested
row "the dashboard's expressions are read" expressions_are_read
row "a wrong expression is not" wrong_expression_is_not_read
row "the dashboard's panels are whole" panels_are_whole
row "a sidecar starts" start_sidecar
row "it gets some traffic" some_traffic
row "promtool finds nothing in the text" text_is_clean
row "promtool finds what is broken" broken_text_is_found
if /usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null; then
    row "the OpenMetrics parser reads it" open_metrics_are_read
    row "the OpenMetrics parser finds what is broken" broken_open_metrics_are_found
    row "both forms say the same" both_say_the_same
else
    total=$((total + 1))
    echo "ok $total - the OpenMetrics parser reads it # SKIP python3-prometheus-client is not here"
fi
echo "1..$total"
[ "$failed" -eq 0 ]
