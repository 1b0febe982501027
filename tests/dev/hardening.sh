#!/usr/bin/env bash
# Is a program built as it should be? hardening.sh PROGRAM...; without one, this checks itself as well:
# a program that is built carelessly must be complained about. Reads ELF with readelf, needs binutils only.
# What cannot be seen in a program is looked for in the commands that built it: stack clash protection (its
# probes stand in large frames only), FORTIFY_SOURCE's level, and CET: Debian 12's crt1.o is not marked for it,
# so the linker leaves the mark out of the program, though its own code has the landing pads.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

found=0
complain() { # PROGRAM WHAT
    found=$((found + 1))
    echo "$1: error: $2"
}

# A property that must, or must not, be in what readelf says.
has() { grep -qE -- "$1" <<<"$2"; }

hardened() { # PROGRAM
    local program=$1 header segments dynamic symbols
    header=$(readelf -hW "$program") || return 1
    segments=$(readelf -lW "$program") dynamic=$(readelf -dW "$program")
    symbols=$(readelf --dyn-syms -W "$program")

    has 'Type: +DYN' "$header" && has 'FLAGS_1.*PIE' "$dynamic" || complain "$program" "not position independent (PIE)"
    has 'GNU_RELRO' "$segments" || complain "$program" "no RELRO"
    has 'BIND_NOW|FLAGS.* NOW' "$dynamic" || complain "$program" "symbols are bound late (RELRO is only partial)"
    has 'GNU_STACK' "$segments" || complain "$program" "it does not say that its stack holds no code"
    has 'GNU_STACK.* RWE' "$segments" && complain "$program" "an executable stack"
    has 'LOAD.* RWE' "$segments" && complain "$program" "a segment that is written and run"
    [ "$(grep -cE 'LOAD .* R E ' <<<"$segments")" = 1 ] && has 'LOAD .* R  +0x' "$segments" ||
        complain "$program" "code and constants share a segment (separate-code)"
    has 'TEXTREL' "$dynamic" && complain "$program" "relocations in its code"
    has 'RPATH|RUNPATH' "$dynamic" && complain "$program" "a library path of its own"
    has '__stack_chk_fail' "$symbols" || complain "$program" "no stack protector"
    has '__(memcpy|snprintf|vsnprintf|fprintf|read|recv)_chk' "$symbols" || complain "$program" "no FORTIFY_SOURCE"
}

# Every product file, by the commands that the build wrote down.
built_with() { # compile_commands.json FLAG...
    local commands=$1 flag
    shift
    for flag in "$@"; do
        grep '"command"' "$commands" | grep -E -- '-c [^ ]*/(config|policy|proxy)/[^ ]*\.c' |
            grep -vqE -- "$flag( |\")" && complain "$commands" "a product file is built without $flag"
    done
    grep '"command"' "$commands" | grep -qE -- '-c [^ ]*/proxy/main\.c' || complain "$commands" "main.c is not in it"
}

# The check is checked.
finds_what_it_looks_for() {
    local scratch seen
    scratch=$(mktemp -d build/hardening.XXXXXX) || return 1
    echo 'int main(void) { return 0; }' >"$scratch/careless.c"
    gcc -no-pie -O0 -fno-stack-protector -fcf-protection=none -o "$scratch/careless" "$scratch/careless.c" \
        -Wl,-z,norelro,-z,lazy,-z,execstack,-z,noseparate-code,-rpath,/tmp 2>/dev/null
    seen=$(found=0; hardened "$scratch/careless"; echo "n=$found")
    rm -rf "$scratch"
    [ "${seen##*n=}" = 8 ] && return
    complain hardening.sh "a careless program has 8 faults, and these were found"
    echo "$seen"
}

if [ $# -gt 0 ]; then
    for program in "$@"; do hardened "$program"; done
else
    finds_what_it_looks_for
    for program in build/release/bin/janus-sidecar build/release/bin/janus-sim; do hardened "$program"; done
    built_with build/release/compile_commands.json -O2 -fPIE -fstack-protector-strong -fstack-clash-protection \
        -D_FORTIFY_SOURCE=3 $([ "$(uname -m)" = x86_64 ] && echo -fcf-protection=full)
fi
[ $found -eq 0 ] && echo "hardened as it should be"
