"""The sections of a report, in the order in which a reader asks: what is known, where, what was forgotten, how sure."""

from collections.abc import Iterator

from bertnesia.report.exhibits import Cast, Report, Section, cast_of
from bertnesia.report.forgetting import forgetting_exhibits
from bertnesia.report.knowledge import known, layer_exhibits
from bertnesia.report.methods import findings_exhibits, methods_section
from bertnesia.store import queries
from bertnesia.store.queries import Question, default_average
from bertnesia.store.study import Study
from bertnesia.titles import PROBE_SETS, probe_set_name

KIND = "trained"


def build_report(study: Study) -> Report:
    """Everything that a study shows, as a report: P@1 with plain prompts, filtered ranks left aside.

    Decoders are `trained` where the study has them, else the first kind that it has.
    """
    cast = cast_of(study)
    questions = _questions(study)
    sections = [_overview(study, cast, questions)]
    for question in questions:
        sections += _of_probe_set(study, cast, question)
    sections.append(methods_section(study))
    made_by = f"bertnesia {study.bertnesia_version}"
    return Report(study.title, study.description, made_by, study.created, tuple(sections))


def _questions(study: Study) -> list[Question]:
    asked = queries.asked(study)
    order = [name for name in PROBE_SETS if name in set(asked["probe_set"])]
    found = []
    for probe_set in dict.fromkeys([*order, *asked["probe_set"]]):
        mine = asked[asked["probe_set"] == probe_set]
        kind = KIND if (mine["kind"] == KIND).any() else str(mine["kind"].iloc[0])
        found.append(Question(probe_set, tuple(mine.loc[mine["kind"] == kind, "model"]), kind))
    return found


def _overview(study: Study, cast: Cast, questions: list[Question]) -> Section:
    text = (
        "How much the last layer of each model has right, and how much any of its layers does. All models of a probe "
        "set are compared on the same facts, those that each could be asked; the table tells how many are left out."
    )
    compared = [question for question in questions if _facts(study, question)]
    exhibits = (known(study, cast, compared),) if compared else ()
    return Section("How much is known", text, exhibits)


def _facts(study: Study, question: Question) -> int:
    """How many facts all models of the question were asked."""
    return int(queries.compared(study, question)["facts"].iloc[0])


def _of_probe_set(study: Study, cast: Cast, question: Question) -> Iterator[Section]:
    name = probe_set_name(question.probe_set)
    if not _facts(study, question):
        yield Section(name, "No fact was asked of all models: nothing can be compared.", ())
        return
    average = default_average(question.probe_set)
    over = "the mean over relations" if average == "macro" else "over facts"
    text = f"Right means rank 1 in the whole vocabulary; {question.kind} decoders; averages: {over}, intervals: 95 %."
    yield Section(f"{name}: layers and relations", text, tuple(layer_exhibits(study, cast, question, average, name)))
    tuned = cast.tuned(question.models)
    if tuned:
        forgotten = (
            "A fact is forgotten if the base has it right and the fine-tuned model has not. The forgetting rate is "
            "of what the base has right, the net change of all facts. Churn, where it was measured, is what two "
            "decoders of the same model disagree on though nothing was fine-tuned: only what exceeds it was forgotten."
        )
        yield Section(f"{name}: forgetting", forgotten, tuple(forgetting_exhibits(study, cast, question, tuned, name)))
    yield Section(
        f"{name}: findings and how far they hold",
        "Two readings of the same question, both labelled: “paper” as the paper tests it, “ours” with the layer "
        "chosen on one half of the facts, tested on the other, and corrected for the number of relations. Intervals "
        "are over facts; they leave the randomness of training out.",
        tuple(findings_exhibits(study, cast, question, average, name)),
    )
