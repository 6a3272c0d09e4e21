"""Croissant metadata (JSON-LD) of an exported folder, made from the files that are there.

Every table file is listed with its size and SHA-256, every kind of image as a set of files, and each has a record set:
a row an image, or a row a wrist.

References:
    Akhtar et al. Croissant: a metadata format for ML-ready datasets. 2024. https://doi.org/10.1145/3650203.3663326
    The format, version 1.0: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from carpus.data.formats.card import Origin
from carpus.data.formats.folder import write_json
from carpus.data.manifest import sha256_of
from carpus.data.statistics import Statistics

CROISSANT_FILE = "croissant.json"

_LICENCES = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
}
_ENCODINGS = {
    ".png": "image/png",
    ".dcm": "application/dicom",
    ".json": "application/json",
    ".parquet": "application/x-parquet",
}
_TABLES = (".json", ".parquet")
_FACTS = {
    "identifier": "sc:Text",
    "patient_id": "sc:Text",
    "study_id": "sc:Text",
    "hand": "sc:Text",
    "bone_split": "sc:Text",
    "erosion_split": "sc:Text",
    "institution": "sc:Text",
    "age": "sc:Integer",
    "sex": "sc:Text",
    "phase": "sc:Integer",
    "synthetic": "sc:Boolean",
}
_LISTS = {"cases.json": "$.cases[*]", "bones": "$.images[*]", "joints": "$.images[*]", "unannotated": "$.images[*]"}
"""Where the wrists stand in a JSON file, by its name or what that begins with."""


def write_croissant(folder: Path, *, statistics: Statistics, origin: Origin) -> None:
    """Writes `croissant.json` for what lies in an exported folder.

    Args:
        folder: The exported folder, complete but for this file.
        statistics: Counts of what was exported.
        origin: Where it came from.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    tables = [path for path in files if path.suffix in _TABLES]
    sets = sorted({_pattern(folder, path) for path in files if path.suffix in _ENCODINGS and path not in tables})
    # Croissant has no way yet to read DICOM, so its files are listed and not described.
    images = [pattern for pattern in sets if pattern.endswith(".png")]
    parquets = sorted({_pattern(folder, path) for path in tables if path.suffix == ".parquet"})
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "phantom-wrists" if origin.is_phantom else "wrist-radiographs",
        "description": f"{origin.title}: {statistics.images} radiographs of {statistics.patients} patients. "
        f"{origin.source} For research use only.",
        "keywords": ["radiography", "wrist", "rheumatoid arthritis", *(["synthetic"] if origin.is_phantom else [])],
        **({"license": _LICENCES[origin.licence]} if origin.licence else {}),
        **({"citeAs": "https://doi.org/10.57967/hf/5328"} if origin.repository else {}),
        "distribution": [
            *(_file_object(folder, path) for path in tables),
            *(_file_set(pattern) for pattern in (*sets, *parquets)),
        ],
        "recordSet": [*_of_tables(folder, tables), *map(_of_parquet, parquets), *map(_of_images, images)],
    }
    write_json(folder / CROISSANT_FILE, content)


def _pattern(folder: Path, path: Path) -> str:
    """All files of one kind at one depth, such as `masks/*/*.png`."""
    first, *middle = path.relative_to(folder).parts[:-1] or (".",)
    return "/".join([first, *("*" for _ in middle), f"*{path.suffix}"])


def _file_object(folder: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _ENCODINGS[path.suffix],
        "sha256": sha256_of(path),
    }


def _file_set(pattern: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": pattern,
        "name": pattern,
        "encodingFormat": _ENCODINGS[Path(pattern).suffix],
        "includes": pattern,
    }


def _of_tables(folder: Path, tables: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for path in tables:
        where = _LISTS.get(path.name) or _LISTS.get(path.stem.partition("_")[0])
        if where is not None and path.suffix == ".json":
            name = path.relative_to(folder).as_posix()
            fields = [
                _field(f"{path.stem}/{fact}", kind, {"fileObject": {"@id": name}}, {"jsonPath": f"{where}.{fact}"})
                for fact, kind in _FACTS.items()
            ]
            yield _records(path.stem, "One row a wrist.", fields)


def _of_parquet(pattern: str) -> dict[str, Any]:
    name = pattern.partition("/")[0]
    fields = [
        _field(f"{name}/{fact}", kind, {"fileSet": {"@id": pattern}}, {"column": fact}) for fact, kind in _FACTS.items()
    ]
    return _records(name, "One row a wrist; images and masks are bytes of PNG files.", fields)


def _of_images(pattern: str) -> dict[str, Any]:
    name = f"{pattern.partition('/')[0]}_files"
    source = {"fileSet": {"@id": pattern}}
    fields = [
        _field(f"{name}/path", "sc:Text", source, {"fileProperty": "fullpath"}),
        _field(f"{name}/content", "sc:ImageObject", source, {"fileProperty": "content"}),
    ]
    return _records(name, f"One row a file of {pattern}.", fields)


def _records(name: str, description: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description, "field": fields}


def _field(name: str, kind: str, source: dict[str, Any], extract: dict[str, str]) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": name, "name": name, "dataType": kind, "source": {**source, "extract": extract}}


_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
