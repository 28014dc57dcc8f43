"""The frame around the pages, forms that somebody forged, and the Content-Security-Policy."""

from __future__ import annotations

import re
from contextlib import suppress

from gitlab_mlops.host import Ability
from gitlab_mlops.testing.world import PROBE, World


class PagesConformance:
    """`Host.chrome` as a whole."""

    def test_pages_stand_in_the_forges_frame(self, world: World) -> None:
        project = world.project()
        user = world.user(project, Ability.WRITE)
        name = "experiment-of-the-suite"
        world.client(project, world.token(user)).post("experiments/create", name=name)
        answer = world.browser(user).get(world.page(project, "experiments"))
        assert answer.status_code == 200
        assert world.forge.mark in answer.text, "the page does not extend the base template"
        assert name in answer.text, "the base template has no block `content`"
        assert re.search(r"<title>[^<]*Experiments", answer.text), "it has no block `title`"

    def test_the_page_of_a_project_opens_where_project_url_says(self, world: World) -> None:
        project = world.project()
        url = world.page(project)
        assert url.startswith("/")
        assert not url.endswith("/")
        user = world.user(project, Ability.READ)
        assert world.browser(user).get(url, follow_redirects=True).status_code == 200

    def test_a_worker_without_a_request_knows_the_page_of_a_project(self, world: World) -> None:
        project = world.project()
        url = world.page(project)
        found = None
        with world.app.app_context(), suppress(RuntimeError):
            found = world.host.chrome.project_url(project)
        assert found == url, "project_url() needs a request, and a worker has none"

    def test_pages_of_a_hidden_project_look_like_those_of_a_missing_one(self, world: World) -> None:
        hidden, deleted = world.project(), world.project()
        world.forge.delete_project(deleted)
        outsider, anonymous = world.browser(world.user()), world.browser()
        urls = [world.page(project, "experiments") for project in (hidden, deleted)]
        assert [outsider.get(url).status_code for url in urls] == [404, 404]
        statuses = {anonymous.get(url).status_code for url in urls}
        assert len(statuses) == 1, "somebody not signed in can tell hidden from missing"
        assert statuses <= {302, 303, 401, 404}

    def test_the_sign_in_page_opens(self, world: World) -> None:
        url = world.ask(lambda host: host.chrome.login_url("/x?y=1&z=2"))
        assert world.browser().get(url, follow_redirects=True).status_code == 200

    def test_the_page_of_tokens_opens(self, world: World) -> None:
        url = world.ask(lambda host: host.chrome.tokens_url())
        assert url is None or world.browser(world.user()).get(url).status_code == 200

    def test_a_form_with_the_token_of_this_session_is_good(self, world: World) -> None:
        browser = world.browser(world.user())
        form = browser.get(f"{PROBE}/form").get_json()
        assert all(form.values()), "csrf_token() is empty"
        assert browser.post(f"{PROBE}/form", data=form).json == {"good": True, "seen": True}

    def test_a_form_without_a_token_or_with_somebody_elses_is_refused(self, world: World) -> None:
        browser = world.browser(world.user())
        browser.get(f"{PROBE}/form")
        foreign = world.browser(world.user()).get(f"{PROBE}/form").get_json()
        (field,) = foreign
        for form in ({}, {"x": "y"}, {field: ""}, {field: "ä"}, foreign):
            answer = browser.post(f"{PROBE}/form", data=form)
            # The forge may refuse it before any view, or leave that to who asks `check_csrf`.
            assert 400 <= answer.status_code < 500 or answer.get_json()["good"] is False

    def test_the_nonce_is_one_per_response_and_in_its_policy(self, world: World) -> None:
        browser = world.browser()
        answers = [browser.get(f"{PROBE}/nonce") for _ in range(2)]
        nonces = [answer.get_json()["nonces"] for answer in answers]
        assert all(first == second for first, second in nonces)
        for answer, (nonce, _) in zip(answers, nonces, strict=True):
            policy = answer.headers.get("Content-Security-Policy", "")
            if nonce is None:
                assert "'nonce-" not in policy, "the policy has a nonce, but csp_nonce() is None"
            else:
                assert f"'nonce-{nonce}'" in policy
        assert nonces[0] != nonces[1] or nonces[0] == [None, None]

    def test_scripts_and_styles_of_the_pages_load_under_the_policy(self, world: World) -> None:
        project = world.project()
        browser = world.browser(world.user(project, Ability.READ))
        answer = browser.get(world.page(project, "experiments"))
        assets = re.findall(r'(?:src|href)="([^"]*/mlops/static/[^"]*)"', answer.text)
        assert assets, "the base template has no block `head` inside of its <head>"
        for url in assets:
            with browser.get(url) as asset:
                assert asset.status_code == 200
        policy = answer.headers.get("Content-Security-Policy", "'self'")
        assert "'self'" in policy or "'nonce-" in policy
