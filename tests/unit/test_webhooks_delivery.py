"""Messages are sent once, tried again later and later, and never by two processes at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from gitlab_mlops.models import Webhook, WebhookDelivery
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.webhooks import bell, delivery
from gitlab_mlops.services.webhooks.delivery import ATTEMPTS, HOUR, LEASE, SECOND, Sender
from gitlab_mlops.services.webhooks.messages import signature_of
from gitlab_mlops.services.webhooks.sealing import Unreadable, seal, unseal
from gitlab_mlops.services.webhooks.transport import Answer
from gitlab_mlops.services.webhooks.worker import Worker

SECRETS = [b"an old secret key", b"the secret key of the forge"]
GOOD, BAD, DOWN = Answer(200, "", "ok", 5), Answer(500, "It answered 500."), Answer(None, "down")
NOT_FOUND = Answer(404, "It answered 404.")


@dataclass
class FakeTransport:
    """Notes what is sent and answers as it is told, by the end of the URL."""

    answers: dict[str, Answer] = field(default_factory=dict)
    sent: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        self.before()
        self.sent.append((url, body.decode(), headers))
        return self.answers.get(url.rpartition("/")[2], GOOD)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that really commits; its tables are empty before and after."""
    with Session(engine) as session:
        yield session
        session.rollback()
        session.execute(sa.delete(WebhookDelivery))
        session.execute(sa.delete(Webhook))
        session.commit()


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def sender(transport: FakeTransport) -> Sender:
    return Sender(transport, SECRETS)  # type: ignore[arg-type]


def add_webhook(session: Session, path: str = "hook", secret: str = "") -> int:
    """A webhook at a path; its id."""
    made = Webhook(
        project_id=1,
        webhook_id=str(uuid4()),
        name="hook",
        url=f"https://there.example/{path}",
        events="run.created",
        is_active=True,
        secret=seal(SECRETS, secret) if secret else None,
        created_at=now(),
        updated_at=now(),
    )
    session.add(made)
    session.commit()
    return made.id


def add_message(session: Session, webhook_id: int, due: int = 0, **values: Any) -> int:
    """A message that is due so many milliseconds from now; its id."""
    made = WebhookDelivery(
        **{
            "webhook_id": webhook_id,
            "delivery_id": str(uuid4()),
            "event": "run.created",
            "origin": "event",
            "body": '{"a": "ä"}',
            "created_at": now(),
            "due_at": now() + due,
            **values,
        }
    )
    session.add(made)
    session.commit()
    return made.id


def row(session: Session, message: int) -> WebhookDelivery:
    """A message as it is stored now."""
    session.rollback()
    session.expire_all()
    found = session.get(WebhookDelivery, message)
    assert found is not None
    return found


def make_due(session: Session) -> None:
    """Let everything that waits be due."""
    session.rollback()
    waiting = update(WebhookDelivery).where(WebhookDelivery.due_at.is_not(None))
    session.execute(waiting.values(due_at=now()))
    session.commit()


def test_what_is_due_is_sent_signed_and_noted(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender
) -> None:
    message = add_message(session, add_webhook(session, secret="s3cret"))
    later = add_message(session, add_webhook(session, "later"), HOUR)
    assert delivery.deliver(engine, sender) == (1, 0)
    ((url, body, headers),) = transport.sent
    found = row(session, message)
    assert (url, body) == ("https://there.example/hook", '{"a": "ä"}')
    assert headers["X-MLflow-Delivery-Id"] == found.delivery_id
    assert abs(int(headers["X-MLflow-Timestamp"]) * 1000 - now()) < 60 * SECOND
    assert headers["X-MLflow-Signature"] == signature_of(
        "s3cret", found.delivery_id, headers["X-MLflow-Timestamp"], body
    )
    assert (found.due_at, found.attempts, found.status, found.reason) == (None, 1, 200, "")
    assert (found.answer, found.took) == ("ok", 5)
    assert row(session, later).attempts == 0
    assert delivery.deliver(engine, sender) == (0, 0)


def test_without_a_secret_nothing_is_signed(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender
) -> None:
    add_message(session, add_webhook(session))
    delivery.deliver(engine, sender)
    assert "X-MLflow-Signature" not in transport.sent[0][2]


def test_the_signature_is_mlflows() -> None:
    from mlflow.webhooks.delivery import _generate_hmac_signature

    assert signature_of("k", "id", "17", "{}") == _generate_hmac_signature("k", "id", "17", "{}")


@pytest.mark.parametrize("answer", [BAD, DOWN, NOT_FOUND])
def test_a_failure_is_tried_again_later_and_later_and_then_given_up(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender, answer: Answer
) -> None:
    transport.answers["hook"] = answer
    message = add_message(session, add_webhook(session))
    delays = []
    for attempt in range(1, ATTEMPTS + 1):
        assert delivery.deliver(engine, sender) == (0, 1)
        found = row(session, message)
        assert (found.attempts, found.status, found.reason) == (
            attempt,
            answer.status,
            answer.reason,
        )
        if found.due_at is not None:
            delays.append(found.due_at - now())
        make_due(session)
    assert found.due_at is None
    assert delivery.deliver(engine, sender) == (0, 0)
    assert delays == sorted(delays)
    assert 20 * SECOND < delays[0] < 40 * SECOND
    assert 6 * HOUR < sum(delays) < 14 * HOUR
    # All attempts say the same under the same id.
    assert (
        len({(body, headers["X-MLflow-Delivery-Id"]) for _, body, headers in transport.sent}) == 1
    )


def test_delays_differ() -> None:
    assert len({delivery.delay(3) for _ in range(20)}) > 10


def test_what_is_delivered_after_a_failure_is_not_tried_again(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender
) -> None:
    transport.answers["hook"] = BAD
    message = add_message(session, add_webhook(session))
    delivery.deliver(engine, sender)
    transport.answers.clear()
    make_due(session)
    assert delivery.deliver(engine, sender) == (1, 0)
    found = row(session, message)
    assert (found.due_at, found.attempts, found.reason) == (None, 2, "")


def test_a_secret_of_a_key_that_is_gone_is_told_and_not_tried_again(
    engine: Engine, session: Session, transport: FakeTransport
) -> None:
    message = add_message(session, add_webhook(session, secret="s3cret"))
    other = Sender(transport, [b"another secret key"])  # type: ignore[arg-type]
    assert delivery.deliver(engine, other) == (0, 1)
    assert transport.sent == []
    found = row(session, message)
    assert found.due_at is None
    assert "enter it again" in found.reason


def test_a_secret_outlives_a_change_of_the_key(
    engine: Engine, session: Session, transport: FakeTransport
) -> None:
    add_message(session, add_webhook(session, secret="s3cret"))
    newer = Sender(transport, [*SECRETS, b"a newer secret key"])  # type: ignore[arg-type]
    assert delivery.deliver(engine, newer) == (1, 0)
    assert "X-MLflow-Signature" in transport.sent[0][2]


def test_a_new_secret_is_encrypted_with_the_current_key() -> None:
    assert unseal(SECRETS[-1:], seal(SECRETS, "s3cret")) == "s3cret"
    with pytest.raises(Unreadable):
        unseal(SECRETS[:1], seal(SECRETS, "s3cret"))


def test_what_one_process_claims_no_other_gets(engine: Engine, session: Session) -> None:
    webhooks = [add_webhook(session) for _ in range(10)]
    messages = {add_message(session, webhook) for webhook in webhooks for _ in range(4)}
    claimed: list[int] = []
    start = threading.Barrier(4)

    def claim_all() -> None:
        start.wait()
        for _ in range(12):
            claimed.extend(each.id for each in delivery.claim(engine))

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == messages


def test_what_a_process_left_behind_is_sent_when_its_time_is_up(
    engine: Engine, session: Session, sender: Sender
) -> None:
    message = add_message(session, add_webhook(session))
    assert [each.id for each in delivery.claim(engine)] == [message]
    assert delivery.claim(engine) == []
    due = row(session, message).due_at or 0
    assert LEASE - 10 * SECOND < due - now() <= LEASE
    make_due(session)
    assert delivery.deliver(engine, sender) == (1, 0)
    assert row(session, message).attempts == 2


def test_who_comes_too_late_changes_nothing(engine: Engine, session: Session) -> None:
    message = add_message(session, add_webhook(session))
    (slow,) = delivery.claim(engine)
    make_due(session)
    (fast,) = delivery.claim(engine)
    with engine.begin() as connection:
        delivery.note(connection, slow, NOT_FOUND, now())
    assert (row(session, message).status, row(session, message).tried_at) == (None, None)
    with engine.begin() as connection:
        delivery.note(connection, fast, GOOD, now())
        delivery.note(connection, slow, NOT_FOUND, now())
    found = row(session, message)
    assert (found.due_at, found.status) == (None, 200)


def test_a_receiver_that_is_down_holds_up_nobody_else(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender
) -> None:
    """Its own messages wait with the first ones, instead of each being tried at once."""
    transport.answers["down"] = DOWN
    down, up = add_webhook(session, "down"), add_webhook(session, "up")
    for _ in range(40):
        add_message(session, down)
    message = add_message(session, up)
    good, bad = delivery.deliver(engine, sender)
    assert (good, bad <= delivery.BATCH) == (1, True)
    assert row(session, message).status == 200
    assert transport.sent.index(next(each for each in transport.sent if "up" in each[0])) < 12
    assert (delivery.next_due(engine) or 0) > now() + 10 * SECOND


def test_a_message_that_is_refused_holds_up_no_other_one(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender
) -> None:
    transport.answers["hook"] = NOT_FOUND
    webhook = add_webhook(session)
    for _ in range(15):
        add_message(session, webhook)
    assert delivery.deliver(engine, sender) == (0, 15)


def test_what_waited_a_day_is_given_up(engine: Engine, session: Session) -> None:
    webhook, old = add_webhook(session), now() - 25 * HOUR
    waiting = add_message(session, webhook, HOUR, created_at=old)
    due = add_message(session, webhook, created_at=old)
    young = add_message(session, webhook, HOUR)
    delivery.clean(engine)
    assert "within a day" in row(session, waiting).reason
    assert row(session, waiting).due_at is None
    assert row(session, due).due_at is not None
    assert row(session, young).due_at is not None


def test_the_log_goes_back_thirty_days(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHUNK", 2)
    webhook = add_webhook(session)
    day = 24 * HOUR
    for _ in range(5):
        add_message(session, webhook, created_at=now() - 31 * day, due_at=None)
    kept = add_message(session, webhook, created_at=now() - 29 * day, due_at=None)
    assert delivery.clean(engine) == 5
    session.rollback()
    assert session.scalars(select(WebhookDelivery.id)).all() == [kept]


def worker_of(engine: Engine, sender: Sender) -> Worker:
    return Worker(lambda: [engine], lambda: sender)


def test_the_thread_sleeps_until_the_next_message_is_due(
    engine: Engine, session: Session, sender: Sender
) -> None:
    worker = worker_of(engine, sender)
    assert worker.work() == 60
    webhook = add_webhook(session)
    add_message(session, webhook, 10 * SECOND)
    assert 5 < worker.work() <= 10
    message = add_message(session, webhook)
    worker.work()
    assert row(session, message).status == 200


def test_the_thread_keeps_away_from_a_connection_that_requests_use(sender: Sender) -> None:
    """In memory, all threads share one connection, and would end each other's transactions."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    touched: list[object] = []
    sa.event.listen(engine, "connect", lambda *arguments: touched.append(arguments))
    assert worker_of(engine, sender).work() == 60
    assert touched == []
    engine.dispose()


def threads() -> int:
    """How many threads of this process send messages."""
    return [each.name for each in threading.enumerate()].count("mlops-webhooks")


def test_the_bell_wakes_the_thread(
    engine: Engine, session: Session, transport: FakeTransport, sender: Sender
) -> None:
    others = threads()  # of forges that other tests have made
    sent = threading.Event()
    transport.before = sent.set
    webhook = add_webhook(session)
    slept = threading.Event()

    class Napping(Worker):
        def work(self) -> float:
            seconds = super().work()
            slept.set()
            return seconds

    worker = Napping(lambda: [engine], lambda: sender)
    worker.start()
    worker.start()
    try:
        assert slept.wait(10)
        add_message(session, webhook)
        assert not sent.wait(0.1)
        bell.ring()
        assert sent.wait(10)
        assert threads() == others + 1
    finally:
        worker.stop()
    assert threads() == others
