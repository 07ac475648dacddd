"""Grants of people to apps, made at the end of a sign-in."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.model.client import Client
from doorward.core.model.grant import Grant
from doorward.core.model.levels import named
from doorward.core.model.policy import SessionPolicy, TokenPolicy
from doorward.core.model.provider import FEDERATED
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.ports.random import SecureRandom
from doorward.core.refresh_life import refresh_life
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.sessions.rules import session as session_rule
from doorward.storage.sql.store import Store, Write


@final
class NewGrants(Struct, frozen=True, kw_only=True):
    """Makes the rows, whichever way their tokens are fetched; the caller stores them."""

    store: Store
    random: SecureRandom
    tokens: TokenPolicy
    sessions: SessionPolicy

    def make(
        self,
        request: AuthRequest,
        client: Client,
        scopes: tuple[str, ...],
        *,
        session: Session,
        achieved: Achieved,
        now: int,
    ) -> Grant:
        """The grant of `scopes`, those consented: entitle() may narrow them at each issue, and never widens them (R21)."""
        offline = "offline_access" in scopes
        ends = now + refresh_life(client, self.tokens)
        return Grant(
            id=self.random.new_id("grt"),
            client_id=client.id,
            account_id=session.account_id,
            audience=request.audience,
            scopes=scopes,
            created_at=now,
            expires_at=ends if offline else min(ends, session_rule.absolute_end(session, self.sessions)),
            auth_time=achieved.auth_time,
            acr=named(achieved.acr, achieved.levels, request.acr_values, essential=request.acr_essential),
            amr=achieved.amr,
            session_id=session.id,
            offline=offline,
            nonce=request.nonce,
            claims=request.claims,
        )

    def insert(self, grant: Grant, session: Session) -> tuple[Write, ...]:
        """What stores a grant that was made in this session. An offline one keeps what the session rests on at a provider, so that a log-out
        there still ends it when the session is long gone."""
        rests = grant.offline and any(FEDERATED in proof.amr for proof in session.proofs)
        kept = (self.store.external_identities.keep_until(session.id, grant.expires_at),) if rests else ()
        return (*kept, self.store.grants.insert(grant))
