"""erp/partners/rules/reading.py"""

import io

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from erp.partners.rules.reading import Row, UnreadableFile, read_rows


def read(content: bytes, name: str = "f.csv") -> list[Row]:
    return list(read_rows(content, name=name))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_reads_any_usual_csv(separator: str, encoding: str) -> None:
    content = f"code{separator}name\r\nA{separator}Café Łódź\r\n".replace("Łódź", "Köln")

    assert read(content.encode(encoding)) == [Row(2, {"code": "A", "name": "Café Köln"})]


def test_keeps_the_line_of_each_row_and_passes_over_blank_ones() -> None:
    assert [row.number for row in read(b"a,b\n1,2\n,\n3,4\n")] == [2, 4]


def test_reads_the_first_sheet_of_a_workbook() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for number, line in enumerate([["code", "quantity"], ["A", 12], ["B", 1.5]]):
        sheet.write_row(number, 0, line)
    book.close()

    assert [row.cells for row in read(out.getvalue(), "f.xlsx")] == [
        {"code": "A", "quantity": "12"},
        {"code": "B", "quantity": "1.5"},
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"a,a\n1,2\n", "names a column twice: a"),
        (b"a\x00b\n", "neither CSV nor XLSX"),
        (b"PK\x03\x04 and then nothing", "no spreadsheet"),
        ((",".join(f"c{n}" for n in range(300)) + "\n").encode(), "more than 200 columns"),
    ],
)
def test_says_why_a_file_cannot_be_read(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFile, match=sentence):
        read(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_sentence(content: bytes) -> None:
    try:
        rows = read(content)
    except UnreadableFile as refusal:
        said = str(refusal)
    else:
        said = "rows."
        assert all(any(row.cells.values()) for row in rows)
    assert said.endswith(".")
