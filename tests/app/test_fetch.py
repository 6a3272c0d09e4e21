"""Fetching from a stand-in for the Hub that speaks what huggingface_hub asks, drops connections and corrupts bytes."""

import hashlib
import json
import re
import shutil
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlparse

import numpy as np
import pytest

REPOSITORY = "TokyoTechMagicYang/RAM-W600"
COMMITS = ["5034d8c" + "a" * 33, "1070e21" + "b" * 33, "1070e2f" + "c" * 33]
BASE = f"/datasets/{REPOSITORY}/resolve/"
PAGE = 3
LARGE = "BoneSegmentation/masks/train/0001_0001_L.npy"
IMAGE = "BoneSegmentation/images/0001_0001_L.bmp"


@dataclass
class Hub:
    """What the stand-in holds, what it does wrong, and what it was asked."""

    files: dict[str, bytes] = field(repr=False)
    url: str = ""
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    asked: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=lambda: {"main": COMMITS[1], "abcdef1" + "0" * 33: COMMITS[0]})
    listed: list[dict[str, Any]] | None = None

    def tree(self) -> list[dict[str, Any]]:
        if self.listed is not None:
            return self.listed
        found: list[dict[str, Any]] = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "BoneSegmentation"}]
        for name, content in self.files.items():
            large = {"size": len(content), "oid": hashlib.sha256(content).hexdigest(), "pointerSize": 130}
            entry = {"type": "file", "path": name, "size": len(content), "oid": git_sha1(content)}
            found.append({**entry, "lfs": large} if is_large(name) else entry)
        return found


def is_large(name: str) -> bool:
    return name.endswith((".npy", ".bmp"))


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        path = unquote(urlparse(self.path).path)
        if path == f"/api/datasets/{REPOSITORY}/commits/main":
            entry = {"authors": [], "date": "2025-08-29T00:00:00.000Z", "title": "", "message": ""}
            self.send_json([{"id": commit, **entry} for commit in COMMITS])
        elif path.startswith(f"/api/datasets/{REPOSITORY}/revision/"):
            name = path.rpartition("/")[2]
            commit = name if name in COMMITS else self.hub.names.get(name)
            if commit is None:
                self.send_json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
            else:
                self.send_json({"id": REPOSITORY, "sha": commit})
        elif path.startswith(f"/api/datasets/{REPOSITORY}/tree/"):
            start = int(parse_qs(urlparse(self.path).query).get("start", ["0"])[0])
            more = f'<{self.hub.url}{path}?recursive=True&start={start + PAGE}>; rel="next"'
            tree = self.hub.tree()
            self.send_json(tree[start : start + PAGE], 200, {"Link": more} if start + PAGE < len(tree) else {})
        elif path.startswith(BASE):
            commit, _, name = path.removeprefix(BASE).partition("/")
            content = self.hub.files[name]
            headers = {"X-Repo-Commit": commit}
            if is_large(name):
                headers |= {
                    # Another host, as the Hub's own storage is.
                    "Location": f"{self.hub.url.replace('127.0.0.1', 'localhost')}/cdn/{name}",
                    "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                    "X-Linked-Size": str(len(content)),
                }
                self.send(302, b"", headers)
            else:
                self.send_file(name, content, {**headers, "ETag": f'"{git_sha1(content)}"'}, with_body)
        elif path.startswith("/cdn/"):
            name = path.removeprefix("/cdn/")
            self.send_file(name, self.hub.files[name], {}, with_body)
        else:
            self.send_json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

    def send_file(self, name: str, content: bytes, headers: dict[str, str], with_body: bool) -> None:
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(start[1]) if start else 0
        body = content[first:]
        if start:
            headers = {**headers, "Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
        fault = ""
        if with_body:
            self.hub.asked[f"{name}@{first}"] += 1
            faults = self.hub.faults[name]
            fault = faults.pop(0) if len(faults) > 1 else (faults[0] if faults else "")
        if fault == "refuse":
            self.send(503, b"", {})
        elif fault == "corrupt":
            self.send(206 if start else 200, body[:-1] + bytes([body[-1] ^ 1]), headers)
        else:
            self.send(206 if start else 200, body, headers, cut=len(body) // 2 if fault == "drop" else None)

    def send_json(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.hub.asked["api"] += 1
        self.send(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def files(phantoms: Path) -> dict[str, bytes]:
    """A part of a phantom dataset, small enough to be sent many times."""
    names = ["Phantom.json", "Metadata.xlsx", IMAGE, LARGE, IMAGE.replace("_L", "_R"), LARGE.replace("_L", "_R")]
    content = {name: (phantoms / name).read_bytes() for name in names if (phantoms / name).exists()}
    assert len(content) == len(names)
    return {**content, "README.md": "Wrists, in French os du poignet; naïve.\n".encode()}


@pytest.fixture
def hub(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub(dict(files))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def is_one_sentence(text: str) -> bool:
    return text.startswith("Error: ") and text.endswith(".\n") and text.count("\n") == 1 and "Traceback" not in text


def test_a_short_hash_brings_every_byte_with_a_manifest_and_nothing_else(carpus, hub: Hub, tmp_path: Path) -> None:
    out = tmp_path / "RAM-W600"
    done = carpus("data", "fetch", out, "--revision", "1070e21")
    assert (done.err, done.status) == ("", 0)
    assert f"7 files of {REPOSITORY} at {COMMITS[1]}" in done.out
    found = content_of(out)
    manifest = json.loads(found.pop("Fetched.json"))
    assert found == hub.files
    assert manifest["revision"] == COMMITS[1]
    assert manifest["files"] == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(hub.files.items())
    }
    assert [path.name for path in tmp_path.iterdir()] == ["RAM-W600"]


def test_a_second_run_verifies_without_network(carpus, hub: Hub, tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "RAM-W600"
    carpus("data", "fetch", out, "--revision", "1070e21")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    asked = hub.asked.total()
    done = carpus("data", "fetch", out, "--revision", "1070e21")
    assert (done.status, hub.asked.total()) == (0, asked)
    assert "is complete: 7 files" in done.out

    damaged = bytearray((out / LARGE).read_bytes())
    damaged[5000] ^= 1
    (out / LARGE).write_bytes(damaged)
    done = carpus("data", "fetch", out, "--revision", "1070e21")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert f"{LARGE} differs in content; add --overwrite" in done.err
    (out / IMAGE).unlink()
    assert f"{IMAGE} is missing (and 1 more)" in carpus("data", "fetch", out, "--revision", "1070e21").err


def test_overwriting_fetches_only_what_is_damaged(carpus, hub: Hub, tmp_path: Path) -> None:
    out = tmp_path / "RAM-W600"
    carpus("data", "fetch", out, "--revision", "1070e21")
    (out / LARGE).write_bytes(bytes(len(hub.files[LARGE])))
    hub.asked.clear()
    assert carpus("data", "fetch", out, "--revision", "1070e21", "--overwrite").status == 0
    assert {name for name in hub.asked if name != "api"} == {f"{LARGE}@0"}
    assert {**content_of(out), "Fetched.json": b""} == {**hub.files, "Fetched.json": b""}


def test_a_dropped_connection_goes_on_where_it_stopped(carpus, hub: Hub, tmp_path: Path, monkeypatch) -> None:
    # The client keeps what arrived in whole blocks, of 10 MB by itself.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)
    hub.faults[LARGE] = ["drop", ""]
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21").status == 0
    assert (tmp_path / "out" / LARGE).read_bytes() == hub.files[LARGE]
    assert hub.asked[f"{LARGE}@0"] == 1
    later = [name for name in hub.asked if name.startswith(LARGE) and not name.endswith("@0")]
    assert len(later) == 1


@pytest.mark.parametrize("name", [LARGE, "README.md"])
def test_corrupted_bytes_are_fetched_again(carpus, hub: Hub, tmp_path: Path, name: str) -> None:
    hub.faults[name] = ["corrupt", ""]
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21").status == 0
    assert (tmp_path / "out" / name).read_bytes() == hub.files[name]
    assert hub.asked[f"{name}@0"] == 2


@pytest.mark.parametrize("name", [LARGE, "README.md"])
def test_what_is_always_corrupted_ends_with_an_error_and_no_dataset(carpus, hub: Hub, tmp_path: Path, name) -> None:
    hub.faults[name] = ["corrupt"]
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert f"{name} came damaged 3 times" in done.err
    assert not (tmp_path / "out").exists()

    hub.faults.clear()
    hub.asked.clear()
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21").status == 0
    assert (tmp_path / "out" / name).read_bytes() == hub.files[name]
    assert f"{IMAGE}@0" not in hub.asked or name == IMAGE


def test_a_run_after_an_interruption_fetches_only_the_rest(carpus, hub: Hub, tmp_path: Path) -> None:
    hub.faults[LARGE] = ["refuse"]
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert f"{LARGE} cannot be had from the Hub" in done.err
    assert not (tmp_path / "out").exists()
    draft = next(path for path in tmp_path.iterdir() if path.is_dir())
    there = {name for name in hub.files if (draft / name).exists()}
    assert there
    hub.faults.clear()
    hub.asked.clear()
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21").status == 0
    assert {name.partition("@")[0] for name in hub.asked} - {"api"} == set(hub.files) - there
    assert {**content_of(tmp_path / "out"), "Fetched.json": b""} == {**hub.files, "Fetched.json": b""}


def test_damage_in_what_an_interrupted_run_left_is_mended(carpus, hub: Hub, tmp_path: Path) -> None:
    hub.faults[LARGE] = ["refuse"]
    carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    draft = next(path for path in tmp_path.iterdir() if path.is_dir())
    (draft / IMAGE).write_bytes(bytes(len(hub.files[IMAGE])))
    hub.faults.clear()
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21").status == 0
    assert (tmp_path / "out" / IMAGE).read_bytes() == hub.files[IMAGE]


def test_two_runs_at_once_do_not_mix(carpus, hub: Hub, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / f".out.{COMMITS[1][:12]}.part.lock"):
        done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert "is being written by another run" in done.err
    assert {name for name in hub.asked if name != "api"} == set()
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21").status == 0


def test_moving_names_are_refused_unless_asked(carpus, hub: Hub, tmp_path: Path) -> None:
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "main")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert "revision 'main' may mean other data tomorrow" in done.err
    assert not hub.asked
    assert carpus("data", "fetch", tmp_path / "out", "--revision", "main", "--allow-moving").status == 0
    assert json.loads((tmp_path / "out" / "Fetched.json").read_text())["revision"] == COMMITS[1]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("1070e2", "may mean other data tomorrow"),
        ("7777777", "revision 7777777 is unknown"),
        ("d" * 40, "cannot be had from the Hub"),
        ("abcdef1" + "0" * 33, "is no commit but a name for 5034d8c"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_what_is_no_commit_is_refused(carpus, tmp_path: Path, revision: str, said: str) -> None:
    done = carpus("data", "fetch", tmp_path / "out", "--revision", revision)
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("hub")
def test_digits_that_two_commits_share_are_refused(carpus, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(f"{__name__}.COMMITS", [COMMITS[0], "1070e21" + "b" * 33, "1070e21" + "c" * 33])
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert (done.status, "means 2 commits; give more digits" in done.err) == (2, True)


def test_a_dry_run_tells_files_and_bytes_and_writes_nothing(carpus, hub: Hub, tmp_path: Path) -> None:
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21", "--dry-run")
    size = sum(map(len, hub.files.values()))
    assert done.status == 0
    assert f"7 files, {size} bytes" in done.out
    assert f"To fetch: 7 files, {size} bytes" in done.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("hub")
def test_a_full_disk_is_told_before_anything_is_fetched(carpus, tmp_path: Path, monkeypatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert re.search(r"needs 0\.\d\d GB more, but the disk of .* has 0.00 GB free", done.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:evil", "", ".cache/evil", "Fetched.json", "a/."]
)
def test_paths_that_lead_out_of_the_dataset_are_refused(carpus, hub: Hub, tmp_path: Path, name: str) -> None:
    hub.listed = [{"type": "file", "path": name, "size": 1, "oid": "0" * 40}]
    done = carpus("data", "fetch", tmp_path / "in" / "out", "--revision", "1070e21")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert "leads out of the dataset" in done.err or "a name that carpus needs itself" in done.err
    assert list(tmp_path.rglob("*")) == []


def test_what_cannot_be_verified_is_not_fetched(carpus, hub: Hub, tmp_path: Path) -> None:
    hub.listed = [{"type": "file", "path": "README.md", "size": 1, "oid": ""}]
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert (done.status, "does not tell size and hash of README.md" in done.err) == (2, True)


def test_without_network_the_first_run_says_so(carpus, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "a" * 40)
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert "check name and network" in done.err


def test_another_dataset_or_folder_is_not_replaced_unasked(carpus, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    done = carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    assert (done.status, "exists already" in done.err) == (2, True)
    assert not hub.asked
    assert content_of(tmp_path / "out") == {"mine.txt": b"mine"}
    carpus("data", "fetch", tmp_path / "v2", "--revision", "1070e21")
    done = carpus("data", "fetch", tmp_path / "v2", "--revision", "5034d8c")
    assert (done.status, "exists already" in done.err) == (2, True)


def test_a_broken_manifest_is_named(carpus, tmp_path: Path) -> None:
    for text in ("{", '{"files": {"../x": {"bytes": 1, "sha256": "00"}}}', "[]", '{"files": []}'):
        (tmp_path / "Fetched.json").write_text(text)
        done = carpus("data", "fetch", tmp_path, "--revision", "1070e21")
        assert done.status == 2
        assert is_one_sentence(done.err)
        assert "Fetched.json is no manifest" in done.err


@pytest.mark.usefixtures("hub")
def test_a_fetched_dataset_is_read_and_its_phantoms_stay_phantoms(carpus, tmp_path: Path) -> None:
    carpus("data", "fetch", tmp_path / "out", "--revision", "1070e21")
    done = carpus("data", "stats", tmp_path / "out", "--json")
    assert json.loads(done.out)["is_phantom"] is True
    stack = np.load(tmp_path / "out" / LARGE)
    assert stack.shape == (14, 600, 600)
