# Runebook's part of an interactive zsh in an agent's pane; see bash.bash. Loaded before the user's own files.

zmodload zsh/datetime zsh/parameter || return 0
typeset -g __runebook_pipe= __runebook_began=
typeset -gi __runebook_n=0
typeset -ga precmd_functions preexec_functions

__runebook_environment() {
    local name
    for name in ${(k)parameters[(R)*export*]}; do
        printf '%s=%s\x1e' $name "${(P)name}"
    done
    printf '\0'
}

__runebook_micros() {
    REPLY=${${EPOCHREALTIME/[.,]/}[1,16]}
}

__runebook_first() {
    read -r -t 2 __runebook_pipe < <(
        exec "$RUNEBOOK_CAPTURE_PYTHON" -I -S "$RUNEBOOK_CAPTURE/relay.py" zsh $$ "$PWD" 2>/dev/null
    )
    [[ -w $__runebook_pipe ]] && { printf 'environment\0'; __runebook_environment } >$__runebook_pipe
    __runebook_n=1
    precmd_functions+=(__runebook_marks)
}

__runebook_precmd() {
    local code=$? REPLY
    emulate -L zsh
    if [[ -n $__runebook_began ]]; then
        __runebook_micros
        printf '\e]133;D;%s;aid=%s\a' $code "$$.$__runebook_n"
        if [[ -w $__runebook_pipe ]]; then
            {
                printf '%s\0' end $__runebook_n $code $__runebook_began $REPLY "$PWD"
                __runebook_environment
            } >$__runebook_pipe
        fi
        __runebook_began=
        (( ++__runebook_n ))
    elif (( __runebook_n == 0 )); then
        __runebook_first
    fi
}

__runebook_marks() {
    [[ $PS1 == *'133;B'* ]] || PS1=$'%{\e]133;A\a%}'$PS1$'%{\e]133;B\a%}'
}

__runebook_preexec() {
    local typed=$1 REPLY
    [[ -o hist_ignore_space && $typed == ' '* ]] && typed=
    emulate -L zsh
    __runebook_micros
    __runebook_began=$REPLY
    printf '\e]133;C;aid=%s\a' "$$.$__runebook_n"
    [[ -w $__runebook_pipe ]] &&
        printf '%s\0' start $__runebook_n $__runebook_began "$PWD" '' "$typed" '' >$__runebook_pipe
}

precmd_functions=(__runebook_precmd $precmd_functions)
preexec_functions=(__runebook_preexec $preexec_functions)
