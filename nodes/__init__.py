"""What the artist sees: one file per stage, and here the list of all nodes in the order of a graph."""

from comfy_api.latest import io

from .contact_sheet import ContactSheet
from .expression_prompt import ExpressionPrompt
from .pocket_avatar import PocketAvatar
from .pocket_models import PocketModels
from .text_latent_interpolate import TextLatentInterpolate

NODES: list[type[io.ComfyNode]] = [ExpressionPrompt, TextLatentInterpolate, PocketModels, PocketAvatar, ContactSheet]
