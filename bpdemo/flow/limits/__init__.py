"""Adaptive concurrency limits: one algorithm to a file.

Each takes the place of `FixedLimit` behind the gate of `bpdemo.flow.limiter`, and learns from the
calls that end. L is the limit, rtt the measured time of a call including its wait behind the limit.

Uses `core` and the limiter alone. Begin with `aimd.py`; `choice.py` makes one by its name.
"""
