"""Making a dataset of avatars with one or many ComfyUI servers, as GenEAva 1.0 was made: a plan, painted, checked."""
