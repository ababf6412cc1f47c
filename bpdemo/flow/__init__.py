"""The patterns of overload control, each in a file of its own, knowing nothing of HTTP or SQL."""
