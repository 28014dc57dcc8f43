"""A conformance suite for adapters: what the author of a forge runs against an own one.

Implement `Forge`, derive a test class from `AdapterConformance`, and run pytest:

    class TestOurAdapter(AdapterConformance):
        def make_forge(self, folder: Path) -> Forge:
            return OurForge(folder)

`docs/adapters.md` has a complete example.
"""

from pkgutil import iter_modules

import pytest

# Before they are imported, or failures would not show the values that were compared.
for _module in iter_modules(__path__):
    pytest.register_assert_rewrite(f"{__name__}.{_module.name}")

from gitlab_mlops.testing.conformance import AdapterConformance  # noqa: E402
from gitlab_mlops.testing.forge import Forge, unsupported  # noqa: E402

__all__ = ["AdapterConformance", "Forge", "unsupported"]
