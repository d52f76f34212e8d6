# Runebook in zsh: the variable RUNEBOOK_PROMPT, without a process.
#
# For example: setopt prompt_subst; PROMPT='${RUNEBOOK_PROMPT:+[$RUNEBOOK_PROMPT] }'"$PROMPT"
# It also tells WezTerm by a user variable, through tmux where that lets it pass (allow-passthrough).
#
# Written by `runebook-tui surface install zsh`, and overwritten by the next one.

__runebook_prompt() {
    emulate -L zsh
    local folder=$PWD line mood= prompt=
    while true; do
        if [[ -r $folder/.runebook/surface.json ]]; then
            while IFS= read -r line; do
                case $line in
                    ('"prompt": "'*) prompt=${${line#'"prompt": "'}%'",'} ;;
                    ('"mood": "'*) mood=${${line#'"mood": "'}%'",'}; break ;;
                esac
            done 2>/dev/null <$folder/.runebook/surface.json
            break
        fi
        [[ -n $folder ]] || break
        folder=${folder%/*}
    done
    [[ $mood$prompt == *[^a-zA-Z0-9\ ,\(\)]* ]] && mood= prompt=
    typeset -g RUNEBOOK_MOOD=$mood RUNEBOOK_PROMPT=$prompt
    if [[ "$mood $prompt" != "${__runebook_told- }" && -t 1 ]]; then
        typeset -g __runebook_told="$mood $prompt"
        local value="$(print -rn -- "$mood $prompt" | base64 | tr -d '\n')"
        if [[ -n ${TMUX-} ]]; then
            printf '\033Ptmux;\033\033]1337;SetUserVar=runebook=%s\007\033\\' $value
        else
            printf '\033]1337;SetUserVar=runebook=%s\007' $value
        fi
    fi
}

autoload -Uz add-zsh-hook
add-zsh-hook precmd __runebook_prompt
