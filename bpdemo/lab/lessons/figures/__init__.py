"""Pictures that one lesson alone draws: two panels, attempts over time, a curve on its theory.

Uses `picture`, `results`, `sim` and the neighbours in `lab.lessons`. Begin with `attempts.py`.
"""
