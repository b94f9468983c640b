# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the master a source for a standby, or take that back."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import source
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)


def main(module):
    """Make it one, or take that back."""
    options, act = module.params, not module.check_mode
    instance, named = instance_of(options["instance"]), only(options, "role", "master", "standby", "slot")
    if options["state"] == "absent":
        take_away = choice.of(instance.engine, postgresql=source.absent)
        return take_away(instance, act, **named, **only(options, "created", "spare"), by=options["run"])
    make = choice.of(instance.engine, postgresql=source.present)
    return make(instance, act, **named, **only(options, "passfile", "others", "kept_wal"), by=options["run"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "default": "hawq_mirroring"},
            "passfile": {"type": "path", "required": True, "no_log": False},
            "master": {"type": "str"},
            "standby": {"type": "str", "required": True},
            "others": {"type": "list", "elements": "str", "default": []},
            "slot": {"type": "str", "required": True},
            "kept_wal": {"type": "int"},
            "run": {"type": "str"},
            "spare": {"type": "bool", "default": False},
            "created": {"type": "list", "elements": "str", "choices": ["role", "registration", "slot"], "default": []},
        },
    )
