# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy a configuration that lies outside the data directory."""

from __future__ import annotations

from ..host import account, configuration
from ..host.module import run_module


def main(module):
    """Do it as the owner; where that user does not exist yet, nothing is there and all of it would be written."""
    options, act = module.params, not module.check_mode
    place = options["path"]
    if not account.is_there(options["owner"], act):
        changed = options["state"] == "written"
        return {"changed": changed, "directories": [], "files": [], "skipped": {}, "written": []}
    if options["state"] == "read":
        return configuration.read(place)
    if options["state"] == "absent":
        return configuration.remove(place, act, paths=options["written"])
    if options["state"] == "discarded":
        return configuration.discard(place, act)
    return configuration.write(place, act, directories=options["directories"], found=options["files"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["owner"],
        named=lambda options: [options["path"]],
        supports_check_mode=True,
        argument_spec={
            "state": {"type": "str", "choices": ["read", "written", "absent", "discarded"], "default": "read"},
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "required": True},
            "directories": {"type": "list", "elements": "str", "default": []},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "str", "required": True},
                    "mode": {"type": "str", "required": True},
                    "content": {"type": "str", "required": True, "no_log": True},
                },
            },
            "written": {"type": "list", "elements": "str", "default": []},
        },
    )
