# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a new database system."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import new_system
from ..host.lock import alone
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Make it, if there is none."""
    instance, act = instance_of(module.params["instance"]), not module.check_mode
    make = choice.of(instance.engine, postgresql=new_system.make)
    with alone(act):
        return make(instance, Runner(), act, **only(module.params, "locale", "settings", "timeout"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "locale": {"type": "str", "default": "C.UTF-8"},
            "settings": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 600},
        },
    )
