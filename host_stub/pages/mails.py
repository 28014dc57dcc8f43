"""What the forge has sent to whoever is signed in."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user, login_required
from markupsafe import Markup
from sqlalchemy import select

from host_stub import forms
from host_stub.database import db
from host_stub.mails import Mail

mails = Blueprint("mails", __name__, url_prefix="/-/user_settings/mails")
PER_PAGE = 20


@mails.get("")
@login_required  # type: ignore[untyped-decorator]
def show() -> str:
    """The own mails as they were sent, the newest first."""
    mine = select(Mail).where(Mail.user_id == current_user.id).order_by(Mail.id.desc())
    found = db.paginate(mine, page=forms.page_number(), per_page=PER_PAGE, error_out=False)
    return render_template("host_stub/mails.html", found=found, body=_body)


def _body(mail: Mail) -> Markup:
    # Made of sanitized texts by `host_stub.mails`.
    return Markup(mail.html)  # noqa: S704
