"""Parts are whole and of the right origin, or not current."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertnesia.store.parts import damage, part_is_current, write_part

TABLE = pa.table({"fact": list(range(5000)), "rank": [number * 7919 % 30011 for number in range(5000)]})
IDENTITY = {"model": "mini", "layers": [1, 2], "hash": "abc"}


def test_a_part_is_current_for_its_identity_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "part.parquet"
    assert not part_is_current(path, IDENTITY)
    write_part(path, TABLE, IDENTITY)
    assert part_is_current(path, dict(reversed(IDENTITY.items())))
    assert not part_is_current(path, {**IDENTITY, "hash": "abd"})
    assert pq.read_table(path).equals(TABLE)
    assert [file.name for file in path.parent.iterdir()] == ["part.parquet"]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.85])
def test_a_flipped_byte_is_noticed(tmp_path: Path, share: float) -> None:
    path = tmp_path / "part.parquet"
    write_part(path, TABLE, IDENTITY)
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 0x10
    path.write_bytes(data)
    assert not part_is_current(path, IDENTITY)
    assert "damaged" in (damage(path) or "")


@pytest.mark.parametrize("length", [0, 3, 1000])
def test_a_cut_off_part_is_not_current(tmp_path: Path, length: int) -> None:
    path = tmp_path / "part.parquet"
    write_part(path, TABLE, IDENTITY)
    path.write_bytes(path.read_bytes()[:length])
    assert not part_is_current(path, IDENTITY)


def test_damage_names_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    assert damage(path) == "it is missing"
    pq.write_table(TABLE, path)
    assert damage(path) == "it was not written as a part"
    write_part(path, TABLE, IDENTITY)
    assert damage(path) is None


def test_a_failed_write_leaves_the_old_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "part.parquet"
    write_part(path, TABLE, IDENTITY)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        write_part(path, TABLE.slice(0, 10), IDENTITY)
    assert part_is_current(path, IDENTITY)
    assert [file.name for file in tmp_path.iterdir()] == ["part.parquet"]
