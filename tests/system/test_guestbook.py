"""The main job: `pagoda up examples/guestbook`, used in a browser, killed, started again, and used once more."""

import json

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import browser
from platform_process import REPOSITORY, outputs

UP = ("up", REPOSITORY / "examples/guestbook", "--no-watch")


def entries(platform, api):
    answer = platform.send(f"{api}/entries")
    assert answer.status == 200, answer.text
    return [(entry["name"], entry["message"]) for entry in answer.json["entries"]]


def shown(driver):
    """The entries on the page, as soon as it shows one."""
    # The page replaces its list whenever it has read it anew: all texts are taken at one moment.
    script = "return [...document.querySelectorAll('.entry')].map((entry) => entry.innerText)"
    return WebDriverWait(driver, 60).until(lambda d: d.execute_script(script), message=logged(driver))


def logged(driver):
    return str(driver.get_log("browser"))


def sign(driver, name, message):
    """Fills the page's form, as a visitor does."""
    driver.find_element(By.NAME, "name").send_keys(name)
    driver.find_element(By.NAME, "message").send_keys(message)
    driver.find_element(By.CSS_SELECTOR, "[type=submit]").click()


def test_a_guestbook_from_its_template_to_the_browser_and_over_a_crash(start, sdks, tmp_path):
    platform = start(UP).ready(300)
    told = outputs("\n".join(platform.output))
    api, site = told["ApiUrl"], told["SiteUrl"]

    # The API, over HTTPS.
    assert entries(platform, api) == []
    said = json.dumps({"name": "Ada", "message": "by hand"})
    posted = platform.send(f"{api}/entries", "POST", said, {"content-type": "application/json"})
    assert posted.status in (200, 201), posted.text
    assert entries(platform, api) == [("Ada", "by hand")]
    refused = platform.send(f"{api}/entries", "POST", "{}", {"content-type": "application/json"})
    assert refused.status == 400, refused.text
    assert len(entries(platform, api)) == 1

    # The page, its form, and what it stores; text stays text.
    with browser(tmp_path / "first", platform.authority) as driver:
        driver.get(site)
        assert any("by hand" in text for text in shown(driver))
        sign(driver, "Grace", "from <b>the page</b>")
        WebDriverWait(driver, 60).until(lambda d: any("from <b>the page</b>" in text for text in shown(d)))
    assert ("Grace", "from <b>the page</b>") in entries(platform, api)

    # A crash loses nothing. The page's configuration names the port, so it stays.
    platform.kill()
    platform = start(port=platform.port).ready()
    assert set(entries(platform, api)) == {("Ada", "by hand"), ("Grace", "from <b>the page</b>")}
    with browser(tmp_path / "second", platform.authority) as driver:
        driver.get(site)
        assert any("from <b>the page</b>" in text for text in shown(driver))
    platform.stop()
