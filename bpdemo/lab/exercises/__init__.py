"""The exercises, lesson by lesson, and their judges.

Uses `lab.services`, `lab.lessons`, `sim` and `results`. Begin with `exercise.py`; how to write one
stands in the README of this folder.
"""
