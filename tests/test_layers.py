"""A module imports only from rooms that stand before its own."""

import ast
from pathlib import Path

import ngae

ORDER = (
    "_lazy", "errors", "files", "forms", "settings", "_native", "console", "drawing", "edges",
    "space_like", "dag", "dags", "rules", "threads", "transfer", "batch", "ops", "networks",
    "spaces", "data", "oracles", "models", "baselines", "evaluate", "train", "search", "report",
    "figures", "api", "searching", "presets", "explore", "reproduce", "commands", "cli",
    "export", "doctor", "status", "completion",
)  # fmt: skip
ROOT = Path(ngae.__file__).parent


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ngae"):
            found |= {
                f"ngae.{alias.name}" if node.module == "ngae" else node.module
                for alias in node.names
            }
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("ngae")}
    return found


def test_imports_go_one_way():
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        if path.name in ("__init__.py", "__main__.py") and path.parent == ROOT:
            continue
        if path.name == "__main__.py":
            continue
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        assert room in ORDER, f"{path}: the room {room} has no place in the order"
        for module in _imports(path):
            target = _room(module)
            if target in ("", "_C", "_cuda", "__version__"):
                continue
            if ORDER.index(target) > ORDER.index(room):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_only_consoles_print():
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room in ("console", "cli", "commands"):
            continue
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        if any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []
