"""What a node says on itself after a run."""

from comfy_api.latest import io


def tell(node: type[io.ComfyNode], text: str) -> None:
    """Show text on the node that runs; its schema has to ask for `io.Hidden.unique_id`. Nothing outside of a run."""
    from server import PromptServer

    server, hidden = getattr(PromptServer, "instance", None), node.hidden
    if server is not None and hidden is not None and hidden.unique_id:
        server.send_progress_text(text, hidden.unique_id)
