"""Gen-AFFECT as the training sees it: an adapter of identity and expression in a frozen network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..identity.adapter import IdentityAdapter
from ..identity.attached import Adapted, new_adapter
from ..identity.tokens import TokensConfig
from .adapter_config import AdapterConfig
from .adapter_losses import adapter_losses
from .adapting import Change
from .bases import EditBase
from .cache import DiskCache
from .denoisers import Flow, Noise
from .encoded import EncodedCaptions, EncodedEdits
from .judges import READER, expression_judge, identity_judge
from .painting import PaintBase
from .people import PeopleSamples
from .samples import save_sheet
from .seers import load_seers
from .tasks import load_edit_base, load_paint_base

PEOPLE = 3
"""Rows of a sample sheet."""


class AdaptedBase:
    """A base with an adapter in its network, which takes the network's place."""

    def __init__(self, base: EditBase | PaintBase) -> None:
        self.base, self.device = base, base.device
        self.architecture, self.network_key = base.architecture, base.network_key
        self.adapted: Adapted | None = None

    @property
    def network(self) -> nn.Module:
        """With the adapter, once there is one."""
        return self.adapted or self.base.network

    def use(self, network: nn.Module) -> None:
        """Call this in the place of the network."""
        self.base.use(network)

    def forget_encoder(self) -> None:
        """Free the text encoders."""
        self.base.forget_encoder()


class AdapterChange:
    """The adapter, as it is written."""

    suffix = "/identity-adapter"

    def __init__(self, adapter: IdentityAdapter, key: Mapping[str, str], metadata: Mapping[str, object]) -> None:
        self._adapter, self._key = adapter, key
        count = sum(parameter.numel() for parameter in adapter.parameters())
        self.said = f"an adapter of {count:,} weights beside {len(adapter.layers)} layers"
        self.metadata = metadata

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write `name`.safetensors, and read it back."""
        from ..identity.adapter import load_adapter

        file = self._adapter.save(folder / f"{name}.safetensors", self._key, metadata)
        load_adapter(file)
        return file


class AdapterTask:
    """Gen-AFFECT."""

    method = "Gen-AFFECT (arXiv 2508.09461)"
    description = "Identity and expression by reference pictures, beside a frozen model."

    def __init__(self, config: AdapterConfig, models: Path, cache: DiskCache, device: torch.device) -> None:
        self._config, aim = config, config.objective
        finder = config.data.finder
        if config.base.kind in ("pocket-edit", "qwen-image-edit"):
            edit = load_edit_base(config, models, device)
            self._decode, self.base = edit.decode, AdaptedBase(edit)
            self._denoiser = Flow(edit, EncodedEdits(edit, cache))
        else:
            paint = load_paint_base(config, models, device)
            self._decode, self.base = paint.decode, AdaptedBase(paint)
            self._denoiser = Noise(paint, EncodedCaptions(paint, cache), config.data.size)
        self._identity = identity_judge(aim.identity, models, device)
        self._expression = expression_judge(aim.expression, finder, models, device, "objective.expression")
        named = config.encoders
        self._seers = load_seers(named.identity, named.appearance, named.expression, models, device, finder)
        self.data = PeopleSamples(config, self._denoiser, self._seers, self._identity, self._expression)
        self._heard: dict[str, Tensor] | None = None

    def look_ahead(self) -> None:
        """Prompts of the sheets."""
        how = self._config.samples
        if how.every:
            prompts = [self._config.data.prompt.format(word=word) for word in how.expressions]
            self._heard = self._denoiser.hear([*prompts, ""])

    def change(self) -> Change:
        """The adapter, with all else frozen."""
        config, network = self._config, self.base.base.network
        how, (identity, appearance, expression) = config.adapter, self._seers.widths
        tokens = TokensConfig(
            identity, appearance, expression, how.width, how.identity_tokens, how.expression_tokens,
            layers=how.layers, heads=how.heads,
        )  # fmt: skip
        prototypes = self.data.prototypes()
        adapter = new_adapter(network, tokens, list(prototypes), every=how.every, heads=how.heads)
        adapter.prototypes.copy_(torch.stack(list(prototypes.values())))
        adapter.to(self.base.device)
        self.base.adapted = Adapted(network, adapter)
        finder = config.data.finder
        named = finder if finder in ("", READER) else f"arcface {Path(finder).name} -"
        return AdapterChange(
            adapter, self._seers.key, {"expressive.prompt": config.data.prompt, "expressive.finder": named}
        )

    def losses(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        """Of a batch of pictures."""
        batch = self.data.batch(members, generator).to(self.base.device)
        self._adapted.features = (
            batch.identity, batch.appearance, batch.mask, batch.expression, batch.told, batch.shown,
        )  # fmt: skip
        return adapter_losses(
            self._denoiser, self._decode, batch, self._config.objective, self._identity, self._expression, generator
        )

    @property
    def _adapted(self) -> Adapted:
        if self.base.adapted is None:
            raise RuntimeError("The network has no adapter yet.")
        return self.base.adapted

    @torch.no_grad()
    def sheet(self, title: str, file: Path) -> None:
        """A row for each of some people, a column for each expression, all from the same noise."""
        how, adapted, heard = self._config.samples, self._adapted, self._heard
        if heard is None:
            return
        training, adapter, side = adapted.training, adapted.adapter, self._config.data.size
        adapted.eval()
        heard = {name: value.to(self.base.device) for name, value in heard.items()}
        shape = self.base.base.encode(torch.zeros(1, 3, side, side)).shape[1:]
        noise = torch.randn(1, *shape, generator=torch.Generator().manual_seed(how.seed)).to(self.base.device)
        faces = torch.stack([adapter.face_of({word: 1.0}) for word in how.expressions])
        rows = []
        for identity, appearance in self.data.shown(PEOPLE):
            count = len(faces)
            there = torch.arange(2 * count, device=self.base.device) < count  # guidance leads away from nobody
            adapted.features = (
                identity.to(faces)[None].expand(len(there), -1, -1),
                appearance.to(faces)[None].expand(len(there), -1, -1, -1),
                torch.ones(len(there), len(identity), dtype=torch.bool, device=faces.device),
                faces[torch.arange(len(there), device=faces.device) % count],
                there,
                there,
            )
            latents = self._denoiser.sample(heard, noise.expand(count, *shape), how.steps, how.cfg)
            rows.append(self._decode(latents).float().clamp(0, 1))
        adapted.features = None
        adapted.train(training)
        save_sheet(rows, list(how.expressions), [str(number + 1) for number in range(len(rows))], title, file)

    def measured(self) -> dict[str, str]:
        """Nothing."""
        return {}
