# Finds calls of functions that this house does not use. awk -f tests/dev/banned.awk FILE...
# Comments, strings and character constants are blanked first, so that they may speak of them.
BEGIN {
    ban("strcpy strcat strncpy strncat sprintf vsprintf gets", "use snprintf, memcpy with a known length, or struct text")
    ban("strtok", "walk the text with memchr")
    ban("atoi atol atoll atof sscanf", "they cannot fail: use strtoul and friends and check, or the parsers in config/")
    ban("system popen", "no shell: posix_spawn with an argument list")
    ban("alloca", "the stack is not for sizes from outside")
    ban("signal", "use sigaction, or the event loop's evsignal")
    ban("sleep usleep nanosleep", "wait for the event itself, with a bound; a test that sleeps is slow and still flaky")
    ban("rand srand random", "use RAND_bytes")
    ban("tmpnam tempnam mktemp", "use mkstemp or mkdtemp")
    ban("localtime gmtime ctime asctime", "use the _r forms or strftime")
}

function ban(names, instead,    list, n, i) {
    n = split(names, list, " ")
    for (i = 1; i <= n; i++) banned[list[i]] = instead
}

FNR == 1 { in_comment = 0 }

{
    code = blank($0)
    while (match(code, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
        name = substr(code, RSTART, RLENGTH)
        sub(/[ \t]*\($/, "", name)
        before = substr(code, 1, RSTART - 1)
        after = substr(code, RSTART + RLENGTH)
        allowed = name == "signal" && after ~ /^SIGPIPE, SIG_(IGN|DFL)\)/ # a use that means what it says
        if ((name in banned) && !allowed && before !~ /(\.|->)[ \t]*$/) {
            printf "%s:%d: %s(): %s\n", FILENAME, FNR, name, banned[name]
            found = 1
        }
        code = after
    }
}

END { exit found ? 1 : 0 }

# The line with comments and literals replaced by blanks. `in_comment` lives across lines.
function blank(line,    out, i, c, two, quote) {
    out = ""
    quote = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; i++ }
        } else if (quote != "") {
            if (c == "\\") i++
            else if (c == quote) quote = ""
        } else if (two == "/*") {
            in_comment = 1
            i++
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            quote = c
        } else {
            out = out c
            continue
        }
        out = out " "
    }
    return out
}
