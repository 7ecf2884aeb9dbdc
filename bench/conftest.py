"""Benchmarks are functions called `bench_...` in files called `bench_....py`."""
