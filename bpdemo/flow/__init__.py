"""The patterns, one idea a file. They know nothing of HTTP, SQL or metrics.

Uses `core` alone, and takes its clock and its chance from outside. Begin with `queue.py`, then
`pool.py` and `breaker.py`.
"""
