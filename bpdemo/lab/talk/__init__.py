"""The stage: five acts for a speaker, live or played back.

Uses `lab.live`, `lab.services` and `picture`. Begin with `talk.py`.
"""
