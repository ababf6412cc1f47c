"""The services that a notebook runs, and the machine they run on.

Uses `assembly`, `load` and `sim`. Begin with `service.py`, which holds `serve`.
"""
