# Runebook's part of an interactive bash in an agent's pane: PROMPT_COMMAND loads it before the first prompt.
# OSC 133 marks (A prompt, B command, C output, D end and exit code), and a record for each command (relay.py).

if [[ $- != *i* || ${BASH_VERSINFO[0]} -lt 5 || -z ${RUNEBOOK_CAPTURE_PYTHON-} ]]; then
    __runebook_prompt=:
    return 0
fi

__runebook_pipe= __runebook_n=0 __runebook_armed=0 __runebook_began=
read -r -t 2 __runebook_pipe < <(
    exec "$RUNEBOOK_CAPTURE_PYTHON" -I -S "$RUNEBOOK_CAPTURE/relay.py" bash "$$" "$PWD" 2>/dev/null
)

__runebook_before_prompt() {
    local code=$? now=${EPOCHREALTIME/[.,]/}
    if [[ -n $__runebook_began ]]; then
        printf '\e]133;D;%s;aid=%s\a' "$code" "$$.$__runebook_n"
        [[ $__runebook_armed == 1 ]] && __runebook_start "" # a subshell alone: no DEBUG trap has run
        if [[ -w $__runebook_pipe ]]; then
            {
                printf '%s\0' end "$__runebook_n" "$code" "$__runebook_began" "$now" "$PWD"
                declare -px
                printf '\0'
            } >"$__runebook_pipe"
        fi
        __runebook_armed=0 __runebook_began=
        ((++__runebook_n))
    elif [[ $__runebook_n == 0 && -w $__runebook_pipe ]]; then
        # What the environment is before the first command.
        __runebook_n=1
        {
            printf '%s\0' environment
            declare -px
            printf '\0'
        } >"$__runebook_pipe"
    fi
    # shellcheck disable=SC2016  bash expands it after reading a command
    [[ $PS0 == *__runebook_began* ]] ||
        PS0='${__runebook_none[__runebook_armed=1,__runebook_began=${EPOCHREALTIME/[.,]/}]-}\e]133;C;aid=$$.$__runebook_n\a'$PS0
    [[ $PS1 == *'133;B'* ]] || PS1='\[\e]133;A\a\]'$PS1'\[\e]133;B\a\]'
    return "$code"
}

__runebook_start() {
    __runebook_armed=0
    [[ -w $__runebook_pipe ]] || return 0
    local HISTTIMEFORMAT=
    {
        printf '%s\0' start "$__runebook_n" "$__runebook_began" "$PWD" "$1"
        history 1
        printf '\0%s\0' "${HISTCONTROL-}"
    } >"$__runebook_pipe"
}

__runebook_debug() {
    [[ $__runebook_armed == 1 ]] && __runebook_start "$1"
    return 0
}

__runebook_prompt=__runebook_before_prompt
# What was trapped before goes on; "$_" is last, so that it stays what it was.
__runebook_trap() {
    local before
    before=$(trap -p DEBUG)
    before=${before#trap -- \'}
    before=${before%\' DEBUG}
    before=${before//"'\\''"/"'"}
    # shellcheck disable=SC2064
    trap "__runebook_debug \"\$BASH_COMMAND\" \"\$_\"${before:+; $before}" DEBUG
}
__runebook_trap
unset -f __runebook_trap
__runebook_before_prompt
