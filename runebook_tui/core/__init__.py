"""The pure core: values, events, state, ownership and rules. No I/O, no clock, no randomness."""
