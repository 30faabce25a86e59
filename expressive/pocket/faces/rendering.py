"""SVG as pixels."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np

_one_at_a_time = threading.Lock()  # the binding sets argument types on the library's functions at each call


def render(svg: str, size: int = 128) -> np.ndarray:
    """Pixels of an SVG over black: uint8 [size, size, 3], sRGB, the same in every process.

    Raises ImportError with the remedy where thorvg-python is missing or does not load, ValueError for what is not an
    SVG, RuntimeError where ThorVG cannot draw it.
    """
    with _one_at_a_time:
        thorvg, engine = _engine()
        canvas = thorvg.SwCanvas(engine)
        try:
            _check(thorvg, "set_target", canvas.set_target(size, size))
            picture = thorvg.Picture(engine)
            if picture.load_data(svg.encode(), "svg", None, True) != thorvg.Result.SUCCESS:
                raise ValueError(f"This is not an SVG that can be drawn: {svg[:60]}…")
            _check(thorvg, "set_size", picture.set_size(size, size))
            _check(thorvg, "add", canvas.add(picture))
            _check(thorvg, "update", canvas.update())
            _check(thorvg, "draw", canvas.draw(True))
            _check(thorvg, "sync", canvas.sync())
        finally:
            canvas.destroy()  # and the picture with it; the pixels are ours
        pixels = np.frombuffer(canvas.buffer_arr, np.uint8).reshape(size, size, 4)  # h w c; colour times opacity
        return pixels[..., :3].copy()


def _check(thorvg: Any, call: str, result: Any) -> None:
    if result != thorvg.Result.SUCCESS:
        raise RuntimeError(f"ThorVG's {call} failed ({result.name}), so this picture cannot be drawn.")


@functools.cache
def _engine() -> tuple[Any, Any]:
    try:
        import thorvg_python as thorvg
        from thorvg_python.engine import Engine
    except ImportError as error:
        raise ImportError(
            "Drawing avatars needs the package thorvg-python: pip install thorvg-python, then start again."
        ) from error
    try:
        return thorvg, Engine(threads=0)
    except OSError as error:
        raise ImportError(
            f"The library in the package thorvg-python does not load on this system ({error}). Install thorvg itself, "
            "or a wheel of thorvg-python for this system."
        ) from error
