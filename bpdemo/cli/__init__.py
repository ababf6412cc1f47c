"""The command line: one module a command, and the larger commands as rooms of their own.

May use everything below. Begin with `main.py`, which names every command.
"""
