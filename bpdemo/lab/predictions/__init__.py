"""What a learner expects before a run, and what became of it.

Uses `picture` and `results`. Begin with `predictions.py`; the questions are in `questions/`.
"""
