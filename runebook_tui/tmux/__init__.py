"""The private tmux server that the agents' panes live in: the only package that imports libtmux."""
