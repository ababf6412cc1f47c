"""The one picture, the same everywhere, and its relatives: lines, bars, a page of HTML.

Uses `results`; knows nothing of services. Begin with `picture.py`; the colours are in `palette.py`.
"""
