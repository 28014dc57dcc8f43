"""A wrong host bundle is refused with a sentence that says what to add, and where."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from gitlab_mlops.host import Events, Host
from gitlab_mlops.host_check import OPTIONAL_PARTS, PARTS, methods, problems
from host_stub.adapter_code import Repository
from tests.fakes import FakeChrome, FakeForge, FakeIdentity

FORGE = FakeForge(session=lambda project: None)  # type: ignore[arg-type,return-value]


def bundle(**changes: Any) -> Host:
    """A bundle that is in order, but for `changes`."""
    return FORGE.host(**changes)


def only_problem(**changes: Any) -> str:
    (problem,) = problems(bundle(**changes))
    return problem


def test_a_bundle_in_order_has_no_problems() -> None:
    assert problems(bundle()) == []


def test_something_that_is_no_bundle_is_named() -> None:
    assert problems({"identity": FakeIdentity(FORGE)}) == [
        "`host` is a dict: pass a gitlab_mlops.Host; see docs/adapters.md."
    ]


EVERY_METHOD = [(part, name) for part in PARTS for name in methods(PARTS[part])]


@pytest.mark.parametrize(("part", "method"), EVERY_METHOD)
def test_each_missing_method_is_named_with_its_parameters(part: str, method: str) -> None:
    whole = type(getattr(bundle(), part))
    incomplete = type("Incomplete", (whole,), {method: None})(FORGE)
    call = f"{method}({', '.join(methods(PARTS[part])[method])})"
    assert only_problem(**{part: incomplete}) == (
        f"Host.{part} has no method `{call}`: add it to Incomplete; see docs/adapters.md#{part}."
    )


@pytest.mark.parametrize("part", OPTIONAL_PARTS)
def test_an_optional_part_may_be_none_but_not_half(part: str) -> None:
    assert problems(bundle(**{part: None})) == []
    assert len(problems(bundle(**{part: object()}))) == len(methods(OPTIONAL_PARTS[part]))


def test_what_is_given_by_name_is_looked_for_by_name() -> None:
    class WithoutUrl(Repository):
        def set_commit_status(self, project: Any, sha: str, *, name: str) -> None: ...  # type: ignore[override]

    assert problems(bundle(repository=Repository())) == []
    problem = only_problem(repository=WithoutUrl())
    assert problem.startswith("Host.repository.set_commit_status takes")
    wanted = "(project, sha, *, name, state, description, url)"
    assert f"make it take `{wanted}`" in problem


@pytest.mark.parametrize("part", PARTS)
def test_a_required_part_may_not_be_none(part: str) -> None:
    assert only_problem(**{part: None}).startswith(f"Host.{part} is None: this part is required")


def test_a_class_instead_of_an_object_is_named() -> None:
    assert "pass an object, identity=FakeIdentity(...)" in only_problem(identity=FakeIdentity)


def with_authenticate(function: Callable[..., Any]) -> FakeIdentity:
    identity = FakeIdentity(FORGE)
    identity.authenticate = function  # type: ignore[method-assign]
    return identity


async def a_coroutine(credential: object) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda token: None, "takes `(token)`: make it take `(credential)`"),
        (lambda: None, "takes `()`: make it take `(credential)`"),
        (lambda credential, realm: None, "takes `(credential, realm)`"),
        (lambda realm, credential: None, "takes `(realm, credential)`"),
        (lambda *, credential: None, "takes `(*, credential)`"),
        (a_coroutine, "is a coroutine: make it a plain function"),
        ("a string", "is not callable"),
    ],
)
def test_a_method_that_cannot_be_called_as_agreed_is_named(function: Any, words: str) -> None:
    problem = only_problem(identity=with_authenticate(function))
    assert problem.startswith("Host.identity.authenticate ")
    assert words in problem


def passes_everything_on(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    "function",
    [
        lambda credential, realm="api": None,
        lambda credential, *rest: None,
        functools.partial(lambda forge, credential: None, "forge"),
        passes_everything_on(lambda credential: None),
    ],
)
def test_a_method_may_take_more_than_agreed(function: Callable[..., Any]) -> None:
    assert problems(bundle(identity=with_authenticate(function))) == []


def test_a_part_may_be_a_module_of_functions() -> None:
    class Module:
        can = staticmethod(lambda actor, ability, project: True)

    assert problems(bundle(permissions=Module)) != []
    assert problems(bundle(permissions=Module())) == []


@pytest.mark.parametrize("attribute", ["web_prefixes", "csrf_field"])
def test_a_missing_attribute_is_named(attribute: str) -> None:
    members = {name: member for name, member in vars(FakeChrome).items() if name != attribute}
    chrome = type("Bare", (), members)()
    assert only_problem(chrome=chrome) == (
        f"Host.chrome has no attribute `{attribute}`: add it to Bare; see docs/adapters.md#chrome."
    )


@pytest.mark.parametrize(
    "prefixes", ["/<path:project>", (), None, ["<path:project>"], ["/<project>/"], ["/"], [7]]
)
def test_prefixes_that_are_no_url_rules_are_named(prefixes: object) -> None:
    class Wrong(FakeChrome):
        web_prefixes = prefixes  # type: ignore[assignment]

    assert only_problem(chrome=Wrong(FORGE)).startswith("Host.chrome.web_prefixes ")


@pytest.mark.parametrize("field", ["", None, 7])
def test_an_empty_csrf_field_is_named(field: object) -> None:
    class Wrong(FakeChrome):
        csrf_field = field  # type: ignore[assignment]

    assert only_problem(chrome=Wrong(FORGE)).startswith("Host.chrome.csrf_field ")


@pytest.mark.parametrize(
    ("name", "function", "words"),
    [
        ("session", lambda: None, "Host.session takes `()`: make it take `(project)`"),
        ("session", None, "Host.session is not callable"),
        ("engines", lambda project: [], "Host.engines takes `(project)`: make it take `()`"),
        ("engines", [], "Host.engines is not callable"),
    ],
)
def test_session_and_engines_are_functions(name: str, function: Any, words: str) -> None:
    problem = only_problem(**{name: function})
    assert problem.startswith(words)
    assert problem.endswith("see docs/adapters.md#session-and-engines.")


def test_the_parameter_of_session_may_have_any_name() -> None:
    assert problems(bundle(session=lambda _anything: None)) == []


@pytest.mark.parametrize("events", [None, {}, Events(text_saved="saved")])  # type: ignore[arg-type]
def test_events_are_signals(events: object) -> None:
    assert only_problem(events=events).startswith("Host.events")


def test_all_problems_are_told_at_once() -> None:
    found = problems(bundle(identity=object(), projects=None, engines=None))
    assert len(found) == len(methods(PARTS["identity"])) + 2
