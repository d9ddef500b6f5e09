"""LAMA-UHN (Poerner et al., 2019, arXiv 1911.03681): LAMA without the facts that a subject's name gives away.

LAMA's own `scripts/create_lama_uhn.py` writes it beside LAMA: a folder `TREx_UHN` beside `TREx` and `Google_RE_UHN`
beside `Google_RE`, with the same files and fewer lines. BERTnesia's code keeps the files one folder lower, named after
the BERT that judged the names (`TREx_UHN/bert-base-uncased`): both layouts are read.
"""

from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.lama import LICENCE, read_google_re
from bertnesia.probes.sources import ProbeFiles, Reading
from bertnesia.probes.templated import read_templated

FOLDERS = {"trex_uhn": "TREx_UHN", "google_re_uhn": "Google_RE_UHN"}
"""The folder of each probe set in LAMA's layout."""


def read_uhn(source: Path, name: str) -> ProbeSet:
    """Read one of LAMA-UHN's probe sets, `trex_uhn` or `google_re_uhn`.

    Args:
        source: as `read_lama` takes it.
        name: of the probe set.

    Raises:
        BertnesiaError: if it is not there.
    """
    files = ProbeFiles.find(source)
    folder = _folder(files, name)
    reading = Reading(files)
    if name == "trex_uhn":
        return read_templated(reading, name, folder, "LAMA-UHN T-REx", LICENCE)
    return read_google_re(reading, name, folder, "LAMA-UHN Google-RE")


def _folder(files: ProbeFiles, name: str) -> str:
    """The folder that holds the files themselves."""
    folder = FOLDERS[name]
    below = [member.removeprefix(f"{folder}/") for member in files.below(folder)]
    if not below:
        raise BertnesiaError(
            f"The probe set {name} is not in {files.root}: there is no {folder}/*.jsonl, which LAMA's own "
            f"scripts/create_lama_uhn.py makes from {folder.removesuffix('_UHN')}/."
        )
    if any("/" not in member for member in below):
        return folder
    judges = sorted({member.partition("/")[0] for member in below})
    if len(judges) > 1:
        raise BertnesiaError(f"{files.root}/{folder} holds {', '.join(judges)}: keep the one to read.")
    return f"{folder}/{judges[0]}"
