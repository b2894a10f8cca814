#!/usr/bin/env python3
"""Writes the table that ThirdPartyTests expects, once with openpyxl and once with XlsxWriter.

Usage: make_workbooks.py OPENPYXL.xlsx XLSXWRITER.xlsx
"""

import datetime
import sys

import openpyxl
import xlsxwriter

TITLES = ["Title", "Percent", "Day", "Moment", "Number", "Truth", "Formula", "Custom day"]
TEXTS = [
    "Plain", "Überall & <überall>", "日本語 😀", "two\nlines", "  spaces  ", "=1+1", "-", "'quoted",
    "under_score_", "0012",
]
DAYS = [
    datetime.date(1900, 1, 1), datetime.date(1900, 2, 28), datetime.date(1900, 3, 1),
    datetime.date(2024, 2, 29), datetime.date(2026, 12, 31), datetime.date(9999, 12, 31),
]
MOMENT = datetime.datetime(2026, 3, 1, 9, 30, 15)


def rows():
    for index, text in enumerate(TEXTS):
        yield (text, index / 20, DAYS[index % len(DAYS)], MOMENT, index * 1.5 - 3, index % 2 == 0,
               index, DAYS[-1 - index % 4])


def with_openpyxl(path):
    book = openpyxl.Workbook()
    book.active.title = "Hidden"
    book.active.sheet_state = "hidden"
    sheet = book.create_sheet("Organizations")
    book.active = 1
    sheet.append(TITLES)
    for index, row in enumerate(rows()):
        # Blank rows between: every row stands on an even number.
        at = 2 * index + 2
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(at, column)
            if column == 7:
                cell.value = f"=B{at}*2"
                continue
            cell.value = value
            if column == 1:
                cell.data_type = "s"
            cell.number_format = {
                2: "0.0%", 3: "yyyy-mm-dd", 4: "yyyy-mm-dd hh:mm:ss", 8: '[$-407]d. mmmm" im Jahr "yy',
            }.get(column, "General")
    book.save(path)


def with_xlsxwriter(path):
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("Hidden").hide()
    sheet = book.add_worksheet("Organizations")
    sheet.activate()
    formats = {
        2: book.add_format({"num_format": "0.0%"}),
        3: book.add_format({"num_format": 14}),
        4: book.add_format({"num_format": 22}),
        8: book.add_format({"num_format": 'dd/mm/yyyy;@'}),
    }
    sheet.write_row(0, 0, TITLES)
    for index, row in enumerate(rows()):
        at = 2 * index + 1
        for column, value in enumerate(row, start=1):
            style = formats.get(column)
            if column == 1:
                sheet.write_string(at, 0, value)
            elif column in (3, 8) or column == 4:
                sheet.write_datetime(at, column - 1, value, style)
            elif column == 7:
                sheet.write_formula(at, 6, f"=B{at + 1}*2", value=row[1] * 2)
            else:
                sheet.write(at, column - 1, value, style)
    book.close()


if __name__ == "__main__":
    with_openpyxl(sys.argv[1])
    with_xlsxwriter(sys.argv[2])
