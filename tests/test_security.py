"""What SECURITY.md promises, where no other test holds it."""

import ast
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ngae
from ngae.cli import main
from ngae.commands.exploring import opened
from ngae.data.catalog import ENTRIES
from ngae.data.convert import convert
from ngae.errors import RefusedError, UsageError
from ngae.explore.config import ExploreConfig
from ngae.train.config import SECTIONS

ROOT = Path(ngae.__file__).parent
HOME = Path(__file__).parents[1]
PAGE = HOME / "SECURITY.md"
TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))
}
# Who may import what can run code, start programs or use the net.
ALLOWED = {
    "pickle": {"data/allowlist.py"},  # a reader that knows two harmless names
    "subprocess": {"oracles/command.py", "oracles/slurm_queue.py"},
    "importlib.util": {"_native.py", "reproduce/stages.py", "spaces/loading.py"},
    "http.server": {"explore/server.py"},
    "http.client": {"data/download.py", "data/request.py"},
    "urllib": {"data/request.py"},
    "ssl": {"data/request.py"},
    "zipfile": {"data/convert_nlp.py", "report/arrays.py"},
    # The server's own connections; processes that torchrun started find each other.
    "socket": {"explore/server.py", "train/meeting.py"},
}
NEVER = {
    "_pickle", "cPickle", "cloudpickle", "code", "ctypes", "dill", "ftplib", "httpx", "joblib",
    "marshal", "pty", "requests", "runpy", "shelve", "tarfile", "telnetlib", "xmlrpc",
    "yaml",
}  # fmt: skip
NASTY = "</script><script>alert(1)</script><img src=x onerror=\"alert('2')\">&"


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}


def _with_parents(name):
    parts = name.split(".")
    return {".".join(parts[: end + 1]) for end in range(len(parts))}


def dangers(place, tree):
    """List what a module must not do."""
    found = []
    for module in {part for name in _imports(tree) for part in _with_parents(name)}:
        if module in NEVER or place not in ALLOWED.get(module, {place}):
            found.append(f"imports {module}")
    for name, keywords in _calls(tree):
        last = name.rpartition(".")[2]
        runs = name in ("eval", "exec", "compile", "__import__", "execfile", "input")
        system = re.fullmatch(r"os\.(system|popen|startfile|spawn\w+|exec\w+|posix_spawnp?)", name)
        if runs or system or last in ("extractall", "extract", "getstatusoutput", "getoutput"):
            found.append(f"calls {name}")
        if "shell" in keywords:
            found.append(f"{name} with shell={keywords['shell']}")
        if last == "exec_module" and place != "spaces/loading.py":
            found.append(f"calls {name}")
        if name == "torch.load" and keywords.get("weights_only") != "True":
            found.append("torch.load without weights_only=True")
        if name in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False":
            found.append("np.load without allow_pickle=False")
        if name == "torch.hub.load" or last in (
            "urlretrieve",
            "download_url",
            "load_state_dict_from_url",
        ):
            found.append(f"calls {name}")
        if keywords.get("download", "False") != "False":
            found.append(f"{name} with download={keywords['download']}")
    return sorted(found)


def test_no_code_of_a_file_is_run_and_no_shell_is_asked():
    assert len(TREES) > 100
    found = {place: problems for place, tree in TREES.items() if (problems := dangers(place, tree))}
    assert found == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import pickle", "imports pickle"),
        ("from pickle import loads", "imports pickle"),
        ("import os.path, marshal", "imports marshal"),
        ("from urllib import request", "imports urllib"),
        ("import subprocess as s", "imports subprocess"),
        ("eval('1')", "calls eval"),
        ("os.system('ls')", "calls os.system"),
        ("os.execvp('ls', [])", "calls os.execvp"),
        ("run('ls', shell=True)", "run with shell=True"),
        ("torch.load(f)", "torch.load without weights_only=True"),
        ("np.load(f, allow_pickle=True)", "np.load without allow_pickle=False"),
        ("archive.extractall()", "calls archive.extractall"),
        ("CIFAR10(root, download=True)", "CIFAR10 with download=True"),
        ("loader.exec_module(m)", "calls loader.exec_module"),
    ],
)
def test_such_code_would_be_found(text, problem):
    assert problem in dangers("data/other.py", ast.parse(text))


def test_modules_that_may_do_more_still_do():
    """An entry that nothing needs any longer has to go."""
    for name, places in ALLOWED.items():
        for place in places:
            names = {part for found in _imports(TREES[place]) for part in _with_parents(found)}
            assert name in names, (name, place)


def test_no_address_is_plain_http():
    """But the name of SVG's elements, which nothing opens, and the page on this machine."""
    found = set()
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"http://[^\"'\s]*", node.value))
    assert found == {"http://", "http://www.w3.org/2000/svg"}
    files = [file for entry in ENTRIES for file in entry.files if file.url]
    assert len(files) > 8
    assert all(file.url.startswith("https://") for file in files)
    assert {file.name for file in files if file.sha256 is None} == {"nasbench_only108.tfrecord"}


def test_names_of_files_in_the_cache_stay_in_their_folder():
    for entry in ENTRIES:
        for name in (entry.name, entry.table, *(file.name for file in entry.files)):
            assert re.fullmatch(r"[\w-][\w.-]*|", name), name


def test_names_in_an_archive_are_not_places(tmp_path):
    """Members are read in memory; a name that climbs out writes nothing anywhere."""
    log = {
        "recepie_id": 1, "status": "OK", "num_params": 1, "val_losses": [1], "test_losses": [1],
        "train_losses": [1], "wall_times": [1], "recepie": {"a": {"op": "linear", "input": ["x"]}},
    }  # fmt: skip
    inner = tmp_path / "inner"
    inner.mkdir()
    with zipfile.ZipFile(inner / "logs.zip", "w") as packed:
        packed.writestr("../log_stats_up.json", json.dumps(log))
        packed.writestr("/log_stats_root.json", json.dumps(log | {"recepie_id": 2}))
    assert convert("nas-bench-nlp", inner / "logs.zip", inner / "t.jsonl").rows == 2
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
        "inner/logs.zip", "inner/t.jsonl",
    ]  # fmt: skip
    assert not Path("/log_stats_root.json").exists()


class _Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append(tag)
        self.attributes += [name for name, _ in attributes]


@pytest.fixture
def nasty_run(searched_run, tmp_path):
    """Give a run of a table whose file and columns have names that would be markup."""
    folder = tmp_path / "run"
    shutil.copytree(searched_run, folder)
    config = json.loads((folder / "config.json").read_text())
    lines = Path(config["data"]["data"]).read_text().splitlines()
    rows = [line.rpartition(",") for line in lines]
    table = tmp_path / "<img src=x onerror=alert(1)>\"'&.csv"
    quoted = NASTY.replace('"', '""')
    table.write_text(
        f'arch,"{quoted}"\n' + "".join(f'"{arch}",{value}\n' for arch, _, value in rows)
    )
    config["data"] |= {"data": str(table), "space": "enas3", "arch_col": "arch"}
    config["data"]["performance_col"] = NASTY
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_names_of_a_table_are_text_on_the_live_page(nasty_run):
    with opened(nasty_run, ExploreConfig(port=0)) as server:
        page = _Elements(server.page.content.decode())
        names = json.loads(server.overview)["names"]
    assert page.found.count("script") == 1
    assert "img" not in page.found
    assert not [name for name in page.attributes if name.startswith("on")]
    assert names["performance"] == NASTY


def test_names_of_a_table_are_text_in_the_report(nasty_run):
    assert main(["report", str(nasty_run)]) == 0
    page = _Elements((nasty_run / "report.html").read_text())
    assert page.found.count("script") == 2
    assert "img" not in page.found
    assert not [name for name in page.attributes if name.startswith("on")]


def test_scripts_of_the_pages_make_no_markup_of_text():
    """One constant, which gives the name of SVG's elements."""
    found = [
        line.strip()
        for path in sorted((ROOT / "report" / "assets").glob("*.js"))
        for line in path.read_text().splitlines()
        if re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|"
            r"setTimeout\(\s*[\"'`]|DOMParser|srcdoc|createContextualFragment",
            line,
        )
    ]
    assert found == ['template.innerHTML = "<svg></svg>";']


NO_NET = """
import sys
def refuse(event, arguments):
    if event == "subprocess.Popen" and arguments[1] == ["/sbin/ldconfig", "-p"]:
        return  # a torch that is built for CUDA asks where its libraries are
    if event.startswith(("socket.", "urllib.", "subprocess.", "os.system", "pty.")):
        if event not in ("socket.__new__", "socket.gethostname"):
            raise SystemExit(f"{event} {arguments}")
sys.addaudithook(refuse)
import importlib, pkgutil, ngae
count = 0
for module in pkgutil.walk_packages(ngae.__path__, "ngae."):
    if not module.name.endswith(("__main__", "ngae._cuda")):
        importlib.import_module(module.name)
        count += 1
print(count)
"""


@pytest.mark.end_to_end
def test_importing_every_module_asks_no_net_and_starts_no_program():
    done = subprocess.run(
        [sys.executable, "-c", NO_NET], capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 100


@pytest.fixture
def their_run(searched_run, tmp_path, monkeypatch):
    """Give a finished run whose settings name code, `code.py:Space`, which tells that it ran."""
    folder = tmp_path / "theirs"
    shutil.copytree(searched_run, folder)
    (tmp_path / "code.py").write_text("open('ran', 'w').close()\n")
    config = json.loads((folder / "config.json").read_text())
    shutil.copy(config["data"]["data"], tmp_path / "t.txt")
    config["data"] |= {"data": "t.txt", "space": str(tmp_path / "code.py:Space")}
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    return folder


LOADING = [
    ("evaluate", "theirs"),
    ("report", "theirs"),
    ("explore", "theirs", "--no-browser", "--port", "0"),
    ("search", "theirs", "--oracle", "predicted", "--budget", "1"),
    ("train", "--config", "theirs/config.json", "--out", "theirs", "--resume"),
    ("train", "--config", "theirs/config.json", "--dry-run"),
]


@pytest.mark.parametrize("words", LOADING, ids=" ".join)
def test_code_that_a_run_names_is_imported_only_if_the_user_names_it(their_run, words, capsys):
    ran, code = Path("ran"), str(Path("code.py:Space").absolute())
    assert main(list(words)) == 4
    assert capsys.readouterr().err.endswith(
        f"theirs/config.json: space: expected one that ngae knows, found code: {code}\n"
        f"remedy: if you trust that code: --space {code}\n"
    )
    if "--config" not in words:  # there the flag counts in place of the file
        assert main([*words, "--space", "other.py:Space"]) == 4
        assert f"expected {code}, found --space other.py:Space" in capsys.readouterr().err
    assert not ran.exists()
    assert main([*words, "--space", "code.py:Space"]) == 2
    assert "expected a search space called Space, found nothing of that" in capsys.readouterr().err
    assert ran.exists()


def test_a_model_of_code_serves_a_benchmark_or_a_ranking_of_the_same_space(their_run, capsys):
    for words in (
        ["rank", "theirs", "--labels", "5", "--data", "t.txt"],
        ["search", "theirs", "--benchmark", "table", "--table", "t.txt", "--strategies",
         "gradient", "--seeds", "1", "--budget", "1"],
    ):  # fmt: skip
        assert main(words) == 4
        assert "space: expected one that ngae knows, found code" in capsys.readouterr().err
    assert not Path("ran").exists()


def test_in_python_code_that_a_run_names_is_an_argument(their_run):
    with pytest.raises(RefusedError, match="expected one that ngae knows, found code") as caught:
        ngae.NGAE.load(their_run)
    assert caught.value.remedy.startswith("if you trust that code: --space ")
    with pytest.raises(RefusedError, match="found code"):
        ngae.Search(str(their_run))
    assert not Path("ran").exists()
    with pytest.raises(UsageError, match="expected a search space called Space"):
        ngae.NGAE.load(their_run, space="code.py:Space")
    assert Path("ran").exists()


def test_telling_how_runs_stand_runs_no_code_of_theirs(their_run, capsys):
    assert main(["status", "."]) == 0
    assert "theirs" in capsys.readouterr().out
    assert not Path("ran").exists()


def test_who_loads_a_space_by_name_is_known():
    """Whoever is added here has a name that a person gave on this command line or in Python."""
    found = {
        place
        for place, tree in TREES.items()
        for name, _ in _calls(tree)
        if name.rpartition(".")[2] in ("space_named", "space_of_module", "load_config")
    }
    assert found == {
        "api.py",  # of a run, by `read_trusted_config`
        "search/benchmark_task.py",  # likewise
        "data/packed.py",  # never what a file names as code
        "commands/data.py", "commands/export.py", "commands/graph_model.py", "commands/rank.py",
        "commands/starting.py", "commands/training.py", "data/registry.py", "data/tables.py",
        "reproduce/stages.py", "spaces/registry.py",
    }  # fmt: skip


def test_settings_of_a_run_name_no_program():
    assert list(SECTIONS) == ["data", "model", "loss", "train", "evaluate"]
    for kind in SECTIONS.values():
        assert not {"oracle", "command", "program"} & {field.name for field in fields(kind)}


def test_the_page_names_tests_that_exist():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE.read_text())
    assert len(named) >= 12
    for file, test in named:
        text = (HOME / file).read_text()
        assert not test or f"def {test}(" in text, f"{file}::{test}"
