"""The table of refusals: its codes are those of the catalogue, and each means one thing."""

import pytest

from fakecloud import document
from fakecloud import errors as simulated
from provider.osc import errors
from provider.osc.errors import ApiError, Cause
from tests import known_errors

# The names of codes that the catalogue lacks are ours; tests/known_errors.py says who knows them.
NAMED_BY_US = {0, 2, 6, 24, 25, 1007, 4116, 4120, 4122, 9073, 10001}


@pytest.mark.parametrize(("code", "name", "cause"), errors.CODES)
def test_a_row_names_its_code_as_the_catalogue_does(code, name, cause):
    if code in NAMED_BY_US:
        assert code not in document.known_errors()
        assert any(code == known for known, _ in known_errors.ALSO_KNOWN)
    else:
        assert document.known_errors()[code][0].strip() == name
    assert cause is not errors.FAMILIES[code // 1000], "A row that says nothing is left out."


def test_no_code_has_two_rows():
    codes = [code for code, _, _ in errors.CODES]
    assert codes == sorted(set(codes))


def test_every_code_of_the_catalogue_has_a_family():
    assert {code // 1000 for code in document.known_errors()} <= errors.FAMILIES.keys()


def test_every_code_of_the_simulator_has_a_family():
    assert {code // 1000 for code in simulated.TEXTS} <= errors.FAMILIES.keys()


@pytest.mark.parametrize(
    ("status", "code", "type_", "cause"),
    [
        (400, "5065", "InvalidResource", Cause.GONE),
        (400, "4122", "InvalidParameterValue", Cause.GONE),
        (424, "1007", "DependencyProblem", Cause.GONE),
        (409, "9085", "ResourceConflict", Cause.BUSY),
        (409, "9045", "ResourceConflict", Cause.BUSY),
        (409, "6031", "InvalidState", Cause.BUSY),
        (409, "1018", "DependencyProblem", Cause.BUSY),
        (429, "24", "AccessDenied", Cause.THROTTLED),
        (429, "25", "AccessDenied", Cause.THROTTLED),
        (503, "6", "AccessDenied", Cause.THROTTLED),
        (400, "10022", "TooManyResources (QuotaExceded)", Cause.QUOTA),
        (400, "10001", "InsufficientCapacity", Cause.CAPACITY),
        (400, "5069", "InvalidResource", Cause.CAPACITY),
        (401, "1", "AccessDenied", Cause.DENIED),
        (401, "13", "AccessDenied", Cause.DENIED),
        (400, "4120", "InvalidParameterValue", Cause.DENIED),
        (409, "9058", "ResourceConflict", Cause.TAKEN),
        (409, "9008", "ResourceConflict", Cause.TAKEN),
        (400, "4014", "InvalidParameterValue", Cause.OURS),
        (400, "7000", "MissingParameter", Cause.OURS),
        (404, "12000", "InvalidAction", Cause.OURS),
        (500, "2000", "InternalError", Cause.UNKNOWN),
        (409, "77001", "ResourceConflict", Cause.BUSY),
        (400, "", "InsufficientCapacity", Cause.CAPACITY),
        (429, "", "", Cause.THROTTLED),
        (403, "", "", Cause.DENIED),
        (404, "", "", Cause.OURS),
        (408, "", "", Cause.UNKNOWN),
        (502, "", "", Cause.UNKNOWN),
        (503, "", "", Cause.UNKNOWN),
        (0, "", "", Cause.UNKNOWN),
    ],
)
def test_a_refusal_means(status, code, type_, cause):
    assert errors.classify(status, code, type_) is cause


def test_an_error_reads_as_action_type_code_and_request():
    body = {
        "Errors": [{"Code": "9037", "Type": "ResourceConflict", "Details": "It has a NAT."}],
        "ResponseContext": {"RequestId": "4f3c"},
    }
    error = ApiError.of_answer("CreateNatService", 409, body)
    said = "CreateNatService: ResourceConflict 9037 It has a NAT. (request 4f3c)"
    assert str(error) == said
    assert (error.status, error.code, error.cause) == (409, "9037", Cause.TAKEN)


@pytest.mark.parametrize(
    ("said", "lasts"),
    [
        ("CreateNet: Busy 9085 (request 4f3c)", "CreateNet: Busy 9085."),
        ("CreateNet: Busy 9085 Later. (request 4f3c).", "CreateNet: Busy 9085 Later."),
        ("* a (request 1).\n* b. (request 2)", "* a.\n* b."),
        ("* a (request 1)", "* a."),
        ("No more (requests).", "No more (requests)."),
    ],
)
def test_what_lasts_of_an_error_is_all_but_its_request(said, lasts):
    assert errors.lasting(said) == lasts


def test_a_problem_document_is_read_as_well():
    body = {"type": "about:blank", "title": "Forbidden", "detail": "Not you.", "status": 403}
    error = ApiError.of_answer("ReadNets", 403, body)
    assert str(error) == "ReadNets: Forbidden Not you."
    assert error.cause is Cause.DENIED


@pytest.mark.parametrize("body", [None, [], "x", {"Errors": ["x"]}, {"ResponseContext": 1}])
def test_a_body_of_another_shape_is_no_accident(body):
    assert ApiError.of_answer("ReadNets", 502, body).cause is Cause.UNKNOWN


def test_details_that_quote_user_data_are_left_out():
    canary = "I2Nsb3VkLWNvbmZpZwpjYW5hcnkK"
    body = {"Errors": [{"Code": "4047", "Type": "T", "Details": f"Bad: '{canary}'."}]}
    error = ApiError.of_answer("CreateVms", 400, body, hidden=canary)
    assert canary not in f"{error!s}{error!r}{error.details}{vars(error)}"


def test_long_details_are_cut():
    assert len(ApiError("ReadNets", details="x" * 10_000).details) == errors.DETAILS_MOST
