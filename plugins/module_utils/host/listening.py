# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""At which addresses of this host a server listens, and at which it could.

Source: proc_net(5).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import typing as t

from . import files

if t.TYPE_CHECKING:
    from ..values.observation import ListenWord

LISTENS = "0A"
TABLES = {"/proc/net/tcp": "<I", "/proc/net/tcp6": "<IIII"}


def bound(port: int) -> list[str]:
    """Return the addresses at which anything listens on the TCP port."""
    found = set()
    for table, words in TABLES.items():
        for line in (files.text_of(table) or "").splitlines()[1:]:
            fields = line.split()
            address, _colon, number = fields[1].rpartition(":")
            if fields[3] == LISTENS and int(number, 16) == port:
                packed = struct.pack(words.replace("<", ">"), *struct.unpack(words, bytes.fromhex(address)))
                found.add(str(ipaddress.ip_address(packed)))
    return sorted(found)


def word(name: str) -> ListenWord:
    """Return what a name or address that a server is to listen at is here, and whether it could."""
    addresses: list[str] = []
    able = False
    with contextlib.suppress(OSError, UnicodeError):
        for family, kind, _protocol, _name, target in socket.getaddrinfo(
            None if name == "*" else name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            addresses.append(str(target[0]))
            with contextlib.suppress(OSError), socket.socket(family, kind) as here:
                here.bind((target[0], 0, *target[2:]))
                able = True
    return {"word": name, "addresses": sorted(set(addresses)), "able": able}
