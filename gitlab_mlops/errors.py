"""Domain errors. They know no HTTP: `wire/errors.py` and `blueprints/web` translate them."""


class MLOpsError(Exception):
    """Base of every error the plugin raises on purpose; `str(error)` tells the user what to do."""


class Unauthenticated(MLOpsError):
    """No credential, or one the forge does not accept. The same for every reason."""


class NotFound(MLOpsError):
    """The thing does not exist, or the actor may not know that it does."""


class Forbidden(MLOpsError):
    """The actor sees the thing and may not do this to it."""


class Invalid(MLOpsError):
    """The input breaks a rule; nothing was stored."""


class AlreadyExists(MLOpsError):
    """The name is taken in this project."""


class TooLarge(MLOpsError):
    """The body or file is over the operator's limit."""


class TooMany(MLOpsError):
    """The token sent more requests than the operator allows."""

    def __init__(self, seconds: int, per_minute: int) -> None:
        """`seconds`: until it may send again."""
        super().__init__(
            f"This token sent more than {per_minute} requests in a minute; go on in {seconds} "
            "seconds. Batches (log_batch, log_metrics) and asynchronous logging need fewer."
        )
        self.seconds = seconds


class NotSupported(MLOpsError):
    """A part of MLflow's API that this server knows of and does not offer."""


class StorageFull(MLOpsError):
    """The artifact store or a quota has no room; trying again will not help."""


class Unavailable(MLOpsError):
    """The database or the artifact store cannot be reached; trying again later may help."""
