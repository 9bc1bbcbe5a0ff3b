"""A real OpenID provider on loopback, and a browser that signs in there."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
from joserfc.jwk import RSAKey

from tests.builders.peers import NPM_MODULES, free_port

CLIENT_SECRET = "a secret of the service"  # noqa: S105  of a provider that lives as long as a test
_SCRIPT = NPM_MODULES.with_name("identity_provider.mjs")


@contextmanager
def identity_provider(folder: Path, redirect_uri: str, *, port: int | None = None) -> Iterator[str]:
    """Run the provider with a new signing key, and give its issuer."""
    port = port or free_port()
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)
    keys = folder / f"keys-{key.kid}.json"
    keys.write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
    process = subprocess.Popen(
        ["node", _SCRIPT, str(port), redirect_uri, keys],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


class Browser:
    """Follows the provider's pages, with its cookies, until they lead back to the service."""

    def __init__(self, pages: httpx.Client) -> None:
        self.pages = pages
        self.forms_filled = 0

    def sign_in(self, address: str, name: str, *, back_to: str) -> str:
        """Type `name` where a form asks for it, and return the address that it all leads back to."""
        answer = self.pages.get(address)
        for _ in range(12):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(back_to):
                    return target
                answer = self.pages.get(target)
            else:
                assert answer.status_code == 200, answer.text
                action = re.search(r'action="([^"]+)"', answer.text)
                assert action, answer.text
                self.forms_filled += 1
                form = {"prompt": "login", "login": name, "password": "whatever"}
                answer = self.pages.post(urljoin(str(answer.url), action[1]), data=form)
        raise AssertionError(answer.text)
