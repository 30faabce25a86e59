"""Pictures cut and scaled for models."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from expressive.vision.fitting import fit, prepare_edit


def test_a_picture_fills_its_size_without_distortion() -> None:
    picture = Image.new("RGB", (200, 100), "red")
    picture.paste("blue", (50, 0, 150, 100))  # the middle square
    fitted = np.asarray(fit(picture, (64, 64)))
    assert fitted.shape == (64, 64, 3)
    assert (fitted[:, 4:-4] == (0, 0, 255)).all()  # but for what the filter sees of the red beside it


@given(st.floats(0, 180), st.floats(5, 40))
def test_a_face_is_in_the_middle_as_far_as_the_picture_goes(left: float, width: float) -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    middle = min(200 - width / 2, max(width / 2, left + width / 2))
    pixels[:, int(middle - 2) : int(middle + 2)] = 255
    fitted = np.asarray(fit(Image.fromarray(pixels), (50, 50), (middle - width / 2, 20, middle + width / 2, 60)))
    seen = float((fitted[25, :, 0] * np.arange(50)).sum() / fitted[25, :, 0].sum())
    wanted = min(middle / 2, 24.5) if middle < 50 else max(24.5, (middle - 100) / 2) if middle > 150 else 24.5
    assert abs(seen - wanted) < 1.5


def test_the_authors_preparation_crops_and_the_hosts_keeps_the_whole() -> None:
    image = torch.rand(2, 96, 160, 3, generator=torch.Generator().manual_seed(0))
    seen, source = prepare_edit(image, "author", 128)
    assert seen.shape == (2, 512, 512, 3) and source.shape == (2, 128, 128, 3)
    seen, source = prepare_edit(image, "host", 128)
    assert seen.shape == (2, 297, 496, 3) and source.shape == (2, 96, 160, 3)
    torch.testing.assert_close(source, image)
    torch.testing.assert_close(seen.mean(), image.mean(), atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="no preparation “mine”"):
        prepare_edit(image, "mine", 128)


def test_a_picture_that_fits_stays_as_it_is() -> None:
    """Nothing darkens: 8 bits are rounded, not cut."""
    image = (torch.arange(512 * 512 * 3).reshape(1, 512, 512, 3) % 256) / 255
    seen, source = prepare_edit(image, "author", 512)
    torch.testing.assert_close(seen, image)
    torch.testing.assert_close(source, image)


def test_the_authors_crop_is_pillows() -> None:
    """Scaled until it covers 512 × 512, by Lanczos, and cropped around its middle, as PixelSmile's own script does."""
    picture = torch.rand(1, 200, 300, 3, generator=torch.Generator().manual_seed(0))
    pil = Image.fromarray((picture[0].numpy() * 255).round().astype(np.uint8))
    scaled = pil.resize((768, 512), Image.Resampling.LANCZOS).crop((128, 0, 640, 512))
    found = (prepare_edit(picture, "author", 1024)[0][0].numpy() * 255).round()
    assert np.abs(found - np.asarray(scaled, np.float32)).max() <= 1
