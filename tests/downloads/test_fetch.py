"""Downloads from a real server on this machine, with everything that goes wrong."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from filelock import FileLock

from bertnesia.downloads import CATALOGUE, Download, RemoteFile, fetch, fetched_by
from bertnesia.downloads.fetch import fetch_all
from bertnesia.downloads.transfer import Partial
from bertnesia.errors import BertnesiaError

from .server import Site, serving

CONTENT = bytes(range(256)) * 4000
CHUNK = 16_384
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between attempts, without waiting."""
    times: list[float] = []
    monkeypatch.setattr("bertnesia.downloads.transfer.time.sleep", times.append)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return times


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site({"data.bin": CONTENT})) as running:
        yield running


def bundle(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def one(site: Site, sha256: str | None = HASH, path: str = "data.bin", **more: object) -> Download:
    return Download("toy", "A toy", "none", (RemoteFile(f"{site.address}/{path}", f"sub/{path}", sha256, **more),))  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name[0] != "."
    )


def test_a_file_comes_whole_and_is_checked(site: Site, tmp_path: Path) -> None:
    (found,) = fetch_all(one(site), tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert (found.path, found.sha256, found.bytes) == (tmp_path / "sub/data.bin", HASH, len(CONTENT))
    assert (found.downloaded, found.checked) == (True, "published")
    assert files(tmp_path) == ["downloads.json", "sub/data.bin"]
    entry = json.loads((tmp_path / "downloads.json").read_text())["sub/data.bin"]
    assert (entry["sha256"], entry["bytes"], entry["url"]) == (HASH, len(CONTENT), f"{site.address}/data.bin")


def test_what_is_there_is_checked_and_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    fetch_all(one(site), tmp_path)
    (again,) = fetch_all(one(site), tmp_path)
    assert (again.downloaded, again.checked) == (False, "published")
    assert len(site.asked) == 1
    again.path.write_bytes(b"other")
    with pytest.raises(BertnesiaError, match=r"data\.bin is not the published file .*: move it away, and it will be"):
        fetch_all(one(site), tmp_path)


def test_broken_connections_are_gone_on_from(site: Site, tmp_path: Path) -> None:
    site.breaks = [5 * CHUNK, 0, 20 * CHUNK]
    (found,) = fetch_all(one(site), tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert [wanted for _, wanted in site.asked] == [None, "bytes=81920-", "bytes=81920-", "bytes=409600-"]


def test_a_server_that_keeps_breaking_off_is_given_up_and_what_came_is_kept(
    site: Site, tmp_path: Path, waits: list[float]
) -> None:
    site.breaks = [5 * CHUNK, 0, 0, 0, 0]
    with pytest.raises(BertnesiaError) as caught:
        fetch_all(one(site), tmp_path)
    assert "127.0.0.1" in str(caught.value)
    assert (
        "broke off. 81,920 bytes of it are kept, to go on from. Try again later, or put a copy of the file at"
        in str(caught.value)
    )
    assert waits == [2, 4, 8, 16]
    assert files(tmp_path) == ["sub/data.bin.partial", "sub/data.bin.partial.version"]
    fetch_all(one(site), tmp_path)
    assert site.asked[-1] == ("data.bin", "bytes=81920-")
    assert files(tmp_path) == ["downloads.json", "sub/data.bin"]


def test_a_server_without_ranges_starts_over(site: Site, tmp_path: Path) -> None:
    site.ranges = False
    site.breaks = [30 * CHUNK]
    (found,) = fetch_all(one(site), tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert [wanted for _, wanted in site.asked] == [None, "bytes=491520-"]


@pytest.mark.parametrize("says_length", [True, False])
def test_a_server_that_names_no_version_is_not_gone_on_from(site: Site, tmp_path: Path, says_length: bool) -> None:
    site.names_versions, site.says_length = False, says_length
    site.breaks = [30 * CHUNK] if says_length else []
    (found,) = fetch_all(one(site), tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert {wanted for _, wanted in site.asked} == {None}


def test_a_file_that_changed_meanwhile_is_not_patched_together(site: Site, tmp_path: Path) -> None:
    site.breaks = [5 * CHUNK, 0, 0, 0, 0]
    with pytest.raises(BertnesiaError):
        fetch_all(one(site, None), tmp_path)
    site.files["data.bin"] = other = CONTENT[::-1]
    (found,) = fetch_all(one(site, None), tmp_path)
    assert found.path.read_bytes() == other


def test_a_partial_file_that_is_whole_only_takes_its_place(site: Site, tmp_path: Path) -> None:
    partial = Partial.of(tmp_path / "sub/data.bin")
    partial.begin(f'"{HASH[:8]}"')
    partial.path.write_bytes(CONTENT)
    fetch_all(one(site), tmp_path)
    assert site.asked == [("data.bin", f"bytes={len(CONTENT)}-")]
    assert files(tmp_path) == ["downloads.json", "sub/data.bin"]
    partial.begin(f'"{HASH[:8]}"')
    partial.path.write_bytes(CONTENT + b"too much")
    (tmp_path / "sub/data.bin").unlink()
    fetch_all(one(site), tmp_path)
    assert (tmp_path / "sub/data.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing_under_any_name(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match=r"sent another file than the published one .*not kept: try again\."):
        fetch_all(one(site, "0" * 64), tmp_path)
    assert files(tmp_path) == []


def test_an_unknown_checksum_is_kept_and_holds_from_then_on(site: Site, tmp_path: Path) -> None:
    (first,) = fetch_all(one(site, None), tmp_path)
    assert (first.checked, first.sha256) == ("new", HASH)
    (again,) = fetch_all(one(site, None), tmp_path)
    assert (again.checked, again.downloaded) == ("recorded", False)
    first.path.unlink()
    site.files["data.bin"] = b"another version"
    with pytest.raises(BertnesiaError, match=r"than the recorded one .* if it has a new version, delete its entry in"):
        fetch_all(one(site, None), tmp_path)
    (tmp_path / "downloads.json").unlink()
    assert fetch_all(one(site, None), tmp_path)[0].checked == "new"


def test_a_copy_put_there_by_hand_is_checked_and_used(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/data.bin").write_bytes(CONTENT)
    (found,) = fetch_all(one(site), tmp_path)
    assert (found.downloaded, found.checked) == (False, "published")
    assert site.asked == []
    assert json.loads((tmp_path / "downloads.json").read_text())["sub/data.bin"]["url"] == "a local copy"


def test_passing_faults_are_tried_again_and_others_are_told(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    fetch_all(one(site), tmp_path / "a")
    assert len(site.asked) == 3
    site.statuses = [500] * 5
    with pytest.raises(BertnesiaError, match=r"127\.0\.0\.1:\d+ answers 500 Internal Server Error\. Try again later"):
        fetch_all(one(site), tmp_path / "b")
    with pytest.raises(BertnesiaError, match=r"answers 404 Not Found\. Try again later, or put a copy of the file at"):
        fetch_all(one(site, path="none.bin"), tmp_path / "c")
    assert files(tmp_path / "c") == []


def test_what_cannot_be_reached_is_named_at_once(tmp_path: Path, waits: list[float]) -> None:
    with serving(Site({})) as gone:
        nowhere = one(gone)
    with pytest.raises(
        BertnesiaError, match=r"Cannot download http://127\.0\.0\.1:\d+/data\.bin: .* cannot be reached\."
    ):
        fetch_all(nowhere, tmp_path)
    assert waits == [2]
    with pytest.raises(BertnesiaError, match="that is no address that can be asked"):
        fetch_all(one(Site({}, address="nonsense:")), tmp_path)


ARCHIVE = {"top/a.txt": b"A", "top/more/b.txt": b"B", "README": b"not taken"}
HASHES = {"a.txt": hashlib.sha256(b"A").hexdigest()}


def test_an_archive_is_unpacked_and_deleted(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"] = bundle(ARCHIVE)
    toy = one(site, None, "a.zip", unpack="set", top="top/", members=HASHES)
    (tmp_path / "set").mkdir()
    (tmp_path / "set/mine.txt").write_text("stays")
    found = fetch_all(toy, tmp_path)
    assert [(each.path.relative_to(tmp_path).as_posix(), each.path.read_bytes()) for each in found] == [
        ("set/a.txt", b"A"),
        ("set/more/b.txt", b"B"),
    ]
    assert files(tmp_path) == ["downloads.json", "set/a.txt", "set/mine.txt", "set/more/b.txt"]
    again = fetch_all(toy, tmp_path)
    assert [(each.downloaded, each.checked) for each in again] == [(False, "published"), (False, "recorded")]
    assert len(site.asked) == 1
    (tmp_path / "set/a.txt").unlink()
    assert all(each.downloaded for each in fetch_all(toy, tmp_path))
    (tmp_path / "set/more/b.txt").write_text("changed")
    with pytest.raises(BertnesiaError, match=r"b\.txt is not the recorded file .*: move it away"):
        fetch_all(toy, tmp_path)


def test_files_in_an_archives_way_are_not_overwritten(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"] = bundle(ARCHIVE)
    toy = one(site, None, "a.zip", unpack="set", top="top/")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.txt").write_text("mine")
    with pytest.raises(BertnesiaError, match=r"set/a\.txt is there and differs from the downloaded one: move it away"):
        fetch_all(toy, tmp_path)
    assert (tmp_path / "set/a.txt").read_text() == "mine"
    (tmp_path / "set/a.txt").unlink()
    assert len(fetch_all(toy, tmp_path)) == 2
    assert len(site.asked) == 1, "the archive itself was kept"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"<html>please log in</html>", "sent no zip archive that can be read, and it was not kept"),
        (bundle(ARCHIVE)[:-30], "sent no zip archive"),
        (bundle({"other/a.txt": b"A"}), "it has nothing below top/"),
        (bundle({"top/../../evil.txt": b"A"}), "it has a file outside its folder"),
        (bundle({"top/a.txt": b"changed"}), r"has another a\.txt than the published one"),
    ],
)
def test_archives_that_cannot_be_used_are_refused(site: Site, tmp_path: Path, content: bytes, fault: str) -> None:
    site.files["a.zip"] = content
    with pytest.raises(BertnesiaError, match=fault):
        fetch_all(one(site, None, "a.zip", unpack="set", top="top/", members=HASHES), tmp_path)
    assert [name for name in files(tmp_path) if "set" in name or "evil" in name] == []


def test_two_downloads_into_one_folder_do_not_meet(site: Site, tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".downloads.lock"),
        pytest.raises(BertnesiaError, match=r"Another download into .* is running"),
    ):
        fetch_all(one(site), tmp_path)
    fetch_all(one(site), tmp_path)


def test_a_missing_files_place_tells_the_command_that_fetches_it() -> None:
    assert fetched_by(Path("data/wikitext-2-raw/wiki.test.raw")) == (
        " 'bertnesia download wikitext2 --to data' fetches it."
    )
    assert fetched_by(Path("/a/b/squad/xquad.en.json")) == " 'bertnesia download xquad --to /a/b' fetches it."
    assert fetched_by(Path("squad/dev-v2.0.json")) == " 'bertnesia download squad --to .' fetches it."
    assert fetched_by(Path("data/lama/data.zip")) == " 'bertnesia download lama --to data' fetches it."
    for other in ("data/mine.txt", "wiki.test.raw", "data/wikitext-2-raw", "data/wikitext-2-raw-v1.zip", "data"):
        assert fetched_by(Path(other)) == ""


def test_the_catalogue_is_sound() -> None:
    places = [file.path for download in CATALOGUE.values() for file in download.files]
    assert len(set(places)) == len(places)
    for name, download in CATALOGUE.items():
        assert (download.name, bool(download.title), bool(download.licence)) == (name, True, True)
        for file in download.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or (len(file.sha256) == 64 and file.size)
    assert CATALOGUE["lama"].files[0].url == "https://dl.fbaipublicfiles.com/LAMA/data.zip"
    assert "non-commercial" in CATALOGUE["lama"].licence
    with pytest.raises(BertnesiaError, match="There is no download wiki; there are lama, bear, wikitext2, squad"):
        fetch("wiki", Path("nowhere"))


def test_the_published_checksums_are_those_of_the_real_files(shared_data: Path) -> None:
    expected = {file.path: file.sha256 for name in ("xquad", "wnut17") for file in CATALOGUE[name].files} | {
        f"wikitext-2-raw/{name}": digest for name, digest in CATALOGUE["wikitext2"].files[0].members.items()
    }
    there = {place: digest for place, digest in expected.items() if (shared_data / place).exists()}
    assert len(there) == 6
    for place, digest in there.items():
        assert hashlib.sha256((shared_data / place).read_bytes()).hexdigest() == digest, place


def command(site: Site, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    line = [
        sys.executable,
        "-m",
        "bertnesia.cli",
        "download",
        "--to",
        str(folder),
        "--mirror",
        site.address,
        *arguments,
    ]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_a_killed_command_leaves_a_partial_file_that_the_next_one_goes_on_from(tmp_path: Path) -> None:
    archive = bundle({"data/relations.jsonl": b"{}\n", "data/filler": os.urandom(600_000)})
    site = Site({"lama/data.zip": archive}, breaks=[300_000], held=threading.Event())
    with serving(site):
        process = command(site, tmp_path, "lama")
        partial = tmp_path / "lama/data.zip.partial"
        deadline = time.monotonic() + 60
        while not partial.exists() or partial.stat().st_size < 262_144:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "lama/data.zip").exists()
        there = partial.stat().st_size
        out, err = command(site, tmp_path, "lama", "--json").communicate()
    assert site.asked == [("lama/data.zip", None), ("lama/data.zip", f"bytes={there}-")]
    assert (tmp_path / "lama/data.zip").read_bytes() == archive
    assert json.loads(out)["sha256"] == hashlib.sha256(archive).hexdigest()
    assert "Licence: CC BY-NC 4.0: for non-commercial use only." in err


def test_the_command_lists_and_refuses(tmp_path: Path) -> None:
    site = Site({"squad/xquad.en.json": b"{}"})
    with serving(site):
        listed, _ = command(site, tmp_path).communicate()
        assert all(name in listed for name in CATALOGUE)
        wrong = command(site, tmp_path, "xquad")
        _, told = wrong.communicate()
        assert wrong.returncode == 2
        assert "sent another file than the published one" in told
        unknown = command(site, tmp_path, "wiki")
        assert "There is no download wiki; there are lama," in unknown.communicate()[1]
        assert unknown.returncode == 2
