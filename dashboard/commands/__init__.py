"""The commands of `foresight`, a file each."""
