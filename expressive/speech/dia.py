"""Dia: speech from text by a transformer over the tokens of a codec, as transformers runs it.

nari-labs/Dia-1.6B-0626 (Apache-2.0) writes tokens of descript/dac_44khz (MIT), nine for each 512 samples at 44.1 kHz.
It speaks English, and goes on in a voice whose sound and transcript come first.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..encoders import loading, model_folder

CODEC = "dac_44khz"
"""The folder in which the codec lies, within Dia's or beside it."""
PAGE, CODEC_PAGE = "https://huggingface.co/nari-labs/Dia-1.6B-0626", "https://huggingface.co/descript/dac_44khz"

DOWNLOAD = (
    f"Download all files of {PAGE} (about 6.5 GB, Apache-2.0) into models/tts/Dia-1.6B-0626, and config.json and "
    f"model.safetensors of {CODEC_PAGE} (about 310 MB, MIT) into models/tts/Dia-1.6B-0626/{CODEC}."
)
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}

_WINDOW, _MARGIN = 64, 16  # frames that the codec decodes at once, and that it sees around them; it reaches about 10
_FEWEST = 43  # frames, half a second


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; the defaults are those of the published checkpoint. Raises ValueError out of range."""

    guidance: float = 3.0  # of the text, 1 … 10; 1 is without
    temperature: float = 1.2  # 1 … 3: transformers takes less as 1
    top_p: float = 0.95  # above 0, up to 1
    top_k: int = 45  # 5 … 1024: four of the tokens are no sound, and may be the likeliest

    def __post_init__(self) -> None:
        ranges = {"guidance": (1, 10), "temperature": (1, 3), "top_p": (0.01, 1), "top_k": (5, 1024)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"Dia's {name} is {low:g} to {high:g}, got {getattr(self, name)}.")


@dataclass(frozen=True, eq=False)
class Take:
    """audio: float32 [samples], −1 … 1, without the voice that came first. ended: Dia came to an end by itself."""

    audio: np.ndarray
    ended: bool


class Dia:
    """The networks, and what they speak."""

    def __init__(self, name: str, network: nn.Module, codec: nn.Module, extractor: Any, tokenizer: Any) -> None:
        """network, codec, extractor, tokenizer: transformers' DiaForConditionalGeneration, DacModel,
        DiaFeatureExtractor and DiaTokenizer."""
        transformers = _transformers()
        self.name, self.network, self.codec = name, network, codec
        self._model: Any = network
        self._decoder: Any = codec
        self._processor = transformers.DiaProcessor(extractor, tokenizer, audio_tokenizer=codec)
        self._shape = self._model.config.decoder_config
        self._delays: list[int] = list(self._model.config.delay_pattern)
        self.rate = int(self._decoder.config.sampling_rate)
        self._frame = int(self._decoder.config.hop_length)

    @classmethod
    def load(cls, folder: Path, dtype: str = "float32") -> Dia:
        """From a folder as Hugging Face publishes it, the codec from `codec_folder`; frozen, on the CPU.

        dtype: of Dia's weights, one of `DTYPES`; the codec's are float32. Raises FileNotFoundError, ImportError or
        ValueError with one sentence.
        """
        if dtype not in DTYPES:
            raise ValueError(f"Dia's weights are one of {', '.join(DTYPES)}, got {dtype!r}.")
        if is_original(folder):
            raise ValueError(
                f"{folder} holds Dia in Nari Labs' own format. The one for transformers is needed: {DOWNLOAD}"
            )
        model_folder.read_config(folder, ("dia",), "Dia")
        codec = codec_folder(folder)
        model_folder.read_config(codec, ("dac",), "the codec")
        for names in (("tokenizer_config.json",), ("preprocessor_config.json", "processor_config.json")):
            if not any((folder / name).is_file() for name in names):
                raise FileNotFoundError(f"There is no {' or '.join(names)} in {folder}. {DOWNLOAD}")
        transformers = _transformers()
        network = model_folder.load_network(transformers.DiaForConditionalGeneration, folder, "the Dia model")
        decoder = model_folder.load_network(transformers.DacModel, codec, "the codec")
        try:
            extractor = transformers.DiaFeatureExtractor.from_pretrained(str(folder), local_files_only=True)
            tokenizer = transformers.DiaTokenizer.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"The tokenizer's files in {folder} are damaged. {DOWNLOAD}") from error
        for weight in network.parameters():  # not the buffers: positions need all digits
            weight.data = weight.data.to(DTYPES[dtype])
        return cls(folder.name, network, decoder, extractor, tokenizer)

    @property
    def dtype(self) -> str:
        """Of Dia's weights: one of `DTYPES`."""
        return str(next(self.network.parameters()).dtype).removeprefix("torch.")

    @property
    def parameters(self) -> int:
        """Of Dia, without the codec."""
        return sum(weight.numel() for weight in self.network.parameters())

    def frames(self, seconds: float) -> int:
        """That last so long."""
        return max(_FEWEST, round(seconds * self.rate / self._frame))

    @torch.no_grad()
    def speak(
        self,
        text: str,
        seconds: float,
        *,
        voice: np.ndarray | None = None,
        sampling: Sampling | None = None,
        seed: int = 0,
        between: Callable[[], None] = lambda: None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Take:
        """Speak a text that `dia_text.written` wrote, up to so many seconds, at `rate`.

        voice: float32 [samples] at `rate`, whose transcript the text begins with. seed: 0 … 2⁶⁴-1; the same one gives
        the same samples, and the global generators stay as they are. between: called before each frame and each part
        that is decoded; what it raises ends the work. progress: called with the frames that are done, and the most that
        there may be. Raises ValueError where the voice leaves no room, or the text is longer than Dia reads.
        """
        sampling = sampling or Sampling()
        device = next(self.network.parameters()).device
        inputs = {name: found.to(device) for name, found in self._processor(text=[text], audio=voice).items()}
        longest = int(self._model.config.encoder_config.max_position_embeddings)
        if inputs["input_ids"].shape[1] > longest:
            raise ValueError(f"Dia reads {longest} bytes at once, but the text has {inputs['input_ids'].shape[1]}.")
        given = inputs["decoder_attention_mask"].shape[1] - max(self._delays)  # frames before the first new one
        room = int(self._shape.max_position_embeddings) - given - max(self._delays) - 1
        if room < _FEWEST:
            raise ValueError(
                f"The voice takes {given} of the {self._shape.max_position_embeddings} frames that Dia can hear, which "
                "leaves no room to speak. Take a shorter voice, 5 to 10 seconds."
            )
        most = min(self.frames(seconds), room)
        with own_randomness(seed, device):
            rows = self._model.generate(
                **inputs,
                max_new_tokens=most + max(self._delays) + 1,
                do_sample=True,
                num_beams=1,
                guidance_scale=float(sampling.guidance),
                temperature=float(sampling.temperature),
                top_p=float(sampling.top_p),
                top_k=int(sampling.top_k),
                bos_token_id=self._shape.bos_token_id,
                decoder_start_token_id=self._shape.bos_token_id,
                eos_token_id=self._shape.eos_token_id,
                pad_token_id=self._shape.pad_token_id,
                use_cache=True,
                return_dict_in_generate=False,
                stopping_criteria=_transformers().StoppingCriteriaList([_Watch(given, most, between, progress)]),
            )  # [1,T,C]
        tokens, ended = self._undelayed(rows[0].cpu(), given, most)
        return Take(self._decoded(tokens, between), ended)

    def _undelayed(self, rows: Tensor, given: int, most: int) -> tuple[Tensor, bool]:
        """Rows [T,C] as Dia writes them, each codebook later than the one before → [C,F] new frames, and whether Dia
        ended them itself: at the most it is made to."""
        ends = (rows[given:, 0] == self._shape.eos_token_id).nonzero()
        count = int(ends[0]) if len(ends) else most
        count = min(count, len(rows) - given - max(self._delays))
        columns = [rows[given + delay : given + delay + count, place] for place, delay in enumerate(self._delays)]
        return torch.stack(columns), bool(len(ends)) and count < most

    def _decoded(self, tokens: Tensor, between: Callable[[], None]) -> np.ndarray:
        """Tokens [C,F] → float32 [F · samples of a frame], in parts, as long ones need much memory."""
        device = next(self.codec.parameters()).device
        count, parts = tokens.shape[1], [np.zeros(0, np.float32)]
        for start in range(0, count, _WINDOW):
            between()
            end = min(count, start + _WINDOW)
            low, high = max(0, start - _MARGIN), min(count, end + _MARGIN)
            wave = self._decoder.decode(audio_codes=tokens[None, :, low:high].to(device)).audio_values
            samples = wave.reshape(-1).float().cpu().numpy()  # [1,(high-low)·frame] → flat
            parts.append(samples[(start - low) * self._frame : (end - low) * self._frame])
        return np.concatenate(parts).clip(-1.0, 1.0)


class _Watch:
    """A stopping criterion of transformers that never stops, but is asked after each frame."""

    def __init__(
        self, given: int, most: int, between: Callable[[], None], progress: Callable[[int, int], None]
    ) -> None:
        self._given, self._most, self._between, self._progress = given, most, between, progress

    def __call__(self, input_ids: Tensor, scores: Any, **rest: Any) -> Tensor:
        """input_ids: [C,T]. False for each codebook."""
        self._between()
        self._progress(min(self._most, input_ids.shape[1] - self._given), self._most)
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def codec_folder(folder: Path) -> Path:
    """Where the codec of the Dia model in `folder` lies: in it, or beside it, under the name that its files give.

    FileNotFoundError with what to download.
    """
    name = CODEC
    for file in ("audio_tokenizer_config.json", "processor_config.json"):
        found = _read(folder / file)
        found = found.get("audio_tokenizer", found)
        named = found.get("audio_tokenizer_name_or_path") if isinstance(found, dict) else None
        if isinstance(named, str) and Path(named).name not in ("", ".", ".."):
            name = Path(named).name
            break
    places = [folder / name, folder.parent / name]
    for place in places:
        if (place / "config.json").is_file():
            return place
    raise FileNotFoundError(
        f"Dia's codec is not in {places[0]}, nor in {places[1]}. Download config.json and model.safetensors of "
        f"{CODEC_PAGE} (about 310 MB, MIT) into one of these folders."
    )


def is_dia(folder: Path) -> bool:
    """Whether a folder holds a Dia model, in the format of transformers or in Nari Labs' own."""
    return _read(folder / "config.json").get("model_type") == "dia" or is_original(folder)


def is_original(folder: Path) -> bool:
    """Whether a folder holds Dia in Nari Labs' own format, which transformers does not read."""
    config = _read(folder / "config.json")
    data = config.get("data")
    return "model_type" not in config and isinstance(data, dict) and "delay_pattern" in data


@contextlib.contextmanager
def own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Within it the global generators of the CPU and of a device begin at a seed; after it they are as they were.

    For libraries that draw from them and take no generator.
    """
    module: Any = getattr(torch, device.type, None) if device.type != "cpu" else None
    places = [device] if hasattr(module, "set_rng_state") else []
    kind = device.type if places else "cuda"
    with torch.random.fork_rng(places, device_type=kind):
        torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())
        for place in places:
            module.set_rng_state(torch.Generator(place).manual_seed(seed).get_state(), place)
        yield


def _read(file: Path) -> dict[str, Any]:
    """A JSON file's object; empty where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _transformers() -> Any:
    """The package. ImportError where it is missing, or older than Dia."""
    transformers = loading.package("transformers", "speak with Dia")
    if not hasattr(transformers, "DiaForConditionalGeneration"):
        raise ImportError(
            f"Dia needs transformers 4.53 or newer, but {transformers.__version__} is installed. Update it in "
            "ComfyUI's Python: pip install -U transformers"
        )
    return transformers
