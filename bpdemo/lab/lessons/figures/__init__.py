"""Pictures that one lesson alone draws: two panels, a curve on a line of theory, a plain sum.

Uses `picture`, `results`, `sim` and the neighbours in `lab.lessons`. Begin with `attempts.py`.
"""
