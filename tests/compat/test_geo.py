"""Geo commands against the oracle where a line does not reach: random positions, shapes and options."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from oracle.pair import PROTOCOLS, Pair, Session
from oracle.sequences import CommandMachine, run

NAMES = [f"p{number}" for number in range(12)]
MEMBERS = st.sampled_from(NAMES)
LONGITUDES = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, -179.99, 0.0, 179.99, 180.0, 10.0]))
LATITUDES = st.one_of(st.floats(-85.05112878, 85.05112878), st.sampled_from([-85.05, -66.0, 0.0, 45.0, 80.5, 85.05]))
UNITS = st.sampled_from(["m", "km", "ft", "mi"])
LENGTHS = st.one_of(st.floats(0, 100), st.floats(0, 30_000), st.integers(0, 7_000_000))
ORDERS = st.sampled_from([(), ("ASC",), ("DESC",)])
COUNTS = st.one_of(st.just(()), st.tuples(st.just("COUNT"), st.integers(1, 5)))
ANY_COUNTS = st.tuples(st.just("COUNT"), st.integers(1, 5), st.just("ANY"))
DETAILS = st.lists(st.sampled_from(["WITHDIST", "WITHCOORD", "WITHHASH"]), max_size=3)
STORES = st.sampled_from(["STORE", "STOREDIST"])


def apart(name: str, longitude: float, latitude: float) -> tuple[str, str]:
    """A position that is nobody else's: the order of members at the same distance is left open by the oracle."""
    offset = (NAMES.index(name) + 1) ** 2 * 0.000_37
    longitude += offset if longitude < 0 else -offset
    latitude += offset / 3 if latitude < 0 else -offset / 3
    return f"{longitude:.9f}", f"{latitude:.9f}"


class Searches(CommandMachine):
    """Every geo command on one sorted set of positions, small or large."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), entries=st.sampled_from([0, 128]))
    def connect(self, protocol: int, entries: int) -> None:
        self.session = Session(self.pair, protocol)
        self.send("CONFIG", "SET", "zset-max-listpack-entries", entries)

    @rule(
        members=st.lists(MEMBERS, min_size=1, max_size=6, unique=True),
        longitude=LONGITUDES,
        latitude=LATITUDES,
        spread=st.sampled_from([0.0001, 0.5, 9.0]),
        options=st.sampled_from([(), ("NX",), ("XX", "CH"), ("CH",)]),
    )
    def add(
        self, members: list[str], longitude: float, latitude: float, spread: float, options: tuple[str, ...]
    ) -> None:
        words: list[str] = []
        for number, member in enumerate(members):
            east = max(-180.0, min(180.0, longitude + number * spread))
            north = max(-85.05, min(85.05, latitude - number * spread / 2))
            words += [*apart(member, east, north), member]
        self.send("GEOADD", "g", *options, *words)

    @rule(first=MEMBERS, second=MEMBERS, unit=UNITS)
    def of_members(self, first: str, second: str, unit: str) -> None:
        self.send("GEOPOS", "g", first, second)
        self.send("GEOHASH", "g", first, second)
        self.send("GEODIST", "g", first, second, unit)
        self.send("ZSCORE", "g", first)

    @rule(
        longitude=LONGITUDES,
        latitude=LATITUDES,
        size=st.tuples(LENGTHS, LENGTHS),
        unit=UNITS,
        order=ORDERS,
        count=COUNTS | ANY_COUNTS,
        details=DETAILS,
    )
    def around_a_position(
        self,
        longitude: float,
        latitude: float,
        size: tuple[float, float],
        unit: str,
        order: tuple[str, ...],
        count: tuple[object, ...],
        details: list[str],
    ) -> None:
        centre = ("FROMLONLAT", longitude, latitude)
        self.send("GEOSEARCH", "g", *centre, "BYRADIUS", size[0], unit, *order, *count, *details)
        self.send("GEOSEARCH", "g", *centre, "BYBOX", *size, unit, *order, *count, *details)
        self.send("GEORADIUS", "g", longitude, latitude, size[0], unit, *details, *order, *count)
        self.send("GEORADIUS_RO", "g", longitude, latitude, size[1], unit, *order, *count)

    @rule(
        member=MEMBERS,
        size=st.tuples(LENGTHS, LENGTHS),
        unit=UNITS,
        order=ORDERS,
        count=COUNTS | ANY_COUNTS,
        details=DETAILS,
    )
    def around_a_member(
        self,
        member: str,
        size: tuple[float, float],
        unit: str,
        order: tuple[str, ...],
        count: tuple[object, ...],
        details: list[str],
    ) -> None:
        self.send("GEOSEARCH", "g", "FROMMEMBER", member, "BYRADIUS", size[0], unit, *order, *count, *details)
        self.send("GEOSEARCH", "g", "FROMMEMBER", member, "BYBOX", *size, unit, *details, *order, *count)
        self.send("GEORADIUSBYMEMBER", "g", member, size[0], unit, *details, *order, *count)
        self.send("GEORADIUSBYMEMBER_RO", "g", member, size[1], unit, *order, *count)

    @rule(longitude=LONGITUDES, latitude=LATITUDES, size=st.tuples(LENGTHS, LENGTHS), count=COUNTS, store=STORES)
    def store(
        self, longitude: float, latitude: float, size: tuple[float, float], count: tuple[object, ...], store: str
    ) -> None:
        self.send("GEORADIUS", "g", longitude, latitude, size[0], "km", store, "d", *count)
        self.send("ZRANGE", "d", 0, -1)
        options = ("STOREDIST",) if store == "STOREDIST" else ()
        self.send("GEOSEARCHSTORE", "d", "g", "FROMLONLAT", longitude, latitude, "BYBOX", *size, "km", *options, *count)
        self.send("ZRANGE", "d", 0, -1)

    @rule(members=st.lists(MEMBERS, min_size=1, max_size=3))
    def remove(self, members: list[str]) -> None:
        self.send("ZREM", "g", *members)

    @rule(score=st.one_of(st.integers(-5, 5), st.integers(0, 2**54), st.floats(allow_nan=False, allow_infinity=False)))
    def any_score_is_a_position(self, score: float) -> None:
        self.send("ZADD", "z", score, "m")
        self.send("GEOPOS", "z", "m")
        self.send("GEOHASH", "z", "m")


def test_sequences_of_all_geo_commands(pair: Pair) -> None:
    try:
        run(pair, Searches)
    finally:
        pair.compare("CONFIG SET zset-max-listpack-entries 128")
