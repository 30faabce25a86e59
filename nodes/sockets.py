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

SpeechTimings = io.Custom("SPEECH_TIMINGS")
"""`expressive.speech.spoken.Speech`: what was said, and when each word and sound is heard."""

AcousticEncoder = io.Custom("ACOUSTIC_ENCODER")
"""`nodes.load_acoustic_encoder.LoadedAcousticEncoder`: what hears speech, under the host's memory management."""

AcousticFeatures = io.Custom("ACOUSTIC_FEATURES")
"""`expressive.speech.acoustics.features.AcousticFeatures`: what each frame of a video hears of a sound."""

Marigold = io.Custom("MARIGOLD")
"""`nodes.load_marigold.LoadedMarigold`: what finds depth, under the host's memory management."""

HolisticLandmarks = io.Custom("LANDMARKS")
"""`expressive.vision.landmarks.holistic_set.HolisticSet`: the 553 landmarks of one person in each frame."""

Landmarker = io.Custom("LANDMARKER")
"""`nodes.load_landmarker.LoadedLandmarker`: what finds landmarks."""

LandmarkVector = io.Custom("LANDMARK_VECTOR")
"""A tensor [F,1659]: l̃ of MAVAGEN for each frame."""

PoseKeypoints = io.Custom("POSE_KEYPOINT")
"""The host's own: OpenPose's people of each picture."""

Assistant = io.Custom("ASSISTANT")
"""What answers: `nodes.load_assistant.LoadedAssistant` or `expressive.dialogue.endpoint.Endpoint`."""

ChatHistory = io.Custom("CHAT_HISTORY")
"""A tuple of `expressive.dialogue.history.Turn`, oldest first."""

Choice = io.Custom("COMBO,STRING")
"""One of a combo's options, as text: fits combos and strings."""

TtsModel = io.Custom("TTS_MODEL")
"""`nodes.load_dia.LoadedDia`: what speaks, under the host's memory management."""

Voice = io.Custom("VOICE")
"""`expressive.speech.voice_prompt.VoicePrompt`: a few seconds of somebody, and what they say."""
