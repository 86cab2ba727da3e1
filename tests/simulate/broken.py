"""What is raised when a law is broken."""


class Broken(AssertionError):
    """A law is broken; the message says which, and by what."""


def require(truth, law, *facts):
    """Raise ``Broken`` unless the law holds."""
    if not truth:
        raise Broken(f"{law}: {', '.join(str(each) for each in facts)}")
