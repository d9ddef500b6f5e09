"""A visitor without a browser: speaks the dashboard's own protocol, so that twenty at once cost little."""

import time
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE = 120.0
"""Seconds until a page must be there."""


def visit(server: str, page: str, **parameters: str | list[str]) -> list[Element]:
    """Open a link to a page and wait until it is there: everything on it, in the order of its places."""
    asked = BackMsg()
    asked.rerun_script.page_name = page
    asked.rerun_script.query_string = urlencode(parameters, doseq=True)
    address = server.replace("http://", "ws://") + "/_stcore/stream"
    deadline = time.monotonic() + PATIENCE
    shown: dict[tuple[int, ...], Element] = {}
    with connect(address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
        socket.send(asked.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(socket.recv(timeout=deadline - time.monotonic()))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                shown = {}
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                shown[tuple(message.metadata.delta_path)] = message.delta.new_element
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return [shown[place] for place in sorted(shown)]


def of_type(elements: list[Element], name: str) -> list[Any]:
    """The elements of one type (`text_input`, `html`, ...)."""
    return [getattr(element, name) for element in elements if element.WhichOneof("type") == name]


def texts(elements: list[Element]) -> str:
    """What stands on the page as plain text or Markdown."""
    found = (*of_type(elements, "text"), *of_type(elements, "markdown"))
    return "\n".join(getattr(one, "body", "") for one in found)
