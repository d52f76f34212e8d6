"""Plain mode: the cockpit as lines of words, for screen readers, dumb terminals and pipes."""
