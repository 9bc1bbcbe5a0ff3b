"""Find the story, which lies in the source tree and not in the installed package."""

import sys
from importlib.util import find_spec
from pathlib import Path

from imaging_service.demo.errors import CheckoutMissingError


def require_checkout() -> None:
    """Make the folder ``fixtures`` of the checkout importable.

    Raises
    ------
    CheckoutMissingError
        When neither the installation nor the working directory belongs to a checkout.
    """
    if find_spec("fixtures") is None and (Path.cwd() / "fixtures").is_dir():
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = find_spec("fixtures.demo")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise CheckoutMissingError(wanted="fixtures/demo")
