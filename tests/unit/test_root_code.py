# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which code runs as root, and what of it changes files or runs programs: each place stands here with its reason.

Whoever has taken over the server's user can exchange whatever that user can change, at any moment. So root opens,
changes and runs nothing there. A failing test here asks: may this run as root at all? Mostly it belongs into a process
of the user's (``host/separation.py``). The lists are exact: what is not needed any more goes, too.
"""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = "ansible_collections.hawq.mirroring.plugins.module_utils"
#: what each module does
PARTS = PLUGINS / "module_utils/modules"


def _words(text: str) -> set[str]:
    return set(text.split())


#: what changes files, opens them, runs programs or changes who a process is, by module
DANGEROUS = {
    "os": _words(
        "chown fchown lchown chmod fchmod lchmod rename renames replace unlink remove mkdir makedirs rmdir removedirs"
        " symlink link truncate ftruncate mkfifo mknod open fdopen utime setxattr removexattr chroot mount umount"
        " system popen execl execle execlp execlpe execv execve execvp execvpe posix_spawn posix_spawnp spawnl spawnv"
        " fork forkpty setuid setgid setreuid setregid setresuid setresgid seteuid setegid setgroups initgroups"
    ),
    "shutil": None,
    "tempfile": None,
    "glob": None,
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "ctypes": {"CDLL"},
    "pty": None,
    "fileinput": None,
}
#: of pathlib's paths, and of Ansible's module
METHODS = _words(
    "write_text write_bytes touch symlink_to hardlink_to link_to rglob glob atomic_move run_command"
    " set_fs_attributes_if_different set_mode_if_different set_owner_if_different preserved_copy"
)
#: the same where the object is no module of ours, which has functions of these names
PATH_METHODS = _words("rename unlink rmdir mkdir chmod lchmod open replace")
BUILTINS = {"open", "exec", "eval", "compile", "__import__"}


class Use(t.NamedTuple):
    """A dangerous name in a function."""

    function: str
    name: str


def _names_of_modules(tree: ast.AST) -> set[str]:
    """Return what a file calls the modules that it imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def uses(path: Path) -> set[Use]:
    """Return every dangerous name of a file, called or handed on, with the function that it stands in."""
    tree = ast.parse(path.read_text())
    modules = _names_of_modules(tree)
    found: set[Use] = set()

    def look(node: ast.AST, function: str) -> None:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            function = f"{function}.{node.name}".lstrip(".")
        name = _dangerous(node, modules)
        if name:
            found.add(Use(function, name))
        for inner in ast.iter_child_nodes(node):
            look(inner, function)

    look(tree, "")
    return found


def _dangerous(node: ast.AST, modules: set[str]) -> str:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in BUILTINS:
        return node.id
    if isinstance(node, ast.ImportFrom) and not node.level and node.module in DANGEROUS:
        return f"from {node.module}"  # such a name would not be found again
    if not isinstance(node, ast.Attribute):
        return ""
    if isinstance(node.value, ast.Name) and node.value.id in DANGEROUS:
        some = DANGEROUS[node.value.id]
        return f"{node.value.id}.{node.attr}" if some is None or node.attr in some else ""
    if node.attr in METHODS:
        return node.attr
    ours = isinstance(node.value, ast.Name) and node.value.id in modules
    text = node.attr == "replace"  # mostly that of a text; pathlib's is rare, and os.replace is found above
    return node.attr if node.attr in PATH_METHODS and not ours and not text else ""


# code of modules that runs as root

#: modules without a user, whose ``main`` runs as root
ROOT_MODULES = {
    "clear_host": "removes what host_program and the roles have put below /usr/local, /etc and /run, and nothing else",
    "packages_info": "reads the distribution's name and where packages come from, files of root's, and runs nothing",
    "host_program": "writes programs, settings and units that are root's, below /usr/local, /etc and nowhere else",
    "virtual_ip": "starts and stops root's own unit, and removes the address that the operator has named",
}
#: modules that run on the controller alone, as whoever types the playbook
ON_THE_CONTROLLER = ("options", "report", "verdict")
#: files that run as root: those of root's modules, of every module before it gives up root, and of the services
ROOT_FILES: dict[str, dict[str, tuple[set[str], str]]] = {
    "host/clearing.py": {
        "_remove": ({"os.rmdir"}, "directories of the collection's own below /etc, when they are empty"),
        "_unlink": ({"os.unlink"}, "files of the collection's own below /etc, /run, /var/lib and /usr/local"),
    },
    "host/directories.py": {
        "_Trail.__init__": ({"os.open"}, "the root of the file system, from where every walk begins"),
        "_Trail.walk": ({"os.open"}, "a name in a directory that is root's alone, never through a link"),
        "_Trail._look": ({"os.mkdir", "os.chmod"}, "in such a directory, and root's"),
        "_parent": ({"os.open"}, "never through a link; it must be the user's"),
        "make": (
            {"os.mkdir", "os.open", "os.fchown", "os.fchmod"},
            "by the descriptor of what was just made or judged",
        ),
        "rename": ({"os.rename", "os.unlink"}, "between two descriptors; what has arrived is looked at, or goes"),
        "remove": ({"os.rmdir"}, "an empty directory, from one that is root's alone"),
        "write": (
            {"os.unlink", "os.open", "os.fdopen", "os.fchmod", "os.rename"},
            "a new file in a directory where nobody can exchange root's",
        ),
        "unlink": ({"os.unlink"}, "a name in a directory where nobody can exchange root's"),
    },
    "host/files.py": {
        "opened": ({"os.open", "os.fdopen"}, "root reads what is installed, in /etc, /usr/local and /proc"),
        "changed": ({"os.open", "os.fdopen"}, "not called by root: WAL that the user is given"),
        "created": ({"os.unlink", "os.open", "os.fdopen"}, "not called by root: files of a copy"),
        "write": (
            {"tempfile.mkstemp", "os.fdopen", "os.fchown", "os.fchmod", "os.replace", "os.unlink"},
            "root's by installation alone, in directories of root's",
        ),
        "changing": ({"os.chmod"}, "not done by root, who may write everywhere"),
        "rewrite": (
            {"os.open", "os.fdopen", "os.fchmod", "os.ftruncate"},
            "not called by root: a password file, by its owner",
        ),
        "sync_directory": ({"os.open"}, "not called by root: it changes nothing"),
    },
    "host/installation.py": {
        "install": ({"os.makedirs"}, "of programs, settings and units, whose paths are fixed"),
    },
    "host/lock.py": {"held": ({"os.open"}, "one file in /run, never through a link, and never written to")},
    "host/run.py": {
        "Runner.__call__": ({"open"}, "that of memory"),
        "Runner.reading": ({"open"}, "that of memory"),
        "Runner._started": (
            {"subprocess.Popen"},
            "root runs what services permits and what its own modules say",
        ),
    },
    "host/neighbours.py": {
        "named_in": ({"glob.glob"}, "names in directories of root's in /etc"),
    },
    "engines/postgresql/packages.py": {
        "here": ({"glob.glob"}, "whether a file has that name, in a directory of root's"),
        "manager": ({"shutil.which"}, "whether a program has that name, which root does not run"),
    },
    "host/separation.py": {
        "run_as": ({"os.fork"}, "the child gives up root, and the parent waits for it"),
        "become": (
            {"os.open", "os.setgroups", "os.setresgid", "os.setresuid", "os.setuid", "ctypes.CDLL"},
            "gives up root; opens /dev/null; the last setuid must fail",
        ),
    },
}
#: files that root imports and that do nothing dangerous
HARMLESS = {
    "host/errors.py",
    "host/module.py",
    "host/network.py",
    "host/programs.py",
    "engines/choice.py",
    "engines/postgresql/packaging.py",
    "host/services.py",
    "host/systemd.py",
    "host/virtual_ip.py",
}
#: what a module reaches of ours before its work begins as the user
BEFORE_THE_USER = ("host/module.py",)


def imports(path: Path) -> set[str]:
    """Return the files of module_utils that a file imports."""
    here = path.relative_to(PLUGINS / "module_utils").parent.parts if "module_utils" in path.parts else ()
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        words = tuple((node.module or "").split(".")) if node.module else ()
        if node.level:
            base = (*here[: len(here) - node.level + 1], *words)
        elif (node.module or "").startswith(PACKAGE):
            base = words[len(PACKAGE.split(".")) :]
        else:
            continue
        for alias in node.names:
            for parts in ((*base, alias.name), base):
                file = PLUGINS.joinpath("module_utils", *parts).with_suffix(".py")
                if parts and file.exists():
                    found.add("/".join(parts) + ".py")
                    break
    return found


def reached() -> set[str]:
    """Return every file of a host's code that root runs or could run."""
    left = [*BEFORE_THE_USER]
    for name in ROOT_MODULES:
        left += imports(PARTS / f"{name}.py")
    found: set[str] = set()
    while left:
        here = left.pop()
        if here not in found:
            found.add(here)
            left += imports(PLUGINS / "module_utils" / here)
    return {path for path in found if not path.startswith("values/")}


def test_root_runs_these_files_and_no_others() -> None:
    """The engines' code is none of them: a database's files are the user's."""
    assert reached() == HARMLESS | set(ROOT_FILES)


@pytest.mark.parametrize("name", sorted(HARMLESS | set(ROOT_FILES)))
def test_what_root_changes_stands_here_with_its_reason(name: str) -> None:
    expected = {
        Use(function, word) for function, (words, _reason) in ROOT_FILES.get(name, {}).items() for word in words
    }
    assert uses(PLUGINS / "module_utils" / name) == expected
    assert all(reason for _words, reason in ROOT_FILES.get(name, {}).values())


@pytest.mark.parametrize(
    "name", sorted(path.relative_to(PLUGINS).as_posix() for path in PLUGINS.glob("module_utils/values/*.py"))
)
def test_values_touch_nothing(name: str) -> None:
    assert uses(PLUGINS / name) == set()


# modules


def _call_of(path: Path) -> ast.Call | None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "run_module":
            return node
    return None


def _account(call: ast.Call) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == "account"), None)


@pytest.mark.parametrize("path", sorted(PARTS.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_module_runs_as_the_user_or_stands_here_with_its_reason(path: Path) -> None:
    """A module itself does nothing dangerous: that is host's and the engines'."""
    assert uses(path) == set()
    call = _call_of(path)
    assert call is not None
    account = _account(call)
    as_root = isinstance(account, ast.Constant) and account.value is None
    assert as_root == (path.stem in ROOT_MODULES)
    # by default it is the user of the option instance, which has to be there then
    if account is None:
        assert any(isinstance(node, ast.Constant) and node.value == "instance" for node in ast.walk(call))


@pytest.mark.parametrize("path", sorted(PLUGINS.glob("modules/*.py")), ids=lambda path: path.stem)
def test_what_is_documented_does_nothing_itself(path: Path) -> None:
    assert uses(path) == set()
    assert _call_of(path) is None


def test_every_module_that_is_named_here_is_there() -> None:
    there = {path.stem for path in PLUGINS.glob("modules/*.py")}
    assert set(ROOT_MODULES) <= there
    assert set(ON_THE_CONTROLLER) <= there
    assert all(ROOT_MODULES.values())


def test_nobody_becomes_another_user_but_the_one_place() -> None:
    """Nor is a program run as somebody else: a process that has become the user cannot, and root must not."""
    for path in PLUGINS.rglob("*.py"):
        words = {use.name for use in uses(path)}
        changing = {word for word in words if word.startswith("os.set") or word in ("os.fork", "ctypes.CDLL")}
        # these ask the kernel for one thing each
        changing -= {"ctypes.CDLL"} if path.name in ("ring.py", "quota.py") else set()
        assert not changing or path.name == "separation.py", path
        constants = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not constants & {"runuser", "sudo", "su", "setpriv --reuid"}, path


# programs that units of root's run

#: programs of roles that run as root, and what they do then
ROOT_PROGRAMS: dict[str, dict[str, tuple[set[str], str]]] = {
    "roles/server/files/hawq-mirroring-interlock": {
        "main": ({"open", "os.fork"}, "root's settings in /etc; the child gives up root before it does anything"),
        "taken": ({"os.unlink"}, "root's permission in /run"),
        "there_again": ({"os.unlink"}, "root's mark in /var/lib/hawq-mirroring"),
        "become": (
            {"os.setgroups", "os.setresgid", "os.setresuid", "ctypes.CDLL"},
            "gives up root, before anything of the user's is looked at",
        ),
        "output_of": ({"open", "subprocess.run"}, "as the user by then; open is that of memory"),
        "own_state": ({"glob.glob", "glob.escape"}, "as the user by then"),
        "small": ({"os.open", "os.fdopen"}, "as the user by then, and root's mark in /var/lib/hawq-mirroring"),
    },
    "roles/virtual_ip/files/hawq-mirroring-virtual-ip": {
        "main": ({"open"}, "root's settings in /etc"),
        "run": ({"open", "subprocess.run"}, "ip as root, itself as the user; open is that of memory"),
        "wrong": ({"open", "shutil.which"}, "the kernel's files in /sys and /proc; root's own path"),
        "Holder.add": ({"open"}, "its own directory in /run, which systemd makes for it"),
        "down": ({"open"}, "the same"),
        "ask": ({"os.open", "os.fdopen", "os.execv"}, "as the user: it ends where it is root"),
    },
}
#: programs of roles that never are root, and why
USERS_PROGRAMS = {
    "roles/guard/files/hawq-mirroring-guard": "its unit says User=",
    "roles/witness/files/hawq-mirroring-witness": "its unit says User=, and a task begins its record as the user",
    "roles/segment/files/hawq-mirroring-segment": "its unit says User=",
    "roles/ssh_keys/files/hawq-mirroring-peer": "a login of the user's runs it",
}


def programs() -> list[str]:
    files = [path for path in ROOT.glob("roles/*/files/*") if path.is_file()]
    found = [path for path in files if path.read_text().startswith(("#!", "# GNU"))]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if path.suffix not in (".sql", ".control"))


def test_every_program_is_roots_or_the_users() -> None:
    assert programs() == sorted([*ROOT_PROGRAMS, *USERS_PROGRAMS])
    assert all(USERS_PROGRAMS.values())


@pytest.mark.parametrize("name", ROOT_PROGRAMS)
def test_what_a_program_of_roots_changes_stands_here_with_its_reason(name: str) -> None:
    expected = {Use(function, word) for function, (words, _reason) in ROOT_PROGRAMS[name].items() for word in words}
    assert uses(ROOT / name) == expected
    assert all(reason for _words, reason in ROOT_PROGRAMS[name].values())


# tasks


class Touch(t.NamedTuple):
    """A path that a module of Ansible's own opens or changes as root."""

    file: str
    module: str
    path: str


#: modules that open no path, by the end of their names; any other one counts
PATHLESS = _words(
    "add_host apt assert debug deb822_repository dnf fail getent group group_by import_playbook import_role"
    " import_tasks include_role include_tasks include_vars meta package package_facts pause ping service service_facts"
    " set_fact setup systemd systemd_service user wait_for wait_for_connection rpm_key apt_key yum_repository raw"
)
#: characters of a path or command that tell it from others
MOST = 80
#: their options that are paths on the host, but for those on the controller
PATHS = ("path", "dest", "paths", "cmd", "argv", "src", "_raw_params", "free_form", "user")
FROM_THE_CONTROLLER = ("copy", "template", "unarchive")

#: what root's tasks may open: by file, module and path, with the reason
ALLOWED: dict[Touch, str] = {
    Touch(
        "roles/gpadmin_user/tasks/main.yml", "blockinfile", "/etc/security/limits.d/hawq-{{ gpadmin_user_name }}.conf"
    ): "root's",
    Touch(
        "roles/server/tasks/linger.yml", "command", "/usr/bin/loginctl enable-linger {{ server_user }}"
    ): "a program of systemd's, of an account that is given by its name",
    Touch("roles/server/tasks/unit.yml", "template", "/etc/systemd/system/{{ server_cluster }}.service"): "root's",
    Touch("roles/witness/tasks/bystand.yml", "file", "/etc/hawq-mirroring/{{ server_cluster }}"): "root's",
    Touch(
        "roles/witness/tasks/bystand.yml", "copy", "/etc/hawq-mirroring/{{ server_cluster }}/witness.pgpass"
    ): "begins a file in a directory of root's",
    Touch("roles/guard/tasks/library.yml", "command", "/usr/bin/python3 -I -c import psycopg2"): "the system's own",
    Touch("roles/guard/tasks/told.yml", "file", "/etc/hawq-mirroring/{{ server_cluster }}"): "root's",
    Touch("roles/guard/tasks/told.yml", "copy", "{{ guard_settings_path }}"): "root's",
    Touch("roles/witness/tasks/install.yml", "file", "{{ witness_directory }}"): "a directory for the user, in root's",
    Touch(
        "roles/witness/tasks/install.yml",
        "command",
        "runuser -u {{ witness_user }} -- /usr/bin/python3 -I /usr/local/libexec/hawq-mir",
    ): "a program that is root's, as the user",
    Touch("roles/segment/tasks/register.yml", "file", "/etc/hawq-mirroring"): "root's",
    Touch("roles/segment/tasks/register.yml", "copy", "/etc/hawq-mirroring/segment.pgpass"): "only root can begin it",
    Touch("roles/binaries/tasks/packages.yml", "file", "/etc/postgresql-common/createcluster.d"): "root's",
    Touch(
        "roles/binaries/tasks/packages.yml", "copy", "/etc/postgresql-common/createcluster.d/hawq-mirroring.conf"
    ): "root's",
    Touch("roles/segment/tasks/register.yml", "file", "/etc/hawq-mirroring"): "root's",
    Touch(
        "roles/segment/tasks/register.yml", "copy", "/etc/hawq-mirroring/segment.pgpass"
    ): "begins a file in a directory of root's",
    Touch(
        "roles/virtual_ip/tasks/remove.yml",
        "lineinfile",
        "/etc/systemd/system/{{ server_service if server_service.endswith('.service') els",
    ): "root's",
    Touch("roles/virtual_ip/tasks/remove.yml", "file", "/etc/systemd/system/{{ virtual_ip_unit }}"): "root's",
    Touch(
        "roles/virtual_ip/tasks/remove.yml", "file", "/etc/hawq-mirroring/{{ server_cluster }}/virtual-ip.json"
    ): "root's",
    **{
        Touch("roles/binaries/tasks/archive.yml", module, path): "programs that are root's, in a place of root's"
        for module, path in (
            ("find", "{{ binaries_place }}"),
            ("file", "{{ binaries_staging }}"),
            ("file", "{{ binaries_staging }}/tree"),
            ("get_url", "{{ binaries_staging }}/archive"),
            ("copy", "{{ binaries_staging }}/archive"),
            ("stat", "{{ binaries_staging }}/archive"),
            ("unarchive", "{{ binaries_staging }}/archive"),
            ("unarchive", "{{ binaries_staging }}/tree"),
            ("command", "mv --no-target-directory {{ binaries_staging }}/tree {{ binaries_place }}"),
        )
    },
}
# ----------------------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Reads tags of Ansible's own as plain texts."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: str(getattr(node, "value", "")))


def tasks_of(found: t.Any, above: dict[str, t.Any] | None = None) -> t.Iterator[dict[str, t.Any]]:
    """Return every task in a file with what its blocks and plays say of who runs it, and where."""
    for task in found or []:
        if not isinstance(task, dict):
            continue
        inherited = {
            name: task[name] for name in ("become", "become_user", "delegate_to", "connection", "hosts") if name in task
        }
        whole = {**(above or {}), **inherited}
        yield {**whole, **task}
        for inner in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from tasks_of(task.get(inner), whole)


def on_the_controller(task: dict[str, t.Any]) -> bool:
    return task.get("delegate_to", task.get("hosts")) == "localhost" and task.get("become") is False


def as_the_user(task: dict[str, t.Any]) -> bool:
    return str(task.get("become_user", "root")) != "root"


def touches() -> dict[Touch, int]:
    """Return what modules that are not of this collection open as root, with the number of tasks that do."""
    found: dict[Touch, int] = {}
    files = [path for room in ("playbooks", "roles") for path in sorted((ROOT / room).rglob("*.yml"))]
    for path in files:
        content = yaml.load(path.read_text(), _Loader)
        if not isinstance(content, list):
            continue
        for task in tasks_of(content):
            if on_the_controller(task) or as_the_user(task):
                continue
            for name, arguments in task.items():
                for touch in _touches_of(path.relative_to(ROOT).as_posix(), name, arguments):
                    found[touch] = found.get(touch, 0) + 1
    return found


def _touches_of(file: str, name: str, arguments: t.Any) -> t.Iterator[Touch]:
    space, _dot, short = name.rpartition(".")
    if not space or space == "hawq.mirroring" or short in PATHLESS:
        return
    if not isinstance(arguments, dict):
        yield Touch(file, short, str(arguments))
        return
    for option in PATHS:
        value = arguments.get(option)
        there = "dest" if short == "fetch" else "src" if short in FROM_THE_CONTROLLER else ""
        if value is None or (option == there and not arguments.get("remote_src")):
            continue
        text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield Touch(file, short, text[:MOST])


def test_no_task_opens_what_is_the_users_as_root() -> None:
    found = set(touches())
    assert found - set(ALLOWED) == set(), "these run as root: use a module of this collection"
    assert set(ALLOWED) - found == set(), "these are not needed in ALLOWED any more"
    assert all(ALLOWED.values())


@pytest.mark.parametrize("role", ["guard", "witness"])
def test_the_places_of_programs_are_roots(role: str) -> None:
    found = yaml.safe_load((ROOT / "roles" / role / "vars" / "main.yml").read_text())
    assert found[f"{role}_settings_path"].startswith("/etc/hawq-mirroring/")
    assert found.get("witness_directory", "/var/lib/hawq-mirroring-").startswith("/var/lib/hawq-mirroring-")


def test_what_is_allowed_is_a_place_of_the_systems() -> None:
    """Whatever the user is called and wherever its data is."""
    for touch in ALLOWED:
        start = touch.path.removeprefix("mv --no-target-directory ").removeprefix("runuser -u {{ witness_user }} -- ")
        named = ("{{ binaries_", "{{ guard_", "{{ witness_")
        assert start.startswith(("/etc/", "/usr/", "/run/", *named)), touch
        assert not any(word in touch.path for word in ("data_directory", "passfile", "~", "home", "config_directory"))


# the test itself

EXAMPLES = {
    "import os\ndef f():\n    os.rename('a', 'b')": {Use("f", "os.rename")},
    "import os\nclass C:\n    def f(self):\n        g(os.chown)": {Use("C.f", "os.chown")},
    "from shutil import copy": {Use("", "from shutil")},
    "from os import rename as r": {Use("", "from os")},
    "def f(path):\n    path.write_text('x'); path.unlink()": {Use("f", "write_text"), Use("f", "unlink")},
    "from . import directories\ndirectories.rename('a', 'b')": set(),
    "x = 'a'.replace('a', 'b')": set(),
    "import os\nos.path.join('a')\nos.stat('a')": set(),
    "with open('x') as f: pass": {Use("", "open")},
    "import subprocess\nsubprocess.DEVNULL\nsubprocess.run([])": {Use("", "subprocess.run")},
}


@pytest.mark.parametrize(("code", "found"), EXAMPLES.items(), ids=range(len(EXAMPLES)))
def test_what_is_dangerous_is_found(tmp_path: Path, code: str, found: set[Use]) -> None:
    path = tmp_path / "x.py"
    path.write_text(code)
    assert uses(path) == found
