"""The kernel gate: a supervisor that sees every write of an agent's programs before it lands.

Read `pane` (the entry), `front` and `server` (the two processes), `observer` (one notification from
received to answered), then the nouns those use. Standard library only, and nothing is imported here:
the pane's first process pays for every import. `docs/gate.md` says what is seen and what is not.
"""
