"""The HTTP edge: the connection, the door before the framework, routes and answers.

Uses `service` and everything below it. Begin with `door.py`, where most refusals are said.
"""
