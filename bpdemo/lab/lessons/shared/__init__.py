"""What every lesson uses: its claims, the source that it shows, its minutes and its place.

Uses `core` and `results`. Begin with `claims.py`.
"""
