"""What is familiar to an account."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.place import Place
from doorward.core.model.risk import Whereabouts
from doorward.features.risk.rules import familiar
from tests.features.risk.made import (
    BERLIN,
    DAY,
    HOME,
    LISBON,
    PORTO,
    SYDNEY,
    before,
    facts,
    private,
    somewhere,
)


def test_distances_of_known_cities() -> None:
    assert familiar.distance(LISBON, BERLIN) == pytest.approx(2313, abs=10)
    assert familiar.distance(LISBON, SYDNEY) == pytest.approx(18_200, abs=100)
    assert familiar.distance(LISBON, LISBON) == 0


def test_a_distance_leaves_out_what_the_database_is_unsure_of() -> None:
    vague = Place("DE", latitude=52.52, longitude=13.40, radius=500)
    assert familiar.distance(LISBON, vague) == pytest.approx(1813, abs=10)
    assert familiar.distance(LISBON, Place("DE")) is None
    assert familiar.distance(Place("DE", latitude=1.0, longitude=1.0, radius=2000), LISBON) is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LISBON, LISBON, True),
        (LISBON, PORTO, False),
        (LISBON, BERLIN, False),
        (Place("PT"), LISBON, True),
        (Place("PT", city="Lisbon"), Place("PT", city="Faro"), False),
        (Place("PT", city="Lisbon"), Place("PT", city="Lisbon"), True),
        (Place("PT"), Place("ES"), False),
    ],
)
def test_towns(one: Place, other: Place, same: bool) -> None:
    assert familiar.near(one, other) is same
    assert familiar.near(other, one) is same


@pytest.mark.parametrize("kind", ["company", "anonymous", "hosting"])
def test_an_exit_says_nothing_about_where_a_person_is(kind: str) -> None:
    assert familiar.placed(Whereabouts("20.9.9.0/24", BERLIN, kind)) is None  # pyright: ignore[reportArgumentType]
    assert familiar.placed(somewhere(BERLIN)) == BERLIN


def test_networks_browsers_and_towns_of_earlier_sign_ins_are_known() -> None:
    usual = facts()
    assert familiar.network_known(usual)
    assert familiar.browser_known(usual)
    assert familiar.town_known(usual)
    other = facts(where=somewhere(PORTO), browser="Safari on iPhone")
    assert not familiar.network_known(other)
    assert not familiar.browser_known(other)
    assert not familiar.town_known(other)


def test_what_is_unknown_speaks_against_nobody() -> None:
    nowhere = facts(where=Whereabouts(), browser=None)
    assert familiar.network_known(nowhere)
    assert familiar.browser_known(nowhere)
    assert familiar.town_known(nowhere)
    assert familiar.town_known(
        facts(past=(before(where=Whereabouts("20.1.1.0/24")),), where=somewhere(PORTO))
    )


def test_a_place_of_a_mobile_network_is_no_town() -> None:
    """Another city of the country, as its carrier is placed, asks nothing (FusionAuth#3014), and hides no other town."""
    carrier = structs.replace(LISBON, radius=51)
    assert familiar.town_known(facts(where=somewhere(structs.replace(PORTO, radius=51))))
    assert not familiar.town_known(facts(where=somewhere(structs.replace(PORTO, radius=20))))
    wide = tuple(before(where=Whereabouts("20.1.2.0/24", carrier)) for _ in range(3))
    assert not familiar.town_known(facts(where=somewhere(BERLIN), past=(before(), *wide)))
    assert familiar.town_known(facts(where=somewhere(PORTO), past=wide))


def test_a_town_is_familiar_after_sign_ins_on_two_days_or_in_the_week_of_the_first() -> None:
    """One sign-in was perhaps a visit, and a week later a stranger in that town is none of the person's. Several of one minute are one
    visit too (docs/incidents/0118-one-sign-in-taught-what-is-usual.md)."""
    here = somewhere(PORTO)
    week = familiar.ARRIVED

    def known(*ago: int) -> bool:
        return familiar.town_known(facts(where=here, past=(*facts().past, *(before(at, here) for at in ago))))

    assert [known(), known(week - 1), known(week)] == [False, True, False]
    assert not known(week, week + 1, week + 60)
    assert known(week, week + familiar.DAY)
    only = (before(week, here), before(where=somewhere(None)))
    assert familiar.town_known(facts(where=here, past=only)), "the one town that the account ever had"


def test_the_town_of_a_person_who_uses_a_vpn_says_nothing() -> None:
    exits = tuple(before(at * DAY, somewhere(None, kind="anonymous")) for at in (2, 3, 4))
    assert familiar.town_known(facts(where=somewhere(BERLIN), past=(before(), *exits)))
    assert not familiar.town_known(facts(where=somewhere(BERLIN), past=(before(), *exits[1:])))
    assert not familiar.town_known(facts(where=somewhere(BERLIN), past=(before(),)))


@pytest.mark.parametrize(
    ("of", "new", "said"),
    [
        (5, 3, True),
        (5, 2, False),
        (4, 4, False),
        (10, 5, False),
        (10, 6, True),
        (60, 6, True),
        (60, 5, False),
    ],
)
def test_most_of_the_latest_sign_ins_show_whether_cookies_are_kept(of: int, new: int, said: bool) -> None:
    assert familiar.keeps_no_cookies(facts(past=private(of=of, new=new))) is said


def test_a_person_without_cookies_is_not_asked_in_each_town() -> None:
    """Private windows make each sign-in one on a new device (authentik#12214)."""
    assert familiar.town_known(facts(where=somewhere(PORTO), past=private(of=5, new=3)))
    assert not familiar.town_known(facts(where=somewhere(PORTO), past=private(of=5, new=2)))


def test_all_towns_of_a_country_are_known_on_the_journey_there() -> None:
    munich = Place("DE", "Bavaria", "Munich", 48.14, 11.58)
    home = tuple(before((one + 30) * DAY) for one in range(5))

    def known(*ago: int, usual: bool = True) -> bool:
        there = tuple(before(at, somewhere(BERLIN)) for at in ago)
        return familiar.town_known(facts(where=somewhere(munich), past=there + (home if usual else ())))

    journey = familiar.JOURNEY
    assert known(journey - 1)
    assert known(DAY, journey - 1)
    assert not known(journey)
    assert not known(DAY, journey), "the first of the sign-ins there counts"
    assert not known(DAY, usual=False), "somebody who was never elsewhere lives there"


def test_habits_are_known_after_five_sign_ins() -> None:
    assert familiar.habits_known(facts())
    assert not familiar.habits_known(facts(past=facts().past[1:]))


def test_a_vpn_is_a_habit_after_three_of_the_last_twenty_days() -> None:
    """docs/incidents/0118"""

    def said(*days: int, of: int = 20) -> bool:
        past = (before(at * DAY, somewhere(None, kind="hosting") if at in days else HOME) for at in range(of))
        return familiar.hides(facts(past=tuple(past)))

    assert [said(0, 1), said(0, 1, 19), said(0, 1, 20, of=30)] == [False, True, False]
    exits = somewhere(None, kind="anonymous")
    assert not familiar.hides(facts(past=tuple(before(at, exits) for at in range(1, 7)))), "one day"
    company = somewhere(None, kind="company")
    assert not familiar.hides(facts(past=tuple(before(at * DAY, company) for at in range(5))))
    assert familiar.hidden_before(facts(past=(before(where=exits),)))
    assert not familiar.hidden_before(facts(past=(before(where=company),)))


def test_a_stranger_who_got_in_once_cannot_sign_in_the_cookies_away() -> None:
    """Six sign-ins of one day on new devices say no more than one (docs/incidents/0118)."""
    many = tuple(before(at, somewhere(PORTO), new_device=True) for at in range(1, 7))
    usual = tuple(before(at * DAY) for at in range(1, 6))
    assert not familiar.keeps_no_cookies(facts(past=(*many, *usual)))
    assert not familiar.keeps_no_cookies(facts(past=many)), "too few days"


def test_one_sign_in_abroad_makes_no_journey_of_being_at_home() -> None:
    """The history of somebody who signs in often ends within a fortnight (docs/incidents/0117)."""
    often = tuple(before((one + 1) * DAY // 5) for one in range(60))
    abroad = somewhere(BERLIN)
    for last in (before(13 * DAY, abroad), before(25 * DAY, abroad)):
        assert not familiar.town_known(facts(where=somewhere(PORTO), past=(*often[:59], last)))
    assert not familiar.town_known(facts(where=somewhere(PORTO), past=(before(1, abroad), *often[:59])))
    week = tuple(before((at + 13) * DAY, abroad) for at in range(10))
    assert not familiar.town_known(facts(where=somewhere(PORTO), past=(*often[:50], *week))), "back home"
    lived = tuple(before((at + 13) * DAY, abroad) for at in range(0, 20, 2))
    assert familiar.town_known(facts(where=somewhere(PORTO), past=(*often[:50], *lived)))


def test_a_network_is_new_only_beside_others() -> None:
    assert familiar.network_new(facts(where=somewhere(None)))
    assert not familiar.network_new(facts())
    assert not familiar.network_new(facts(where=somewhere(None), past=(before(where=Whereabouts()),)))
    assert familiar.browser_known(facts(browser="curl", past=(before(browser=None),)))


def test_earlier_places_are_the_newest_first() -> None:
    past = (before(10, somewhere(None)), before(20, somewhere(BERLIN)), before(30, HOME))
    assert [place for _, place in familiar.earlier(facts(past=past))] == [BERLIN, LISBON]
