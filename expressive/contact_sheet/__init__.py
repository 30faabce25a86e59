"""Contact sheets: many pictures on one page, with captions or along an α axis."""
