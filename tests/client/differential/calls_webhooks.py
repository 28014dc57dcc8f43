"""Webhooks: made, listed, changed, deleted. Nothing is sent: no server here reaches the address."""

from __future__ import annotations

from typing import Any

from .call import Call, Fields, full_path, get, post, scenario

URL = "https://8.8.8.8/hook"
VERSION = {"entity": "MODEL_VERSION", "action": "CREATED"}
ALIAS = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
HOOK: Fields = {"name": "ci", "url": URL, "events": [VERSION]}


def make(name: str, saved: str = "", /, **changes: Any) -> Call:
    """A webhook like `HOOK`; None takes a field away."""
    body = {key: value for key, value in {**HOOK, **changes}.items() if value is not None}
    more: Any = {"save": {saved: "webhook.webhook_id"}} if saved else {}
    return post(f"make: {name}", "webhooks", body, **more)


def change(name: str, body: Fields, hook: str = "{one}") -> Call:
    return Call(f"change: {name}", "PATCH", full_path(f"webhooks/{hook}"), json=body)


WEBHOOKS = scenario(
    "webhooks",
    make("one", "one", description="to CI", secret="s3cret"),
    make("two", "two", events=[VERSION, ALIAS], status="DISABLED"),
    make("the same name again", "three"),
    make("with numbers for words", "four", events=[{"entity": 2, "action": 1}], status=1),
    make("an empty description and secret", "five", description="", secret=""),
    get("get one", "webhooks/{one}"),
    get("get two", "webhooks/{two}"),
    get("get none", "webhooks/none"),
    get("list", "webhooks", {"max_results": "2"}),
    get("list: none", "webhooks", {"max_results": "1001"}),
    get("list: less than none", "webhooks", {"max_results": "-1"}),
    get("list: a token of garbage", "webhooks", {"page_token": "garbage"}),
    change("a name", {"name": "cd"}),
    change("everything", {**HOOK, "events": [ALIAS], "description": "d", "status": "DISABLED"}),
    change("a description away", {"description": ""}),
    change("a secret away", {"secret": ""}),
    change("nothing", {}),
    change("what is empty", {"name": "", "url": "", "events": []}),
    change("a bad name", {"name": "a b"}),
    change("a bad URL", {"url": "ftp://8.8.8.8/"}),
    change("none", {"name": "x"}, "none"),
    get("what came of it", "webhooks/{one}"),
    Call("delete one", "DELETE", full_path("webhooks/{one}")),
    Call("delete it again", "DELETE", full_path("webhooks/{one}")),
    get("get what is deleted", "webhooks/{one}"),
    change("what is deleted", {"name": "x"}),
    post("test what is deleted", "webhooks/{one}/test", {}),
)

REFUSED = scenario(
    "webhooks that are refused",
    make("no name", name=None),
    make("an empty name", name=""),
    make("a name with a space", name="a b"),
    make("a name that begins with a dot", name=".a"),
    make("a name that is long enough", "long", name="a" * 63),
    make("a name that is too long", name="a" * 64),
    make("capital letters", "capital", name="CI"),
    make("a number for a name", name=5),
    make("no URL", url=None),
    make("no scheme", url="8.8.8.8"),
    make("another scheme", url="ftp://8.8.8.8/"),
    make("no host", url="https:///x"),
    make("this machine", url="http://127.0.0.1/"),
    make("this machine in IPv6", url="http://[::1]/"),
    make("this machine as a number", url="http://2130706433/"),
    make("this machine in hexadecimal", url="http://0x7f.1/"),
    make("this machine, mapped", url="http://[::ffff:127.0.0.1]/"),
    make("a cloud's metadata", url="http://169.254.169.254/"),
    make("no events", events=None),
    make("an empty list of events", events=[]),
    make("a wrong action", events=[{"entity": "MODEL_VERSION", "action": "DELETED"}]),
    make("events that are no list", events="MODEL_VERSION"),
)

SCENARIOS = (WEBHOOKS, REFUSED)
