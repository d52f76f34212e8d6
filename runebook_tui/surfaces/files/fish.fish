# Runebook in fish: the variable RUNEBOOK_PROMPT, without a process.
#
# For example, in fish_prompt: test -n "$RUNEBOOK_PROMPT"; and echo -n "[$RUNEBOOK_PROMPT] "
# It also tells WezTerm by a user variable, through tmux where that lets it pass (allow-passthrough).
#
# Written by `runebook-tui surface install fish`, and overwritten by the next one.

function __runebook_prompt --on-event fish_prompt
    set -l folder $PWD
    set -l mood
    set -l prompt
    while true
        if test -r "$folder/.runebook/surface.json"
            while read -l line
                switch $line
                    case '"prompt": "*'
                        set prompt (string replace -r '^"prompt": "([a-zA-Z0-9 ,()]*)",$' '$1' -- $line)
                    case '"mood": "*'
                        set mood (string replace -r '^"mood": "([a-z]*)",$' '$1' -- $line)
                        break
                end
            end <"$folder/.runebook/surface.json"
            break
        end
        test -n "$folder"; or break
        set folder (string replace -r '/[^/]*$' '' -- $folder)
    end
    if not string match -qr '^[a-zA-Z0-9 ,()]*$' -- "$mood$prompt"
        set mood
        set prompt
    end
    set -g RUNEBOOK_MOOD $mood
    set -g RUNEBOOK_PROMPT $prompt
    if test "$mood $prompt" != "$__runebook_told"; and test -t 1
        set -g __runebook_told "$mood $prompt"
        set -l value (printf %s "$mood $prompt" | base64 | string join '')
        if set -q TMUX
            printf '\033Ptmux;\033\033]1337;SetUserVar=runebook=%s\007\033\\' $value
        else
            printf '\033]1337;SetUserVar=runebook=%s\007' $value
        end
    end
end
