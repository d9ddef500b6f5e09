"""A view of the Cloze page as code to copy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertnesia.store.study import Study
from bertnesia.ui.code import Code, call, command, literal, path_of, program

if TYPE_CHECKING:
    from bertnesia.live import Checkpoint, Request

_PRINT = """for result in reply.results:
    print(f"{result.model}, mask {result.mask}")
    for layer in result.layers:
        print(layer.layer, *(f"{word} {share:.1%}" for word, share in zip(layer.tokens, layer.probabilities)))"""


def code_of(study: Study, request: "Request", added: "Mapping[str, Checkpoint]") -> Code:
    """The program, and the command where there is one, that ask the same.

    Args:
        study: the study.
        request: what was asked, without models that refused.
        added: the models among those asked that are not the study's.
    """
    lines = ["live = live_models(study)"]
    if added:
        lines.append(f"live = live.with_models({_checkpoints(added)})")
    given = {"kind": request.kind, "k": request.k, "watched": request.watched, "answers": request.answers}
    named = {name: literal(value) for name, value in given.items() if value != ()}
    lines += [f"reply = live.ask({call('Request', literal(request.prompt), literal(request.models), **named)})", _PRINT]
    python = program(study, *lines)
    if added:
        python = python.replace("from bertnesia.live import ", "from bertnesia.live import Checkpoint, ", 1)
    if added or any("," in name for name in request.models):
        return Code(python, gives="The command asks a study's models only.")
    return Code(python, command(*_words(study, request)), "The same words, ranks and distances, as JSON.")


def _words(study: Study, request: "Request") -> Sequence[str]:
    options = ["--models", ",".join(request.models), "--kind", request.kind, "-k", str(request.k)]
    for name, words in (("--watch", request.watched), ("--answer", request.answers)):
        options += [name, ",".join(words)] if words else []
    options += ["--db", path_of(study), "--json"]
    dashed = request.prompt.startswith("-")  # would be read as an option
    return ["cloze", *options, "--", request.prompt] if dashed else ["cloze", request.prompt, *options]


def _checkpoints(added: "Mapping[str, Checkpoint]") -> str:
    made = (f"{literal(name)}: {_checkpoint(one)}" for name, one in added.items())
    return "{" + ", ".join(made) + "}"


def _checkpoint(one: "Checkpoint") -> str:
    paths: dict[str, Any] = {"decoders": one.decoders, "base_decoders": one.base_decoders}
    named = {name: f"Path({literal(str(path))})" for name, path in paths.items() if path is not None}
    base = {} if one.base is None else {"base": literal(one.base)}
    return call("Checkpoint", literal(one.folder), **base, **named)
