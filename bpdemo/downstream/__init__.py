"""The world behind the box office: a payment and a store that can be slow, fail or be gone.

Each module is imported by name, so that a service with a memory store never loads a database
driver.

Uses `core` alone. Begin with `payment.py` and `memory.py`; PostgreSQL begins in `postgres.py`.
"""
