"""Security events of OpenID Shared Signals Framework 1.0: streams for apps, and events of other issuers that are received."""
