# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server has that its master has not."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import divergence
from ..host.module import (
    HISTORY_OPTION,
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ..host.run import Runner
from ..values import history


def main(module):
    """Read only."""
    options, instance = module.params, instance_of(module.params["instance"])
    examine = choice.of(instance.engine, postgresql=divergence.examine)
    found = examine(
        instance,
        Runner(),
        history.parts(options["history"]),
        options["fork"],
        options["timeout"],
        reached=options["reached"],
    )
    return {"changed": False, "divergence": found}


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "fork": {"type": "str", "required": True},
            "history": HISTORY_OPTION,
            "reached": {"type": "str"},
            "timeout": {"type": "int", "default": 120},
        },
    )
