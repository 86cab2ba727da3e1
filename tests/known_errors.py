"""Which errors the API is known to make: (code, type), each with where it is known from.

``gateway_errors.yaml`` of osc-sdk-python has most of them. The others are here, with their source:
``page`` is the errors page of the user documentation, ``recorded`` an answer of the real API,
``vendor`` the vendor's own published tests of the API, ``client`` an official client that depends
on the code.
"""

from fakecloud import document, errors

ALSO_KNOWN = {
    (0, "DefaultError"): "page",
    (1, "AccessDenied"): "page",
    (2, "AccessDenied"): "page",
    (4, "AccessDenied"): "page",
    (5, "AccessDenied"): "page",
    (6, "AccessDenied"): "page",
    (7, "AccessDenied"): "page",
    (8, "WrongAuthenticationMethod"): "page",
    (9, "AuthFailure"): "page",
    (10, "MissingLoginPassword"): "page",
    (11, "AccessDenied"): "page",
    (12, "AccessDenied"): "page",
    (13, "AccessDenied"): "page",
    (14, "AccessDenied"): "page",
    (20, "PasswordExpired"): "page",
    (24, "AccessDenied"): "page",
    (25, "AccessDenied"): "page",
    (2000, "InternalError"): "page",
}


def is_known(code, type_):
    """Tell whether the API is known to answer this code with this type."""
    if (code, type_) in ALSO_KNOWN:
        return True
    found = document.known_errors().get(code)
    if found is None:
        return False
    # The file writes one family in two ways.
    return type_ == found[1] or (type_ == errors.QUOTA and found[1].startswith("TooManyResources"))
