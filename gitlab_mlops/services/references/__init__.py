"""References in texts: found as they are written, resolved for who reads them."""

from gitlab_mlops.services.references.context import Context
from gitlab_mlops.services.references.links import link

__all__ = ["Context", "link"]
