# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who else has an address: by ARP for IPv4, by neighbour discovery for IPv6, as duplicate address detection asks.

It is asked by root, with packets of its own making: two programs are named arping, with other options, and a host may
have neither. The program of the role ``virtual_ip`` has the same packets, since it stands for itself.
Sources: packet(7); RFC 826, RFC 5227 (ARP), RFC 4861 (neighbour discovery), RFC 4862 (duplicate address detection).
"""

from __future__ import annotations

import contextlib
import glob
import ipaddress
import os
import re
import socket
import struct
import time

from . import files

#: until all that have the address have answered; they are asked twice
ASK_SECONDS, AGAIN_SECONDS = 0.3, 0.15
ETHERNET, ARP, IPV6, ICMPV6 = 1, 0x0806, 0x86DD, 58
ARP_REQUEST, SOLICITATION, ADVERTISEMENT, MAC_OPTION = 1, 135, 136, b"\2\1"
COMMENTS = ("#", "!", ";")
EVERYBODY, NOBODY = b"\xff" * 6, bytes(16)
#: where a host's own configuration says which addresses it has, whoever reads it
CONFIGURED = (
    "/etc/network/interfaces",
    "/etc/network/interfaces.d/*",
    "/etc/netplan/*",
    "/etc/systemd/network/*",
    "/etc/sysconfig/network-scripts/ifcfg-*",
    "/etc/NetworkManager/system-connections/*",
    "/etc/keepalived/*.conf",
    "/etc/keepalived/conf.d/*",
    "/etc/ucarp/*",
    "/etc/corosync/*.conf",
)


def bare(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address without its prefix."""
    return ipaddress.ip_interface(address).ip


def question(address: ipaddress.IPv4Address | ipaddress.IPv6Address, mac: bytes) -> bytes:
    """Return the packet by which a host asks who has an address, without saying that it has one itself."""
    wanted = address.packed
    if address.version == 4:
        head = EVERYBODY + mac + struct.pack("!H", ARP)
        about = struct.pack("!HHBBH", ETHERNET, 0x0800, 6, 4, ARP_REQUEST)
        return head + about + mac + bytes(4) + bytes(6) + wanted
    group = ipaddress.IPv6Address("ff02::1:ff00:0").packed[:13] + wanted[13:]
    body = struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + wanted
    body = (
        body[:2] + struct.pack("!H", checksum(NOBODY + group + struct.pack("!II", len(body), ICMPV6) + body)) + body[4:]
    )
    head = b"\x33\x33" + group[12:] + mac + struct.pack("!H", IPV6)
    return head + struct.pack("!IHBB", 6 << 28, len(body), ICMPV6, 255) + NOBODY + group + body


def checksum(data: bytes) -> int:
    """Return the checksum of the Internet over an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def claimant(packet: bytes, wanted: bytes) -> bytes:
    """Return the hardware address of who says in a packet that it has the address; nothing for any other packet."""
    if packet[12:14] == struct.pack("!H", ARP) and packet[28:32] == wanted:
        return packet[22:28]
    if packet[20:21] == bytes([ICMPV6]) and packet[54:55] == bytes([ADVERTISEMENT]) and packet[62:78] == wanted:
        return packet[80:86] if packet[78:80] == MAC_OPTION and len(packet) >= 86 else packet[6:12]
    return b""


def answering(address: str, interface: str) -> list[str] | None:
    """Return the hardware addresses of who answers for the address there; None where nobody can be asked."""
    wanted, found = bare(address), set()
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as line:
            line.bind((interface, ARP if wanted.version == 4 else IPV6))
            hardware, mac = line.getsockname()[3:5]
            if hardware != ETHERNET:
                return None
            begin, asked = time.monotonic(), 0
            while (waited := time.monotonic() - begin) < ASK_SECONDS:
                if waited >= asked * AGAIN_SECONDS:
                    line.send(question(wanted, mac))
                    asked += 1
                line.settimeout(0.02)
                with contextlib.suppress(socket.timeout):
                    found.add(claimant(line.recv(1 << 16), wanted.packed))
    except OSError:
        return None
    return sorted(each.hex(":") for each in found - {b"", mac})


def named_in(address: str) -> list[str]:
    """Return the files of the host's own configuration that name the address; comments do not count.

    What they say is nobody's but root's: only their names are told.
    """
    word = re.compile(rf"(?<![\w.:]){re.escape(str(bare(address)))}(?![\w.:])", re.IGNORECASE)
    paths = sorted(path for pattern in CONFIGURED for path in glob.glob(pattern))
    return [path for path in paths if any(map(word.search, _said(path)))]


def _said(path: str) -> list[str]:
    """Return the lines of a file that count. Only root can change what is there, so root may read it."""
    with contextlib.suppress(OSError):
        if os.path.isfile(path) and os.stat(path).st_uid == 0:
            return [line for line in (files.text_of(path) or "").splitlines() if line.lstrip()[:1] not in COMMENTS]
    return []
