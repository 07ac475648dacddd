"""An API as clients see it: its challenges and its metadata."""

from collections.abc import Iterable

from doorward_verify import challenges
from doorward_verify.auth_error import AuthError


class ApiDescription:
    """What an API says about itself. `scopes` are those of basic use, `name` is what clients show to people, `resource_metadata` the
    URL of the metadata where it does not follow from the audience."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        scopes: Iterable[str],
        name: str | None,
        resource_metadata: str | None,
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.scopes = tuple(scopes)
        self.name = name
        self.resource_metadata = resource_metadata or challenges.metadata_location(audience)

    def challenge(self, refused: AuthError) -> challenges.Challenge:
        """Status, headers and body that answer a refusal."""
        return challenges.challenge(refused, self.resource_metadata)

    def metadata(self) -> dict[str, object]:
        """This API's metadata, RFC 9728 §2, to serve at `metadata_path`."""
        return challenges.protected_resource(self.audience, self.issuer, self.scopes, self.name)

    @property
    def metadata_path(self) -> str:
        """The path at which clients look for `metadata`, RFC 9728 §3.1."""
        return self.metadata_paths[0]

    @property
    def metadata_paths(self) -> tuple[str, ...]:
        """`metadata_path`, and the same with a slash at its end where the audience has one."""
        return challenges.metadata_paths(self.audience, self.resource_metadata)
