"""Records of any content: each is read or refused, by every reader."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.admin.error import AdminError
from doorward.features.admin.imports.index import READERS
from doorward.features.admin.imports.prepare import prepared
from doorward.features.admin.imports.report import ImportChoices
from tests.features.admin.imports import exports
from tests.features.admin.imports.test_readers import ADA, NOW, one

_ANY: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(['{"a":', "[{}]", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "value",
                    "hash",
                    "fields",
                    "$oid",
                    "providers",
                    "algorithm",
                    "subType",
                    "salt",
                    "secret",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
_MEMBERS = [
    *"email email_verified id name roles password totp external_identities created_at disabled locale".split(),
    *"emailVerified credentials attributes realmRoles createdTimestamp enabled federatedIdentities firstName".split(),
    *"passwordHash custom_password_hash identities multifactor _id user_id localId providerUserInfo mfaInfo".split(),
    *"fields pk encrypted_password raw_user_meta_data raw_app_meta_data banned_until is_anonymous is_sso_user salt".split(),
]  # fmt: skip


@given(st.sampled_from(sorted(READERS)), st.dictionaries(st.sampled_from(_MEMBERS), _ANY, max_size=8))
def test_any_record_is_read_or_refused(reader: str, members: dict[str, Any]) -> None:
    for given_members in (members, {"email": ADA, **members}, {"fields": {"email": ADA, **members}}):
        try:
            person = one(reader, given_members)
        except AdminError as error:
            assert error.problem.code.startswith("import_")  # noqa: PT017
        else:
            if person is not None and not person.email:
                # nobody becomes an account without an address unless that is chosen
                with pytest.raises(AdminError):
                    prepared(person, ImportChoices(), line=1, number=1, now=NOW, beyond_ascii=True)


@given(st.sampled_from(["credentialData", "secretData"]), _ANY)
def test_any_credential_of_keycloak_is_read_or_refused(member: str, value: Any) -> None:
    for credential in (exports.keycloak_pbkdf2("x"), exports.keycloak_otp()):
        members = exports.keycloak_person(ADA, {**credential, member: value})
        try:
            person = one("keycloak", members)
        except AdminError as error:
            assert error.problem.code.startswith("import_")  # noqa: PT017
        else:
            assert person is not None
