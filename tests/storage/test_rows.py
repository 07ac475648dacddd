"""Columns are in the order of the fields, so that values and rows are converted by position."""

from __future__ import annotations

import pytest
from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.audit_line import ChainedLine
from doorward.core.model.config_snapshot import StoredSigningKey
from doorward.core.model.grant import AuthorizationCode, Grant, RefreshToken
from doorward.core.model.message import EmailChallenge, LogoutNotice, NoticeLink, OutgoingMail
from doorward.core.model.session import Consent, Session
from doorward.core.model.wrapped_key import WrappedKey
from doorward.storage.sql import (
    accounts,
    audit_chain,
    config_objects,
    messages,
    owner_notices,
    rows,
    sessions,
    wrapped_keys,
)
from doorward.storage.sql.rows import from_row, to_row

TABLES = (
    (Account, rows.ACCOUNT_COLUMNS),
    (EnrolledFactor, accounts._FACTOR_COLUMNS),
    (ChainedLine, audit_chain._LINE),
    (StoredSigningKey, config_objects._KEY_COLUMNS),
    (AuthorizationCode, rows.CODE_COLUMNS),
    (Grant, rows.GRANT_COLUMNS),
    (RefreshToken, rows.REFRESH_COLUMNS),
    (LogoutNotice, messages._NOTICE_COLUMNS),
    (OutgoingMail, owner_notices.MAIL_COLUMNS.replace("recipient", "to")),
    (NoticeLink, owner_notices._LINK_COLUMNS),
    (EmailChallenge, messages._TICKET_COLUMNS),
    (Consent, sessions._CONSENT_COLUMNS),
    (Session, sessions._COLUMNS),
    (WrappedKey, wrapped_keys._COLUMNS),
)


@pytest.mark.parametrize(("kind", "columns"), TABLES, ids=lambda one: getattr(one, "__name__", "columns"))
def test_columns_are_in_the_order_of_the_fields(kind: type[Struct], columns: str) -> None:
    assert columns.split(", ") == list(kind.__struct_fields__)


def test_a_value_is_restored_from_its_row() -> None:
    consent = Consent("usr_ada", "app", "https://api.example", ("a", "b"), 7)
    row = to_row(consent, scopes=" ".join(consent.scopes))
    assert row == ("usr_ada", "app", "https://api.example", "a b", 7)
    assert from_row(Consent, row, scopes=rows.words) == consent


def test_a_row_with_another_number_of_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        from_row(Consent, ("usr_ada", "app"))
