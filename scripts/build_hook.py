"""The wheel's build hook: compiles the hot rooms with mypyc where a C compiler works.

Theory of operation: hatchling packs every `.py` file of `aikv/` by itself. This hook only adds, beside them,
the extension modules that mypyc makes of the files listed under `[tool.aikv.compile]` in pyproject.toml.
Python imports an extension before the `.py` of the same name, so one wheel holds both forms.

Whether to compile is decided by building a three-line extension: that finds a missing compiler, missing
Python headers and a broken linker alike. Where it cannot be built, or `AIKV_PURE=1` is set, the wheel is pure
and says so. A compiler that works and then fails on aikv is an error, never a silent fall to the slow form.

All modules form one group, in one shared library, so that calls between them are plain C calls. Each has a
C file of its own, and those are compiled side by side, one per core.
"""

import glob
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from setuptools import Extension

PROBE = """#include <Python.h>
static struct PyModuleDef probe = {PyModuleDef_HEAD_INIT, "probe", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_probe(void) { return PyModule_Create(&probe); }
"""


def why_pure() -> str | None:
    """Why this build cannot or shall not compile, in words for the person installing; None where it can."""
    if os.environ.get("AIKV_PURE", "0") not in {"", "0"}:
        return "AIKV_PURE is set"
    if sys.implementation.name != "cpython":
        return f"mypyc does not compile for {sys.implementation.name}"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text(PROBE)
        command = [*compiler, "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", str(source)]
        command += ["-o", str(source.with_suffix(".so"))]
        try:
            run = subprocess.run(command, check=False, capture_output=True)
        except OSError:
            return f"there is no C compiler ({compiler[0]})"
    if run.returncode != 0:
        return f"the C compiler ({compiler[0]}) cannot build an extension: are Python's headers installed?"
    return None


class CompileHook(BuildHookInterface[Any]):
    """Adds the compiled modules to a wheel; an editable install stays pure."""

    def dependencies(self) -> list[str]:
        """What the build environment needs: mypyc, and what the compiled modules import, for its types."""
        if why_pure() is not None:
            return []
        return [*self.settings()["requires"], *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name each extension with its place in the wheel."""
        if version == "editable":
            return
        reason = why_pure()
        if reason is not None:
            self.app.display_warning(f"aikv: installing the pure Python form: {reason}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build = Path(self.root, "build")
        for extension in compile_modules(self.settings()["modules"], build):
            build_data["force_include"][str(extension)] = str(extension.relative_to(build / "lib"))

    def settings(self) -> dict[str, list[str]]:
        """The table `[tool.aikv.compile]` of pyproject.toml."""
        with Path(self.root, "pyproject.toml").open("rb") as file:
            table: dict[str, list[str]] = tomllib.load(file)["tool"]["aikv"]["compile"]
        return table


def compile_modules(patterns: list[str], build: Path) -> list[Path]:
    """Compile the modules that `patterns` name, below the folder `build`; returns the extension files.

    Leaves with the status 1 and mypy's messages where a module does not type check.
    """
    # Only a build that compiles has these; mypyc works with setuptools only if that was imported first.
    import setuptools
    from mypyc.build import mypycify
    from setuptools.command.build_ext import build_ext

    names = sorted({name for pattern in patterns for name in glob.glob(pattern)})
    modules = [name for name in names if os.path.basename(name) != "__init__.py"]
    extensions: list[Extension] = mypycify(
        modules,
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "2"),
        debug_level=os.environ.get("MYPYC_DEBUG_LEVEL", "0"),
        multi_file=True,
        target_dir=str(build / "c"),
        group_name="aikv",
    )
    distribution = setuptools.Distribution({"name": "aikv", "ext_modules": extensions})
    command = build_ext(distribution)
    command.build_lib = str(build / "lib")
    command.build_temp = str(build / "objects")
    command.ensure_finalized()
    compile_side_by_side(command)
    command.run()
    return [Path(name) for name in command.get_outputs()]


def compile_side_by_side(command: Any) -> None:
    """Make setuptools compile an extension's C files on every core, not one after the other."""
    build_extensions = command.build_extensions

    def in_parallel() -> None:
        compile_one = command.compiler.compile

        def compile_all(sources: list[str], **options: Any) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                groups = pool.map(lambda source: compile_one([source], **options), sources)
                return [name for group in groups for name in group]

        command.compiler.compile = compile_all
        build_extensions()

    command.build_extensions = in_parallel
