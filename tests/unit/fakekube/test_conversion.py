"""Conversion without a network: a caller that answers in the place of the webhook."""

import asyncio
import dataclasses

import pytest

from fakekube import clock, conversion, status, store, webhook
from fakekube.registry import Registry
from fakekube.resource import Resource

CONFIG = {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://localhost/c"}}
WIDGET = Resource(
    "example.org", "v2", "widgets", "Widget", is_custom=True, conversion_webhook=CONFIG
)


class Answer:
    """A caller that changes the objects that it is asked to convert."""

    def __init__(self, change=lambda obj: obj):
        self.change = change
        self.asked = []

    async def post(self, _where, content, _timeout_s):
        request = content["request"]
        self.asked.append(request)
        wanted = request["desiredAPIVersion"]
        converted = [
            self.change(store.clone(each) | {"apiVersion": wanted}) for each in request["objects"]
        ]
        result = {"status": "Success"}
        response = {"uid": request["uid"], "result": result, "convertedObjects": converted}
        return {**content, "response": response}


def convert(*objects, answer=None, resource=WIDGET):
    registry = Registry(clock.Clock(rate=0), clock.Chance(1))
    converter = conversion.Converter(registry, webhook.Services(), answer or Answer())
    return asyncio.run(converter(resource, list(objects), "example.org/v2"))


def widget(name, version="v1", **meta):
    meta = {"name": name, "uid": f"u-{name}", "resourceVersion": "7", **meta}
    return {"apiVersion": f"example.org/{version}", "kind": "Widget", "metadata": meta}


def test_many_objects_are_converted_by_one_call():
    answer = Answer()
    found = convert(*(widget(str(number)) for number in range(5)), answer=answer)
    assert len(answer.asked) == 1
    assert [each["metadata"]["name"] for each in found] == ["0", "1", "2", "3", "4"]
    assert {each["apiVersion"] for each in found} == {"example.org/v2"}


def test_objects_that_need_none_are_not_converted():
    answer = Answer()
    found = convert(widget("a"), widget("b", "v2"), widget("c"), answer=answer)
    assert [each["metadata"]["name"] for each in answer.asked[0]["objects"]] == ["a", "c"]
    assert [each["metadata"]["name"] for each in found] == ["a", "b", "c"]
    answer = Answer()
    convert(widget("b", "v2"), answer=answer)
    assert not answer.asked


def test_the_version_in_the_store_is_no_business_of_the_webhook():
    answer = Answer()
    (found,) = convert(widget("a"), answer=answer)
    assert "resourceVersion" not in answer.asked[0]["objects"][0]["metadata"]
    assert found["metadata"]["resourceVersion"] == "7"


def test_the_given_objects_stay_as_they_are():
    def change(obj):
        obj["metadata"]["labels"] = {"a": "b"}
        return obj

    given = widget("a")
    (found,) = convert(given, answer=Answer(change))
    assert found["metadata"]["labels"] == {"a": "b"}
    assert given == widget("a")


def meta(**changes):
    def change(obj):
        obj["metadata"] = obj["metadata"] | changes
        return obj

    return change


LABEL = "conversion webhook for example.org/v1, Kind=Widget "
REFUSALS = [
    (meta(uid="x"), f"{LABEL}returned invalid object: must have the same UID: u-a != x"),
    (meta(labels=[]), (f"{LABEL}returned invalid metadata: invalid metadata.labels of type "
     "[]interface {} in converted object")),
    (meta(annotations={"a": None}), (f"{LABEL}returned invalid metadata: metadata.annotations[a] "
     "must be a string, but is <nil> in converted object")),
    (lambda _: 3, "json: cannot unmarshal number into Go value of type map[string]interface {}"),
    (lambda _: {"a": 1}, "Object 'Kind' is missing in '{\"a\":1}'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_another_object_is_refused(change, message):
    with pytest.raises(status.ApiError) as caught:
        convert(widget("a"), answer=Answer(change))
    assert (caught.value.code, caught.value.reason) == (500, "")
    assert caught.value.message == message


def test_a_review_that_nobody_speaks():
    config = {**CONFIG, "conversionReviewVersions": ["v1beta1"]}
    old = dataclasses.replace(WIDGET, conversion_webhook=config)
    with pytest.raises(status.ApiError, match="no supported conversion review versions"):
        convert(widget("a"), resource=old)
