# Runebook's part of an interactive fish in an agent's pane; see bash.bash. fish finds it by XDG_DATA_DIRS.

if status is-interactive; and set -q RUNEBOOK_CAPTURE_PYTHON; and set -q RUNEBOOK_AGENT
    set -g __runebook_n 0
    set -g __runebook_pipe ""

    function __runebook_environment
        for name in (set --names --export)
            printf '%s=%s\x1e' $name "$$name"
        end
        printf '\0'
    end

    function __runebook_before_prompt --on-event fish_prompt
        if test $__runebook_n = 0
            set -g __runebook_n 1
            set -g __runebook_pipe (command $RUNEBOOK_CAPTURE_PYTHON -I -S $RUNEBOOK_CAPTURE/relay.py fish $fish_pid "$PWD" 2>/dev/null)
            if test -w "$__runebook_pipe"
                begin
                    printf 'environment\0'
                    __runebook_environment
                end >$__runebook_pipe
            end
            # fish 4 prints the marks itself.
            if string match -q -r '^3' -- $version; and functions -q fish_prompt
                functions -c fish_prompt __runebook_users_prompt
                function fish_prompt
                    printf '\e]133;A\a'
                    __runebook_users_prompt
                    printf '\e]133;B\a'
                end
            end
        end
    end

    function __runebook_preexec --on-event fish_preexec
        printf '\e]133;C;aid=%s\a' $fish_pid.$__runebook_n
        set -l typed $argv[1]
        # fish keeps what begins with a space out of its history.
        string match -q ' *' -- "$typed"; and set typed ""
        if test -w "$__runebook_pipe"
            printf '%s\0' start $__runebook_n "" "$PWD" "" "$typed" "" >$__runebook_pipe
        end
    end

    function __runebook_postexec --on-event fish_postexec
        set -l code $status
        printf '\e]133;D;%s;aid=%s\a' $code $fish_pid.$__runebook_n
        if test -w "$__runebook_pipe"
            begin
                printf '%s\0' end $__runebook_n $code "" "" "$PWD"
                __runebook_environment
            end >$__runebook_pipe
        end
        set -g __runebook_n (math $__runebook_n + 1)
    end
end
