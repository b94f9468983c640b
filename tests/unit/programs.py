"""The collection's own programs, loaded as modules: they have no suffix."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import typing as t
from pathlib import Path

ROLES = Path(__file__).parents[2] / "roles"
INTERLOCK = str(ROLES / "server/files/hawq-mirroring-interlock")
PEER = str(ROLES / "ssh_keys/files/hawq-mirroring-peer")
#: a program of Python that runs it with the settings below another directory
PEER_ELSEWHERE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from programs import PEER, loaded
peer = loaded(PEER)
peer.SETTINGS = sys.argv.pop(1)
peer.main()
"""
SEGMENT = str(ROLES / "segment/files/hawq-mirroring-segment")
VIRTUAL_IP = str(ROLES / "virtual_ip/files/hawq-mirroring-virtual-ip")


def loaded(path: str) -> t.Any:
    """Return a program as a module."""
    loader = importlib.machinery.SourceFileLoader(Path(path).name.replace("-", "_"), path)
    loader.set_data = lambda *_arguments, **_options: None  # type: ignore[method-assign]  # no bytecode beside it
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
