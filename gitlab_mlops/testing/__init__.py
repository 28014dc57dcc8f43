"""A conformance suite for adapters: what the author of a forge runs against an own one.

Implement `Forge`, derive a test class from `AdapterConformance`, and run pytest:

    class TestOurAdapter(AdapterConformance):
        def make_forge(self, folder: Path) -> Forge:
            return OurForge(folder)

`docs/adapters.md` has a complete example.
"""

import pytest

pytest.register_assert_rewrite("gitlab_mlops.testing")

# Below the line above, or failures would not show the values that were compared.
from gitlab_mlops.testing.conformance import AdapterConformance  # noqa: E402
from gitlab_mlops.testing.forge import Forge, unsupported  # noqa: E402

__all__ = ["AdapterConformance", "Forge", "unsupported"]
