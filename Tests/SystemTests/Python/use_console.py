"""Looks after organizations with a browser, before real services: in Chromium, without scripts.

Arguments: where the gateway is, and the email address and password of its owner.
"""

import struct
import sys
import zlib

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ADDRESS, EMAIL, PASSWORD = sys.argv[1:]
CHROMIUM = "/usr/bin/chromium"
NARROW = {"width": 360, "height": 780}
WIDE = {"width": 1400, "height": 900}
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LIST = ADDRESS + "/console/organizations"


def sign_in(page):
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def done(page, sentence):
    expect(page.get_by_role("status")).to_have_text(sentence)


def refused(page, sentence):
    expect(page.get_by_role("alert")).to_contain_text(sentence)


def open_tab(page, name):
    page.get_by_role("navigation", name="Settings").get_by_role("link", name=name).click()


def make(page, title):
    page.get_by_label("Title").fill(title)
    page.get_by_label("Category").select_option(label="Academic: K-12")
    page.get_by_label("Country").select_option(label="United States")
    page.get_by_role("button", name="Accept").click()
    done(page, "The organization is saved.")


def sign_in_first(page):
    """Whoever has not signed in comes to the page that was asked for."""
    page.goto(ADDRESS)
    page.get_by_role("link", name="Sign in to the console").click()
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Email address")).to_have_value(EMAIL)
    sign_in(page)
    expect(page).to_have_url(LIST)


def make_organizations(page):
    page.get_by_role("link", name="New organization").click()
    page.get_by_label("Description").fill("Schools of <b>Springfield</b>")
    page.get_by_role("button", name="Accept").click()
    alert = page.get_by_role("alert")
    for label in ["Title", "Category", "Country"]:
        expect(alert.get_by_role("link", name=label)).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("Schools of <b>Springfield</b>")
    make(page, "Springfield")

    page.get_by_role("link", name="Organizations").first.click()
    page.get_by_role("link", name="New organization").click()
    page.get_by_label("Title").fill(" springfield ")
    page.get_by_label("Category").select_option(label="Academic: K-12")
    page.get_by_label("Country").select_option(label="United States")
    page.get_by_label("Trial").check()
    page.get_by_role("button", name="Accept").click()
    refused(page, "Valid until")
    page.get_by_label("Trial").uncheck()
    page.get_by_role("button", name="Accept").click()
    refused(page, "An organization with this name already exists. Please, type another name")
    page.get_by_label("Title").fill("Springfield Ltd.")
    page.get_by_role("button", name="Accept").click()
    done(page, "The organization is saved.")

    page.goto(LIST)
    page.get_by_role("link", name="Springfield", exact=True).click()
    school = page.url
    open_tab(page, "Suborganizations")
    page.get_by_role("link", name="New suborganization").click()
    expect(page.get_by_label("Part of").locator("option:checked")).to_have_text("Springfield")
    make(page, "North School")
    expect(page.get_by_role("navigation", name="Path")).to_contain_text("Springfield")
    page.goto(school)
    open_tab(page, "Suborganizations")
    expect(page.get_by_role("link", name="North School", exact=True)).to_be_visible()
    return school


def look_for(page):
    page.goto(LIST)
    rows = page.locator("tbody tr")
    expect(rows.first).to_contain_text("North School")
    page.get_by_role("columnheader").get_by_role("link", name="Title").click()
    expect(rows.first).to_contain_text("North School")
    page.get_by_role("columnheader").get_by_role("link", name="Title").click()
    expect(rows.first).to_contain_text("Springfield Ltd.")
    page.get_by_label("Name").fill("ltd")
    page.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(1)
    page.get_by_label("Changed until").fill("2020-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No organization is like that.")).to_be_visible()
    for format in ["xlsx", "csv"]:
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Export .{format}").click()
        assert download.value.suggested_filename.endswith(f".{format}")


def use_tabs(page, school):
    page.goto(school)
    open_tab(page, "Users")
    page.get_by_label("Email address").fill("not an address")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Email address")).to_have_value("not an address")
    page.get_by_label("Email address").fill("ada@springfield.example")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Member", exact=True).uncheck()
    page.get_by_label("Owner").check()
    page.get_by_role("button", name="Add").click()
    done(page, "Added.")
    page.get_by_label("Email address").fill("bob@springfield.example")
    page.get_by_label("Name").fill("Bob")
    page.get_by_role("button", name="Add").click()
    for action, sentence in [
        ("Block Bob", "The member is blocked; the seat is free."),
        ("Unblock Bob", "The member is active again."), ("Remove Bob", "Removed."),
    ]:
        page.locator("summary", has_text="Change Bob").click()
        page.get_by_role("button", name=action).click()
        done(page, sentence)
    page.locator("summary", has_text="Change Ada").click()
    page.get_by_role("button", name="Remove Ada").click()
    refused(page, "owner")

    open_tab(page, "Services")
    page.get_by_label("PLS").check()
    page.get_by_label("Another service").fill("LAB!")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Another service").fill("lab")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    expect(page.get_by_label("PLS")).to_be_checked()
    expect(page.get_by_label("lab", exact=True)).to_be_checked()

    open_tab(page, "Contact details")
    page.get_by_label("Booking and cancellations").fill("desk@springfield.example\nnone")
    page.get_by_role("button", name="Save").click()
    fault = page.get_by_label("Booking and cancellations").get_attribute("aria-describedby")
    assert "kind-3-fault" in fault, fault
    page.get_by_label("Booking and cancellations").fill("desk@springfield.example")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")

    open_tab(page, "Email domains")
    page.get_by_label("Domain").fill("gmail.com")
    page.get_by_role("button", name="Add").click()
    refused(page, "gmail.com")
    page.get_by_label("Domain").fill("@springfield.example")
    page.get_by_role("button", name="Add").click()
    done(page, "Added.")
    page.get_by_role("button", name="Remove springfield.example").click()
    done(page, "Removed.")

    open_tab(page, "Custom URLs")
    for slug, sentence in [("console", "reserved"), ("signup", "reserved"), ("a--b", "hyphen")]:
        page.get_by_label("Custom URL").fill(slug)
        page.get_by_role("button", name="Add").click()
        refused(page, sentence)
    page.get_by_label("Custom URL").fill("Springfield")
    page.get_by_role("button", name="Add").click()
    done(page, "Added.")
    slug = page.context.new_page()
    slug.goto(ADDRESS + "/springfield")
    expect(slug.get_by_role("heading", name="springfield")).to_be_visible()
    page.get_by_role("button", name="Shut down springfield").click()
    done(page, "The custom URL is shut down.")
    assert slug.goto(ADDRESS + "/springfield").status == 410
    page.get_by_role("button", name="Open springfield").click()
    page.get_by_role("button", name="Release springfield").click()
    done(page, "The custom URL is released. For 90 days nobody but this organization may take it.")
    assert slug.goto(ADDRESS + "/nobody-has-this").status == 404
    slug.close()

    open_tab(page, "Limits and seats")
    page.get_by_label("Members").fill("1")
    page.get_by_role("button", name="Save").first.click()
    done(page, "Your changes are saved.")
    expect(page.get_by_label("Members")).to_have_value("1")
    # What is typed in part is refused, and takes no limit away.
    page.get_by_label("Members").clear()
    page.get_by_label("Members").press_sequentially("1e")
    page.get_by_role("button", name="Save").first.click()
    refused(page, "A number is expected.")
    expect(page.get_by_label("Members")).to_have_value("1e")
    open_tab(page, "Limits and seats")
    expect(page.get_by_label("Members")).to_have_value("1")
    page.get_by_label("Seats").fill("-1")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    open_tab(page, "Users")
    page.get_by_label("Email address").fill("carl@springfield.example")
    page.get_by_label("Name").fill("Carl")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Carl")


def png(side):
    """A picture of one color."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    rows = (b"\0" + b"\x5b\x2a\x86" * side) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def choose(page, label, content, name):
    page.get_by_label(label).set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content})


def change_look(page, school):
    page.goto(school)
    open_tab(page, "Look")
    page.get_by_label("Primary color").fill("violet")
    page.get_by_role("button", name="Save colors").click()
    refused(page, "Primary color")
    expect(page.get_by_label("Primary color")).to_have_value("violet")
    page.get_by_label("Primary color").fill("#5B2A86")
    page.get_by_label("Another color").fill("banner")
    page.get_by_label("Its value").fill("#ffcc00")
    page.get_by_role("button", name="Save colors").click()
    done(page, "Your changes are saved.")
    expect(page.get_by_role("row", name="Primary")).to_contain_text("#5b2a86")
    expect(page.get_by_role("row", name="Primary")).to_contain_text("Set here")
    page.get_by_role("button", name="Inherit banner").click()
    done(page, "It is inherited again.")
    expect(page.get_by_role("row", name="banner")).to_have_count(0)
    choose(page, "Image", b"no picture", "logo.png")
    page.get_by_role("button", name="Upload the logo").click()
    refused(page, "A logo is a PNG or JPEG image.")
    choose(page, "Image", png(64), "logo.png")
    page.get_by_role("button", name="Upload the logo").click()
    done(page, "Your changes are saved.")
    source = page.get_by_alt_text("The logo that holds").get_attribute("src")
    assert page.request.get(ADDRESS + source).body() == png(64)
    page.get_by_role("button", name="Switch white label off").click()
    done(page, "White label is off; what was set is kept.")
    expect(page.get_by_label("Image")).to_have_count(0)
    page.get_by_role("button", name="Switch white label on").click()
    done(page, "White label is on.")


def hand_in(page, text):
    choose(page, "Spreadsheet", text.encode(), "schools.csv")
    page.get_by_role("button", name="Check the file").click()
    # The page looks again by itself.
    expect(page.get_by_role("heading", name="What the file would change")).to_be_visible()


def import_organizations(page, school):
    page.goto(school)
    open_tab(page, "Suborganizations")
    page.get_by_role("link", name="Import", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Example .xlsx").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("button", name="Check the file").click()
    refused(page, "Please choose a file.")
    rows = "Title,Suborganization 2,Discount percentage\nSpringfield,South School,15\n"
    hand_in(page, rows + "Elsewhere,,\n")
    expect(page.get_by_role("row", name="South School")).to_contain_text("Discount percentage")
    expect(page.get_by_role("row", name="Elsewhere")).to_contain_text("Error")
    page.get_by_role("link", name="Error (1)").click()
    expect(page.get_by_role("row", name="South School")).to_have_count(0)
    path = page.url
    page.get_by_role("button", name="Apply without the 1 row with errors").click()
    expect(page.get_by_role("status")).to_have_text("1 organization is new, 0 changed.")
    page.get_by_role("link", name="South School").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("South School")

    # The same once more changes nothing; a plan of before a change is not applied.
    page.goto(ADDRESS + "/console/imports/new?parent=" + school[len(LIST) + 1:])
    hand_in(page, rows)
    expect(page.get_by_text("Everything is as the file says")).to_be_visible()
    page.goto(ADDRESS + "/console/imports/new?parent=" + school[len(LIST) + 1:])
    hand_in(page, rows.replace("South School,15", "West School,"))
    other = page.context.new_page()
    other.goto(LIST + "/new?parent=" + school[len(LIST) + 1:])
    make(other, "West School")
    other.close()
    page.get_by_role("button", name="Apply", exact=True).click()
    refused(page, "Please import it again.")
    page.get_by_role("link", name="Hand the file in again").first.click()
    expect(page.get_by_label("Spreadsheet")).to_be_visible()
    page.get_by_role("link", name="Imports").first.click()
    expect(page.locator("tbody tr")).to_have_count(3)
    return path


def make_types(page, school):
    page.goto(ADDRESS + "/console/types")
    page.get_by_role("link", name="New organization type").click()
    page.get_by_role("button", name="Make it").click()
    refused(page, "Name")
    page.get_by_label("Name").fill("District type")
    page.get_by_label("People may sign up").check()
    page.get_by_role("button", name="Make it").click()
    done(page, "It is saved.")
    path = page.url.split("?")[0]
    page.get_by_label("Who may assign it").select_option(label="Staff of the platform")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    page.goto(school)
    page.get_by_label("Organization type").select_option(label="District type")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    page.goto(path)
    page.locator("summary", has_text="Delete District type").click()
    page.get_by_role("button", name="Delete District type").click()
    expect(page.get_by_role("alert")).to_contain_text("It was not deleted")
    return path


def change_at_once(page, school):
    """Two people change the same organization."""
    other = page.context.new_page()
    page.goto(school)
    other.goto(school)
    other.get_by_label("Title").fill("Springfield District")
    other.get_by_label("Organization expires at").fill("2099-12-31")
    other.get_by_role("button", name="Save").click()
    done(other, "Your changes are saved.")
    page.get_by_label("Title").fill("Springfield Schools")
    page.get_by_label("Description").fill("Mine")
    page.get_by_role("button", name="Save").click()
    refused(page, "It was changed meanwhile")
    refused(page, "Title: now Springfield District")
    expect(page.get_by_label("Title")).to_have_value("Springfield Schools")
    expect(page.get_by_label("Organization expires at")).to_have_value("2099-12-31")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Springfield Schools")
    expect(page.get_by_label("Description")).to_have_value("Mine")
    other.close()


def look(browser, state, school, others):
    """Every tab in two widths: nothing is wider than the screen, nothing that axe knows is wrong."""
    for scheme, screen in [("dark", NARROW), ("light", WIDE)]:
        context = browser.new_context(viewport=screen, color_scheme=scheme, storage_state=state)
        page = context.new_page()
        page.goto(school)
        tabs = page.get_by_role("navigation", name="Settings").get_by_role("link").all()
        paths = [LIST, school + "/delete"] + others + [ADDRESS + tab.get_attribute("href") for tab in tabs]
        for path in paths:
            page.goto(path)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= screen["width"], f"{path}: {width} pixels"
            found = Axe().run(page, options={"runOnly": AXE_TAGS})
            assert found.violations_count == 0, f"{path} {scheme}:\n{found.generate_report()}"
        context.close()


def pause_and_delete(page, school):
    page.goto(school)
    page.get_by_role("button", name="Deactivate").click()
    done(page, "The organization is inactive, and so is everything below it.")
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete it").click()
    refused(page, "all at once with “Delete everything below it, too”.")
    page.get_by_label("Delete everything below it, too").check()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("status")).to_contain_text("in the archive")
    expect(page.get_by_role("link", name="Springfield Schools")).to_have_count(0)


def restore(browser, page, school):
    page.goto(LIST)
    page.get_by_label("State").select_option(label="Archived")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Springfield Schools", exact=True).click()
    expect(page).to_have_url(school)
    expect(page.get_by_text("is kept in the archive for 90 days.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Settings")).to_have_count(0)
    # What looks for faults is a script itself: it runs in a window that takes scripts.
    context = browser.new_context(viewport=NARROW, storage_state=page.context.storage_state())
    seen = context.new_page()
    seen.goto(school)
    found = Axe().run(seen, options={"runOnly": AXE_TAGS})
    assert found.violations_count == 0, found.generate_report()
    context.close()
    page.goto(school + "/delete")
    expect(page).to_have_url(school)
    page.get_by_label("Another title").fill("Springfield Ltd.")
    page.get_by_role("button", name="Restore").click()
    refused(page, "Another title")
    page.get_by_label("Another title").fill("Springfield Again")
    page.get_by_label("Its people come back blocked").check()
    page.get_by_role("button", name="Restore").click()
    done(page, "It is restored.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Springfield Again")
    open_tab(page, "Users")
    expect(page.locator("tbody tr").first).to_contain_text("Blocked")


# A page that looks again by itself does so every 2 seconds.
expect.set_options(timeout=15_000)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    context = browser.new_context(viewport=NARROW, java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in_first(page)
    school = make_organizations(page)[: len(LIST) + 37]
    look_for(page)
    use_tabs(page, school)
    change_look(page, school)
    imported = import_organizations(page, school)
    made = make_types(page, school)
    change_at_once(page, school)
    others = [imported, made, ADDRESS + "/console/imports", ADDRESS + "/console/types"]
    look(browser, context.storage_state(), school, others)
    pause_and_delete(page, school)
    restore(browser, page, school)
    page.get_by_role("button", name="Sign out").click()
    page.goto(school)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    browser.close()
print("the console can be used")
