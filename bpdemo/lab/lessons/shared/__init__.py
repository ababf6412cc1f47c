"""What lessons share: claims, the source that they show, minutes, places, animated requests.

Uses `core`, `results`, `picture` and `sim`. Begin with `claims.py`.
"""
