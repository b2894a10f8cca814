"""Looks after members and programs with a browser, before real services: in Chromium, without
scripts.

Arguments: where the gateway is, the school, the password of its people, and the email address and
password of the owner of the platform. Where GUILDHALL_TEST_PICTURES names a folder, every page that
is looked at is kept there as a picture.
"""

import json
import os
import sys
import urllib.error
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ADDRESS, SCHOOL, PASSWORD, EMAIL, OWNER_PASSWORD = sys.argv[1:]
CHROMIUM = "/usr/bin/chromium"
SCREENS = [{"width": 360, "height": 780}, {"width": 1400, "height": 900}]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HOME = f"{ADDRESS}/console/organizations/{SCHOOL}"
PICTURES = os.environ.get("GUILDHALL_TEST_PICTURES", "")


def sign_in(browser, email, password):
    context = browser.new_context(viewport=SCREENS[0], java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(ADDRESS + "/login")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


def done(page, sentence):
    expect(page.get_by_role("status")).to_contain_text(sentence)


def refused(page, sentence):
    expect(page.get_by_role("alert")).to_contain_text(sentence)


def status_of_call(token):
    """What the API answers to whoever has a token."""
    request = urllib.request.Request(
        f"{ADDRESS}/v1/organizations/{SCHOOL}", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["id"] == SCHOOL
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def check(page, name, scheme, screen):
    """Nothing is wider than the screen, nothing that axe knows is wrong."""
    width = page.evaluate("document.documentElement.scrollWidth")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-{screen['width']}-{scheme}.png", full_page=True)
    assert width <= screen["width"], f"{name}: {width} pixels"
    found = Axe().run(page, options={"runOnly": AXE_TAGS})
    assert found.violations_count == 0, f"{name} {scheme}:\n{found.generate_report()}"


def look(browser, state, pages):
    """Pages in two widths, light and dark."""
    for scheme in ["light", "dark"]:
        for screen in SCREENS:
            context = browser.new_context(
                viewport=screen, color_scheme=scheme, storage_state=state)
            page = context.new_page()
            for name, path in pages:
                page.goto(path)
                check(page, name, scheme, screen)
            context.close()


def wait_and_approve(page):
    page.goto(HOME + "/limits")
    page.get_by_label("Members").fill("3")
    page.get_by_role("button", name="Save").first.click()
    done(page, "Your changes are saved.")
    page.goto(HOME + "/users")
    expect(page.get_by_role("heading", name="Waiting for approval (2)")).to_be_visible()
    waiting = page.get_by_role("table", name="Waiting for approval").locator("tbody tr")
    expect(waiting.first).to_contain_text("lisa@example.com")
    waiting.first.get_by_role("button", name="Approve").click()
    refused(page, "The members limit of School is reached: 3 of 3.")
    page.goto(HOME + "/limits")
    page.get_by_label("Members").fill("10")
    page.get_by_role("button", name="Save").first.click()
    page.goto(HOME + "/users")
    waiting.first.get_by_role("button", name="Approve").click()
    done(page, "The sign-up is approved")
    expect(page.get_by_role("heading", name="Waiting for approval (1)")).to_be_visible()
    members = page.get_by_role("table", name="Members")
    expect(members).to_contain_text("lisa@example.com")


def turn_down(page):
    page.goto(HOME + "/users")
    page.get_by_role("button", name="Turn down").click()
    done(page, "The sign-up is turned down; the account stays.")
    expect(page.get_by_role("heading", name="Waiting for approval")).to_have_count(0)


def change_member(page):
    """Blocks, gives a role and removes on the page of a member; returns where that of another one is."""
    page.goto(HOME + "/users")
    page.get_by_role("link", name="Mel", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mel")
    expect(page.get_by_label("Member", exact=True)).to_be_checked()
    page.get_by_role("button", name="Block").click()
    done(page, "The member is blocked; the seat is free.")
    page.get_by_role("button", name="Unblock").click()
    done(page, "The member is active again.")
    page.get_by_label("Teacher", exact=True).check()
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    expect(page.get_by_label("Teacher", exact=True)).to_be_checked()
    mel = page.url.split("?")[0]
    page.get_by_label("Path").get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Olga", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    refused(page, "owner")
    return mel


def make_key(page):
    """Makes an API key that works until it is deleted; returns where it is deleted."""
    page.goto(HOME + "/programs")
    page.get_by_role("button", name="Make the key").click()
    refused(page, "Name")
    page.get_by_label("Name").fill("Timetable")
    page.get_by_role("button", name="Make the key").click()
    refused(page, "Role")
    expect(page.get_by_label("Name")).to_have_value("Timetable")
    page.get_by_label("Role").select_option(label="Teacher")
    page.get_by_label("Expires at").fill("2020-01-31")
    page.get_by_role("button", name="Make the key").click()
    refused(page, "A key expires in the future")
    page.get_by_label("Expires at").fill("2099-12-31")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The API key is made")
    secret = page.locator(".secret code").inner_text()
    assert secret.startswith("ghk_") and status_of_call(secret) == 200
    page.get_by_role("link", name="I have copied it: back to Programs").click()
    expect(page.get_by_role("table", name="API keys")).to_contain_text("2099-12-31")
    assert secret not in page.content()
    return secret, page.get_by_role("link", name="Delete Timetable").get_attribute("href")


def add_hook(page):
    page.goto(HOME + "/programs")
    page.get_by_label("Address").fill("ftp://127.0.0.1/")
    page.get_by_label("Created").check()
    page.get_by_role("button", name="Add the hook").click()
    refused(page, "Address")
    expect(page.get_by_label("Created")).to_be_checked()
    page.get_by_label("Address").fill("http://127.0.0.1:9/guildhall")
    page.get_by_role("button", name="Add the hook").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The hook is added")
    assert page.locator(".secret code").inner_text().startswith("whsec_")
    page.get_by_role("link", name="Go on to the hook").click()
    hook = page.url
    page.get_by_role("button", name="Send a test call").click()
    done(page, "A test call is on its way")
    expect(page.get_by_role("table", name="Calls")).to_contain_text("hook.test")
    page.get_by_label("Archived").check()
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    expect(page.get_by_label("Archived")).to_be_checked()
    page.get_by_role("button", name="Switch off").click()
    done(page, "The hook is switched off.")
    page.get_by_role("button", name="Switch on").click()
    done(page, "The hook is switched on.")
    return hook


def delete(page, key, secret, hook):
    page.goto(ADDRESS + key)
    # What the gateway has just found out of the key is good for two seconds, and not after its end.
    assert status_of_call(secret) == 200
    page.get_by_role("button", name="Delete it").click()
    assert status_of_call(secret) == 401
    done(page, "The API key is deleted.")
    page.goto(hook)
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete it").click()
    done(page, "The hook is deleted")


def look_at_secrets(browser, state):
    """The pages with secrets are answers to forms: each is made to be looked at."""
    for scheme in ["light", "dark"]:
        for screen in SCREENS:
            context = browser.new_context(
                viewport=screen, color_scheme=scheme, storage_state=state)
            page = context.new_page()
            page.goto(HOME + "/programs")
            page.get_by_label("Address").fill(f"http://127.0.0.1:9/{scheme}/{screen['width']}")
            page.get_by_role("button", name="Add the hook").click()
            check(page, "hook-secret", scheme, screen)
            page.goto(HOME + "/programs")
            page.get_by_label("Name").fill("Another program")
            page.get_by_label("Role").select_option(label="Student")
            page.get_by_role("button", name="Make the key").click()
            check(page, "key-secret", scheme, screen)
            context.close()


def use_as_manager(browser):
    page = sign_in(browser, "mona@school.example", PASSWORD)
    page.goto(HOME)
    tabs = page.get_by_role("navigation", name="Settings").get_by_role("link")
    expect(tabs).to_have_text(["Info", "Users", "Limits and seats"])
    page.get_by_label("Title").fill("School of Mona")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("School of Mona")
    expect(page.get_by_label("Description")).to_have_count(0)
    page.goto(HOME + "/limits")
    page.get_by_label("Seats").fill("50")
    page.get_by_role("button", name="Save").click()
    done(page, "Your changes are saved.")
    look(
        browser, page.context.storage_state(),
        [("manager-info", HOME), ("manager-limits", HOME + "/limits"),
         ("manager-users", HOME + "/users")])


def use_as_member(browser):
    page = sign_in(browser, "mel@school.example", PASSWORD)
    expect(page.get_by_role("link", name="New organization")).to_have_count(0)
    page.get_by_role("link", name="School of Mona", exact=True).click()
    expect(page.get_by_role("navigation", name="Settings")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_text(["Sign out"])
    expect(page.get_by_text("Your roles")).to_be_visible()
    page.goto(HOME + "/users")
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(HOME + "/programs")
    expect(page.get_by_role("alert")).to_be_visible()
    look(browser, page.context.storage_state(), [("member-info", HOME)])


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    staff = sign_in(browser, EMAIL, OWNER_PASSWORD)
    wait_and_approve(staff)
    page = sign_in(browser, "olga@school.example", PASSWORD)
    mel = change_member(staff)
    secret, key = make_key(page)
    hook = add_hook(page)
    look(
        browser, page.context.storage_state(),
        [("owner-info", HOME), ("users", HOME + "/users"), ("member", mel),
         ("owner-limits", HOME + "/limits"), ("owner-domains", HOME + "/domains"),
         ("programs", HOME + "/programs"), ("hook", hook), ("hook-delete", hook + "/delete"),
         ("key-delete", ADDRESS + key)])
    look_at_secrets(browser, page.context.storage_state())
    turn_down(page)
    delete(page, key, secret, hook)
    use_as_manager(browser)
    use_as_member(browser)
    browser.close()
print("the pages of people can be used")
