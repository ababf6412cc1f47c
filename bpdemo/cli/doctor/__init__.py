"""`bpdemo doctor`: is this machine ready, and if not, what to do about it.

Uses the lab's calibration. Begin with `doctor.py`; each other file holds the checks of one subject.
"""
