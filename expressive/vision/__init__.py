"""Faces in pictures: where they are, cutting them out and putting them back."""
