"""Expressive Avatars: a ComfyUI node pack for faces that show an emotion, and as much of it as asked."""

from comfy_api.latest import ComfyExtension, io

from .nodes import NODES
from .nodes.model_folders import register

WEB_DIRECTORY = "./web"
register()


class ExpressiveAvatars(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return list(NODES)


async def comfy_entrypoint() -> ComfyExtension:
    return ExpressiveAvatars()
