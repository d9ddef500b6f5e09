"""Puts the dashboard and the data that ships inside the package of a wheel; `bertnesia.shipped` finds them there."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("app.py", "pages", ".streamlit/config.toml", "precomputed")


class ShippedFiles(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install needs no copies: it finds the clone's own."""
        if version != "editable":
            build_data["force_include"] |= {name: f"bertnesia/_shipped/{name}" for name in SHIPPED}
