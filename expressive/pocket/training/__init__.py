"""How the pocket editing model is made: faces are drawn, the auto-encoder is trained, then text encoder and transformer."""
