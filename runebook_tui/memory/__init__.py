"""What a repository's agents ran, and what came of it: kept, searched, exported and wiped."""
