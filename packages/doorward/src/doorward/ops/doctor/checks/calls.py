"""Checks of outgoing calls: trusted authorities, log-out notifications of apps, and mail. Part of `doctor`; changes nothing."""

from __future__ import annotations

from shlex import quote

from doorward.adapters import trust
from doorward.core.amounts import moment
from doorward.core.model.finding import Finding, failed, passed
from doorward.settings import Settings
from doorward.storage.sql.store import Store


def authorities(settings: Settings) -> Finding:
    """Which certificate authorities are trusted in calls to apps and the mail server."""
    broken = trust.broken_variable()
    if broken is not None:
        return failed(broken, "Correct the variable, or unset it: then the machine's authorities count.")
    try:
        held = trust.context(settings.ca_file).cert_store_stats()["x509_ca"]
    except OSError as problem:
        return failed(f"ca_file cannot be read ({problem.strerror})", "Correct ca_file.")
    if settings.ca_file is not None:
        return passed(f"the machine's, and those of {settings.ca_file}")
    if not held:
        # authorities of a folder are read on demand: they are not counted
        return passed("those of the machine's folder")
    return passed(f"the machine's ({held})")


async def told(store: Store) -> Finding:
    """Whether log-out notifications reach the apps that want them."""
    found = await store.messages.undelivered()
    if not found:
        return passed("every app was told at the first try, as far as is remembered")
    clients = (await store.registry.load()).clients
    lines = [
        f"{clients[one.client_id].name if one.client_id in clients else one.client_id}:"
        f" {one.waiting} tried again, {one.failed} given up, the last since {one.problem}"
        for one in found
    ]
    first = clients.get(found[0].client_id)
    where = quote(first.name) if first is not None else "NAME"
    return passed(
        "; ".join(lines),
        f"doorward app show {where} names the address; correct it by app set --backchannel-logout.",
    )


async def mailed(store: Store) -> Finding:
    """Whether mail is delivered. The reason of a failure is in the server's log (`mail.delayed`, `mail.given_up`,
    `mail.failed`)."""
    found = await store.messages.undelivered_mail()
    if found is None:
        return passed("all of it left at the first try, as far as is remembered")
    return passed(
        f"{found.waiting} tried again, {found.failed} given up in the last 30 days; the newest is of {moment(found.last_at)}",
        "The log says why (mail.delayed, mail.given_up, mail.failed); doorward doctor --mail-to ADDRESS tries one.",
    )
