"""Datasets from folders of films, through the command line. The films are phantoms, written as DICOM."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl
import pydicom
import pytest
from PIL import Image

from carpus.anatomy import Bone, Joint
from carpus.app import prepare as preparing
from carpus.app.prepare_film import prepare_film
from carpus.data.coco import write_coco_masks
from carpus.data.layout import PHANTOM_FILE
from carpus.data.reader import read_dataset, read_masks
from carpus.dicom.crop import Provenance, new_study_uid, write_crop
from carpus.dicom.segmentation import write_segmentation
from carpus.imaging.files import read_grey
from carpus.imaging.masks import BoneMasks
from carpus.phantom import Phantom, Visit, draw, plan_cohort

WHO = {1: "Adele^Arm", 2: "Berta^Bein", 3: "Clara^Carpus"}


@dataclass(frozen=True)
class Films:
    """A folder of films, what was drawn, and the truth by file name."""

    folder: Path
    masks: Path
    table: Path
    phantoms: Mapping[str, Phantom]
    visits: Mapping[str, Visit]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Both hands of three patients: one healthy and unscored, two scored."""
    root = tmp_path_factory.mktemp("prepare")
    visits = [visit for visit in plan_cohort(patients=12, seed=8) if visit.study == 1]
    healthy = next(visit.patient for visit in visits if visit.scores is None)
    ill = sorted({visit.patient for visit in visits if visit.scores})[:2]
    films, truth, chosen, masks, rows = root / "films", {}, {}, {}, []
    for number, patient in enumerate((healthy, *ill), 1):
        uid = new_study_uid()
        for visit in (visit for visit in visits if visit.patient == patient):
            name = f"{WHO[number].split('^')[0].lower()}-im{visit.side.value.lower()}{number}.dcm"
            phantom = draw(visit)
            who = Provenance(f"HOSP-{number}", "9", uid, sex=visit.sex, age=visit.age, synthetic=True)
            write_crop(films / "old" / name, phantom.radiograph, who)
            edit(films / "old" / name, PatientName=WHO[number], StudyDate="20190312")
            truth[name], chosen[name], masks[Path(name).stem] = phantom, visit, phantom.masks
            scores = [] if visit.scores is None else [visit.scores[joint] for joint in Joint]
            if scores:
                rows.append([name, "HMCRD", *scores])
    assert len(truth) == 6
    write_coco_masks(root / "drawn.json", masks)
    write_table(root / "scores.csv", ["file", "institution", *(joint.abbreviation for joint in Joint)], rows)
    assert len(rows) == 4
    return Films(films, root / "drawn.json", root / "scores.csv", truth, chosen)


@pytest.fixture
def films(drawn: Films, tmp_path: Path) -> Films:
    """A copy that a test may damage."""
    root = tmp_path / "given"
    shutil.copytree(drawn.folder, root / "films")
    shutil.copy(drawn.masks, root / "drawn.json")
    shutil.copy(drawn.table, root / "scores.csv")
    return Films(root / "films", root / "drawn.json", root / "scores.csv", drawn.phantoms, drawn.visits)


@pytest.fixture
def prepare(carpus, films: Films, tmp_path: Path) -> Callable[..., Any]:
    """Runs the command on the copy into `tmp_path/ours`; more arguments may follow."""

    def run(*more: object, masks: bool = True, table: bool = True):
        given = (["--masks", films.masks] if masks else []) + (["--table", films.table] if table else [])
        return carpus("data", "prepare", films.folder, "--out", tmp_path / "ours", *given, *more)

    return run


def edit(path: Path, **attributes: Any) -> None:
    """Sets attributes of a DICOM file, or with None removes them."""
    dataset = pydicom.dcmread(path)
    for name, value in attributes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path)


def write_table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def key_of(tmp_path: Path) -> dict[str, dict[str, str]]:
    """The rows of the private key by file name."""
    with (tmp_path / "ours-private" / "key.csv").open(encoding="utf-8", newline="") as file:
        return {Path(row["file"]).name: row for row in csv.DictReader(file)}


def records(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The manifest's records by file name."""
    content = json.loads((tmp_path / "ours" / "Prepared.json").read_text("utf-8"))
    by_case = {record["identifier"]: record for record in content["films"]}
    return {name: by_case[row["identifier"]] for name, row in key_of(tmp_path).items() if row["identifier"] in by_case}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def film_named(films: Films, start: str) -> Path:
    return next(path for path in sorted(films.folder.rglob("*.dcm")) if path.name.startswith(start))


def only(films: Films, start: str) -> Path:
    """Removes all films but one, which is quicker."""
    kept = film_named(films, start)
    for path in set(films.folder.rglob("*.dcm")) - {kept}:
        path.unlink()
    return kept


def test_films_become_a_dataset_in_which_the_check_finds_nothing(carpus, prepare, films: Films, tmp_path: Path) -> None:
    done = prepare()
    assert done.status == 0, done.err
    assert "Phantom dataset of 6 wrists" in done.out
    assert "PRIVATE, never publish" in done.out
    checked = carpus("data", "check", tmp_path / "ours")
    assert checked.status == 0
    assert "no problems" in checked.out
    dataset, key = read_dataset(tmp_path / "ours"), key_of(tmp_path)
    cases = {str(case.id): case for case in dataset.cases}
    assert len(cases) == 6
    for name, phantom in films.phantoms.items():
        case = cases[key[name]["identifier"]]
        visit = films.visits[name]
        assert case.id.side is visit.side
        moved = _as_cropped(phantom, records(tmp_path)[name]["crop_px"])
        assert np.array_equal(read_grey(case.image), moved[0])
        assert read_masks(case) == moved[1]
        original = Image.open(tmp_path / "ours" / "Originals" / f"{case.id}.png")
        assert original.mode == "I;16"
        assert np.array_equal(np.asarray(original), moved[0])
        assert case.scores == visit.scores
        assert case.institution == (None if visit.scores is None else "HMCRD")
        assert (case.age, case.sex) == (visit.age, visit.sex)
        assert set(case.boxes) == set(Joint)
        assert set(case.rois) == (set() if visit.scores is None else set(Joint))


def _as_cropped(phantom: Phantom, crop_px: list[float]) -> tuple[np.ndarray, BoneMasks]:
    """The phantom moved by whole pixels onto its crop."""
    x, y, width, height = crop_px
    assert (width, height) == (600, 600)
    assert x == int(x)
    assert y == int(y)
    edge = 200
    pixels = np.pad(phantom.radiograph.pixels, edge)
    plane = np.pad(phantom.masks.plane, edge)
    place = np.s_[edge + int(y) : edge + int(y) + 600, edge + int(x) : edge + int(x) + 600]
    return pixels[place], BoneMasks(plane[place].copy())


def test_a_patient_is_in_one_split_of_both_tasks(prepare, tmp_path: Path) -> None:
    prepare()
    splits: dict[str, set[str]] = {}
    for case in read_dataset(tmp_path / "ours").cases:
        for split in filter(None, (case.bone_split, case.erosion_split)):
            splits.setdefault(case.id.patient, set()).add(split.value)
    assert sorted(split for each in splits.values() for split in each) == ["test", "train", "train"]


def test_films_of_phantoms_make_a_phantom_dataset(prepare, tmp_path: Path) -> None:
    prepare()
    assert json.loads((tmp_path / "ours" / PHANTOM_FILE).read_text("utf-8"))["synthetic"] is True
    assert "PHANTOM" in (tmp_path / "ours-private" / "review.html").read_text("utf-8")


def test_nothing_in_the_dataset_tells_who_it_is(prepare, films: Films, tmp_path: Path) -> None:
    prepare()
    secrets = ["HOSP-", "20190312", "Adele", "adele", "Carpus^", "-iml", "films/old", str(films.folder)]
    secrets += [str(pydicom.dcmread(path).StudyInstanceUID) for path in films.folder.rglob("*.dcm")]
    for name, content in contents(tmp_path / "ours").items():
        for secret in secrets:
            assert secret not in name
            assert secret.encode() not in content
    table = openpyxl.load_workbook(tmp_path / "ours" / "Metadata.xlsx").active
    cells = " ".join(str(cell.value) for row in table.iter_rows() for cell in row)
    assert not any(secret in cells for secret in secrets)
    key = tmp_path / "ours-private" / "key.csv"
    assert "HOSP-1" in key.read_text("utf-8")
    assert key.stat().st_mode & 0o077 == 0
    assert not key.is_relative_to(tmp_path / "ours")


def test_a_second_run_does_no_film_again_and_gives_the_same_bytes(prepare, tmp_path: Path) -> None:
    prepare()
    before = contents(tmp_path / "ours")
    again = prepare()
    assert again.status == 0, again.err
    assert "6 done before" in again.out
    assert contents(tmp_path / "ours") == before


def test_a_run_that_was_killed_goes_on(prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    real = prepare_film

    def killed(*given: Any, **more: Any) -> Any:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(given)
        return real(*given, **more)

    monkeypatch.setattr(preparing, "prepare_film", killed)
    assert prepare().status != 0
    assert not (tmp_path / "ours").exists()
    monkeypatch.setattr(preparing, "prepare_film", real)
    done = prepare()
    assert done.status == 0
    assert "2 done before" in done.out
    assert len(read_dataset(tmp_path / "ours").cases) == 6


def test_bad_films_are_listed_and_never_stop_the_rest(prepare, films: Films, tmp_path: Path) -> None:
    cut = film_named(films, "adele-imr")
    cut.write_bytes(cut.read_bytes()[:-1000])
    (films.folder / "scan.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 99)
    (films.folder / "photo.png").write_bytes(b"no picture")
    (films.folder / "letter.txt").write_text("Dear Adele")
    child, slice_ = film_named(films, "berta-iml"), film_named(films, "berta-imr")
    edit(child, PatientAge="007Y")
    edit(slice_, Modality="CT")
    done = prepare()
    assert done.status == 2
    assert "5 not taken" in done.out
    assert "not taken: old/adele-imr1.dcm holds pixels that cannot be decoded" in done.err
    assert "not taken: scan.dcm is not a readable DICOM file" in done.err
    assert "not taken: photo.png is not an image" in done.err or "not taken: photo.png does not tell" in done.err
    assert "is of a child aged 7, whose bones are not finished" in done.err
    assert "has the modality CT, expected a radiograph" in done.err
    assert "1 files are no films" in done.err
    assert len(read_dataset(tmp_path / "ours").cases) == 3
    page = (tmp_path / "ours-private" / "review.html").read_text("utf-8")
    assert "5 films that were not taken" in page


def test_a_defect_of_carpus_on_one_film_costs_that_film_alone(prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    real = prepare_film

    def faulty(source: Any, *given: Any, **more: Any) -> Any:
        if source.path.name.startswith("clara-iml"):
            raise ZeroDivisionError("oops")
        return real(source, *given, **more)

    monkeypatch.setattr(preparing, "prepare_film", faulty)
    done = prepare()
    assert done.status == 2
    assert "clara-iml3.dcm made carpus fail (ZeroDivisionError: oops); please report it" in done.err
    assert "dataset of 5 wrists" in done.out


def test_two_films_of_one_hand_at_one_visit_are_both_left_to_a_person(prepare, films: Films, tmp_path: Path) -> None:
    left = film_named(films, "adele-iml")
    again = left.with_name("repeat.dcm")
    shutil.copy(film_named(films, "berta-iml"), again)
    header = pydicom.dcmread(left, stop_before_pixels=True)
    edit(again, PatientID=header.PatientID, StudyInstanceUID=header.StudyInstanceUID)
    masks = {path.stem: films.phantoms[path.name].masks for path in films.folder.rglob("*im*.dcm")}
    masks["repeat"] = films.phantoms[film_named(films, "berta-iml").name].masks
    write_coco_masks(films.masks, masks)
    done = prepare()
    assert done.status == 2
    assert (
        "adele-iml1.dcm shows the left hand of the same patient and study as old/repeat.dcm; exclude all but"
        in done.err
    )
    assert "repeat.dcm shows the left hand of the same patient and study as old/adele-iml1.dcm" in done.err
    assert len(read_dataset(tmp_path / "ours").cases) == 5
    (films.folder.parent / "exclude.txt").write_text("old/repeat.dcm\n")
    done = prepare("--exclude", films.folder.parent / "exclude.txt")
    assert "not taken: old/repeat.dcm is excluded" in done.err
    assert len(read_dataset(tmp_path / "ours").cases) == 6


def test_a_copy_of_a_film_is_taken_once(prepare, films: Films, tmp_path: Path) -> None:
    shutil.copy(film_named(films, "adele-iml"), films.folder / "zcopy.dcm")
    done = prepare()
    assert "zcopy.dcm is a copy of old/adele-iml1.dcm, byte for byte" in done.err
    assert len(read_dataset(tmp_path / "ours").cases) == 6


def test_dark_bone_gives_the_same_crop_as_bright_bone(prepare, films: Films, tmp_path: Path) -> None:
    path = only(films, "adele-iml")
    pixels = pydicom.dcmread(path).pixel_array
    edit(path, PhotometricInterpretation="MONOCHROME1", PixelData=(pixels.max() + pixels.min() - pixels).tobytes())
    prepare()
    case = key_of(tmp_path)[path.name]["identifier"]
    record = records(tmp_path)[path.name]
    expected, _ = _as_cropped(films.phantoms[path.name], record["crop_px"])
    assert record["photometric"] == "MONOCHROME1"
    assert np.array_equal(read_grey(tmp_path / "ours" / "BoneSegmentation" / "images" / f"{case}.bmp"), expected)


def test_sixteen_bits_keep_every_grey_value_while_eight_follow_the_window(
    prepare, films: Films, tmp_path: Path
) -> None:
    path = only(films, "adele-iml")
    deep = pydicom.dcmread(path).pixel_array.astype(np.uint16) * 16 + 5
    edit(path, PixelData=deep.tobytes(), BitsAllocated=16, BitsStored=12, HighBit=11, WindowCenter=900, WindowWidth=600)
    prepare()
    case = key_of(tmp_path)[path.name]["identifier"]
    record = records(tmp_path)[path.name]
    expected, _ = _as_cropped(films.phantoms[path.name], record["crop_px"])
    original = read_grey(tmp_path / "ours" / "Originals" / f"{case}.png")
    inside = original > 0
    assert np.array_equal(original[inside], expected[inside].astype(np.uint16) * 16 + 5)
    shown = read_grey(tmp_path / "ours" / "BoneSegmentation" / "images" / f"{case}.bmp")
    assert shown.dtype == np.uint8
    assert shown[original >= 1200].min() == 255
    assert shown[inside & (original <= 600)].max() == 0
    assert "window-cuts" in record["flags"]
    assert record["bits"] == 12


@pytest.mark.parametrize(
    ("spacing", "says"),
    [
        ({"ImagerPixelSpacing": None}, "gives no pixel size; give it with --spacing-mm"),
        (
            {"ImagerPixelSpacing": [0, 0]},
            "gives no usable pixel size (The file gives an impossible pixel size (0 x 0 mm)",
        ),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, "gives no usable pixel size (The file's pixels are not square"),
    ],
)
def test_a_film_without_a_usable_pixel_size_needs_one(
    prepare, films: Films, tmp_path: Path, spacing: dict[str, Any], says: str
) -> None:
    path = only(films, "adele-iml")
    edit(path, **spacing)
    refused = prepare()
    assert refused.status == 2
    assert f"{path.name} {says}" in refused.err
    done = prepare("--spacing-mm", "0.15")
    assert done.status == 0
    record = records(tmp_path)[path.name]
    assert record["spacing_from"] == "--spacing-mm"
    assert "spacing-told" in record["notes"]


def test_the_detectors_pixel_size_is_noted_as_magnified(prepare, films: Films, tmp_path: Path) -> None:
    path = only(films, "adele-iml")
    prepare()
    assert records(tmp_path)[path.name]["spacing_from"] == "ImagerPixelSpacing"
    assert "magnified" in records(tmp_path)[path.name]["notes"]
    edit(path, PixelSpacing=[0.15, 0.15])
    prepare("--overwrite")
    assert records(tmp_path)[path.name]["spacing_from"] == "PixelSpacing"
    assert "magnified" not in records(tmp_path)[path.name]["notes"]


def test_a_film_of_another_pixel_size_is_resampled_with_its_bones(prepare, films: Films, tmp_path: Path) -> None:
    path = only(films, "adele-iml")
    pixels = pydicom.dcmread(path).pixel_array
    large = np.kron(pixels, np.ones((2, 2), np.uint8))
    edit(path, PixelData=large.tobytes(), Rows=1200, Columns=1200, ImagerPixelSpacing=[0.075, 0.075])
    masks = {each.stem: films.phantoms[each.name].masks for each in films.folder.rglob("*.dcm")}
    masks[path.stem] = BoneMasks(np.kron(masks[path.stem].plane, np.ones((2, 2), np.uint16)))
    write_coco_masks(films.masks, masks)
    assert prepare().status == 0
    record = records(tmp_path)[path.name]
    assert record["resampled"]
    assert record["crop_px"][2] == pytest.approx(1200)
    half = [value / 2 for value in record["crop_px"]]
    expected, bones = _as_cropped(films.phantoms[path.name], [float(round(value)) for value in half])
    case = next(
        each
        for each in read_dataset(tmp_path / "ours").cases
        if str(each.id) == key_of(tmp_path)[path.name]["identifier"]
    )
    assert np.abs(read_grey(case.image).astype(int) - expected).mean() < 3
    made = read_masks(case)
    for bone in Bone:
        both = (made.mask(bone) & bones.mask(bone)).sum()
        assert 2 * both / (made.mask(bone).sum() + bones.mask(bone).sum()) > 0.97


def test_the_side_is_told_by_the_bones_where_nobody_wrote_it_down(prepare, films: Films, tmp_path: Path) -> None:
    for path in films.folder.rglob("*.dcm"):
        edit(path, Laterality=None)
    assert prepare().status == 0
    for name, record in records(tmp_path).items():
        assert record["side"] == films.visits[name].side.value
        assert record["side_from"] == "drawn bones"
        assert "side-from-picture" in record["flags"]


def test_a_letter_on_the_film_tells_the_side_and_mirrored_is_flagged(prepare, films: Films, tmp_path: Path) -> None:
    path = film_named(films, "berta-iml")
    dataset = pydicom.dcmread(path)
    del dataset.Laterality
    pixels = dataset.pixel_array.copy()
    pixels[:90, :90] = pixels.min()
    letter = np.zeros((90, 90), np.uint8)
    cv2.putText(letter, "L", (28, 66), cv2.FONT_HERSHEY_DUPLEX, 1.8, (255,), 5)
    pixels[:90, :90][letter[:, ::-1] > 127] = pixels.max()
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
    prepare()
    record = records(tmp_path)[path.name]
    assert (record["side"], record["side_from"]) == ("L", "marker")
    assert "marker-mirrored" in record["flags"]
    assert "side-from-picture" not in record["flags"]


def test_sides_that_contradict_each_other_are_flagged(prepare, films: Films, tmp_path: Path) -> None:
    path = film_named(films, "berta-iml")
    edit(path, Laterality="", SeriesDescription="RIGHT HAND")
    moved = film_named(films, "clara-iml")
    edit(moved, SeriesDescription="rechts")
    done = prepare()
    assert "berta-iml2.dcm shows the right hand of the same patient and study" in done.err
    edit(film_named(films, "berta-imr"), StudyInstanceUID=new_study_uid())
    prepare()
    flags = {name: record["flags"] for name, record in records(tmp_path).items()}
    assert flags[path.name]["side-contradiction"] == "The SeriesDescription says right, but the picture left."
    assert flags[moved.name]["side-contradiction"] == "The Laterality says left, but SeriesDescription right."


def test_wrong_rows_of_the_table_refuse_their_films(prepare, films: Films, tmp_path: Path) -> None:
    joints = [joint.abbreviation for joint in Joint]
    write_table(
        films.table,
        ["file", "side", *joints],
        [
            ["adele-iml1.dcm", "L", 0, 0, 0, 0, 0, 7],
            ["old/adele-imr1", "", 0, 0, 0, 0, 0, ""],
            ["berta-iml2", "up", "", "", "", "", "", ""],
            ["berta-imr2", "", 1, 0, 0, 2, 0, 0],
            ["clara-iml3", "", 1, 0, 0, 2, 0, 0],
            ["clara-iml3", "", 1, 0, 0, 2, 0, 0],
            ["nobody.dcm", "", 1, 0, 0, 2, 0, 0],
            ["", "", 1, 0, 0, 2, 0, 0],
        ],
    )
    done = prepare()
    assert done.status == 2
    for text in (
        "line 2: SvdH score 7 is not a whole number from 0 to 5",
        "line 3: there is no score for DistalUlna",
        "line 4: side 'up' is unknown",
        "clara-iml3 in line 7 again; keep one of the rows",
        "names nobody.dcm, which is no film of the folder",
        "names no file in line 9",
    ):
        assert text in done.err
    scored = [case for case in read_dataset(tmp_path / "ours").cases if case.scores]
    assert [list((case.scores or {}).values()) for case in scored] == [[1, 0, 0, 2, 0, 0]]


def test_patients_keep_number_and_split_when_films_are_added(prepare, films: Films, tmp_path: Path) -> None:
    later = films.folder.parent / "later"
    later.mkdir()
    for path in films.folder.rglob("berta*.dcm"):
        shutil.move(path, later)
    assert "fill three splits, so all are in train" in prepare().err
    before = {name: (row["identifier"], row["split"]) for name, row in key_of(tmp_path).items()}
    for path in later.iterdir():
        shutil.move(path, films.folder / "old")
    assert prepare().status == 0
    after = {name: (row["identifier"], row["split"]) for name, row in key_of(tmp_path).items()}
    assert len(after) == 6
    assert before.items() <= after.items()


def test_a_dataset_that_was_changed_or_would_shrink_is_not_replaced_unasked(
    prepare, films: Films, tmp_path: Path
) -> None:
    prepare()
    image = next((tmp_path / "ours" / "Originals").iterdir())
    whole = image.read_bytes()
    image.write_bytes(whole + b"edited")
    refused = prepare()
    assert refused.status == 2
    assert f"has changed since it was made (1 files, such as Originals/{image.name})" in refused.err
    image.write_bytes(whole)
    film_named(films, "adele-iml").unlink()
    refused = prepare()
    assert "ours would lose 1 wrists that are in it now" in refused.err
    assert len(read_dataset(tmp_path / "ours").cases) == 6
    assert prepare("--overwrite").status == 0
    assert len(read_dataset(tmp_path / "ours").cases) == 5


def test_folders_that_would_mix_are_refused(carpus, films: Films, tmp_path: Path) -> None:
    inside = carpus("data", "prepare", films.folder, "--out", tmp_path / "o", "--private", tmp_path / "o" / "key")
    assert inside.status == 2
    assert "lies in the dataset, which others will get" in inside.err
    around = carpus("data", "prepare", films.folder, "--out", films.folder.parent)
    assert "is or holds the folder of films" in around.err
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.doc").write_text("mine")
    taken = carpus("data", "prepare", films.folder, "--out", tmp_path / "taken")
    assert "exists already; choose another name, or add --overwrite" in taken.err
    empty = carpus("data", "prepare", tmp_path / "taken", "--out", tmp_path / "o")
    assert "holds no film, expected DICOM" in empty.err


def test_bones_come_as_dicom_segmentations_or_polygons_too(carpus, films: Films, tmp_path: Path) -> None:
    folder = tmp_path / "bones"
    folder.mkdir()
    names = sorted(films.phantoms)
    for number, name in enumerate(names):
        path, phantom = films.folder / "old" / name, films.phantoms[name]
        if number == 0:
            corners = [[100.0, 300.0], [400.0, 300.0], [400.0, 560.0], [100.0, 560.0]]
            shapes = [
                {"label": bone.label, "shape_type": "polygon", "points": (np.array(corners) / (1 + at)).tolist()}
                for at, bone in enumerate((Bone.CAPITATE, Bone.LUNATE, Bone.DISTAL_RADIUS))
            ]
            content = {"imageHeight": 600, "imageWidth": 600, "shapes": shapes}
            (folder / f"{path.stem}.json").write_text(json.dumps(content))
        else:
            write_segmentation(folder / f"seg{number}.dcm", phantom.masks, film=path, algorithm=None)
    done = carpus("data", "prepare", films.folder, "--out", tmp_path / "ours", "--masks", folder)
    assert done.status == 0, done.err
    found = records(tmp_path)
    assert [found[name]["drawn_as"] for name in names] == ["LabelMe"] + 5 * ["DICOM SEG"]
    cases = {str(case.id): case for case in read_dataset(tmp_path / "ours").cases}
    key = key_of(tmp_path)
    for name in names[1:]:
        _, bones = _as_cropped(films.phantoms[name], found[name]["crop_px"])
        assert read_masks(cases[key[name]["identifier"]]) == bones
    assert found[names[0]]["flags"].keys() >= {"wrist-doubtful", "boxes-by-fit"}


def test_bones_drawn_on_another_grid_are_refused(prepare, films: Films) -> None:
    name = only(films, "adele-iml")
    write_coco_masks(films.masks, {name.stem: films.phantoms[name.name].masks.resized(height=300, width=300)})
    done = prepare()
    assert done.status == 2
    assert "is 600 x 600 pixels but its bones are drawn on 300 x 300; draw them on the film" in done.err
    assert "no film could be taken, so no dataset was written" in done.err


def test_without_drawn_bones_the_network_places_joints_and_nothing_passes_for_a_reading(
    carpus, prepare, films: Films, tmp_path: Path
) -> None:
    for path in films.folder.rglob("*.dcm"):
        if not path.name.startswith(("adele-iml", "berta-iml")):
            path.unlink()
    unknown = film_named(films, "adele-iml")
    edit(unknown, Laterality="")
    done = prepare(masks=False)
    assert done.status == 0, done.err
    found = records(tmp_path)
    assert {record["boxes_from"] for record in found.values()} == {"predicted"}
    assert {record["bones"] for record in found.values()} == {"predicted"}
    assert found[unknown.name]["side"] == "L"
    assert "side-unsure" in found[unknown.name]["flags"]
    assert not list((tmp_path / "ours").rglob("*.npy"))
    dataset = read_dataset(tmp_path / "ours")
    key = key_of(tmp_path)
    for name, record in found.items():
        case = next(each for each in dataset.cases if str(each.id) == key[name]["identifier"])
        _, bones = _as_cropped(films.phantoms[name], record["crop_px"])
        for joint in (Joint.TRAPEZIUM, Joint.SCAPHOID, Joint.LUNATE):
            y, x = np.argwhere(bones.mask(joint.bone)).mean(axis=0)
            assert np.hypot(case.boxes[joint].centre[0] - x, case.boxes[joint].centre[1] - y) < 25
    assert carpus("data", "check", tmp_path / "ours").status == 0


def test_an_image_file_needs_a_patient_and_a_pixel_size(carpus, films: Films, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    name = min(films.phantoms)
    Image.fromarray(films.phantoms[name].radiograph.pixels).save(folder / "hand.png")
    write_coco_masks(films.masks, {"hand": films.phantoms[name].masks})
    given = ["data", "prepare", folder, "--out", tmp_path / "ours", "--masks", films.masks]
    assert "hand.png does not tell its patient, expected PatientID, or a column patient" in carpus(*given).err
    write_table(films.table, ["file", "patient"], [["hand.png", "A"]])
    assert "hand.png gives no pixel size; give it with --spacing-mm" in carpus(*given, "--table", films.table).err
    write_table(films.table, ["file", "patient", "spacing_mm"], [["hand.png", "A", "0.15"]])
    assert carpus(*given, "--table", films.table).status == 0
    assert records(tmp_path)["hand.png"]["spacing_from"] == "table"
    assert not (tmp_path / "ours" / PHANTOM_FILE).exists()


def test_the_help_teaches(carpus) -> None:
    text = carpus("data", "prepare", "--help").out
    for word in ("--table", "--masks", "--spacing-mm", "key.csv", "predicted", "goes on when it is started again"):
        assert word in text
