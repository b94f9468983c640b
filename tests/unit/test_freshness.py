# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a server that nobody has fenced answers again when a run acts late."""

from __future__ import annotations

import socket
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import freshness
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError


@pytest.fixture
def server() -> t.Iterator[dict[str, t.Any]]:
    """The place of a server that answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield {"address": "127.0.0.1", "port": listening.getsockname()[1]}


@pytest.mark.parametrize("ago", [600.0, 21.0, -5.0])
def test_late_it_is_asked_again(server: dict[str, t.Any], ago: float) -> None:
    with pytest.raises(MirroringError, match=r"answers again, .* after this run has looked.*nothing was activated"):
        freshness.refuse_answering(freshness.clock() - ago, [server])


@pytest.mark.parametrize("looked", [0.0, None])
def test_in_time_nobody_is_asked(server: dict[str, t.Any], looked: float | None) -> None:
    freshness.refuse_answering(None if looked is None else freshness.clock() - looked, [server])


def test_one_that_is_still_silent_or_fenced_is_no_hindrance(server: dict[str, t.Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        closed = {"address": "127.0.0.1", "port": other.getsockname()[1]}
    freshness.refuse_answering(freshness.clock() - 600, [closed])
    freshness.refuse_answering(freshness.clock() - 600, [])
