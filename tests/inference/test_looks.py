"""Looking at a square of a film at several placings, with a network that marks what is bright."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from carpus.anatomy import Bone
from carpus.imaging import Box, Radiograph
from carpus.inference.looks import CROP_PX, SEVERAL, STRAIGHT, Look, Placing, look_at, look_everywhere
from carpus.inference.model import Model
from carpus.training.network_info import network_info
from carpus.training.recipe import named_recipe

BRIGHT = Box(260, 150, 90, 60)


class MarksBright(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return (images - 0.5).expand(-1, len(Bone), -1, -1) * 10


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(MarksBright(), network_info(named_recipe("Unet", "shipped"), trained_on="phantom"), sha256="")


@pytest.fixture(scope="module")
def film() -> Radiograph:
    pixels = np.zeros((800, 700), np.uint16)
    pixels[150:210, 260:350] = 4000
    return Radiograph(pixels)


def _place(look: Look) -> tuple[float, ...]:
    ys, xs = np.nonzero(look.masks.mask(Bone.LUNATE))
    return xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()


PLACES = (
    STRAIGHT,
    SEVERAL,
    (Placing(x=0.1, y=-0.05),),
    (Placing(zoom=1.2),),
    (Placing(degrees=10, x=0.02),),
)


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("thumb_left", [True, False])
def test_however_the_square_is_laid_a_mask_lies_on_what_it_marks(
    model: Model, film: Radiograph, places: tuple[Placing, ...], thumb_left: bool
) -> None:
    box = Box(100, 40, CROP_PX / 2, CROP_PX / 2)
    look = look_at(model, film, box, thumb_left=thumb_left, places=places)
    expected = (2 * (BRIGHT.x - box.x), 2 * (BRIGHT.y - box.y), 2 * BRIGHT.width, 2 * BRIGHT.height)
    assert _place(look) == pytest.approx(expected, abs=6)
    assert look.pixels.shape == (CROP_PX, CROP_PX)
    assert look.pixels[int(expected[1]) + 9, int(expected[0]) + 9] == 255


def test_what_is_finer_than_the_network_sees_leaves_no_frays(model: Model) -> None:
    pixels = np.zeros((600, 600), np.uint16)
    pixels[200:400, 200:400] = 4000
    pixels[190:200, 200:400:8] = 4000  # teeth on one edge, each a pixel wide at every eighth
    pixels[190:200, 201:400:8] = 4000
    look = look_at(model, Radiograph(pixels), Box(0, 0, 600, 600), thumb_left=True, places=STRAIGHT)
    top = look.masks.mask(Bone.LUNATE)[:, 210:390].argmax(axis=0)
    assert np.ptp(top) <= 1
    assert top.mean() == pytest.approx(200, abs=5)


def test_a_square_that_reaches_beyond_the_film_is_black_there(model: Model, film: Radiograph) -> None:
    look = look_at(model, film, Box(-200, -200, 600, 600), thumb_left=True, places=STRAIGHT)
    assert _place(look)[:2] == pytest.approx((460, 350), abs=4)
    assert not look.pixels[:200].any()


def test_a_look_everywhere_marks_the_same_on_the_whole_film(model: Model, film: Radiograph) -> None:
    for thumb_left in (True, False):
        masks = look_everywhere(model, film, 448.0, thumb_left=thumb_left)
        assert masks.shape == (400, 350)
        ys, xs = np.nonzero(masks.mask(Bone.LUNATE))
        assert (xs.min() * 2, ys.min() * 2) == pytest.approx((BRIGHT.x, BRIGHT.y), abs=4)


def test_confidence_is_that_of_the_least_sure_bone_where_a_bone_may_be(model: Model, film: Radiograph) -> None:
    class Unsure(MarksBright):
        def forward(self, images: Tensor) -> Tensor:
            logits = super().forward(images).clone()
            logits[:, Bone.LUNATE.channel] *= 0.01
            return logits

    box = Box(100, 0, 600, 600)
    sure = look_at(model, film, box, thumb_left=True, places=STRAIGHT).confidence
    unsure = look_at(Model(Unsure(), model.info, sha256=""), film, box, thumb_left=True, places=STRAIGHT).confidence
    assert sure > 0.9
    assert unsure == pytest.approx(float(torch.tanh(torch.tensor(0.025))), abs=0.01)
