"""The package's rooms: which may import which, and what no file may do."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from .support.package import MODULES, ROOMS, ROOT, each

KNOWS = {
    "models": {"models"},
    "topology": {"topology", "models"},
    "repositories": {"repositories", "topology", "models"},
    "bench": {"bench", "repositories", "topology", "models", "slotbook"},
    "web": {"web", "repositories", "topology", "models"},
    "cli": {"cli", "bench", "web", "repositories", "topology", "models", "slotbook"},
    "testing": {"testing", "repositories", "topology", "models"},
    "slotbook": {"repositories", "topology", "models"},
}
"""Which room may import from which; ``slotbook`` is the public face."""

TIERS = (
    {"book"},
    {"coordination"},
    {"references", "units"},
    {"limits", "orders", "positions", "records", "symbols"},
    {"events", "search", "caching", "audit", "doctor"},
    {"changes"},
    {"_concurrency", "replies", "durations"},
)
"""The rooms of repositories/, from the top down: each may import only from itself and from those below its tier."""

FACES = {"", "sql"}
"""Public import paths of repositories/ (its ``__init__`` and ``sql``), which name what is in the rooms."""

IMPORTS_IN_FUNCTIONS = {
    "slotbook.testing.plugin": "all of Slotbook, which a run of pytest without a test of it does not load",
    "slotbook.cli": "says how to install the extra that it needs, in place of an ImportError",
    "slotbook.cli.app": "the models, which no error needs while none is raised: --help does not wait for them",
    "slotbook.repositories.audit._async": "what compares and repairs, a tenth of all, which a book that is not audited "
    "does not load",
    "slotbook.repositories.audit._sync": "the same",
    "slotbook.repositories.search.index_query": "redis-om, and numpy behind it, only for who makes indexes",
    "slotbook.repositories.search.query": "redis-om, and numpy behind it, only for who queries",
    "slotbook.topology.embedded.cleanup_process": "what removes, which it does only for a guard that was killed: one "
    "runs beside each deployment",
}
"""The modules that may import inside a function, and why."""

NOT_FOR_REPOSITORIES = {"layouts", "embedded", "address", "connections", "error_mapping", "retry", "batch"}
"""Modules of topology that know where a book runs; whoever says what may be done with it does not ask."""

every_module = each(MODULES)


@cache
def nodes_of(name: str) -> list[ast.AST]:
    """Return the nodes of a module's syntax tree, which most tests look through."""
    return list(ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))))


def room_of(name: str) -> str:
    return name.split(".")[1] if "." in name else name


@cache
def imports_of(name: str) -> list[tuple[str, ast.stmt]]:
    """Return the modules of this package that a module imports, wherever in the file."""
    package = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
    found: list[tuple[str, ast.stmt]] = []
    for node in nodes_of(name):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names if alias.name.split(".")[0] == "slotbook"]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            if target.split(".")[0] == "slotbook":
                found += [
                    (inner if (inner := f"{target}.{alias.name}") in MODULES else target, node) for alias in node.names
                ]
    return found


def inner_room_of(name: str) -> str:
    """Return the room of repositories/ that a module is in, "" for repositories/ itself."""
    return ".".join(name.split(".")[2:3])


def test_every_room_is_looked_into() -> None:
    assert {room_of(name) for name in MODULES} == {*ROOMS, "slotbook"}
    assert sum(len(imports_of(name)) for name in MODULES) > 100


@every_module
def test_a_room_imports_only_from_those_it_knows(name: str) -> None:
    wrong = [target for target, _ in imports_of(name) if room_of(target) not in KNOWS[room_of(name)]]
    assert wrong == []


def test_every_module_of_repositories_is_in_a_room_but_the_four_named() -> None:
    inside = {name for name in MODULES if room_of(name) == "repositories"}
    assert {inner_room_of(name) for name in inside} == FACES.union(*TIERS)
    files = {path.name for path in (ROOT / "repositories").glob("*.*")}
    assert files == {"__init__.py", "sql.py", "replies.py", "durations.py"}


@every_module
def test_no_room_of_repositories_imports_from_one_above_or_beside_it(name: str) -> None:
    if room_of(name) != "repositories" or inner_room_of(name) in FACES:
        return
    tier_of = {room: number for number, rooms in enumerate(TIERS) for room in rooms}
    own = inner_room_of(name)
    wrong = [
        target
        for target, _ in imports_of(name)
        if room_of(target) == "repositories"
        and inner_room_of(target) != own
        and tier_of.get(inner_room_of(target), -1) <= tier_of[own]
    ]
    assert wrong == []


def test_the_rooms_of_repositories_have_some_fifty_arrows() -> None:
    arrows = {
        (inner_room_of(name), inner_room_of(target))
        for name in MODULES
        for target, _ in imports_of(name)
        if room_of(name) == room_of(target) == "repositories" and inner_room_of(name) not in FACES
    }
    assert len({arrow for arrow in arrows if arrow[0] != arrow[1]}) <= 59


@every_module
def test_rooms_import_relatively(name: str) -> None:
    assert [node.lineno for _, node in imports_of(name) if not isinstance(node, ast.ImportFrom) or not node.level] == []


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name: {target for target, _ in imports_of(name)} - {name} for name in MODULES}
    while leaves := {name for name, targets in graph.items() if not targets & graph.keys()}:
        for name in leaves:
            del graph[name]
    assert not graph, f"these import each other in a circle: {sorted(graph)}"


@every_module
def test_no_function_hides_an_import(name: str) -> None:
    if name in IMPORTS_IN_FUNCTIONS:
        return
    functions = [node for node in nodes_of(name) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = [
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_the_allowed_imports_in_functions_are_still_there() -> None:
    assert IMPORTS_IN_FUNCTIONS.keys() <= MODULES.keys()


@every_module
def test_models_and_scripts_apart_nobody_outside_topology_asks_where_it_runs(name: str) -> None:
    if room_of(name) == "topology":
        return
    from_topology = {
        alias.asname or alias.name
        for target, node in imports_of(name)
        if room_of(target) == "topology" and not target.endswith(".call") and isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    asked = [
        ast.unparse(node)
        for node in nodes_of(name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for used in ast.walk(node.args[1])
        if isinstance(used, ast.Name) and used.id in from_topology
    ]
    assert asked == []
    if room_of(name) == "repositories":
        used = {target.split(".")[2] for target, _ in imports_of(name) if room_of(target) == "topology"}
        assert not used & NOT_FOR_REPOSITORIES
        assert not {"TopologyKind", "Target"} & from_topology


@every_module
def test_models_do_no_io(name: str) -> None:
    if room_of(name) != "models":
        return
    modules = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in nodes_of(name)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    forbidden = {"redis", "socket", "asyncio", "threading", "os", "ssl"}
    if name == "slotbook.models.building":
        forbidden -= {"threading", "os"}  # a thread is where no signal handler runs, and os tells of forks
    assert not {module.split(".")[0] for module in modules} & forbidden


def test_no_module_is_reached_through_its_package() -> None:
    """Not ``import a.b``: a module of an import that was interrupted is no attribute of its package for ever after."""
    for name in MODULES:
        if room_of(name) == "bench":
            continue
        imported = [node for node in nodes_of(name) if isinstance(node, ast.Import)]
        dotted = [alias.name for node in imported for alias in node.names if "." in alias.name and not alias.asname]
        assert dotted == [], name


def _imported() -> list[ModuleType]:
    return [importlib.import_module(name) for name in MODULES if not name.endswith("__main__")]


def test_no_module_is_loaded_twice() -> None:
    _imported()
    names: dict[Path, list[str]] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or "site-packages" in file:  # a virtual environment may be in the root
            continue
        if (path := Path(os.path.realpath(file))).is_relative_to(ROOT):
            names.setdefault(path, []).append(name)
    assert {path: found for path, found in names.items() if len(set(found)) > 1} == {}
    files = set(MODULES.values())
    strangers = [
        name for path, found in names.items() for name in found if path in files and name.split(".")[0] != "slotbook"
    ]
    assert strangers == []


def test_public_names_exist_and_are_documented() -> None:
    public = [(module, name) for module in _imported() for name in getattr(module, "__all__", ())]
    assert len(public) > 30
    missing = [f"{module.__name__}.{name}" for module, name in public if not hasattr(module, name)]
    assert missing == []
    bare: list[str] = []
    for module, name in public:
        thing = getattr(module, name)
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            continue
        if not vars(thing).get("__doc__") and not thing.__doc__:
            bare.append(f"{module.__name__}.{name}")
        if inspect.isclass(thing) and thing.__module__.startswith("slotbook."):
            bare += [
                f"{thing.__qualname__}.{member}"
                for member, value in vars(thing).items()
                if not member.startswith("_")
                and (inspect.isfunction(value) or isinstance(value, (property, classmethod)))
                and not value.__doc__
            ]
    assert sorted(set(bare)) == []


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "py.typed").is_file()
