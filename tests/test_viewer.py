"""The page in a real browser, on the real service: pictures of one colour each show whether the right one is meant."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from datasets import catalogue
from datasets.tilemap import Tilemap, tile

from .browser import Visit, chromium
from .pictures import colour, encode, photograph, zipped
from .service import ROOT, Service
from .test_build import build

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")

COUNT = 150
GUEST = -2
"""The page's number of a picture that is looked up."""
SHAPE = (45, 60)
"""Of the pictures, in pixels: upright, so that white would show at both sides of them."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("viewer") / "data"
    install(data)
    running = Service(data)
    yield running.start(warm=False)
    running.stop()


@pytest.fixture
def visit(browser: Browser, service: Service, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(browser, service.url(""), **({"color_scheme": "dark"} | getattr(request, "param", {})))
    yield made
    made.close()


def install(data: Path) -> None:
    """A catalogue of pictures of one colour each, in two layouts that have nothing in common."""
    random = np.random.default_rng(0)
    arrays = {name: random.normal(size=(COUNT, 3)).astype(np.float32) for name in ("pca", "umap")}
    catalogue.install(data, arrays, name="Colours")
    sheet = Tilemap()
    for index in range(COUNT):
        sheet.put(index, tile(np.asarray(Image.new("RGB", SHAPE, colour(index)))))
    path = catalogue.tilemap_path(data / "tilemaps", 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(sheet.jpeg())


def look(visit: Visit) -> Image.Image:
    return Image.open(io.BytesIO(visit.page.screenshot())).convert("RGB")


def seen(image: Image.Image, x: float, y: float) -> int:
    """Which picture is drawn at a point: the one whose colour the pixel has. -1 if it has none's."""
    if not (0 <= x < image.width and 0 <= y < image.height):
        return -1
    pixel = np.array(image.getpixel((int(x), int(y))))
    distances = np.abs(np.array([colour(index) for index in range(COUNT)]) - pixel).max(axis=1)
    return int(distances.argmin()) if distances.min() <= 10 else -1


def place(visit: Visit, row: int) -> tuple[float, float]:
    found = visit.page.evaluate(f"wwzd.stage.where({row})")
    return found["x"], found["y"]


def without_fading(visit: Visit) -> None:
    visit.page.evaluate("wwzd.stage.setFade(0)")
    visit.rest()


def pick(visit: Visit, name: str, value: str) -> None:
    visit.page.locator(f"label:has(input[name={name}][value={value}])").click()


def points_to_try(visit: Visit, count: int = 6) -> list[tuple[float, float]]:
    """The middles of some pictures, clear of the bars."""
    places = [place(visit, row) for row in range(0, COUNT, 3)]
    clear = [(x, y) for x, y in places if 60 < x < 940 and 90 < y < 600]
    assert len(clear) >= count
    return clear[:count]


def test_it_draws_all_pictures_and_asks_nobody_else(visit: Visit) -> None:
    visit.open()
    assert visit.page.title() == "Colours – WWZD"
    expect(visit.page.locator("#collection-count")).to_have_text("150")
    without_fading(visit)
    image = look(visit)
    found = {seen(image, *place(visit, row)) for row in range(COUNT)}
    # Those behind others do not show.
    assert len(found - {-1}) > COUNT / 3


def test_no_white_shows_beside_a_picture(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    image = np.asarray(look(visit))
    # None of the colours is as bright as that, and the ground is dark.
    assert image[90:600, 60:940].min(axis=2).max() < 240


def test_no_picture_is_lost_where_small_ones_grow(visit: Visit) -> None:
    """Those of some pixels and larger ones are drawn by two programs: each by one of them, in its place."""
    visit.open()
    without_fading(visit)
    visit.page.evaluate("wwzd.stage.setZoom(0.2)")
    visit.rest()
    assert 10 < visit.page.evaluate("wwzd.stage.cloud.close.geometry.drawRange.count") < COUNT - 10
    image = look(visit)
    places = visit.page.evaluate(f"Array.from({{ length: {COUNT} }}, (_, row) => wwzd.stage.where(row))")
    clear = [row for row, at in enumerate(places) if 10 < at["x"] < 990 and 90 < at["y"] < 600]
    assert len(clear) > COUNT / 2
    for row in clear:
        mine = places[row]
        over = {
            other
            for other, at in enumerate(places)
            if at["far"] <= mine["far"] and np.hypot(at["x"] - mine["x"], at["y"] - mine["y"]) < at["side"]
        }
        assert seen(image, mine["x"], mine["y"]) in over, f"{row}, {mine['side']:.2f} px"


def test_hovering_names_the_picture_under_the_cursor(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    for x, y in points_to_try(visit):
        visit.page.mouse.move(5, 690)
        visit.rest()
        row = seen(look(visit), x, y)
        assert row >= 0
        visit.page.mouse.move(x, y)
        expect(visit.page.locator("#hover p")).to_have_text(f"{row:06d}")
        visit.rest()
        assert seen(look(visit), x, y) == row, "the one under the cursor is not in front"


def test_a_click_opens_the_picture(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    x, y = points_to_try(visit)[2]
    row = seen(look(visit), x, y)
    visit.page.mouse.click(x, y)
    expect(visit.page.locator("#panel h2")).to_have_text(f"{row:06d}")
    assert f"picture={row}" in visit.page.url
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_hidden()
    assert "picture=" not in visit.page.url


def test_another_reducer_moves_every_picture_to_its_place_there(visit: Visit) -> None:
    visit.open()
    before = [place(visit, row) for row in range(COUNT)]
    pick(visit, "reducer", "pca")
    visit.wait("wwzd.stage.reducer === 'pca' && !wwzd.stage.morph")
    without_fading(visit)
    moved = [np.hypot(*np.subtract(place(visit, row), before[row])) for row in range(COUNT)]
    assert np.median(moved) > 20
    assert "view=pca" in visit.page.url
    for x, y in points_to_try(visit, 3):
        row = seen(look(visit), x, y)
        assert row >= 0
        assert visit.page.evaluate(f"wwzd.stage.at({x}, {y})") == row


def test_dots_have_the_colours_of_their_pictures(visit: Visit) -> None:
    visit.open()
    pick(visit, "mode", "dots")
    without_fading(visit)
    image = look(visit)
    matching = [seen(image, *place(visit, row)) == row for row in range(COUNT)]
    assert np.mean(matching) > 0.7


def test_a_lasso_around_all_selects_all_and_exports_them(visit: Visit) -> None:
    visit.open()
    pick(visit, "tool", "lasso")
    visit.page.mouse.move(4, 70)
    visit.page.mouse.down()
    for x, y in ((996, 70), (996, 640), (4, 640), (4, 80)):
        visit.page.mouse.move(x, y, steps=3)
    visit.page.mouse.up()
    inside = visit.page.evaluate("[...wwzd.stage.chosen]")
    expected = [row for row in range(COUNT) if 70 < place(visit, row)[1] < 640]
    assert sorted(inside) == expected
    expect(visit.page.locator("#panel h2")).to_have_text(f"{len(expected)} pictures selected")
    with visit.page.expect_download() as saving:
        visit.page.click("#export")
    lines = list(csv.DictReader(Path(saving.value.path()).read_text().splitlines()))
    assert [int(line["index"]) for line in lines] == expected


def test_what_a_lasso_selects_is_exported_with_the_servers_vectors(visit: Visit, service: Service, upload: str) -> None:
    visit.open(f"/?dataset={upload}&view=pca")
    pick(visit, "tool", "lasso")
    visit.page.mouse.move(120, 90)
    visit.page.mouse.down()
    for x, y in ((520, 90), (500, 600), (110, 620), (120, 90)):
        visit.page.mouse.move(x, y, steps=3)
    visit.page.mouse.up()
    chosen = sorted(visit.page.evaluate("[...wwzd.stage.chosen]"))
    assert 0 < len(chosen) < 24
    with visit.page.expect_download() as saving:
        visit.page.click("#export")
    lines = list(csv.DictReader(Path(saving.value.path()).read_text().splitlines()))
    assert [int(line["index"]) for line in lines] == chosen
    names = sorted(f"{'cat' if index % 2 else 'dog'}-{index:02d}.jpg" for index in range(24))
    assert [line["name"] for line in lines] == [names[row] for row in chosen]
    for reducer in ("pca", "umap"):
        vectors = np.array(service.get(f"/dataset/{upload}/features/{reducer}").json()["features"], np.float32)
        written = np.array([[line[f"{reducer}_{axis}"] for axis in "xyz"] for line in lines], np.float32)
        np.testing.assert_array_equal(written, vectors[chosen])
    with visit.page.expect_download() as saving:
        visit.page.locator("#panel .actions a").click()
    with zipfile.ZipFile(saving.value.path()) as archive:
        assert "pictures.csv" in {name.rpartition("/")[2] for name in archive.namelist()}


def test_a_box_selects_what_lies_inside(visit: Visit) -> None:
    visit.open()
    pick(visit, "tool", "box")
    visit.page.mouse.move(300, 200)
    visit.page.mouse.down()
    visit.page.mouse.move(560, 420, steps=4)
    visit.page.mouse.up()
    places = [place(visit, row) for row in range(COUNT)]
    expected = [row for row, (x, y) in enumerate(places) if 300 < x < 560 and 200 < y < 420]
    assert 0 < len(expected) < COUNT
    assert sorted(visit.page.evaluate("[...wwzd.stage.chosen]")) == expected
    visit.page.keyboard.press("Escape")
    assert visit.page.evaluate("wwzd.stage.chosen.size") == 0


def test_two_layouts_stand_side_by_side_and_share_the_selection(visit: Visit) -> None:
    visit.open()
    visit.page.click("#split")
    expect(visit.page.locator("#panes")).to_be_visible()
    without_fading(visit)
    for pane, left in ((0, 0), (1, 500)):
        found = visit.page.evaluate(f"Array.from({{length: {COUNT}}}, (_, row) => wwzd.stage.where(row, {pane}))")
        clear = [(p["x"], p["y"]) for p in found if left + 40 < p["x"] < left + 460 and 100 < p["y"] < 600]
        x, y = clear[len(clear) // 2]
        row = seen(look(visit), x, y)
        assert row >= 0
        assert visit.page.evaluate(f"wwzd.stage.at({x}, {y})") == row


def test_the_address_restores_what_was_seen(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate("wwzd.stage.rig.set([0.4, 0.3, 1.7, 0.1, 0, 0])")
    pick(visit, "mode", "dots")
    pick(visit, "reducer", "pca")
    visit.wait("location.search.includes('view=pca') && location.search.includes('camera=')")
    visit.page.evaluate("wwzd.stage.choose([3, 5, 90])")
    visit.wait("location.search.includes('selected=')")
    camera = "wwzd.stage.rig.get().map((n) => n.toFixed(2))"
    state = f"[wwzd.stage.reducer, wwzd.stage.pictures, [...wwzd.stage.chosen], {camera}]"
    before = visit.page.evaluate(state)
    visit.open(visit.page.url.removeprefix(visit.origin))
    visit.wait("wwzd.stage.chosen.size === 3")
    assert visit.page.evaluate(state) == before


def test_keys_turn_open_and_close(visit: Visit) -> None:
    visit.open()
    visit.page.focus("#cloud")
    before = visit.page.evaluate("wwzd.stage.rig.get()")
    visit.page.keyboard.down("ArrowRight")
    visit.page.wait_for_timeout(300)
    visit.page.keyboard.up("ArrowRight")
    visit.rest()
    after = visit.page.evaluate("wwzd.stage.rig.get()")
    assert np.abs(np.subtract(after, before)).max() > 0.05
    visit.page.evaluate("wwzd.stage.approach(7, {left: 0, top: 0, right: 1000, bottom: 700})")
    visit.rest()
    visit.page.focus("#cloud")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_hidden()


def test_a_question_mark_shows_the_keys(visit: Visit) -> None:
    visit.open()
    visit.page.focus("#cloud")
    visit.page.keyboard.press("?")
    expect(visit.page.locator("#hint")).to_contain_text("W A S D Q E")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#hint")).to_be_hidden()


def test_the_points_are_on_their_way_before_the_scripts_run(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url.removeprefix(visit.origin)))
    visit.open("/?view=pca")
    vectors = [address for address in asked if "standalone" in address]
    assert vectors == ["/pca/0/0/standalone?format=raw"]
    assert asked.index(vectors[0]) < asked.index("/tilemaps/000?tile=12")


@pytest.mark.parametrize("visit", [{}, {"size": (375, 700)}], indirect=True, ids=["wide", "narrow"])
def test_the_panel_does_not_cover_what_was_clicked(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    width, height = visit.page.evaluate("[innerWidth, innerHeight]")
    # Where the panel is going to be: on the right, or, on a narrow screen, at the bottom.
    corner = (0.7 * width, 90) if width > 720 else (20, 0.5 * height)
    places = [place(visit, row) for row in range(COUNT)]
    x, y = next(
        (x, y)
        for x, y in places
        if corner[0] < x < width - 20 and corner[1] < y < height - 100 and is_on_canvas(visit, x, y)
    )
    row = int(visit.page.evaluate(f"wwzd.stage.at({x}, {y})"))
    visit.page.mouse.click(x, y)
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.rest()
    x, y = place(visit, row)
    assert is_on_canvas(visit, x, y)
    assert seen(look(visit), x, y) == row


def is_on_canvas(visit: Visit, x: float, y: float) -> bool:
    """Whether nothing covers the cloud at a point."""
    return bool(visit.page.evaluate(f"document.elementFromPoint({x}, {y})?.id === 'cloud'"))


@pytest.mark.parametrize("visit", [{"has_touch": True}], indirect=True)
def test_fingers_open_turn_zoom_and_move(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    x, y = points_to_try(visit)[1]
    row = seen(look(visit), x, y)
    visit.page.touchscreen.tap(x, y)
    expect(visit.page.locator("#panel h2")).to_have_text(f"{row:06d}")
    visit.page.keyboard.press("Escape")
    visit.page.click("#reset")
    visit.rest()
    start = camera(visit)

    fingers(visit, [[(400, 350)], [(450, 350)], [(520, 360)]])
    turned = camera(visit)
    assert np.linalg.norm(turned[:3]) == pytest.approx(np.linalg.norm(start[:3]), rel=0.01)
    assert np.abs(turned[:3] - start[:3]).max() > 0.1

    fingers(visit, [[(480, 350), (520, 350)], [(430, 350), (570, 350)], [(350, 350), (650, 350)]])
    near = camera(visit)
    assert np.linalg.norm(near[:3] - near[3:]) < 0.7 * np.linalg.norm(turned[:3] - turned[3:])

    fingers(visit, [[(400, 300), (500, 300)], [(440, 330), (540, 330)], [(500, 380), (600, 380)]])
    moved = camera(visit)
    assert np.linalg.norm(moved[3:] - near[3:]) > 0.05
    expect(visit.page.locator("#panel")).to_be_hidden()
    expect(visit.page.locator("#hover")).to_be_hidden()


def camera(visit: Visit) -> NDArray[np.float64]:
    """Its position and what it looks at."""
    return np.array(visit.page.evaluate("wwzd.stage.rig.get()"))


def fingers(visit: Visit, steps: list[list[tuple[int, int]]]) -> None:
    """Put fingers down where the first step says, move them as the others say, and lift them."""
    session = visit.context.new_cdp_session(visit.page)
    for kind, points in [("touchStart", steps[0]), *(("touchMove", step) for step in steps[1:]), ("touchEnd", [])]:
        touched = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
        visit.page.wait_for_timeout(50)
    session.detach()
    visit.rest()


EMULATOR = ROOT / "viewer" / "node_modules" / "iwer" / "build" / "iwer.min.js"


@pytest.mark.skipif(not EMULATOR.exists(), reason="no emulator of a headset: npm ci --prefix viewer")
def test_virtual_reality_shows_the_cloud_and_gives_the_page_back(visit: Visit) -> None:
    visit.context.add_init_script(path=EMULATOR)
    visit.context.add_init_script("new IWER.XRDevice(IWER.metaQuest3).installRuntime({forceInstall: true})")
    visit.open()
    without_fading(visit)
    before = look(visit)
    visit.page.click("#vr")
    visit.wait("wwzd.stage.cloud.renderer.xr.isPresenting")
    frames = visit.page.evaluate("wwzd.stage.facts.frames")
    visit.wait(f"wwzd.stage.facts.frames > {frames + 3}")
    pixels = np.asarray(look(visit))[::4, ::4].reshape(-1, 1, 3).astype(int)
    known = np.array([colour(index) for index in range(COUNT)])
    there = (np.abs(pixels - known).max(axis=2) <= 10).any(axis=0)
    assert there.sum() > COUNT / 4, "the cloud is not there"
    visit.page.evaluate("wwzd.stage.cloud.renderer.xr.getSession().end()")
    visit.wait("!wwzd.stage.cloud.renderer.xr.isPresenting")
    visit.page.mouse.move(5, 690)
    visit.rest()
    # The emulator puts the canvas back as the last one of its siblings: over the bars, which are left out here.
    cloud = np.s_[100:600, 60:940]
    assert np.abs(np.asarray(look(visit)).astype(int)[cloud] - np.asarray(before)[cloud]).max() <= 8


def test_every_control_is_reached_by_tab_and_has_a_name(visit: Visit) -> None:
    visit.open()
    names = set()
    for _ in range(25):
        visit.page.keyboard.press("Tab")
        names.add(
            visit.page.evaluate(
                "(({id, ariaLabel, textContent, labels}) => [id, (ariaLabel || textContent || labels?.[0]?.textContent "
                "|| '').trim()])(document.activeElement).join(': ')"
            )
        )
    reached = {name.split(":")[0] for name in names}
    assert {"cloud", "collection", "help", "add", "split", "reset", "tune"} <= reached
    assert [name for name in names if name.endswith(": ")] == []


@pytest.mark.parametrize("visit", [{"size": (375, 700)}], indirect=True)
def test_it_fits_a_narrow_screen(visit: Visit) -> None:
    visit.open()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375
    for part in ("#collection", "#add", "#tools"):
        box = visit.page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
    row = int(visit.page.evaluate("wwzd.stage.sharpness.near()[0]"))
    x, y = place(visit, row)
    visit.page.mouse.click(x, y)
    expect(visit.page.locator("#panel")).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("visit", [{"locale": "pl-PL"}], indirect=True)
def test_it_speaks_polish(visit: Visit) -> None:
    visit.open()
    expect(visit.page.locator("#add")).to_have_text("Dodaj zdjęcia")
    assert visit.page.evaluate("document.documentElement.lang") == "pl"
    visit.page.click("#tune")
    pick(visit, "language", "en")
    expect(visit.page.locator("#add")).to_have_text("Add pictures")


def test_an_unknown_dataset_is_told_in_words(visit: Visit) -> None:
    visit.open("/?dataset=" + "0a" * 16, drawn=False)
    expect(visit.page.locator("#empty")).to_contain_text("not here")
    visit.page.click("#empty button")
    visit.wait_until_drawn()
    visit.problems = [problem for problem in visit.problems if "404" not in problem]


def test_a_zip_becomes_a_cloud(visit: Visit) -> None:
    visit.open()
    archive = zipped(
        {f"{index:02d}.png": encode(Image.new("RGB", SHAPE, colour(7 * index)), "PNG") for index in range(20)}
    )
    visit.page.set_input_files("#files", {"name": "holiday.zip", "mimeType": "application/zip", "buffer": archive})
    visit.wait(
        "wwzd.stage.collection?.kind === 'dataset' && performance.getEntriesByName('wwzd:tiles').length > 1", 120
    )
    assert re.search(r"\?dataset=[0-9a-f]{32}$", visit.page.url.split("&")[0])
    expect(visit.page.locator("#collection-count")).to_have_text("20")
    without_fading(visit)
    image = look(visit)
    shown = {row for row in range(20) if seen(image, *place(visit, row)) == 7 * row}
    assert len(shown) >= 5


def test_loose_pictures_are_zipped_in_the_browser(visit: Visit) -> None:
    visit.open()
    files = [{"name": f"{index}.jpg", "mimeType": "image/jpeg", "buffer": photograph(index)} for index in range(9)] + [
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    ]
    visit.page.set_input_files("#files", files)  # type: ignore[arg-type]
    visit.wait("wwzd.stage.collection?.kind === 'dataset'", 120)
    expect(visit.page.locator("#collection-count")).to_have_text("9")


def test_what_is_no_zip_is_told_in_words(visit: Visit) -> None:
    visit.open()
    visit.page.set_input_files("#files", {"name": "a.zip", "mimeType": "application/zip", "buffer": b"no zip at all"})
    expect(visit.page.locator("#uploader [role=alert]")).to_contain_text("ZIP")
    visit.problems = [problem for problem in visit.problems if "400" not in problem]


@pytest.fixture(scope="module")
def upload(service: Service) -> str:
    """The id of a dataset whose pictures have names, features and metadata."""
    files = {f"{'cat' if index % 2 else 'dog'}-{index:02d}.jpg": photograph(index) for index in range(24)}
    lines = [f"{name},{name[:3]},{index}" for index, name in enumerate(sorted(files))]
    table = "\n".join(["file,kind,age", *lines]).encode()
    answer = service.upload(zipped(files | {"metadata.csv": table}))
    assert answer.status == 200, answer.body
    return answer.body.decode()


def test_a_click_shows_the_nearest_pictures_and_they_can_be_clicked(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&picture=5")
    faces = visit.page.locator("#neighbours .faces button")
    expect(faces).to_have_count(12)
    nearest = visit.page.evaluate("wwzd.stage.marks.neighbors")
    assert 5 not in nearest
    expect(faces.first).to_have_attribute("aria-label", re.compile(r"^(cat|dog)-\d\d\.jpg$"))
    faces.first.click()
    visit.wait(f"wwzd.stage.marks.clicked === {nearest[0]}")
    expect(visit.page.locator("#panel dl")).to_contain_text("89 × 109")


def test_a_search_by_name_finds_what_has_it(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.fill("#search-text", "CAT-")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel h2")).to_have_text("12 pictures found")


def test_a_picture_is_looked_up(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    look_up(visit, photograph(7))
    expect(visit.page.locator("#panel .share").first).to_have_text("100 %")


def look_up(visit: Visit, picture: bytes) -> Any:
    """Give the page a picture, and ask what looks like it → what the server answered."""
    visit.page.set_input_files("#files", {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": picture})
    with visit.page.expect_response("**/search?*", timeout=60_000) as answer:
        visit.page.click("#uploader button.strong")
    visit.wait(f"wwzd.stage.marks.clicked === {GUEST}")
    visit.rest()
    return answer.value.json()


def test_what_is_looked_up_lies_where_the_server_says(visit: Visit, service: Service, upload: str) -> None:
    visit.open(f"/?dataset={upload}&view=pca")
    answer = look_up(visit, photograph(7))
    own = 3  # cat-07.jpg: by name, it is the fourth
    assert visit.page.evaluate("wwzd.stage.marks.neighbors[0]") == own
    there = place(visit, own)
    assert is_on_canvas(visit, *there)
    assert np.hypot(*np.subtract(place(visit, GUEST), there)) < 2
    pick(visit, "reducer", "umap")
    visit.wait("wwzd.stage.reducer === 'umap' && !wwzd.stage.morph")
    visit.rest()
    assert np.hypot(*np.subtract(place(visit, own), there)) > 20
    # UMAP puts even a picture that it knows some way off. Layouts are turned and scaled, which leaves proportions.
    vectors = np.array(service.get(f"/dataset/{upload}/features/umap").json()["features"])
    drawn = np.array(visit.page.evaluate("[...wwzd.stage.layouts.umap.rows]")).reshape(-1, 3)
    guest = visit.page.evaluate(f"[...wwzd.stage.cloud.spot({GUEST}, wwzd.stage.layouts.umap.rows)]")
    told = np.linalg.norm(vectors - answer["umap"], axis=1) / np.linalg.norm(vectors[0] - vectors[1])
    shown = np.linalg.norm(drawn - guest, axis=1) / np.linalg.norm(drawn[0] - drawn[1])
    np.testing.assert_allclose(shown, told, rtol=1e-3)
    ends = visit.page.evaluate("[...wwzd.stage.cloud.raised.lines.geometry.getAttribute('goal').array.slice(0, 6)]")
    np.testing.assert_allclose(ends, [*guest, *drawn[own]], atol=1e-6)


def test_what_is_looked_up_stands_in_front_until_it_is_closed(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    magenta = (250, 0, 250)
    look_up(visit, encode(Image.new("RGB", (80, 50), magenta), "JPEG"))
    without_fading(visit)
    x, y = place(visit, GUEST)
    assert is_on_canvas(visit, x, y)
    image = look(visit)
    assert np.abs(np.subtract(image.getpixel((int(x), int(y))), magenta)).max() < 12  # type: ignore[arg-type]
    cloud = np.asarray(image).astype(int)
    accent = (np.abs(cloud - (255, 180, 84)).max(axis=2) < 12)[int(y) - 60 : int(y) + 60, int(x) - 60 : int(x) + 60]
    assert accent.any(), "it has no border"
    visit.page.locator("#panel .head button").click()
    visit.rest()
    pixels = np.asarray(look(visit)).astype(int)
    assert not (np.abs(pixels - magenta).max(axis=2) < 12).any()
    assert visit.page.evaluate(f"wwzd.stage.where({GUEST})") is None


def test_filters_leave_what_passes_and_colours_tell_the_rest_apart(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.click("#filters-open")
    expect(counted(visit, "cat")).to_have_text("12")
    visit.page.locator("#filters label", has_text="dog").click()
    visit.wait("wwzd.stage.skip.some(Boolean)")
    left = [row for row, hidden in enumerate(visit.page.evaluate("[...wwzd.stage.skip]")) if not hidden]
    # By name, all cats come first.
    assert left == list(range(12, 24))
    visit.page.locator("#filters input[type=number]").first.fill("20")
    visit.page.locator("#filters input[type=number]").first.press("Enter")
    visit.wait("wwzd.stage.skip.reduce((sum, one) => sum + one, 0) === 20")
    # A field's own filter does not count in it, the others' do.
    expect(counted(visit, "cat")).to_have_text("0")
    expect(counted(visit, "dog")).to_have_text("4")
    heights = visit.page.locator(".histogram i").evaluate_all("bars => bars.map(({style}) => parseFloat(style.height))")
    assert [height > 0 for height in heights] == [False] * 10 + [True] * 10
    visit.page.keyboard.press("Escape")
    visit.page.click("#tune")
    visit.page.select_option("#colour", "kind")
    expect(visit.page.locator("#legend .swatch")).to_have_count(2)
    visit.wait("wwzd.stage.borders !== null")
    colours = visit.page.evaluate("[...wwzd.stage.borders]")
    assert colours[:3] == colours[33:36] != colours[36:39]


def counted(visit: Visit, value: str) -> Locator:
    """How many pictures the filters say have a value."""
    return visit.page.locator("#filters label", has_text=value).locator("small")


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service whose catalogue was built of 100 photographs, and an upload of some of them, placed in its space."""
    folder = tmp_path_factory.mktemp("placed")
    source = folder / "source"
    source.mkdir()
    for index in range(100):
        (source / f"{index:03d}.jpg").write_bytes(photograph(index))
    assert build(folder / "data", source) == 0
    running = Service(folder / "data").start()
    answer = running.upload(zipped({f"{index:03d}.jpg": photograph(index) for index in range(40, 60)}))
    assert answer.status == 200, answer.body
    yield running, answer.body.decode()
    running.stop()


def test_an_upload_is_shown_among_the_catalogue(browser: Browser, placed: tuple[Service, str]) -> None:
    service, identity = placed
    visit = Visit(browser, service.url(""), color_scheme="dark").open(f"/?dataset={identity}&view=pca")
    without_fading(visit)
    among = visit.page.locator("#among")
    expect(among).to_have_attribute("aria-pressed", "false")
    alone = greys(visit)
    among.click()
    visit.wait("wwzd.stage.around !== null")
    visit.rest()
    assert greys(visit) > alone + 100
    np.testing.assert_allclose(drawn(visit), told(service, identity, "pca"), atol=1e-3)
    own = np.array(visit.page.evaluate("[...wwzd.stage.layouts.pca.rows]")).reshape(-1, 3)
    np.testing.assert_allclose(own, around(visit)[40:60], atol=1e-3)  # the same pictures
    pick(visit, "reducer", "umap")
    visit.wait("wwzd.stage.reducer === 'umap' && !wwzd.stage.morph")
    np.testing.assert_allclose(drawn(visit), told(service, identity, "umap"), atol=1e-3)
    visit.wait("location.search.includes('among=catalogue')")
    visit.open(visit.page.url.removeprefix(visit.origin))
    visit.wait("wwzd.stage.around !== null")
    expect(among).to_have_attribute("aria-pressed", "true")
    among.click()
    visit.wait("wwzd.stage.around === null && !location.search.includes('among')")
    without_fading(visit)
    assert greys(visit) < alone + 20  # some are in the pictures
    visit.page.click("#collection")
    visit.page.locator("#collections ul button").first.click()
    visit.wait("wwzd.stage.collection?.kind === 'catalogue'")
    expect(among).to_be_hidden()
    visit.close()


def greys(visit: Visit) -> int:
    """How many pixels have the colour of what is around an upload, clear of the bars."""
    image = np.asarray(look(visit)).astype(int)[90:600, 60:940]
    return int((np.abs(image - (104, 112, 126)).max(axis=2) <= 2).sum())


def around(visit: Visit) -> NDArray[np.float64]:
    """`(n, 3)` where the catalogue's pictures are drawn around an upload."""
    rows = visit.page.evaluate("[...wwzd.stage.cloud.around.geometry.getAttribute('position').array]")
    return np.array(rows, np.float64).reshape(-1, 3)


def drawn(visit: Visit) -> NDArray[np.float64]:
    """How far from the upload's first picture its others are, then the catalogue's; in distances to its second."""
    own = np.array(visit.page.evaluate("[...wwzd.stage.layouts[wwzd.stage.reducer].rows]")).reshape(-1, 3)
    return proportions(own, around(visit))


def told(service: Service, identity: str, reducer: str) -> NDArray[np.float64]:
    """The same by the server's vectors."""
    paths = f"/dataset/{identity}/features/{reducer}", f"/{reducer}/0/0/standalone"
    return proportions(*(np.array(service.get(path).json()["features"]) for path in paths))


def proportions(*parts: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.concatenate(parts)
    lengths = np.linalg.norm(rows - rows[0], axis=1)
    return np.asarray(lengths / lengths[1], np.float64)


def test_a_dataset_is_deleted_from_the_list(visit: Visit, service: Service) -> None:
    identity = service.upload(zipped({"one.jpg": photograph(77), "two.jpg": photograph(78)}), "twins.zip").body.decode()
    visit.open(f"/?dataset={identity}")
    visit.page.click("#collection")
    visit.page.locator("#collections [aria-label*='twins.zip']").click()
    visit.page.locator("#collections button.strong").click()
    visit.wait("wwzd.stage.collection?.kind === 'catalogue'")
    assert service.get(f"/dataset/{identity}").status == 404
