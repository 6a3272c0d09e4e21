"""A film of both hands, cut between them."""

import numpy as np
import pytest

from carpus.anatomy import Side
from carpus.errors import InputError
from carpus.imaging.halves import Half, half_of
from carpus.imaging.radiograph import Part, Radiograph
from carpus.phantom.samples import draw_film


@pytest.mark.parametrize("inverse", [False, True])
def test_a_film_is_cut_between_the_hands_and_each_half_knows_where_it_was(inverse: bool) -> None:
    pixels = np.full((300, 500), 20, np.uint8)
    pixels[40:, 30:200], pixels[60:, 235:480] = 200, 180  # so that the middle column shows the right one
    pixels = 255 - pixels if inverse else pixels
    film = Radiograph(pixels, 0.2, Side.LEFT, "both.png")
    left, right = (half_of(film, half) for half in Half)
    assert left.part == Part("left", 0, 500)
    assert right.part is not None
    assert 200 <= right.part.x <= 235
    assert np.array_equal(np.hstack([left.pixels, right.pixels]), pixels)
    assert (left.side, right.side, left.spacing_mm, right.source) == (None, None, 0.2, "both.png")


def test_drawn_hands_are_cut_apart() -> None:
    for seed in range(6):
        films = [
            draw_film(np.random.default_rng([seed, number]), spacing_mm=0.5, side=side)
            for number, side in enumerate(Side)
        ]
        height = min(len(film.plane) for film in films)
        pixels = np.hstack([film.pixels[:height] for film in films])
        cut = half_of(Radiograph(pixels), Half.RIGHT).part
        assert cut is not None
        bones = np.hstack([film.plane[:height] for film in films])
        assert not bones[:, cut.x - 1 : cut.x + 1].any()


def test_a_narrow_film_has_no_halves() -> None:
    with pytest.raises(InputError, match="too narrow for two hands"):
        half_of(Radiograph(np.zeros((300, 40), np.uint8)), Half.LEFT)
