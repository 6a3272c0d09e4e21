import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from carpus.errors import InputError
from carpus.metrics import Confusion
from carpus.report.figures import confusion_matrices, looks, svg, write_figure
from carpus.report.figures.style import DOUBLE_MM, canvas, styled

MODELS = {
    4: "Unet DeepLabV3 FPN PSPNet DeepLabV3+ SegResNet Unet++ SegFormer TransUNet UKAN UMambaBot UMambaEnc SwinUMamba",
    5: "MobileViT ResNet MobileNet LeViT EfficientFormer MedMamba ConvKAN JointPrior",
}


def figure(name: str = "unet", *, is_phantom: bool = False) -> Figure:
    return confusion_matrices([(name, Confusion(tp=3, fp=20, fn=1, tn=80))], is_phantom=is_phantom)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    assert svg(figure()) == svg(figure())
    for suffix in ("svg", "pdf", "png"):
        first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        write_figure(first, figure())
        write_figure(second, figure())
        assert first.read_bytes() == second.read_bytes()


def test_panels_stand_where_the_last_bits_of_the_layout_cannot_move_them() -> None:
    drawn = figure()
    svg(drawn)
    (axes,) = drawn.axes
    bounds = axes.get_position(original=True).bounds
    assert bounds == tuple(round(value, 6) for value in bounds)


def test_svg_keeps_its_text_and_names_no_outside_address_but_its_own_language() -> None:
    text = svg(figure())
    assert text.startswith("<svg")
    assert ">unet</text>" in text
    links = [part.split('"')[0] for part in text.split("http")[1:]]
    assert {link.lstrip("s:/") for link in links} <= {"www.w3.org/2000/svg", "www.w3.org/1999/xlink"}
    assert "<metadata" not in text


def test_a_name_with_markup_is_escaped_and_one_with_dollars_stays() -> None:
    assert "<script" not in svg(figure("<script>alert(1)</script>"))
    assert ">$x$</text>" in svg(figure("$x$"))


@pytest.mark.parametrize("is_phantom", [True, False])
def test_phantoms_are_called_so(is_phantom: bool) -> None:
    assert ("PHANTOM" in svg(figure(is_phantom=is_phantom))) is is_phantom


def test_drawing_leaves_the_settings_of_matplotlib_as_they_were(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    write_figure(tmp_path / "a.svg", figure())
    assert dict(mpl.rcParams) == before


def test_type_has_seven_points_at_the_width_of_the_column() -> None:
    @styled
    def empty() -> Figure:
        drawn = canvas(width_mm=DOUBLE_MM, height_mm=50, is_phantom=False)
        drawn.subplots().set_xlabel("seven")
        return drawn

    root = ElementTree.fromstring(svg(empty()))  # noqa: S314 (written by the figure under test)
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(180 / 25.4 * 72, abs=0.01)
    label = next(node for node in root.iter("{http://www.w3.org/2000/svg}text") if node.text == "seven")
    assert "7px" in label.attrib["style"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in '\.gif', expected one of \.svg, \.pdf, \.png"):
        write_figure(tmp_path / "a.gif", figure())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", sorted(MODELS))
def test_every_network_of_the_paper_has_a_look_of_its_own_whoever_stands_beside_it(number: int) -> None:
    names = MODELS[number].split()
    together = looks(names)
    assert len({look.colour for look in together.values()}) == len(names)
    for name in names:
        assert looks(["mine", name])[name] == together[name]
        assert looks([name.lower()])[name.lower()] == together[name]


def test_forty_unknown_models_all_look_different() -> None:
    names = [f"model {number}" for number in range(40)]
    assert len(set(looks(["Unet", *names]).values())) == 41


def test_two_spellings_of_one_network_look_different() -> None:
    both = looks(["unet", "Unet"])
    assert len(both) == 2
    assert both["unet"] != both["Unet"]


def test_a_document_keeps_no_trace_of_the_day(tmp_path: Path) -> None:
    write_figure(tmp_path / "a.pdf", figure())
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()
