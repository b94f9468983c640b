# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A master that must answer before the data of a standby is deleted."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import network
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError


@contextlib.contextmanager
def port(answer: bytes) -> t.Iterator[int]:
    """Give a port of a server that answers so, and says nothing when there is no answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                held.append(server.accept()[0])
                held[0].sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        for each in held:
            each.close()


def test_a_master_that_answers() -> None:
    with port(b"N") as number:
        network.must_answer("127.0.0.1", number)


def test_a_master_that_is_frozen() -> None:
    """The kernel opens the connection for it."""
    with port(b"") as number, pytest.raises(MirroringError, match="what is here may be the last copy"):
        network.must_answer("127.0.0.1", number)


def test_a_master_that_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(MirroringError, match=f"the master at 127.0.0.1:{number} does not answer from here"):
        network.must_answer("127.0.0.1", number)
