"""What is measured, by the papers' names."""
