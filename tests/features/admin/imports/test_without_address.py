"""Records without an address: an account where people may have none and have another way in, else a refusal with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports.prepare import prepared
from doorward.features.admin.imports.report import ImportChoices
from tests.features.admin.imports.importing import BCRYPT, NoProgress, codes, imported, stream
from tests.features.admin.imports.test_readers import NOW, one
from tests.features.admin.managing import OPERATOR, Desk
from tests.features.authn.providers.journey import journey

pytestmark = pytest.mark.anyio
GOOGLE = "https://accounts.google.com"


def somebody(subject: str, **more: Any) -> dict[str, Any]:
    return {"name": "Ann O.", "external_identities": [{"issuer": GOOGLE, "subject": subject}], **more}


async def test_they_are_refused_unless_the_choice_is_made(desk: Desk) -> None:
    records = [somebody("1"), {"email": "ada@example.com", "email_verified": True}, {"name": "Nobody"}]
    report = await imported(desk, records)
    assert codes(report) == [(1, "import_email_missing"), (3, "import_email_missing")]
    assert report.counts.created == 1
    report = await imported(desk, records, address="optional", update=True)
    assert codes(report) == [(3, "import_no_way_in")]
    (ann,) = [one for one in await desk.store.accounts.page() if one.email is None]
    assert ann.name == "Ann O."
    (identity,) = await desk.store.external_identities.of_account(ann.id)
    assert (identity.issuer, identity.subject, identity.email) == (GOOGLE, "1", "")
    # programs that would take what stands for none for an address are refused from now on
    assert await desk.store.meta("schema.needs") is not None
    assert codes(await imported(desk, records[:1], address="optional")) == [(1, "import_identity_taken")]
    (line,) = [
        one
        for one in await desk.store.audit.page(kind="accounts.imported", limit=10)
        if "address=optional" in one.detail["choices"]
    ][:1]
    assert "update" in line.detail["choices"] or line.detail["choices"] == ["address=optional"]


async def test_a_password_is_left_out_and_the_report_says_so(desk: Desk) -> None:
    records = [somebody("1", password=BCRYPT), somebody("2", email="", email_verified=False)]
    report = await imported(desk, records, address="optional")
    assert [(one.line, one.problem.code, one.refused) for one in report.entries] == [
        (1, "import_password_unusable", False)
    ]
    found = await desk.store.accounts.page()
    assert [(one.email, one.password_hash) for one in found] == [(None, None)] * 2


async def test_the_same_person_twice_is_refused_by_their_identity(desk: Desk) -> None:
    report = await imported(desk, [somebody("1"), somebody("1")], address="optional")
    assert codes(report) == [(2, "import_repeated")]


async def test_none_is_made_while_an_older_program_runs(desk: Desk) -> None:
    old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, 1)"
    await desk.store._db.apply(((old, (), None),))
    report = await imported(
        desk, [somebody("1"), {"email": "ada@example.com", "email_verified": True}], address="optional"
    )
    assert codes(report) == [(1, "import_older_program")]
    assert [one.email for one in await desk.store.accounts.page()] == ["ada@example.com"]


async def test_the_choice_of_an_earlier_program_goes_on(desk: Desk) -> None:
    """The mark of an interrupted import has its choices. Earlier programs did not know this one."""
    del desk
    assert "address" not in ImportChoices().stored()
    assert ImportChoices(address="optional").stored()["address"] == "optional"


async def test_the_providers_section_is_enough_and_the_person_signs_in(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        front = there.front
        record = {"external_identities": [{"issuer": there.provider.issuer, "subject": "ann"}]}
        report = await front.services.get(build.people_import).run(
            OPERATOR, stream([record]), progress=NoProgress(), choices=ImportChoices()
        )
        assert (report.counts.created, report.entries) == (1, ())
        page = await there.sign_in(front.browser(), sub="ann", name="Ann")
        assert page.path == "/account"
        assert len(await front.store.accounts.page()) == 1


def test_a_record_without_an_address_is_left_to_the_choices() -> None:
    for nothing in (None, ""):
        person = one("doorward", {"email": nothing, "email_verified": True})
        assert person is not None
        assert person.email == ""
        with pytest.raises(AdminError) as raised:
            prepared(person, ImportChoices(), line=1, number=1, now=NOW, beyond_ascii=True)
        assert raised.value.problem.code == "import_email_missing"
