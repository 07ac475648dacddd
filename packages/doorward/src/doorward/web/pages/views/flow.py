"""Pages at the end of a sign-in: consent, redirect to the app, posted response."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct


class ScopeLine(Struct, frozen=True):
    """One scope as shown to a person.

    `name` is the scope; OpenID's own scopes have translated verbs. For others `description` is the operator's sentence (a verb
    first: "See your orders") and `api` the API's name; without a description the name is shown.
    """

    name: str
    description: str | None = None
    api: str | None = None


class ConsentView(Struct, frozen=True):
    """/consent. Posts `decision` (allow | deny), `csrf`, `flow`.

    `account` is the address of the signed-in person, `account_name` the name if there is one; `not_you` is the path to choose
    another account (`flow` is added if missing); `host` is the target of the response (the redirect_uri's host, or the scheme of a
    native app); `lasts` is the duration of access without another consent, in seconds; `offline`: access continues while the person
    is away. `left_out` are requested permissions that this person's roles do not give; `useless_at` is the API's name if they
    give none of them. `published_at` is the host of the app's own document, if it has one; `unknown`: no operator registered the app;
    `on_device`: the response goes to a program on the person's device; `opened_by`: to the one that opens this scheme there (its name with
    the colon).
    """

    template: ClassVar[str] = "consent.html"
    app: str
    host: str
    account: str
    scopes: tuple[ScopeLine, ...]
    lasts: int
    flow: str | None = None
    account_name: str | None = None
    not_you: str = "/sign-in?prompt=select_account"
    offline: bool = False
    left_out: tuple[ScopeLine, ...] = ()
    useless_at: str | None = None
    published_at: str | None = None
    unknown: bool = False
    on_device: bool = False
    opened_by: str | None = None


class Continue(Struct, frozen=True):
    """The 200 page that ends a POST: it refreshes to `url` at once and shows a link (OAuth 2.1; browsers apply form-action to
    redirects).

    `url` is the complete absolute redirect, parameters included; `app` the app's name (None: unknown). `because` selects the
    heading: signed_in, denied, signed_out; provider: the person goes to sign in at `app`.
    """

    template: ClassVar[str] = "continue.html"
    url: str
    app: str | None = None
    because: Literal["signed_in", "denied", "signed_out", "provider"] = "signed_in"


class FormPost(Struct, frozen=True):
    """response_mode=form_post (OAuth 2.0 Form Post Response Mode §2): a form that posts `fields` to `url`.

    It is sent with `csp.form_post_policy([url])` and has no `csrf`, since the app must not see that token.
    """

    template: ClassVar[str] = "form_post.html"
    url: str
    fields: tuple[tuple[str, str], ...]
    app: str | None = None


class SignOutAsk(Struct, frozen=True):
    """/logout without a trustworthy hint, or without the cookie of the session that the hint names (ASVS 10.6.2). Posts `confirm=yes`,
    `csrf` and `hidden`.

    `account` is the signed-in person ("" = nobody is named); `app` is the app that asks to end a session that seems not to be this
    browser's; `hidden` are the request's own parameters, to be posted again.
    """

    template: ClassVar[str] = "sign_out_ask.html"
    account: str
    app: str | None = None
    hidden: tuple[tuple[str, str], ...] = ()


class SignOutOn(Struct, frozen=True):
    """The same request again, as a self-submitting form of this server: an app's POST comes without our cookies (SameSite=Lax), and its
    ID token must not appear in a URL. `hidden` are the request's own parameters."""

    template: ClassVar[str] = "sign_out_on.html"
    hidden: tuple[tuple[str, str], ...]


class SignedOut(Struct, frozen=True):
    """After sign-out. `provider`: the service by which the person was signed in, and `url`, where they can sign out there, too; None: none."""

    template: ClassVar[str] = "signed_out.html"
    provider: str | None = None
    url: str = ""
