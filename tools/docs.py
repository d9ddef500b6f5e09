"""MkDocs hooks: the reference pages come from the code, and formulas become MathML, so that no script is needed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

import bertnesia
from bertnesia import cli

PACKAGE = Path(bertnesia.__file__).parent
OWN_PAGES = {"cli", "ui"}
"""Packages that the Python reference leaves out: commands have a page of their own, widgets are the dashboard's."""

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.+?)\\[)\]]</\1>', re.DOTALL)


def on_config(config: MkDocsConfig) -> None:
    """Put the Python reference into the navigation, and leave out pages that are not written."""
    docs = Path(config.docs_dir)
    generated = [{f"bertnesia.{name}": f"reference/python/{name}.md"} for name in packages()]
    reference = [{"Commands": "reference/commands.md"}, {"bertnesia": "reference/python/index.md"}, *generated]
    config.nav = [*_written(config.nav, docs), {"Reference": reference}]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the generated pages."""
    pages = {"commands.md": commands_page(), "python/index.md": modules_page("bertnesia", top_modules())}
    pages |= {f"python/{name}.md": modules_page(f"bertnesia.{name}", modules) for name, modules in packages().items()}
    for path, content in pages.items():
        files.append(File.generated(config, f"reference/{path}", content=content))


def on_page_content(html: str, **_: object) -> str:
    """Formulas as MathML, which browsers draw by themselves."""
    return _FORMULA.sub(_mathml, html)


def commands_page() -> str:
    """Every command with its arguments and options, as typer knows them."""
    group = typer.main.get_group(cli.app)
    page = get_docs_for_click(obj=group, ctx=typer.Context(group), name="bertnesia", title="Commands")
    for name, command in group.commands.items():
        listed = f"* [`{name}`](#bertnesia-{name}): {command.help}"
        page = re.sub(rf"^\* `{name}`: .*$", lambda _, listed=listed: listed, page, count=1, flags=re.MULTILINE)
    return page


def packages() -> dict[str, list[str]]:
    """The modules of every sub-package that the Python reference describes."""
    folders = sorted(path.parent for path in PACKAGE.glob("*/__init__.py") if path.parent.name not in OWN_PAGES)
    return {folder.name: list(_modules(folder)) for folder in folders}


def top_modules() -> list[str]:
    """The modules of the package itself."""
    return list(_modules(PACKAGE))


def modules_page(package: str, modules: list[str]) -> str:
    """What is public in the modules, from their docstrings."""
    parts = [f"# {package}\n\n::: {package}\n    options: {{show_root_heading: false, heading_level: 2}}\n"]
    return "\n".join([*parts, *(f"::: {package}.{module}\n" for module in modules)])


def _modules(folder: Path) -> Iterator[str]:
    return (path.stem for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_"))


def _written(nav: list[Any], docs: Path) -> list[Any]:
    """The navigation without pages that are not there, and without sections that lost all of theirs."""
    kept: list[Any] = []
    for entry in nav:
        ((title, target),) = entry.items()
        left = _written(target, docs) if isinstance(target, list) else target
        if left and (isinstance(left, list) or (docs / left).exists()):
            kept.append({title: left})
    return kept


def _mathml(match: re.Match[str]) -> str:
    tag, formula = match.groups()
    return convert(re.sub(r"&(amp|lt|gt);", _character, formula), display="block" if tag == "div" else "inline")


def _character(match: re.Match[str]) -> str:
    return {"amp": "&", "lt": "<", "gt": ">"}[match[1]]
