"""How the pocket editing model is made: draw faces, train the auto-encoder, then text encoder and transformer."""
