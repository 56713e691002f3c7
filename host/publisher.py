"""
The publisher: Debian's Onionbalance with our own layer (seams.py) that deals, confirms and retries, and reads its config and the lists of who is left out
while it runs. publisher.py -c CONFIG -p SETTINGS -s CONTROL_SOCKET; with --check it says which sites it would publish, and starts nothing.
"""
import argparse
import os
import signal
import sys
import threading
import time
from dealing import MOST_TOGETHER
from publisher_settings import OPERATOR_LIST, WATCHDOG_LIST, Settings, Watched, refuse
from publishing import Publishing, say
from rounds import jittered
from seams import install, must_be_known


class Publisher(Publishing):
    """What runs in place of Onionbalance's scheduler. Everything of it is done under `lock`: tor's events come in a thread of their own."""

    def __init__(self, version, settings, config_path):
        super().__init__(version, settings, {"watchdog": Watched(WATCHDOG_LIST), "operator": Watched(OPERATOR_LIST)})
        self.lock = threading.RLock()
        self.config, self.config_due, self.asked = Watched(config_path), False, True
        self.settings_file = Watched(settings.path)
        self.fetch_at = self.check_at = 0.0
        self.settled_at = time.monotonic() + self.timers["firstPublish"]

    @property
    def balance(self):
        from onionbalance.hs_v3.onionbalance import my_onionbalance

        return my_onionbalance

    def run(self, *_):
        """The loop. Ends with the balancer's tor, whose new self knows nothing of us: systemd starts both anew, and nothing is lost but this memory."""
        import stem

        for number in (signal.SIGUSR1, signal.SIGHUP):
            signal.signal(number, self.ask)
        # Onionbalance's own way out may hang on the control socket.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
        self.config.changed()  # Onionbalance has just read it
        self.settings_file.changed()
        for one, its in zip(self.balance.services, self.balance.config_data["services"]):
            one.key_path = its["key"]
        say("publishing %d sites as %s, fetch %d s, publish check %d s" % (len(self.balance.services), self.settings.mode, self.timers["fetch"], self.timers["publishCheck"]))
        try:
            while self.balance.controller.controller.is_alive():
                with self.lock:
                    self.turn(time.monotonic())
                time.sleep(1)
        except stem.SocketClosed:
            pass
        say("the balancer's tor has gone; ending, to be started anew with it")
        os._exit(1)

    def ask(self, *_):
        """SIGUSR1, SIGHUP: fetch everything and look now."""
        self.asked = True

    def turn(self, now):
        self.take_settings(now)
        self.take_config(now)
        if self.asked or now >= self.fetch_at:
            self.fetch(now)
        checking = self.asked or now >= self.check_at
        self.asked = False
        if checking:
            self.check_at = now + jittered(self.timers["publishCheck"])
        settled, marks = {service: self.settled(service, now) for service in self.balance.services}, self.marks()
        for service in settled if self.balance.consensus.is_live() else []:
            # What the operator changed waits for no publish check.
            looks = checking or (self.config_due and settled[service])
            self.guarded("site %s" % service.onion_address, lambda: self.look(service, marks, now, looks, settled[service]))
        self.config_due = self.config_due and not all(settled.values())
        self.guarded("uploads", self.uploads.tend)
        self.guarded("status", lambda: self.tell(now))

    def guarded(self, what, work):
        """One site's trouble is not the others': whatever it is, the next turn tries again. That the tor has gone is everybody's."""
        import stem

        try:
            work()
            self.problem(what, None)
        except stem.SocketClosed:
            raise
        except Exception as error:
            self.problem(what, "%s: %s: %s" % (what, type(error).__name__, error))

    def take_settings(self, now):
        """Changed settings without a restart: with more backends another mode, and other timers."""
        if not self.settings_file.changed():
            return
        try:
            fresh = Settings(self.settings_file.path)
        except SystemExit:
            self.problem("settings", "the new %s cannot be used: going on with what it said before" % self.settings_file.path)
            return
        self.problem("settings", None)
        if fresh.testnet != self.settings.testnet:
            say("on another network now; ending, to be started anew")
            os._exit(1)
        if vars(fresh) != vars(self.settings):
            say("took new settings: %s, fetch %d s, publish check %d s" % (fresh.mode, fresh.timers["fetch"], fresh.timers["publishCheck"]))
        self.settings, self.fetch_at, self.check_at = fresh, min(self.fetch_at, now + fresh.timers["fetch"]), now

    def take_config(self, now):
        """A changed config without a restart: sites and backends that stay keep what is known of them."""
        if not self.config.changed():
            return
        try:
            from onionbalance.hs_v3 import instance, service

            told, known = self.balance.load_config_file(), {each.key_path: each for each in self.balance.services}
            services = []
            for its in told["services"]:
                one = known.get(its["key"]) or service.OnionbalanceService(its, self.config.path)
                one.key_path = its["key"]
                services.append((one, its["instances"]))
            known = {each.onion_address: each for each in self.instances()}
            for one, instances in services:
                there = {each.onion_address: each for each in one.instances}
                wanted = [its["address"].replace(".onion", "") for its in instances]
                one.instances = [there.get(address) or like(known.get(address), instance.InstanceV3(address)) for address in wanted]
            self.balance.services = [one for one, _ in services]
        except (Exception, SystemExit) as error:
            self.problem("config", "the new config.yaml cannot be used (%s %s): going on with the one before" % (type(error).__name__, error))
            return
        self.problem("config", None)
        self.settled_at, self.config_due = now + self.timers["firstPublish"], True
        say("took the new config: %d sites" % len(self.balance.services))
        self.request([each for each in self.instances() if each.descriptor is None])

    def instances(self):
        """Each backend once, whatever sites it is in."""
        return list({each.onion_address: each for service in self.balance.services for each in service.instances}.values())

    def fetch(self, now):
        self.fetch_at = now + jittered(self.timers["fetch"])
        self.balance.controller.mark_tor_as_active()
        if not self.balance.consensus.is_live():
            return
        if not self.balance.consensus.nodes:
            self.refresh()  # its tor had no microdescriptors yet
        # tor asks no directory twice in a quarter of an hour otherwise
        self.balance.controller.controller.signal("NEWNYM")
        self.request(self.instances())

    def request(self, instances):
        for each in instances:
            self.balance.controller.controller.get_hidden_service_descriptor(each.onion_address, await_result=False)

    def new_consensus(self):
        with self.lock:
            self.refresh()
            self.check_at = 0.0

    def settled(self, service, now):
        return now >= self.settled_at or all(each.descriptor is not None for each in service.instances)


def like(known, fresh):
    """Onionbalance has a backend once for each site that it is in: what one of them knows is true of all."""
    if known is not None:
        fresh.descriptor, fresh.intro_set_modified_timestamp = known.descriptor, known.intro_set_modified_timestamp
    return fresh


def check(settings, config_path):
    """Its own loader, its own key reading, its own check of "frontend as its own instance": what it would publish, a line each."""
    import logging
    from types import SimpleNamespace
    from onionbalance.hs_v3 import onionbalance

    logging.getLogger("onionbalance").setLevel(logging.WARNING)
    balancer = onionbalance.my_onionbalance
    balancer.controller = SimpleNamespace(controller=None)  # instances only keep it: no tor is asked here
    balancer.config_path = config_path
    try:
        balancer.config_data = balancer.load_config_file()
        for service in balancer.initialize_services_from_config_data():
            if settings.mode == "onionbalance" and len(service.instances) > MOST_TOGETHER:
                refuse("%s has %d backends: a descriptor of Onionbalance has room for %d" % (service.onion_address, len(service.instances), MOST_TOGETHER))
            say("frontend %s" % service.onion_address)
    except onionbalance.ConfigError as error:
        sys.exit(str(error))


def publisher_main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", "--config", required=True)
    parser.add_argument("-p", "--settings", required=True)
    parser.add_argument("-s", "--socket")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    version = must_be_known()
    settings = Settings(options.settings)
    if options.check:
        check(settings, options.config)
        return
    publisher = Publisher(version, settings, options.config)
    install(publisher)
    from onionbalance.manager import main

    sys.argv = ["onionbalance", "-c", options.config, "-s", options.socket or "", "-v", "warning", *(["--is-testnet"] if settings.testnet else [])]
    sys.exit(main())
