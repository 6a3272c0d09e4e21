"""Parquet as the Hugging Face Hub takes it: images and masks as bytes of PNG files, readable by plain Polars.

```
bones/<split>-00000.parquet         wrists with masks
erosion/<split>-00000.parquet       wrists with joint boxes, regions and scores
unannotated/<split>-00000.parquet   wrists that have neither
```

`<split>` is train, validation, test, or unsplit.

The segmentation and the scoring splits are independent, so a wrist with both is in both tables. Each row holds all
facts of its wrist; `mask`, `boxes`, `regions` and `svdh_scores` are structs with a field a bone or joint. The library
`datasets` learns from the dataset card which columns are images; it is not needed here, neither to write nor to read.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from carpus.anatomy import Bone, Joint
from carpus.data.case import CaseId
from carpus.data.facts import Facts, merge_facts, parse_facts
from carpus.data.formats.folder import Loaders, inside
from carpus.data.layout import Split
from carpus.data.problem import one_line
from carpus.data.wrist import Wrist
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.files import as_mask, decode_grey, encode_grey
from carpus.imaging.masks import BoneMasks

SPLITS = {Split.TRAIN: "train", Split.VAL: "validation", Split.TEST: "test", None: "unsplit"}
"""Our splits under the names that the Hub knows."""

_Found = TypeVar("_Found")
_BONES, _EROSION, _NEITHER = "bones", "erosion", "unannotated"
_TABLES = (_BONES, _EROSION, _NEITHER)
_ROWS_A_FILE = 500
_ROWS_A_GROUP = 20
_MAX_ROWS = 100_000
_MAX_IMAGE_BYTES = 256 * 1024**2

_IMAGE = pl.Struct({"bytes": pl.Binary, "path": pl.String})
_FACTS: dict[str, Any] = {
    "identifier": pl.String,
    "patient_id": pl.String,
    "study_id": pl.String,
    "hand": pl.String,
    "bone_split": pl.String,
    "erosion_split": pl.String,
    "institution": pl.String,
    "age": pl.Int64,
    "sex": pl.String,
    "phase": pl.Int64,
    "synthetic": pl.Boolean,
    "svdh_scores": pl.Struct({joint.value: pl.Int64 for joint in Joint}),
    "boxes": pl.Struct({joint.value: pl.List(pl.Float64) for joint in Joint}),
}
_NAMES: dict[Any, str] = {pl.String: "string", pl.Int64: "int64", pl.Float64: "float64", pl.Boolean: "bool"}
_SCHEMAS: dict[str, dict[str, Any]] = {
    _BONES: {"image": _IMAGE, "mask": pl.Struct({bone.value: _IMAGE for bone in Bone}), **_FACTS},
    _EROSION: {"image": _IMAGE, "regions": pl.Struct({joint.value: _IMAGE for joint in Joint}), **_FACTS},
    _NEITHER: {"image": _IMAGE, **_FACTS},
}


def write_huggingface(folder: Path, wrists: Iterable[Wrist]) -> list[str]:
    """Writes wrists as Parquet files; nothing is lost, so nothing comes back.

    Args:
        folder: To write into.
        wrists: At most 500 rows of each table and split are held at a time, as PNG.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    written: dict[str, int] = {}

    def flush(name: str) -> None:
        table = name.partition("/")[0]
        frame = pl.DataFrame(rows.pop(name), schema=_SCHEMAS[table])
        with new_file(folder / f"{name}-{written.get(name, 0):05}.parquet") as draft:
            frame.write_parquet(draft, row_group_size=_ROWS_A_GROUP)
        written[name] = written.get(name, 0) + 1

    for wrist in wrists:
        for name, row in _rows(wrist):
            rows.setdefault(name, []).append(row)
            if len(rows[name]) == _ROWS_A_FILE:
                flush(name)
    for name in list(rows):
        flush(name)
    return []


def hub_tables(folder: Path) -> dict[str, Any]:
    """What the Hub's dataset card must say of an exported folder: its tables, their files by split, their columns."""
    configs, infos = [], []
    for table, schema in _SCHEMAS.items():
        files = [
            {"split": split, "path": f"{table}/{split}-*.parquet"}
            for split in SPLITS.values()
            if any((folder / table).glob(f"{split}-*.parquet"))
        ]
        if files:
            configs.append({"config_name": table, "data_files": files})
            columns = [{"name": name, **_column(kind)} for name, kind in schema.items()]
            infos.append({"config_name": table, "features": columns})
    return {"configs": configs, "dataset_info": infos}


def read_huggingface(folder: Path) -> Loaders:
    """The wrists of such a folder, each loaded when it is asked for.

    Raises:
        InputError: No such Parquet files, other columns, or facts that cannot be; later, an image that cannot be read.
    """
    facts: dict[CaseId, Facts] = {}
    places: dict[CaseId, dict[str, tuple[Path, int]]] = {}
    for table in _TABLES:
        for path in sorted((folder / table).glob("[!.]*.parquet")):
            for number, row in enumerate(_read_facts(inside(folder, path), table)):
                try:
                    told = parse_facts(_without_nulls(row))
                    facts[told.id] = merge_facts(facts[told.id], told) if told.id in facts else told
                except InputError as error:
                    raise InputError(f"{path} cannot be used: {error}") from None
                if table in places.setdefault(told.id, {}):
                    raise InputError(f"{path} has {told.id}, which {table} has already; keep one of them")
                places[told.id][table] = path, number
    if not facts:
        raise InputError(f"{folder} holds no Parquet files in {', '.join(_TABLES)}; give the folder that does")
    # Wrists of one file follow one another, so that its rows are decoded once.
    order = sorted(facts, key=lambda case: (sorted(places[case].values()), case))
    rows_of = lru_cache(maxsize=len(_TABLES))(_group)
    return {case: partial(_load, facts[case], places[case], rows_of) for case in order}


def _rows(wrist: Wrist) -> Iterable[tuple[str, dict[str, Any]]]:
    facts = wrist.facts
    told = {"image": _image(f"{facts.id}.png", encode_grey(wrist.pixels)), **facts.as_dict()}
    told["boxes"] = {joint.value: told["boxes"].get(joint.value) for joint in Joint}
    is_erosion = bool(facts.boxes) or facts.erosion_split is not None
    if wrist.masks is not None:
        masks = {
            bone.value: _image(f"{facts.id}/{bone.value}.png", encode_grey(wrist.masks.mask(bone))) for bone in Bone
        }
        yield f"{_BONES}/{SPLITS[facts.bone_split]}", {**told, "mask": masks}
    if is_erosion:
        regions = {
            joint.value: _image(f"{facts.id}/{joint.value}.png", encode_grey(wrist.regions[joint]))
            if joint in wrist.regions
            else None
            for joint in Joint
        }
        yield f"{_EROSION}/{SPLITS[facts.erosion_split]}", {**told, "regions": regions}
    if wrist.masks is None and not is_erosion:
        yield f"{_NEITHER}/{SPLITS[None]}", told


def _image(name: str, content: bytes) -> dict[str, Any]:
    return {"bytes": content, "path": name}


def _column(kind: Any) -> dict[str, Any]:
    if kind == _IMAGE:
        return {"dtype": "image"}
    if isinstance(kind, pl.Struct):
        return {"struct": [{"name": each.name, **_column(each.dtype)} for each in kind.fields]}
    if isinstance(kind, pl.List):
        return {"list": _NAMES[kind.inner]}
    return {"dtype": _NAMES[kind]}


def _read_facts(path: Path, table: str) -> list[dict[str, Any]]:
    def facts(scan: pl.LazyFrame) -> list[dict[str, Any]]:
        rows = scan.select(pl.len()).collect().item()
        if rows > _MAX_ROWS:
            raise InputError(f"{path} has {rows} rows, expected at most {_MAX_ROWS}; export it again")
        return scan.select(list(_FACTS)).collect().to_dicts()

    return _scanned(path, table, facts)


def _scanned(path: Path, table: str, use: Callable[[pl.LazyFrame], _Found]) -> _Found:
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = dict(scan.collect_schema())
        if schema != _SCHEMAS[table]:
            wrong = [name for name in {*schema, *_SCHEMAS[table]} if schema.get(name) != _SCHEMAS[table].get(name)]
            what = f"other columns than those of {table}: {', '.join(sorted(wrong))}"
            raise InputError(f"{path} has {what}; export it again")
        return use(scan)
    except InputError:
        raise
    except Exception as error:  # Polars tells damage in many ways.
        raise InputError(f"{path} is damaged or no Parquet file ({one_line(error)}); copy it again") from None


def _group(path: Path, table: str, group: int) -> list[dict[str, Any]]:
    start = group * _ROWS_A_GROUP
    return _scanned(path, table, lambda scan: scan.slice(start, _ROWS_A_GROUP).collect().to_dicts())


def _load(
    facts: Facts, places: Mapping[str, tuple[Path, int]], rows_of: Callable[[Path, str, int], list[dict[str, Any]]]
) -> Wrist:
    masks, regions, images = None, {}, []
    for table, (path, number) in places.items():
        row = rows_of(path, table, number // _ROWS_A_GROUP)[number % _ROWS_A_GROUP]
        where = f"{path}, {facts.id}"
        images.append(_pixels(row["image"], f"{where}, image"))
        if table == _BONES:
            height, width = images[0].shape
            drawn = (
                (bone, as_mask(_pixels(row["mask"][bone.value], what), source=what))
                for bone, what in ((bone, f"{where}, mask of {bone.value}") for bone in Bone)
            )
            try:
                masks = BoneMasks.from_masks(drawn, height=height, width=width)
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
        elif table == _EROSION:
            regions = {
                joint: _pixels(image, f"{where}, region of {joint.value}")
                for joint in Joint
                if (image := (row["regions"] or {}).get(joint.value)) is not None
            }
    if any((image.shape != images[0].shape or (image != images[0]).any()) for image in images[1:]):
        raise InputError(f"case {facts.id} has two different images, one a table; keep one of them")
    return Wrist(facts, images[0], masks, regions)


def _pixels(image: Mapping[str, Any] | None, what: str) -> Any:
    content = None if image is None else image["bytes"]
    if not content or len(content) > _MAX_IMAGE_BYTES:
        raise InputError(f"{what} is missing or too large, expected the bytes of a PNG file; export it again")
    return decode_grey(content, source=what)


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    """The facts as they were: Parquet gives an absent mapping back as one full of nulls."""
    boxes = {name: box for name, box in (row["boxes"] or {}).items() if box is not None}
    scores = {name: score for name, score in (row["svdh_scores"] or {}).items() if score is not None}
    return {**row, "boxes": boxes, "svdh_scores": scores or None}
