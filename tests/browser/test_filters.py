"""What is shown: filters, isolation and search together, told, undone, and kept in the address."""

import csv
import io
import re
import zipfile

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.colours import COUNT, draw_lasso, pick
from tests.support.chromium import Visit, hold, press
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

LEFT = "[...wwzd.viewer.rowStyles.skip.keys()].filter((row) => !wwzd.viewer.rowStyles.skip[row])"


@pytest.fixture(scope="session")
def forty(service: Service) -> str:
    """The id of a dataset with forty fields of true and false, words and numbers beside them."""
    names = [f"{index:02d}.jpg" for index in range(20)]
    flags = [f"Flag_{field:02d}" for field in range(40)]
    head = ",".join(["file", *flags, "kind", "age"])
    lines = [
        ",".join([name, *(str(row % (field + 2) == 0).lower() for field in range(40)), f"kind-{row % 4}", str(row)])
        for row, name in enumerate(names)
    ]
    files = {name: photograph(40 + index) for index, name in enumerate(names)}
    table = "\n".join([head, *lines]).encode()
    answer = service.upload(zipped(files | {"metadata.csv": table}), "forty fields.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()


@pytest.fixture(scope="session")
def strange(service: Service) -> str:
    """The id of a dataset whose fields have odd values and names."""
    lines = (
        "file,sunny,note,weight,id,umap_x,name",
        '0.jpg,true,"says ""no"", twice",1.5,1234567890123456789,7,=1+1',
        "1.jpg,false,two,2.25,1234567890123456788,8,b",
        '2.jpg,true,"a line\nand another",,,9,c',
    )
    files = {f"{index}.jpg": photograph(620 + index) for index in range(3)}
    answer = service.upload(zipped(files | {"metadata.csv": "\n".join(lines).encode()}), "strange.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def left(visit: Visit) -> list[int]:
    return list(visit.page.evaluate(LEFT))


def wait_for(visit: Visit, rows: list[int]) -> None:
    """Wait until the page is drawn and exactly these rows are left."""
    visit.wait_until_drawn()
    visit.wait(f"JSON.stringify({LEFT}) === JSON.stringify({rows})")


def lasso(visit: Visit) -> None:
    draw_lasso(visit, (120, 110), (500, 110), (500, 600), (110, 620), (120, 120))


def test_only_these_then_a_lasso_then_clear_leaves_a_way_back(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate("wwzd.view.choose(Array.from({ length: 90 }, (_, row) => row))")
    visit.page.get_by_role("button", name="Show only these").click()
    expect(visit.page.locator("#shown-count")).to_have_text(f"90 of {COUNT} shown")
    assert left(visit) == list(range(90))
    lasso(visit)
    expect(visit.page.locator("#panel h2")).to_contain_text("selected")
    assert all(row < 90 for row in visit.page.evaluate("[...wwzd.viewer.rowStyles.chosen]")), (
        "what is hidden was selected"
    )
    visit.page.locator("#panel").get_by_role("button", name="Clear").click()
    expect(visit.page.locator(".chip")).to_have_text(["only 90 chosen"])
    assert left(visit) == list(range(90))
    visit.page.click("#show-all")
    assert left(visit) == list(range(COUNT))
    expect(visit.page.locator(".chip")).to_have_count(0)


def test_filters_isolation_and_search_hold_together_and_each_can_be_taken_away(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.evaluate("wwzd.view.isolate([3, 4, 5, 13, 14, 15, 16])")
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="dog").click()
    visit.wait(f"{LEFT}.length === 4")
    assert left(visit) == [13, 14, 15, 16], "the filter took the place of the isolation"
    visit.page.evaluate("wwzd.view.found('1', [14, 15, 20], { only: true })")
    assert left(visit) == [14, 15]
    chips = visit.page.locator(".chip .words")
    expect(chips).to_have_text(["only 7 chosen", "“1”: 3", "kind: dog"])
    visit.page.locator(".chip", has_text="chosen").get_by_role("button").click()
    assert left(visit) == [14, 15, 20]
    visit.page.locator(".chip", has_text="kind").get_by_role("button").click()
    expect(visit.page.locator("#filters input:checked")).to_have_count(0)
    assert left(visit) == [14, 15, 20]
    visit.page.locator(".chip", has_text="“1”").get_by_role("button", name="Remove").click()
    assert left(visit) == list(range(24))
    assert "filter" not in visit.page.locator("#status").inner_text()


def test_changes_of_the_view_are_undone_and_done_again(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    expect(visit.page.locator("#undo")).to_be_hidden()
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="dog").click()
    visit.wait(f"{LEFT}.length === 12")
    visit.page.evaluate("wwzd.view.choose([12, 13])")
    visit.page.get_by_role("button", name="Show only these").click()
    visit.page.locator("#filters .palette").first.click()
    visit.wait("wwzd.viewer.rowStyles.borders !== null")
    visit.page.focus("#cloud")
    visit.page.keyboard.press("Control+z")
    visit.wait("wwzd.viewer.rowStyles.borders === null")
    expect(visit.page.locator("#legend")).to_be_hidden()
    visit.page.keyboard.press("Control+z")
    assert len(left(visit)) == 12
    assert visit.page.evaluate("[...wwzd.viewer.rowStyles.chosen]") == [12, 13]
    visit.page.keyboard.press("Control+z")
    expect(visit.page.locator("#panel")).to_be_hidden()
    visit.page.click("#undo")
    assert len(left(visit)) == 24
    expect(visit.page.locator("#undo")).to_be_disabled()
    for key in ("Control+Shift+z", "Control+y", "Control+y"):
        visit.page.keyboard.press(key)
    assert left(visit) == [12, 13]
    visit.page.click("#redo")
    visit.wait("wwzd.viewer.rowStyles.borders !== null")
    # Where something is typed, the keys are the field's own.
    visit.page.focus("#filters input[type=number]")
    visit.page.keyboard.press("Control+z")
    assert left(visit) == [12, 13]


def test_the_legend_stays_counts_filters_and_highlights(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.click("#tune")
    visit.page.select_option("#colour", "kind")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#settings")).to_be_hidden()
    legend = visit.page.locator("#legend")
    cat, dog = (legend.locator("button.swatch", has_text=kind) for kind in ("cat", "dog"))
    expect(dog.locator("small")).to_have_text("12")
    dog.hover()
    forward = "[...wwzd.viewer.cloud.array('colour')].filter((_, at) => at % 4 === 3)"
    assert visit.page.evaluate(forward) == [128] * 12 + [255] * 12
    visit.page.mouse.move(600, 300)
    assert visit.page.evaluate(forward) == [128] * 24
    dog.click()
    assert left(visit) == list(range(12, 24))
    expect(dog).to_have_attribute("aria-pressed", "true")
    visit.page.evaluate("wwzd.view.filter('age', [20, 30])")
    expect(dog.locator("small")).to_have_text("4")
    expect(cat.locator("small")).to_have_text("0")
    dog.click()
    legend.locator(".head button").click()
    expect(legend).to_be_hidden()


def test_the_legends_others_filter_and_stand_in_the_address(visit: Visit, service: Service) -> None:
    names = [f"{index:02d}.jpg" for index in range(26)]
    kinds = [f"kind-{min(row // 2, 11):02d}" for row in range(24)] + ["", ""]
    table = "\n".join(["file,kind", *(f"{name},{kind}" for name, kind in zip(names, kinds, strict=True))])
    files = {name: photograph(80 + index) for index, name in enumerate(names)}
    dataset_id = service.upload(zipped(files | {"metadata.csv": table.encode()})).body.decode()
    visit.open(f"/?dataset={dataset_id}&colour=kind")
    others = visit.page.get_by_role("button", name="others")
    expect(others.locator("small")).to_have_text("6")
    others.click()
    rest = left(visit)
    assert len(rest) == 6
    assert {24, 25} < set(rest)
    expect(others).to_have_attribute("aria-pressed", "true")
    expect(visit.page.locator(".chip .words")).to_contain_text("kind: other than")
    visit.page.reload()
    visit.wait_until_drawn()
    visit.wait(f"{LEFT}.length === 6")
    assert left(visit) == rest
    visit.page.locator("#legend button.swatch").first.click()
    assert len(left(visit)) == 8, "a word beside the others"
    others.click()
    assert len(left(visit)) == 2, "the word alone"


def test_numbers_are_a_ramp_of_which_a_part_is_swept(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.evaluate("wwzd.view.change({ colour: 'age' })")
    ramp = visit.page.locator("#legend .ramp")
    box = ramp.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    visit.page.mouse.move(box["x"] + box["width"] * 0.5, y)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.75, y, steps=4)
    visit.page.mouse.up()
    least, most = visit.page.evaluate("wwzd.view.state.filters.get('age')")
    assert 10 <= least <= 12
    assert 17 <= most <= 18
    assert left(visit) == list(range(least, most + 1))
    expect(visit.page.locator(".chip .words")).to_have_text([f"age: {least} – {most}"])
    visit.page.mouse.click(box["x"] + 10, y)
    assert len(left(visit)) == 24


def test_forty_fields_keep_their_head_and_can_be_searched(visit: Visit, forty: str) -> None:
    visit.open(f"/?dataset={forty}")
    visit.page.click("#filters-open")
    panel = visit.page.locator("#filters")
    heights = panel.locator(".two").evaluate_all("rows => rows.map(({offsetHeight}) => offsetHeight)")
    assert len(heights) == 40
    assert max(heights) < 40, "true and false do not stand in one row"
    panel.locator(".fields").hover()
    visit.page.mouse.wheel(0, 900)
    visit.wait("document.querySelector('#filters .fields').scrollTop > 300")
    expect(panel.locator(".head button")).to_be_in_viewport(ratio=1)
    panel.locator(".two", has_text="Flag 20").locator("label", has_text="yes").click()
    expect(panel.locator(".summary")).to_have_text("1 of 20 shown")
    expect(panel.locator(".summary")).to_be_in_viewport(ratio=1)
    panel.locator("input[type=search]").fill("flag 3")
    expect(panel.locator(".field")).to_have_count(13)
    panel.locator("input[type=search]").fill("nothing of the kind")
    expect(panel).to_contain_text("No field is called so.")
    # Opened again, those that filter come first.
    visit.page.click("#filters-open")
    visit.page.click("#filters-open")
    panel.locator("input[type=search]").fill("")
    expect(panel.locator(".field").first).to_contain_text("Flag 20")


def test_what_is_filtered_has_a_gallery_and_a_file(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="dog").click()
    visit.page.locator("#filters .foot").get_by_role("button", name="Gallery").click()
    faces = visit.page.locator("#panel .faces button")
    expect(faces).to_have_count(12)
    faces.first.click()
    expect(visit.page.locator("#panel .portrait")).to_be_visible()
    visit.page.locator("#panel .head button").click()
    expect(faces).to_have_count(12)
    visit.page.evaluate("wwzd.view.filter('age', [20, 30])")
    expect(faces).to_have_count(4)
    with visit.page.expect_download() as saving:
        visit.page.locator("#filters .foot").get_by_role("button", name="CSV").click()
    lines = list(csv.DictReader(saving.value.path().read_text().splitlines()))
    assert [line["index"] for line in lines] == ["20", "21", "22", "23"]


def test_a_file_of_what_is_filtered_says_all_that_the_servers_export_says(
    visit: Visit, service: Service, strange: str
) -> None:
    visit.open(f"/?dataset={strange}")
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="yes").click()
    with visit.page.expect_download() as saving:
        visit.page.locator("#filters .foot").get_by_role("button", name="CSV").click()
    with saving.value.path().open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    with zipfile.ZipFile(io.BytesIO(service.get(f"/dataset/{strange}/export").body)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("pictures.csv")]
        exported = list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
    assert [line["index"] for line in written] == ["0", "2"]
    for line in written:
        row = exported[int(line["index"])]
        # A field called as one of the page's own columns has another head there.
        assert line.pop("umap_x_") == row.pop("umap_x")
        assert float(line.pop("weight") or "nan") == pytest.approx(float(row.pop("weight") or "nan"), nan_ok=True)
        assert {name: line[name] for name in row} == row
        assert set(line) - set(row) == {f"{reducer}_{axis}" for reducer in ("pca", "umap") for axis in "xyz"}


def test_a_file_waits_for_a_filter_that_was_just_set(visit: Visit, upload: str) -> None:
    release = hold(visit, re.compile(r"/fields/kind$"))
    visit.open(f"/?dataset={upload}")
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="dog").click()
    with visit.page.expect_download() as saving:
        visit.page.locator("#filters .foot").get_by_role("button", name="CSV").click()
        visit.page.wait_for_timeout(300)
        release()
    lines = list(csv.DictReader(saving.value.path().read_text().splitlines()))
    assert 0 < len(lines) < 40
    assert {line["kind"] for line in lines} == {"dog"}


def test_a_picture_shows_actions_and_neighbours_before_its_metadata(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&picture=5")
    expect(visit.page.locator("#neighbours .faces button")).to_have_count(12)
    tops = [
        visit.page.locator(part).evaluate("part => part.getBoundingClientRect().top")
        for part in ("#panel .portrait", "#panel .actions", "#neighbours", "#panel details")
    ]
    assert tops == sorted(tops)
    expect(visit.page.locator("#panel dl")).to_be_hidden()
    visit.page.locator("#panel summary").click()
    expect(visit.page.locator("#panel dl")).to_contain_text("cat")


def test_a_press_on_a_chip_counts_though_columns_arrive_meanwhile(visit: Visit, upload: str) -> None:
    release = hold(visit, re.compile(r"/fields/age$"))
    visit.open(f"/?dataset={upload}&is.kind=dog&open=filters")
    expect(visit.page.locator(".chip")).to_have_text(["kind: dog"])
    visit.rest()
    press(visit, ".chip .only-icon")
    with visit.page.expect_response(re.compile(r"/fields/age$")):
        release()
    visit.page.wait_for_timeout(300)
    visit.page.mouse.up()
    expect(visit.page.locator(".chip")).to_have_count(0)


def test_a_press_in_a_pictures_panel_counts_though_its_record_comes_meanwhile(visit: Visit, upload: str) -> None:
    release = hold(visit, re.compile(r"/images\?"))
    visit.open(f"/?dataset={upload}&picture=5")
    title = visit.page.locator("#panel h2")
    expect(title).to_have_text("Picture 6")
    press(visit, "#panel .head button")
    release()
    expect(title).to_have_text("cat-11.jpg")
    visit.page.mouse.up()
    expect(visit.page.locator("#panel")).to_be_hidden()


STATE = """(() => {
  const { filters, isolation, search, chosen, colour, size } = wwzd.view.state;
  const plain = (wanted) => [...wanted];
  return JSON.stringify([[...filters].map(([name, wanted]) => [name, plain(wanted)]), isolation && plain(isolation),
    search && [search.text, plain(search.rows), search.only], plain(chosen), colour, size,
    document.documentElement.dataset.theme, document.querySelector("#filters").hidden]);
})()"""


def test_a_link_reload_back_and_forward_restore_all_of_the_view(
    visit: Visit, upload: str, browser: Browser, service: Service
) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.click("#tune")
    pick(visit, "theme", "light")
    visit.page.locator("#size").press("ArrowRight")
    visit.page.click("#tune")
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="dog").click()
    visit.page.evaluate("""() => {
      const { view } = wwzd;
      view.filter('age', [13, 20.5]);
      view.isolate([12, 13, 14, 15, 16, 21]);
      view.choose([14, 15]);
      view.change({ colour: 'age' });
      view.found('dog', [...Array(12).keys()].map((row) => row + 12), { only: true });
    }""")
    visit.wait("wwzd.viewer.rowStyles.borders !== null")
    before = visit.page.evaluate(STATE)
    assert left(visit) == [13, 14, 15, 16]

    def is_as_before(there: Visit) -> None:
        there.wait(
            "wwzd.viewer.rowStyles.borders !== null && wwzd.viewer.rowStyles.chosen.size === 2 "
            "&& !document.querySelector('#filters').hidden"
        )
        there.wait(f"{LEFT}.length === 4")
        assert there.page.evaluate(STATE) == before
        assert left(there) == [13, 14, 15, 16]
        expect(there.page.locator(".chip")).to_have_count(4)

    address = visit.page.url
    other = Visit(browser, service.url(""), color_scheme="dark")
    other.open(address.removeprefix(visit.origin))
    is_as_before(other)
    other.close()
    visit.page.reload()
    visit.wait_until_drawn()
    is_as_before(visit)
    visit.page.click("#collection")
    visit.page.locator("#collections .list button").first.click()
    visit.wait(f"wwzd.viewer.collection?.count === {COUNT}")
    visit.wait("wwzd.view.state.filters.size === 0")
    visit.page.go_back()
    is_as_before(visit)
    visit.page.go_forward()
    visit.wait(f"wwzd.viewer.collection?.count === {COUNT}")
    assert visit.page.evaluate("wwzd.view.isNarrowed") is False


def test_a_link_to_fields_that_are_not_there_hides_nothing(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&is.colour=red&in.kind=1..2&is.age=3&colour=mood&only=~&size=x")
    visit.page.wait_for_timeout(300)
    assert len(left(visit)) == 24
    expect(visit.page.locator("#shown")).to_be_hidden()


def test_isolations_are_short_in_the_address_and_too_long_ones_survive_a_reload(visit: Visit) -> None:
    visit.open()
    rows = [row for row in range(COUNT) if row % 3]
    visit.page.evaluate(f"wwzd.view.isolate({rows})")
    assert len(visit.page.url) < len(visit.origin) + 50
    visit.page.reload()
    wait_for(visit, rows)
    visit.page.evaluate("wwzd.view.isolate(Array.from({ length: 150 }, (_, row) => row).filter((row) => row % 2))")
    visit.rest()
    # In one step, since the page writes its own address whenever it comes to rest.
    state = "history.replaceState({ only: Uint32Array.of(1, 2, 3) }, '', '/')"
    with visit.page.expect_event("load"):
        visit.page.evaluate(f"setTimeout(() => {{ {state}; location.reload(); }})")
    wait_for(visit, [1, 2, 3])
