"""Program of the revocation trials: an API that verifies the same tokens again and again, and notes when it accepted each last.

Its first line of input is a JSON object: `issuer`, `audience`, `tokens`, `pause` (seconds between two rounds) and the `settings` of the
`ResourceServer`. It prints a line when it is ready. At the end of its input it prints what it saw, times by the machine's own clock.
"""

from __future__ import annotations

import json
import select
import sys
import time
from collections import Counter
from typing import Any

from doorward_verify import AuthError, Introspection, ResourceServer


def verdict(auth: ResourceServer, token: str) -> str:
    """ "good", or the reason of the refusal."""
    try:
        auth.verify(token)
    except AuthError as refused:
        return refused.reason
    return "good"


def main() -> None:
    """Verify until the input ends."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    settings: dict[str, Any] = asked["settings"]
    if "introspection" in settings:
        settings["introspection"] = Introspection(**settings["introspection"])
    auth = ResourceServer(asked["issuer"], asked["audience"], **settings)
    auth.start()
    began = time.monotonic()
    first = verdict(auth, asked["tokens"][-1])
    ready = time.monotonic() - began
    print(json.dumps({"ready": ready, "first": first}), flush=True)
    tokens: list[str] = asked["tokens"]
    accepted: list[float | None] = [None] * len(tokens)
    revoked: list[float | None] = [None] * len(tokens)
    after = [0] * len(tokens)
    refusals: Counter[str] = Counter()
    unavailable: list[float] = []
    rounds = 0
    while not select.select([sys.stdin], [], [], asked["pause"])[0]:
        rounds += 1
        for place, token in enumerate(tokens):
            found = verdict(auth, token)
            now = time.monotonic()
            if found == "good":
                accepted[place] = now
                after[place] += revoked[place] is not None
            elif found == "revoked":
                revoked[place] = revoked[place] or now
            else:
                refusals[found] += 1
                unavailable = [*unavailable[:1], now]
    status = auth.revocation_status()
    auth.close()
    print(
        json.dumps(
            {
                "ready": ready,
                "rounds": rounds,
                "accepted": accepted,
                "revoked": revoked,
                "after": after,
                "refusals": dict(refusals),
                "unavailable": unavailable,
                "cpu": time.process_time(),
                "entries": status.entries,
                "bytes": status.bytes,
            }
        )
    )


if __name__ == "__main__":
    main()
