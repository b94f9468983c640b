# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring the WAL that a standby lacks over from its dead master."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql.salvage import offering, taking
from ..host.lock import alone
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Look, or act alone on this host."""
    options, act = module.params, not module.check_mode
    instance, run = instance_of(options["instance"]), Runner()
    if options["state"] == "offered":
        look = choice.of(instance.engine, postgresql=offering.offered)
        names = ("after", "have", "timeline", "known", "known_from", "accept_loss")
        return look(instance, run, act, **only(options, *names, "timeout"))
    if options["state"] == "given":
        give = choice.of(instance.engine, postgresql=offering.given)
        return give(instance, **only(options, "name", "offset"))
    with alone(act):
        if options["state"] == "fetched":
            get = choice.of(instance.engine, postgresql=taking.fetched)
            return get(instance, run, act, **only(options, "offer", "address", "port", "unit", "timeout"))
        if options["state"] == "taken":
            take = choice.of(instance.engine, postgresql=taking.taken)
            return take(instance, act, **only(options, "offer", "name", "offset", "content"))
        replay = choice.of(instance.engine, postgresql=taking.installed)
        return replay(instance, run, act, **only(options, "offer", "have", "accept_loss", "timeout"))


STATES = ["offered", "fetched", "given", "taken", "installed"]


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        seconds=86400,
        supports_check_mode=True,
        required_if=[
            ("state", "offered", ["after", "have", "timeline"]),
            ("state", "fetched", ["offer", "address"]),
            ("state", "given", ["name"]),
            ("state", "taken", ["offer", "name", "content"]),
            ("state", "installed", ["offer", "have"]),
        ],
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": STATES, "required": True},
            "after": {"type": "str"},
            "have": {"type": "str"},
            "known": {"type": "str"},
            "known_from": {"type": "str", "default": ""},
            "accept_loss": {"type": "bool", "default": False},
            "timeline": {"type": "int"},
            "offer": {"type": "dict"},
            "address": {"type": "str"},
            "port": {"type": "int", "default": 22},
            "unit": {"type": "str"},
            "name": {"type": "str"},
            "offset": {"type": "int", "default": 0},
            "content": {"type": "str"},
            "timeout": {"type": "int", "default": 600},
        },
    )
