"""A study's fine-tuning runs on their way: probed at points of the run, and published as models of role `step`."""

from dataclasses import replace

from bertnesia.finetuning.finetune import OnTheWay
from bertnesia.finetuning.snapshots import step_at
from bertnesia.models.checkpoints import read_provenance
from bertnesia.probing.run import ask, sampled
from bertnesia.studies.models import load_model
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import FinetuneSpec, ModelSpec
from bertnesia.studies.stepprobe import ProbedStep, new_decoders, probe_on_the_way, read_steps


def on_the_way(run: StudyRun, spec: FinetuneSpec, model: ModelSpec) -> OnTheWay | None:
    """Probing at the points of `probe_at` with the base's trained decoders, at some with new ones, too."""
    if not spec.probe_at:
        return None
    base = load_model(run, run.spec.base, ["trained"])
    lent = {"base": replace(base.of_kind("trained"), kind="base")}
    train = None
    if spec.decoders_at:
        folder = run.work / "models" / "steps"
        train = new_decoders(base, run.corpus, run.facts_left_out, folder, run.spec.decoders.settings)
    asked = sampled(ask(run.probe_sets, base), run.spec.sample)
    parts = run.work / "parts"
    return probe_on_the_way(model.name, base, lent, asked, parts, spec.probe_at, train_at=spec.decoders_at, train=train)


def steps_are_probed(run: StudyRun, spec: FinetuneSpec, model: ModelSpec) -> bool:
    """Whether a finished run was probed at all points of `probe_at`."""
    points = {step_at(share, _steps(run, model)) for share in spec.probe_at}
    return points == {one.step for one in probed_steps(run, model)}


def probed_steps(run: StudyRun, model: ModelSpec) -> list[ProbedStep]:
    """The probed steps of a model's run, first steps first."""
    spec = run.spec.finetuning(model)
    if not (spec and spec.probe_at):
        return []
    return read_steps(run.work / "parts", model.name, _steps(run, model), spec.probe_at)


def _steps(run: StudyRun, model: ModelSpec) -> int:
    return int((read_provenance(run.made(model)) or {}).get("steps", 1))
