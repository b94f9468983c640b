# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep aside what only a former master has, before it is overwritten."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import lost_work
from ..host.lock import alone
from ..host.module import (
    HISTORY_OPTION,
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ..host.run import Runner
from ..values import history


def main(module):
    """Act alone; what is there already is left alone."""
    options, act = module.params, not module.check_mode
    instance, parts = instance_of(options["instance"]), history.parts(options["history"])
    keep = choice.of(instance.engine, postgresql=lost_work.keep)
    with alone(act):
        return keep(instance, Runner(), act, history=parts, divergence=options["divergence"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        seconds=86400,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "divergence": {"type": "dict", "required": True},
            "history": HISTORY_OPTION,
        },
    )
