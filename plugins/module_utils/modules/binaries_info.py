# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look for the engine's programs on one host."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import binaries
from ..host import separation
from ..host.module import ENGINE_OPTION, run_module
from ..host.run import Runner


def main(module):
    """Look, and judge only what was asked for."""
    options = module.params
    look = choice.of(options["engine"], postgresql=binaries.look)
    return look(Runner(), options["bin_directory"], options["version"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["user"],
        supports_check_mode=True,
        argument_spec={
            "bin_directory": {"type": "path", "default": ""},
            "version": {"type": "int", "default": 0},
            "user": {"type": "str", "default": separation.NOBODY},
            "engine": ENGINE_OPTION,
        },
    )
