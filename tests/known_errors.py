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
    (1001, "DependencyProblem"): "page",
    (1003, "DependencyProblem"): "vendor",
    (1004, "DependencyProblem"): "client",
    (1005, "DependencyProblem"): "client",
    (1007, "DependencyProblem"): "client",
    (1018, "DependencyProblem"): "client",
    (2000, "InternalError"): "page",
    (3001, "InvalidParameter"): "vendor",
    (3002, "InvalidParameter"): "vendor",
    (4098, "InvalidParameterValue"): "vendor",
    (4110, "InvalidParameterValue"): "vendor",
    (4112, "InvalidParameterValue"): "vendor",
    (4113, "InvalidParameterValue"): "vendor",
    (4116, "InvalidParameterValue"): "page",
    (4117, "InvalidParameterValue"): "page",
    (4118, "InvalidParameterValue"): "vendor",
    (4119, "InvalidParameterValue"): "vendor",
    (4120, "InvalidParameterValue"): "recorded",
    (4122, "InvalidParameterValue"): "vendor",
    (4123, "InvalidParameterValue"): "vendor",
    (4124, "InvalidParameterValue"): "vendor",
    (4125, "InvalidParameterValue"): "client",
    (4128, "InvalidParameterValue"): "vendor",
    (4133, "InvalidParameterValue"): "recorded",
    (4199, "InvalidParameterValue"): "recorded",
    (4202, "InvalidParameterValue"): "client",
    (4212, "InvalidParameterValue"): "client",
    (5076, "InvalidResource"): "vendor",
    (5080, "InvalidResource"): "recorded",
    (5098, "InvalidResource"): "client",
    (6031, "InvalidState"): "client",
    (7000, "MissingParameter"): "vendor",
    (7003, "MissingParameter"): "vendor",
    (8003, "OperationNotSupported"): "vendor",
    (8004, "OperationNotSupported"): "vendor",
    (8010, "OperationNotSupported"): "vendor",
    (8011, "OperationNotSupported"): "vendor",
    (8017, "OperationNotSupported"): "vendor",
    (8018, "OperationNotSupported"): "vendor",
    (8019, "OperationNotSupported"): "vendor",
    (9029, "ResourceConflict"): "vendor",
    (9073, "ResourceConflict"): "vendor",
    (9085, "ResourceConflict"): "recorded",
    (9095, "ResourceConflict"): "client",
    (9097, "ResourceConflict"): "client",
    (10001, "InsufficientCapacity"): "vendor",
    (10039, "TooManyResources (QuotaExceded)"): "vendor",
    (12000, "InvalidAction"): "vendor",
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
