"""Probe sets by name, wherever they come from."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.probes import bear, lama, uhn
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.tables import SUFFIXES, is_table, read_table, table_name
from bertnesia.probes.templated import read_atlas
from bertnesia.shipped import shipped_folder

ATLAS = shipped_folder() / "precomputed" / "atlas"
"""The folder of the probe set that ships."""

ProbeReader = Callable[[Path | None], ProbeSet]
"""Reads one probe set; its argument is the user's data folder or archive, if there is one."""

_readers: dict[str, ProbeReader] = {}


def register_probe_set(name: str, reader: ProbeReader) -> None:
    """Make a probe set known by name.

    Raises:
        ValueError: if the name is taken.
    """
    if name in _readers:
        raise ValueError(f"a probe set {name} is registered already")
    _readers[name] = reader


def probe_set_names() -> list[str]:
    """Names that `read_probe_sets` takes."""
    return sorted(_readers)


def read_probe_sets(names: Sequence[str], data: Path | None) -> list[ProbeSet]:
    """Read probe sets in the order of `names`, each once.

    Args:
        names: of `probe_set_names()`, or paths of the user's own tables (CSV, TSV, JSONL, Parquet), as they are or
            below `data`.
        data: where LAMA is: its folder or `data.zip`, or a folder that holds either; for BEAR the folder that holds
            it. `atlas` does without.

    Raises:
        BertnesiaError: if a name is unknown or means two probe sets, or a probe set is missing or unreadable.
    """
    wanted = list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in _readers and not is_table(name)]:
        raise BertnesiaError(
            f"There is no probe set {unknown[0]}; there are {', '.join(probe_set_names())}, and your own tables by "
            f"their path ({', '.join(SUFFIXES)})."
        )
    paths = {name: _table_path(name, data) for name in wanted if name not in _readers}
    _check_names(list(paths.values()))
    return [read_table(paths[name]) if name in paths else _readers[name](data) for name in wanted]


def _table_path(name: str, data: Path | None) -> Path:
    """Where a table is: as named, or else below the data folder."""
    path = Path(name)
    return data / path if data is not None and not path.is_file() and (data / path).is_file() else path


def _check_names(paths: Sequence[Path]) -> None:
    """Refuse tables that would be called like another probe set."""
    taken = dict.fromkeys(_readers, "a probe set of bertnesia")
    for path in paths:
        name = table_name(path)
        if name in taken:
            raise BertnesiaError(f"The probe file {path} would be called {name}, as {taken[name]} is: rename the file.")
        taken[name] = str(path)


def _with_data(read: Callable[[Path], ProbeSet], name: str, whose: str, download: str) -> ProbeReader:
    """A reader that cannot do without the user's data."""

    def reader(data: Path | None) -> ProbeSet:
        if data is None:
            raise BertnesiaError(
                f"The probe set {name} does not ship: say where {whose} are (--data DIR; in Python, data=...). "
                f"'bertnesia download {download} --to data' fetches {download.upper()} into the folder data."
            )
        if not data.exists():
            raise BertnesiaError(
                f"There is no probe data at {data}. 'bertnesia download {download} --to {data}' fetches "
                f"{download.upper()}."
            )
        return read(data)

    return reader


register_probe_set("atlas", lambda _: read_atlas(ATLAS))
for _name in lama.FOLDERS:
    _reader = partial(lambda data, name: lama.read_lama(data, [name])[name], name=_name)
    register_probe_set(_name, _with_data(_reader, _name, "LAMA's files (a folder or data.zip)", "lama"))
for _name in uhn.FOLDERS:
    register_probe_set(_name, _with_data(partial(uhn.read_uhn, name=_name), _name, "LAMA-UHN's files", "lama"))
for _name in bear.SCORINGS:
    register_probe_set(_name, _with_data(partial(bear.read_bear, name=_name), _name, "BEAR's files", "bear"))
