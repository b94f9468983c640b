# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The segments that have registered with the master."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import segments
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)


def main(module):
    """Ask until all are there or the time is up."""
    instance = instance_of(module.params["instance"])
    ask = choice.of(instance.engine, postgresql=segments.await_registration)
    return ask(instance, not module.check_mode, **only(module.params, "wait_for", "timeout"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "wait_for": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 20},
        },
    )
