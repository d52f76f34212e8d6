# Runebook's: ZDOTDIR of an agent's pane points here. It gives the user's own back, and theirs is read.
if [[ -n ${RUNEBOOK_ZDOTDIR-} ]]; then
    export ZDOTDIR=$RUNEBOOK_ZDOTDIR
else
    unset ZDOTDIR
fi
[[ ! -r ${ZDOTDIR-$HOME}/.zshenv ]] || . "${ZDOTDIR-$HOME}/.zshenv"
[[ ! -o interactive || -z ${RUNEBOOK_CAPTURE_PYTHON-} ]] || . "$RUNEBOOK_CAPTURE/shells/zsh/hooks.zsh"
