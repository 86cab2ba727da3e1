"""The document's own examples: every request is sent, and every answer is compared.

309 requests and 285 answers. Each request happens in a world of its own (see ``scenes``), and its
answer must fit the schema and have exactly the keys of the example, object by object, but for the
departures that ``departures`` lists with their reasons.
"""

import collections
import re

import pytest

from fakecloud import ApiError
from tests.functional.cloud import shapes, world
from tests.functional.cloud.departures import EXCEPTIONS
from tests.functional.cloud.scenes import SCENES, Scene

BOOK = shapes.BOOK
EXAMPLES = [(action, name) for action in BOOK.actions for name in BOOK.examples(action)[0]]
IDS = [f"{action}-{name}" for action, name in EXAMPLES]
IDENTIFIER = re.compile(r"[a-z]+(?:-[a-z]+)?-(?:[0-9a-f]{8}|[0-9a-f]{32})")
# The document says "a date or a date-time" in words that fit neither, unless dates are looked at.
DATE_ARTEFACTS = {
    ("CreateAccessKey", "ex1"),
    ("ReadApiLogs", "ex1"),
    ("ReadCO2EmissionAccount", "ex1"),
    ("ReadConsumptionAccount", "ex1"),
    ("ReadConsumptionAccount", "ex2"),
    ("UpdateAccessKey", "ex1"),
}


def scene_of(action, example):
    return SCENES.get((action, example)) or SCENES.get((action, "")) or Scene()


def request_of(action, example):
    return BOOK.examples(action)[0][example]


def paired(action, example):
    """Give the name of the answer that belongs to a request.

    It is the one of the same name; requests that are more than the answers share the last one.
    """
    answers = BOOK.examples(action)[1]
    return example if example in answers else list(answers)[-1]


def stage(scene):
    """Return a cloud in which everything that the example needs has happened."""
    cloud = world.load(scene.level, dict(scene.renamed))
    for step in scene.steps:
        if isinstance(step, int):
            cloud.clock.advance(step)
        elif callable(step):
            step(cloud)
        else:
            cloud.call(step[0], **step[1])
    return cloud


def filled(scene, request):
    """Return a request with real values where it has placeholders."""
    real = {key: value() if callable(value) else value for key, value in scene.filled}
    return {key: value for key, value in {**request, **real}.items() if value is not None}


@pytest.mark.parametrize(("action", "example"), EXAMPLES, ids=IDS)
def test_an_example_is_answered_with_the_keys_of_its_answer(action, example):
    scene, request = scene_of(action, example), request_of(action, example)
    cloud = stage(scene)
    if scene.refused is not None:
        with pytest.raises(ApiError) as caught:
            cloud.call(action, **request)
        assert caught.value.code == str(scene.refused), caught.value
    answer = cloud.call(action, **filled(scene, request))
    schema = BOOK.actions[action].response
    assert shapes.problems(schema, answer) == []
    expected = BOOK.examples(action)[1][paired(action, example)]
    found = shapes.differences(schema, expected, answer)
    # Equal, and not at most: a departure that is none any more has to leave the table.
    assert found == set(EXCEPTIONS.get((action, example), ()))


@pytest.mark.parametrize(("action", "example"), EXAMPLES, ids=IDS)
def test_the_request_of_an_example_fits_the_document(action, example):
    schema = BOOK.actions[action].request
    request = request_of(action, example)
    assert shapes.problems(schema, request) == []
    # Without a look at dates, exactly six are refused: that is the document's own mistake.
    is_artefact = bool(shapes.problems(schema, request, dates=False))
    assert is_artefact == ((action, example) in DATE_ARTEFACTS)


def test_every_answer_example_fits_the_document():
    bad = {
        f"{action}-{name}": found
        for action, spec in BOOK.actions.items()
        for name, value in BOOK.examples(action)[1].items()
        if (found := shapes.problems(spec.response, value))
    }
    assert bad == {}


def test_no_example_is_left_out():
    answers = {(action, name) for action in BOOK.actions for name in BOOK.examples(action)[1]}
    compared = {(action, paired(action, name)) for action, name in EXAMPLES}
    refused = {
        (action, name): scene_of(action, name).why
        for action, name in EXAMPLES
        if scene_of(action, name).refused is not None
    }
    departing = {departure for example in EXCEPTIONS.values() for departure in example}
    counts = {
        "actions": len(BOOK.actions),
        "requests": len(EXAMPLES),
        "accepted as written": len(EXAMPLES) - len(refused),
        "refused as written, accepted with real values": len(refused),
        "answers": len(answers),
        "answers compared": len(compared),
        "examples without departure": len(EXAMPLES) - len(EXCEPTIONS),
        "examples with departures": len(EXCEPTIONS),
        "different departures": len(departing),
    }
    print(*(f"{number:5} {what}" for what, number in counts.items()), sep="\n")  # noqa: T201
    assert counts["actions"] == 236
    assert len(EXAMPLES) == 309
    assert len(answers) == 285
    assert answers == compared
    assert all(refused.values())


def test_every_scene_and_every_departure_belongs_to_an_example():
    known = set(EXAMPLES) | {(action, "") for action, _ in EXAMPLES}
    assert set(SCENES) <= known
    assert set(EXCEPTIONS) <= set(EXAMPLES)


def test_the_world_has_an_object_for_every_identifier_of_the_requests():
    wanted = collections.Counter()
    for action, example in EXAMPLES:
        _identifiers(request_of(action, example), wanted)
    text = world.saved("joined")
    missing = {found for found in wanted if f'"{found}"' not in text}
    assert len(wanted) == 40
    assert missing == set()


def _identifiers(value, found):
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _identifiers(item, found)
    elif isinstance(value, str) and IDENTIFIER.fullmatch(value):
        found[value] += 1
