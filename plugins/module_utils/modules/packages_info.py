# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell what the packages with the engine are called on one host."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import packages
from ..host.module import ENGINE_OPTION, run_module


def main(module):
    """Root asks for itself: what it installs must not be what the server's user says."""
    tell = choice.of(module.params["engine"], postgresql=packages.tell)
    return tell(module.params["version"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=None,
        supports_check_mode=True,
        argument_spec={"version": {"type": "int", "default": 0}, "engine": ENGINE_OPTION},
    )
