"""The command `cloze`: a sentence, or a file of sentences, through the layers."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertnesia.cli.common import SHIPPED, JsonOption, app, console, names
from bertnesia.errors import BertnesiaError

if TYPE_CHECKING:
    from bertnesia.listfiles import ListedPrompt
    from bertnesia.live import ClozeResult, LiveModels
    from bertnesia.store.study import Study


@app.command()
def cloze(
    prompt: Annotated[
        str | None, typer.Argument(help="A sentence with [MASK] in place of one to four words.", show_default=False)
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            "--models",
            help="Models of the study, e.g. base,qa-squad; the others are compared with the first.",
            show_default="all",
        ),
    ] = None,
    layers: Annotated[str, typer.Option("--layers", help="all, 6, 1,3 or 2-4.")] = "all",
    k: Annotated[int, typer.Option("-k", help="Predictions for each layer.")] = 5,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Decoder kind.", show_default="the first that all models have")
    ] = None,
    watch: Annotated[str, typer.Option("--watch", help="Words whose rank to show, e.g. paris,rome.")] = "",
    answer: Annotated[str, typer.Option("--answer", help="The right answer; for several masks, one for each.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="Many prompts: a line each, or CSV with columns prompt, answer.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where their results go: .csv or .parquet.")] = None,
    db: Annotated[
        Path, typer.Option("--db", help="The study that names the models.", show_default="the one that ships")
    ] = SHIPPED,
    as_json: JsonOption = False,
) -> None:
    """Ask the layers of a study's models for the masked words of a sentence."""
    from bertnesia.live import Request, live_models
    from bertnesia.sentences import split_words
    from bertnesia.store.study import open_study

    if (prompt is None) == (file is None):
        raise BertnesiaError("Give one sentence, or --file with many, but not both.")
    study = open_study(db)
    live = live_models(study)
    chosen = _chosen_models(models, study, live)
    kind = kind or _first_kind(chosen, live)
    if file is not None:
        _ask_file(live, file, out, chosen, kind, k)
        return
    request = Request(prompt or "", chosen, kind, k, split_words(watch), split_words(answer))
    shown = _chosen_layers(layers, chosen, study)
    reply = live.ask(request)
    if reply.refusals:
        raise BertnesiaError(reply.refusals[0].sentence)
    if as_json:
        print(json.dumps([_json(result, shown) for result in reply.results], ensure_ascii=False))  # noqa: T201
    else:
        from bertnesia.cli.clozetables import show

        show(console, reply.results, shown)


def _chosen_models(text: str | None, study: "Study", live: "LiveModels") -> tuple[str, ...]:
    """The models that are named; `base` is the study's base, whatever it is called."""
    from bertnesia.live.limits import MOST_MODELS_AT_ONCE

    if text is None:
        return live.names[:MOST_MODELS_AT_ONCE]
    return tuple(study.base if name == "base" and name not in live.names else name for name in names(text))


def _first_kind(models: tuple[str, ...], live: "LiveModels") -> str:
    from bertnesia.live.shelf import kinds_of

    kinds = [kinds_of(live.checkpoints[name]) for name in models if name in live.checkpoints]
    return next((kind for kind in kinds[0] if all(kind in others for others in kinds)), "stock") if kinds else "stock"


def _chosen_layers(text: str, models: tuple[str, ...], study: "Study") -> list[int]:
    from bertnesia.models.decoders import parse_layers

    depths = study.models().set_index("model")["layers"]
    known = depths[depths.index.isin(models)]  # an unknown name is for the service to refuse
    return parse_layers(text, int((known if len(known) else depths).max()))


def _json(result: "ClozeResult", layers: list[int]) -> dict[str, object]:
    value = asdict(result)
    value["layers"] = [layer for layer in value["layers"] if layer["layer"] in layers]
    return {**value, "parts_at": result.parts_at}


def _ask_file(live: "LiveModels", file: Path, out: Path | None, models: tuple[str, ...], kind: str, k: int) -> None:
    from bertnesia.files import replacing_file
    from bertnesia.live.lists import ask_list
    from bertnesia.progress import progress_bar

    if out is None or out.suffix not in {".csv", ".parquet"}:
        raise BertnesiaError("Say where the results go: --out with a file that ends in .csv or .parquet.")
    prompts = _read_file(file)
    with progress_bar("Asking", len(prompts) * len(models)) as advance:
        before = 0.0

        def tell(done: float, total: float, note: str) -> None:
            nonlocal before
            now = len(prompts) * len(models) * done / total
            advance(now - before, note)
            before = now

        result = ask_list(live, prompts, models, kind, k, tell)
    with replacing_file(out) as partial:
        if out.suffix == ".csv":
            result.rows.to_csv(partial, index=False)
        else:
            result.rows.to_parquet(partial, index=False)
    for row in result.problems.head(10).itertuples():
        console.print(f"Prompt {row.number}, {row.model}: {row.problem}", markup=False, highlight=False)
    more = f" {len(result.problems)} problems." if len(result.problems) else ""
    console.print(f"Wrote {len(result.rows):,} rows to {out}.{more}", markup=False, highlight=False)


def _read_file(file: Path) -> "list[ListedPrompt]":
    from bertnesia.listfiles import check_size, read_csv, read_lines

    if not file.is_file():
        raise BertnesiaError(f"There is no file {file}.")
    check_size(file.stat().st_size, str(file))
    if file.suffix in {".csv", ".tsv"}:
        return read_csv(file.read_bytes(), str(file))
    try:
        return read_lines(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BertnesiaError(f"{file} is not UTF-8 text (byte {error.start}).") from error
