"""The documentation: built strictly and without network, complete, and loading nothing from elsewhere."""

import inspect
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from mkdocs.config import load_config

from bertnesia import cli
from bertnesia.probes import read_probe_sets
from tools import docs

ROOT = Path(__file__).resolve().parents[1]
BUILD = """
import runpy, socket, sys

def refuse(*_):
    raise OSError("the documentation is built without network")

socket.socket.connect = socket.getaddrinfo = refuse
sys.argv = ["mkdocs", "build", "--strict", "--site-dir", sys.argv[1]]
runpy.run_module("mkdocs", run_name="__main__")
"""


class Page(HTMLParser):
    """What a page loads when it is opened, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.parts: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.text = " ".join("".join(self.parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link":
            self.loaded.append(given.get("href") or "")
        elif tag != "a":
            self.loaded += [given[name] or "" for name in ("src", "srcset", "data") if name in given]

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT, env={"NO_MKDOCS_2_WARNING": "1", "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html")}
    loaded = {path: [link for link in page.loaded if "//" in link] for path, page in pages.items()}
    assert sum(len(page.loaded) for page in pages.values()) > len(pages), "links are seen at all"
    assert not any(loaded.values()), loaded
    styles = [path.read_text("utf-8") for path in site.rglob("*.css")]
    assert styles
    assert not any(re.search(r"""(@import|url\()\s*["']?(https?:)?//""", style) for style in styles)


def test_nothing_tells_where_it_was_built(site: Path) -> None:
    assert not [path for path in site.rglob("*.html") if str(ROOT) in path.read_text("utf-8")]


def test_every_command_and_option_is_described(site: Path) -> None:
    page = Page(site / "reference/commands/index.html")
    for name, command in typer.main.get_group(cli.app).commands.items():
        section = re.search(rf"Usage: \$ bertnesia {name} (.*?)(?=Usage:|$)", page.text)
        assert section, name
        for param in command.params:
            assert param.opts[0] in section[1], (name, param.name)
        assert f"{name}: {command.help}" in page.text


def test_the_python_reference_comes_from_the_docstrings(site: Path) -> None:
    for package, modules in {"": docs.top_modules(), **docs.packages()}.items():
        page = Page(site / "reference/python" / package / "index.html")
        for module in modules:
            assert ".".join(filter(None, ["bertnesia", package, module])) in page.text
    probes = Page(site / "reference/python/probes/index.html").text
    assert "read_probe_sets(names: Sequence[str], data: Path | None) -> list[ProbeSet]" in probes
    said = inspect.cleandoc(read_probe_sets.__doc__ or "").replace("`", "")
    for part in (said.partition("\n")[0], said.partition("BertnesiaError: ")[2]):
        assert " ".join(part.split()) in probes


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", str(load_config(str(ROOT / "mkdocs.yml")).nav)))
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert written <= listed


def test_formulas_need_no_script(site: Path) -> None:
    inline = docs.on_page_content(r'<p>a <span class="arithmatex">\(x_1 &lt; 2\)</span> b</p>')
    formula = r"<mrow><msub><mi>x</mi><mn>1</mn></msub><mo>&[^;]+;</mo><mn>2</mn></mrow>"
    assert re.fullmatch(rf'<p>a <math [^>]*display="inline">{formula}</math> b</p>', inline)
    assert 'display="block"' in docs.on_page_content('<div class="arithmatex">\\[\n\\frac{1}{n}\n\\]</div>')
    assert not [path for path in site.rglob("*.html") if 'class="arithmatex"' in path.read_text("utf-8")]
