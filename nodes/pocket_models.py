"""PocketModels: the loader of the bundled pocket bases."""

from comfy_api.latest import io

from .pocket_files import editing_bases, text_to_picture_bases


class PocketModels(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PocketModels",
            display_name="Pocket Models",
            category="Expressive Avatars/loaders",
            description="Loads a small model that comes with this pack: graphs run on a laptop, without any download.",
            search_aliases=["small model", "tiny model", "demo model", "load checkpoint", "pocket edit", "pocket xl"],
            inputs=[
                io.Combo.Input(
                    "base",
                    options=[*(editing_bases() or ["pocket-edit"]), *text_to_picture_bases()],
                    tooltip="Which base, all of 128 × 128 pixels. pocket-edit changes the expression of a drawn face; "
                    "pocket-xl draws faces from a prompt, pocket-video upper bodies.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="model",
                    tooltip="pocket-edit: a small Qwen-Image-Edit, for cfg 1. pocket-xl: a small SDXL, for cfg 4. "
                    "pocket-video: a small Stable Diffusion 1.5.",
                ),
                io.Clip.Output(
                    display_name="clip",
                    tooltip="The text encoder. It reads up to 77 words and letters, and no pictures.",
                ),
                io.Vae.Output(
                    display_name="vae",
                    tooltip="The auto-encoder. pocket-edit: 16 latent channels, one latent pixel for 8 × 8 pixels; the "
                    "others: 4 channels, one for 4 × 4.",
                ),
            ],
        )

    @classmethod
    def execute(cls, base: str) -> io.NodeOutput:
        """MODEL, CLIP and VAE of the base. A missing or damaged file is a sentence that names it."""
        if base in text_to_picture_bases():
            from .pocket_xl_host import load_base
        else:
            from .pocket_host import load_base
        return io.NodeOutput(*load_base(base))
