"""The pocket world in the file formats of the real datasets."""
