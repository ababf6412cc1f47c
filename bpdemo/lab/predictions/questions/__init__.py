"""The questions of the lessons. Each wrong choice is a misconception, with an answer of its own.

Uses nothing of other rooms. Begin with `question.py`.
"""
