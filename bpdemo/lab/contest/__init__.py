"""The tuning challenge: bad settings, a load nobody has seen, and a score that laptops can compare.

Uses `sim`, `picture` and `results`. Begin with `challenge.py`.
"""
