"""Issuers of workload tokens of the tests: GitHub Actions, GitLab CI and a Kubernetes API server, with the claims of their documentation
and keys of their own, served as discovery document and key set."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from doorward_verify.jwk import SigningKey
from doorward_verify.jws import sign
from tests.manual_clock import NOW
from tests.stand_ins.openid import rsa_key
from tests.stand_ins.serving import Called, Replied

PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi"})


@dataclass
class WorkloadIssuer:
    """`now` is the time at which tokens are made; `calls` are the documents that were asked for. `cache_control` of the key set; `status` of
    every answer, while it is down; `members` replaces members of the discovery document."""

    discovery: ClassVar[str] = "/.well-known/openid-configuration"
    keys_at: ClassVar[str] = "/keys"
    ttl: ClassVar[int] = 300
    typ: ClassVar[str] = "JWT"

    origin: str = ""
    now: int = NOW
    key: SigningKey = field(default_factory=lambda: rsa_key("w1"))
    cache_control: str = ""
    status: int = 200
    members: dict[str, Any] = field(default_factory=dict[str, Any])
    calls: list[str] = field(default_factory=list[str])
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def issuer(self) -> str:
        """Its `iss`."""
        return self.origin

    def documented(self) -> dict[str, Any]:
        """The claims that its documentation shows, besides those of every token."""
        raise NotImplementedError

    def claims(self, audience: str, **other: Any) -> dict[str, Any]:
        """The claims of a token; None removes one."""
        made = {
            "jti": f"id-{next(self._numbers)}",
            "aud": audience,
            "iss": self.issuer,
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + self.ttl,
            **self.documented(),
            **other,
        }
        return {name: value for name, value in made.items() if value is not None}

    def token(
        self, audience: str, *, key: SigningKey | None = None, typ: str | None = None, **other: Any
    ) -> str:
        """A signed token."""
        payload = msgspec.json.encode(self.claims(audience, **other))
        return sign(payload, key or self.key, typ=self.typ if typ is None else typ)

    def jwks(self) -> dict[str, Any]:
        """The published keys."""
        public = {name: value for name, value in self.key.public_jwk().items() if name not in PRIVATE}
        return {"keys": [public]}

    def answer(self, called: Called) -> Replied:
        """Discovery and keys; nothing else is there."""
        self.calls.append(called.path)
        if self.status != 200:
            return Replied(self.status, {"message": "down"})
        if called.path == self.discovery:
            return Replied(200, self._metadata() | self.members)
        if called.path == self.keys_at:
            headers = {"Cache-Control": self.cache_control} if self.cache_control else {}
            return Replied(200, self.jwks(), headers)
        return Replied(404, {"message": "not found"})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "jwks_uri": self.origin + self.keys_at,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


@dataclass
class GitHubActions(WorkloadIssuer):
    """docs.github.com, "OpenID Connect reference": the claims of a job of `octo-org/octo-repo` in the environment `prod`."""

    keys_at: ClassVar[str] = "/.well-known/jwks"

    def documented(self) -> dict[str, Any]:
        """As in the example there."""
        return {
            "sub": "repo:octo-org/octo-repo:environment:prod",
            "environment": "prod",
            "ref": "refs/heads/main",
            "sha": "example-sha",
            "repository": "octo-org/octo-repo",
            "repository_owner": "octo-org",
            "actor_id": "12",
            "repository_visibility": "private",
            "repository_id": "74",
            "repository_owner_id": "65",
            "run_id": "example-run-id",
            "run_number": "10",
            "run_attempt": "2",
            "runner_environment": "github-hosted",
            "actor": "octocat",
            "workflow": "example-workflow",
            "head_ref": "",
            "base_ref": "",
            "event_name": "workflow_dispatch",
            "ref_type": "branch",
            "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        }


@dataclass
class GitLabCi(WorkloadIssuer):
    """docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens": the claims of a job."""

    keys_at: ClassVar[str] = "/oauth/discovery/keys"

    def documented(self) -> dict[str, Any]:
        """As in the example there."""
        return {
            "sub": "project_path:my-group/my-project:ref_type:branch:ref:main",
            "namespace_id": "72",
            "namespace_path": "my-group",
            "project_id": "20",
            "project_path": "my-group/my-project",
            "user_id": "1",
            "user_login": "sample-user",
            "pipeline_id": "574",
            "pipeline_source": "push",
            "job_id": "302",
            "ref": "main",
            "ref_type": "branch",
            "ref_path": "refs/heads/main",
            "ref_protected": "true",
            "environment": "prod",
            "environment_protected": "false",
            "runner_environment": "self-hosted",
        }


@dataclass
class KubernetesApi(WorkloadIssuer):
    """kubernetes.io, "Managing Service Accounts": the claims of a projected token of the service account `build-robot`."""

    keys_at: ClassVar[str] = "/openid/v1/jwks"
    ttl: ClassVar[int] = 3600
    typ: ClassVar[str] = ""

    def documented(self) -> dict[str, Any]:
        """As in the example there."""
        return {
            "sub": "system:serviceaccount:my-namespace:my-serviceaccount",
            "kubernetes.io": {
                "namespace": "my-namespace",
                "node": {"name": "my-node", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},
                "pod": {"name": "my-pod", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3"},
                "serviceaccount": {
                    "name": "my-serviceaccount",
                    "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798",
                },
            },
        }
