"""A study's models as they are asked: which decoders each has, and where those come from."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bertnesia.models.decoders import decoder_name, parse_decoder_name
from bertnesia.models.encoder import load_masked_lm
from bertnesia.models.layered import LayeredModel, load_control, load_layered
from bertnesia.probing.run import Pass
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import ModelSpec

CONTROL = "control"
"""The decoder kind that belongs to a randomly started encoder, and so is asked in a pass of its own."""


def shown_kinds(run: StudyRun, model: ModelSpec) -> list[str]:
    """The decoder kinds that pages show of a model: `own` only where its checkpoint has a head of its own.

    The base's own head is its stock head.
    """
    kinds = run.spec.kinds(model)
    if "own" in kinds and (model is run.spec.base or not load_masked_lm(run.checkpoint(model), allow_new_head=True)[1]):
        kinds.remove("own")
    return kinds


def load_model(run: StudyRun, model: ModelSpec, decoders: Iterable[str]) -> LayeredModel:
    """A model with these decoders, by name, each from beside its local copy or from what the run made."""
    places: dict[Path, list[str]] = {}
    for name in decoders:
        places.setdefault(run.decoders(model, *parse_decoder_name(name)).parent, []).append(name)
    base = None if model is run.spec.base else run.checkpoint(run.spec.base)
    lent = run.decoders(run.spec.base, "trained").parent
    parts = [load_layered(run.checkpoint(model), base, names, place, lent) for place, names in places.items()]
    together = {name: heads for part in parts for name, heads in part.decoders.items()}
    return replace(parts[0], decoders={name: together[name] for names in places.values() for name in names})


def passes(run: StudyRun, model: ModelSpec) -> list[Pass]:
    """What a model is asked with.

    Its kinds, extra seeds and the base's controls share one pass of the encoder; `control` needs the random encoder's.
    Kinds that pages show are asked without the subject, too, which is their prior, and the first that is trained in
    other words and with other subjects. Variants of a model give ranks of plain prompts only.
    """
    decoders = run.spec.decoders
    is_base = model is run.spec.base
    shown = shown_kinds(run, model)
    kinds = shown + [kind for kind in decoders.base_kinds if is_base and kind != CONTROL]
    seeds = [decoder_name(kind, seed) for kind in shown for seed in run.seeds(model, kind) if seed]
    seeds += [decoder_name("trained", seed) for seed in run.last_layer_seeds(model)]
    loaded = load_model(run, model, [*kinds, *seeds])
    if model.role != "model":
        return [Pass(model.name, loaded, (*kinds, *seeds))]
    main = decoders.main if decoders.main in shown else shown[0]
    masked = decoders.with_priors(shown)
    made = [Pass(model.name, loaded, (*kinds, *seeds), masked, (main,), decoders.with_predictions(shown))]
    if is_base and CONTROL in decoders.base_kinds:
        random = load_control(run.checkpoint(model), decoders=run.decoders(model, CONTROL).parent)
        made.append(Pass(model.name, random, (CONTROL,), label=CONTROL))
    return made
