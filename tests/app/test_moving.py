"""Datasets into every format and back, through the command line: images, masks, boxes, scores, splits, people."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
import yaml
from PIL import Image

from carpus.anatomy import Bone, Joint
from carpus.data.case import CaseId
from carpus.data.facts import Facts
from carpus.data.formats.nnunet import OVER, label_map, masks_of_labels
from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.data.wrist import Wrist, read_wrist, write_wrists

FORMATS = ["coco", "nnunet", "dicom-seg", "huggingface", "png"]
OVERLAPPING = [form for form in FORMATS if form != "nnunet"]


@pytest.fixture(scope="session")
def small(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six wrists of phantoms in every situation: both tasks, bones only, joints only, an image only, two splits."""
    dataset = read_dataset(phantoms)
    scored = [case for case in dataset.cases if case.scores][:4]
    healthy = [case for case in dataset.cases if not case.scores][:2]
    wrists = [read_wrist(dataset, case) for case in (*scored, *healthy)]
    both, other_split, joints_only, without_person = wrists[:4]
    edited = [
        both,
        replace(other_split, facts=replace(other_split.facts, bone_split=Split.TEST, erosion_split=Split.VAL)),
        replace(joints_only, facts=replace(joints_only.facts, bone_split=None), masks=None),
        replace(without_person, facts=person_removed(without_person)),
        wrists[4],
        replace(wrists[5], facts=replace(wrists[5].facts, bone_split=None), masks=None),
    ]
    root = tmp_path_factory.mktemp("small") / "dataset"
    root.mkdir()
    write_wrists(root, edited)
    shutil.copy(phantoms / "Phantom.json", root)
    return root


def person_removed(wrist: Wrist) -> Facts:
    return replace(
        wrist.facts,
        id=CaseId("9999", "0001", wrist.facts.id.side_letter),
        institution=None,
        age=None,
        sex=None,
        phase=None,
    )


@pytest.fixture(scope="session")
def exported(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The dataset in a format, written once; tests that damage it copy it first."""
    from carpus.app.moving import export_dataset

    root, made = tmp_path_factory.mktemp("exported"), {}

    def export(form: str) -> Path:
        if form not in made:
            made[form] = root / form
            export_dataset(small, made[form], form=form)
        return made[form]

    return export


@pytest.fixture
def damaged(exported, tmp_path: Path) -> Callable[[str], Path]:
    return lambda form: Path(shutil.copytree(exported(form), tmp_path / f"damaged-{form}"))


def is_one_sentence(text: str) -> bool:
    ends = text.endswith((".\n", "?\n"))
    return text.startswith("Error: ") and ends and text.count("\n") == 1 and "Traceback" not in text


def wrists_of(root: Path) -> dict[CaseId, Wrist]:
    dataset = read_dataset(root)
    return {case.id: read_wrist(dataset, case) for case in dataset.cases}


def assert_same(expected: Wrist, found: Wrist) -> None:
    assert found.facts == expected.facts
    assert np.array_equal(found.pixels, expected.pixels)
    assert found.masks == expected.masks
    assert found.regions.keys() == expected.regions.keys()
    assert all(np.array_equal(found.regions[joint], region) for joint, region in expected.regions.items())


def without_overlap(wrist: Wrist) -> Wrist:
    return wrist if wrist.masks is None else replace(wrist, masks=masks_of_labels(label_map(wrist.masks)))


@pytest.mark.parametrize("form", FORMATS)
def test_every_case_comes_back_as_it_was(carpus, small: Path, tmp_path: Path, form: str) -> None:
    done = carpus("data", "export", small, tmp_path / form, "--to", form)
    assert (done.status, done.out) == (0, f"Dataset as {form}: {tmp_path / form}\n")
    done = carpus("data", "import", tmp_path / form, tmp_path / "back", "--from", form)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"Phantom dataset of 6 wrists: {tmp_path / 'back'}\n"
    expected, found = wrists_of(small), wrists_of(tmp_path / "back")
    assert found.keys() == expected.keys()
    for case, wrist in expected.items():
        assert_same(wrist if form in OVERLAPPING else without_overlap(wrist), found[case])
    assert json.loads((tmp_path / "back/Phantom.json").read_text()) == json.loads((small / "Phantom.json").read_text())


@pytest.mark.parametrize("form", OVERLAPPING)
def test_the_files_of_a_phantom_dataset_come_back_byte_by_byte(exported, small: Path, tmp_path: Path, form) -> None:
    from carpus.app.moving import import_dataset

    import_dataset(exported(form), tmp_path / "back", form=form)
    files = [path.relative_to(small) for path in sorted(small.rglob("*")) if path.is_file()]
    assert files == [path.relative_to(tmp_path / "back") for path in sorted((tmp_path / "back").rglob("*.*"))]
    assert [name for name in files if (small / name).read_bytes() != (tmp_path / "back" / name).read_bytes()] == []


def test_nnunet_counts_every_pixel_that_overlap_costs(carpus, small: Path, tmp_path: Path) -> None:
    done = carpus("data", "export", small, tmp_path / "out", "--to", "nnunet")
    stacks = [wrist.masks.stack() for wrist in wrists_of(small).values() if wrist.masks is not None]
    drawn = sum(int(stack.sum()) for stack in stacks)
    lost = drawn - sum(int(stack.any(axis=0).sum()) for stack in stacks)
    assert lost > 1000
    assert f"{lost} of {drawn} pixels of bones" in done.err
    told = json.loads((tmp_path / "out/dataset.json").read_text())["overlap"]
    assert (told["pixels"], told["pixels_lost"]) == (drawn, lost)
    assert sum(told["pixels_lost_by_bone"].values()) == lost
    assert told["pixels_lost_by_bone"][OVER[0].value] == 0
    assert str(lost) in (tmp_path / "out/README.md").read_text()


def test_nnunet_has_the_files_that_nnunet_looks_for(exported) -> None:
    folder = exported("nnunet")
    content = json.loads((folder / "dataset.json").read_text())
    assert content["labels"]["background"] == 0
    assert content["labels"][Bone.METACARPAL_5.value] == 14
    images, labels = sorted((folder / "imagesTr").iterdir()), sorted((folder / "labelsTr").iterdir())
    assert len(images) == len(labels) == content["numTraining"] > 0
    assert [path.name for path in images] == [f"{path.stem}_0000.png" for path in labels]
    values = np.unique(np.asarray(Image.open(labels[0])))
    assert set(values) <= set(range(15))
    (fold,) = json.loads((folder / "splits_final.json").read_text())
    assert sorted([*fold["train"], *fold["val"]]) == [path.stem for path in labels]


def test_nnunet_without_our_files_is_read_by_its_folders(carpus, small: Path, damaged, tmp_path: Path) -> None:
    folder = damaged("nnunet")
    for name in ("cases.json", "Phantom.json"):
        (folder / name).unlink()
    assert carpus("data", "import", folder, tmp_path / "back", "--from", "nnunet").status == 0
    drawn = {case: wrist for case, wrist in wrists_of(small).items() if wrist.masks is not None}
    found = wrists_of(tmp_path / "back")
    assert {case: wrist.facts.bone_split for case, wrist in found.items()} == {
        case: wrist.facts.bone_split for case, wrist in drawn.items()
    }
    for case, wrist in drawn.items():
        assert found[case].masks == without_overlap(wrist).masks


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_is_what_other_tools_read(exported, small: Path) -> None:
    from pycocotools.coco import COCO

    wrists = wrists_of(small)
    tool = COCO(exported("coco") / "annotations/bones_train.json")
    names = {number: category["name"] for number, category in tool.cats.items()}
    assert list(names.values()) == [bone.value for bone in Bone]
    assert tool.imgs
    for image in tool.imgs.values():
        masks = wrists[CaseId.parse(image["identifier"])].masks
        found = {names[each["category_id"]]: tool.annToMask(each) for each in tool.imgToAnns[image["id"]]}
        assert masks is not None
        for bone in Bone:
            assert np.array_equal(found[bone.value].astype(bool), masks.mask(bone))


def test_a_plain_coco_file_is_enough(carpus, small: Path, damaged, tmp_path: Path) -> None:
    folder = damaged("coco")
    for path in (folder / "annotations").iterdir():
        if path.name != "bones_train.json":
            path.unlink()
    path = folder / "annotations/bones_train.json"
    content = json.loads(path.read_text())
    del content["info"]
    content["images"] = [
        {key: image[key] for key in ("id", "file_name", "width", "height")} for image in content["images"]
    ]
    path.write_text(json.dumps(content))
    for name in ("Phantom.json", "README.md", "croissant.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "regions")
    done = carpus("data", "import", folder, tmp_path / "back", "--from", "coco")
    assert (done.status, done.out.startswith("Dataset of ")) == (0, True)
    expected, found = wrists_of(small), wrists_of(tmp_path / "back")
    assert found
    for case, wrist in found.items():
        assert wrist.masks == expected[case].masks
        assert (wrist.facts.bone_split, wrist.facts.scores, wrist.facts.age) == (Split.TRAIN, None, None)


def test_parquet_is_read_by_plain_polars(exported, small: Path) -> None:
    from io import BytesIO

    table = pl.read_parquet(exported("huggingface") / "bones/train-00000.parquet")
    wrists = wrists_of(small)
    for row in table.to_dicts():
        wrist = wrists[CaseId.parse(row["identifier"])]
        assert np.array_equal(np.asarray(Image.open(BytesIO(row["image"]["bytes"]))), wrist.pixels)
        assert wrist.masks is not None
        lunate = np.asarray(Image.open(BytesIO(row["mask"]["Lunate"]["bytes"]))) == 255
        assert np.array_equal(lunate, wrist.masks.mask(Bone.LUNATE))
        assert row["synthetic"] is True
    eroded = pl.read_parquet(exported("huggingface") / "erosion/train-00000.parquet")
    scores = {row["identifier"]: row["svdh_scores"] for row in eroded.to_dicts()}
    for case, found in scores.items():
        expected = wrists[CaseId.parse(case)].facts.scores
        assert expected is not None
        assert found == {joint.value: expected[joint] for joint in Joint}


def test_the_card_describes_the_data_to_the_hub(exported) -> None:
    folder = exported("huggingface")
    header = yaml.safe_load((folder / "README.md").read_text("utf-8").split("---\n")[1])
    assert (header["license"], header["size_categories"]) == ("apache-2.0", ["n<1K"])
    assert {"synthetic", "phantom"} <= set(header["tags"])
    for config in header["configs"]:
        for files in config["data_files"]:
            rows = [pl.scan_parquet(path) for path in folder.glob(files["path"])]
            assert rows
            columns = next(
                info["features"] for info in header["dataset_info"] if info["config_name"] == config["config_name"]
            )
            assert [column["name"] for column in columns] == rows[0].collect_schema().names()


def test_the_card_tells_counts_of_the_data(exported) -> None:
    text = (exported("png") / "README.md").read_text("utf-8")
    assert "6 radiographs of the wrist of" in text
    assert "PHANTOM: every wrist here is synthetic" in text
    assert "| images with masks | " in text


def test_croissant_lists_every_table_with_its_hash(exported) -> None:
    import hashlib

    for form in FORMATS:
        folder = exported(form)
        content = json.loads((folder / "croissant.json").read_text("utf-8"))
        assert content["conformsTo"] == "http://mlcommons.org/croissant/1.0"
        objects = [each for each in content["distribution"] if each["@type"] == "cr:FileObject"]
        tables = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.suffix in (".json", ".parquet")
        }
        assert {each["@id"] for each in objects} == tables - {"croissant.json"}
        for each in objects:
            assert each["sha256"] == hashlib.sha256((folder / each["contentUrl"]).read_bytes()).hexdigest()
        sets = [each for each in content["distribution"] if each["@type"] == "cr:FileSet"]
        covered = {path for each in sets for path in folder.glob(each["includes"])}
        assert covered == {path for path in folder.rglob("*.*") if path.suffix in (".png", ".dcm", ".parquet")}
        known = {each["@id"] for each in content["distribution"]}
        for record in content["recordSet"]:
            for column in record["field"]:
                (source,) = [column["source"].get("fileObject") or column["source"]["fileSet"]]
                assert source["@id"] in known


def test_dicom_says_derived_and_synthetic_and_belongs_together(exported, small: Path) -> None:
    folder = exported("dicom-seg")
    wrists = wrists_of(small)
    for path in sorted((folder / "images").iterdir()):
        image = pydicom.dcmread(path)
        wrist = wrists[CaseId.parse(path.stem)]
        assert image.ImageType[0] == "DERIVED"
        assert (image.SyntheticData, image.QualityControlSubject) == ("YES", "YES")
        assert str(image.PatientName).startswith("PHANTOM^")
        assert np.array_equal(image.pixel_array, wrist.pixels)
        assert image.Laterality == wrist.facts.id.side.value
        if wrist.masks is not None:
            bones = pydicom.dcmread(folder / "segmentations" / path.name)
            assert bones.SyntheticData == "YES"
            assert bones.StudyInstanceUID == image.StudyInstanceUID
            assert (
                bones.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID
                == image.SOPInstanceUID
            )


@pytest.mark.parametrize("form", FORMATS)
def test_a_phantom_stays_one_when_its_marks_are_removed_but_one(carpus, damaged, tmp_path: Path, form: str) -> None:
    folder = damaged(form)
    (folder / "Phantom.json").unlink()
    done = carpus("data", "import", folder, tmp_path / "back", "--from", form)
    assert (done.status, done.out.startswith("Phantom dataset")) == (0, True)
    assert read_dataset(tmp_path / "back").is_phantom


def test_dicom_alone_says_that_it_is_a_phantom(carpus, damaged, tmp_path: Path) -> None:
    folder = damaged("dicom-seg")
    (folder / "Phantom.json").unlink()
    path = folder / "cases.json"
    path.write_text(path.read_text().replace('"synthetic": true', '"synthetic": false'))
    assert carpus("data", "import", folder, tmp_path / "back", "--from", "dicom-seg").status == 0
    assert read_dataset(tmp_path / "back").is_phantom


@pytest.mark.parametrize(("form", "name"), [("png", "cases.json"), ("nnunet", "dataset.json")])
def test_a_mark_that_does_not_say_is_refused(carpus, damaged, tmp_path: Path, form: str, name: str) -> None:
    folder = damaged(form)
    path = folder / name
    path.write_text(path.read_text().replace('"synthetic": true', '"synthetic": "yes"', 1))
    done = carpus("data", "import", folder, tmp_path / "back", "--from", form)
    assert (done.status, is_one_sentence(done.err)) == (2, True)
    assert f"{name} says synthetic: 'yes', expected true or false" in done.err


def test_patients_are_not_marked_as_phantoms(carpus, small: Path, tmp_path: Path) -> None:
    real = Path(shutil.copytree(small, tmp_path / "real"))
    (real / "Phantom.json").unlink()
    for form in FORMATS:
        assert carpus("data", "export", real, tmp_path / form, "--to", form).status == 0
        written = [path for path in (tmp_path / form).rglob("*") if path.suffix in (".json", ".md")]
        assert not [path for path in written if "PHANTOM" in path.read_text("utf-8")]
        assert (
            yaml.safe_load((tmp_path / form / "README.md").read_text("utf-8").split("---\n")[1])["license"] == "unknown"
        )
        assert carpus("data", "import", tmp_path / form, tmp_path / f"{form}-back", "--from", form).status == 0
        assert not read_dataset(tmp_path / f"{form}-back").is_phantom
    header = pydicom.dcmread(next((tmp_path / "dicom-seg/images").iterdir()))
    assert "SyntheticData" not in header
    assert header.PatientIdentityRemoved == "YES"


def test_what_was_fetched_keeps_source_and_licence_in_its_card(carpus, small: Path, tmp_path: Path) -> None:
    real = Path(shutil.copytree(small, tmp_path / "real"))
    (real / "Phantom.json").unlink()
    manifest = {"repository": "TokyoTechMagicYang/RAM-W600", "revision": "1070e21" + "0" * 33, "files": {}}
    (real / "Fetched.json").write_text(json.dumps(manifest))
    carpus("data", "export", real, tmp_path / "out", "--to", "png")
    text = (tmp_path / "out/README.md").read_text("utf-8")
    assert "license: cc-by-4.0" in text
    assert f"TokyoTechMagicYang/RAM-W600 at {manifest['revision']}" in text
    assert json.loads((tmp_path / "out/croissant.json").read_text())["license"].startswith(
        "https://creativecommons.org"
    )


def test_bad_input_is_told_in_one_sentence_and_leaves_nothing(carpus, small: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (("export", small, tmp_path / "x", "--to", "tiff"), "format 'tiff' is unknown; expected one of coco"),
        (("export", small, small, "--to", "png", "--overwrite"), "is or holds the folder to read"),
        (("export", small, small.parent, "--to", "png", "--overwrite"), "is or holds the folder to read"),
        (("export", tmp_path / "none", tmp_path / "x", "--to", "png"), "does not exist"),
        (("import", tmp_path / "none", tmp_path / "x", "--from", "png"), "is no folder"),
        (("import", tmp_path, tmp_path / "x", "--from", "png"), "cases.json does not exist"),
        (("import", tmp_path, tmp_path / "x", "--from", "coco"), "holds no JSON file"),
        (("import", tmp_path, tmp_path / "x", "--from", "huggingface"), "holds no Parquet files"),
        (("import", tmp_path, tmp_path / "x", "--from", "nnunet"), "dataset.json does not exist"),
        (("import", tmp_path, tmp_path / "x", "--from", "dicom-seg"), "cases.json does not exist"),
        (("import", tmp_path, tmp_path / "x", "--from", "dicom"), "format 'dicom' is unknown"),
    ):
        done = carpus("data", *arguments)
        assert (done.status, is_one_sentence(done.err)) == (2, True), done.err
        assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_unasked(carpus, small: Path, exported, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for arguments in (
        ("export", small, tmp_path, "--to", "png"),
        ("import", exported("png"), tmp_path, "--from", "png"),
    ):
        done = carpus("data", *arguments)
        assert (done.status, "exists already" in done.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def edit_cases(folder: Path, **facts: object) -> None:
    path = folder / "cases.json"
    content = json.loads(path.read_text())
    content["cases"][0] |= facts
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"identifier": "../../0001_0001_L"}, "is not of the form PPPP_SSSS_L"),
        ({"identifier": "9998_0001_L"}, "9998_0001_L holds no PNG file"),
        ({"bone_split": "dev"}, "split 'dev' is unknown"),
        ({"age": 1e9}, "age 1000000000.0 is impossible"),
        ({"sex": True}, "sex True is unknown"),
        ({"institution": '=HYPERLINK("http://x")'}, "is no name"),
        ({"synthetic": "no"}, "synthetic 'no' is unknown"),
        ({"svdh_scores": {"Lunate": 3}}, "there is no score for"),
        ({"svdh_scores": {joint.value: 6 for joint in Joint}}, "SvdH score 6"),
        ({"boxes": {"Lunate": [0, 0, 10]}}, "expected [x, y, width, height]"),
        ({"boxes": {"Lunate": [0, 0, -1, 10]}}, "is empty"),
        ({"boxes": {"Lunate": [0, 0, float("nan"), 10]}}, "expected [x, y, width, height]"),
        ({"boxes": {"Femur": [0, 0, 1, 1]}}, "joint 'Femur' is unknown"),
    ],
)
def test_facts_that_cannot_be_are_refused_and_named(carpus, damaged, tmp_path: Path, facts, said: str) -> None:
    folder = damaged("png")
    edit_cases(folder, **facts)
    done = carpus("data", "import", folder, tmp_path / "back", "--from", "png")
    assert (done.status, is_one_sentence(done.err)) == (2, True), done.err
    assert said in done.err
    assert not (tmp_path / "back").exists()


def test_links_that_lead_out_are_not_followed(carpus, damaged, tmp_path: Path) -> None:
    for form, pattern in (
        ("png", "images/*.png"),
        ("png", "masks/*/*.png"),
        ("png", "regions/*/*.png"),
        ("coco", "images/*.png"),
        ("nnunet", "labelsTr/*.png"),
        ("dicom-seg", "images/*.dcm"),
        ("huggingface", "bones/*.parquet"),
        ("coco", "annotations/*.json"),
    ):
        folder = damaged(form)
        victim = min(folder.glob(pattern))
        shutil.move(victim, tmp_path / "secret")
        victim.symlink_to(tmp_path / "secret")
        done = carpus("data", "import", folder, tmp_path / "back", "--from", form)
        assert (done.status, is_one_sentence(done.err)) == (2, True), done.err
        assert "is a link that leads out of" in done.err
        shutil.rmtree(folder)
    assert not (tmp_path / "back").exists()


def test_damaged_files_are_named_and_leave_nothing(carpus, damaged, tmp_path: Path) -> None:
    for form, pattern in (
        ("png", "images/*.png"),
        ("png", "masks/*/*.png"),
        ("nnunet", "labelsTr/*.png"),
        ("dicom-seg", "images/*.dcm"),
        ("dicom-seg", "segmentations/*.dcm"),
        ("huggingface", "bones/*.parquet"),
        ("coco", "annotations/*.json"),
        ("nnunet", "dataset.json"),
        ("png", "cases.json"),
    ):
        folder = damaged(form)
        victim = min(folder.glob(pattern))
        victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
        done = carpus("data", "import", folder, tmp_path / "back", "--from", form)
        assert (done.status, is_one_sentence(done.err)) == (2, True), done.err
        assert victim.name in done.err
        shutil.rmtree(folder)
    assert list(tmp_path.iterdir()) == []


def test_parquet_of_others_is_refused(carpus, damaged, tmp_path: Path) -> None:
    folder = damaged("huggingface")
    path = next((folder / "bones").glob("*.parquet"))
    table = pl.read_parquet(path)
    for changed, said in (
        (table.drop("synthetic"), "other columns than those of bones: synthetic"),
        (table.with_columns(pl.col("age").cast(pl.String)), "other columns than those of bones: age"),
        (pl.concat([table, table]), "which bones has already"),
        (table.with_columns(pl.lit("../x").alias("identifier")), "is not of the form"),
        (
            table.with_columns(image=pl.struct(pl.lit(b"\x80\x04N.").alias("bytes"), pl.lit("x").alias("path"))),
            "is not an image",
        ),
        (
            table.with_columns(image=pl.struct(pl.lit(None, pl.Binary).alias("bytes"), pl.lit("x").alias("path"))),
            "is missing",
        ),
    ):
        changed.write_parquet(path)
        done = carpus("data", "import", folder, tmp_path / "back", "--from", "huggingface")
        assert (done.status, is_one_sentence(done.err)) == (2, True), done.err
        assert said in done.err
    assert not (tmp_path / "back").exists()


def test_coco_files_that_contradict_each_other_are_refused(carpus, damaged, tmp_path: Path) -> None:
    folder = damaged("coco")
    path = min((folder / "annotations").glob("joints_*.json"))
    content = json.loads(path.read_text())
    content["images"][0]["age"] = 7
    path.write_text(json.dumps(content))
    done = carpus("data", "import", folder, tmp_path / "back", "--from", "coco")
    assert done.status == 2
    assert "is told two values of age" in done.err or "another age" in done.err
    path.rename(path.with_name("instances.json"))
    done = carpus("data", "import", folder, tmp_path / "back", "--from", "coco")
    assert (done.status, "has a name that does not say what is in it" in done.err) == (2, True)


def test_dicom_of_other_pixels_or_sides_is_refused(carpus, damaged, tmp_path: Path) -> None:
    for changes, said in (
        ({"ImagerPixelSpacing": [0.1, 0.1]}, "has pixels of 0.1 mm, expected 0.15 mm"),
        ({"Laterality": "X"}, "shows the other side"),
        ({"BitsStored": 16, "BitsAllocated": 16, "HighBit": 15, "Columns": 300}, "expected grey of 8 bits"),
    ):
        folder = damaged("dicom-seg")
        for path in (folder / "images").iterdir():
            image = pydicom.dcmread(path)
            for name, value in changes.items():
                other = {"L": "R", "R": "L"}[image.Laterality] if value == "X" else value
                setattr(image, name, other)
            image.save_as(path)
        done = carpus("data", "import", folder, tmp_path / "back", "--from", "dicom-seg")
        assert (done.status, is_one_sentence(done.err)) == (2, True), done.err
        assert said in done.err
        shutil.rmtree(folder)


def test_two_different_images_of_a_wrist_are_refused(carpus, small: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    path = next(
        path
        for path in sorted((copy / "JointLocationDetection/images").iterdir())
        if (copy / "BoneSegmentation/images" / path.name).exists()
    )
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    done = carpus("data", "export", copy, tmp_path / "out", "--to", "png")
    assert (done.status, is_one_sentence(done.err)) == (2, True)
    assert f"{path.name} differ, expected one image a wrist" in done.err
    assert not (tmp_path / "out").exists()
