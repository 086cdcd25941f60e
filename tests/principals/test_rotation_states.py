"""Whatever is done to a principal, in whatever order and wherever it is cut off: there is a secret that works."""

from __future__ import annotations

from contextlib import suppress

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from registryauth.client import Client
from registryauth.errors import CredentialError, TokenRefused
from registryauth.principals import disable, enable, note_consumer, prune, register, rotate
from registryauth.reference import Address
from registryauth.stores import Key, Slot
from registryauth.stores.memory import MemoryStore
from registryauth.testing import RegistrySimulator

from .conftest import OneOf

HOST = Address.parse("registry.example")
KEY = Key(HOST, "me")


class Killed(BaseException):
    """The process is gone: nothing that it had still to do is done."""


class Mortal(MemoryStore):
    """A store whose process dies at the write that *fuse* counts down to, before or after it; then nothing works until it is `revived`."""

    def __init__(self):
        super().__init__()
        self.fuse, self.after, self.dead = 0, False, False

    def put(self, principal, if_revision=None):
        self.live()
        self.fuse -= 1
        if self.fuse == 0:
            self.dead = True
            if self.after:
                super().put(principal, if_revision)
        self.live()
        return super().put(principal, if_revision)

    def exact(self, key):
        self.live()
        return super().exact(key)

    def live(self):
        if self.dead:
            raise Killed

    def revived(self):
        self.fuse, self.dead = 0, False


class Life(RuleBasedStateMachine):
    """Secrets are issued, and the registry takes each one until it was retired here."""

    def __init__(self):
        super().__init__()
        self.store, self.now, self.issued = Mortal(), 1_800_000_000, 0
        issued = OneOf("")
        self.accepted = issued.accepted
        self.simulator = RegistrySimulator(accounts={"me": issued})
        self.promised = {}
        self.current_serial = 0

    def opened(self, credentials):
        self.store.live()
        return Client(credentials, transport=self.simulator.transport(), environ={})

    def issue(self):
        """A secret that the registry takes from now on."""
        self.issued += 1
        secret = f"secret-{self.issued}"
        self.accepted.add(secret)
        return secret

    @property
    def record(self):
        return self.store.exact(KEY)

    def rotated(self, secret, *, keep_old=7 * 86400, fuse=0, after=False):
        self.store.fuse, self.store.after = fuse, after
        try:
            rotate(self.store, KEY, lambda _: Slot(secret), self.opened, keep_old=keep_old, clock=lambda: self.now)
        finally:
            self.store.revived()

    @initialize()
    def begin(self):
        register(self.store, HOST, "me", self.issue(), self.opened, made_by="admin", clock=lambda: self.now)

    @rule(keep_old=st.sampled_from([0, 3600, 7 * 86400]))
    def rotate(self, keep_old):
        with suppress(CredentialError):
            self.rotated(self.issue(), keep_old=keep_old)

    @rule()
    def rotate_to_what_the_registry_refuses(self):
        before = self.record.slots[0]
        with suppress(CredentialError, TokenRefused):
            self.rotated("never issued")
        assert self.record.slots[0] == before
        assert self.record.pending is None

    @rule(fuse=st.integers(1, 3), after=st.booleans(), again=st.booleans(), wrong=st.booleans())
    def rotate_and_be_killed(self, fuse, after, again, wrong):
        secret = "never issued" if wrong else self.issue()
        with suppress(CredentialError, TokenRefused, Killed):
            self.rotated(secret, fuse=fuse, after=after)
        if again:
            with suppress(CredentialError, TokenRefused):
                self.rotated(secret)

    @rule()
    def add_again(self):
        register(self.store, HOST, "me", self.issue(), self.opened, made_by="admin", clock=lambda: self.now)

    @rule()
    def add_the_same_again(self):
        before = self.record.slots
        register(self.store, HOST, "me", before[0].secret, self.opened, made_by="admin", clock=lambda: self.now)
        assert self.record.slots == before

    @rule(fuse=st.integers(0, 1), force=st.booleans())
    def prune(self, fuse, force):
        self.store.fuse = fuse
        with suppress(Killed):
            list(prune(self.store, [self.record], self.now, force=force))
        self.store.revived()

    @rule(where=st.sampled_from(["a", "b"]))
    def hand_out(self, where):
        note_consumer(self.store, KEY, where, "env", self.record.slots[0].serial, self.now)

    @rule(off=st.booleans())
    def switch(self, off):
        (disable if off else enable)(self.store, KEY, self.now)

    @rule(seconds=st.sampled_from([60, 3600, 7 * 86400]))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def a_usable_secret_is_one_that_the_registry_takes(self):
        if self.record:
            handed_out = [pinned.credential.password for pinned in self.record.candidates(self.now)]
            assert handed_out
            assert all(secret in self.accepted for secret in handed_out)

    @invariant()
    def there_are_two_secrets_at_most_and_the_newer_has_the_higher_serial(self):
        if self.record:
            serials = [slot.serial for slot in self.record.slots]
            assert 1 <= len(serials) <= 2
            assert len(set(serials)) == len(serials)
            assert serials[0] >= self.current_serial
            self.current_serial = serials[0]

    @invariant()
    def a_replaced_secret_stays_until_its_day(self):
        if not self.record:
            return
        there = {slot.secret for slot in self.record.slots}
        for secret, remove_after in self.promised.items():
            assert secret in there or remove_after <= self.now
        self.promised = {slot.secret: slot.remove_after for slot in self.record.slots if slot.remove_after}


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
