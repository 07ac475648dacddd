"""Import of people, in batches: each is one transaction with a mark of how far it came, so that an interrupted import goes on there.

The mark is a row of `meta` under the digest of the file. Every batch changes it from the value that this run wrote: two runs of one file
never both write, and a batch is written once, whenever the process ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct, field, structs

from doorward.core.errors import StoreConflict
from doorward.core.model.actor import Actor
from doorward.core.model.problem import Problem
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.progress import Progress
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import AdminError, nearest, refused
from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.hashes import HashConfig
from doorward.features.admin.imports.index import READERS
from doorward.features.admin.imports.prepare import SHOWN, PreparedPerson, prepared
from doorward.features.admin.imports.reader import ImportReader, ReadingContext
from doorward.features.admin.imports.records import FileSum, ImportRecord, records, sum_of
from doorward.features.admin.imports.report import ImportChoices, ImportCounts, ImportEntry, ImportReport
from doorward.features.admin.imports.roles import ImportedRoles
from doorward.features.admin.imports.writes import Held, ImportTerms, ImportWriter
from doorward.features.admin.operation import demand, operation
from doorward.features.admin.roles import RoleAdmin
from doorward.storage.sql.accounts import AT_ONCE

MARK: Final = "import "
"""The beginning of the mark's name in `meta`; the file's SHA-256 follows."""
_TRIES: Final = 5
_MOST_ENTRIES: Final = 2000
"""Refused records after which a batch is written even without people."""


class ImportMark(Struct, frozen=True):
    """How far an import came: the first `done` records are done. `holder` names the run that writes."""

    holder: str
    done: int
    choices: str
    counts: ImportCounts


class _Run(Struct, kw_only=True):
    """The state of one import."""

    actor: Actor
    file: FileSum
    reader: ImportReader
    reading: ReadingContext
    choices: ImportChoices
    roles: ImportedRoles
    tell: Callable[[Sequence[ImportEntry]], None] | None
    mark: str = ""
    counts: ImportCounts = field(default_factory=ImportCounts)
    done: int = 0
    resumed_after: int = 0
    entries: list[ImportEntry] = field(default_factory=list[ImportEntry])
    # the line of each address and id that was accepted, since a batch does not see the one before it
    seen: dict[str, int] = field(default_factory=dict[str, int])
    # of the batch that is not written yet
    people: list[PreparedPerson] = field(default_factory=list[PreparedPerson])
    waiting: list[ImportEntry] = field(default_factory=list[ImportEntry])

    @property
    def name(self) -> str:
        """The name of the mark."""
        return MARK + self.file.sha256

    @property
    def terms(self) -> ImportTerms:
        """What the writes share."""
        return ImportTerms(
            actor=self.actor,
            now=self.reading.now,
            update=self.choices.update,
            imported=self.file.sha256[:16],
        )


class PeopleImport(AuditedAdmin, frozen=True, kw_only=True):
    """The import. Raises `AdminError` where the whole file is refused; a refused record is an entry of the report. `issuers` are those of
    the providers in the settings, by the names of their sections; `without_address` those whose people may have no address."""

    config: ConfigSource
    writer: ImportWriter
    roles: RoleAdmin
    beyond_ascii: bool
    issuers: Mapping[str, str]
    without_address: Collection[str] = ()

    @operation("people.write")
    async def run(
        self,
        actor: Actor,
        file: BinaryIO,
        *,
        progress: Progress,
        reader: str = "doorward",
        table: bool = False,
        choices: ImportChoices | None = None,
        hash_config: HashConfig | None = None,
        tell: Callable[[Sequence[ImportEntry]], None] | None = None,
    ) -> ImportReport:
        """Import everybody in `file`, which must be seekable; `table`: comma-separated values. `credentials.write` is demanded too for
        each person with a password, a second factor or an account elsewhere, which the actor may know, and `roles.write` to create roles.
        `tell` gets the entries of each batch once it is written."""
        choices = self._resolved(ImportChoices() if choices is None else choices)
        if choices.create_roles:
            demand(actor, "roles.write")
        the = READERS[reader]
        if not the.says_verified and choices.unverified is None:
            raise refused("import_unverified_unsaid", format=the.name)
        if the.needs_hash_config and hash_config is None:
            raise refused("import_parameters_missing", format=the.name)
        config = await self.config.refresh()
        run = _Run(
            actor=actor,
            file=sum_of(file),
            reader=the,
            reading=ReadingContext(now=self.clock.now(), hash_config=hash_config),
            choices=choices,
            tell=tell,
            roles=ImportedRoles(
                admin=self.roles, config=config, create=choices.create_roles, dry=choices.dry_run
            ),
        )
        found = records(file, table=table)
        if not choices.dry_run:
            await self._begin(run)
        progress.begin("import", run.file.lines if found.total is None else found.total)
        await self._all(run, found.each, progress)
        if not choices.dry_run:
            await self._finish(run)
        return ImportReport(
            sha256=run.file.sha256,
            dry_run=choices.dry_run,
            resumed_after=run.resumed_after,
            counts=run.counts,
            entries=tuple(run.entries),
            roles_created=tuple(run.roles.created),
        )

    def _resolved(self, choices: ImportChoices) -> ImportChoices:
        """The choices with the issuer of each section that they name. Raises `AdminError`."""
        found: dict[str, str] = {}
        for name, given in choices.issuers.items():
            issuer = given if "://" in given else self.issuers.get(given)
            # an issuer with a placeholder is another one for each tenant
            if issuer is None or "{" in issuer:
                near = None if issuer is not None else nearest(given[:SHOWN], self.issuers)
                raise refused("import_provider_unknown", name=given[:SHOWN], near=near)
            found[name] = issuer
        return structs.replace(choices, issuers=found)

    async def _begin(self, run: _Run) -> None:
        """Set the mark, or go on where an interrupted run of the same file stopped. Raises `AdminError`."""
        said = msgspec.json.encode([run.reader.name, run.choices.stored()]).decode()
        old = await self.store.meta(run.name)
        mark = ImportMark(self.random.token(16), 0, said, run.counts)
        if old is not None:
            before = msgspec.json.decode(old, type=ImportMark)
            if before.choices != said:
                raise refused("import_choices_changed", done=before.done)
            mark = structs.replace(before, holder=mark.holder)
            run.counts, run.done, run.resumed_after = before.counts, before.done, before.done
        run.mark = _text(mark)
        write = (
            self.store.add_meta(run.name, run.mark)
            if old is None
            else self.store.change_meta(run.name, old, run.mark)
        )
        if not await self.store.commit(write):
            raise refused("import_running")

    async def _all(self, run: _Run, found: Iterable[ImportRecord], progress: Progress) -> None:
        number = told = 0
        for record in found:
            number = record.number
            if number <= run.resumed_after:
                self._remember(run, record)
            else:
                run.counts.read += 1
                self._sort(run, record)
            if (
                len(run.people) >= AT_ONCE
                or len(run.waiting) >= _MOST_ENTRIES
                or number - told >= 10 * AT_ONCE
            ):
                await self._write(run, number)
                progress.step("people", number - told)
                told = number
        await self._write(run, number)
        progress.step("people", number - told)

    def _remember(self, run: _Run, record: ImportRecord) -> None:
        """Note address and id of a record that an interrupted run has done."""
        try:
            person = self._prepared(run, record)
            if person is not None:
                _see(run, person)
        except AdminError:
            return

    def _sort(self, run: _Run, record: ImportRecord) -> None:
        """Put a record into the batch: a person to be written, or an entry of the report."""
        email = ""
        try:
            if not isinstance(record.members, Problem):
                given = record.members.get("email")
                email = given[:SHOWN] if isinstance(given, str) else ""
            person = self._prepared(run, record)
            if person is None:
                run.counts.ignored += 1
                return
            email = person.email or ""
            if person.password_hash is not None or person.factors or person.identities:
                demand(run.actor, "credentials.write")
            _see(run, person)
        except AdminError as error:
            run.counts.refused += 1
            run.waiting.append(
                ImportEntry(record.line, record.number, email, refused=True, problem=error.problem)
            )
            return
        run.people.append(person)

    def _prepared(self, run: _Run, record: ImportRecord) -> PreparedPerson | None:
        if isinstance(record.members, Problem):
            raise AdminError(record.members)
        person = run.reader.read(Fields(record.members), run.reading)
        if person is None:
            return None
        return prepared(
            person,
            run.choices,
            line=record.line,
            number=record.number,
            now=run.reading.now,
            beyond_ascii=self.beyond_ascii,
            without_address=self.without_address,
        )

    async def _write(self, run: _Run, number: int) -> None:
        """Write the batch and the mark in one transaction. Where somebody else changes one of the accounts in the same moment, each person is
        written alone, so that one conflict costs one record."""
        people, waiting = run.people, run.waiting
        run.people, run.waiting = [], []
        if number <= run.done:
            return
        held = {person.number: await run.roles.held(run.actor, person.roles) for person in people}
        if await self._commit(run, people, held, waiting, number):
            return
        for person in people:
            for _ in range(_TRIES):
                if await self._commit(run, [person], held, [], person.number):
                    break
            else:
                run.counts.refused += 1
                problem = refused("person_contended", given=person.called).problem
                waiting.append(
                    ImportEntry(person.line, person.number, person.email or "", refused=True, problem=problem)
                )
        if not await self._commit(run, [], {}, waiting, number):
            raise refused("import_running")

    async def _commit(
        self, run: _Run, people: list[PreparedPerson], held: Held, waiting: list[ImportEntry], number: int
    ) -> bool:
        """False when somebody else was faster, and nothing was written. Raises `AdminError` when another run goes on with the same file."""
        outcome = await self.writer.outcome(people, held, run.counts, run.terms)
        if not run.choices.dry_run:
            before = msgspec.json.decode(run.mark, type=ImportMark)
            mark = _text(structs.replace(before, done=number, counts=outcome.counts))
            try:
                change = self.store.change_meta(run.name, run.mark, mark)
                if not await self.store.commit(change, *outcome.writes):
                    if await self.store.meta(run.name) != run.mark:
                        raise refused("import_running")
                    return False
            except StoreConflict:
                return False
            run.mark = mark
        run.counts, run.done = outcome.counts, number
        entries = sorted([*waiting, *outcome.entries], key=lambda entry: entry.number)
        run.entries += entries
        if run.tell is not None:
            run.tell(entries)
        return True

    async def _finish(self, run: _Run) -> None:
        """Remove the mark, and audit the whole import."""
        told = {name: str(value) for name, value in structs.asdict(run.counts).items() if value}
        event = self._event(
            run.actor,
            "accounts.imported",
            self.clock.now(),
            imported=run.file.sha256,
            format=run.reader.name,
            choices=run.choices.named,
            **told,
        )
        if not await self.store.commit(self.store.drop_meta(run.name, run.mark), event):
            raise refused("import_running")


def _see(run: _Run, person: PreparedPerson) -> None:
    """Note the address and the id. Raises `AdminError` where an earlier record has one of them."""
    keys = [] if person.email is None else [f"email {person.email}"]
    keys += [] if person.id is None else [f"id {person.id}"]
    keys += [f"identity {issuer} {subject}" for issuer, subject in person.identities]
    for key in keys:
        if key in run.seen:
            raise refused("import_repeated", what=key.partition(" ")[0], line=run.seen[key])
    run.seen |= dict.fromkeys(keys, person.line)


def _text(mark: ImportMark) -> str:
    return msgspec.json.encode(mark).decode()
