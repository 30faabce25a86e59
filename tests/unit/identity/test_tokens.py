"""Identity and expression as tokens, and attention to them."""

from pathlib import Path

import pytest
import torch

from expressive.identity.adapter import (
    AdapterShape,
    BlockAttention,
    CrossAttentionBeside,
    IdentityAdapter,
    Told,
    load_adapter,
    tell,
)
from expressive.identity.features import IdentityFeatures
from expressive.identity.tokens import IdentityExpressionTokens, TokensConfig

SIZES = TokensConfig(10, 12, 14, width=16, identity_tokens=3, expression_tokens=2, heads=2)
KEY = {"identity": "a", "appearance": "b", "expression": "c"}


def somebody(pictures: int = 2, faces: int = 3, seed: int = 0) -> IdentityFeatures:
    generator = torch.Generator().manual_seed(seed)
    return IdentityFeatures(
        torch.randn(pictures, 10, generator=generator),
        torch.randn(pictures, 5, 12, generator=generator),
        torch.randn(faces, 14, generator=generator),
        tuple(f"face {number}" for number in range(faces)),
        KEY,
    )


def tokens_of(net: IdentityExpressionTokens, who: IdentityFeatures, most: int | None = None, **given: torch.Tensor):
    """Of the first face; `most`: as many pictures, of which those that are missing hold nonsense."""
    there = len(who.identity)
    most = most or there
    identity = torch.full((1, most, 10), 7.0)
    appearance = torch.full((1, most, 5, 12), -7.0)
    identity[0, :there], appearance[0, :there] = who.identity, who.appearance
    mask = torch.arange(most)[None] < there
    return net(identity, appearance, mask, who.expression[:1], **given)


def test_pictures_that_are_not_there_do_not_count() -> None:
    net = IdentityExpressionTokens(SIZES)
    plain, padded = tokens_of(net, somebody()), tokens_of(net, somebody(), 4)
    assert plain[0].shape == (1, 3, 16) and plain[1].shape == (1, 2, 16)
    torch.testing.assert_close(plain, padded)


def test_the_order_of_pictures_does_not_matter() -> None:
    net, who = IdentityExpressionTokens(SIZES), somebody(3)
    turned = IdentityFeatures(who.identity[[2, 0, 1]], who.appearance[[2, 0, 1]], who.expression)
    torch.testing.assert_close(tokens_of(net, who), tokens_of(net, turned))


def test_what_is_not_told_does_not_count() -> None:
    net, no = IdentityExpressionTokens(SIZES), torch.tensor([False])
    nobody = [tokens_of(net, somebody(seed=seed), told=no, shown=no) for seed in (0, 1)]
    torch.testing.assert_close(nobody[0], nobody[1])
    assert not torch.allclose(tokens_of(net, somebody())[0], nobody[0][0])


def adapter(own: bool = True) -> IdentityAdapter:
    torch.manual_seed(0)
    return IdentityAdapter(AdapterShape(SIZES, {"0": 8, "down.1": 8}, own, heads=2), ["neutral", "happy", "sad"])


def test_before_training_nothing_is_added() -> None:
    told = tell(adapter(), somebody())
    assert told.identity.shape == (3, 3, 16) and told.expression.shape == (3, 2, 16)
    blocks, beside = adapter().layer("0"), adapter(False).layer("down.1")
    assert isinstance(blocks, BlockAttention) and isinstance(beside, CrossAttentionBeside)
    with torch.no_grad():
        assert float(blocks(torch.randn(3, 6, 8), told).abs().max()) == 0
        assert float(beside(torch.randn(3, 2, 6, 4), told).abs().max()) == 0


@pytest.mark.parametrize("own", [True, False])
def test_both_weights_count_for_themselves(own: bool) -> None:
    net, told = adapter(own), tell(adapter(), somebody())
    layer = net.layer("0")
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    x = torch.randn(3, 6, 8) if own else torch.randn(3, 2, 6, 4)

    def added(who: float, face: float) -> torch.Tensor:
        return layer(x, Told(told.identity, told.expression, who, face))

    torch.testing.assert_close(added(0.5, 2.0), 0.5 * added(1, 0) + 2 * added(0, 1))
    assert float(added(0, 0).abs().max()) == 0


def test_an_adapter_is_read_as_it_was_written(tmp_path: Path) -> None:
    net = adapter()
    net.prototypes.copy_(torch.randn(3, 14))
    read, key, told = load_adapter(net.save(tmp_path / "a.safetensors", KEY, {"expressive.base": "pocket-edit"}))
    assert key == KEY and told["expressive.base"] == "pocket-edit" and read.words == net.words
    one, other = (tell(which, somebody()) for which in (net, read))
    for mine, theirs in ((one.identity, other.identity), (one.expression, other.expression)):
        torch.testing.assert_close(mine, theirs, atol=2e-2, rtol=2e-2)
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match="not an identity adapter"):
        load_adapter(tmp_path / "b.safetensors")


def test_words_stand_in_the_place_of_pictures() -> None:
    net = adapter()
    net.prototypes.copy_(torch.randn(3, 14))
    neutral, happy, sad = net.prototypes
    torch.testing.assert_close(net.face_of({}), neutral)
    torch.testing.assert_close(net.face_of({"happy": 1.0}), happy)
    torch.testing.assert_close(net.face_of({"happy": 0.5, "sad": 0.5}), (happy + sad) / 2)
    with pytest.raises(ValueError, match="does not know “bored”. It knows happy, sad"):
        net.face_of({"bored": 1.0})


def test_features_are_read_as_they_were_written(tmp_path: Path) -> None:
    who = somebody()
    read = IdentityFeatures.load(who.save(tmp_path / "me.safetensors"))
    assert read.names == who.names and read.key == KEY and torch.equal(read.appearance, who.appearance)
    with pytest.raises(ValueError, match="1 to 8 pictures, not 9"):
        somebody(9)
    with pytest.raises(ValueError, match=r"2 names for 3 expressions"):
        IdentityFeatures(who.identity, who.appearance, who.expression, ("a", "b"))
