"""The pages of films that were read, opened as a stranger's browser would: nothing from a file may act."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, pair_name
from carpus.imaging.geometry import Box
from carpus.phantom import draw, plan_cohort
from carpus.report.layers import layer_name
from carpus.report.reading_page import ReadFilm, ReadingPictures, write_reading_list, write_reading_page

HOSTILE = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&.dcm"
PHANTOM = draw(plan_cohort(patients=8, seed=3)[0], size_px=200)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def values(**changes: Any) -> dict[str, Any]:
    joint = {"erosion_probability": 0.4, "cut": 0.3, "eroded": True}
    model = {"net": "Unet", "recipe": "shipped", "seed": 1, "trained_on": "phantom", "commit": None, "sha256": "f" * 64}
    return {
        "notice": "Research use only; trained on synthetic radiographs. Not for diagnosis.",
        "carpus": "0.1.0",
        "file": "hand.dcm",
        "width_px": 200,
        "height_px": 200,
        "turned_degrees": 0,
        "spacing_mm": 0.45,
        "spacing_from": "file",
        "side": "L",
        "side_from": "image",
        "confidence": 0.9,
        "bones": [
            {"bone": bone.abbreviation, "name": bone.label, "area_mm2": 12.5, "is_cut": False, "polygons": [{}]}
            for bone in Bone
        ],
        "overlap_area_mm2": {pair_name(pair): 1.0 for pair in OVERLAP_PAIRS},
        "joints": [{"joint": each.abbreviation, "name": each.label, **joint} for each in Joint],
        "trusted": True,
        "doubts": [],
        "warnings": [],
        "models": [{"task": "bones", **model}],
        **changes,
    }


def written(path: Path, said: dict[str, Any], crop_mm: float | None = 0.45) -> Page:
    pictures = ReadingPictures(
        film=PHANTOM.radiograph.pixels,
        wrist=Box(0, 0, 200, 200),
        crop=PHANTOM.radiograph.pixels,
        crop_mm=crop_mm,
        masks=PHANTOM.masks,
        boxes={joint: Box(10, 10, 40, 40) for joint in Joint},
    )
    write_reading_page(path, said, pictures)
    return Page(path.read_text("utf-8"))


def test_the_page_says_first_what_it_is_for_and_what_is_doubtful(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html", values(trusted=False, doubts=["A doubt."], warnings=["A note."]))
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "Research use only; trained on synthetic radiographs" in page.words
    assert page.words.index("Research use only") < page.words.index("A doubt.") < page.words.index("A note.")
    assert page.words.index("A note.") < page.words.index("Capitate")
    assert text.index("A doubt.") < text.index("<svg")


def test_every_bone_has_a_switch_that_works_without_a_script(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html", values())
    switches = [attributes.get("class") for attributes in page.all("input")]
    shapes = [attributes.get("class") for attributes in page.all("path")]
    style = re.search("<style>(.*?)</style>", (tmp_path / "page.html").read_text("utf-8"), re.DOTALL)
    assert style
    for bone in Bone:
        name = layer_name(bone)
        assert f"show-{name}" in switches
        assert name in shapes
        assert f"body:has(.show-{name}:not(:checked)) svg .{name} {{ display: none; }}" in style[1]
    assert not page.all("script")


def test_the_page_fetches_nothing_and_allows_its_own_style_alone(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html", values())
    [policy] = [each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    style = re.search("<style>(.*?)</style>", (tmp_path / "page.html").read_text("utf-8"), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not any("style" in attributes for _, attributes in page.tags)
    addresses = [str(value) for _, each in page.tags for name, value in each.items() if name in ("src", "href")]
    assert all(address.startswith("data:") for address in addresses)


def test_what_comes_from_a_file_is_text(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html", values(file=HOSTILE, doubts=[HOSTILE], warnings=[HOSTILE]))
    assert page.words.count(HOSTILE) == 4  # title, heading, doubt, warning
    assert not page.all("script")
    assert not any("onerror" in attributes for _, attributes in page.tags)

    said = values(file=HOSTILE, trusted=False, doubts=[HOSTILE])
    films = [ReadFilm(HOSTILE, f"sub/{HOSTILE}.html", said), ReadFilm("b", "javascript:alert(1).html", said)]
    write_reading_list(tmp_path / "index.html", films, failures={HOSTILE: HOSTILE}, passed_over=3)
    listed = Page((tmp_path / "index.html").read_text("utf-8"))
    assert listed.words.count(HOSTILE) == 5  # both films' doubts, one name, one failure and its reason
    assert not listed.all("script")
    links = [str(each["href"]) for each in listed.all("a")]
    assert not any("<" in link or '"' in link or link.startswith("javascript:") for link in links)


@pytest.mark.parametrize("crop_mm", [0.45, None])
def test_without_a_scale_no_mm_are_shown(tmp_path: Path, crop_mm: float | None) -> None:
    changes = {} if crop_mm else {"spacing_mm": None, "spacing_from": None}
    said = values(**changes)
    for bone in said["bones"]:
        bone["area_mm2"] = 12.5 if crop_mm else None
    page = written(tmp_path / "page.html", said, crop_mm)
    assert ("10 mm" in page.words) is (crop_mm is not None)
    assert ("12.5" in page.words) is (crop_mm is not None)
    assert ("pixel size unknown" in page.words) is (crop_mm is None)


def test_a_score_comes_with_its_range(tmp_path: Path) -> None:
    said = values()
    said["joints"][2] |= {"svdh_score": 3, "svdh_score_range": [1, 4]}
    assert "1 to 4" in written(tmp_path / "page.html", said).words
    assert "SvdH" not in written(tmp_path / "page.html", values()).words
