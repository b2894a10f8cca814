"""Uses the gateway's pages as people do: in Chromium, with and without scripts, on a narrow screen.

Argument: where the gateway is. Its service takes every message but those whose sender begins with
"busy", and refuses what is empty.
"""

import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ADDRESS = sys.argv[1]
CHROMIUM = "/usr/bin/chromium"
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def look(page, place):
    """Nothing is wider than the screen, and nothing that axe knows is wrong."""
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen, f"{place}: {width} pixels on a screen of {screen}"
    # Of the many routes and types the first of each service is enough: they are all alike.
    page.evaluate(
        "document.querySelectorAll('section > article:nth-of-type(n+2)')"
        ".forEach(part => part.remove())")
    found = Axe().run(page, options={"runOnly": AXE_TAGS})
    assert found.violations_count == 0, f"{place}:\n{found.generate_report()}"


def look_at_all_pages(browser):
    for scheme, screen in [("light", NARROW), ("dark", WIDE)]:
        context = browser.new_context(viewport=screen, color_scheme=scheme)
        page = context.new_page()
        messages = []
        page.on("console", lambda message: messages.append(message.text))
        for path in ["/", "/contact", "/contact/sent", "/docs"]:
            page.goto(ADDRESS + path)
            link = page.locator("footer a", has_text="Contact")
            assert link.get_attribute("href") == "/contact", path
            look(page, f"{path} {scheme} {screen['width']}")
        page.goto(ADDRESS + "/contact")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look(page, f"with faults, {scheme} {screen['width']}")
        assert not [text for text in messages if "Content Security Policy" in text], messages
        context.close()


def write(browser):
    """The way through the form without scripts."""
    context = browser.new_context(viewport=NARROW, java_script_enabled=False)
    page = context.new_page()
    page.goto(ADDRESS + "/?from=elsewhere")
    page.locator("footer").get_by_role("link", name="Contact").click()
    expect(page).to_have_url(ADDRESS + "/contact")
    page.goto(ADDRESS + "/contact?organization=springfield")

    # The first thing behind the keyboard is the name; what is focused is seen to be.
    page.keyboard.press("Tab")
    name = page.get_by_label("Your name")
    expect(name).to_be_focused()
    name.fill("Ada <Lovelace> & “co”")
    page.get_by_label("Your email address").fill("busy@example.org")
    page.get_by_label("Message").fill("\nFirst line\n  <b>second</b> & third")
    page.get_by_role("button", name="Send").click()

    # Two faults, each beside its field, and all that was typed.
    expect(page).to_have_title("Not sent yet – Contact")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("What is it about?: Please choose what it is about.")
    subject = page.get_by_label("Subject")
    expect(subject).to_have_attribute("aria-invalid", "true")
    fault = page.locator("#" + subject.get_attribute("aria-describedby"))
    expect(fault).to_have_text("Please type something.")
    expect(page.get_by_label("Your email address")).not_to_have_attribute("aria-invalid", "true")
    expect(name).to_have_value("Ada <Lovelace> & “co”")
    expect(page.get_by_label("Message")).to_have_value("\nFirst line\n  <b>second</b> & third")
    alert.get_by_role("link", name="Subject").click()
    expect(page).to_have_url(ADDRESS + "/contact#subject")
    subject.fill("Our school")
    page.get_by_label("What is it about?").select_option(label="Booking and cancellations")
    page.get_by_role("button", name="Send").click()

    # Too much at a time: a friendly sentence, and nothing is lost.
    expect(alert).to_contain_text("We have received many messages within the last hour")
    expect(page.get_by_label("What is it about?")).to_have_value("3")
    expect(subject).to_have_value("Our school")
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_role("button", name="Send").click()

    expect(page).to_have_url(ADDRESS + "/contact/sent?organization=springfield")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.reload()
    page.get_by_role("link", name="Write another message").click()
    expect(page).to_have_url(ADDRESS + "/contact?organization=springfield")
    context.close()


def another_site(browser):
    """A form of another site is not taken, though a browser would send it."""
    context = browser.new_context()
    page = context.new_page()
    page.route(
        "http://other.test/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{ADDRESS}/contact">'
            '<input name="email" value="eve@example.org"><input name="subject" value="s">'
            '<input name="kind" value="1"><input name="text" value="t"><button>Go</button></form>',
        ),
    )
    page.goto("http://other.test/")
    with page.expect_navigation() as navigation:
        page.get_by_role("button", name="Go").click()
    assert navigation.value.status == 403, navigation.value.status
    expect(page.get_by_role("alert")).to_contain_text("sent by another site")
    context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    write(browser)
    another_site(browser)
    look_at_all_pages(browser)
    browser.close()
print("the pages can be used")
