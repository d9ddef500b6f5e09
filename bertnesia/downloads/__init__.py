"""Data sets from their official addresses: resumable, checked, and whole or absent."""

from bertnesia.downloads.catalogue import CATALOGUE, Download, RemoteFile, fetched_by
from bertnesia.downloads.fetch import Fetched, fetch

__all__ = ["CATALOGUE", "Download", "Fetched", "RemoteFile", "fetch", "fetched_by"]
