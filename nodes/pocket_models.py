"""PocketModels: the loader of the bundled pocket bases."""

from comfy_api.latest import io

from .pocket_host import bundled_bases, load_base


class PocketModels(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PocketModels",
            display_name="Pocket Models",
            category="Expressive Avatars/loaders",
            description="Loads a small model that comes with this pack: graphs run on a laptop, without any download.",
            search_aliases=["small model", "tiny model", "demo model", "load checkpoint", "pocket edit"],
            inputs=[
                io.Combo.Input(
                    "base",
                    options=bundled_bases() or ["pocket-edit"],
                    tooltip="Which base. pocket-edit changes the expression of a drawn face of 128 × 128 pixels.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="model", tooltip="The transformer, a small Qwen-Image-Edit. Use it with cfg 1."
                ),
                io.Clip.Output(
                    display_name="clip",
                    tooltip="The text encoder. It reads up to 77 words and letters, and no pictures.",
                ),
                io.Vae.Output(
                    display_name="vae",
                    tooltip="The auto-encoder: 16 latent channels, one latent pixel for 8 × 8 pixels.",
                ),
            ],
        )

    @classmethod
    def execute(cls, base: str) -> io.NodeOutput:
        """MODEL, CLIP and VAE of the base. A missing or damaged file is a sentence that names it."""
        return io.NodeOutput(*load_base(base))
