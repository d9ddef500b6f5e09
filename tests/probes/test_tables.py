import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes import read_probe_sets
from bertnesia.probes.facts import ProbeSet, prompt_of
from bertnesia.probes.tables import read_table

ROWS = [
    {"subject": "Ann", "object": "Oslo", "relation": "born", "template": "[X] was born in [Y] ."},
    {"subject": "Bob, Jr.", "object": "Rome", "relation": "born", "template": ""},
    {"subject": "Ann", "object": "Rome", "relation": "died", "template": "[X] died in [Y] ."},
]
STRAY = """no row of fields (',' expected after '"')"""
PROMPTS = ["Ann was born in [MASK] .", "Bob, Jr. was born in [MASK] .", "Ann died in [MASK] ."]


def prompts(probe_set: ProbeSet) -> list[str]:
    return [prompt_of(fact, probe_set.relation[fact.relation]) for fact in probe_set.facts]


def reasons(probe_set: ProbeSet) -> list[str]:
    return [str(problem) for problem in probe_set.problems]


def text(path: Path, *lines: str, encoding: str = "utf-8", end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


def jsonl(path: Path, rows: Sequence[object]) -> Path:
    return text(path, *(json.dumps(row) for row in rows))


def write(path: Path) -> Path:
    """The rows in the form that the path's ending names."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return path
    if suffix == ".jsonl":
        return jsonl(path, ROWS)
    delimiter = "\t" if suffix == ".tsv" else ","
    quote = '"' if suffix == ".csv" else ""
    rows = [delimiter.join(f"{quote}{value}{quote}" for value in row.values()) for row in ROWS]
    return text(path, delimiter.join(ROWS[0]), *rows)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".CSV"])
def test_every_kind_of_file_gives_the_same_facts(tmp_path: Path, suffix: str) -> None:
    probe_set = read_table(write(tmp_path / f"my facts{suffix}"))
    assert prompts(probe_set) == PROMPTS
    assert (probe_set.name, probe_set.label) == ("my_facts", f"my facts{suffix}")
    assert [(fact.relation, fact.object) for fact in probe_set.facts] == [
        ("born", "Oslo"),
        ("born", "Rome"),
        ("died", "Rome"),
    ]
    assert reasons(probe_set) == []
    assert list(probe_set.hashes) == [f"my facts{suffix}"]


def test_tables_are_named_by_their_path_among_other_probe_sets(tmp_path: Path) -> None:
    write(tmp_path / "mine.csv")
    write(tmp_path / "below.tsv")
    found = read_probe_sets(["atlas", str(tmp_path / "mine.csv"), "below.tsv"], tmp_path)
    assert [probe_set.name for probe_set in found] == ["atlas", "mine", "below"]
    with pytest.raises(BertnesiaError, match=r"There is no probe file .*none\.csv"):
        read_probe_sets([str(tmp_path / "none.csv")], None)
    with pytest.raises(BertnesiaError, match=r"no probe set mine\.xls; there are .*your own tables by their path"):
        read_probe_sets(["mine.xls"], None)


def test_two_probe_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [write(tmp_path / name) for name in ("mine.csv", "other/mine.tsv", "trex.csv", "...csv")]
    with pytest.raises(BertnesiaError, match=r"mine\.tsv would be called mine, as .*mine\.csv is: rename the file"):
        read_probe_sets([str(path) for path in paths[:2]], None)
    with pytest.raises(BertnesiaError, match="would be called trex, as a probe set of bertnesia is"):
        read_probe_sets([str(paths[2])], None)
    with pytest.raises(BertnesiaError, match="needs a name with letters or digits"):
        read_probe_sets([str(paths[3])], None)


@pytest.mark.parametrize("name", ["mine.relations.jsonl", "relations.jsonl", "templates.csv", "mine.templates.tsv"])
def test_templates_may_stand_in_a_file_beside_the_table(tmp_path: Path, name: str) -> None:
    rows = [
        {"relation": "born", "template": "[X] was born in [Y] .", "label": "place of birth", "type": "N-1"},
        {"relation": "died", "template": "[X] died in [Y] .", "label": "", "type": ""},
    ]
    if name.endswith(".jsonl"):
        jsonl(tmp_path / name, [rows[0] | {"paraphrases": ["In [Y] , [X] was born ."]}, rows[1]])
    else:
        delimiter = "," if name.endswith("csv") else "\t"
        lines = [
            delimiter.join([*row.values(), more]) for row, more in zip(rows, ("In [Y] [X] was born .", ""), strict=True)
        ]
        text(tmp_path / name, delimiter.join([*rows[0], "paraphrase_1"]), *lines)
    probe_set = read_table(text(tmp_path / "mine.csv", "subject,object,relation", "Ann,Oslo,born", "Ann,Rome,died"))
    assert prompts(probe_set) == ["Ann was born in [MASK] .", "Ann died in [MASK] ."]
    born = probe_set.relation["born"]
    assert (born.label, born.type, len(born.paraphrases)) == ("place of birth", "N-1", 1)
    assert probe_set.relation["died"].label == "died"
    assert set(probe_set.hashes) == {"mine.csv", name}


def test_paraphrases_come_from_any_row_and_column_of_a_relation(tmp_path: Path) -> None:
    path = text(
        tmp_path / "mine.csv",
        "subject,object,relation,template,paraphrase_1,Paraphrase 2",
        "Ann,Oslo,born,[X] was born in [Y] .,[X] is from [Y] .,",
        "Bob,Oslo,born,[X] is from [Y] .,[X] is from [Y] .,In [Y] [X] was born .",
        "Cy,Oslo,born,,[X] is nice .,",
    )
    probe_set = read_table(path)
    assert probe_set.relation["born"].paraphrases == ("[X] is from [Y] .", "In [Y] [X] was born .")
    assert reasons(probe_set) == ['mine.csv, line 4: the template "[X] is nice ." needs [X] and one [Y]']
    rows = [{**ROWS[0], "paraphrases": ["[X] is from [Y] .", "[Y] is home to [X] ."]}]
    assert len(read_table(jsonl(tmp_path / "more.jsonl", rows)).relations[0].paraphrases) == 2


def test_ready_prompts_need_no_template(tmp_path: Path) -> None:
    path = text(
        tmp_path / "mine.csv",
        "prompt;answer;relation",
        '"The sky; at noon, is [MASK].";blue;colour',
        "Grass is <mask>.;green;",
        "Coal is ____.;black;",
        "Snow is white.;white;colour",
    )
    probe_set = read_table(path)
    assert prompts(probe_set) == ["The sky; at noon, is [MASK].", "Grass is [MASK].", "Coal is [MASK]."]
    assert [fact.subject for fact in probe_set.facts] == [
        "The sky; at noon, is ___.",
        "Grass is ___.",
        "Coal is ___.",
    ]
    assert [relation.id for relation in probe_set.relations] == ["colour", "mine"]
    assert reasons(probe_set) == ["mine.csv, line 5: the prompt has no [MASK]"]


def test_lamas_own_column_names_and_numbers_are_understood(tmp_path: Path) -> None:
    columns = {
        "sub_label": ["Ann", "Bob", "Cy"],
        "obj_label": [1941.0, 1950.0, None],
        "predicate_id": ["born", "born", "born"],
        "sub_uri": ["Q1", None, None],
        "template": ["[X] , born [Y] .", None, None],
    }
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    probe_set = read_table(tmp_path / "mine.parquet")
    assert [(fact.subject, fact.object, fact.subject_uri) for fact in probe_set.facts] == [
        ("Ann", "1941", "Q1"),
        ("Bob", "1950", None),
    ]
    assert prompts(probe_set) == ["Ann , born [MASK] .", "Bob , born [MASK] ."]
    assert reasons(probe_set) == ['mine.parquet, line 3: field "object" is missing']


def test_one_bad_line_never_stops_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    good = "Z{},Oslo,born,"
    lines = [
        "\ufeffsubject,object,relation,template",
        "Ann,Oslo,born,[X] was born in [Y] .",
        "Bob,Oslo",
        "",
        '"Cy,Oslo,born,',
        good.format(1),
        'Di,"Os"lo,born,',
        ",Oslo,born,",
        "Ed,Oslo,lives,",
        "Flo,Oslo,born,[X] died in [Y] .",
        "ANN,oslo,born,",
        good.format(2),
        'Gil,"two\nlines",born,',
        '"swallowed,Oslo,born,',
        'Z3,"Oslo",born,',
        ",,,",
        "H,Oslo,born,,",
    ]
    text(path, *lines, end="\r\n")
    path.write_bytes(path.read_bytes() + b"Jos\xe9,Oslo,born,\r\n")
    probe_set = read_table(path)
    assert [fact.subject for fact in probe_set.facts] == ["Ann", "Z1", "Z2", "Gil", "Z3", "H"]
    assert [(problem.line, problem.reason) for problem in probe_set.problems] == [
        (3, "2 fields in place of 4"),
        (5, STRAY),
        (7, STRAY),
        (8, 'field "subject" is empty'),
        (9, "relation lives has no template"),
        (10, 'relation born has another template, "[X] was born in [Y] ."'),
        (11, "the same fact as in line 2"),
        (15, STRAY),
        (19, 'field "subject" holds a broken character'),
    ]


def test_quotation_marks_in_tab_separated_text_stand_for_themselves(tmp_path: Path) -> None:
    path = text(
        tmp_path / "mine.tsv",
        "subject\tobject\trelation\ttemplate",
        '"Weird Al" Yankovic\tDowney\tborn\t[X] was born in [Y] .',
        '"Quoted\twhole"\tOslo\tborn\t',
        '5" record\tOslo\tborn\t',
    )
    assert [fact.subject for fact in read_table(path).facts] == ['"Weird Al" Yankovic', "Quoted whole", '5" record']


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", b"", r"a\.csv is empty: its first line must name the columns"),
        ("a.csv", "subject,object".encode("utf-16"), r"a\.csv is UTF-16 text: save it as UTF-8"),
        (
            "a.csv",
            b"subject,object\nAnn,Oslo\n",
            r"no column relation: it needs subject, object and relation, or prompt",
        ),
        ("a.csv", b"name,town\n", "no column subject and object and relation"),
        ("a.csv", b"prompt\nThe sky is [MASK]\n", "no column answer"),
        (
            "a.csv",
            b"subject,object,relation\nAnn,Oslo,born\n",
            r"no column template, and there is no a\.relations\.jsonl or",
        ),
        ("a.csv", b"subject,subject,relation\n", "two columns called subject"),
        ("a.csv", b'"subject" ,object\n', r"The header of a\.csv, line 1, cannot be read"),
        ("a.csv", b"prompt,answer\n", "holds no facts that can be used"),
        ("a.csv", b"prompt,answer\nno,no\n", r"the first problem is: a\.csv, line 2: the prompt has no \[MASK\]"),
        ("a.jsonl", b"{}\n", "no column subject and object and relation"),
        ("a.parquet", b"PAR1", "not a readable Parquet file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BertnesiaError, match=fault):
        read_table(tmp_path / name)
