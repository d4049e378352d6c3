"""A form is whole: every module that pyproject.toml lists runs compiled in the compiled form, and none in the pure."""

import importlib.util
import tomllib
from pathlib import Path

import aikv.base.form

CHECKOUT = Path(__file__).parent.parent


def listed_modules() -> list[str]:
    """Return the dotted names of the modules that `[tool.aikv.compile]` lists."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        patterns: list[str] = tomllib.load(file)["tool"]["aikv"]["compile"]["modules"]
    paths = [path.relative_to(CHECKOUT) for pattern in patterns for path in CHECKOUT.glob(pattern)]
    return sorted(".".join(path.with_suffix("").parts) for path in paths if path.stem != "__init__")


def test_every_listed_module_runs_in_the_form_of_the_whole() -> None:
    modules = listed_modules()
    assert "aikv.base.form" in modules
    expected = not aikv.base.form.COMPILED
    wrong = []
    for name in modules:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or spec.origin.endswith(".py") is not expected:
            wrong.append(name)
    assert not wrong
