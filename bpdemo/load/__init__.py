"""A load is sent by Locust in processes of its own, gathered, and becomes a `LoadRun`.

Uses `plan`, `results` and `picture`. Begin with `loads.py`, which holds `load`; what runs in the
processes of Locust is in `generator/`.
"""
