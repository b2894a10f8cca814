"""Looks at pages of the console as people do: in Chromium, in two widths, light and dark.

Arguments: where the gateway is, the token of somebody who is signed in, and the paths of pages.
An import that is handed in is planned soon. Where GUILDHALL_TEST_PICTURES names a folder, a picture of
each page is put there.
"""

import os
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ADDRESS, TOKEN, *PATHS = sys.argv[1:]
CHROMIUM = "/usr/bin/chromium"
SCREENS = {"narrow": {"width": 360, "height": 780}, "wide": {"width": 1400, "height": 900}}
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Menus lie over one another when all of them are open.
FOLDED = "main details:not(.menu)"
PICTURES = os.environ.get("GUILDHALL_TEST_PICTURES")
COOKIE = {"name": "guildhall-session", "value": TOKEN, "url": ADDRESS}


def look(page, place):
    """Nothing is wider than the screen, and nothing that axe knows is wrong, folded away or not."""
    for isOpen in [False, True]:
        if isOpen:
            page.evaluate(f"document.querySelectorAll('{FOLDED}').forEach(d => {{ d.open = true }})")
        if PICTURES:
            name = place.strip("/").replace("/", "-").replace("?", "-")
            page.screenshot(
                path=f"{PICTURES}/{name}{'-open' if isOpen else ''}.png", full_page=True)
        width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= screen, f"{place}: {width} pixels on a screen of {screen}"
        found = Axe().run(page, options={"runOnly": AXE_TAGS})
        assert found.violations_count == 0, f"{place}:\n{found.generate_report()}"
        if not page.locator(FOLDED).count():
            break


def look_at_all(browser):
    for scheme in ["light", "dark"]:
        for name, screen in SCREENS.items():
            context = browser.new_context(viewport=screen, color_scheme=scheme)
            context.add_cookies([COOKIE])
            page = context.new_page()
            for path in PATHS:
                answer = page.goto(ADDRESS + path)
                assert answer.status == 200, f"{path}: {answer.status}"
                look(page, f"{path}-{name}-{scheme}")
            # A form that is refused names its fields.
            page.goto(ADDRESS + "/console/imports/new")
            page.get_by_role("button", name="Check the file").click()
            expect(page.get_by_role("alert")).to_contain_text("Please choose a file.")
            look(page, f"/console/imports/refused-{name}-{scheme}")
            context.close()


def hand_in(browser):
    """A file comes from a browser without scripts, and the page of its plan looks again by itself."""
    context = browser.new_context(viewport=SCREENS["narrow"], java_script_enabled=False)
    context.add_cookies([COOKIE])
    page = context.new_page()
    page.goto(ADDRESS + "/console/imports/new")
    page.get_by_label("Spreadsheet").set_input_files(
        {"name": "schools.csv", "mimeType": "text/csv", "buffer": b"Title\r\nSchool\r\n"})
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="The file is being read")).to_be_visible()
    expect(page.get_by_role("heading", name="What the file would change")).to_be_visible(
        timeout=20_000)
    context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    look_at_all(browser)
    hand_in(browser)
    browser.close()
print("the pages can be looked at")
