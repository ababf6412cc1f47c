"""What a run recorded: records, frame, summary, validity, and the file it is saved in.

Knows no plot and no HTTP. Begin with `records.py`.
"""
