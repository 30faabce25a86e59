"""From a message to a voice: the emotion of a text, and what is made of it."""
