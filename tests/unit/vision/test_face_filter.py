"""Which pictures show one whole, large face."""

import pytest

from expressive.vision.face_filter import unfit


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([(20, 20, 60, 60)], ""),
        ([(20, 20, 60, 60), (70, 20, 90, 60)], "several faces"),
        ([(20, 20, 30, 30)], "a face too small"),
        ([(0, 20, 60, 60)], "a face at the border"),
        ([(60, 20, 99.5, 60)], "a face at the border"),
        ([(20, 20, 60, 79.9)], "a face at the border"),
        ([], "no face"),
    ],
)
def test_the_reason_is_told(boxes: list[tuple[float, float, float, float]], reason: str) -> None:
    assert unfit(boxes, (100, 80), smallest=0.2, border=0.01) == reason
