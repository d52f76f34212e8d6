"""Running a plan: the engine process, its socket, its effects, and those who talk to it."""
