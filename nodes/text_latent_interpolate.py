"""TextLatentInterpolate: the expression slider, as a conditioning."""

from collections.abc import Sequence

from comfy_api.latest import io

from ..expressive.conditioning import (
    ALPHA_MAX,
    ALPHA_MIN,
    METHODS,
    Calibration,
    Conditioning,
    alpha_label,
    alpha_rows,
    interpolate_over_steps,
    parse_schedule,
    prompts_per_alpha,
)
from ..expressive.conditioning.align import SUFFIX_TOKENS
from ..expressive.conditioning.calibration import EMOTION_KEY
from .sockets import Calibration as CalibrationSocket

MOST_TARGETS = 12


class TextLatentInterpolate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TextLatentInterpolate",
            display_name="Text Latent Interpolate",
            category="Expressive Avatars/conditioning",
            description="Moves a neutral prompt towards one or more target prompts: neutral + α · (target − neutral). "
            "One α makes one picture, a list of α makes a whole strip in one run.",
            search_aliases=[
                "PixelSmile",
                "expression slider",
                "expression strength",
                "emotion intensity",
                "interpolate conditioning",
                "blend expressions",
                "alpha sweep",
            ],
            inputs=[
                io.Conditioning.Input(
                    "neutral",
                    tooltip="The prompt of the neutral face: “Edit the person to show a neutral expression”.",
                ),
                io.Autogrow.Input(
                    "targets",
                    template=io.Autogrow.TemplateNames(
                        io.Conditioning.Input(
                            "target",
                            tooltip="The prompt of an expression, worded like the neutral one. Connect it to get a "
                            "further target: expressions then blend.",
                        ),
                        names=[f"target_{k}" for k in range(1, MOST_TARGETS + 1)],
                        min=1,
                    ),
                    tooltip="One or more expressions, each with its own α.",
                ),
                io.Float.Input(
                    "alpha",
                    default=1.0,
                    min=ALPHA_MIN,
                    max=ALPHA_MAX,
                    step=0.01,
                    round=0.001,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="Strength of the expression: 0 neutral, 1 the target, above 1 exaggerated, below 0 away "
                    "from it. Used by every target that has no line in alphas.",
                ),
                io.String.Input(
                    "alphas",
                    default="",
                    multiline=True,
                    placeholder="several pictures: 0:1.25:6",
                    tooltip="Leave empty to use the slider. For a strip, list its α: 0:1.25:6 (start:stop:count) or "
                    "0, 0.5, 1. With several targets write a line for each; a line with one value holds for every "
                    "picture, an empty line takes the slider's.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default=METHODS[0],
                    tooltip="Which tokens move. score_one_all: all (PixelSmile's own choice). score_one: the last 7; "
                    "score_one_exp: the last 6; score_one_tgt: only the expression's word. score_scale: that word "
                    "times α. direct: the target as it is.",
                    advanced=True,
                ),
                io.Int.Input(
                    "suffix_tokens",
                    default=SUFFIX_TOKENS,
                    min=0,
                    max=512,
                    tooltip="Tokens after the expression's word that all prompts share. Matters only where prompts "
                    "have different lengths. 6 is right for PixelSmile's prompts in Qwen-Image-Edit.",
                    advanced=True,
                ),
                CalibrationSocket.Input(
                    "calibration",
                    optional=True,
                    tooltip="From Load Expression LoRA, where the file has one: α = 0.5 then shows half as much as "
                    "α = 1, as it was measured. Needs targets from Encode Expression Edit.",
                ),
                io.String.Input(
                    "schedule",
                    default="",
                    tooltip="α over the steps of sampling: factors for equal parts of it. Empty: the same throughout. "
                    "0, 1 keeps the first half neutral, which holds the pose; 1, 0.5 softens the end.",
                    optional=True,
                    advanced=True,
                ),
            ],
            outputs=[
                io.Conditioning.Output("conditioning", tooltip="A batch with one prompt per α, for one sampler run."),
                io.Int.Output("count", tooltip="How many pictures that makes: connect it to the latent's batch_size."),
                io.String.Output("labels", tooltip="The α of each picture, one per line, for a contact sheet."),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, targets: dict[str, None], alphas: str | None = None, schedule: str | None = None
    ) -> bool | str:
        # before the run links have no values yet, but the host says which targets are connected
        try:
            alpha_rows(alphas or "", len(targets), slider=ALPHA_MAX)
            parse_schedule(schedule or "")
        except ValueError as problem:
            return str(problem)
        return True

    @classmethod
    def execute(
        cls,
        neutral: Conditioning,
        targets: dict[str, Conditioning],
        alpha: float = 1.0,
        alphas: str = "",
        method: str = METHODS[0],
        suffix_tokens: int = SUFFIX_TOKENS,
        calibration: Calibration | None = None,
        schedule: str = "",
    ) -> io.NodeOutput:
        names = sorted(targets, key=lambda name: int(name.rpartition("_")[2]))
        connected = [targets[name] for name in names if targets[name] is not None]
        rows = alpha_rows(alphas, len(connected), alpha)
        mixed = interpolate_over_steps(
            neutral,
            connected,
            rows if calibration is None else calibrated(calibration, connected, rows),
            parse_schedule(schedule),
            method=method,
            suffix_tokens=suffix_tokens,
        )
        for _, extras in mixed:  # what comes out is no longer the whole expression
            extras.pop(EMOTION_KEY, None)
        prompts = prompts_per_alpha(mixed, len(rows))
        labels = [alpha_label(row) for row in rows for _ in range(prompts)]
        return io.NodeOutput(mixed, len(labels), "\n".join(labels))


def calibrated(
    calibration: Calibration, targets: Sequence[Conditioning], rows: Sequence[Sequence[float]]
) -> list[list[float]]:
    """Rows of α [A][targets] as the model has to be given them. ValueError for a target that does not say its words."""
    weights = [target[0][1].get(EMOTION_KEY) for target in targets]
    if None in weights:
        raise ValueError(
            f"Target {weights.index(None) + 1} does not say which expression it is, so its α cannot be calibrated. "
            "Take it from Encode Expression Edit, or disconnect calibration."
        )
    return [
        [min(ALPHA_MAX, calibration.mixed(words, alpha)) for words, alpha in zip(weights, row, strict=True)]
        for row in rows
    ]
