"""Landmarks of one person through the frames of a clip: MediaPipe Holistic's 553, found, merged, steadied, normalised
and drawn.

`holistic_set` is what all of it is about. `mediapipe_tasks` and `pocket` find them; `face_landmarks` and `openpose`
read and write the host's two kinds, and `merging` joins them.
"""
