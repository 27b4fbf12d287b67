"""Debian's Chromium, headless, which trusts the platform's authority and no other new one."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
)


def trust(home: Path, authority):
    """Chromium on Linux reads the user's NSS database."""
    store = home / ".pki/nssdb"
    store.mkdir(parents=True, exist_ok=True)
    database = f"sql:{store}"
    subprocess.run(["certutil", "-N", "-d", database, "--empty-password"], check=True, capture_output=True)
    add = ["certutil", "-A", "-d", database, "-n", "pagoda", "-t", "C,,", "-i", authority]
    subprocess.run(add, check=True, capture_output=True)


@contextmanager
def browser(folder: Path, authority):
    """A browser with an empty profile."""
    home = folder / "home"
    home.mkdir(parents=True)
    trust(home, authority)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    environment = {**os.environ, "HOME": str(home)}
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver", env=environment))
    try:
        driver.set_page_load_timeout(60)
        yield driver
    finally:
        driver.quit()
