"""Command-line sentences for problems of an app's registration. Used by `problems.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from doorward.core.model.problem import ProblemCode

APP_TEXTS: Final[Mapping[ProblemCode, str]] = {
    "app_name_taken": "There is an app named {name} already. Fix: doorward app show {name!q}",
    "app_without_secret": "{app} has no secret: it authenticates with {auth_method}. Fix: doorward app set {app!q} --auth-method client_secret gives it one.",
    "app_introspects": "{app} is what {api} introspects as, so it must be able to prove itself. Fix: doorward api introspect-as {api!q} --none",
    "redirect_uri_repeated": "{uri} is registered for {app} already. Fix: doorward app show {app!q}",
    "grant_type_unknown": "--grant-type is {grant_type!q}; it can be {known}. Fix: Name one of them: --grant-type {first}",
    "auth_method_unknown": "--auth-method is {auth_method!q}; it can be {known}. Fix: Name one of them: --auth-method {first}",
    "grant_types_missing": "An app gets tokens in one way at least: --grant-type authorization_code or client_credentials.",
    "refresh_without_code": "Refresh tokens come from a sign-in: --grant-type authorization_code too, or leave out refresh_token.",
    "redirect_uris_missing": "An app with a sign-in page needs --redirect URI (or --kind service, or --first-party).",
    "redirect_uris_unused": "A service signs nobody in: leave out --redirect, or choose another --kind.",
    "response_modes_missing": "An app hears answers in one way at least: --response-mode query, form_post, or both.",
    "response_mode_unpostable": "{uri}: no form can be posted there, so the app needs --response-mode query too.",
    "scope_unknown": "{scope} is no OpenID Connect scope. Fix: There are {known}; permissions of an API are given with --api API:{scope}.",
    "kind_without_secret": "A {kind} app can keep no secret: everybody who has the app can read it. Fix: Leave out --auth-method, or take --kind web if a server of yours talks to the token endpoint.",
    "service_without_credential": "A service acts for itself, so it needs a credential of its own. Fix: Leave out --public and --auth-method none.",
    "secret_on_device": "An app on people's devices can keep no secret: everybody who has the app can read it; --auth-method none.",
    "public_app_for_itself": "A public app has no credential of its own, so it cannot act for itself (OAuth 2.1 §4.2).",
    "public_app_without_pkce": "A public app always uses PKCE (OAuth 2.1 §7.5.1): --pkce required.",
    "jwks_missing": "private_key_jwt needs the app's public keys: --jwks FILE.",
    "jwks_unused": "Public keys are only for --auth-method private_key_jwt.",
    "jwks_unusable": "Key {number} of the app cannot be used: {reason}.",
    "rotation_required": "Refresh tokens may stay the same only for apps that authenticate with private_key_jwt (FAPI 2.0 §5.3.2.1): --rotation.",
    "origins_of_third_party": "Cookie delivery (--origin) is only for --first-party apps.",
    "uri_empty": "{option}: The URI is empty, so it is not absolute; it should begin with https://",
    "uri_too_long": "{uri}: The URI is longer than {limit} characters.",
    "uri_character": "{uri}: The URI holds a character that no URI has (a space, a backslash, a letter beyond ASCII).",
    "uri_fragment": "{uri}: The URI has a fragment (#…), which a redirect would overwrite (RFC 6749 §3.1.2).",
    "uri_unreadable": "{uri}: This is no URI: host or port cannot be read.",
    "uri_relative": "{uri}: The URI is not absolute; it should begin with https://",
    "uri_scheme_case": "{uri}: Write the scheme in lower case: {scheme}:",
    "uri_scheme_forbidden": "{uri}: {scheme}: is never a redirect URI; use an https address.",
    "uri_scheme_undotted": "{uri}: {scheme}: is no scheme for a redirect URI; use https, or for a native app a private-use scheme made of your domain backwards, as in com.example.app:/callback (RFC 8252 §7.1).",
    "uri_scheme_private": "{uri}: {scheme}: is a private-use scheme, which only native apps may use; use https, or --kind native.",
    "uri_scheme_unslashed": "{uri}: A private-use scheme is followed by one slash, as in {scheme}:/callback (RFC 8252 §7.1).",
    "uri_scheme_not_web": "{uri}: {scheme}: is not possible here; use an https address.",
    "uri_not_https": "{uri}: http is only for this machine (127.0.0.1, [::1] or localhost); use https.",
    "uri_user_name": "{uri}: The URI has a user name in it, which can make it look like another site's; leave out everything before the @.",
    "uri_host_missing": "{uri}: The URI has no host; it should look like {scheme}://app.example.com/callback",
    "uri_host_spelling": "{uri}: Write the host in lower case and as plain as it can be.",
    "uri_host_wildcard": "{uri}: The host has to be a plain name: redirect URIs are compared exactly, without wildcards (RFC 9700 §4.1.3).",
    "uri_host_character": "{uri}: The host holds a character that no host name has; it is made of letters, digits, hyphens and dots.",
    "uri_dot_segment": "{uri}: The path has a . or .. in it; write where it leads.",
    "origin_invalid": "{uri}: No browser has such an origin; it should look like https://app.example.com",
    "origin_with_path": "{uri}: An origin has no path; write {origin}",
}
