"""The face reader: one small network that reads everything that is true of a drawn face, on every style.

It stands in for ArcFace, POSTER, CLIP and MediaPipe wherever the pocket models are trained or judged.
"""
