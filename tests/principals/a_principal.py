"""Principals of every sort, for tests that carry them somewhere."""

from __future__ import annotations

from hypothesis import strategies as st

from registryauth.reference import Address
from registryauth.stores.principal import KINDS, ORIGINS, Check, Consumer, Principal, Slot

MOMENTS = st.integers(0, 2**40)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ADDRESSES = st.sampled_from(
    ["r.example", "r.example:5000", "r.example/team", "r.example/team/app", "docker.io", "localhost:5000", "[::1]:5000", "x.azureecr.io"]
).map(lambda text: Address.parse(text, known=("x.azureecr.io",))) | st.just(Address.parse("*.r.example/team", wildcard=True))
SLOTS = st.builds(
    Slot, TEXTS.filter(bool), added_at=MOMENTS, expires_at=MOMENTS, not_before=MOMENTS, remove_after=MOMENTS, serial=MOMENTS, key_id=TEXTS
)
CHECKS = st.builds(Check, TEXTS, st.just(("pull",)), st.just(("push",)), TEXTS, MOMENTS)
CONSUMERS = st.builds(Consumer, TEXTS, TEXTS, MOMENTS, MOMENTS)
PRINCIPALS = st.builds(
    Principal,
    ADDRESSES,
    TEXTS,
    st.lists(SLOTS, min_size=1, max_size=2).map(tuple),
    kind=st.sampled_from(KINDS),
    made_by=st.sampled_from(ORIGINS),
    tenant=TEXTS,
    owner=TEXTS,
    purpose=TEXTS,
    realm=st.sampled_from(["", "https://auth.example/token"]),
    insecure=st.booleans(),
    created_at=MOMENTS,
    verified_at=MOMENTS,
    preferred_at=MOMENTS,
    cloud=TEXTS,
    labels=st.dictionaries(TEXTS, TEXTS, max_size=3).map(lambda labels: tuple(sorted(labels.items()))),
    needed=st.sampled_from([(), ("pull",), ("pull", "push")]),
    checks=st.lists(CHECKS, max_size=2).map(tuple),
    consumers=st.lists(CONSUMERS, max_size=2).map(tuple),
    disabled_at=MOMENTS,
    updated_at=MOMENTS,
)
