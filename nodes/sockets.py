"""The pack's own socket types, where the host has none."""

from comfy_api.latest import io

Emotion = io.Custom("EMOTION")
"""`expressive.emotion.Emotion`: emotion words with an intensity each."""

Readings = io.Custom("FACE_READINGS")
"""A list of `expressive.metrics.readings.FaceReading`, one for each picture."""

Landmarks = io.Custom("FACE_LANDMARKS")
"""The host's own: {"frames": [[{"bbox_xyxy": …}]], "image_size": (height, width)}."""

Placements = io.Custom("FACE_PLACEMENTS")
"""A list of `expressive.vision.face_crop.Placement`, one for each picture that was cropped."""

Calibration = io.Custom("ALPHA_CALIBRATION")
"""`expressive.conditioning.Calibration`, or None where a LoRA has none: α in proportion to what is seen."""

ConsistentSet = io.Custom("CONSISTENT_SET")
"""`expressive.attention.kept_set.KeptSet`: what a painted set shows those that join it later."""

Identity = io.Custom("IDENTITY")
"""`expressive.identity.features.IdentityFeatures`: a person, and faces to make."""

IdentityAdapter = io.Custom("IDENTITY_ADAPTER")
"""`nodes.identity_adapter.LoadedAdapter`: an identity-expression adapter under the host's memory management."""

TextEmotion = io.Custom("TEXT_EMOTION")
"""`nodes.load_text_emotion.LoadedTextEmotion`: a classifier of texts under the host's memory management."""

TextEmbedding = io.Custom("TEXT_EMBEDDING")
"""A tensor [D]: z_T of MAVAGEN, a text as the classifier's network holds it."""

SentenceEmotions = io.Custom("SENTENCE_EMOTIONS")
"""A tuple of `expressive.speech.text_emotion.Sentence`: a text's sentences, each with its emotion."""
