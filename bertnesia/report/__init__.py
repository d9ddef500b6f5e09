"""A study as one self-contained page, and the same numbers as CSV files or JSON."""

from bertnesia.report.exhibits import Exhibit, Report, Section
from bertnesia.report.sections import build_report
from bertnesia.report.writing import as_json, write_csv, write_html

__all__ = ["Exhibit", "Report", "Section", "as_json", "build_report", "write_csv", "write_html"]
