"""The HTTP edge: the door, the routes, and how a no is said."""
