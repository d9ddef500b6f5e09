"""Probe sets by name, wherever they come from."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import bertnesia
from bertnesia.errors import BertnesiaError
from bertnesia.probes import lama
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.templated import read_atlas

ATLAS = Path(bertnesia.__file__).parent.parent / "precomputed" / "atlas"
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
        names: of `probe_set_names()`.
        data: where LAMA is: its folder or `data.zip`, or a folder that holds either. `atlas` does without.

    Raises:
        BertnesiaError: if a name is unknown, or a probe set is missing or unreadable.
    """
    if unknown := [name for name in names if name not in _readers]:
        raise BertnesiaError(f"There is no probe set {unknown[0]}; there are {', '.join(probe_set_names())}.")
    return [_readers[name](data) for name in dict.fromkeys(names)]


def _read_lama_set(data: Path | None, name: str) -> ProbeSet:
    if data is None:
        raise BertnesiaError(f"The probe set {name} does not ship: say where LAMA's files are (a folder or data.zip).")
    return lama.read_lama(data, [name])[name]


register_probe_set("atlas", lambda _: read_atlas(ATLAS))
for _name in lama.FOLDERS:
    register_probe_set(_name, partial(_read_lama_set, name=_name))
