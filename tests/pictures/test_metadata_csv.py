"""CSVs as people have them: any delimiter, quotes, titles, comments, code pages, long cells."""

import pytest

from tests.support.descriptions import ANIMALS, KINDS, read, values

PLAIN = "file,kind,legs\nant.png,k0,6\nbee.png,k1,6\ncat.png,k2,4\ndog.png,k3,4\n"
WANTED = [{"kind": f"k{number}", "legs": legs} for number, legs in enumerate((6, 6, 4, 4))]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", ", "),
        PLAIN.replace(",", " , "),
        PLAIN.replace(",", " "),
        PLAIN.replace(",", "   "),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\n\n"),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("\n", ",,\n"),
        PLAIN.replace("4\n", "4,\n"),
        PLAIN.rstrip("\n"),
        "sep=;\n" + PLAIN.replace(",", ";"),
        '"sep=;"\r\n' + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "SEP=,\n" + PLAIN,
        "sep=\t\n" + PLAIN.replace(",", "\t"),
        "\n\n# made by a program\n# on a Tuesday, in May\n" + PLAIN,
        "# " + PLAIN,
        PLAIN.replace("cat.png", "# a remark\ncat.png"),
        "Animals of the zoo\n\n" + PLAIN,
        "Animals of the zoo,,\n,,\n" + PLAIN,
        '"' + '"\n"'.join(PLAIN.strip().split("\n")) + '"\n',
        '"' + '","'.join(PLAIN.replace("\n", '"\n"').split(","))[:-1],
        PLAIN.replace("ant.png", "'ant.png'").replace("k0", "'k0'").replace("file", "'file'"),
        PLAIN.replace("file,", ""),  # as R writes it
        PLAIN.replace("k2", '"k2"'),
    ],
)
def test_csv_dialects_are_read_alike(content: str) -> None:
    described = read(content)
    assert [described.table.row(row) for row in range(4)] == WANTED, described.remarks
    assert described.remarks == []


def test_a_delimiter_inside_quotes_is_none() -> None:
    content = 'file;"size, in cm, widest";"weight, in kg, dry"\nant.png;6;0\nbee.png;6;1\ncat.png;4;2\ndog.png;4;3\n'
    assert values(content)[3] == {"size, in cm, widest": 4, "weight, in kg, dry": 3}
    content = 'file\tcaption\nant.png\tsmall, red, busy; quick\nbee.png\t"a ""queen"", asleep"\ncat.png\tmine\n'
    assert [row.get("caption") for row in values(content)] == [
        "small, red, busy; quick", 'a "queen", asleep', "mine", None
    ]  # fmt: skip
    content = 'file,caption\nant.png,"two\nlines, and; a comma"\nbee.png,"x"\n'
    assert values(content)[0] == {"caption": "two\nlines, and; a comma"}


def test_quotes_escaped_by_a_backslash_are_quotes() -> None:
    content = 'file,caption,kind\n"ant.png","he said \\"hi, you\\"","k0"\n"bee.png","C:\\x\\","k1"\n'
    assert values(content)[:2] == [{"caption": 'he said "hi, you"', "kind": "k0"}, {"caption": "C:\\x\\", "kind": "k1"}]


def test_a_quote_that_is_never_closed_costs_no_other_row() -> None:
    described = read('file,size,kind\nant.png,"5 inch,k0\nbee.png,2,k1\ncat.png,3,k2\ndog.png,4,k3\n')
    assert [described.table.row(row)["kind"] for row in range(4)] == ["k0", "k1", "k2", "k3"]
    assert "never closed" in described.remarks[0]
    assert values('file,size,kind\nant.png,5" wide,k0\nbee.png,2,k1\n')[0] == {"size": '5" wide', "kind": "k0"}


def test_names_may_hold_commas_and_begin_like_comments() -> None:
    pictures = ["#1.png", "a, b.png"]
    assert values('file,kind\n"a, b.png",k1\n#1.png,k0\n', pictures) == KINDS[:2]
    assert values("file;kind\na, b.png;k1\n#1.png;k0\n", pictures) == KINDS[:2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1250"])
def test_letters_are_read_whatever_their_encoding(encoding: str) -> None:
    pictures = ["gżegżółka.png", "jaźń.png", "łódź.png", "żółw.png"]
    content = "plik;rodzaj\r\nłódź.png;statek\r\ngżegżółka.png;ptak\r\nżółw.png;gad\r\njaźń.png;umysł\r\n"
    wanted = [{"rodzaj": word} for word in ("ptak", "umysł", "statek", "gad")]
    described = read(content.encode(encoding), pictures)
    assert [described.table.row(row) for row in range(4)] == wanted
    assert described.remarks == (["it is not UTF-8 and was read as cp1250"] if encoding == "cp1250" else [])
    # Names of ASCII tell nothing of the encoding.
    content = "file;rodzaj\nant.png;żółw błotny\nbee.png;łoś i jeż\ncat.png;gęś\ndog.png;źrebię\n"
    assert [row["rodzaj"] for row in values(content.encode(encoding))] == ["żółw błotny", "łoś i jeż", "gęś", "źrebię"]


@pytest.mark.parametrize(
    ("encoding", "pictures"),
    [
        ("cp1252", ["Müller.png", "façade.png", "niño.png"]),
        ("cp852", ["łoś.png", "żuk.png"]),
        ("cp1251", ["кошка.png", "собака.png"]),
        ("cp932", ["表示.png", "猫.png"]),
    ],
)
def test_the_code_page_of_a_csv_is_detected_by_the_names_of_pictures(encoding: str, pictures: list[str]) -> None:
    content = "file,n\n" + "".join(f"{name},{number}\n" for number, name in enumerate(pictures))
    described = read(content.encode(encoding), pictures)
    assert [described.table.row(row) for row in range(len(pictures))] == [{"n": n} for n in range(len(pictures))]


def test_western_words_are_read_by_the_detector() -> None:
    content = "file;where\nant.png;Façade à côté\nbee.png;là-bas, déjà vu\ncat.png;Straße\n"
    assert [row["where"] for row in values(content.encode("cp1252"))[:3]] == [
        "Façade à côté", "là-bas, déjà vu", "Straße"
    ]  # fmt: skip


def test_a_bad_byte_makes_no_other_encoding() -> None:
    described = read("file,kind\nant.png,żółty żółw\nbee.png,łoś ".encode() + b"\xff\ncat.png,k2\n")
    assert described.table.row(0) == {"kind": "żółty żółw"}
    assert described.remarks[0] == "1 of its characters cannot be read"


def test_cells_of_any_length_are_whole() -> None:
    caption, novel = "word " * 30_000 + ".", "y" * 1_000_100
    described = read(f"file,kind,caption\nant.png,k0,{caption}\nbee.png,k1,short\ncat.png,k2,{novel}\ndog.png,k3,\n")
    assert described.table.row(0) == {"kind": "k0", "caption": caption}
    assert len(described.table.row(2)["caption"]) == 1_000_000
    assert described.table.row(3) == {"kind": "k3"}
    assert described.remarks == ["1 values of “caption” were cut at 1,000,000 characters"]


def test_a_comma_is_decimal_where_semicolons_part_cells() -> None:
    content = "file;size;weight;pair\nant.png;4,2;1.234,5;1,2 m\nbee.png;-0,5;3;3\ncat.png;7;1 000,25;\ndog.png;1e3;;\n"
    assert values(content) == [
        {"size": 4.2, "weight": 1234.5, "pair": "1,2 m"},
        {"size": -0.5, "weight": 3.0, "pair": "3"},
        {"size": 7.0, "weight": 1000.25},
        {"size": 1000.0},
    ]
    assert values('file,pair\nant.png,"4,2"\nbee.png,"1,5"\n')[0] == {"pair": "4,2"}


def test_what_stands_for_nothing_is_nothing() -> None:
    words = ["NA", "N/A", "n/a", "null", "NULL", "nan", "NaN", "None", "#N/A", "<NA>", "", "  "]
    pictures = [f"{k}.png" for k in range(len(words) + 1)]
    content = "file,age,kind\n" + "".join(f"{k}.png,{word},{word}\n" for k, word in enumerate(words)) + "12.png,3,na\n"
    described = read(content, pictures)
    assert [described.table.row(row) for row in range(len(words))] == [{}] * len(words)
    assert described.table.row(12) == {"age": 3, "kind": "na"}
    assert described.table.columns["age"].type == "integer"
    # A picture may be called like that.
    assert values("file,kind\nNA,k0\nnull.png,k1\n", ["NA.png", "null.png"]) == KINDS[:2]


def test_fields_have_names_and_no_two_the_same() -> None:
    described = read("file,x,x,\nant.png,1,2,3,4\nbee.png,5\nelk.png,1,2,3\n,9,9,9\n", ANIMALS[:3])
    rows = [described.table.row(row) for row in range(3)]
    assert rows == [{"x": 1, "x_2": 2, "column_4": 3, "column_5": 4}, {"x": 5}, {}]
    assert described.remarks == [
        "1 of its rows have no name",
        "2 of its rows have more or fewer cells than its first row",
        "1 of 3 pictures are not in it",
        "1 of its rows name no picture (elk.png)",
    ]


def test_the_first_fields_are_taken_and_the_rest_remarked() -> None:
    heads = ",".join(f"f{k}" for k in range(300))
    described = read(f"file,{heads}\nant.png,{','.join('1' * 300)}\n", ["ant.png"])
    assert list(described.table.columns) == [f"f{k}" for k in range(200)]
    assert described.remarks == ["only its first 200 fields were taken"]
    long = read(f"file,{'h' * 300}\nant.png,1\n", ["ant.png"])
    assert list(long.table.columns) == ["h" * 200]
    assert "cut at 200" in long.remarks[0]
