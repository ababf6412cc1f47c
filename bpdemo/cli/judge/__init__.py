"""`bpdemo judge`: what any HTTP service does under overload, in words and numbers.

Begin with `judge.py`; what the numbers mean is in `grading.py`.
"""
