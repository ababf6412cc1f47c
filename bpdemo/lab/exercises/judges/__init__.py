"""The judges: what each exercise does with an answer, lesson by lesson.

Uses `lab.services`, `lab.lessons`, `sim`, `results` and `lab.exercises.exercise`. Begin with
`lesson_01.py`; a judge that needs more than a screen has a file of its own beside its lesson.
"""
