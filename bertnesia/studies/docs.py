"""The reference of the study file, written from its schema: `python -m bertnesia.studies.docs > docs/study-file.md`."""

import json
import sys
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bertnesia.studies.spec import StudySpec

_INTRODUCTION = """# The study file

A study is one TOML file: which models, which decoders, which facts. `bertnesia run STUDY.toml --data DATA` performs it,
`--dry-run` shows what that would take. Three ship in `studies/`: `mini.toml`, whose results are in `precomputed/`,
`lama.toml`, the models that ship on the probe sets of the paper, and `paper.toml`, BERT-base and the paper's fine-tuned
models. This page is made from the schema that study files are checked against (`python -m bertnesia.studies.docs`); a
key that is not on it is refused.

The smallest study asks a model that is there:

```toml
name = "mine"
title = "My model"
probes = ["atlas"]

[[models]]
name = "my-bert"
checkpoint = "models/my-bert"

[decoders]
kinds = ["stock"]
```

Names of tables stand in brackets as TOML has them. A default of "–" means that the key must be given; an empty one that
it may be left out.
"""


def study_reference() -> str:
    """The page `docs/study-file.md`."""
    sections = "\n".join(_section(path, model) for path, model in _tables("", StudySpec, is_list=False))
    return f"{_INTRODUCTION}\n{sections}"


def _tables(path: str, model: type[BaseModel], is_list: bool) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table of the file with the model that checks it, in order; each model where it first stands."""
    seen: set[type[BaseModel]] = set()

    def walk(path: str, model: type[BaseModel], is_list: bool) -> Iterator[tuple[str, type[BaseModel]]]:
        if model in seen:
            return
        seen.add(model)
        yield (f"[[{path}]]" if is_list else f"[{path}]") if path else "", model
        for name, field in model.model_fields.items():
            inner, inner_is_list = _inner(field.annotation)
            if inner:
                yield from walk(f"{path}.{name}".lstrip("."), inner, inner_is_list)

    yield from walk(path, model, is_list)


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The table that a key holds, and whether it holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    is_list = get_origin(annotation) is list
    for part in get_args(annotation):
        found, inside = _inner(part)
        if found:
            return found, is_list or inside
    return None, False


def _section(path: str, model: type[BaseModel]) -> str:
    heading = f"## `{path}`" if path else "## The file itself"
    purpose = " ".join((model.__doc__ or "").split())
    rows = "\n".join(_row(name, field) for name, field in model.model_fields.items())
    return f"{heading}\n\n{purpose}\n\n| key | type | default | what it is |\n|---|---|---|---|\n{rows}\n"


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name}`", _type(field), _default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(field: FieldInfo) -> str:
    return ", ".join(filter(None, (_annotation(field.annotation), _limits(field))))


def _annotation(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        return " or ".join(_annotation(part) for part in parts if part is not type(None))
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin is list:
        inner = "table" if _inner(parts[0])[0] else _annotation(parts[0])
        return f"list of {inner}{'s' if inner in {'text', 'table'} else ''}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return {str: "text", int: "integer", float: "number", bool: "boolean"}.get(annotation, str(annotation))


def _limits(field: FieldInfo) -> str:
    signs = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}
    found = [
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for kind, (sign, name) in signs.items()
        if isinstance(limit, kind)
    ]
    return " and ".join(found)


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "–"
    if isinstance(default, BaseModel):
        return _unlike(default)
    return "" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"


def _unlike(default: BaseModel) -> str:
    """Where the default of a table has other values than the table's own defaults."""
    fields = type(default).model_fields
    values = {name: getattr(default, name) for name, field in fields.items() if getattr(default, name) != field.default}
    shown = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, BaseModel)]
    return f"`{{ {', '.join(shown)} }}`" if shown else ""


if __name__ == "__main__":
    sys.stdout.write(study_reference())
