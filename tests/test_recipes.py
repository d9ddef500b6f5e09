"""The recipes of CONTRIBUTING.md, carried out on a copy of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from transformers import ErnieConfig, ErnieForMaskedLM

from tests import tiny
from tests.store.synthetic_study import make_study, publish_synthetic

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r'^```\w+ title="(?P<path>[^",]+)(?:, in (?P<list>\w+))?"\n(?P<lines>.*?)^```$', re.DOTALL | re.M)

FINETUNE = """
import json, sys
from pathlib import Path
from bertnesia.finetuning.finetune import Finetuning, finetune
base, text, out = map(Path, sys.argv[1:])
schedule = {"batch_tokens": 512, "learning_rate": 3e-3, "evaluations": 2}
settings = Finetuning(max_tokens=32, stride=8, epochs=15, schedule=schedule)
made = finetune("word-order", str(base), [text], out, settings)
print(json.dumps([made["head_parameters"], made["history"][0]["loss"], made["history"][-1]["loss"]]))
"""
COMPARE = """
import json, sys
import torch
from transformers import AutoModelForMaskedLM
from bertnesia.models.layered import load_layered
model = load_layered(sys.argv[1], kinds=("stock",))
own = AutoModelForMaskedLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
inputs = model.tokenizer("anna was born in [MASK] .", return_tensors="pt")
with torch.inference_mode():
    states = model.states(inputs["input_ids"], inputs["attention_mask"])
    mine = model.decoders["stock"].logits(states[-1], model.layers)
    print(json.dumps([model.layers, (mine - own(**inputs).logits).abs().max().item()]))
"""
OPEN = """
import json
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=60).run()
app.switch_page("pages/counts.py").run()
table = app.dataframe[0].value
print(json.dumps([app.title[0].value, len(app.exception), sorted(table["facts"].tolist())]))
"""


def carry_out(recipe: str, folder: Path) -> Path:
    """A copy of the project in which a recipe, told by its heading, has been followed."""
    for name in ("bertnesia", "pages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    _, section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split(f"### {recipe}\n")
    blocks = list(BLOCK.finditer(section.partition("\n### ")[0]))
    assert len(blocks) == 2
    for block in blocks:
        follow(folder / block["path"], block["list"], block["lines"])
    new = str(folder / blocks[0]["path"])
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), new]
    assert subprocess.run(ruff, check=False).returncode == 0
    return folder


def follow(path: Path, into: str | None, lines: str) -> None:
    """Make the file of a block, or add the block's lines: at the top of the list `into`, or at the end."""
    before = path.read_text("utf-8") if path.exists() else ""
    if into:
        head, start, rest = before.partition(f"\n{into} = (\n")
        assert start, f"{path.name} has no list {into}"
        path.write_text(head + start + lines + rest)
    else:
        path.write_text(before + lines)


def run(copy: Path, *arguments: object, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=copy, env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_a_probe_reader_is_asked_by_the_command(tmp_path: Path) -> None:
    copy = carry_out("A probe reader", tmp_path / "copy")
    model = tiny.save_masked_lm(tmp_path / "models/base", layers=2)
    lines = [f"{town}\t{tiny.land_of(town)}\n" for town in [*tiny.TOWNS, tiny.TOWNS[0]]]
    (tmp_path / "towns.txt").write_text("".join(lines))
    command = ["-m", "bertnesia.cli", "probe", model, "--probes", "towns", "--data", tmp_path]
    said = run(copy, *command, "--kinds", "stock", "--out", tmp_path / "out", "--json")
    rows = json.loads(said)
    assert {(row["probe_set"], row["layer"]) for row in rows} == {("towns", 1), ("towns", 2)}
    assert {row["facts"] for row in rows} == {len(tiny.TOWNS)}, "a fact that is given twice is asked once"


def test_an_objective_learns(tmp_path: Path) -> None:
    copy = carry_out("An objective", tmp_path / "copy")
    base = tiny.save_masked_lm(tmp_path / "base", layers=2)
    text = tiny.write_text(tmp_path / "toy.txt")
    parameters, first, last = json.loads(run(copy, "-c", FINETUNE, base, text, tmp_path / "out"))
    assert parameters == 32 + 1, "one score, and nothing else, was added"
    assert last < first


def test_an_architecture_decodes_as_its_own_head_does(tmp_path: Path) -> None:
    copy = carry_out("An architecture", tmp_path / "copy")
    words = tiny.tokenizer()
    config = ErnieConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, initializer_range=0.2,
    )  # fmt: skip
    ErnieForMaskedLM(config).save_pretrained(tmp_path / "ernie")
    words.save_pretrained(tmp_path / "ernie")
    layers, difference = json.loads(run(copy, "-c", COMPARE, tmp_path / "ernie"))
    assert layers == 2
    assert difference < 1e-4


def test_a_page_opens(tmp_path: Path) -> None:
    copy = carry_out("A page", tmp_path / "copy")
    study = make_study()
    publish_synthetic(tmp_path / "synthetic.duckdb", study)
    title, exceptions, counts = json.loads(run(copy, "-c", OPEN, BERTNESIA_DB=str(tmp_path / "synthetic.duckdb")))
    assert (title, exceptions) == ("Counts", 0)
    by_relation = study.facts.groupby(["probe_set", "relation"]).size()
    assert counts == sorted(by_relation.tolist())
