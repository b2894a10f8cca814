"""Files of trees: districts with nine schools each, and ten classes in each school."""
import io

import xlsxwriter

HEADER = ["Title", "Suborganization 2", "Suborganization 3"]
SCHOOLS = 9
CLASSES = 10
# What a district has in all, itself included.
DISTRICT_SIZE = 1 + SCHOOLS * (1 + CLASSES)
PLACES = [
    "Aachen", "Bremen", "Cottbus", "Dresden", "Erfurt", "Frankfurt", "Görlitz", "Hamburg",
    "Ingolstadt", "Jena", "Kiel", "Leipzig", "München", "Nürnberg", "Oldenburg", "Pinneberg",
]


def district(number):
    return f"{PLACES[number % len(PLACES)]} District {number:05d}"


def district_rows(number):
    top = district(number)
    yield [top]
    for school in range(1, SCHOOLS + 1):
        below = f"{PLACES[(number + school) % len(PLACES)]} School {number:05d}-{school}"
        yield [top, below]
        for room in range(1, CLASSES + 1):
            yield [top, below, f"Class {room} of {number:05d}-{school}"]


def workbook(rows):
    """The bytes of a workbook with these rows below the header."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet("Organizations")
    for column, text in enumerate(HEADER):
        sheet.write_string(0, column, text)
    for row, texts in enumerate(rows, 1):
        for column, text in enumerate(texts):
            sheet.write_string(row, column, text)
    book.close()
    return file.getvalue()


def districts(first, count):
    """A workbook of districts."""
    return workbook(row for number in range(first, first + count) for row in district_rows(number))
