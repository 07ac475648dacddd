"""The features of this server, in one explicit list.

In import order: each may import only those before it. Nothing registers itself, and nothing is found by scanning. A feature from
outside is passed to the container: `open_container(settings=…, features=(*FEATURES, MINE))`.
"""

from __future__ import annotations

from typing import Final

from doorward.features.accounts.feature import ACCOUNTS
from doorward.features.api_keys.feature import API_KEYS
from doorward.features.audit.feature import AUDIT
from doorward.features.authn.feature import AUTHN
from doorward.features.dev_outbox.feature import DEV_OUTBOX
from doorward.features.feature import Feature
from doorward.features.health.feature import HEALTH
from doorward.features.notices.feature import NOTICES
from doorward.features.oauth.authorize.feature import AUTHORIZE
from doorward.features.oauth.client_documents.feature import CLIENT_DOCUMENTS
from doorward.features.oauth.first_party.feature import FIRST_PARTY
from doorward.features.oauth.grants.device_code.feature import DEVICES
from doorward.features.oauth.introspection.feature import INTROSPECTION
from doorward.features.oauth.logout.feature import LOGOUT
from doorward.features.oauth.metadata.feature import METADATA
from doorward.features.oauth.registration.feature import REGISTRATION
from doorward.features.oauth.revocation.feature import REVOCATION
from doorward.features.oauth.token.feature import TOKEN
from doorward.features.oauth.userinfo.feature import USERINFO
from doorward.features.places.feature import PLACES
from doorward.features.rate_limits.feature import RATE_LIMITS
from doorward.features.revocations.feature import REVOCATIONS
from doorward.features.risk.feature import RISKS
from doorward.features.security_events.feature import SECURITY_EVENTS
from doorward.features.signing_keys.feature import SIGNING_KEYS

FEATURES: Final[tuple[Feature, ...]] = (
    PLACES,
    AUDIT,
    RATE_LIMITS,
    REVOCATIONS,
    AUTHN,
    RISKS,
    API_KEYS,
    METADATA,
    TOKEN,
    INTROSPECTION,
    REVOCATION,
    USERINFO,
    CLIENT_DOCUMENTS,
    REGISTRATION,
    AUTHORIZE,
    DEVICES,
    LOGOUT,
    FIRST_PARTY,
    SECURITY_EVENTS,
    ACCOUNTS,
    NOTICES,
    HEALTH,
    DEV_OUTBOX,
    SIGNING_KEYS,
)
