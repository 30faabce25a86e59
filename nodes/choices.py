"""Values of dynamic combos."""

from typing import Any

from comfy_api.latest import io


def chosen(value: dict[str, Any] | None, node: type[io.ComfyNode], name: str) -> dict[str, Any]:
    """The value of a node's dynamic combo, which the host leaves out where it does not know it (an older graph).

    Raises ValueError with the choices there are.
    """
    if value is not None:
        return value
    (combo,) = (item for item in node.define_schema().inputs if item.id == name)
    options = ", ".join(option.key for option in combo.options)  # pyright: ignore[reportAttributeAccessIssue]
    raise ValueError(f"The {name} is none of: {options}. Choose one.")
