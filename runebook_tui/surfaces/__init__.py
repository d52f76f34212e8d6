"""The places outside the screens: the snapshot that they read, and the files that make them show it."""
