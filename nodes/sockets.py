"""The pack's own socket types, where the host has none."""

from comfy_api.latest import io

Emotion = io.Custom("EMOTION")
"""`expressive.emotion.Emotion`: emotion words with an intensity each."""

Readings = io.Custom("FACE_READINGS")
"""A list of `expressive.metrics.readings.FaceReading`, one for each picture."""
