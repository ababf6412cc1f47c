"""The service's own code on a virtual clock: loop, crowd, theory.

Uses `assembly` and `plan`. Begin with `virtual_time.py`, the loop whose time passes at once.
"""
