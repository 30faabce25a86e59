"""Speech as a video model hears it: what is heard around each video frame, and the whole as one vector."""
