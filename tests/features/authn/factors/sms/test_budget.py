"""Budget of text messages against toll fraud, with the real counters."""

from __future__ import annotations

import pytest

from doorward.adapters.counters.store import StoreCounters
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.random import SystemRandom
from doorward.core.model.caller import Caller
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.sms.budget import SmsBudget
from doorward.features.authn.factors.sms.rules.phone import Phone
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
POLICY = SmsPolicy(countries=("DE", "GB"), per_prefix_hour=1000, per_country_hour=1000)


def budget_of(
    store: Store, metrics: PrometheusMetrics | None = None, policy: SmsPolicy = POLICY
) -> SmsBudget:
    sealer = KeyedSealer(b"k" * 32)
    throttle = Throttle(
        store=store, sealer=sealer, policy=ThrottlePolicy(), counters=StoreCounters(store=store)
    )
    return SmsBudget(
        store=store,
        sealer=sealer,
        throttle=throttle,
        audit_log=AuditLog(store=store, random=SystemRandom()),
        metrics=metrics or PrometheusMetrics(),
        policy=policy,
    )


def phone(at: int, country: str = "DE") -> Phone:
    return Phone(f"+49171{at:07d}", country, 49)


def caller(at: int) -> Caller:
    return Caller(f"192.0.{at // 250}.{at % 250}", "", f"req-{at}")


async def ask(budget: SmsBudget, at: int, *, country: str = "DE", now: int = NOW) -> bool:
    """Whether a new person in another network gets a message to a new number."""
    wait = await budget.take_for_enrolment(phone(at, country), f"usr_{at}", caller=caller(at), now=now)
    return wait is None


@pytest.mark.requirement(93)
async def test_a_country_whose_codes_do_not_come_back_is_paused_for_an_hour(store: Store) -> None:
    metrics = PrometheusMetrics()
    budget = budget_of(store, metrics)
    sent = [await ask(budget, at) for at in range(60)]
    assert sum(sent) == 20
    paused = await store.audit.page(kind="sms.country_paused")
    assert [(event.ok, event.detail) for event in paused] == [(False, {"country": "DE"})]
    assert b'doorward_sms_total{kind="DE_paused"} 1.0' in metrics.page()
    assert await ask(budget, 100, country="GB"), "another country is not affected"
    assert not await ask(budget, 101, now=NOW + 3599)
    assert await ask(budget, 102, now=NOW + 3600)
    assert await budget.take(phone(1), "usr_1", caller=caller(1), now=NOW) is None, "proven numbers go on"


@pytest.mark.requirement(93)
async def test_a_country_whose_codes_come_back_is_not_paused(store: Store) -> None:
    budget = budget_of(store)
    for at in range(60):
        assert await ask(budget, at)
        if at % 4 == 0:
            assert await store.commit(*budget.proven(phone(at), NOW))


@pytest.mark.requirement(93)
async def test_a_number_belongs_to_at_most_five_accounts(store: Store) -> None:
    budget, now = budget_of(store), NOW
    for at in range(5):
        assert await budget.take_for_enrolment(phone(1), f"usr_{at}", caller=caller(at), now=now) is None
        assert await store.commit(*budget.proven(phone(1), now))
        now += 1000
    wait = await budget.take_for_enrolment(phone(1), "usr_6", caller=caller(6), now=now)
    assert wait is not None
    assert wait.until > now + 20 * 86_400
    assert await budget.take_for_enrolment(phone(2), "usr_6", caller=caller(6), now=now) is None


@pytest.mark.requirement(93)
async def test_what_was_counted_is_not_given_back(store: Store) -> None:
    metrics = PrometheusMetrics()
    budget = budget_of(store, metrics)
    found = [await budget.take(phone(1), "usr_1", caller=caller(1), now=NOW) for _ in range(5)]
    assert [wait is None for wait in found] == [True, True, True, False, False]
    assert b'doorward_sms_total{kind="DE_limited"} 2.0' in metrics.page()
    assert await budget.take(phone(1), "usr_1", caller=caller(1), now=NOW + 900) is None
