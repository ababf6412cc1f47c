"""What a run recorded: records, frame, summary, validity, and the file it is saved in.

Uses `plan` and `core`; knows no plot and no HTTP. `meta`, `sentence`, `percentile` and `looks` know
no numpy either. Begin with `records.py`.
"""
