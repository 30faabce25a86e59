"""The library behind the nodes: emotions, conditioning, drawn faces and models. It knows nothing of ComfyUI."""
