"""What the artist sees: one file per stage, and here the list of all nodes in the order of a graph."""

from comfy_api.latest import io

from .avatar_filter import AvatarFilter
from .consistent_attention import ConsistentAttention
from .consistent_attention_sampler import ConsistentAttentionSampler
from .contact_sheet import ContactSheet
from .control_curve import ControlCurve
from .emo135_reference import Emo135Reference
from .encode_expression_edit import EncodeExpressionEdit
from .expression_preset import ExpressionPreset
from .expression_prompt import ExpressionPrompt
from .expression_score import ExpressionScore
from .face_crop import FaceComposite, FaceCrop
from .keep_structure import KeepStructure
from .load_expression_lora import LoadExpressionLoRA
from .pocket_avatar import PocketAvatar
from .pocket_models import PocketModels
from .save_avatar_dataset import SaveAvatarDataset
from .stylize import Stylize
from .text_latent_interpolate import TextLatentInterpolate

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
