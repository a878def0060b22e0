"""Loading in the other direction: packages, DCAT and the static portal folder."""
