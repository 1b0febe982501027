# bash completion for janus-sidecar. It reads `janus-sidecar --help`, so that it knows what the program knows.

_janus_sidecar() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help value choices
    COMPREPLY=()
    help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return 0
    if [[ $before == --* ]]; then
        value=$(awk -v option="$before" '$1 == option { print $2; exit }' <<<"$help")
        # "one of absent, placeholder, always, off; default absent", perhaps over two lines
        choices=$(awk -v option="$before" '/^  -/ { on = $1 == option } on { printf "%s ", $0 }' <<<"$help" |
            tr -s ' ' | grep -oE '(one|any) of [^;]*' | sed 's/^... of //; s/,//g')
        if [ -n "$choices" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
            return 0
        fi
        case $value in
            FILE) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return 0 ;;
            DIR) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return 0 ;;
            [A-Z]*) [ "$value" = "${value^^}" ] && return 0 ;;
        esac
    fi
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(grep -oE '^  --[a-z-]+' <<<"$help") --help" -- "$word")
    elif [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(awk '$1 == "janus-sidecar" && /^  / { print $2 }' <<<"$help")" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _janus_sidecar janus-sidecar
