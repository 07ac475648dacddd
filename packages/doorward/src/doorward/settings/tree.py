"""Settings with their types and defaults. Described for people in docs/reference/settings.md."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field

from doorward.core.model.policy import (
    LONGEST,
    PasswordPolicy,
    SecondFactorPolicy,
    SessionPolicy,
    ThrottlePolicy,
    TokenPolicy,
)
from doorward.core.model.secret import Secret
from doorward.core.model.section import Section, Sections
from doorward.features.api_keys.settings import ApiKeyPolicy
from doorward.features.authn.directories.settings import DirectoryPolicies
from doorward.features.authn.email_challenges.settings import EmailChallengePolicy
from doorward.features.authn.factors.email_code.settings import EmailCodePolicy
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.authn.providers.settings import ProviderPolicies
from doorward.features.notices.settings import NoticePolicy
from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.features.places.settings import PlacePolicy
from doorward.features.risk.settings import RiskPolicy
from doorward.features.security_events.settings import EventStreamPolicy
from doorward.features.security_events.source_settings import EventSourcePolicies
from doorward.storage.postgres.options import PostgresOptions

Port = Annotated[int, Meta(ge=1, le=65535)]


class ServerSettings(Section, frozen=True, forbid_unknown_fields=True):
    """Where the server listens. `trusted_proxies`: addresses or networks whose forwarding headers are trusted.

    Without `port`, the port of a loopback issuer, else 8000: see `Settings.port`. `host` may be `unix:/path`. `connections` is
    for each of the `workers`; `drain` is in seconds.
    """

    files: ClassVar[frozenset[str]] = frozenset({"tls_cert", "tls_key"})

    host: str = "127.0.0.1"
    port: Port | None = None
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    connections: Annotated[int, Meta(ge=16, le=100_000)] = 5000
    drain: Annotated[int, Meta(ge=0, le=300)] = 0
    trusted_proxies: tuple[str, ...] = ()
    tls_cert: str | None = None
    tls_key: str | None = None


class MailSettings(Section, frozen=True, forbid_unknown_fields=True):
    """The SMTP server. Without `host` mail stays in the outbox and `doorward doctor` reports it.

    `tls`: `starttls` (refused when the server does not offer it), `tls` from the first byte, or `none`. `smtputf8`: whether new
    addresses may have letters beyond ASCII before the @, which not every mail server on the way accepts (RFC 6531).
    """

    files: ClassVar[frozenset[str]] = frozenset({"password_file"})

    host: str | None = None
    port: Port | None = None
    user: str | None = None
    password: Secret | None = None
    password_file: str | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: str | None = None
    smtputf8: bool = False
    timeout: Annotated[int, Meta(ge=1, le=300)] = 20


class KeySettings(Section, frozen=True, forbid_unknown_fields=True):
    """The key-encryption key, and the lifetimes of the signing keys in seconds.

    One of three: `secret_key` (32 bytes, base64) or the file that holds it; without either, `doorward.key` beside the database,
    which is created on the first start unless `generate` is false. Or two commands, which get base64 on standard input and answer
    with base64; they are split as a shell would. Or the AES key of a PKCS#11 token, all by their labels.

    A new signing key is published `publish_ahead` before it signs; the current one retires after `rotate_after` (0: only by
    command).
    """

    files: ClassVar[frozenset[str]] = frozenset({"secret_key_file", "pkcs11_module", "pkcs11_pin_file"})

    secret_key: Secret | None = None
    secret_key_file: str | None = None
    generate: bool = True
    unwrap_command: str | None = None
    wrap_command: str | None = None
    command_timeout: Annotated[int, Meta(ge=1, le=300)] = 30
    pkcs11_module: str | None = None
    pkcs11_token: str | None = None
    pkcs11_key: Annotated[str, Meta(min_length=1)] = "doorward"
    pkcs11_pin: Secret | None = None
    pkcs11_pin_file: str | None = None
    publish_ahead: Annotated[int, Meta(ge=0, le=30 * 86_400)] = 86_400
    rotate_after: Annotated[int, Meta(ge=0, le=LONGEST)] = 90 * 86_400


class BrandSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What people see on pages and in mail."""

    name: Annotated[str, Meta(min_length=1, max_length=60)] = "Doorward"
    locale: Literal["en", "de", "fr", "es", "ar"] = "en"


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where `/metrics` answers: on its own port, or on the server's port for callers with the token. With neither setting it is
    off."""

    host: str = "127.0.0.1"
    port: Port | None = None
    token: Secret | None = None


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long lines of the audit log are kept: in days, 0 for ever. On PostgreSQL a month is dropped when its last line reaches that
    age."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 400


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings, checked. `issuer` is the public address and the `iss` of every token (RFC 8414 §2).

    `database` is the path of the SQLite file, made absolute, or the URL of a PostgreSQL database, which prints without its
    password. `development` opens `/_dev/outbox`, allows http, and is possible only with an issuer on this machine. `cache` is the
    URL of a Valkey or Redis server, if there is one. `ca_file` (PEM) holds authorities that are trusted in addition to the
    machine's for outgoing calls.
    """

    issuer: str
    database: str = "doorward.db"
    cache: Secret | None = None
    postgres: PostgresOptions = field(default_factory=PostgresOptions)
    development: bool = False
    ca_file: str | None = None
    server: ServerSettings = field(default_factory=ServerSettings)
    tokens: TokenPolicy = field(default_factory=TokenPolicy)
    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    passwords: PasswordPolicy = field(default_factory=PasswordPolicy)
    second_factor: SecondFactorPolicy = field(default_factory=SecondFactorPolicy)
    passkeys: PasskeyPolicy = field(default_factory=PasskeyPolicy)
    email_codes: EmailCodePolicy = field(default_factory=EmailCodePolicy)
    sms: SmsPolicy = field(default_factory=SmsPolicy)
    api_keys: ApiKeyPolicy = field(default_factory=ApiKeyPolicy)
    throttle: ThrottlePolicy = field(default_factory=ThrottlePolicy)
    risk: RiskPolicy = field(default_factory=RiskPolicy)
    tickets: EmailChallengePolicy = field(default_factory=EmailChallengePolicy)
    providers: ProviderPolicies = field(default_factory=ProviderPolicies)
    directories: DirectoryPolicies = field(default_factory=DirectoryPolicies)
    registration: RegistrationPolicy = field(default_factory=RegistrationPolicy)
    client_documents: ClientDocumentPolicy = field(default_factory=ClientDocumentPolicy)
    places: PlacePolicy = field(default_factory=PlacePolicy)
    notices: NoticePolicy = field(default_factory=NoticePolicy)
    event_streams: EventStreamPolicy = field(default_factory=EventStreamPolicy)
    event_sources: EventSourcePolicies = field(default_factory=EventSourcePolicies)
    mail: MailSettings = field(default_factory=MailSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    brand: BrandSettings = field(default_factory=BrandSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    log: LogSettings = field(default_factory=LogSettings)
    source: str | None = None
    """The file that was read, if any; not a setting."""

    @property
    def sections(self) -> Sections:
        """The sections, to be found by their class."""
        found = [getattr(self, name) for name in self.__struct_fields__]
        return Sections(one for one in found if isinstance(one, Section))

    @property
    def sends_mail(self) -> bool:
        """Whether mail reaches people, or the development outbox."""
        return self.mail.host is not None or self.development

    @property
    def beyond_ascii(self) -> bool:
        """Whether an address with letters beyond ASCII before the @ can be registered: mail must be able to reach it."""
        return self.mail.smtputf8 or self.mail.host is None

    @property
    def port(self) -> int:
        """The port to listen on: `server.port`, which `load` has filled in."""
        return self.server.port or 8000

    @property
    def secret_key_path(self) -> str:
        """The file of the secret key: `keys.secret_key_file`, which `load` has filled in."""
        return self.keys.secret_key_file or "doorward.key"


NOT_SETTINGS = frozenset({"source"})
"""Fields of `Settings` that are no settings."""
