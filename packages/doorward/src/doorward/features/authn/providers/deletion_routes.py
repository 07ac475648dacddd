"""/sign-in/provider/NAME/deletion: where a service asks to delete what is held of a person, and the page that says that it was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from doorward.core.ports.clock import Clock
from doorward.features.authn.flow.factor import PROVIDER_PATH
from doorward.features.authn.providers.data_deletion import DataDeletions, DeletionConflict, DeletionRefused
from doorward.features.authn.providers.views import DataDeletedView
from doorward.features.sessions.browser_context import BrowserPages, PageVisit
from doorward.web.http import Request, Response, json_response
from doorward.web.oauth_endpoint import caller
from doorward.web.page import page
from doorward.web.pages.views.ends import ErrorPage, Failure
from doorward.web.route import Operation, Route, machine


class DeletionConfirmed(Struct, frozen=True):
    """What a service shows to the person: a page, and the code that it is asked with."""

    url: str
    confirmation_code: str


def deletion_path(name: str) -> str:
    """The path to which this service posts its requests."""
    return f"{PROVIDER_PATH}/{name}/deletion"


def deleted_path(name: str) -> str:
    """The path of the page for the person."""
    return f"{PROVIDER_PATH}/{name}/deleted"


@final
class DeletionEndpoints(Struct, frozen=True, kw_only=True):
    """Handlers for one service. `issuer` is the address of this server."""

    name: str
    deletions: DataDeletions
    issuer: str
    clock: Clock

    async def delete(self, request: Request) -> Response:
        """Delete what is held of a person at this service, which signed the request: 200 once it is deleted."""
        form = await request.form()
        try:
            code = await self.deletions.delete(
                self.name, form.get("signed_request", ""), caller=caller(request), now=self.clock.now()
            )
        except DeletionConflict:
            return _error(503, "temporarily_unavailable", "The account is being changed. Send it again.")
        except DeletionRefused:
            return _error(
                403, "access_denied", "The account was disabled by the operator, who is to be asked about it."
            )
        if code is None:
            return _error(
                400, "invalid_request", "The request is not signed with the secret of this app, or is old."
            )
        url = f"{self.issuer}{deleted_path(self.name)}?code={code}"
        return json_response({"url": url, "confirmation_code": code}, 200)

    async def show(self, visit: PageVisit) -> Response:
        """Say what was deleted, and when. The page names nobody."""
        at = self.deletions.deleted_at(self.name, visit.query.get("code", ""))
        if at is None:
            return page(ErrorPage(Failure.NOT_FOUND), visit.browser, 404)
        label = self.deletions.providers[self.name].policy.label
        return page(DataDeletedView(label=label, at=at), visit.browser)

    def machine_routes(self) -> Sequence[Route]:
        """For the service."""
        operation = Operation(
            takes="signed_request",
            required="signed_request",
            answers={200: DeletionConfirmed},
            errors=(400, 403, 503),
        )
        return [machine(deletion_path(self.name), "POST", self.delete, operation=operation)]

    def page_routes(self, pages: BrowserPages) -> Sequence[Route]:
        """For the person."""
        return [pages.get(deleted_path(self.name), self.show, takes="code")]


def _error(status: int, code: str, description: str) -> Response:
    return json_response({"error": code, "error_description": description}, status)
