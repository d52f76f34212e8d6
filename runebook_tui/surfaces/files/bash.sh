# Runebook in bash: `$(runebook_prompt)` without a process, as the variable RUNEBOOK_PROMPT.
#
# For example: PS1='${RUNEBOOK_PROMPT:+[$RUNEBOOK_PROMPT] }'"$PS1"
# It also tells WezTerm by a user variable, through tmux where that lets it pass (allow-passthrough).
#
# Written by `runebook-tui surface install bash`, and overwritten by the next one.

__runebook_prompt() {
    local status=$? folder=$PWD line mood= prompt=
    while :; do
        if [ -r "$folder/.runebook/surface.json" ]; then
            while IFS= read -r line; do
                case $line in
                    '"prompt": "'*) prompt=${line#'"prompt": "'} prompt=${prompt%'",'} ;;
                    '"mood": "'*) mood=${line#'"mood": "'} mood=${mood%'",'}; break ;;
                esac
            done 2>/dev/null <"$folder/.runebook/surface.json"
            break
        fi
        [ -n "$folder" ] || break
        folder=${folder%/*}
    done
    case $mood$prompt in *[!a-zA-Z0-9\ ,\(\)]*) mood= prompt= ;; esac
    RUNEBOOK_MOOD=$mood RUNEBOOK_PROMPT=$prompt
    if [ "$mood $prompt" != "${__runebook_told- }" ] && [ -t 1 ]; then
        __runebook_told="$mood $prompt"
        __runebook_tell "$(printf %s "$mood $prompt" | base64 | tr -d '\n')"
    fi
    return $status
}

__runebook_tell() {
    if [ -n "${TMUX-}" ]; then
        printf '\033Ptmux;\033\033]1337;SetUserVar=runebook=%s\007\033\\' "$1"
    else
        printf '\033]1337;SetUserVar=runebook=%s\007' "$1"
    fi
}

case "${PROMPT_COMMAND[*]-}" in
    *__runebook_prompt*) ;;
    *) PROMPT_COMMAND="__runebook_prompt${PROMPT_COMMAND:+; $PROMPT_COMMAND}" ;;
esac
