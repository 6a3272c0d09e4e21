from dataclasses import replace

import numpy as np
import pytest

from carpus.phantom import Centre
from carpus.phantom.centres import ACQUISITIONS
from carpus.phantom.exposure import collimate, deliver, expose, uneven

PLAIN = replace(ACQUISITIONS[Centre.DHA], quanta=4000, edge_gain=0.0)


@pytest.mark.parametrize("centre", Centre)
def test_the_logarithm_gives_the_attenuation_back(centre: Centre) -> None:
    signals = [_signal(attenuation, centre=centre).mean() for attenuation in (0.0, 0.5, 1.5)]
    assert signals[0] == pytest.approx(0, abs=0.01)
    assert signals[2] == pytest.approx(3 * signals[1], rel=0.02)
    assert signals[1] == pytest.approx(0.5, rel=0.06)


def test_a_softer_beam_is_attenuated_more() -> None:
    assert _signal(1.0, centre=Centre.SCGH).mean() > _signal(1.0, centre=Centre.HMCRD).mean() + 0.05


def test_noise_grows_with_attenuation_and_with_fewer_quanta() -> None:
    def noise(attenuation: float, quanta: float, spacing_mm: float = 0.15) -> float:
        even = np.full((200, 200), attenuation, np.float32)
        detector = replace(PLAIN, quanta=quanta)
        return float(expose(even, detector, np.random.default_rng(1), spacing_mm=spacing_mm).std())

    assert noise(0, 4000) == pytest.approx(1 / np.sqrt(4000), rel=0.05)
    assert noise(2, 4000) == pytest.approx(np.sqrt(np.exp(2) / 4000), rel=0.05)
    assert noise(0, 1000) == pytest.approx(2 * noise(0, 4000), rel=0.05)
    assert noise(0, 4000, spacing_mm=0.3) == pytest.approx(noise(0, 4000) / 2, rel=0.05)


@pytest.mark.parametrize("centre", Centre)
def test_more_attenuation_is_brighter_and_a_picture_uses_its_8_bits(centre: Centre) -> None:
    ramp = np.tile(np.linspace(0, 2, 200, dtype=np.float32), (200, 1))
    for seed in range(5):
        pixels = deliver(ramp, np.ones((200, 200), bool), ACQUISITIONS[centre], np.random.default_rng(seed))
        assert pixels.dtype == np.uint8
        assert np.all(np.diff(pixels[0].astype(int)) >= 0)
        assert pixels[0, 0] < 30
        assert pixels[0, -1] > 200


def test_outside_the_collimated_field_the_picture_is_black() -> None:
    field = np.ones((100, 100), bool)
    field[:, :10] = False
    pixels = deliver(np.full((100, 100), 1.0, np.float32), field, PLAIN, np.random.default_rng(1))
    assert pixels[:, :10].max() == 0
    assert pixels[:, 10:].min() > 0


def test_a_blade_is_in_the_picture_now_and_then_and_never_takes_much() -> None:
    fields = [collimate(100, np.random.default_rng(seed)) for seed in range(200)]
    cut = [field for field in fields if not field.all()]
    assert 20 < len(cut) < 70
    assert min(field.mean() for field in cut) > 0.9
    assert any(not field[50, 0] for field in cut)
    assert any(not field[50, -1] for field in cut)


def test_uneven_exposure_is_a_gentle_slope_around_0() -> None:
    slope = uneven(100, np.random.default_rng(1))
    assert float(slope.mean()) == pytest.approx(0, abs=1e-5)
    assert 0 < float(np.abs(slope).max()) < 0.4
    assert np.abs(np.diff(slope, n=2, axis=0)).max() < 1e-5


def _signal(attenuation: float, *, centre: Centre) -> np.ndarray:
    even = np.full((200, 200), attenuation, np.float32)
    return expose(even, ACQUISITIONS[centre], np.random.default_rng(1), spacing_mm=0.15)
