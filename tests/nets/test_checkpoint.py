import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import save_file

from carpus.errors import InputError
from carpus.nets.apply import classify, graded, segment
from carpus.nets.checkpoint import (
    CheckpointInfo,
    build_network,
    join_checkpoints,
    load_checkpoint,
    read_checkpoint_info,
    save_checkpoint,
)

INFO = CheckpointInfo(
    task="bones",
    net="Unet",
    net_options={"filters": [4, 8, 16]},
    classes=14,
    image_size=32,
    mirror_left=True,
    cut=None,
    trained_on="phantom",
    recipe="demo",
    seed=1,
    provenance={"epochs": 3},
)

NEW = ("in_channels", "contralateral", "joint_input", "head", "members")
"""Fields that the first checkpoints did not have."""


def _trained_a_little() -> torch.nn.Module:
    torch.manual_seed(0)
    network = build_network(INFO)
    network(torch.randn(4, 1, 32, 32))  # moves the running statistics
    return network.eval()


def test_a_checkpoint_gives_back_the_same_network(tmp_path: Path) -> None:
    network = _trained_a_little()
    save_checkpoint(tmp_path / "m.safetensors", network, INFO)
    loaded, info = load_checkpoint(tmp_path / "m.safetensors")
    image = np.random.default_rng(0).random((32, 32), np.float32)
    before, after = (segment(item, image, height=40, width=48) for item in (network, loaded))
    assert info == INFO
    assert before.shape == (14, 40, 48)
    assert np.array_equal(before, after)


def test_joined_checkpoints_answer_with_the_average(tmp_path: Path) -> None:
    parts, images = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"], torch.randn(2, 1, 32, 32)
    answers = []
    for seed, part in enumerate(parts):
        torch.manual_seed(seed)
        network = build_network(INFO).eval()
        save_checkpoint(part, network, dataclasses.replace(INFO, seed=seed))
        answers.append(network(images))
    join_checkpoints(tmp_path / "both.safetensors", parts)
    joined, info = load_checkpoint(tmp_path / "both.safetensors")
    torch.testing.assert_close(joined(images), (answers[0] + answers[1]) / 2)
    assert info.members == 2
    assert [one["seed"] for one in info.provenance["members"]] == [0, 1]
    assert not torch.equal(answers[0], answers[1])


def test_only_networks_alike_are_joined(tmp_path: Path) -> None:
    one, other, both = (tmp_path / f"{name}.safetensors" for name in ("one", "other", "both"))
    save_checkpoint(one, _trained_a_little(), INFO)
    save_checkpoint(other, _trained_a_little(), dataclasses.replace(INFO, mirror_left=False))
    with pytest.raises(InputError, match=r"differs from .* in mirror_left: False instead of True"):
        join_checkpoints(both, [one, other])
    with pytest.raises(InputError, match="1 checkpoints cannot be joined"):
        join_checkpoints(both, [one])
    join_checkpoints(both, [one, one])
    with pytest.raises(InputError, match="cannot be joined"):
        join_checkpoints(tmp_path / "more.safetensors", [one, both])


@pytest.mark.parametrize("members", [0, 17, 1.5, None, "2"])
def test_a_number_of_members_that_is_none_is_refused(tmp_path: Path, members: object) -> None:
    info = dataclasses.replace(INFO, members=members)  # type: ignore[arg-type]
    save_checkpoint(tmp_path / "m.safetensors", _trained_a_little(), info)
    with pytest.raises(InputError, match="networks, expected 1 to 16"):
        load_checkpoint(tmp_path / "m.safetensors")


def test_half_precision_halves_the_file_and_hardly_changes_the_answer(tmp_path: Path) -> None:
    network = _trained_a_little()
    save_checkpoint(tmp_path / "full.safetensors", network, INFO)
    save_checkpoint(tmp_path / "half.safetensors", network, INFO, half=True)
    image = np.random.default_rng(0).random((32, 32), np.float32)
    half, _ = load_checkpoint(tmp_path / "half.safetensors")
    assert (tmp_path / "half.safetensors").stat().st_size < 0.7 * (tmp_path / "full.safetensors").stat().st_size
    difference = segment(network, image, height=32, width=32) - segment(half, image, height=32, width=32)
    assert np.abs(difference).max() < 0.02


def test_probabilities_of_a_classifier_lie_between_0_and_1(tmp_path: Path) -> None:
    info = dataclasses.replace(INFO, task="erosion", net="ResNet", net_options={}, classes=2, cut=0.3)
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "c.safetensors", build_network(info), info)
    network, loaded = load_checkpoint(tmp_path / "c.safetensors")
    probability = classify(network, np.random.default_rng(0).random((3, 1, 32, 32), np.float32), head=loaded.head)
    assert loaded.cut == 0.3
    assert probability.shape == (3, 1)
    assert ((probability > 0) & (probability < 1)).all()


def test_ordinal_probabilities_are_products_of_conditional_ones() -> None:
    outputs = torch.tensor([[0.0, 1.0, -2.0]])

    class Answer(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return outputs.expand(len(images), -1)

    beyond = classify(Answer(), np.zeros((2, 1, 4, 4), np.float32), head="corn")
    first, second, third = (1 / (1 + np.exp(-value)) for value in (0.0, 1.0, -2.0))
    assert beyond.tolist() == [pytest.approx([first, first * second, first * second * third])] * 2


@given(arrays(np.float64, (4, 5), elements=st.floats(-30, 30)), st.floats(0.01, 0.99))
def test_scores_are_above_0_just_where_the_probability_reaches_the_cut(answers: np.ndarray, cut: float) -> None:
    beyond = np.cumprod(1 / (1 + np.exp(-answers)), axis=1)
    scores = graded(beyond, cut=cut)
    assert (np.diff(beyond, axis=1) <= 0).all()
    assert ((scores > 0) == (beyond[:, 0] >= cut)).all()
    assert scores.min() >= 0
    assert scores.max() <= 5


def test_a_checkpoint_from_before_there_were_channels_and_heads_is_read_as_one_channel_and_two_classes(
    tmp_path: Path,
) -> None:
    info = dataclasses.replace(INFO, task="erosion", net="ResNet", net_options={}, classes=2, cut=0.3)
    old = {name: value for name, value in dataclasses.asdict(info).items() if name not in NEW}
    header = {"carpus": json.dumps({"format": 1, **old})}
    save_file(build_network(info).state_dict(), tmp_path / "old.safetensors", metadata=header)
    network, loaded = load_checkpoint(tmp_path / "old.safetensors")
    assert loaded == info
    assert classify(network, np.zeros((1, 1, 32, 32), np.float32), head=loaded.head).shape == (1, 1)


def test_a_pickle_is_refused_and_its_code_never_runs(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    (tmp_path / "bomb.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="is no carpus checkpoint"):
        load_checkpoint(tmp_path / "bomb.safetensors")
    assert not (tmp_path / "ran").exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_checkpoint_info(tmp_path / "none.safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="is no carpus checkpoint"):
        read_checkpoint_info(tmp_path / "foreign.safetensors")


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_checkpoint(path, build_network(INFO), INFO)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"m\.safetensors is"):
        load_checkpoint(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_checkpoint(path, build_network(INFO), dataclasses.replace(INFO, net_options={"filters": [4, 8, 8]}))
    with pytest.raises(InputError, match="other weights than network Unet"):
        load_checkpoint(path)


def test_an_unknown_network_or_option_is_named() -> None:
    with pytest.raises(InputError, match="network 'Vnet' is unknown; did you mean 'Unet'"):
        build_network(dataclasses.replace(INFO, net="Vnet"))
    for options in ({"depth": 3}, {"filters": [4, 8]}):
        with pytest.raises(InputError, match="correct net_options"):
            build_network(dataclasses.replace(INFO, net_options=options))


def test_a_prevalence_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, build_network(INFO), dataclasses.replace(INFO, prevalence=1.0))
    with pytest.raises(InputError, match="expected one between 0 and 1"):
        read_checkpoint_info(path)
