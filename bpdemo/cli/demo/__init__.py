"""`bpdemo demo`: the whole story in a terminal, with a verdict and a report.

Uses `load`, `picture` and `results`. Begin with `demo.py`.
"""
