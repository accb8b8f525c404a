"""The content security policy of our pages, by which the browser itself refuses whatever is not ours."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Final

POLICY_PLACE: Final = "<content-security-policy>"
"""Stands in a page where the policy goes; no escaped text can hold these angle brackets."""
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def with_policy(page: str, hosts: Sequence[str] = ()) -> str:
    """A page with its policy: its own scripts by hash, styles and images in it, pictures of named hosts, nothing else.

    Parameters
    ----------
    page : str
        With `POLICY_PLACE` as the content of its policy.
    hosts : sequence of str
        Scheme and host of servers that the page may ask for pictures.
    """
    digests = (hashlib.sha256(code.encode("utf-8")).digest() for code in _SCRIPT.findall(page))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src {' '.join(['data:', *hosts])}; "
        "base-uri 'none'; form-action 'none'"
    )
    return page.replace(POLICY_PLACE, policy, 1)
