"""The pages of the two spaces: their sizes are the code's, their tables load as they say."""

import os
import re
import shlex
from pathlib import Path

import pytest

import ngae
from ngae.networks.graph_config import GraphConfig

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("NGAE_TEST_DATA", ROOT.parent / "shared" / "data"))
PAGES = {
    name: (ROOT / "docs" / "spaces" / f"{name}.md").read_text()
    for name in ("nas-bench-graph", "recurrent")
}
FILES = {
    "nas-bench-graph": DATA / "nas-bench-graph" / "cora.csv.gz",
    "recurrent": DATA / "nas-bench-nlp" / "wikitext2_345_cells.jsonl",
}


def test_the_sizes_on_the_page_are_those_of_the_code():
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d) \| (\d) \|$",
                      PAGES["nas-bench-graph"], re.M)  # fmt: skip
    assert len(rows) == 9
    for name, *sizes in rows:
        assert GraphConfig.of(name) == GraphConfig(*map(int, sizes))


def _flags(name):
    (line,) = re.findall(r"```sh\n(.*?)```", PAGES[name], re.S)
    return shlex.split(line)[3:]


@pytest.mark.parametrize("name", PAGES)
def test_the_real_tables_load_as_the_pages_say(name):
    if not FILES[name].exists():
        pytest.skip(f"the table {FILES[name].name} is not here")
    pairs = re.findall(r"(--[\w-]+)(?: ([^-]\S*))?", shlex.join(_flags(name)))
    settings = {flag[2:].replace("-", "_"): value or True for flag, value in pairs}
    assert Path(settings.pop("data")).name == FILES[name].name
    data = ngae.load(str(FILES[name]), **settings)
    assert data.space.name == name
    if name == "recurrent":
        assert (len(data.table), len(set(data.table.hashes))) == (345, 265)
        assert data.table.complexity_names == ("num_params",)
    else:
        assert len(data.table) == 26_206
        assert data.table.complexity_names == ("params_m",)
