"""What every test shares."""

import hypothesis

pytest_plugins = ["tools.pytest_plugin"]

# A busy machine is slow, which says nothing about the code: the whole run has a budget instead.
hypothesis.settings.register_profile("caposc", deadline=None, print_blob=True)
hypothesis.settings.load_profile("caposc")
