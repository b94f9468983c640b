# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell the guard of a master for which standby commits are to wait, or ask it."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import waiting
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)


def main(module):
    """Tell it, and wait until it has done so."""
    options, instance = module.params, instance_of(module.params["instance"])
    tell = choice.of(instance.engine, postgresql=waiting.tell)
    return tell(instance, not module.check_mode, **only(options, "state", "standby", "mode", "unit", "timeout"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {
                "type": "str",
                "choices": [waiting.RELEASED, waiting.AGAIN, waiting.CONFIRMED],
                "default": waiting.CONFIRMED,
            },
            "standby": {"type": "str", "required": True},
            "mode": {
                "type": "str",
                "choices": ["asynchronous", "synchronous", "strict"],
                "default": "synchronous",
            },
            "unit": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 30},
        },
    )
