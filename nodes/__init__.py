"""What the artist sees: one file per stage, and here the list of all nodes in the order of a graph."""

from comfy_api.latest import io

from .acoustic_features import AcousticFeatures
from .apply_identity_expression import ApplyIdentityExpression
from .assistant_endpoint import AssistantEndpoint
from .assistant_reply import AssistantReply
from .avatar_filter import AvatarFilter
from .avatar_retrieve import AvatarRetrieve
from .consistent_attention import ConsistentAttention
from .consistent_attention_sampler import ConsistentAttentionSampler
from .consistent_set import ConsistentSet
from .contact_sheet import ContactSheet
from .control_curve import ControlCurve
from .dia_tts import DiaTTS
from .emo135_reference import Emo135Reference
from .emotion_from_text import EmotionFromText
from .encode_expression_edit import EncodeExpressionEdit
from .expression_preset import ExpressionPreset
from .expression_prompt import ExpressionPrompt
from .expression_score import ExpressionScore
from .face_crop import FaceComposite, FaceCrop
from .holistic_landmarks import HolisticLandmarks
from .identity_expression_encode import IdentityExpressionEncode
from .identity_file import IdentityFile
from .join_consistent_set import JoinConsistentSet
from .keep_structure import KeepStructure
from .load_acoustic_encoder import LoadAcousticEncoder
from .load_assistant import LoadAssistant
from .load_dia import LoadDia
from .load_expression_lora import LoadExpressionLoRA
from .load_identity_adapter import LoadIdentityAdapter
from .load_landmarker import LoadLandmarker
from .load_marigold import LoadMarigold
from .load_text_emotion import LoadTextEmotion
from .marigold_depth import MarigoldDepth
from .pocket_avatar import PocketAvatar
from .pocket_models import PocketModels
from .pocket_voice import PocketVoice
from .save_avatar_dataset import SaveAvatarDataset
from .stylize import Stylize
from .text_latent_interpolate import TextLatentInterpolate
from .voice_files import LoadVoice, SaveVoice

NODES: list[type[io.ComfyNode]] = [
    ExpressionPrompt,
    ExpressionPreset,
    Emo135Reference,
    EncodeExpressionEdit,
    TextLatentInterpolate,
    LoadExpressionLoRA,
    KeepStructure,
    Stylize,
    ConsistentAttention,
    ConsistentAttentionSampler,
    ConsistentSet,
    JoinConsistentSet,
    LoadIdentityAdapter,
    IdentityExpressionEncode,
    IdentityFile,
    ApplyIdentityExpression,
    AvatarRetrieve,
    LoadAssistant,
    AssistantEndpoint,
    AssistantReply,
    LoadTextEmotion,
    EmotionFromText,
    PocketVoice,
    LoadDia,
    LoadVoice,
    SaveVoice,
    DiaTTS,
    LoadAcousticEncoder,
    AcousticFeatures,
    LoadLandmarker,
    HolisticLandmarks,
    LoadMarigold,
    MarigoldDepth,
    FaceCrop,
    FaceComposite,
    PocketModels,
    PocketAvatar,
    ContactSheet,
    ExpressionScore,
    ControlCurve,
    AvatarFilter,
    SaveAvatarDataset,
]
