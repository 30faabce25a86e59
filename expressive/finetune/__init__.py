"""One trainer of LoRAs: from PixelSmile's pairs or from captioned pictures, for the real models and the pocket ones."""
