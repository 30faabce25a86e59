"""What Keep Structure does while a sampler runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.model_patcher
import comfy.patcher_extension
import comfy.sampler_helpers
import comfy.samplers
import comfy.utils
from torch import Tensor

from ..expressive.stylization import SourceStructure, Trajectory, adapt_statistics, invert, noise_levels_up

if TYPE_CHECKING:
    from .keep_structure import Settings

KEY = "expressive_avatars_structure_of_source"

PARTIAL = ("area", "mask", "start_percent", "end_percent")
"""What makes a conditioning count for a part of the picture or of the steps alone."""

NOT_LOADED = ("control", "gligen", "hooks")
"""What the host loads for a sampler's own conditionings, and not for the source's."""


class StructureKeeper:
    """The host's wrapper around a whole sampling. All state belongs to one run of it."""

    def __init__(self, source: list, settings: Settings) -> None:
        self._source, self._settings = source, settings

    def __call__(
        self,
        executor: Callable[..., Tensor],
        guider: Any,
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Any,
        noise: Tensor,
        latent_image: Tensor,
        *rest: Any,
    ) -> Tensor:
        if len(sigmas) < 2 or sigmas[0] <= 0:  # nothing to sample
            return executor(guider, sigmas, extra_args, callback, noise, latent_image, *rest)
        if not latent_image.count_nonzero():
            raise ValueError(
                "Keep Structure has no picture to keep the structure of: the sampler's latent is empty. Connect VAE "
                "Encode of the picture to latent_image."
            )
        model, settings = guider.inner_model, self._settings
        if settings.start == "seeded" and not noise.count_nonzero():
            raise ValueError(
                "Keep Structure needs the clean picture as the sampler's latent, and the sampler's own noise, which is "
                "switched off. Switch add_noise on, or set start to inverted."
            )
        conds = _processed(model, self._source, noise, latent_image, rest[0], extra_args["seed"])
        options = comfy.model_patcher.create_model_options_clone(extra_args["model_options"])
        levels = sigmas.tolist()
        if settings.start == "inverted":
            path = _inverted(model, conds, options, latent_image, levels, settings.refinements)
        else:
            path = Trajectory(latent_image, (levels[0],), noise[None])
        injection = _Injection(conds, path, levels, settings)
        _inject(options, injection)
        if settings.style is not None:
            style = model.process_latent_in(settings.style.to(latent_image))
            _after_guidance(options, lambda found: adapt_statistics(found, style, settings.colours))
        top = path.at(float(sigmas[0]))
        return executor(
            guider, sigmas, {**extra_args, "model_options": options}, callback,
            _as_noise(model.model_sampling, guider, sigmas, top, latent_image), latent_image, *rest,
        )  # fmt: skip


def _processed(
    model: Any, source: list, noise: Tensor, latent_image: Tensor, mask: Tensor | None, seed: int | None
) -> list[dict]:
    """The source's conditioning as the host hands it to a model. ValueError for one of a part of the picture."""
    converted = comfy.sampler_helpers.convert_cond(source)
    if len(converted) != 1 or any(key in converted[0] for key in PARTIAL):
        raise ValueError(
            "The source of Keep Structure has to be one prompt for the whole picture and all steps. Connect a text "
            "encoder, without Conditioning Combine, areas, masks or ranges of steps."
        )
    conds = {"positive": [{key: value for key, value in converted[0].items() if key not in NOT_LOADED}]}
    return comfy.samplers.process_conds(model, noise, conds, noise.device, latent_image, mask, seed)["positive"]


def _inverted(
    model: Any, conds: list[dict], options: dict, clean: Tensor, sigmas: list[float], refinements: int
) -> Trajectory:
    levels = noise_levels_up(sigmas, float(model.model_sampling.sigma_min))
    bar = comfy.utils.ProgressBar(len(levels) - 1)

    def denoise(x: Tensor, sigma: float) -> Tensor:
        comfy.model_management.throw_exception_if_processing_interrupted()
        return comfy.samplers.calc_cond_batch(model, [conds], x, x.new_full((len(x),), sigma), options)[0]

    found = invert(denoise, clean, levels, refinements=refinements, on_step=lambda _: bar.update(1))
    return found.no_louder_than_noise()


def _as_noise(sampling: Any, guider: Any, sigmas: Tensor, x: Tensor, latent_image: Tensor) -> Tensor:
    """The noise out of which the host makes x [B,C,H,W] at the first of the noise levels."""
    whole = comfy.samplers.Sampler().max_denoise(guider, sigmas)
    size = sampling.noise_scaling(sigmas[0], x.new_ones(()), x.new_zeros(()), whole)
    return (x - latent_image) / size


class _Pass(Enum):
    TAKE = "take"
    GIVE = "give"


class _Injection:
    """Before each step of the new picture: one pass over the source at the same noise level, then the step with it."""

    def __init__(self, conds: list[dict], path: Trajectory, sigmas: list[float], settings: Settings) -> None:
        self._conds, self._path, self._correction = conds, path, settings.correction
        self._attention_above = _last_level(sigmas, settings.attention)
        self._features_above = _last_level(sigmas, settings.features)
        self._above = 0.0 if settings.correction else min(self._attention_above, self._features_above)
        self._structure = SourceStructure()
        self._now: _Pass | None = None
        self._sigma = math.inf

    def around_step(
        self, executor: Callable, model: Any, conds: list, x: Tensor, timestep: Tensor, options: dict
    ) -> list[Tensor]:
        """The host's wrapper around the conditionings of one step."""
        self._sigma = float(timestep[0])
        if self._sigma <= self._above:
            return executor(model, conds, x, timestep, options)
        self._structure = SourceStructure()
        try:
            self._now = _Pass.TAKE
            (answer,) = executor(model, [self._conds], self._path.at(self._sigma).to(x), timestep, options)
            self._now = _Pass.GIVE
            found = executor(model, conds, x, timestep, options)
        finally:
            self._now = None
        correction = self._correction * self._path.missed(answer)
        return [one if cond is None else one + correction for one, cond in zip(found, conds, strict=True)]

    def attention(self, n: Tensor, context: Tensor, value: Tensor, extra: dict[str, Any]) -> tuple:
        """The host's patch of self-attention, before its projections: tokens [B,N,C] of queries, keys and values."""
        kind, number = extra.get("block", ("", 0))
        place = (kind, number, extra.get("block_index"))
        if kind == "output" and self._sigma > self._attention_above:
            if self._now is _Pass.TAKE:
                self._structure.take_tokens(place, n, context)
            elif self._now is _Pass.GIVE:
                return *self._structure.tokens(place, n, context), value
        return n, context, value

    def block(self, h: Tensor, skip: Tensor, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """The host's patch of what enters a decoder block: features and skip connection [B,C,h,w]."""
        if self._sigma > self._features_above:
            if self._now is _Pass.TAKE:
                self._structure.take_features(options["block"], h, options["original_shape"])
            elif self._now is _Pass.GIVE:
                return self._structure.features(options["block"], h), skip
        return h, skip


def _last_level(sigmas: list[float], share: float) -> float:
    """The noise level above which the first `share` of the steps lies."""
    steps = len(sigmas) - 1
    first_without = round(share * steps)
    return math.inf if first_without == 0 else math.sqrt(max(0.0, sigmas[first_without - 1] * sigmas[first_without]))


def _inject(options: dict[str, Any], injection: _Injection) -> None:
    transformer = options.setdefault("transformer_options", {})
    patches = transformer.setdefault("patches", {})
    patches["attn1_patch"] = [*patches.get("attn1_patch", []), injection.attention]
    patches["output_block_patch"] = [*patches.get("output_block_patch", []), injection.block]
    kind = comfy.patcher_extension.WrappersMP.CALC_COND_BATCH
    comfy.patcher_extension.add_wrapper_with_key(kind, KEY, injection.around_step, options, is_model_options=True)


def _after_guidance(options: dict[str, Any], change: Callable[[Tensor], Tensor]) -> None:
    """Change each estimate of the picture, after guidance."""
    comfy.model_patcher.set_model_options_post_cfg_function(options, lambda args: change(args["denoised"]))
