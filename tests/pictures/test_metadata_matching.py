"""Rows of metadata lie on the pictures that they name, and on no others."""

import unicodedata

import pytest

from datasets.pictures.metadata import files
from tests.support.descriptions import KINDS, read, values

POLISH = ["gżegżółka.png", "jaźń.png", "łódź.png", "żółw.png"]
NONE: list[dict[str, str]] = [{}, {}, {}, {}]


@pytest.mark.parametrize(
    "content",
    [
        "file,kind\ncat.png,k2\nant.png,k0\ndog.png,k3\nbee.png,k1\n",
        # The names anywhere, under any heading or none.
        ",file,kind\n0,cat.png,k2\n1,ant.png,k0\n2,dog.png,k3\n3,bee.png,k1\n",
        "Unnamed: 0,whatever,kind\n3,cat.png,k2\n1,ant.png,k0\n2,dog.png,k3\n0,bee.png,k1\n",
        "kind,image\nk2,cat.png\nk0,ant.png\nk3,dog.png\nk1,bee.png\n",
        "kind,\nk2,cat.png\nk0,ant.png\nk3,dog.png\nk1,bee.png\n",
        ",kind\ncat.png,k2\nant.png,k0\ndog.png,k3\nbee.png,k1\n",
        # As folders, addresses and other systems write them.
        "file,kind\n/home/me/pics/cat.png,k2\nant.png,k0\nx/dog.png,k3\n./bee.png,k1\n",
        "file,kind\nC:\\pics\\cat.png,k2\nC:\\pics\\ant.png,k0\n\\\\nas\\pics\\dog.png,k3\n.\\bee.png,k1\n",
        "url,kind\nhttps://a.org/p/cat.png?size=2&v=1,k2\nhttps://a.org/ant.png,k0\n"
        "https://a.org/dog%2Epng#top,k3\nfile:///bee.png,k1\n",
        "file,kind\nCAT.PNG,k2\nAnt.Png,k0\nDOG.png,k3\nbee.PNG,k1\n",
        "id,kind\ncat,k2\nant,k0\ndog,k3\nbee,k1\n",
        "whatever,kind\ncat,k2\nant,k0\ndog,k3\nbee,k1\n",
        "file,kind\ncat.jpg,k2\nant.tiff,k0\ndog.webp,k3\nbee.JPEG,k1\n",
        'file,kind\n"""cat.png""",k2\n<ant.png>,k0\n  dog.png ,k3\n\u200bbee.png,k1\n',
        # No heads at all.
        "cat.png,k2\nant.png,k0\ndog.png,k3\nbee.png,k1\n",
        "k2,cat\nk0,ant\nk3,dog\nk1,bee\n",
        # Another column that names pictures, of a few rows or of all.
        "file,like,kind\ncat.png,,k2\nant.png,,k0\ndog.png,cat.png,k3\nbee.png,,k1\n",
        "id,kind,copy_of\ncat,k2,\nant,k0,cat.png\ndog,k3,\nbee,k1,\n",
    ],
)
def test_names_are_found_and_recognised(content: str) -> None:
    found = values(content)
    kinds = [{"kind": row.get("kind", row.get("column_2", row.get("column_1")))} for row in found]
    assert kinds == KINDS
    assert read(content).unmatched == 0


def test_the_column_that_names_the_row_is_not_the_one_that_names_its_neighbour() -> None:
    content = "next,file,kind\nant.png,cat.png,k2\nbee.png,ant.png,k0\ncat.png,dog.png,k3\ndog.png,bee.png,k1\n"
    assert [row["kind"] for row in values(content)] == ["k0", "k1", "k2", "k3"]


@pytest.mark.parametrize(
    "content",
    [
        "file,kind\nother-0.jpg,k0\nother-1.jpg,k1\nother-2.jpg,k2\nother-3.jpg,k3\n",
        # Words that happen to be pictures' names are labels, beside names of other files.
        "file,kind\nother-0.jpg,ant\nother-1.jpg,bee\nother-2.jpg,cat\nother-3.jpg,dog\n",
        "filename,kind\nIMG_1,ant\nIMG_2,bee\nIMG_3,cat\nIMG_4,dog\n",
        "image_id,kind\n7,ant\n8,bee\n9,cat\n10,dog\n",
        "kind,file\nant,other-0.jpg\nbee,other-1.jpg\ncat,other-2.jpg\ndog,other-3.jpg\n",
        "other-0.jpg,ant\nother-1.jpg,bee\nother-2.jpg,cat\nother-3.jpg,dog\n",
        "age,seen\n3,a cat\n4,cat\n5,two cats\n6,an ant\n",
        "kind,age\n" + "".join(f"{'cat' if k % 2 else 'dog'},{k}\n" for k in range(40)),
        "file,kind\nant.png.bak,k0\nxbee.png,k1\ncat.pn,k2\n",
    ],
)
def test_rows_of_other_pictures_lie_on_none(content: str) -> None:
    described = read(content)
    assert described.table.columns == {}
    assert described.pictures == 0
    assert described.unmatched == described.rows > 0
    assert "not one of its" in described.remarks[-1]


def test_a_rows_number_is_not_a_name() -> None:
    pictures = [f"{number}.png" for number in range(1, 5)]
    for content in (",kind\n0,k0\n1,k1\n2,k2\n3,k3\n", "index,kind\n1,k0\n2,k1\n3,k2\n4,k3\n"):
        assert values(content, pictures) == NONE
    assert values("id,kind\n2,k1\n1,k0\n4,k3\n3,k2\n", pictures) == KINDS
    # Another file's number that is a picture's stem does not win over its name.
    content = ",file,kind\n" + "".join(f"{k},{k - 600}.png,k{k}\n" for k in range(600, 700))
    found = values(content, [f"{number}.png" for number in range(700)])
    assert found[7] == {"kind": "k607"}
    assert found[607] == {}


def test_names_are_equal_however_their_accents_are_written() -> None:
    composed = "plik,rodzaj\n" + "".join(f"{name},{number}\n" for number, name in enumerate(POLISH))
    decomposed = unicodedata.normalize("NFD", composed)
    split = [unicodedata.normalize("NFD", name) for name in POLISH]
    wanted = [{"rodzaj": number} for number in range(4)]
    for content in (composed, decomposed, composed.upper().replace("RODZAJ", "rodzaj")):
        assert values(content, POLISH) == values(content, split) == wanted


def test_a_stem_of_two_pictures_is_neither() -> None:
    pictures = ["a.jpg", "a.png", "b.jpg"]
    assert values("file,kind\na,k0\nb,k1\n", pictures) == [{}, {}, {"kind": "k1"}]
    assert values("file,kind\na.png,k0\na.jpg,k1\nb,k2\n", pictures) == [{"kind": "k1"}, {"kind": "k0"}, {"kind": "k2"}]
    described = read("file,kind\na.webp,k0\nb.jpg,k1\n", pictures)
    assert (described.unmatched, described.unmatched_names) == (1, ["a.webp"])


def test_names_that_differ_in_case_alone_are_two_pictures() -> None:
    pictures = ["A.jpg", "a.jpg", "b.jpg"]
    content = "file,kind\na.jpg,k1\nA.jpg,k0\nB.JPG,k2\n"
    assert values(content, pictures) == KINDS[:3]
    assert values("file,kind\nA.JPG,k0\nb.jpg,k2\n", pictures) == [{}, {}, {"kind": "k2"}]


def test_two_rows_of_one_picture_are_a_remark() -> None:
    described = read("file,kind\nant.png,old\nbee.png,k1\nant.png,new\n")
    assert described.table.row(0) == {"kind": "new"}
    assert "1 of its rows name a picture that a later row names again; the last one counts" in described.remarks
    # A name that fits better wins, wherever it stands.
    for content in ("file,kind\nant.png,k0\nant.jpg,other\n", "file,kind\nant.jpg,other\nant.png,k0\n"):
        described = read(content)
        assert described.table.row(0) == {"kind": "k0"}
        assert described.unmatched_names == ["ant.jpg"]


def test_rows_that_could_both_be_meant_lie_on_none() -> None:
    described = read("file,kind\ntrain/ant.png,k0\ntest/ant.png,other\nbee.png,k1\n")
    assert [described.table.row(row) for row in range(2)] == [{}, {"kind": "k1"}]
    assert any("several of its rows" in remark and "ant.png" in remark for remark in described.remarks)


def test_what_does_not_match_is_counted_and_named() -> None:
    described = read("file,kind\nant.png,k0\nelk.png,k7\n,nobody\ngnu.png,k8\n")
    assert described.summary() == {
        "file": "metadata.csv",
        "fields": 1,
        "rows": 3,
        "pictures": 1,
        "unmatched": 2,
        "unmatched_names": ["elk.png", "gnu.png"],
        "remarks": [
            "1 of its rows have no name",
            "3 of 4 pictures are not in it",
            "2 of its rows name no picture (elk.png, gnu.png)",
        ],
    }
    many = read("file,kind\nant.png,k0\n" + "".join(f"x{k}.png,k\n" for k in range(500)))
    assert many.unmatched == 500
    assert many.unmatched_names == [f"x{k}.png" for k in range(10)]
    assert "(x0.png, x1.png, x2.png, …)" in many.remarks[-1]


def test_pictures_without_names_take_rows_in_their_order() -> None:
    numbers = [f"{row:06d}" for row in range(4)]
    content = "file,kind\n000001.jpg,k0\n000002.jpg,k1\n000003.jpg,k2\n000004.jpg,k3\n"
    described = files.read(content.encode(), "x.csv", numbers, are_named=False)
    assert [described.table.row(row) for row in range(4)] == KINDS
    assert "order" in described.remarks[0]
    for bad, reason in (
        (content.replace("000004.jpg,k3\n", ""), "3 rows"),
        ("file,kind\n2.jpg,k1\n1.jpg,k0\n3.jpg,k2\n4.jpg,k3\n", "sort its rows"),
    ):
        with pytest.raises(ValueError, match=reason):
            files.read(bad.encode(), "x.csv", numbers, are_named=False)
    natural = "".join(f"{k}.jpg,k{k - 8}\n" for k in range(8, 12))
    described = files.read(natural.encode(), "x.csv", numbers, are_named=False)
    assert [described.table.row(row)["column_2"] for row in range(4)] == ["k0", "k1", "k2", "k3"]


@pytest.mark.slow
def test_a_big_file_of_which_few_rows_are_wanted_is_read_to_its_end() -> None:
    content = "file,kind\n" + "".join(f"{k}.png,{k}\n" for k in range(30_000))
    described = read(content, ["29999.png", "7.png"])
    assert [described.table.row(row) for row in range(2)] == [{"kind": 29999}, {"kind": 7}]
    assert described.unmatched == 29_998


def test_rows_of_files_that_were_left_out_are_no_fault_and_lie_on_no_other_picture() -> None:
    """Such as those beyond the first 1000; `ant.jpg` is another file than `ant.png`."""
    content = b"file,kind\nant.png,k0\nbee.png,k1\nant.jpg,k2\ncat.png,k3\nlost.png,k4\n"
    described = files.read(content, "metadata.csv", ["ant.jpg", "cat.png"], others=["ant.png", "bee.png"])
    assert [described.table.row(row) for row in range(2)] == [{"kind": "k2"}, {"kind": "k3"}]
    assert (described.unmatched, described.unmatched_names) == (1, ["lost.png"])
    assert "2 of its rows name files of the ZIP that are not among these pictures" in described.remarks
