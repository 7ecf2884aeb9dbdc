"""Benchmarks: `pytest bench/ --benchmark-only`, or one table by `python -m bench.report`."""
