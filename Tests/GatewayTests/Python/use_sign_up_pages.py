"""Comes to the platform by a custom URL as people do: in Chromium, without scripts, on a narrow
screen; then looks at every page of signing up and of the console in two widths.

Arguments: where the gateway is, the password that its service takes, and the path of an
organization in the console. Its service confirms the token "good".
"""

import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ADDRESS, PASSWORD, SCHOOL = sys.argv[1:]
CHROMIUM = "/usr/bin/chromium"
NARROW = {"width": 360, "height": 780}
WIDE = {"width": 1400, "height": 900}
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABS = ["suborganizations", "users", "services", "contacts", "domains", "urls", "limits", "delete"]


def look(page, place, part=None):
    """Nothing is wider than the screen, and nothing that axe knows is wrong, of a part or of all."""
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen, f"{place}: {width} pixels on a screen of {screen}"
    found = Axe().run(page, context=part, options={"runOnly": AXE_TAGS})
    assert found.violations_count == 0, f"{place}:\n{found.generate_report()}"


def sign_in(page):
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def come(browser):
    """The way from a custom URL to an organization of one's own, without scripts."""
    context = browser.new_context(viewport=NARROW, java_script_enabled=False)
    page = context.new_page()
    page.goto(ADDRESS + "/springfield")
    page.get_by_role("link", name="Create an account").click()
    name = page.get_by_label("Your name")
    # The key is for the page that comes, not for the one that goes.
    expect(name).to_be_visible()
    page.keyboard.press("Tab")
    expect(name).to_be_focused()
    name.fill("Ada")
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create an account").click()
    expect(page).to_have_title("Not registered yet – Create an account")
    expect(name).to_have_value("Ada")
    page.get_by_role("alert").get_by_role("link", name="Password").click()
    expect(page).to_have_url(ADDRESS + "/signup#password")
    page.get_by_label("Password").fill("long enough")
    page.get_by_role("button", name="Create an account").click()
    expect(page).to_have_url(ADDRESS + "/signup/sent")

    page.goto(ADDRESS + "/signup/verify?token=good")
    page.get_by_label("The password that you chose").fill("another password")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("alert").get_by_role("link", name="The password that you chose").click()
    expect(page).to_have_url(ADDRESS + "/signup/verify#password")
    page.get_by_label("The password that you chose").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page)
    expect(page).to_have_url(ADDRESS + "/signup/organization")
    cookies = context.cookies()
    assert [c["httpOnly"] and c["sameSite"] == "Lax" for c in cookies] == [True], cookies
    page.get_by_label("Title").fill("Ada’s school")
    page.get_by_role("button", name="Make it").click()
    expect(page).to_have_url(ADDRESS + SCHOOL + "?done=created")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(ADDRESS + "/login?said=out")
    context.close()


def look_at_all_pages(browser):
    for scheme, screen in [("light", NARROW), ("dark", WIDE)]:
        context = browser.new_context(viewport=screen, color_scheme=scheme)
        page = context.new_page()
        messages = []
        page.on("console", lambda message: messages.append(message.text))
        for path in [
            "/login?said=ended", "/signup?at=springfield", "/signup/sent",
            "/signup/verify?token=old", "/springfield", "/nobody", "/shut",
        ]:
            page.goto(ADDRESS + path)
            look(page, f"{path} {scheme}")
        page.goto(ADDRESS + "/signup/verify?token=old")
        page.get_by_role("button", name="Confirm").click()
        look(page, f"an old link, {scheme}")
        page.goto(ADDRESS + "/signup/verify?token=good")
        page.get_by_role("button", name="Confirm").click()
        look(page, f"a wrong password, {scheme}")
        page.goto(ADDRESS + "/login?next=/console/organizations")
        sign_in(page)
        expect(page).to_have_url(ADDRESS + "/signup/organization")
        paths = ["/console/organizations", "/console/organizations?q=zzz&order=title",
                 "/console/organizations/new", "/signup/organization", SCHOOL]
        for path in paths + [f"{SCHOOL}/{tab}" for tab in TABS]:
            page.goto(ADDRESS + path)
            look(page, f"{path} {scheme}")
            for menu in page.locator("details.menu > summary").all()[:1]:
                menu.click()
                look(page, f"{path} {scheme}, menu open", "details[open]")
        page.goto(ADDRESS + "/console/organizations/new")
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look(page, f"with faults, {scheme}")
        assert not [text for text in messages if "Content Security Policy" in text], messages
        context.close()


def another_site(browser):
    """A form of another site is not taken, though the browser has a session."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(ADDRESS + "/login?next=/console/organizations")
    sign_in(page)
    expect(page).to_have_url(ADDRESS + "/signup/organization")
    page.route(
        "http://other.test/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{ADDRESS}{SCHOOL}/delete"><button>Go</button></form>',
        ),
    )
    page.goto("http://other.test/")
    with page.expect_navigation() as navigation:
        page.get_by_role("button", name="Go").click()
    assert navigation.value.status == 403, navigation.value.status
    context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    another_site(browser)
    look_at_all_pages(browser)
    come(browser)
    browser.close()
print("the pages can be used")
