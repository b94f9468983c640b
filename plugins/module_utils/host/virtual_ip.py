# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bringing the address that follows the master to this host, and taking it away. What counts is where it is."""

from __future__ import annotations

import ipaddress
import time
import typing as t

from . import network, programs, systemd
from .errors import MirroringError
from .run import Runner

OPTION: dict[str, t.Any] = {
    "type": "dict",
    "default": {},
    "apply_defaults": True,
    "options": {"address": {"type": "str", "default": ""}, "interface": {"type": "str", "default": ""}},
}


def unit(service: str) -> str:
    """Return the unit that keeps the address of the master of this unit."""
    return programs.unit_name(programs.VIRTUAL_IP, service)


def here(run: Runner, address: str) -> bool:
    """Whether the address (with its prefix) is on one of this host's interfaces."""
    return bool(network.interfaces_with(run, bare(address)))


def bare(address: str) -> str:
    """Return an address without its prefix, as it is written shortest."""
    try:
        return str(ipaddress.ip_interface(address).ip)
    except ValueError as error:
        raise MirroringError(f"virtual_ip_address: {error}") from error


def held(run: Runner, service: str) -> bool:
    """Whether the unit runs that keeps the address here."""
    return systemd.unit(run, unit(service))["active"] == "active"


def take(run: Runner, service: str, address: str, interface: str, seconds: int) -> None:
    """Start the unit that adds, announces and keeps the address; bounded. Its start ends when that is there."""
    _code, _output, errors = run.root(["systemctl", "restart", unit(service)], timeout=seconds)
    _until(run, service, address, True, f"{address} is not on {interface}", errors, seconds)


def release(run: Runner, service: str, address: str, interface: str, seconds: int) -> None:
    """Stop the unit, and take the address away if it is still there; bounded."""
    _code, _output, errors = run.root(["systemctl", "stop", unit(service)], timeout=seconds)
    if here(run, address):
        run.root(["ip", "address", "delete", address, "dev", interface], timeout=10)
        others = [name for name in network.interfaces_with(run, bare(address)) if name != interface]
        if others:  # waiting would not help
            raise MirroringError(
                f"{bare(address)} is on {' and '.join(others)} of this host as well, not through this collection:"
                f" take it off there (ip address flush dev {others[0]} to {bare(address)}), then run again"
            )
    _until(run, service, address, False, f"{address} is still here", errors, seconds)


def _until(run: Runner, service: str, address: str, wanted: bool, otherwise: str, errors: str, seconds: int) -> None:
    deadline = time.monotonic() + seconds
    while here(run, address) != wanted:
        if time.monotonic() > deadline:
            raise MirroringError(
                f"{otherwise} after {seconds} s ({' '.join(errors.split()) or 'no error'}): look at journalctl -u"
                f" {unit(service)}, then run this again"
            )
        time.sleep(0.1)
