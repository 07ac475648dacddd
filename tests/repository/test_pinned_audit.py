"""Tests that the kinds and details of audit lines, which are stored, are unchanged. A new one is added here."""

from __future__ import annotations

import re

from tests.repository.server_texts import calls, texts

# `audit.kind`
AUDIT_KINDS = {
    "account.activity_reported",
    "account.created",
    "account.deleted",
    "account.disabled",
    "account.email_changed",
    "account.email_asked",
    "account.enabled",
    "account.mapped",
    "account.profile_changed",
    "account.profile_set",
    "account.role_granted",
    "account.role_revoked",
    "account.roles_mapped",
    "accounts.imported",
    "api.changed",
    "api.created",
    "api.deleted",
    "api_key.created",
    "api_key.ended",
    "api_key.refused",
    "api_key.rotated",
    "api_key.used_elsewhere",
    "app.changed",
    "app.created",
    "app.deleted",
    "app.secret_rotated",
    "assertion.accepted",
    "assertion.refused",
    "client.authentication_failed",
    "code.issued",
    "code.redeemed",
    "code.reused",
    "consent.denied",
    "consent.granted",
    "consent.removed",
    "database.backed_up",
    "database.moved",
    "database.restored",
    "device_code.approved",
    "device_code.denied",
    "device_code.redeemed",
    "device_code.reused",
    "directory.connected",
    "key.created",
    "key.revoked",
    "key.rotated",
    "passkey.added",
    "passkey.changed",
    "passkey.copied",
    "passkey.refused",
    "passkey.removed",
    "passkey.renamed",
    "password.changed",
    "password.reset",
    "password.reset_asked",
    "provider.connected",
    "provider.disconnected",
    "provider.refused",
    "recovery_codes.made",
    "recovery_codes.used",
    "refresh_token.repeated_late",
    "refresh_token.replayed",
    "role.changed",
    "role.created",
    "role.deleted",
    "root_secret.created",
    "root_secret.wrapped",
    "root_secret.wrapping_dropped",
    "second_factor.added",
    "second_factor.code_refused",
    "second_factor.code_sent",
    "second_factor.failed",
    "second_factor.removed",
    "second_factor.required",
    "second_factor.reset",
    "second_factor.succeeded",
    "session.ended",
    "sessions.ended",
    "sign_in.code_asked",
    "sign_in.failed",
    "sign_in.mailbox_proven",
    "sign_in.provider_proven",
    "sign_in.succeeded",
    "sign_in.throttled",
    "sign_up.completed",
    "sign_up.started",
    "sms.country_paused",
    "sms.failed",
    "token.exchanged",
    "token.id_jag_issued",
    "token.revoked",
    "trusted_device.added",
    "trusted_device.ended",
    "trusted_device.replayed",
    "trusted_issuer.allowed",
    "trusted_issuer.changed",
    "trusted_issuer.created",
    "trusted_issuer.deleted",
    "trusted_issuer.disabled",
    "trusted_issuer.disallowed",
    "trusted_issuer.enabled",
    "user_code.wrong",
}
# similar strings: a setting, a log file, an event of the log
_NO_AUDIT_KINDS = {
    "api.log",
    "app.log",
    "database.url",
    "sessions.idle",
    "sms.delayed",
    "sms.dropped",
    "sms.token",
    "sms.token_file",
    "trusted_issuer.failed",
}
# The members of `audit.detail` written by actions of people and apps.
DETAIL = {
    "actors",
    "address",
    "api",
    "attestation",
    "audience",
    "because",
    "by",
    "changed",
    "choices",
    "count",
    "key",
    "name",
    "country",
    "device",
    "devices",
    "directory",
    "event",
    "factor",
    "failures",
    "format",
    "given",
    "imported",
    "issuer",
    "left",
    "method",
    "methods",
    "of_app",
    "password",
    "provider",
    "reason",
    "removed",
    "reported",
    "request",
    "required",
    "resource",
    "rule",
    "scopes",
    "subject",
    "token_kind",
    "way",
}

_AUDITED = re.compile(rf"(?:{'|'.join({kind.partition('.')[0] for kind in AUDIT_KINDS})})\.[a-z_]*[a-z]")
_OF_THE_LINE = {"caller", "now", "account_id", "session_id", "client_id", "grant_id", "ok"}


def test_audit_kinds_are_pinned() -> None:
    found = {text for text in texts() if _AUDITED.fullmatch(text) and not text.endswith(".html")}
    assert found - _NO_AUDIT_KINDS == AUDIT_KINDS


def test_the_members_of_an_audit_lines_detail_are_pinned() -> None:
    """They are keywords in the code that writes the line."""
    found = {
        word.arg
        for _, call, method, of in calls({"write", "_event"})
        if of in {"self.audit_log", "self._audit_log"} or method == "_event"
        for word in call.keywords
        if word.arg is not None
    }
    assert found - _OF_THE_LINE == DETAIL
