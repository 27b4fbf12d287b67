"""`kill -9` under concurrent writers: what was acknowledged is there afterwards, whatever service took it.

`PAGODA_CRASH_ROUNDS` sets how often; `PAGODA_CRASH_SEED` repeats a run's moments.
"""

import os
import random
import threading

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from crash_streams import STREAM_WRITERS
from crash_writers import WRITERS as ALL_OTHERS
from platform_process import REGION

WRITERS = (*ALL_OTHERS, *STREAM_WRITERS)
ROUNDS = int(os.environ.get("PAGODA_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("PAGODA_CRASH_SEED", str(random.SystemRandom().randrange(1 << 32))))


def clients(platform):
    """Clients of this run of the platform: one for each service, and a new one for each key that is given."""
    session, kept, turn = botocore.session.get_session(), {}, threading.Lock()
    settings = Config(retries={"total_max_attempts": 1}, read_timeout=60)

    def make(service, key):
        return session.create_client(
            service, REGION, endpoint_url=platform.endpoint, verify=platform.authority, config=settings,
            aws_access_key_id=key.access_key_id, aws_secret_access_key=key.secret_access_key, aws_session_token=key.session_token)

    def client(service, key=None):
        with turn:
            if key:
                return make(service, key)
            if service not in kept:
                kept[service] = make(service, platform.root)
            return kept[service]

    return client


def write_until(stopped, service, acknowledged, numbers):
    """Writes until the platform is gone; notes what it said yes to."""
    kind = type(service).__name__.lower()
    while not stopped.is_set():
        number = next(numbers)
        try:
            service.write(f"{kind}-{number}", number)
        except (BotoCoreError, ClientError) as error:
            gone = isinstance(error, BotoCoreError)
            assert gone or stopped.is_set(), (kind, number, error)
            return
        acknowledged.append((service.__class__, f"{kind}-{number}", number))


def test_what_was_acknowledged_is_there_after_a_crash(start):
    moments = random.Random(SEED)
    numbers = {writer: iter(range(10**9)) for writer in WRITERS}
    platform = start().ready()
    client = clients(platform)
    for writer in WRITERS:
        writer.prepare(client)
    total = 0
    for crash in range(ROUNDS):
        acknowledged, stopped, failures = [], threading.Event(), []

        def run(writer, client=client):
            try:
                write_until(stopped, writer(client), acknowledged, numbers[writer])
            except AssertionError as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(writer,)) for writer in WRITERS]
        for thread in threads:
            thread.start()
        # The moment of the crash is the test's input, not a wait for something.
        stopped.wait(moments.uniform(0.5, 2.5))
        platform.kill()
        stopped.set()
        for thread in threads:
            thread.join(90)
        assert not failures, (SEED, failures)
        platform = start().ready()
        client = clients(platform)
        readers = {writer: writer(client) for writer in WRITERS}
        for reader in readers.values():
            reader.whole()
        lost = [name for writer, name, number in acknowledged if not readers[writer].holds(name, number)]
        assert not lost, (SEED, crash, lost)
        total += len(acknowledged)
    assert total > ROUNDS, "the writers wrote next to nothing"
    platform.stop()
