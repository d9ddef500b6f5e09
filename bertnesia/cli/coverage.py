"""The command `coverage`: which facts a text mentions."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bertnesia.cli.common import DataOption, JsonOption, app, console, names
from bertnesia.errors import BertnesiaError


@app.command()
def coverage(
    text: Annotated[
        list[Path], typer.Argument(help="Text or WikiText, SQuAD (.json), triples (.tsv), CoNLL (.conll).")
    ],
    probes: Annotated[str, typer.Option("--probes", help="Probe sets, e.g. trex,atlas.")] = "atlas",
    data: DataOption = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the mentions of each fact to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the passages of texts that mention a fact's subject and object together, by relation."""
    from bertnesia.files import replacing_file
    from bertnesia.probes import read_probe_sets
    from bertnesia.studies.coverage import by_relation, mentions_table

    named = {path.name: path for path in text}
    if len(named) < len(text):
        raise BertnesiaError("Two of the texts have the same file name: their counts could not be told apart.")
    mentions = mentions_table(named.items(), read_probe_sets(names(probes), data))
    if csv:
        with replacing_file(csv) as partial:
            mentions.to_csv(partial, index=False)
    counts = by_relation(mentions)
    if as_json:
        print(counts.to_json(orient="records", force_ascii=False))  # noqa: T201
        return
    for (corpus, probe_set), rows in counts.groupby(["corpus", "probe_set"], sort=False):
        table = Table("relation", title=escape(f"{probe_set} in {corpus}"))
        for column in ("facts", "mentioned", "share", "mentions"):
            table.add_column(column, justify="right")
        total = rows[["facts", "mentioned", "mentions"]].sum()
        for row in [*rows.to_dict("records"), {"relation": "all", **total}]:
            share = row["mentioned"] / row["facts"] if row["facts"] else 0
            counted = (f"{row['facts']:,}", f"{row['mentioned']:,}", f"{share:.1%}", f"{row['mentions']:,}")
            table.add_row(escape(str(row["relation"])), *counted)
        console.print(table)
