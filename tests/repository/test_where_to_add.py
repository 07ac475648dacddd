"""Test of the table "Where to add something": sample plug-ins are added to a copy of the sources by it and served, and the files
they change are counted."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.repository import tree

MOST = 6
"""Files that a plug-in may change outside its folder, its storage module, migration, locale files, docs and tests."""
SERVER = "packages/doorward/src/doorward/"
TOYS = (tree.ROOT / "tests" / "features" / "authn" / "toys.py").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A sample plug-in: files in its own folder, and lines in existing files."""

    row: str
    """The first cell of its row in the table."""
    folder: str
    files: dict[str, str]
    lines: dict[str, tuple[tuple[str, str], ...]]
    """By file: (a text that occurs once, the text inserted before it)."""


AUTHN, OAUTH, FEATURES = "features/authn/index.py", "features/oauth/index.py", "features/index.py"
PARTS = """
    from doorward.features.authn.factors.{folder}.factor import {names}
    from doorward.features.authn.flow.plug import FactorParts
    from doorward.features.slots import ActivityKind

    TOY = FactorParts(
        factors=lambda services: ({made},),
        activity=(ActivityKind("{folder}.used", "You used a toy"),),
    )
"""
FACTOR = Toy(
    row="a factor",
    folder="features/authn/factors/toy",
    files={
        "factor.py": TOYS,
        "parts.py": PARTS.format(
            folder="toy",
            names="ToyFactor, ToyStep",
            made="ToyFactor(store=services.store, mail=services.mail, json_step=ToyStep(store=services.store, mail=services.mail))",
        ),
    },
    lines={
        AUTHN: (
            ("from doorward.features.authn.flow.build", "from doorward.features.authn.factors.toy.parts import TOY\n"),
            ("    PASSWORD,\n", "    TOY,\n"),
        )
    },
)  # fmt: skip
PROVIDER = Toy(
    row="an identity provider",
    folder="features/authn/factors/toy_provider",
    files={
        "factor.py": TOYS,
        "parts.py": PARTS.format(
            folder="toy_provider", names="ToyProvider", made="ToyProvider(store=services.store)"
        ),
    },
    lines={
        AUTHN: (
            ("from doorward.features.authn.flow.enrolment", "from doorward.features.authn.factors.toy_provider.parts import TOY as TOY_PROVIDER\n"),
            ("    PASSKEYS,\n", "    TOY_PROVIDER,\n"),
        )
    },
)  # fmt: skip
SERVICE = Toy(
    row="a service to sign in with",
    folder="features/authn/providers/services",
    files={
        "toy.py": """
            from doorward.features.authn.providers.services.service import ProviderService

            TOY = ProviderService(name="toy", defaults={"issuer": "https://toy.example", "label": "Toy"})
        """,
        "marks/toy.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M3 3h18"/></svg>',
    },
    lines={
        "features/authn/providers/services/index.py": (
            ("\nSERVICES: Final", "from doorward.features.authn.providers.services.toy import TOY\n"),
            ("    SLACK,\n", "    TOY,\n"),
        )
    },
)
MESSAGE = Toy(
    row="a message",
    folder="features/authn/factors/toy_message",
    files={"messages.py": TOYS},
    lines={
        AUTHN: (
            ("from doorward.features.authn.flow.messages", "from doorward.features.authn.factors.toy_message.messages import ToyShown\n"),
            ("    SecondFactorFailed,\n", "    ToyShown,\n"),
        )
    },
)  # fmt: skip
GRANT = Toy(
    row="a grant",
    folder="features/oauth/grants/toy",
    files={
        "build.py": '''
            """A grant that gives nothing to anybody."""
            from doorward.core.errors import OAuthError
            from doorward.features.oauth.token.grant_type import GrantType


            class ToyGrant:
                async def exchange(self, request, client):
                    return OAuthError("invalid_grant", "Nothing for anybody.")


            TOY = GrantType(name="urn:example:toy", parameters=("toy_word",), build=lambda services: ToyGrant())
        '''
    },
    lines={
        OAUTH: (
            ("from doorward.features.oauth.token.grant_type", "from doorward.features.oauth.grants.toy.build import TOY\n"),
            ("    AUTHORIZATION_CODE,\n", "    TOY,\n"),
        )
    },
)  # fmt: skip
CLIENT_AUTH = Toy(
    row="a client authentication method",
    folder="features/oauth/client_auth/methods/toy",
    files={
        "rules.py": '''
            """A method that nobody passes."""
            from doorward.core.errors import OAuthError


            class ToyAuth:
                name, scheme, credentials, algorithms = "toy_auth", "toy", (), ()

                def read(self, request):
                    return None

                def verify(self, presented, client, request, *, issuer, policy):
                    return OAuthError("invalid_client", "Nobody passes.")
        '''
    },
    lines={
        OAUTH: (
            ("from doorward.features.oauth.grants.authorization_code", "from doorward.features.oauth.client_auth.methods.toy.rules import ToyAuth\n"),
            ("    PublicClient(),", "    ToyAuth(),\n"),
        ),
        "cli/apps_options.py": (('"private_key_jwt", "none"]', '"toy_auth", '),),
    },
)  # fmt: skip
PAGE = Toy(
    row="a page or another endpoint",
    folder="features/toy_page",
    files={
        "feature.py": '''
            """A page from a folder of its own."""
            from doorward.features.feature import Feature


            def _routes(services):
                from doorward.features.toy_page import routes

                return routes.routes(services)


            TOY_PAGE = Feature(name="toy_page", routes=_routes)
        ''',
        "routes.py": '''
            """GET /toy."""
            from doorward.features.repeated_posts.build import pages
            from doorward.web.http import Response


            async def _show(visit):
                return Response(200, [(b"content-type", b"text/plain")], b"A toy.")


            def routes(services):
                return [services.get(pages).get("/toy", _show)]
        ''',
    },
    lines={
        FEATURES: (
            ("\nFEATURES: Final", "from doorward.features.toy_page.feature import TOY_PAGE\n"),
            ("    HEALTH,\n", "    TOY_PAGE,\n"),
        ),
        "pyproject.toml": (('    "health | dev_outbox",\n', '    "toy_page",\n'),),
    },
)
TOY_PLUGS = (FACTOR, PROVIDER, SERVICE, MESSAGE, GRANT, CLIENT_AUTH, PAGE)

PROBE = """
import anyio
from contextlib import aclosing
from typing import get_args

from doorward.app.container import open_container
from doorward.app.http import http_app
from doorward.cli.apps_options import AuthChoice
from doorward.features.authn.flow.build import factor_plugs
from doorward.features.authn.providers.marks import mark_of
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward.features.oauth.metadata.feature import METADATA
from doorward.features.slots import ACTIVITY, message_templates
from tests.containers import settings
from tests.web.asgi import Asgi

async def main():
    async with aclosing(await open_container(settings=settings())) as container:
        services = container.services
        assert {"toy", "toy_provider"} <= {plug.traits.kind for plug in services.get(factor_plugs)}
        assert "toy_shown" in services.get(message_templates)
        assert {"toy.used", "toy_provider.used"} <= {kind.event for kind in services.added(ACTIVITY)}
        metadata = (await Asgi(METADATA.routes(services))("GET", "/.well-known/openid-configuration")).json
        assert "urn:example:toy" in metadata["grant_types_supported"]
        assert "toy_auth" in metadata["token_endpoint_auth_methods_supported"]
        assert "toy_auth" in get_args(AuthChoice)
        toy = ProviderPolicy.named("toy", {"client_id": "me"})
        assert (toy.label, str(mark_of(toy.provider_service())).count("M3 3h18")) == ("Toy", 1)
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        for path in ("/toy", "/sign-in/toy", "/sign-in/toy-provider"):
            scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "https",
                     "headers": [(b"host", b"auth.example.com")], "client": ("192.0.2.1", 1), "server": ("192.0.2.2", 443)}
            await http_app(container, process_tag="t")(scope, receive, send)
        assert [one["status"] for one in sent if one["type"] == "http.response.start"] == [200, 200, 303], sent
    print("all served")

anyio.run(main)
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages with every sample added."""
    folder = tmp_path_factory.mktemp("sources")
    for package in (tree.SERVER, tree.VERIFIER, tree.DEMO):
        # with the compiled modules: those of changed files are not valid
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("*.pyc.*"))
    shutil.copy(tree.ROOT / "pyproject.toml", folder)
    for toy in TOY_PLUGS:
        place = folder / "doorward" / toy.folder
        if not place.is_dir():
            place.mkdir()
            (place / "__init__.py").write_text("", "utf-8")
        for name, text in toy.files.items():
            (place / name).write_text(dedent(text).lstrip(), "utf-8")
        for name, lines in toy.lines.items():
            path = folder / name if name == "pyproject.toml" else folder / "doorward" / name
            source = path.read_text("utf-8")
            for there, new in lines:
                assert source.count(there) == 1, (name, there)
                source = source.replace(there, new + there)
            path.write_text(source, "utf-8")
    return folder


def run(sources: Path, *command: str) -> str:
    """The output of a command that finds the copies before the real packages."""
    path = f"{sources}:{tree.ROOT}"
    done = subprocess.run(
        command,
        cwd=sources,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_server_with_every_sample_offers_and_serves_them(sources: Path) -> None:
    assert run(sources, sys.executable, "-c", PROBE).strip().endswith("all served")


def test_the_samples_keep_the_import_contracts(sources: Path) -> None:
    linter = str(Path(sys.executable).parent / "lint-imports")
    said = run(sources, linter, "--config", str(sources / "pyproject.toml"), "--no-cache")
    assert " 0 broken" in said, said


def rows() -> dict[str, list[str]]:
    """The table of the page: by the first cell, the files of the cell "List it in"."""
    text = (tree.ROOT / "docs" / "explain" / "architecture.md").read_text("utf-8")
    table = text.partition("## Where to add something")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: re.findall(r"`([^`]+)`", row[2]) for row in cells[1:]}


@pytest.mark.parametrize("toy", TOY_PLUGS, ids=lambda toy: toy.row)
def test_the_table_names_each_file_that_a_sample_changes(toy: Toy) -> None:
    assert sorted(rows()[toy.row]) == sorted(toy.lines)
    assert len(toy.lines) <= MOST
