"""What is not a file of the folder is fetched first: a raw copy each time it changed.

Everything after works on the copy, so that neither a check nor a plan needs the net.
"""

from etl.fetch.sources import Fetched, fetch, local_base, local_files, refusals

__all__ = ["Fetched", "fetch", "local_base", "local_files", "refusals"]
