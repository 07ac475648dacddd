"""Writes of an import: a new account with its second factors, or the missing members of an existing one's profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.actor import Actor
from doorward.core.model.problem import Problem
from doorward.core.model.provider import ExternalIdentity
from doorward.core.ports.keys import Sealer
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import refused
from doorward.features.admin.imports.prepare import PreparedPerson
from doorward.features.admin.imports.report import ImportCounts, ImportEntry
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.providers.rules.identity import EXTERNAL, issuer_mark
from doorward.storage.sql.store import Write

Held = Mapping[int, tuple[str, ...] | Problem]
"""By number of the record: the roles as accounts hold them, or why there are none."""


class ImportTerms(Struct, frozen=True, kw_only=True):
    """What all writes of one import share. `imported` is the beginning of the file's SHA-256, for the audit log."""

    actor: Actor
    now: int
    update: bool
    imported: str


class ImportOutcome(Struct):
    """The writes, and what they do: `counts` go on from those of the batches before."""

    counts: ImportCounts
    entries: list[ImportEntry]
    accounts: list[Write]
    factors: list[Write]
    identities: list[Write]
    events: list[Write]
    gate: list[Write]

    @property
    def writes(self) -> list[Write]:
        """In an order in which equal statements stand together and rows follow those that they refer to."""
        return [*self.gate, *self.accounts, *self.factors, *self.identities, *self.events]

    def note(self, person: PreparedPerson, problem: Problem, *, refused: bool) -> None:
        """One more entry of the report."""
        self.entries.append(
            ImportEntry(person.line, person.number, person.email or "", refused=refused, problem=problem)
        )
        self.counts.refused += refused


class ImportWriter(AuditedAdmin, frozen=True, kw_only=True):
    """Compares people with the accounts that exist. An account that exists never gets a password, a factor, an identity or a role."""

    sealer: Sealer
    gate: NewFactors

    async def outcome(
        self, people: Sequence[PreparedPerson], held: Held, counts: ImportCounts, terms: ImportTerms
    ) -> ImportOutcome:
        """The writes for these people, at most as many as one statement looks up."""
        done = ImportOutcome(structs.replace(counts), [], [], [], [], [], [])
        emails = [person.email for person in people if person.email is not None]
        there = await self.store.accounts.by_emails(emails)
        alone = len(emails) == len(people) or await self.gate.open()
        ids = [person.id for person in people if person.id is not None]
        taken = await self.store.accounts.known_ids(ids)
        gone = await self.store.audit.deleted_accounts(ids)
        for person in people:
            old = None if person.email is None else there.get(person.email)
            roles = held[person.number]
            if old is not None and not terms.update:
                done.note(person, refused("email_taken", email=person.called).problem, refused=True)
            elif old is not None:
                self._update(person, old, terms, done)
            elif person.email is None and not alone:
                # an older program would take what stands for no address for a confirmed one
                done.note(person, refused("import_older_program").problem, refused=True)
            elif isinstance(roles, Problem):
                done.note(person, roles, refused=True)
            elif person.id in taken:
                done.note(person, refused("import_id_taken", id=person.id).problem, refused=True)
            elif person.id in gone:
                done.note(person, refused("import_id_deleted", id=person.id).problem, refused=True)
            elif await self._connected(person):
                done.note(person, refused("import_identity_taken").problem, refused=True)
            else:
                self._create(person, roles, terms, done)
        return done

    async def _connected(self, person: PreparedPerson) -> bool:
        """Whether an account has one of the person's identities."""
        for issuer, subject in person.identities:
            if await self.store.external_identities.by_subject(issuer, subject) is not None:
                return True
        return False

    def _create(
        self, person: PreparedPerson, roles: tuple[str, ...], terms: ImportTerms, done: ImportOutcome
    ) -> None:
        now = terms.now
        account = Account(
            id=person.id or self.random.new_id("usr"),
            email=person.email,
            created_at=now if person.created_at is None else person.created_at,
            password_hash=person.password_hash,
            password_changed_at=None if person.password_hash is None else now,
            password_version=0,
            disabled_at=now if person.disabled else None,
            role_names=roles,
            updated_at=now,
            **person.profile,
        )
        if person.email is None and not done.gate:
            done.gate.append(self.gate.close_behind())
        done.accounts.append(self.store.accounts.insert(account))
        for factor in person.factors:
            row = factor.row(self.random.new_id("fac"), account.id, self.sealer, now)
            done.factors.append(self.store.accounts.add_factor(row))
        for issuer, subject in person.identities:
            row = EnrolledFactor(
                self.random.new_id("fac"), account.id, EXTERNAL, now, code_hash=issuer_mark(issuer)
            )
            identity = ExternalIdentity(
                factor_id=row.id,
                account_id=account.id,
                issuer=issuer,
                subject=subject,
                email=person.email or "",
            )
            done.factors.append(self.store.accounts.add_factor(row))
            done.identities.append(self.store.external_identities.insert(identity))
        done.events.append(
            self._event(terms.actor, "account.created", now, account_id=account.id, imported=terms.imported)
        )
        for note in person.notes:
            done.note(person, note, refused=False)
        done.counts.created += 1
        done.counts.authenticators += len(person.factors)
        done.counts.identities += len(person.identities)
        done.counts.without_password += person.password_hash is None
        done.counts.weak += person.weak

    def _update(self, person: PreparedPerson, old: Account, terms: ImportTerms, done: ImportOutcome) -> None:
        """Fill what is empty of the profile, and nothing else."""
        more = {key: value for key, value in person.profile.items() if value and not getattr(old, key)}
        if not more:
            done.counts.unchanged += 1
            return
        new = structs.replace(old, **more, updated_at=max(terms.now, (old.updated_at or 0) + 1))
        done.accounts.append(self.store.accounts.replace(new, old=old))
        changed = " ".join(sorted(more))
        done.events.append(
            self._event(
                terms.actor,
                "account.profile_set",
                terms.now,
                account_id=old.id,
                changed=changed,
                imported=terms.imported,
            )
        )
        done.counts.updated += 1
