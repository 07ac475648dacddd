"""Administration of people, apps, APIs and roles."""
