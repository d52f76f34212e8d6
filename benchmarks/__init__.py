"""Benchmarks: each figure is measured against a named alternative in the same run."""
