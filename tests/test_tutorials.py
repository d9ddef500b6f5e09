"""The tutorials' figures are those of the study that ships, and what they name on a page is there."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import bertnesia
from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import open_study
from tests.codeblocks import blocks

ROOT = Path(__file__).resolve().parents[1]
FORGETTING = ROOT / "docs/tutorials/forgetting.md"
OWN_MODEL = ROOT / "docs/tutorials/own-model.md"
STUDY = open_study(ROOT / "precomputed/mini.duckdb")
LABELLED = ("selectbox", "multiselect", "segmented_control", "toggle", "metric", "expander", "text_input")


def prose(page: Path) -> str:
    """A page's text in one line, without its blocks."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return " ".join(text.split())


def share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %".replace("-", "−")


def pair(kind: str = "trained", k: int = 1, layer: int | None = 6) -> Comparison:
    return Comparison("atlas", "mini", "qa-squad", kind, k, layer)


def outcomes(**choice: int | str | None) -> pd.Series:
    """Counts over all relations."""
    return queries.forgetting(STUDY, pair(**choice)).select_dtypes("number").sum()


def told_of_one_fact() -> list[str]:
    """What section 1 says with figures in it, with those of the study."""
    found = queries.changed_facts(STUDY, pair(), "forgotten", None).set_index("prompt")
    france = found.loc["An official language of France is [MASK] ."]
    before = STUDY.query(
        "SELECT rank FROM ranks JOIN facts USING (fact) WHERE prompt = $prompt AND model = 'mini' AND kind = 'trained' "
        "AND layer = 5 AND seed = 0 AND variant = 'plain'",
        {"prompt": france.name},
    )
    words = STUDY.models().set_index("model").loc["mini", "vocabulary_size"]
    return [
        f'"french" has rank {before["rank"].item()} at layer 5 and rank {france["base_rank"]:.0f} at layer 6',
        f", of {words:,} words.",
        f'has rank {france["model_rank"]:.0f} at layer 6, and what stands first there is "{france["model_says"]}"',
        "lie apart, from 0 to 1",
    ]


def told_of_all_facts() -> list[str]:
    """The same of sections 2 to 4."""
    last = outcomes()
    facts, known, after = last["facts"], last["right_in_base"], last["right_in_model"]
    churn = queries.churn(STUDY, Question("atlas", ("mini",))).query("is_last == True").iloc[0]
    relations = queries.forgetting(STUDY, pair()).set_index("label")[["right_in_base", "forgotten"]]
    some = relations.loc[["official language", "continent", "city in country"]]
    says = queries.changed_facts(STUDY, pair(), "forgotten", "official-language")["model_says"]
    null = findings.by_control(STUDY, pair()).query("at == 'last'").set_index("model")["forgotten"]
    return [
        f"The study asks {facts:,} facts",
        "Set **Right at** to *layer 6*",
        f"| **Right in the base** | {share(known, facts)} | {known} of {facts:,} facts |",
        f"| **Right after fine-tuning** | {share(after, facts)} | {after} of {facts:,} |",
        f"| **Forgetting rate** | {share(last['forgotten'], known)} | of the {known} that",
        f"| **Net change** | {share(last['learned'] - last['forgotten'], facts)} |",
        f"{last['forgotten']} facts went, and {last['learned']} came",
        f"disagree on {share(churn['forgotten'], churn['right_in_base'])} of what its last layer has right",
        f"Of the {share(last['forgotten'], known)}, so much could be noise",
        (
            f"that `mini` was made of, and forgets {share(null['mlm-cont'], known)}, "
            f"from another seed {share(null['mlm-cont-seed-1'], known)}."
        ),
        (
            f"It learns nothing, and forgets {share(null['sham-qa'], known)}, "
            f"from another seed {share(null['sham-qa-seed-1'], known)}:"
        ),
        " ".join(f"| {row.Index} | {row.right_in_base} | {row.forgotten} |" for row in some.itertuples()),
        f'{(says == "a").sum()} of the {len(says)} are "a"',
    ]


def told_of_layers() -> list[str]:
    """The same of sections 5 to 7."""
    ten, by_base = outcomes(k=10), outcomes(kind="base")
    languages = queries.forgetting(STUDY, pair(k=10)).set_index("label").loc["official language"]
    layers = queries.forgetting_by_layer(STUDY, Question("atlas", ("qa-squad",))).set_index("layer")
    before, after = layers["right_in_base"], layers["right_in_model"]
    depth = queries.lost_and_buried(STUDY, pair()).select_dtypes("number").sum()
    return [
        "the layers below the fifth know little before and after:",
        f"layer 4 goes from {before[4]} right facts to {after[4]}.",
        f"Layer 5 goes from {before[5]} to {after[5]}, layer 6 from {before[6]} to {after[6]}.",
        f"of the {depth['forgotten']} facts that the last layer forgot, whether an earlier layer still has them",
        f"For {depth['lost']} of them none has",
        "set **Right if** to *rank ≤ 10*",
        f"The last layer has {ten['right_in_model']} facts of {ten['right_in_base']} left",
        f"of the {depth['forgotten']} forgotten ones some layer still has {depth['buried_10']} among its first ten",
        f"At layer 6 and rank 1 they find {by_base['right_in_model']} facts",
        f"where its own find {outcomes()['right_in_model']}:",
        f"of the {languages['right_in_base']} official languages that `mini` has among its first ten",
        f"{languages['retained']} are left",
        f"each fine-tuning done once or twice, for {STUDY.models().set_index('model').loc['qa-squad', 'steps']} steps",
    ]


def untold(text: str, told: list[str]) -> list[str]:
    """Sentences that the text lacks, and figures that it has beside them."""
    lacking = [sentence for sentence in told if sentence not in text]
    for sentence in sorted(told, key=len, reverse=True):
        text = text.replace(sentence, "")
    return lacking + re.findall(r"(?<!## )(?<![\w-])\d[\d.,]*(?: %)?", text)


def test_the_figures_on_forgetting_are_those_of_the_study() -> None:
    text, told = prose(FORGETTING), [*told_of_one_fact(), *told_of_all_facts(), *told_of_layers()]
    assert untold(text, told) == []
    assert untold(f"{text} And 1,200 more.", [*told, "5 facts"]) == ["5 facts", "1,200"]


def shown_on(page: str) -> set[str]:
    """Everything that can be read or chosen on a page: labels, options, headings, and the first words of texts."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    found = {element.label for kind in LABELLED for element in app.get(kind)}
    found |= {option for kind in ("selectbox", "segmented_control") for one in app.get(kind) for option in one.options}
    texts = (text.value.replace("\\", "") for kind in ("title", "header", "caption") for text in app.get(kind))
    return found | {text.replace("\u2060", "") for text in texts}


def test_what_the_tutorial_on_forgetting_names_stands_on_the_page() -> None:
    text = FORGETTING.read_text("utf-8")
    names = {
        " ".join(name.split())
        for name in re.findall(r"\*\*([^*]+)\*\*|(?<!\*)\*([^*]+)\*(?!\*)", text)
        for name in name
    }
    assert {"Right if", "layer 6", "The facts themselves", "rank ≤ 10"} <= names
    assert names - {"", "churn"} - shown_on("forgetting") == set()


def test_pages_that_the_tutorial_on_own_models_names_exist() -> None:
    named = set(re.findall(r"\*\*([^*]+)\*\*", OWN_MODEL.read_text("utf-8")))
    assert named == {"Overview", "Forgetting", "Facts"}
    assert {(ROOT / f"pages/{name.lower()}.py").is_file() for name in named} == {True}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, pd.DataFrame]]:
    """The tutorial's table asked of the two models that ship, at the last layer."""
    folder = tmp_path_factory.mktemp("capitals")
    (table,) = [block for block in blocks(OWN_MODEL.read_text("utf-8")) if block.title == "capitals.csv"]
    (folder / "capitals.csv").write_text(table.code, "utf-8")
    models = [ROOT / "precomputed/models/mini", ROOT / "precomputed/models/qa-squad"]
    path = folder / "capitals.csv"
    facts = bertnesia.probe(models, path, 6, kinds="trained", per="fact", out=folder / "out")
    wordings = bertnesia.probe_paraphrases(models, path, 6)
    shutil.rmtree(folder / "out/parts")
    return folder / "out/probe.duckdb", {"facts": facts, "wordings": wordings[wordings["layer"] == 6]}


def test_the_figures_on_ones_own_facts_are_those_of_a_run(asked: tuple[Path, Mapping[str, pd.DataFrame]]) -> None:
    study, tables = open_study(asked[0]), asked[1]
    facts, wordings = tables["facts"], tables["wordings"].set_index("model")
    base, tuned = (facts[facts["model"] == model] for model in ("mini", "qa-squad"))
    wrong, still_wrong = base[base["rank"] > 1], tuned[tuned["rank"] > 1]
    mean, both = wordings["mean"], wordings["consistent_accuracy"]
    left_out = queries.left_out(study).iloc[0]
    sentence = f"{len(base)} of 11 facts asked. Left out: {left_out['facts']} ({left_out['reason']})."
    assert sentence in OWN_MODEL.read_text("utf-8")
    capitals = queries.forgetting(STUDY, pair()).set_index("label").loc["capital of"]
    figures = [
        "At layer 6, with",
        (
            f"`mini` has {(base['rank'] == 1).mean():.3f} of the ten first (P@1), and `QA-SQUAD` "
            f"{(tuned['rank'] == 1).mean():.3f}."
        ),
        f"Of the {len(wrong)} facts that `mini` has wrong, it answers {repeated(wrong)} with the city itself",
        f"`QA-SQUAD` does so with {repeated(still_wrong)} of its {len(still_wrong)};",
        f"`mini` has {mean['mini']:.3f} right on average and `QA-SQUAD` {mean['qa-squad']:.3f};",
        f"right in both wordings are {both['mini']:.3f} and {both['qa-squad']:.3f}.",
        (
            f"on the {capitals['facts']} capitals of the study that ships, asked in the first wording, "
            f"{capitals['right_in_base']} are right before and {capitals['right_in_model']} after"
        ),
    ]
    assert untold(prose(OWN_MODEL), figures) == []
    second = wrong.loc[(wrong["rank"] == 2) & (wrong["prediction"] == wrong["subject"].str.lower()), "subject"]
    assert set(tuned.loc[tuned["rank"] == 1, "subject"]) == set(second), "stood second, behind the city"
    assert "Madrid is the capital city of madrid" in prose(OWN_MODEL)
    assert base.set_index("subject").loc["Madrid", "prediction"] == "madrid"


def repeated(facts: pd.DataFrame) -> int:
    """How many facts are answered with their own subject."""
    return int((facts["prediction"] == facts["subject"].str.lower()).sum())
