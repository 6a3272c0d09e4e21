"""Tables, figures, overlays and the one-file report, from tidy results and plain values."""

from carpus.report.cells import Cell, Column, Row, Table
from carpus.report.overlay import BONE_COLOURS, draw_outlines, draw_overlay
from carpus.report.page import CasePanel, JointReading, ReadingPanel, ReportPage, write_report
from carpus.report.published import published_table
from carpus.report.tables import all_tables, tables_as_dict

__all__ = [
    "BONE_COLOURS",
    "CasePanel",
    "Cell",
    "Column",
    "JointReading",
    "ReadingPanel",
    "ReportPage",
    "Row",
    "Table",
    "all_tables",
    "draw_outlines",
    "draw_overlay",
    "published_table",
    "tables_as_dict",
    "write_report",
]
