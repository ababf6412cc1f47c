"""What becomes of an order: the way in, and the way through."""
