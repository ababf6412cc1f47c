"""`bpdemo judge`: what any HTTP service does under overload, in words and numbers.

Uses `lab`, `load`, `plan` and `results`. Begin with `judge.py`; what the numbers mean is in
`grading.py`.
"""
