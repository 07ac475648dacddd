"""Django site on django-allauth or mozilla-django-oidc, configured as their documentation says for any OpenID provider.

`python django_site.py allauth|mozilla`, with ISSUER, BASE, PORT, CLIENT_ID, CLIENT_SECRET and FOLDER in the
environment.
"""

from __future__ import annotations

import os
import sys
from typing import Any, cast
from urllib.parse import urlencode
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import include, path

WHICH = sys.argv[1]
ISSUER, BASE = os.environ["ISSUER"], os.environ["BASE"]
ALLAUTH: dict[str, Any] = {
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ],
    "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
    "LAST_MIDDLEWARE": "allauth.account.middleware.AccountMiddleware",
    "SOCIALACCOUNT_PROVIDERS": {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "doorward",
                    "name": "Doorward",
                    "client_id": os.environ["CLIENT_ID"],
                    "secret": os.environ["CLIENT_SECRET"],
                    "settings": {"server_url": ISSUER},
                }
            ]
        }
    },
    # no intermediate page of the site, and no mail from it
    "SOCIALACCOUNT_LOGIN_ON_GET": True,
    "ACCOUNT_EMAIL_VERIFICATION": "none",
}
MOZILLA: dict[str, Any] = {
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    "AUTHENTICATION_BACKENDS": ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    "LAST_MIDDLEWARE": "mozilla_django_oidc.middleware.SessionRefresh",
    "OIDC_RP_CLIENT_ID": os.environ["CLIENT_ID"],
    "OIDC_RP_CLIENT_SECRET": os.environ["CLIENT_SECRET"],
    "OIDC_RP_SIGN_ALGO": "RS256",
    "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{ISSUER}/authorize",
    "OIDC_OP_TOKEN_ENDPOINT": f"{ISSUER}/token",
    "OIDC_OP_USER_ENDPOINT": f"{ISSUER}/userinfo",
    "OIDC_OP_JWKS_ENDPOINT": f"{ISSUER}/jwks",
    "OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS": 1,
    "OIDC_STORE_ID_TOKEN": True,
    "ALLOW_LOGOUT_GET_METHOD": True,
    "OIDC_OP_LOGOUT_URL_METHOD": f"{__name__}.leaving",
}


def leaving(request: Any) -> str:
    """The target of the site's log-out, as the documentation of mozilla-django-oidc shows it."""
    hint = request.session["oidc_id_token"]
    return f"{ISSUER}/logout?" + urlencode({"id_token_hint": hint, "post_logout_redirect_uri": BASE})


def home(request: Any) -> HttpResponse:
    return JsonResponse({"signed_in": request.user.is_authenticated})


def me(request: Any) -> HttpResponse:
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    user: Any = request.user
    answer: dict[str, Any] = {"claims": {"email": user.email}}
    if WHICH == "allauth":
        answer["claims"] |= user.socialaccount_set.get().extra_data["id_token"]
        answer["userinfo"] = user.socialaccount_set.get().extra_data["userinfo"]
    return JsonResponse(answer)


def allauth_login(request: HttpRequest) -> HttpResponse:
    del request
    return HttpResponseRedirect("/accounts/oidc/doorward/login/")


urlpatterns: list[Any] = [path("", home), path("me", me)]
chosen = {"allauth": ALLAUTH, "mozilla": MOZILLA}[WHICH]
settings.configure(
    SECRET_KEY="known to this test alone",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{os.environ['FOLDER']}/{WHICH}.db"}
    },
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        *(["django.contrib.messages.middleware.MessageMiddleware"] if WHICH == "allauth" else []),
        chosen.pop("LAST_MIDDLEWARE"),
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    **chosen,
)
django.setup()
if WHICH == "allauth":
    urlpatterns += [path("login", allauth_login), path("accounts/", include("allauth.urls"))]
else:
    urlpatterns += [path("oidc/", include("mozilla_django_oidc.urls"))]
call_command("migrate", verbosity=0)
make_server("127.0.0.1", int(os.environ["PORT"]), cast("Any", get_wsgi_application())).serve_forever()
