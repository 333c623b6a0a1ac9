"""What the samplers are compiled to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.trials import CASES, Case

PRINT = """
import sys
from privlab.kernels import gaussian, laplace
kernels = gaussian.add_rounded_gaussian, laplace.add_discrete_laplace, laplace.add_rounded_laplace
for kernel in kernels:
    assert len(kernel.signatures) == 1
    for form, texts in (("ll", kernel.inspect_llvm()), ("s", kernel.inspect_asm())):
        with open(f"{sys.argv[1]}/{kernel.py_func.__name__}.{form}", "w") as file:
            file.write("".join(texts.values()))
"""

BANNED = re.compile(
    r"\b(double|float|half|x86_fp80|[us]itofp|fpto[us]i|fadd|fsub|fmul|fdiv|frem|fcmp"
    r"|[us]div|[us]rem|i?div[bwlq]?|v?(?:add|sub|mul|div|sqrt|min|max)[sp][sdh]"
    r"|v?cvt\w+|f(?:ld|st|ild|ist|add|sub|mul|div)\w*|__\w*div\w*|__\w*mod\w*)\b"
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each kernel's LLVM and machine code, compiled just now."""
    folder = tmp_path_factory.mktemp("compiled")
    subprocess.run(
        [sys.executable, "-c", PRINT, str(folder)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")},
        check=True,
    )
    return folder


@pytest.mark.parametrize("case", CASES, ids=repr)
@pytest.mark.parametrize("form", ["ll", "s"])
def test_no_floating_point_and_no_division_is_compiled(
    compiled: Path, case: Case, form: str
) -> None:
    """Neither the LLVM code nor the machine code holds one such instruction or call."""
    text = (compiled / f"{case.kernel.py_func.__name__}.{form}").read_text("utf-8")
    assert case.kernel.py_func.__name__ in text
    assert len(text.splitlines()) > 300
    assert BANNED.findall(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "  %.5 = fdiv double %.3, %.4",
        "  %.5 = sitofp i64 %.3 to double",
        "  %.5 = udiv i64 %.3, %.4",
        "\tdivq\t%rcx",
        "\tvdivsd\t%xmm0, %xmm1, %xmm0",
        "\tvcvtusi2sd\t%rax, %xmm0, %xmm0",
        "\tmulsd\t%xmm1, %xmm0",
        "\tcallq\t__udivti3",
    ],
)
def test_the_search_finds_what_it_searches_for(line: str) -> None:
    """An instruction of each kind."""
    assert BANNED.search(line)
