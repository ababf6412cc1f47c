"""The service's own code on a virtual clock: loop, crowd, play, books, theory.

Uses `assembly` and `plan`, and nothing that a browser does not have. Begin with `play.py`, and
with `virtual_time.py`, the loop whose time passes at once.
"""
