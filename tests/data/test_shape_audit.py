"""Damage planted in one of many synthetic wrists; drawn small, as only proportions count."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from carpus.anatomy import Bone, Joint, Side
from carpus.data.shape_audit import FEWEST, Finding, WristShape, audit_shapes, wrist_shape
from carpus.imaging import BoneMasks
from carpus.phantom import Visit, draw, plan_cohort

SIZE = 300
PLANTED = 5


@pytest.fixture(scope="module")
def visits() -> list[Visit]:
    return [visit for visit in plan_cohort(patients=14, seed=2) if visit.scores is not None][:36]


@pytest.fixture(scope="module")
def masks(visits: list[Visit]) -> list[BoneMasks]:
    return [draw(visit, size_px=SIZE).masks for visit in visits]


def shapes_of(masks: list[BoneMasks], visits: list[Visit]) -> list[WristShape]:
    return [wrist_shape(each, is_left=visit.side is Side.LEFT) for each, visit in zip(masks, visits, strict=True)]


def exchanged(one: Bone, other: Bone) -> Callable[[np.ndarray], np.ndarray]:
    order = list(range(14))
    order[one.channel], order[other.channel] = other.channel, one.channel
    return lambda stack: stack[order]


def of_bone(bone: Bone, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda stack: np.stack([change(each) if n == bone.channel else each for n, each in enumerate(stack)])


def bitten(mask: np.ndarray) -> np.ndarray:
    """A wedge of the bone is gone."""
    rows, columns = np.nonzero(mask)
    y, x = int(np.median(rows)), int(np.median(columns))
    tooth = np.array([[x, y + 6], [x - 14, y - 60], [x + 14, y - 60]])
    return np.asarray(mask & (cv2.fillPoly(np.zeros(mask.shape, np.uint8), [tooth], (1,)) == 0))


DAMAGES: list[tuple[str, Callable[[np.ndarray], np.ndarray], str, str]] = [
    ("lunate and scaphoid", exchanged(Bone.LUNATE, Bone.SCAPHOID), "bones-swapped", "Lunate and Scaphoid"),
    ("metacarpals", exchanged(Bone.METACARPAL_3, Bone.METACARPAL_4), "bones-swapped", "Third metacarpal and Fourth"),
    ("moved", of_bone(Bone.CAPITATE, lambda m: np.roll(m, (45, 30), (0, 1))), "bone-misplaced", "Capitate"),
    ("other hand", lambda stack: stack[:, :, ::-1], "hand-mirrored", "as the other hand"),
    ("turned", lambda stack: np.rot90(stack, axes=(1, 2)), "hand-turned", "turned by"),
    (
        "shrunk",
        of_bone(Bone.LUNATE, lambda m: cv2.erode(m.astype(np.uint8), np.ones((15, 15))) > 0),
        "bone-size",
        "times its usual size",
    ),
    (
        "speck",
        of_bone(Bone.HAMATE, lambda m: m | (np.add.outer(np.arange(SIZE), np.arange(SIZE)) < 8)),
        "bone-in-parts",
        "Hamate in 2 parts, 36 of",
    ),
]


def findings(
    masks: list[BoneMasks], visits: list[Visit], damage: Callable[[np.ndarray], np.ndarray] | None = None, **scores: int
) -> tuple[Finding, ...]:
    damaged = list(masks)
    known = [dict(visit.scores or {}) for visit in visits]
    if damage:
        damaged[PLANTED] = BoneMasks.from_stack(np.ascontiguousarray(damage(masks[PLANTED].stack())))
    known[PLANTED].update({Joint[name]: score for name, score in scores.items()})
    return audit_shapes(shapes_of(damaged, visits), known)


def test_nothing_is_found_in_clean_wrists(masks: list[BoneMasks], visits: list[Visit]) -> None:
    assert len(visits) >= FEWEST
    assert {visit.side for visit in visits} == set(Side)
    assert findings(masks, visits) == ()


@pytest.mark.parametrize(("damage", "kind", "text"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
def test_damage_is_found_in_the_wrist_that_has_it_and_nowhere_else(
    masks: list[BoneMasks], visits: list[Visit], damage: Callable[[np.ndarray], np.ndarray], kind: str, text: str
) -> None:
    found = [finding for finding in findings(masks, visits, damage) if finding.kind != "score-shape"]
    assert [(finding.wrist, finding.kind) for finding in found] == [(PLANTED, kind)]
    assert text in found[0].what


def test_a_bitten_bone_that_was_scored_as_whole_is_found(masks: list[BoneMasks], visits: list[Visit]) -> None:
    damage = of_bone(Bone.LUNATE, bitten)
    (found,) = findings(masks, visits, damage, LUNATE=0)
    assert (found.wrist, found.kind) == (PLANTED, "score-shape")
    assert "Lunate scored 0, but its mask fills" in found.what
    assert findings(masks, visits, damage, LUNATE=3) == ()


def test_a_whole_bone_that_was_scored_as_destroyed_is_found(masks: list[BoneMasks], visits: list[Visit]) -> None:
    (found,) = findings(masks, visits, LUNATE=5)
    assert "Lunate scored 5, but its mask fills" in found.what


def test_a_bone_that_is_not_drawn_is_neither_misplaced_nor_small(masks: list[BoneMasks], visits: list[Visit]) -> None:
    assert findings(masks, visits, of_bone(Bone.TRAPEZOID, np.zeros_like)) == ()


def test_of_few_wrists_nothing_is_usual_but_parts_apart_are_found(masks: list[BoneMasks], visits: list[Visit]) -> None:
    few = slice(0, FEWEST - 1)
    assert findings(masks[few], visits[few], exchanged(Bone.LUNATE, Bone.SCAPHOID)) == ()
    (found,) = findings(masks[few], visits[few], DAMAGES[-1][1])
    assert found.kind == "bone-in-parts"
