"""The composition roots: a service or a worker put together from its settings, and as a process.

Uses every room of the service: `api`, `service`, `flow`, `downstream`, `telemetry`, `core`.
Begin with `office.py`, which builds one service on any clock; `app.py` puts it behind HTTP.
"""
