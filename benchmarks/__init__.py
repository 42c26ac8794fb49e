"""Benchmarks: what the project's speed is, measured beside the way that is usual. See README.md in this folder."""
