"""Finds methods: those in ``baselines.methods``, and those of packages with an entry point in ``fdpose.methods``."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from baselines.method import Method
from finediving_pose.errors import UsageError, first_line

GROUP = "fdpose.methods"
"""A package offers a method with an entry point of this group: the method's name, and the class that declares it."""

EVERY_METHOD = "all"
"""What stands for all methods in the place of a name; no method may have it."""

M = TypeVar("M", bound=Method)
_found: dict[str, Method] = {}


def method(name: str, *, title: str) -> Callable[[type[M]], type[M]]:
    """Register a class as the method ``name``; ``title`` is its name in tables.

    Raises
    ------
    ValueError
        Another method has that name, it is :data:`EVERY_METHOD`, or the class has no presets.
    """

    def register(cls: type[M]) -> type[M]:
        if not getattr(cls, "presets", None):
            raise ValueError(f"{cls.__module__}.{cls.__qualname__} has no presets; see docs/own-model.md")
        if name == EVERY_METHOD:
            raise ValueError(
                f"{cls.__module__}.{cls.__qualname__}: {name!r} stands for all methods; give it another name"
            )
        if name in _found:
            taken = type(_found[name])
            raise ValueError(f"{taken.__module__}.{taken.__qualname__} is already the method {name!r}")
        cls.name, cls.title = name, title
        _found[name] = cls()
        return cls

    return register


def find_method(name: str) -> Method:
    """The method of this name.

    Raises
    ------
    UsageError
        There is none, or the package that offers it can't be imported; with the nearest names.
    """
    _import_own()
    if name in _found:
        return _found[name]
    offered = _offered()
    if name in offered:
        return _load(offered[name])
    known = [*_found, *offered]
    near = difflib.get_close_matches(name, known, 3, 0.5)
    mean = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    raise UsageError(f"no method {name!r}; {mean} (fdpose benchmark --list)")


def list_methods() -> tuple[list[Method], dict[str, str]]:
    """All methods, and what is wrong with those that can't be imported, by their names."""
    _import_own()
    broken = {}
    for name, points in _offered().items():
        try:
            find_method(name)
        except UsageError as e:
            broken[name] = str(e)
        for point in points:
            if name in _found and _is_foreign(point):
                broken[name] = f"{_where(point)}: the name is taken by fdpose's own method; rename its entry point"
    return list(_found.values()), broken


def method_names() -> Iterator[str]:
    """Names of all methods, without importing other people's packages."""
    _import_own()
    yield from dict.fromkeys([*_found, *_offered()])


@cache
def _import_own() -> None:
    package = importlib.import_module("baselines.methods")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


def _offered() -> dict[str, list[EntryPoint]]:
    """Entry points by their name; one is meant to have it, but any package may take it."""
    offered: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        if point not in offered.setdefault(point.name, []):
            offered[point.name].append(point)
    return offered


def _is_foreign(point: EntryPoint) -> bool:
    """Whether the method under the entry point's name was declared by another module than the entry point's."""
    return not type(_found[point.name]).__module__.startswith(point.module.partition(".")[0])


def _load(points: list[EntryPoint]) -> Method:
    point, *others = points
    if others:
        packages = " and ".join(p.dist.name if p.dist else p.value for p in points)
        raise UsageError(f"method {point.name!r} is offered by {packages}; uninstall all but one")
    try:
        point.load()
    except (Exception, SystemExit) as e:  # whatever a stranger's module does when it is imported
        said = first_line(e)
        raise UsageError(f"{_where(point)} can't be imported ({type(e).__name__}: {said}); mend or uninstall it") from e
    if point.name not in _found:
        raise UsageError(f"{_where(point)}: {point.value} declares no method {point.name!r}; see docs/own-model.md")
    return _found[point.name]


def _where(point: EntryPoint) -> str:
    package = point.dist.name if point.dist else "a package"
    return f"method {point.name!r} of {package}"
