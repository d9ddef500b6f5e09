"""The command `cloze`: a sentence through the layers."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bertnesia.cli.common import SHIPPED, JsonOption, app, console, names

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult


@app.command()
def cloze(
    prompt: Annotated[str, typer.Argument(help="A sentence with [MASK] in place of one to four words.")],
    models: Annotated[
        str | None, typer.Option("--models", help="Models of the study, e.g. mini,qa-squad [all].")
    ] = None,
    layers: Annotated[str, typer.Option("--layers", help="all, 6, 1,3 or 2-4.")] = "all",
    k: Annotated[int, typer.Option("-k", help="Predictions for each layer.")] = 5,
    kind: Annotated[str, typer.Option("--kind", help="Decoder kind.")] = "trained",
    watch: Annotated[str, typer.Option("--watch", help="Words whose rank to show, e.g. paris,rome.")] = "",
    db: Annotated[Path, typer.Option("--db", help="The study that names the models.")] = SHIPPED,
    as_json: JsonOption = False,
) -> None:
    """Ask the layers of a study's models for the masked words of a sentence."""
    from bertnesia.live import live_models
    from bertnesia.models.decoders import parse_layers
    from bertnesia.store.study import open_study

    study = open_study(db)
    live = live_models(study)
    chosen_models = names(models) if models else list(live.names)
    depths = study.models().set_index("model")["layers"]
    known = depths[depths.index.isin(chosen_models)]  # an unknown name is for `predict` to refuse
    chosen = parse_layers(layers, int((known if len(known) else depths).min()))
    results = live.predict(prompt, chosen_models, kind, k, names(watch))
    if as_json:
        print(json.dumps([_cloze_json(result, chosen) for result in results], ensure_ascii=False))  # noqa: T201
    else:
        for result in results:
            console.print(_cloze_table(result, chosen))


def _cloze_json(result: "ClozeResult", layers: list[int]) -> dict[str, object]:
    value = asdict(result)
    value["layers"] = [layer for layer in value["layers"] if layer["layer"] in layers]
    return value


def _cloze_table(result: "ClozeResult", layers: list[int]) -> Table:
    shown = [layer for layer in result.layers if layer.layer in layers]
    table = Table("layer", "predictions", title=f"{result.model}, mask {result.mask}, {result.kind} decoders")
    words = [watched.word for watched in shown[0].watched]
    for word in words:
        table.add_column(f"rank of {word}", justify="right")
    for layer in shown:
        pairs = zip(layer.tokens, layer.probabilities, strict=True)
        predictions = "  ".join(f"{escape(token)} {probability:.0%}" for token, probability in pairs)
        table.add_row(str(layer.layer), predictions, *(f"{watched.rank:,}" for watched in layer.watched))
    return table
