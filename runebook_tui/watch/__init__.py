"""The live watch: what changed in the tree, whoever wrote it, and what git ignores."""
