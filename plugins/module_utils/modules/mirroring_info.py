# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of mirroring, as clients of the master see it."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import mirroring
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Ask until the answer fits or the time is up."""
    options, instance = module.params, instance_of(module.params["instance"])
    ask = choice.of(instance.engine, postgresql=mirroring.state)
    return ask(instance, Runner(), not module.check_mode, **only(options, "wait_for", "standby", "timeout", "advice"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "wait_for": {
                "type": "str",
                "choices": [
                    mirroring.SESSION,
                    mirroring.RECOVERING,
                    "Not Configured",
                    "Synchronizing",
                    "Synchronized",
                    "Not Synchronized",
                ],
            },
            "standby": {"type": "str"},
            "timeout": {"type": "int", "default": 60},
            "advice": {"type": "str", "default": ""},
        },
    )
