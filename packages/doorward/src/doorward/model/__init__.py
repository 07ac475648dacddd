"""The nouns of the house: frozen values that every floor above may hold, and that know nothing of disk, network or clock."""
