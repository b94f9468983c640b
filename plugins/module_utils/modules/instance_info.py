# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Observe one master host."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import observing
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner
from ..host.virtual_ip import OPTION


def main(module):
    """Ask the engine."""
    instance = instance_of(module.params["instance"])
    observe = choice.of(instance.engine, postgresql=observing.observe)
    names = ("peers", "directories", "libraries", "replication", "virtual_ip", "view_databases", "sizes", "version")
    return {"changed": False, "observation": observe(instance, Runner(), **only(module.params, *names))}


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        seconds=120,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "peers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "address": {"type": "str", "required": True},
                    "port": {"type": "int", "required": True},
                },
            },
            "directories": {"type": "list", "elements": "path", "default": []},
            "libraries": {"type": "list", "elements": "path", "default": []},
            "replication": {
                "type": "dict",
                "default": {},
                "apply_defaults": True,
                "options": {
                    "role": {"type": "str", "default": "hawq_mirroring"},
                    "passfile": {"type": "path"},
                },
            },
            "virtual_ip": OPTION,
            "view_databases": {"type": "list", "elements": "str", "default": []},
            "sizes": {"type": "bool", "default": False},
            "version": {"type": "int", "default": 0},
        },
    )
