"""House rules, as tests: what the pages and the tree say about each other is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from privlab.errors import CODES

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 400
TEXT = {
    ".cedar", ".cedarschema", ".cfg", ".cjs", ".css", ".html", ".ipynb", ".js", ".json", ".lock",
    ".md", ".mjs", ".py", ".sh", ".sql", ".svg", ".toml", ".ts", ".tsx", ".txt", ".yaml", ".yml", "",
}  # fmt: skip

TESTED_ELSEWHERE = {
    "privlab/cli/demo/command.py": "tests/cli/test_app.py",
    "privlab/cli/describe.py": "tests/cli/test_workspace.py",
    "privlab/cli/verify.py": "tests/cli/test_workspace.py",
    "privlab/curator/answer.py": "tests/e2e/test_refusals.py",
    "privlab/curator/app.py": "tests/e2e/test_refusals.py",
    "privlab/curator/certificate.py": "tests/e2e/test_crash.py",
    "privlab/curator/desk.py": "tests/e2e/test_crash.py",
    "privlab/curator/owner.py": "tests/cli/test_workspace.py",
    "privlab/curator/peer.py": "tests/e2e/test_refusals.py",
    "privlab/curator/state.py": "tests/cli/test_workspace.py",
    "privlab/jupyter/connection.py": "tests/jupyter/test_magics.py",
    "privlab/query/frame_expressions.py": "tests/query/test_frame.py",
    "privlab/query/frame_quantiles.py": "tests/query/test_frame.py",
    "privlab/query/sql_expressions.py": "tests/query/test_sql.py",
    "privlab/query/sql_quantiles.py": "tests/query/test_sql.py",
}
"""Modules without a test file of their name, and where they are tested."""

REGISTRIES = (
    r"registry\.npmjs\.org", r"registry\.yarnpkg\.com", r"pypi\.org/simple",
    r"files\.pythonhosted\.org", r"index-url\s*=", r"npmRegistryServer",
)  # fmt: skip
SECRETS = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----", r"\bAKIA[0-9A-Z]{16}\b", r"\bghp_[A-Za-z0-9]{36}\b",
    r"\bpypi-AgE[A-Za-z0-9_-]{20,}", r"\bxox[baprs]-[A-Za-z0-9-]{10,}", r"\bsk-[A-Za-z0-9]{32,}\b",
)  # fmt: skip
MACHINES = (r"(?<![\w.])/root/", r"(?<![\w.])/Users/\w+/")
"""Paths that only one machine has."""


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
    )
    names = done.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def texts(*suffixes: str) -> list[tuple[str, str]]:
    """Tracked text files with their content, by name."""
    wanted = set(suffixes) or TEXT
    return [
        (str(path.relative_to(ROOT)), path.read_text("utf-8"))
        for path in tracked()
        if path.suffix in wanted and not path.is_symlink()
    ]


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        name: lines
        for name, text in texts(".py", ".ts", ".tsx", ".sql", ".css")
        if (lines := sum(1 for line in text.splitlines() if line.strip())) > LONGEST
    }
    assert long == {}


DOORS = {
    "cryptography": {
        "privlab/seal/", "privlab/mechanisms/entropy.py", "privlab/connector/keys.py",
        "privlab/connector/keychain.py", "privlab/connector/modules.py",
        "privlab/connector/providers/passphrase.py", "privlab/connector/spill.py",
    },
    "pyarrow": {
        "privlab/connector/arrow.py", "privlab/connector/postgres.py", "privlab/connector/source.py",
    },
}  # fmt: skip
"""Where a library is used, and nowhere else."""


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_used_behind_its_doors(library: str) -> None:
    imports = re.compile(rf"^\s*(?:from|import) {library}\b", re.MULTILINE)
    users = {
        name for name, text in texts(".py") if name.startswith("privlab/") and imports.search(text)
    }
    doors = DOORS[library]
    inside = {name: [door for door in doors if name.startswith(door)] for name in users}
    assert {name for name, through in inside.items() if not through} == set()
    assert doors == {door for through in inside.values() for door in through}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name
        for name, text in texts(".py")
        if name.startswith("privlab/") and not text.lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_no_module_is_called_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
    assert [name for name, _ in texts(".py") if Path(name).stem in vague] == []


def test_every_module_has_a_test() -> None:
    """By a file of its own name, by one that imports it, or through what is listed above."""
    tests = [(name, text) for name, text in texts(".py") if name.startswith("tests/")]
    missing = []
    for name, text in texts(".py"):
        path = Path(name)
        if not name.startswith("privlab/") or name in TESTED_ELSEWHERE:
            continue
        if path.name in ("__init__.py", "__main__.py") or not text.strip():
            continue
        own = f"tests/{path.relative_to('privlab').parent}/test_{path.stem}.py"
        module = ".".join(path.with_suffix("").parts)
        parent, _, stem = module.rpartition(".")
        named = re.compile(
            rf"{re.escape(module)}\b|from {re.escape(parent)} import [^\n]*\b{stem}\b"
            rf"|from {re.escape(parent)} import \([^)]*\b{stem}\b"
        )
        if not any(test == own or named.search(text) for test, text in tests):
            missing.append(name)
    assert missing == []


def test_the_list_of_what_is_tested_elsewhere_is_true() -> None:
    for module, test in TESTED_ELSEWHERE.items():
        assert (ROOT / module).is_file(), f"{module} is gone: remove it from the list"
        assert (ROOT / test).is_file(), f"{test} is gone"


def test_every_error_code_is_explained_and_no_other() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    sections = re.findall(r"^### (PL\d+)\n\n\*\*(.+?)\.\*\*", page, re.MULTILINE | re.DOTALL)
    assert [code for code, _ in sections] == list(CODES)
    assert {code: " ".join(words.split()) for code, words in sections} == CODES


def test_every_error_section_says_what_to_do() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    parts = re.split(r"^### (PL\d+)$", page, flags=re.MULTILINE)[1:]
    silent = [
        code
        for code, text in zip(parts[::2], parts[1::2], strict=True)
        if "*What to do:*" not in text
    ]
    assert silent == []


def test_every_error_code_is_raised_somewhere() -> None:
    code = "\n".join(
        text
        for name, text in texts(".py", ".sql")
        if name.startswith("privlab/") and name != "privlab/errors.py"
    )
    errors = (ROOT / "privlab" / "errors.py").read_text("utf-8")
    defaults = set(re.findall(r'default = "(PL\d+)"', errors))
    assert {c for c in CODES if c not in code and c not in defaults} == set()


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/threat-model.md", "README.md"])
def test_every_path_a_page_names_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = re.findall(
        r"`((?:privlab|docs|tests|notebooks|labextension|benchmarks)/[\w./-]*)`", text
    )
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_link_between_pages_leads_somewhere() -> None:
    dead = []
    for name, text in texts(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target and not ((ROOT / name).parent / target).exists():
                dead.append(f"{name}: {target}")
    assert dead == []


def test_every_page_the_code_names_exists() -> None:
    named = {
        path
        for name, text in texts(".py", ".sql", ".ts", ".tsx", ".toml")
        for path in re.findall(r"\bdocs/[\w./-]+\.md\b", text)
        if name != "tests/test_repo.py"
    }
    assert {path for path in named if not (ROOT / path).is_file()} == set()


def test_the_eight_stops_are_in_their_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    stops = re.findall(r"^\| (\d) \| `(privlab/[\w/.]+)`", text, re.MULTILINE)
    assert [number for number, _ in stops] == list("12345678")


def test_every_layer_of_the_contract_is_on_the_page() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    packages = sorted(path.parent.name for path in (ROOT / "privlab").glob("*/__init__.py"))
    assert [name for name in packages if f"`privlab/{name}/`" not in text] == []


def test_every_record_is_listed_and_says_what_is_given_up() -> None:
    folder = ROOT / "docs" / "adr"
    records = sorted(path for path in folder.glob("[0-9]*.md"))
    listed = (folder / "README.md").read_text("utf-8")
    assert records
    for record in records:
        assert record.name in listed
        assert "## What we give up" in record.read_text("utf-8")


def test_no_tracked_file_names_a_registry() -> None:
    found = [
        f"{name}: {pattern}"
        for name, text in texts()
        if name != "tests/test_repo.py"
        for pattern in REGISTRIES
        if re.search(pattern, text)
    ]
    assert found == []


def test_no_tracked_file_holds_a_secret() -> None:
    found = [
        f"{name}: {pattern}"
        for name, text in texts()
        if name != "tests/test_repo.py"
        for pattern in SECRETS
        if re.search(pattern, text)
    ]
    assert found == []


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{name}: {pattern}"
        for name, text in texts()
        if name != "tests/test_repo.py"
        for pattern in MACHINES
        if re.search(pattern, text)
    ]
    assert found == []


def test_a_secret_would_be_found() -> None:
    """The patterns above fire on what they are for."""
    planted = "-----BEGIN " + "PRIVATE KEY-----", "AKIA" + "A" * 16, "ghp_" + "a" * 36
    for text in planted:
        assert any(re.search(pattern, text) for pattern in SECRETS)
    assert any(re.search(pattern, "https://registry." + "npmjs.org/x") for pattern in REGISTRIES)


def test_nothing_large_is_tracked() -> None:
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size
        for path in tracked()
        if path.stat().st_size > 1_000_000 and path.name != "yarn.lock"
    }
    assert large == {}


def test_the_readme_shows_what_the_command_prints() -> None:
    """``make golden`` rewrites the blocks."""
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    fresh = re.sub(
        r"```console\n\$ (privlab[^\n]*)\n.*?```",
        lambda block: f"```console\n$ {block[1]}\n{output_of(block[1])}```",
        text,
        flags=re.DOTALL,
    )
    if os.environ.get("PRIVLAB_GOLDEN"):
        readme.write_text(fresh, "utf-8")
    assert fresh == readme.read_text("utf-8"), "run: make golden"


def output_of(command: str) -> str:
    """What ``privlab ...`` prints on an 80-column terminal, without its color."""
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"},
        cwd=ROOT,
    )
    return done.stdout.rstrip() + "\n"
