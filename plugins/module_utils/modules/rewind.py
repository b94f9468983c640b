# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take a diverged server back to where its history left its master's."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import rewind
from ..host.module import (
    HISTORY_OPTION,
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner
from ..values import history


def main(module):
    """Say why it did not work instead of failing."""
    options, instance = module.params, instance_of(module.params["instance"])
    return choice.of(instance.engine, postgresql=rewind.rewind)(
        instance,
        Runner(),
        not module.check_mode,
        **only(options, "primary", "role", "passfile", "password_of", "fork", "timeout"),
        history=history.parts(options["history"]),
    )


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "primary": {"type": "dict", "required": True},
            "role": {"type": "str", "required": True},
            "passfile": {"type": "path", "required": True, "no_log": False},
            "password_of": {"type": "str", "default": "hawq_mirroring", "no_log": False},
            "fork": {"type": "str", "required": True},
            "history": HISTORY_OPTION,
            "timeout": {"type": "int", "default": 3600},
        },
    )
