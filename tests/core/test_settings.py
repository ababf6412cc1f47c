"""Settings: defaults, ranges, messages, profiles, live changes, the environment, secrets."""

from typing import Any, get_args

import pytest
from pydantic import SecretStr

from bpdemo.assembly import slices
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import MASK, Settings, describe, misspelt_in

DEFAULTS: dict[str, Any] = {
    "workers": 8,
    "queue_capacity": 32,
    "queue_policy": "reject",
    "queue_block_timeout_s": 0.5,
    "queue_block_waiters": 64,
    "queue_discipline": "fifo",
    "codel_target_s": 0.02,
    "codel_interval_s": 0.2,
    "async_queue_capacity": 1000,
    "max_in_flight": 0,
    "limit_algorithm": "fixed",
    "limit_min": 1,
    "limit_max": 1000,
    "client_max_in_flight": 0,
    "request_timeout_s": 2.0,
    "attempt_timeout_s": 0.5,
    "drop_on_disconnect": True,
    "retry_attempts": 3,
    "retry_base_s": 0.05,
    "retry_cap_s": 1.0,
    "retry_jitter": "full",
    "retry_budget_enabled": True,
    "retry_budget_ratio": 0.2,
    "retry_budget_min_per_s": 10,
    "breaker_enabled": True,
    "breaker_failure_ratio": 0.5,
    "breaker_min_calls": 20,
    "breaker_window_s": 10,
    "breaker_open_s": 5,
    "breaker_half_open_calls": 3,
    "payment_latency_s": 0.04,
    "payment_latency_distribution": "constant",
    "payment_hang_rate": 0,
    "payment_failure_rate": 0,
    "payment_outage": False,
    "store": "memory",
    "database_url": None,
    "initial_stock": 1_000_000,
    "pool_min": 1,
    "pool_max": 8,
    "pool_acquire_timeout_s": 0.2,
    "store_latency_s": 0.002,
    "store_failure_rate": 0,
    "store_outage": False,
    "cache_ttl_s": 5,
    "cache_capacity": 1024,
    "cache_stale_s": 30,
    "drain_timeout_s": 10,
    "read_timeout_s": 5,
    "max_body_bytes": 16384,
    "admin_token": None,
    "log_format": "json",
    "log_level": "info",
    "traces": "off",
    "seed": None,
}
#: Everything of queue, flow, payment, failure and cache.
LIVE = {
    name
    for name in DEFAULTS
    if name.startswith(("workers", "queue_", "codel_", "retry_", "breaker_", "payment_", "cache_"))
} | {
    "async_queue_capacity",
    "max_in_flight",
    "limit_algorithm",
    "limit_min",
    "limit_max",
    "client_max_in_flight",
    "request_timeout_s",
    "attempt_timeout_s",
    "drop_on_disconnect",
    "store_latency_s",
    "store_failure_rate",
    "store_outage",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer has set for themselves is no part of a test."""
    import os

    for name in os.environ:
        if name.upper().startswith("BPDEMO_"):
            monkeypatch.delenv(name)


def test_names_and_defaults_are_the_contracts() -> None:
    """Dashboards, notebooks and the docs hold on to them."""
    assert Settings().model_dump() == DEFAULTS


def test_what_may_change_while_it_runs_is_the_contracts() -> None:
    """All of queue, flow, payment, failure and cache; nothing that is built only once."""
    assert {name for name, told in describe(Settings()).items() if told["live"]} == LIVE


#: What has to move so that a knob can reach both ends of its range.
PARTNERS: dict[str, dict[str, Any]] = {
    "pool_min": {"pool_max": 1000},
    "pool_max": {"pool_min": 0},
    "codel_target_s": {"codel_interval_s": 3600},
    "codel_interval_s": {"codel_target_s": 0},
}


@pytest.mark.parametrize(
    "name", [n for n, v in describe(Settings()).items() if v["minimum"] is not None]
)
def test_both_ends_of_a_range_are_in_it_and_nothing_beyond(name: str) -> None:
    """Inclusive bounds; the message names field, value and range."""
    told = describe(Settings())[name]
    low, high = told["minimum"], told["maximum"]
    others = PARTNERS.get(name, {})
    for fits in (low, high):
        assert getattr(Settings(**{name: fits, **others}), name) == fits
    for beyond in (low - 1, high + 1):
        with pytest.raises(SettingsInvalid) as caught:
            Settings(**{name: beyond, **others})
        assert caught.value.field == name
        for word in (name, str(beyond), f"from {low} to {high}"):
            assert word in str(caught.value)


def test_ranges_reach_as_far_as_the_contract_asks() -> None:
    """At least: workers 1 to 1024, times 0 to 3600, ratios 0 to 1, counts of calls 1 to 10000."""
    told = describe(Settings())
    for name, knob in told.items():
        low, high = knob["minimum"], knob["maximum"]
        if name.endswith("_s") and knob["unit"] == "s":
            assert (low, high) == (0, 3600)
        if knob["unit"] == "ratio":
            assert (low, high) == (0, 1)
        if knob["unit"] in ("calls", "attempts"):
            assert (low, high) == (1, 10_000)
    assert (told["workers"]["minimum"], told["workers"]["maximum"]) == (1, 1024)
    assert told["queue_capacity"]["minimum"] == -1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("workers", 0, "workers: 0 is not a whole number from 1 to 1024"),
        ("workers", 2.5, "workers: 2.5 is not a whole number from 1 to 1024"),
        ("workers", "many", "workers: 'many' is not a whole number from 1 to 1024"),
        ("retry_jitter", "foo", "'foo' is not one of full, equal, decorrelated, none"),
        ("payment_outage", "perhaps", "'perhaps' is not true or false"),
        ("request_timeout_s", float("nan"), "nan is not a number from 0 to 3600"),
        ("request_timeout_s", float("inf"), "inf is not a number from 0 to 3600"),
        ("retry_budget_min_per_s", -1, "-1 is not a number from 0 to 10000"),
        ("seed", "x", "'x' is not a whole number"),
        ("no_such_thing", 1, "there is no such setting; GET /settings lists them all"),
        ("queue_capcity", 8, "there is no such setting; did you mean queue_capacity?"),
    ],
)
def test_a_bad_value_is_one_clear_line(name: str, value: Any, words: str) -> None:
    """Field, value and what it should be; nothing of pydantic's own report."""
    with pytest.raises(SettingsInvalid) as caught:
        Settings(**{name: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.field == name


def test_a_variable_spelt_almost_like_a_setting_is_found() -> None:
    """What sets something, or is the name of something else, is left in peace."""
    others = ("HOME", "PROFILE", "LOAD_PLAN", "LESSONS", "REQUIRE", "SCREENSHOTS", "WORKERS")
    environment = dict.fromkeys([f"BPDEMO_{name}" for name in others] + ["WORKRS"], "8")
    assert misspelt_in(environment | {"bpdemo_store": "memory"}) == {}
    assert misspelt_in(environment | {"BPDEMO_WORKRS": "8"}) == {"BPDEMO_WORKRS": "BPDEMO_WORKERS"}


def test_the_defaults_and_the_naive_service_warn_of_nothing() -> None:
    """Nobody gets used to a warning that is always there."""
    assert (Settings().warnings, Settings.unprotected().warnings) == ((), ())
    assert Settings(request_timeout_s=0.3).warnings


@pytest.mark.parametrize(
    ("knobs", "idle"),
    [
        ({"pool_acquire_timeout_s": 0.1}, ["pool_acquire_timeout_s"]),
        ({"pool_acquire_timeout_s": 0.1, "pool_max": 2}, []),
        ({"pool_max": 2}, []),
    ],
)
@pytest.mark.parametrize("breaker_enabled", [True, False])
def test_a_setting_of_a_pool_that_is_not_there_is_told(
    knobs: dict[str, Any], idle: list[str], breaker_enabled: bool
) -> None:
    """In memory there is a pool only where its size is set; a database has one always.
    Another knob that is turned later changes nothing of this."""
    own = Settings(breaker_enabled=breaker_enabled, **knobs)
    assert [text.split()[0] for text in own.warnings] == idle
    assert all("does nothing" in text for text in own.warnings)
    assert Settings(store="embedded", breaker_enabled=breaker_enabled, **knobs).warnings == ()
    turned = own.changed({"workers": 3})
    assert turned.warnings == own.warnings
    assert turned.model_fields_set == own.model_fields_set | {"workers"}


@pytest.mark.parametrize(
    ("knobs", "wakes"),
    [
        ({"limit_min": 5}, {"limit_algorithm": "aimd"}),
        ({"limit_max": 50}, {"limit_algorithm": "own"}),
        ({"codel_target_s": 0.1}, {"queue_discipline": "codel"}),
        ({"codel_interval_s": 0.5}, {"queue_discipline": "adaptive_lifo"}),
        ({"queue_block_timeout_s": 1.0}, {"queue_policy": "block"}),
        ({"queue_block_waiters": 8}, {"queue_policy": "block"}),
    ],
)
def test_a_setting_that_another_has_turned_off_is_told(
    knobs: dict[str, Any], wakes: dict[str, Any]
) -> None:
    """Until that one is turned; its default, even where it is set, is none to wonder about."""
    [name] = knobs
    own = Settings(**knobs)
    [told] = own.warnings
    assert told.startswith(f"{name} does nothing: ")
    assert all(other in told for other in wakes)
    assert own.changed(wakes).warnings == ()
    assert Settings(**knobs, **wakes).warnings == ()
    assert Settings(**{name: Settings.model_fields[name].default}).warnings == ()
    assert Settings().changed(knobs).warnings == (told,)


@pytest.mark.parametrize(
    ("prefix", "switch"),
    [("breaker_", "breaker_enabled"), ("retry_budget_", "retry_budget_enabled")],
)
def test_every_knob_of_what_is_switched_off_does_nothing(prefix: str, switch: str) -> None:
    """The naive service has neither; that alone is nothing to warn of."""
    names = [name for name in DEFAULTS if name.startswith(prefix) and name != switch]
    assert len(names) > 1
    for name in names:
        knob = {name: Settings.model_fields[name].default / 2 if name.endswith("ratio") else 4}
        [told] = Settings(**{switch: False}, **knob).warnings
        assert told == f"{name} does nothing: {switch} is false"
        assert Settings.unprotected(**knob).warnings == (told,)
        assert Settings(**knob).warnings == ()


def test_codel_has_a_target_that_adaptive_lifo_does_not_ask_for() -> None:
    """Both ask for the interval."""
    own = Settings(queue_discipline="adaptive_lifo", codel_target_s=0.1, codel_interval_s=0.5)
    [told] = own.warnings
    assert told.startswith("codel_target_s does nothing")


MISFITS: list[tuple[dict[str, Any], str, str]] = [
    ({"codel_target_s": 0.5}, "codel_target_s", "0.5 is not a number from 0 to codel_interval_s"),
    ({"codel_target_s": 3600}, "codel_target_s", "from 0 to codel_interval_s (0.2)"),
    (
        {"codel_target_s": 0.4, "codel_interval_s": 0.3},
        "codel_target_s",
        "0.4 is not a number from 0 to codel_interval_s (0.3)",
    ),
    (
        {"codel_interval_s": 0.3, "codel_target_s": 0.4},
        "codel_target_s",
        "0.4 is not a number from 0 to codel_interval_s (0.3)",
    ),
    (
        {"codel_interval_s": 0.01},
        "codel_interval_s",
        "0.01 is not a number from codel_target_s (0.02) to 3600",
    ),
]


@pytest.mark.parametrize(("knobs", "field", "words"), MISFITS, ids=str)
def test_a_codel_target_above_the_interval_is_refused(
    knobs: dict[str, Any], field: str, words: str
) -> None:
    """When made, by each of the two, and with any discipline, since that may be turned later: the
    message names the one that was given, its value and its range."""
    for discipline in ("codel", "fifo"):
        with pytest.raises(SettingsInvalid) as caught:
            Settings(**knobs, queue_discipline=discipline)
        assert caught.value.field == field
        assert words in str(caught.value)


@pytest.mark.parametrize(("knobs", "field", "words"), MISFITS, ids=str)
def test_a_turn_of_the_codel_knobs_that_do_not_fit_turns_nothing(
    knobs: dict[str, Any], field: str, words: str
) -> None:
    """Neither them nor what was turned with them."""
    settings = Settings()
    with pytest.raises(SettingsInvalid) as caught:
        settings.changed({"workers": 3, **knobs, "queue_capacity": 5})
    assert caught.value.field == field
    assert words in str(caught.value)
    assert settings == Settings()


@pytest.mark.parametrize("names", [("target", "interval"), ("interval", "target")])
def test_both_codel_knobs_may_turn_at_once_past_where_they_were(names: tuple[str, str]) -> None:
    """Up and down again, in whichever order they are named: what counts is what is left."""
    settings = Settings()
    for target_s, interval_s in ((5.0, 9.0), (3600.0, 3600.0), (0.0, 0.0), (0.001, 0.01)):
        values = {"target": target_s, "interval": interval_s}
        settings = settings.changed({f"codel_{name}_s": values[name] for name in names})
        assert (settings.codel_target_s, settings.codel_interval_s) == (target_s, interval_s)
        slices.tuning(settings)


def test_parts_that_do_not_fit_each_other_are_named() -> None:
    """A pool that is never full, and a database with no address."""
    with pytest.raises(SettingsInvalid, match="pool_min: 9 is above pool_max"):
        Settings(pool_min=9)
    with pytest.raises(SettingsInvalid, match="database_url: store=postgres needs one"):
        Settings(store="postgres")
    Settings(store="postgres", database_url="postgresql://x/y")


@pytest.mark.parametrize(
    ("knobs", "latency_s"),
    [
        ({}, 0.002),
        ({"store": "embedded"}, 0.0),
        ({"store": "postgres", "database_url": "postgresql://x"}, 0.0),
        ({"store": "embedded", "store_latency_s": 0.1}, 0.1),
        ({"store_latency_s": 0.0}, 0.0),
    ],
)
def test_a_real_database_brings_its_own_latency(knobs: dict[str, Any], latency_s: float) -> None:
    """0.002 s for memory, else 0, unless told otherwise."""
    assert Settings(**knobs).store_latency_s == latency_s


def test_the_unprotected_profile_is_the_naive_service() -> None:
    """No bound, no deadlines, no breaker, no budget, retries at once; work for those who left."""
    naive = Settings.unprotected()
    changed = {n: v for n, v in naive.model_dump().items() if v != DEFAULTS[n]}
    assert changed == {
        "queue_capacity": -1,
        "request_timeout_s": 0.0,
        "attempt_timeout_s": 0.0,
        "drop_on_disconnect": False,
        "breaker_enabled": False,
        "retry_budget_enabled": False,
        "retry_base_s": 0.0,
        "retry_jitter": "none",
    }


def test_knobs_win_over_the_profile() -> None:
    """An exercise protects the naive service one knob at a time."""
    assert Settings.unprotected(queue_capacity=5, workers=2).model_dump().items() >= {
        "queue_capacity": 5, "workers": 2, "breaker_enabled": False,
    }.items()  # fmt: skip


def test_changing_gives_a_new_one_and_leaves_the_old() -> None:
    """Settings are made once; anyone who holds the old ones still has them."""
    old = Settings(workers=3, seed=7)
    new = old.changed({"workers": 5, "queue_policy": "block"})
    assert (old.workers, new.workers, new.queue_policy, new.seed) == (3, 5, "block", 7)
    with pytest.raises(SettingsInvalid, match="workers: settings are frozen"):
        old.workers = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("knobs", "field"),
    [
        ({"workers": 5, "queue_capacity": -2}, "queue_capacity"),
        ({"workers": "8"}, "workers"),
        ({"workers": 8.0}, "workers"),
        ({"workers": True}, "workers"),
        ({"workers": None}, "workers"),
        ({"payment_outage": 1}, "payment_outage"),
        ({"payment_outage": "true"}, "payment_outage"),
        ({"queue_policy": "hope"}, "queue_policy"),
        ({"queue_policy": ["block"]}, "queue_policy"),
        ({"request_timeout_s": "2"}, "request_timeout_s"),
        ({"request_timeout_s": float("inf")}, "request_timeout_s"),
        ({"drain_timeout_s": 1.0}, "drain_timeout_s"),
        ({"store": "postgres"}, "store"),
        ({"admin_token": "mine now"}, "admin_token"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_change_is_strict_and_all_or_nothing(knobs: dict[str, Any], field: str) -> None:
    """Types are taken as they are in JSON, only live knobs turn, and the fault is named."""
    old = Settings()
    with pytest.raises(SettingsInvalid) as caught:
        old.changed(knobs)
    assert caught.value.field == field
    assert old == Settings()


def test_a_whole_number_is_a_fine_time() -> None:
    """JSON has one kind of number: 2 seconds are 2.0 seconds."""
    assert Settings().changed({"request_timeout_s": 2}).request_timeout_s == 2.0


def test_a_change_keeps_what_the_environment_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment was read at the start; turning a knob does not read it again."""
    settings = Settings(
        workers=3, admin_token="hush", store="postgres", database_url="postgresql://x"
    )
    monkeypatch.setenv("BPDEMO_WORKERS", "99")
    monkeypatch.setenv("BPDEMO_STORE_LATENCY_S", "1")
    new = settings.changed({"queue_capacity": 1})
    assert (new.workers, new.store_latency_s, new.store) == (3, 0.0, "postgres")
    assert new.admin_token == SecretStr("hush")


def test_the_environment_sets_them_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """`BPDEMO_WORKERS=16`, read leniently; what is said in code wins."""
    monkeypatch.setenv("BPDEMO_WORKERS", "16")
    monkeypatch.setenv("BPDEMO_PAYMENT_OUTAGE", "true")
    monkeypatch.setenv("WORKERS", "3")
    settings = Settings()
    assert (settings.workers, settings.payment_outage) == (16, True)
    assert Settings(workers=2).workers == 2


def test_a_bad_environment_is_one_clear_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the field as the settings do."""
    monkeypatch.setenv("BPDEMO_WORKERS", "0")
    with pytest.raises(SettingsInvalid, match="workers: '0' is not a whole number from 1 to 1024"):
        Settings()


def test_the_environment_decides_the_store_before_its_latency(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`BPDEMO_STORE=embedded` brings no latency of the memory store with it."""
    monkeypatch.setenv("BPDEMO_STORE", "embedded")
    assert Settings().store_latency_s == 0.0


SECRETS = {
    "admin_token": "open sesame",
    "store": "postgres",
    "database_url": "postgresql://me:swordfish@db/tickets",
}


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    """Neither token nor password in `describe`, `repr`, or `str`."""
    settings = Settings(**SECRETS)
    told = describe(settings)
    assert told["admin_token"]["value"] == MASK
    assert told["database_url"]["value"] == MASK
    for shown in (str(told), repr(settings), str(settings)):
        assert "sesame" not in shown
        assert "swordfish" not in shown
    assert describe(Settings())["admin_token"]["value"] is None


@pytest.mark.parametrize("value", [17, ["swordfish"], {"password": "swordfish"}])
def test_a_secret_that_cannot_be_read_is_not_repeated(value: Any) -> None:
    """The message names the field, not what somebody typed there."""
    with pytest.raises(SettingsInvalid) as caught:
        Settings(admin_token=value)
    assert "swordfish" not in str(caught.value)
    assert "17" not in str(caught.value)
    assert caught.value.field == "admin_token"


def test_every_setting_is_described() -> None:
    """Unit, range or choices, and a sentence: docs, `GET /settings` and widgets show them."""
    for name, told in describe(Settings()).items():
        assert list(told) == [
            "value", "unit", "minimum", "maximum", "choices", "live", "description",
        ]  # fmt: skip
        assert told["description"].endswith("."), name
        field = Settings.model_fields[name]
        number = field.annotation in (int, float)
        assert (told["minimum"] is not None) == (told["maximum"] is not None) == number
        is_choice = all(isinstance(option, str) for option in get_args(field.annotation) or [0])
        assert bool(told["choices"]) == is_choice
        assert bool(told["unit"]) >= name.endswith(("_s", "_bytes"))
