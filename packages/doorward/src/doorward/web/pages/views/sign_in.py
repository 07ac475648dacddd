"""Pages for authentication: sign-in, second factor, confirmation."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup
from msgspec import Struct

from doorward.web.pages.views.fragment import Fragment, script_of
from doorward.web.pages.views.problems import Form, FormProblem


class OtherWay(Struct, frozen=True):
    """A link to another sign-in method: its text and its path."""

    label: str
    path: str


class ProviderButton(Struct, frozen=True):
    """A form with one button, posted to /sign-in/provider: `provider` is its name in the settings, `label` what people call it, `mark` the
    drawing before it."""

    provider: str
    label: str
    mark: Markup | None = None


class SignInView(Form, frozen=True):
    """/sign-in. Posts `identifier`, `password`, `csrf`, `flow`.

    `only_identifier`: some domains are routed to a provider, so the address is asked for first, and the password only where none is; the
    link to the page with both is /sign-in?with=password. `identifier` is prefilled (login_hint or the typed text); `last_used` is the kind of the first factor used last in this browser, `provider` for the
    first of `providers`;
    `names`: people may have a name other than an address.
    `problem` is shown above the form; `password_reset`: a new password was just set (then
    `problem` is None); `others` are methods besides the password, `providers` accounts elsewhere, `offers` parts with which other first
    factors are shown here, in place of a link.
    """

    template: ClassVar[str] = "sign_in.html"
    flow: str | None = None
    identifier: str = ""
    identifier_problem: FormProblem | None = None
    password_problem: FormProblem | None = None
    last_used: str = ""
    password_reset: bool = False
    offers: tuple[Fragment, ...] = ()
    others: tuple[OtherWay, ...] = ()
    providers: tuple[ProviderButton, ...] = ()
    only_identifier: bool = False
    names: bool = False

    @property
    def script(self) -> str:
        """The script of the page."""
        return script_of(self.offers)


class RoutedAddress(Form, frozen=True):
    """Said in place of any page that would take a password, send a code or create an account, for an address whose people sign in at a
    provider alone. Posts `provider`, `identifier`, `csrf`, `flow` to /sign-in/provider. The same for every address of `domain` (R80)."""

    template: ClassVar[str] = "routed_address.html"
    provider: str
    label: str
    domain: str
    identifier: str
    flow: str | None = None


class TrustOffer(Struct, frozen=True):
    """A box on the page of a second step, posted as `trust` with the value 1: this device is not asked for it for that many seconds.
    `chosen`: it is ticked."""

    seconds: int
    chosen: bool = False


class CodeWords(Struct, frozen=True, kw_only=True):
    """What the page of typed codes says about one kind of code: title of the page, label of the field, and a sentence about it, all in
    English: the page translates them. `digits`: a code is a number, of a kind that browsers may fill in."""

    title: str
    label: str
    help: str
    digits: bool = True


class TypedCodeView(Form, frozen=True):
    """/sign-in/code. Posts `code`, `method`, `trust`, `csrf`, `flow`.

    `account` is the address of the person whose first factor is proven; `method` is the name of the shown kind of code in addresses of
    this page, and `words` what it says; `typed` are other kinds of code that are typed here, `others` the other methods;
    `/sign-in?flow=…&restart=1` starts over.
    """

    template: ClassVar[str] = "typed_code.html"
    account: str
    method: str
    words: CodeWords
    flow: str | None = None
    action: str = "/sign-in/code"
    trust: TrustOffer | None = None
    typed: tuple[OtherWay, ...] = ()
    others: tuple[OtherWay, ...] = ()


class ReAuth(Form, frozen=True):
    """/account/confirm. Posts `password`, `return_to`, `csrf`; with `other` there is a second form, which posts `other`, `return_to`,
    `csrf` and leads to the page of all first factors. Without `password` it is the only one.

    Shown before a sensitive edit when the sign-in is older than ten minutes (ASVS 7.5.1). `account` is the e-mail address;
    `return_to` is a path on this server that the handler has checked.
    """

    template: ClassVar[str] = "re_auth.html"
    account: str
    return_to: str
    action: str = "/account/confirm"
    password: bool = True
    other: bool = False
