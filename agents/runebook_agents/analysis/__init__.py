"""Analysis: what would help by what failed, from rules, a search of the repository, and a model if asked."""
