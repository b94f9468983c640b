# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a data directory a standby of the master."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import following
from ..host.lock import alone
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Act alone, since two operators may run the same playbook."""
    act, instance = not module.check_mode, instance_of(module.params["instance"])
    follow = choice.of(instance.engine, postgresql=following.follow)
    names = ("directory", "copy_id", "primary", "slot", "settings", "reload", "resume")
    with alone(act):
        return follow(instance, Runner(), act, **only(module.params, *names))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "directory": {"type": "path"},
            "copy_id": {"type": "int"},
            "primary": {"type": "dict", "required": True},
            "slot": {"type": "str", "required": True},
            "reload": {"type": "bool", "default": False},
            "resume": {"type": "bool", "default": False},
            "settings": {"type": "dict", "default": {}},
        },
    )
