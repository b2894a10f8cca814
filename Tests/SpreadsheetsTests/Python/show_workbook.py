#!/usr/bin/env python3
"""Shows a workbook as openpyxl reads it, as JSON: its cells, and what its first row looks like.

Usage: show_workbook.py FILE.xlsx
"""

import datetime
import json
import sys

import openpyxl


def show(cell):
    value = cell.value
    if isinstance(value, datetime.datetime):
        return ["date", value.isoformat()]
    if isinstance(value, bool):
        return ["boolean", str(value)]
    if isinstance(value, (int, float)):
        return ["percent" if "%" in cell.number_format else "number", repr(float(value))]
    if value is None:
        return ["empty", ""]
    return [{"f": "formula", "e": "error"}.get(cell.data_type, "text"), value]


book = openpyxl.load_workbook(sys.argv[1])
sheet = book.active
print(json.dumps({
    "sheets": book.sheetnames,
    "rows": [[show(cell) for cell in row] for row in sheet.iter_rows()],
    "frozen": sheet.freeze_panes,
    "filter": sheet.auto_filter.ref,
    "bold": [cell.font.b for cell in sheet[1]],
    "widths": [sheet.column_dimensions[chr(65 + i)].width for i in range(sheet.max_column)],
}))
