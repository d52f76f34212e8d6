"""The soak: builds, edits and a live agent's screen under the gate for an hour, and what became of them."""
