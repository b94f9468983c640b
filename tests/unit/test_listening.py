# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""At which addresses a server listens, by tables as a real host had them, and what a word is here."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files, listening

V4 = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0101007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 1 1 0 100 0 0 10 0
   1: 0300090A:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 2 1 0 100 0 0 10 0
   2: 0300090A:1538 0200090A:C001 01 00000000:00000000 00:00000000 00000000   101        0 3 1 0 100 0 0 10 0
   3: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
"""
V6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 000080FE00000000FFA7A5020001FEFF:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
"""


def test_addresses_of_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "text_of", {"/proc/net/tcp": V4, "/proc/net/tcp6": V6}.get)
    found = listening.bound(5432)
    assert found == sorted(["127.0.1.1", "10.9.0.3", "::1", "fe80::2a5:a7ff:fffe:100"])
    assert listening.bound(22) == ["0.0.0.0"]
    assert listening.bound(80) == []
    monkeypatch.setattr(files, "text_of", lambda _path: None)
    assert listening.bound(5432) == []


def test_a_server_of_this_test_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listening.bound(server.getsockname()[1]) == ["127.0.0.1"]


def test_words() -> None:
    assert listening.word("127.0.0.1") == {"word": "127.0.0.1", "addresses": ["127.0.0.1"], "able": True}
    assert listening.word("192.0.2.1") == {"word": "192.0.2.1", "addresses": ["192.0.2.1"], "able": False}
    assert listening.word("no.such.invalid") == {"word": "no.such.invalid", "addresses": [], "able": False}
    assert "0.0.0.0" in listening.word("*")["addresses"]
    assert listening.word("x" * 300) == {"word": "x" * 300, "addresses": [], "able": False}
