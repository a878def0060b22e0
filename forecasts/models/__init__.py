"""The models: one file each, with a `MODEL`; found by being here."""
