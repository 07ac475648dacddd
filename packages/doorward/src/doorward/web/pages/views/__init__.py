"""The view models, one per hosted page; handlers build one of these and call `render`."""

from doorward.web.pages.views.account import (
    Activity,
    ActivityLine,
    AppLine,
    Apps,
    DeviceLine,
    Devices,
    Done,
    Happened,
    Methods,
    Profile,
    RecoveryCodes,
    TotpSetup,
)
from doorward.web.pages.views.context import PageContext, View
from doorward.web.pages.views.ends import ErrorPage, Failure, Home, Outbox, OutboxMessage, Way
from doorward.web.pages.views.flow import (
    Consent,
    Continue,
    FormPost,
    ScopeLine,
    SignedOut,
    SignOutAsk,
    SignOutOn,
)
from doorward.web.pages.views.problems import Problem, Wrong
from doorward.web.pages.views.reset import ResetAsk, ResetDone, ResetNew
from doorward.web.pages.views.sign_in import OtherWay, ReAuth, SecondFactor, SignIn
from doorward.web.pages.views.sign_up import CheckMail, LinkPage, SignUp

__all__ = [
    "Activity",
    "ActivityLine",
    "AppLine",
    "Apps",
    "CheckMail",
    "Consent",
    "Continue",
    "DeviceLine",
    "Devices",
    "Done",
    "ErrorPage",
    "Failure",
    "FormPost",
    "Happened",
    "Home",
    "LinkPage",
    "Methods",
    "OtherWay",
    "Outbox",
    "OutboxMessage",
    "PageContext",
    "Problem",
    "Profile",
    "ReAuth",
    "RecoveryCodes",
    "ResetAsk",
    "ResetDone",
    "ResetNew",
    "ScopeLine",
    "SecondFactor",
    "SignIn",
    "SignOutAsk",
    "SignOutOn",
    "SignUp",
    "SignedOut",
    "TotpSetup",
    "View",
    "Way",
    "Wrong",
]
