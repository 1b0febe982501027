#!/usr/bin/env bash
# The checks are checked: each row is a source file that must, or must not, be complained about.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scratch=$(mktemp -d build/self-test.XXXXXX) || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{config,policy,proxy/http,proxy/token,proxy/origin,tests/unit}
touch "$scratch"/{config/diag.h,policy/policy.h,proxy/log.h,proxy/limits.h,proxy/exchange.h,proxy/sidecar.h}
touch "$scratch"/{proxy/http/head.h,proxy/token/keeper.h,proxy/origin/pool.h,proxy/front.h,proxy/ask.h,proxy/login.h}
wrong=0

row() { # good|bad floors|banned FILE LINE WHAT
    local want=$1 check=$2 file=$3 line=$4 what=$5 got=good
    printf '%s\n' "$line" >"$scratch/$file"
    if [ "$check" = floors ]; then
        cmake -DROOT="$PWD/$scratch" -P tests/floors.cmake >/dev/null 2>&1 || got=bad
    else
        awk -f tests/dev/banned.awk "$scratch/$file" >/dev/null || got=bad
    fi
    rm "$scratch/$file"
    [ "$got" = "$want" ] && return
    wrong=$((wrong + 1))
    echo "$what: taken as $got instead of $want: $line"
}

row good floors config/a.c         '#include "config/diag.h"'        "a floor may include itself"
row bad  floors config/a.c         '#include "policy/policy.h"'      "config does not know policy"
row bad  floors config/a.c         '#include <event2/event.h>'       "config opens no socket"
row good floors config/a.c         '#include <jansson.h>'            "config reads JSON"
row bad  floors config/a.c         '#include "diag.h"'               "includes are rooted"
row bad  floors config/a.c         '#include "config/../config/diag.h"' "includes have no dots"
row bad  floors config/a.c         '#include <config/diag.h>'        "our headers stand in quotes"
row bad  floors config/a.c         '#include "config/gone.h"'        "an included file exists"
row good floors policy/a.c         '#include "config/diag.h"'        "policy looks down"
row bad  floors policy/a.c         '#  include "proxy/log.h"'        "policy does not look up"
row bad  floors policy/a.c         '#include <openssl/ssl.h>'        "policy is pure"
row good floors proxy/http/a.c     '#include "proxy/limits.h"'       "http knows the ceilings"
row bad  floors proxy/http/a.c     '#include "proxy/log.h"'          "http does not log"
row bad  floors proxy/http/a.c     '#include <event2/buffer.h>'      "http is pure"
row bad  floors proxy/token/a.c    '#include "proxy/origin/pool.h"'  "token does not know origin"
row bad  floors proxy/origin/a.c   '#include "proxy/token/keeper.h"' "origin does not know token"
row bad  floors proxy/origin/a.c   '#include "proxy/exchange.h"'     "origin does not know the exchange"
row good floors proxy/login.c      '#include "proxy/origin/pool.h"'  "the login goes through the pool"
row good floors proxy/login.c      '#include "proxy/token/keeper.h"' "the login is a source of tokens"
row bad  floors proxy/login.c      '#include "proxy/exchange.h"'     "the login does not know the exchange"
row bad  floors proxy/ask.c        '#include "proxy/token/keeper.h"' "a question does not know what it asks for"
row bad  floors proxy/token/a.c    '#include "proxy/login.h"'        "token does not know the login"
row bad  floors proxy/log.c        '#include "proxy/ask.h"'          "the small parts ask nobody"
row bad  floors proxy/front.c      '#include "proxy/exchange.h"'     "front is wired by the sidecar, not the other way round"
row good floors proxy/sidecar.c    '#include "proxy/exchange.h"'     "the sidecar wires the exchange"
row good floors proxy/exchange.c   '#include "proxy/token/keeper.h"' "the exchange knows the parts"
row bad  floors proxy/exchange.c   '#include "tests/x.h"'            "product code knows no tests"
row good floors tests/unit/a.c     '#include "proxy/http/head.h"'    "tests know everything"

row bad  banned config/a.c         'x = strcpy(a, b);'               "strcpy"
row bad  banned config/a.c         'n = atoi (text);'                "a blank before the bracket"
row bad  banned config/a.c         'usleep(100);'                    "usleep"
row bad  banned config/a.c         '/* fine */ system("x");'         "code after a comment"
row good banned config/a.c         '/* never system() */'            "a comment"
row good banned config/a.c         'f("call sleep(1)"); // gets()'   "a string and a line comment"
row good banned config/a.c         'my_system(); system_name(1);'    "longer names"
row bad  banned config/a.c         'signal(SIGTERM, quit);'          "signal"
row good banned config/a.c         'signal(SIGPIPE, SIG_IGN);'       "ignoring SIGPIPE"
row good banned config/a.c         'signals(); x->signal(1);'        "members"

if [ "$wrong" -gt 0 ]; then exit 1; fi
echo "every row is as it should be"
