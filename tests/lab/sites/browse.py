"""Looks at pages with headless Chromium and tells what happened. Runs on a host of the lab.

stdin, JSON: {"proxy": "IP:PORT" of a Tor client or null, "secure": [ORIGIN], "selfSigned": bool, "names": [NAME], "steps": [STEP]}. A step:
{"name", "open": URL | "fill": {CSS: TEXT} | "click": CSS | "run": JS | "call": JS that calls its last argument when it is done}; "fill" and "click"
together fill first. stdout, JSON: {"steps": [{"name", "url", "title", "value", "error", "requests", "console", "leaks"}], "asked": [URL], "dialled": [IP:PORT]}.
`requests` are the pages' own, `asked` and `dialled` are everything that the browser's network service did, its own included. `leaks` are places where
one of the names stands in the page as it is in the browser.
"""
import json, os, re, shutil, sys, tempfile, time
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PLAN = json.load(sys.stdin)
PATIENCE = 90  # seconds for a page with all that it loads, through Tor on a busy machine
QUIET = 0.4  # seconds without a request: the page is there


def options(folder):
    chosen = webdriver.ChromeOptions()
    chosen.binary_location = "/usr/bin/chromium"
    flags = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--window-size=1280,1400",
             f"--user-data-dir={folder}/profile", f"--log-net-log={folder}/net.json", "--net-log-capture-mode=Default",
             # it asks for what the pages need and nothing else
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-domain-reliability",
             "--disable-client-side-phishing-detection", "--no-pings", "--disable-breakpad", "--disable-extensions", "--metrics-recording-only",
             "--disable-features=OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater,"
             "OptimizationGuideModelDownloading,OptimizationTargetPrediction,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,HttpsFirstModeV2,DialMediaRouteProvider,AutofillServerCommunication"]
    if PLAN["proxy"]:
        address = PLAN["proxy"].rsplit(":", 1)[0]
        flags += [f"--proxy-server=socks5://{PLAN['proxy']}", f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {address}"]
    else:
        flags.append("--no-proxy-server")
    if PLAN["secure"]:
        flags.append("--unsafely-treat-insecure-origin-as-secure=" + ",".join(PLAN["secure"]))
    if PLAN["selfSigned"]:
        flags.append("--ignore-certificate-errors")
    for flag in flags:
        chosen.add_argument(flag)
    chosen.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    chosen.page_load_strategy = "none"
    return chosen


class Browser:
    def __init__(self, folder):
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options(folder))
        self.driver.set_script_timeout(PATIENCE)
        self.open = {}  # requests under way, by id
        self.documents = []  # of the page itself, the latest last
        # its own first page is nobody's visit
        self.driver.get("about:blank")
        time.sleep(0.5)
        self.hear([])

    def hear(self, requests):
        """Takes what the browser's log has since the last time; True when that says that something goes on."""
        news = False
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            method, what = message["method"], message["params"]
            if method == "Network.requestWillBeSent":
                news = True
                if "redirectResponse" in what and what["requestId"] in self.open:
                    self.open[what["requestId"]]["status"] = what["redirectResponse"]["status"]
                request = {"url": what["request"]["url"], "method": what["request"]["method"], "status": 0, "error": "", "type": what.get("type", "")}
                if request["url"].startswith("chrome"):
                    continue
                requests.append(request)
                # what a page sends as it goes is not waited for: nobody is told how that ends
                if not request["url"].startswith("data:") and what["loaderId"] not in self.documents[:-1]:
                    request["document"] = what["loaderId"]
                    self.open[what["requestId"]] = request
            elif method == "Network.responseReceived" and what["requestId"] in self.open:
                self.open[what["requestId"]]["status"] = what["response"]["status"]
            elif method == "Network.loadingFailed":
                self.open.pop(what["requestId"], {})["error"] = what["errorText"] + what.get("blockedReason", "")
            elif method == "Network.loadingFinished":
                self.open.pop(what["requestId"], None)
            elif method == "Page.frameNavigated" and "parentId" not in what["frame"]:
                self.documents.append(what["frame"]["loaderId"])
                self.open = {key: one for key, one in self.open.items() if one["document"] not in self.documents[:-1]}
            elif method == "Network.webSocketCreated":
                requests.append({"url": what["url"], "method": "GET", "status": 0, "error": "", "type": "WebSocket"})
        return news

    def settle(self, requests):
        """Until the page is there with all that it loads."""
        self.open, end, quiet = {}, time.monotonic() + PATIENCE, time.monotonic()
        while time.monotonic() < end:
            if self.hear(requests) or self.open:
                quiet = time.monotonic()
            elif time.monotonic() - quiet > QUIET and self.driver.execute_script("return document.readyState") == "complete":
                return ""
            time.sleep(0.1)
        return f"not quiet after {PATIENCE} s: " + " ".join(one["url"] for one in self.open.values())

    def element(self, css):
        """The first one that can be seen."""
        end = time.monotonic() + 20
        while True:
            for found in self.driver.find_elements(By.CSS_SELECTOR, css):
                if found.is_displayed():
                    return found
            if time.monotonic() > end:
                raise WebDriverException(f"there is no {css}")
            time.sleep(0.1)

    def act(self, step):
        """What a reader does: goes somewhere, fills in, clicks."""
        if "open" in step:
            self.driver.get(step["open"])
        for css, text in step.get("fill", {}).items():
            field = self.element(css)
            field.clear()
            field.send_keys(text)
        if "click" in step:
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.element(step["click"]))
            self.element(step["click"]).click()

    def ask(self, step):
        """What the page is asked, once it is there."""
        if "run" in step:
            return self.driver.execute_script(step["run"])
        if "call" in step:
            return self.driver.execute_async_script(step["call"])
        return None

    def step(self, step):
        told = {"name": step["name"], "value": None, "error": "", "requests": []}
        try:
            self.act(step)
            told["error"] = self.settle(told["requests"])
            if "run" in step or "call" in step:
                told["value"] = self.ask(step)
                told["error"] = told["error"] or self.settle(told["requests"])
            told.update(url=self.driver.current_url, title=self.driver.title, leaks=self.leaks())
        except WebDriverException as error:
            told.setdefault("url", self.driver.current_url)
            told.setdefault("title", "")
            page = self.driver.execute_script("return document.body?.innerText ?? ''")
            told.update(error=(error.msg or str(error)).split("\n")[0] + " on a page that says: " + " ".join(page.split())[:300], leaks=[])
        told["console"] = [{"level": one["level"], "text": one["message"]} for one in self.driver.get_log("browser")]
        return told

    def leaks(self):
        page = self.driver.execute_script("return document.documentElement.outerHTML")
        found = []
        for name in PLAN["names"]:
            for match in re.finditer(re.escape(name), page, re.I):
                found.append(" ".join(page[max(0, match.start() - 60):match.end() + 40].split()))
        return found


def network(file):
    """What the network service asked for and where it connected, from Chromium's own log: a line an event."""
    with open(file) as log:
        text = log.read().rstrip().rstrip(",")
    try:
        events = json.loads(text)
    except ValueError:
        events = json.loads(text + "]}")
    types = {number: name for name, number in events["constants"]["logEventTypes"].items()}
    asked, dialled, looked = set(), set(), set()
    for event in events["events"]:
        name, params = types[event["type"]], event.get("params", {})
        if name == "URL_REQUEST_START_JOB" and "url" in params:
            asked.add(params["url"])
        elif name in ("TCP_CONNECT_ATTEMPT", "UDP_CONNECT") and params.get("address"):
            dialled.add(("udp " if name == "UDP_CONNECT" else "") + params["address"])
        elif name == "HOST_RESOLVER_DNS_TASK" or name == "HOST_RESOLVER_MANAGER_ATTEMPT_STARTED" or name == "HOST_RESOLVER_SYSTEM_TASK":
            looked.add(params.get("hostname") or params.get("host") or name)
    return {"asked": sorted(asked), "dialled": sorted(dialled), "resolved": sorted(looked)}


def main():
    folder = tempfile.mkdtemp(prefix="browse-")
    try:
        browser = Browser(folder)
        try:
            steps = []
            for step in PLAN["steps"]:
                start = time.monotonic()
                steps.append(browser.step(step))
                steps[-1]["seconds"] = round(time.monotonic() - start, 1)
                print(f"{step['name']}: {steps[-1]['seconds']} s, {len(steps[-1]['requests'])} requests {steps[-1]['error']}", file=sys.stderr, flush=True)
        finally:
            browser.driver.quit()
        print(json.dumps({"steps": steps, **network(f"{folder}/net.json")}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
