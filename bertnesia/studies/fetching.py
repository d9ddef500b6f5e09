"""What a study needs from elsewhere: checkpoints of the hub, and data files with their sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError

from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_file
from bertnesia.probes import read_probe_sets
from bertnesia.progress import console, working
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import ModelSpec, SourceSpec

_TIMEOUT = 10


def fetch_missing(run: StudyRun) -> None:
    """Fetch the data files that the study says where to find, and make sure that the checkpoints can be had.

    Raises:
        BertnesiaError: if something cannot be reached, with what it is and how to supply a local copy.
    """
    models, sources = missing_checkpoints(run), missing_sources(run)
    hub = [source for source in sources if source.hub]
    if (models or hub) and not _hub_answers():
        raise _unreachable(run, models, hub)
    for source in hub:
        assert run.data, "a missing source has a data folder to go to"  # noqa: S101
        with working(f"Fetching {source.files[0]} from {source.hub}"):
            parquet = [_from_hub(source, name) for name in source.parquet]
            count = write_texts(parquet, source.column, run.data / source.files[0])
        console.print(f"Wrote {count:,} texts to {run.data / source.files[0]}", highlight=False, markup=False)


def missing_checkpoints(run: StudyRun) -> list[ModelSpec]:
    """The models whose checkpoint is a name of the hub that neither a local copy nor the hub's cache answers."""
    return [
        model
        for model in run.spec.models
        if model.checkpoint and run.local(model) is None and not _is_here(model.checkpoint)
    ]


def missing_sources(run: StudyRun) -> list[SourceSpec]:
    """The sources of files that the study's training needs and the data folder lacks."""
    if not run.data:
        return []
    needed = run.files_to_train() if run.train else []
    return [source for source in run.spec.sources if any(f in needed and not run.has_file(f) for f in source.files)]


def missing_probes(run: StudyRun) -> list[SourceSpec]:
    """The sources of probe sets, if some cannot be read from the data folder."""
    try:
        read_probe_sets(run.spec.probes, run.data)
    except BertnesiaError:
        trained_on = run.files_trained_on()
        return [source for source in run.spec.sources if not set(source.files) & set(trained_on)]
    return []


def write_texts(parquet: list[Path], column: str, out: Path) -> int:
    """Write a column of texts, each text once and on a line of its own, as a text file in one step.

    Args:
        parquet: the files to read.
        column: a column of texts, or `outer.inner` for texts in a struct or lists of them.
        out: the text file.

    Returns:
        The number of texts.

    Raises:
        BertnesiaError: if the files have no such column.
    """
    seen: set[int] = set()
    with replacing_file(out) as partial, partial.open("w", encoding="utf-8") as file:
        for path in parquet:
            for text in _texts(path, column):
                line = " ".join(text.split())
                if line and hash(line) not in seen:
                    seen.add(hash(line))
                    file.write(f"{line}\n")
    return len(seen)


def _texts(path: Path, column: str) -> Iterator[str]:
    outer, *inner = column.split(".")
    with pq.ParquetFile(path) as file:
        if outer not in file.schema_arrow.names:
            raise BertnesiaError(f"{path} has no column {outer}: it has {', '.join(file.schema_arrow.names)}.")
        for batch in file.iter_batches(columns=[outer]):
            yield from _flat(batch.column(0), inner, f"{path} has no column {column}.")


def _flat(values: Any, inner: list[str], fault: str) -> Iterator[str]:
    while pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = values.flatten()
    if inner:
        if not pa.types.is_struct(values.type) or values.type.get_field_index(inner[0]) < 0:
            raise BertnesiaError(fault)
        yield from _flat(values.field(inner[0]), inner[1:], fault)
    elif pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        yield from (text for text in values.to_pylist() if text)
    else:
        raise BertnesiaError(fault)


def _is_here(checkpoint: str) -> bool:
    name, _, revision = checkpoint.partition("@")
    if checkpoint.startswith("package:") or Path(checkpoint).is_dir() or _looks_local(name):
        return True  # what is wrong with it is for loading to say
    return isinstance(try_to_load_from_cache(name, "config.json", revision=revision or None), str)


def _looks_local(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name


def _hub_answers() -> bool:
    """Asked once, because the hub's own client tries each file for half a minute."""
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        with urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=_TIMEOUT):  # noqa: S310 - the hub's address
            return True
    except HTTPError:  # an answer, too
        return True
    except OSError:
        return False


def _from_hub(source: SourceSpec, name: str) -> Path:
    repository, _, revision = (source.hub or "").partition("@")
    try:
        return Path(hf_hub_download(repository, name, repo_type="dataset", revision=revision or None))
    except (OSError, HfHubHTTPError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BertnesiaError(
            f"Cannot fetch {name} of the data set {source.hub}: {reason} Put a text file of your own, a passage a "
            f"line, in its place: {source.files[0]} in the --data folder."
        ) from error


def _unreachable(run: StudyRun, models: list[ModelSpec], sources: list[SourceSpec]) -> BertnesiaError:
    if not run.train:
        return _no_folder([str(model.checkpoint) for model in models])
    parts = []
    if models:
        names = ", ".join(str(model.checkpoint).partition("@")[0] for model in models)
        parts.append(
            f"the models {names} (put a copy of each in a folder of its name, all in one folder, and name that with "
            "--models)"
        )
    if sources:
        files = ", ".join(source.files[0] for source in sources)
        parts.append(f"the texts {files} (put your own, a passage a line, into {run.data}, the --data folder)")
    return BertnesiaError(f"The hub cannot be reached ({constants.ENDPOINT}); missing are {', and '.join(parts)}.")


def _no_folder(names: list[str]) -> BertnesiaError:
    """Models that were named one by one, not by a study: a folder takes the place of each."""
    verb, rest = ("is", "name the folder that holds the model") if len(names) == 1 else ("are", "name their folders")
    said = "no folder" if len(names) == 1 else "no folders"
    return BertnesiaError(
        f"There {verb} {said} {', '.join(names)}, and the hub, where a model of that name may be, cannot be reached "
        f"({constants.ENDPOINT}): {rest}, or go online."
    )
