"""What becomes of an order: the way in, and the way through.

Uses `flow`, and the ports of `core` for everything outside. Begin with `intake.py` for the way in
and with `work.py` for the way through.
"""
