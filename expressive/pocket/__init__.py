"""The drawn world and the small models that learn from it."""
