import numpy as np

from carpus.phantom.samples.acquisition import deliver, detect, grey_curve, process, stored

STEP = np.repeat(np.linspace(0, 2.5, 64, dtype=np.float32)[None], 64, axis=0)


def test_grey_curves_rise_stay_in_range_and_differ() -> None:
    curves = np.stack([grey_curve(np.random.default_rng(seed)) for seed in range(30)])
    assert curves.min() >= 0
    assert curves.max() <= 255
    assert (np.diff(curves, axis=1) > -1e-3).all()
    middle = curves[:, curves.shape[1] // 2]
    assert middle.std() > 20
    assert (curves[:, -1] - curves[:, 0]).min() > 80


def test_more_attenuation_gives_more_signal_on_average() -> None:
    for seed in range(5):
        signal = detect(STEP, np.random.default_rng(seed), spacing_mm=0.2)
        assert np.isfinite(signal).all()
        assert np.corrcoef(signal.mean(axis=0), STEP[0])[0, 1] > 0.9


def test_no_two_devices_give_the_same_picture_of_the_same_wrist() -> None:
    pictures = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        signal = process(detect(STEP, generator, spacing_mm=0.2), generator, spacing_mm=0.2)
        pictures.append(stored(deliver(signal, generator), generator))
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}
    profiles = np.stack([picture.mean(axis=0) for picture in pictures])
    apart = np.abs(profiles[:, None] - profiles[None]).mean(axis=2)
    assert apart[~np.eye(len(profiles), dtype=bool)].min() > 2


def test_a_few_files_have_dark_bones() -> None:
    picture = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None], 64, axis=0)
    files = [stored(picture, np.random.default_rng(seed)) for seed in range(150)]
    inverted = np.mean([file[:, 0].mean() > file[:, -1].mean() for file in files])
    assert 0.02 < inverted < 0.2
