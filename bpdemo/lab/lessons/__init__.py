"""What one lesson alone needs, so that its cells stay a few lines long.

Uses `lab.services`, `load`, `sim`, `picture` and `results`; `figures` has
pictures, and `shared` what all of them use.
Begin with `sweeps.py`; each file belongs to the lesson that imports it.
"""
