"""What can be downloaded: official addresses, licences, and the checksums that are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file at an address, and where it goes below the data folder.

    `sha256` and `size` are those of the official file, where they are known. With `unpack`, a folder below the data
    folder, it is a zip archive whose files below `top` go there, and which is then deleted; `members` gives the
    SHA-256 of these files by their name, where they are known.
    """

    url: str
    path: str
    sha256: str | None = None
    size: int | None = None
    unpack: str | None = None
    top: str = ""
    members: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """A data set: what it is, under which licence, and its files."""

    name: str
    title: str
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int | None:
        """Bytes to download, if they are known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


_SQUAD = "https://rajpurkar.github.io/SQuAD-explorer/dataset"
_WNUT = "https://raw.githubusercontent.com/leondz/emerging_entities_17/master"
_BEAR = "725b4e3139d0a5fdf914b0419ba744273dddc689"

_DOWNLOADS = (
    Download(
        "lama",
        "LAMA: Google-RE, T-REx, ConceptNet and SQuAD probes (Petroni et al. 2019)",
        "CC BY-NC 4.0: for non-commercial use only",
        (RemoteFile("https://dl.fbaipublicfiles.com/LAMA/data.zip", "lama/data.zip"),),
    ),
    Download(
        "bear",
        "BEAR probes (Wiland et al. 2024), the version that lm-pub-quiz reads",
        "CC BY-SA 4.0 by its page on the Hugging Face hub; the files name none",
        (
            RemoteFile(
                f"https://github.com/lm-pub-quiz/BEAR/archive/{_BEAR}.zip",
                "bear.zip",
                unpack="bear",
                top=f"BEAR-{_BEAR}/",
            ),
        ),
    ),
    Download(
        "wikitext2",
        "WikiText-2, raw (Merity et al. 2016), from its author's site",
        "CC BY-SA 3.0 and GFDL, text of Wikipedia",
        (
            RemoteFile(
                "https://wikitext.smerity.com/wikitext-2-raw-v1.zip",
                "wikitext-2-raw-v1.zip",
                "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
                4_721_645,
                unpack="wikitext-2-raw",
                top="wikitext-2-raw/",
                members={
                    "wiki.train.raw": "6707892fa3788b5ab9ed78ab5ff37d9fe825f6011a2ad4fcd6a6d467f0e7da57",
                    "wiki.valid.raw": "4cd0f6876d07a413aa911261ff6d363c72d757d47f0fdd6015702014c89cb9c7",
                    "wiki.test.raw": "173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08",
                },
            ),
        ),
    ),
    Download(
        "squad",
        "SQuAD 1.1 and 2.0 questions (Rajpurkar et al. 2016, 2018)",
        "CC BY-SA 4.0",
        tuple(
            RemoteFile(f"{_SQUAD}/{name}", f"squad/{name}", sha256, size)
            for name, sha256, size in (
                ("train-v1.1.json", "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955", 30_288_272),
                ("dev-v1.1.json", "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9", 4_854_279),
                ("train-v2.0.json", "68dcfbb971bd3e96d5b46c7177b16c1a4e7d4bdef19fb204502738552dede002", 42_123_633),
                ("dev-v2.0.json", "80a5225e94905956a6446d296ca1093975c4d3b3260f1d6c8f68bc2ab77182d8", 4_370_528),
            )
        ),
    ),
    Download(
        "xquad",
        "XQuAD, its English part (Artetxe et al. 2020)",
        "CC BY-SA 4.0",
        (
            RemoteFile(
                "https://raw.githubusercontent.com/google-deepmind/xquad/master/xquad.en.json",
                "squad/xquad.en.json",
                "e4c57d1c9143aaa1c5d265ba5987a65f4e69528d2a98f29d6e75019b10344f29",
                609_383,
            ),
        ),
    ),
    Download(
        "wnut17",
        "WNUT 2017, emerging and rare entities (Derczynski et al. 2017)",
        "CC BY 4.0",
        tuple(
            RemoteFile(f"{_WNUT}/{name}", f"wnut17/{name}", sha256, size)
            for name, sha256, size in (
                ("wnut17train.conll", "731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5", 493_781),
                ("emerging.dev.conll", "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8", 114_749),
                (
                    "emerging.test.annotated",
                    "2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0",
                    192_425,
                ),
            )
        ),
    ),
)

CATALOGUE: Mapping[str, Download] = {download.name: download for download in _DOWNLOADS}
"""Data sets by name."""


def fetched_by(path: Path) -> str:
    """The command that fetches a file, or a folder of probe files, that is missing: a sentence, or nothing.

    Args:
        path: where it was looked for; its end is compared with the places below a data folder.
    """
    for above in range(len(path.parts)):
        place = Path(*path.parts[above:])
        if name := next((name for name, one in CATALOGUE.items() if _brings(one, place)), None):
            return f" 'bertnesia download {name} --to {Path(*path.parts[:above])}' fetches it."
    return ""


def _brings(download: Download, place: Path) -> bool:
    files = {Path(file.path) for file in download.files if file.unpack is None}
    unpacked = {Path(file.unpack, member) for file in download.files if file.unpack for member in file.members}
    return place in files | unpacked
