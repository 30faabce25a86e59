"""ExpressionPrompt: from an emotion to the texts that ask an image model for it."""

import re
from typing import Any

from comfy_api.latest import io

from ..expressive.emotion import Emotion, vocabulary
from ..expressive.emotion.person import AGES, GENDERS, RACES, UNSPECIFIED, Person, balanced_people
from ..expressive.emotion.prompts import SUBJECTS, write_prompts
from .choices import chosen
from .sockets import Emotion as EmotionSocket


def _choices() -> list[str]:
    """Neutral, PixelSmile's 12 words, then the other nouns of the 135 in the order of their classes."""
    words = [word.word for word in (*vocabulary.pixelsmile(), *vocabulary.emo135())]
    return list(dict.fromkeys(["neutral", *words]))


def _mode_input() -> io.DynamicCombo.Input:
    word = io.Combo.Input(
        "word",
        options=_choices(),
        default="happy",
        tooltip="The emotion; type to search. PixelSmile's 12 words first, then the rest of the 135. Not used while an "
        "EMOTION is connected.",
    )
    primary = io.Combo.Input(
        "primary",
        options=list(vocabulary.primary_classes()),
        tooltip="All words of this class, in the order of the emotion tree.",
    )
    words = io.String.Input(
        "words",
        multiline=True,
        default="happy, sad, angry, surprised",
        tooltip="Emotion words, separated by commas or new lines, in the order wanted.",
    )
    return io.DynamicCombo.Input(
        "mode",
        options=[
            io.DynamicCombo.Option("single", [word]),
            io.DynamicCombo.Option("all 135", []),
            io.DynamicCombo.Option("pixelsmile 12", []),
            io.DynamicCombo.Option("primary class", [primary]),
            io.DynamicCombo.Option("chosen list", [words]),
        ],
        tooltip="One emotion, or a list of them: every node that follows then runs once for each.",
    )


def _style_input() -> io.DynamicCombo.Input:
    subject = io.Combo.Input(
        "subject", options=list(SUBJECTS), tooltip="person for photographs, character for anime pictures."
    )
    person = [
        io.Combo.Input("age", options=[UNSPECIFIED, *AGES], tooltip="The person's age group."),
        io.Combo.Input(
            "gender",
            options=[UNSPECIFIED, *GENDERS],
            tooltip="The person's gender. With the ages child and teenage: girl or boy.",
        ),
        io.Combo.Input(
            "race",
            options=[UNSPECIFIED, *RACES],
            tooltip="One of the seven race groups over which the GenEAva avatars are balanced.",
        ),
        io.String.Input(
            "details",
            default="",
            placeholder="wearing round glasses",
            tooltip="Anything else about the person: hair, clothes, place. Goes into the neutral prompt too.",
        ),
    ]
    return io.DynamicCombo.Input(
        "style",
        options=[
            io.DynamicCombo.Option("pixelsmile", [subject]),
            io.DynamicCombo.Option("geneava", person),
            io.DynamicCombo.Option("facial attributes", person),
            io.DynamicCombo.Option("tags", person),
            io.DynamicCombo.Option("geneava grid", _grid_inputs(person[-1])),
        ],
        tooltip="pixelsmile: the sentence that edits a given picture, with the nearest of PixelSmile's 12 words. "
        "geneava: one sentence for a new face. facial attributes: what each part of the face does. "
        "tags: comma-separated, for anime models. geneava grid: geneava's sentence for people of every group, each "
        "with each emotion.",
    )


def _grid_inputs(details: io.Input) -> list[io.Input]:
    def group(name: str, known: tuple[str, ...]) -> io.Input:
        return io.String.Input(
            name, default=", ".join(known), tooltip=f"The {name} of the grid, separated by commas: {', '.join(known)}."
        )

    return [
        group("ages", AGES),
        group("genders", GENDERS),
        group("races", RACES),
        details,
        io.Int.Input("part", default=1, min=1, max=10_000, tooltip="Which part of the list to write, from 1 on."),
        io.Int.Input(
            "parts",
            default=1,
            min=1,
            max=10_000,
            tooltip="In how many equal parts the list is cut, for long lists: all 135 emotions of all 70 people are "
            "9,450 prompts. The people of an emotion stay together.",
        ),
    ]


class ExpressionPrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ExpressionPrompt",
            display_name="Expression Prompt",
            category="Expressive Avatars/prompt",
            description="Writes the prompts for an emotion: one of 135 emotion words, one of PixelSmile's 12 "
            "expressions or an EMOTION from another node. Can write a whole set at once, for one picture each.",
            search_aliases=[
                "emotion",
                "facial expression",
                "Emo135",
                "GenEAva",
                "PixelSmile",
                "face prompt",
                "mood",
                "feelings",
                "expression sheet",
                "FACS",
            ],
            inputs=[
                _mode_input(),
                io.Float.Input(
                    "intensity",
                    default=1.0,
                    min=0.0,
                    max=1.5,
                    step=0.05,
                    round=0.01,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="0 neutral, 1 full, up to 1.5 exaggerated. Scales the EMOTION and becomes words such as "
                    "mild or markedly. The pixelsmile sentence has no such words: there the α of Text Latent "
                    "Interpolate sets the strength.",
                ),
                _style_input(),
                EmotionSocket.Input(
                    "emotion",
                    optional=True,
                    tooltip="An emotion from another node, used in place of the word of the mode “single”.",
                ),
            ],
            outputs=[
                io.String.Output("prompt", is_output_list=True, tooltip="Asks for the emotion. One per emotion."),
                io.String.Output(
                    "neutral_prompt",
                    is_output_list=True,
                    tooltip="The same with a neutral face: the other end of Text Latent Interpolate.",
                ),
                io.String.Output(
                    "negative_prompt",
                    is_output_list=True,
                    tooltip="What to avoid. Empty in the style pixelsmile, which is made for CFG 1.",
                ),
                EmotionSocket.Output(
                    "emotion_out",
                    display_name="emotion",
                    is_output_list=True,
                    tooltip="The emotion at the chosen intensity.",
                ),
                io.String.Output("label", is_output_list=True, tooltip="The emotion's words, for captions."),
            ],
        )

    @classmethod
    def execute(
        cls,
        intensity: float,
        mode: dict[str, Any] | None = None,
        style: dict[str, Any] | None = None,
        emotion: Emotion | None = None,
    ) -> io.NodeOutput:
        mode, style = chosen(mode, cls, "mode"), chosen(style, cls, "style")
        emotions = [felt.scaled(intensity) for felt in _emotions(mode, emotion)]
        named = [(felt, person) for felt in emotions for person in _people(style)]
        if style["style"] == "geneava grid":
            named = part_of(named, style["part"], style["parts"])
        kind = style["style"].removesuffix(" grid")
        texts = [write_prompts(felt, kind, person, style.get("subject", "person")) for felt, person in named]
        return io.NodeOutput(
            [text.prompt for text in texts],
            [text.neutral for text in texts],
            [text.negative for text in texts],
            [felt for felt, _ in named],
            [
                f"{text.label}, {person.noun}" if style["style"] == "geneava grid" else text.label
                for text, (_, person) in zip(texts, named, strict=True)
            ],
        )


def _people(style: dict[str, Any]) -> list[Person]:
    """Whom the prompts are of: one person, or those of the grid."""
    if style["style"] != "geneava grid":
        return [Person(**{name: style[name] for name in ("age", "gender", "race", "details") if name in style})]
    groups = [
        [word.strip() for word in style[name].split(",") if word.strip()] for name in ("ages", "genders", "races")
    ]
    return balanced_people(*groups, details=style["details"])


def part_of(items: list[Any], part: int, parts: int) -> list[Any]:
    """The `part`-th of `parts` parts, from 1 on, which differ by one item at most. Raises ValueError for none of it."""
    if not part <= parts <= len(items):
        raise ValueError(
            f"There is no part {part} of {parts} in a list of {len(items)} prompts. Count parts from 1, and cut the "
            f"list into {len(items)} at most."
        )
    return items[(part - 1) * len(items) // parts : part * len(items) // parts]


def _emotions(mode: dict[str, Any], given: Emotion | None) -> list[Emotion]:
    chosen = mode["mode"]
    if given is not None:
        if chosen != "single":
            raise ValueError(
                f"An EMOTION is connected while the mode is “{chosen}”, so it is unclear which to use. "
                "Set the mode to “single”, or disconnect the emotion."
            )
        if not isinstance(given, Emotion):
            raise ValueError(f"Expected an EMOTION on the input emotion, got {type(given).__name__}.")
        return [given]
    if chosen == "single":
        return [Emotion.of(mode["word"])]
    if chosen == "chosen list":
        words = [word for word in re.split(r"[,;\n]", mode["words"]) if word.strip()]
        if not words:
            raise ValueError("The list of words is empty. Write emotion words separated by commas or new lines.")
        return [Emotion.of(word) for word in words]
    words = {
        "all 135": vocabulary.emo135,
        "pixelsmile 12": vocabulary.pixelsmile,
        "primary class": lambda: vocabulary.of_class(mode["primary"]),
    }[chosen]()
    return [Emotion.of(word.id) for word in words]
