"""Every benchmark, each in a process of its own, as one page in Markdown: `make bench > docs/speed.md`.

`python -m benchmarks NAME...` runs some of them. Standard error tells what is being measured; the exit code is 1 if
anything was over its budget or failed.
"""

import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version

TITLES = {
    "start": "From the command to a page that can be used",
    "pages": "Pages on a large study",
    "store": "Queries on a large study",
    "probing": "Probing",
    "decoders": "Training decoders",
    "cloze": "Live sentences",
}
"""Each module's heading, in the order of the page."""

PACKAGES = ("torch", "transformers", "streamlit", "duckdb")
OPENING = """# Speed

What `make bench` measured; `make bench > docs/speed.md` writes this page anew. Seconds depend on the machine and on
what else it does, so compare ratios: both sides of each were measured in one run, by turns. Models have random weights
where only their size matters, and large studies are made up.
"""


def machine() -> str:
    """The machine and its load before anything was measured, as a list."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    threads = os.environ.get("OMP_NUM_THREADS", "as many as torch takes by itself")
    lines = (
        f"{datetime.now(UTC):%d %B %Y}, Python {platform.python_version()}, {packages}",
        f"{os.cpu_count()} cores; torch's threads: {threads}",
        f"load over 1, 5 and 15 minutes before the run: {load}",
    )
    return "\n".join(f"- {line}" for line in lines)


def section(name: str) -> tuple[str, bool]:
    """A benchmark's part of the page, and whether it ran and kept its budgets."""
    began, load = time.monotonic(), os.getloadavg()[0]
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own module
    taken = time.monotonic() - began
    below = f"Load at the start {load:.1f}, at the end {os.getloadavg()[0]:.1f}; {taken:.0f} s in all."
    table = done.stdout.strip() or "Not measured in this run."
    return f"## {TITLES[name]}\n\n{table}\n\n{below}\n", done.returncode == 0 and not missed(table)


def missed(table: str) -> list[str]:
    """The rows whose ratio, the last column but one, is below what the last column asks at least."""
    ratios = re.finditer(r"^\|.*\| ([\d.]+) (%|times) \| ([\d.]+) \2 \|$", table, re.MULTILINE)
    return [found[0] for found in ratios if float(found[1]) < float(found[3])]


def main() -> None:
    """Print the page, section by section."""
    names = sys.argv[1:] or list(TITLES)
    if unknown := [name for name in names if name not in TITLES]:
        raise SystemExit(f"There is no benchmark {unknown[0]}; there are {', '.join(TITLES)}.")
    sys.stdout.write(f"{OPENING}\n{machine()}\n")
    failed = []
    for name in names:
        sys.stderr.write(f"{TITLES[name]} ...\n")
        text, kept = section(name)
        sys.stdout.write(f"\n{text}")
        sys.stdout.flush()
        failed += [] if kept else [name]
    if failed:
        raise SystemExit(f"over a budget, or failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
