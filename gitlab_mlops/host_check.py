"""Checks the bundle that a forge hands over, and says in sentences what to add, and where."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from inspect import Parameter, Signature

from blinker import Signal

from gitlab_mlops import host as contracts
from gitlab_mlops.host import Events, Host

PARTS: dict[str, type] = {
    "identity": contracts.Identity,
    "projects": contracts.Projects,
    "permissions": contracts.Permissions,
    "chrome": contracts.Chrome,
}
OPTIONAL_PARTS: dict[str, type] = {
    "references": contracts.References,
    "ci": contracts.CI,
    "notifications": contracts.Notifications,
    "repository": contracts.Repository,
    "admission": contracts.Admission,
}
"""Parts that may be None; without one, what needs it is not shown."""


def problems(host: object) -> list[str]:
    """What is wrong with a host bundle, a sentence each; empty if `init_app` may take it.

    Looked at are the names of methods, and the names and order of their parameters, so a forge
    need not inherit from the Protocols. Nothing of the forge is called.
    """
    if not isinstance(host, Host):
        kind = type(host).__name__
        return [f"`host` is a {kind}: pass a gitlab_mlops.Host; see docs/adapters.md."]
    return [f"Host.{found}; see docs/adapters.md#{anchor}." for anchor, found in _look(host)]


def methods(protocol: type) -> dict[str, list[str]]:
    """The methods that a Protocol asks for, each with the names of its parameters.

    Those after a `*` are given by keyword only.
    """
    return {
        name: _names(inspect.signature(member))[1:]
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


def _names(signature: Signature) -> list[str]:
    by_keyword = [n for n, p in signature.parameters.items() if p.kind is Parameter.KEYWORD_ONLY]
    others = [name for name in signature.parameters if name not in by_keyword]
    return [*others, "*", *by_keyword] if by_keyword else others


def _look(host: Host) -> Iterator[tuple[str, str]]:
    """Pairs of a heading in the documentation and what is wrong there."""
    for name, protocol in {**PARTS, **OPTIONAL_PARTS}.items():
        part = getattr(host, name)
        if part is not None or name in PARTS:
            yield from ((name, problem) for problem in _part_problems(name, part, protocol))
    yield from (("chrome", problem) for problem in _chrome_problems(host.chrome))
    for name, names in {"session": ["project"], "engines": []}.items():
        found = getattr(host, name)
        for problem in _function_problems(name, found, names, any_names=True):
            yield "session-and-engines", problem
    yield from (("events", problem) for problem in _events_problems(host.events))


def _part_problems(name: str, part: object, protocol: type) -> Iterator[str]:
    kind = type(part).__name__
    if part is None:
        yield f"{name} is None: this part is required"
        return
    if inspect.isclass(part):
        yield f"{name} is the class {part.__name__}: pass an object, {name}={part.__name__}(...)"
        return
    for method, names in methods(protocol).items():
        if (found := getattr(part, method, None)) is None:
            yield f"{name} has no method `{method}({', '.join(names)})`: add it to {kind}"
        else:
            yield from _function_problems(f"{name}.{method}", found, names)
    for attribute in inspect.get_annotations(protocol):
        if not hasattr(part, attribute):
            yield f"{name} has no attribute `{attribute}`: add it to {kind}"


def _function_problems(
    name: str, found: object, names: list[str], any_names: bool = False
) -> Iterator[str]:
    wanted = f"({', '.join(names)})"
    if not callable(found):
        yield f"{name} is not callable: make it a function `{wanted}`"
    elif inspect.iscoroutinefunction(found):
        yield f"{name} is a coroutine: make it a plain function, for the plugin does not await it"
    elif (signature := _signature(found)) and not _accepts(signature, names, any_names):
        yield f"{name} takes `{_shown(signature)}`: make it take `{wanted}`"


def _signature(function: Callable[..., object]) -> Signature | None:
    """The signature, or None for what has none to look at, such as some built-in functions."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _accepts(signature: Signature, names: list[str], any_names: bool) -> bool:
    """Whether a call works by position and, unless `any_names`, by keyword too."""
    names, by_keyword = _split(names)
    try:
        signature.bind(*names, **dict.fromkeys(by_keyword))
    except TypeError:
        return False
    parameters = list(signature.parameters.values())
    kinds = {parameter.kind for parameter in parameters}
    if any_names or {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD} <= kinds:
        # The second is a decorator that passes on whatever it gets.
        return True
    by_name = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    return by_name[: len(names)] == names


def _split(names: list[str]) -> tuple[list[str], list[str]]:
    """The names before a `*`, and those after it."""
    place = names.index("*") if "*" in names else len(names)
    return names[:place], names[place + 1 :]


def _shown(signature: Signature) -> str:
    bare = [p.replace(annotation=Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=Signature.empty))


def _chrome_problems(chrome: object) -> Iterator[str]:
    if hasattr(chrome, "csrf_field") and not _is_text(chrome.csrf_field):
        yield f"chrome.csrf_field is {chrome.csrf_field!r}: give the name of the form field"
    prefixes = getattr(chrome, "web_prefixes", ("/<path:project>",))
    if isinstance(prefixes, str) or not isinstance(prefixes, Sequence) or not prefixes:
        yield f"chrome.web_prefixes is {prefixes!r}: give a list of URL rules, at least one"
        return
    for prefix in prefixes:
        if not _is_text(prefix) or not prefix.startswith("/") or prefix.endswith("/"):
            yield (
                f"chrome.web_prefixes has {prefix!r}: a rule begins with a slash and "
                "ends without one, like '/<path:project>'"
            )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _events_problems(events: object) -> Iterator[str]:
    if not isinstance(events, Events):
        kind = type(events).__name__
        yield f"events is a {kind}: leave it out, or pass a gitlab_mlops.Events"
        return
    for field in fields(Events):
        signal = getattr(events, field.name)
        if not isinstance(signal, Signal):
            yield f"events.{field.name} is a {type(signal).__name__}: give a blinker.Signal"
