import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from carpus.anatomy import Bone, Joint
from carpus.data.results import read_results, write_results
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box
from carpus.report.layers import layer_name
from carpus.report.page import CasePanel, JointReading, ReadingPanel, ReportPage, write_report

PIXELS = np.tile(np.arange(256, dtype=np.uint8), (256, 1))


class Outline(HTMLParser):
    """What of a page a test asks for: addresses, headings, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in ("meta", "link", "img", "br", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="session")
def reading(masks: BoneMasks) -> ReadingPanel:
    film = np.zeros((2400, 1200), np.uint16)
    film[1200:, 300:900] = 3000
    return ReadingPanel(
        source="film.dcm",
        side="Right hand, from the file's header",
        film=film,
        wrist=Box(300, 1200, 600, 600),
        crop=PIXELS,
        masks=masks,
        joints=(JointReading(Joint.LUNATE, 0.7, 0.5), JointReading(Joint.SCAPHOID, 0.2, 0.5)),
        warnings=("Expect these outlines to be poor.",),
    )


@pytest.fixture(scope="session")
def page(results: pl.DataFrame, masks: BoneMasks, reading: ReadingPanel) -> ReportPage:
    epochs = pd.DataFrame({"epoch": [1, 2], "train_loss": [2, 1], "val_loss": [2, 1.5], "val_dsc": [0.5, 0.7]})
    return ReportPage(
        title="A report",
        results=results,
        histories={"unet": epochs},
        statistics={"Images": pd.DataFrame({"train": [8], "test": [4]}, index=["images"])},
        cases=(CasePanel("0001_0001_L", PIXELS, masks, masks, "Mean DSC 1.00."),),
        reading=reading,
        provenance={"Recipe": "demo", "Seed": "3407"},
    )


def written(folder: Path, page: ReportPage) -> str:
    write_report(folder / "index.html", page, replicates=20)
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, page: ReportPage) -> Path:
    """A folder with the page of everything, written once."""
    folder = tmp_path_factory.mktemp("report")
    write_report(folder / "index.html", page, replicates=20)
    return folder


@pytest.fixture
def html(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_page_is_whole_and_fetches_nothing(folder: Path, html: str) -> None:
    outline = Outline()
    outline.feed(html)
    assert outline.open == []
    assert all(address.startswith(("data:", "#")) for address in outline.addresses)
    assert html.count("<script") == 1  # sorts the tables
    assert not re.search(r"@import|url\((?!#)", html)
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_every_link_of_the_navigation_has_its_section(html: str) -> None:
    outline = Outline()
    outline.feed(html)
    links = {address[1:] for address in outline.addresses if re.fullmatch(r"#[a-z]+", address)}
    assert links == {"dataset", "bones", "erosion", "training", "cases", "reading", "methods", "provenance"}
    assert links <= set(outline.ids)


def test_phantoms_are_called_phantoms_and_films_research_use_only(html: str) -> None:
    assert "<strong>PHANTOM.</strong>" in html
    assert html.count("<strong>Research use only.</strong>") == 2
    assert "Expect these outlines to be poor." in html
    assert "Not comparable" in html


def test_a_report_on_phantoms_alone_does_not_speak_of_patients_films(tmp_path: Path, page: ReportPage) -> None:
    html = written(tmp_path, replace(page, reading=None, results=page.results.clear()))
    assert "<strong>PHANTOM.</strong>" in html
    assert "Research use only" not in html


def test_a_phantom_is_called_one_on_every_printed_page(html: str) -> None:
    assert html.count('<p class="running" aria-hidden="true">PHANTOM: synthetic wrists, not patients') == 1
    assert re.search(r"@media print \{\s+\.running \{ display: block; position: fixed;", html)


def test_a_report_on_patients_alone_is_no_phantom(tmp_path: Path, results: pl.DataFrame) -> None:
    html = written(tmp_path, ReportPage("Patients", results.with_columns(data=pl.lit("patients").cast(pl.Categorical))))
    assert "PHANTOM" not in html
    assert "Research use only" in html


def test_a_synthetic_film_is_not_called_real(
    tmp_path: Path, html: str, results: pl.DataFrame, reading: ReadingPanel
) -> None:
    synthetic = ReportPage("A", results.clear(), reading=replace(reading, is_phantom=True))
    assert "A real radiograph" in html
    assert "A real radiograph" not in written(tmp_path, synthetic)


def test_a_results_file_alone_is_enough(tmp_path: Path, results: pl.DataFrame) -> None:
    write_results(tmp_path / "results.csv", results)
    html = written(tmp_path / "out", ReportPage("From a file", read_results(tmp_path / "results.csv")))
    assert 'id="bones"' in html
    assert 'id="erosion"' in html
    assert 'id="cases"' not in html
    assert 'id="provenance"' not in html


def test_results_of_one_task_leave_the_other_out(tmp_path: Path, results: pl.DataFrame) -> None:
    html = written(tmp_path, ReportPage("Bones", results.filter(pl.col("task") == "bones")))
    assert 'id="bones"' in html
    assert 'id="erosion"' not in html


def test_no_results_still_make_a_page(tmp_path: Path, page: ReportPage, results: pl.DataFrame) -> None:
    html = written(tmp_path, replace(page, results=results.clear()))
    assert 'id="bones"' not in html
    assert 'id="reading"' in html


def test_the_same_content_gives_the_same_file(tmp_path: Path, page: ReportPage, html: str) -> None:
    assert written(tmp_path, page) == html


def test_what_the_user_wrote_is_escaped(tmp_path: Path, page: ReportPage, reading: ReadingPanel) -> None:
    attack = "<script>alert('x')</script>"
    hostile = replace(
        page,
        title=attack,
        provenance={attack: attack},
        reading=replace(reading, source=attack, warnings=(attack,)),
        cases=tuple(replace(case, title=attack, caption=attack) for case in page.cases),
        results=page.results.with_columns(pl.col("model").cast(pl.String).replace("unet", attack).cast(pl.Categorical)),
        histories={attack: page.histories["unet"]},
        statistics={attack: page.statistics["Images"].rename(index={"images": attack})},
    )
    assert "<script>alert" not in written(tmp_path, hostile)


def test_a_case_shows_four_pictures_over_one_film(html: str) -> None:
    names = re.findall(r'<svg viewBox="0 0 256 256" role="img" aria-label="([^"]+ of 0001_0001_L)">', html)
    assert names == [f"{name} of 0001_0001_L" for name in ("Radiograph", "Reference", "Prediction", "Both outlines")]
    data = re.findall(r'<image id="film-1" href="data:image/jpeg;base64,([^"]+)" width="256" height="256"/>', html)
    assert [Image.open(BytesIO(base64.b64decode(each))).size for each in data] == [(256, 256)]
    assert html.count('<use href="#film-1"/>') == 3


def test_each_bone_can_be_hidden_in_every_picture(html: str) -> None:
    cases = html[html.index('<h2 id="cases"') : html.index('<h2 id="reading"')]
    for bone in Bone:
        name = layer_name(bone)
        assert cases.count(f'class="show-{name}"') == 1
        assert f"section:has(.show-{name}:not(:checked)) .{name} {{ display: none; }}" in html
        assert cases.count(f'<path class="{name}"') == 4  # reference, prediction, and the outlines of both
        assert cases.count(f'<text class="{name}"') == 2
    for side in ("reference", "predicted"):
        assert cases.count(f'class="show-{side}"') == 1
        assert cases.count(f'<g class="outlines {side}"') == 1


def test_the_papers_rows_can_be_hidden_where_there_are_any(tmp_path: Path, results: pl.DataFrame) -> None:
    html = written(tmp_path, ReportPage("A", results))
    assert html.count('class="show-paper"') == 2
    unknown = results.with_columns(model=pl.lit("mine").cast(pl.Categorical))
    assert 'class="show-paper"' not in written(tmp_path, ReportPage("A", unknown))


def test_the_wrist_is_marked_on_a_film_that_was_made_smaller(html: str) -> None:
    data = re.findall(r'base64,([^"]+)" alt="The whole film', html)
    film = np.asarray(Image.open(BytesIO(base64.b64decode(data[0])))).astype(int)
    assert film.shape == (1000, 500, 3)
    orange = (film[..., 0] - film[..., 2]) > 120
    rows, columns = np.flatnonzero(orange.any(axis=1)), np.flatnonzero(orange.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == pytest.approx((500, 750, 125, 375), abs=4)


def test_a_joint_read_says_how_it_is_called(html: str) -> None:
    assert re.search(r"Lunate</th><td>0.70</td>.*?<td>0.50</td><td>eroded</td>", html)
    assert re.search(r"Scaphoid</th><td>0.20</td>.*?<td>0.50</td><td>not eroded</td>", html)


def test_statistics_are_printed_as_they_are(tmp_path: Path, results: pl.DataFrame) -> None:
    mixed = pd.DataFrame({"n": [8], "age": [44.9912], "who": ["all"]}, index=["images"])
    html = written(tmp_path, ReportPage("A", results.clear(), statistics={"Mixed": mixed}))
    assert '<th scope="row">images</th><td>8</td><td>44.991</td><td>all</td>' in html


def test_masks_that_do_not_fit_leave_the_old_report_standing(tmp_path: Path, page: ReportPage) -> None:
    plain = replace(page, results=page.results.clear(), histories={})
    before = written(tmp_path, plain)
    broken = replace(page.cases[0], predicted=BoneMasks.empty(height=9, width=9))
    with pytest.raises(InputError, match="resize the masks"):
        write_report(tmp_path / "index.html", replace(plain, cases=(broken,)))
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == before


def test_tables_can_be_sorted_by_their_numbers(tmp_path: Path, results: pl.DataFrame) -> None:
    html = written(tmp_path, ReportPage("A", results))
    assert html.count('<table class="sortable">') >= 9
    assert 'data-value="0.963"' in html  # the paper's U-Net
    assert 'data-value="nan"' not in html
    assert "aria-sort" in html
