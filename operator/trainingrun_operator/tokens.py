"""Which pod a token is bound to: asked of the API server, or verified with the keys that it publishes."""

import time
from typing import NamedTuple, Protocol

import jwt

from trainingrun_api.names import PROGRESS_AUDIENCE

from .cluster import Cluster
from .errors import ReportRefusedError
from .resources import Manifest

POD_NAME = "authentication.kubernetes.io/pod-name"
POD_UID = "authentication.kubernetes.io/pod-uid"
BOUND = "kubernetes.io"
# Who sends what no key has signed makes the operator ask for the keys again no more often.
REFRESH_SECONDS = 60.0


class Sender(NamedTuple):
    """The pod that a token is bound to, which may be gone by now."""

    namespace: str
    pod: str
    uid: str


class Tokens(Protocol):
    """A way to verify them."""

    async def sender(self, token: str) -> Sender:
        """The pod that holds this token. Raises ReportRefusedError and ApiError."""


class ReviewedTokens:
    """Has the API server review each token, which needs a right of the whole cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def sender(self, token: str) -> Sender:
        """The pod that holds this token. Raises ReportRefusedError and ApiError."""
        review = await self._cluster.review_token(token, PROGRESS_AUDIENCE)
        if not review.get("authenticated") or PROGRESS_AUDIENCE not in review.get("audiences", ()):
            raise _unauthenticated()
        user = review["user"]
        extra, parts = user.get("extra", {}), user["username"].split(":")
        if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"] or not extra.get(POD_UID):
            raise _unbound()
        return Sender(parts[2], extra[POD_NAME][0], extra[POD_UID][0])


class SignedTokens:
    """Verifies signatures with the cluster's keys, which every service account may read."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._issuer = ""
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")

    async def sender(self, token: str) -> Sender:
        """The pod that holds this token. Raises ReportRefusedError and ApiError."""
        try:
            claims = await self._claims(token)
        except (jwt.InvalidTokenError, RecursionError) as error:  # the latter for JSON that is nested deeply
            raise _unauthenticated() from error
        bound = claims.get(BOUND, {})
        if "pod" not in bound:
            raise _unbound()
        return Sender(bound["namespace"], bound["pod"]["name"], bound["pod"]["uid"])

    async def _claims(self, token: str) -> Manifest:
        """What the token says. Raises InvalidTokenError when it isn't the cluster's, or not for us or now."""
        key = await self._key(str(jwt.get_unverified_header(token).get("kid")))
        claims: Manifest = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=PROGRESS_AUDIENCE,
            issuer=self._issuer,
            options={"require": ["aud", "exp", "iss"]},
        )
        return claims

    async def _key(self, name: str) -> jwt.PyJWK:
        if name not in self._keys and time.monotonic() > self._read_at + REFRESH_SECONDS:
            self._issuer, published = await self._cluster.token_issuer()
            self._keys = {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(published).keys}
            self._read_at = time.monotonic()
        if name not in self._keys:
            raise jwt.InvalidTokenError("signed with a key that isn't the cluster's")
        return self._keys[name]


def _unauthenticated() -> ReportRefusedError:
    return ReportRefusedError(401, "unauthenticated", f"the token isn't valid for {PROGRESS_AUDIENCE}")


def _unbound() -> ReportRefusedError:
    return ReportRefusedError(403, "forbidden", "the token isn't bound to a pod")
