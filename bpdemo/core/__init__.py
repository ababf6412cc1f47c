"""The ground floor: model, events, ports, errors and settings. Imports nothing of bpdemo.

Begin with `model.py`, then `ports.py`, which says what the service expects of the world.
"""
