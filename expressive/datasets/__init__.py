"""Readers of the datasets that the papers rest on: labels, paths and numbers now, pictures when they are needed.

The drawn datasets of `python run.py pocket data …` and the real ones are read alike. `on_bad` says what becomes of
malformed rows: "refuse" raises BadRowError with file and line, "skip" leaves them out and counts them.
"""
