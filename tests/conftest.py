"""What every test shares."""

import hypothesis

# A busy machine is slow, which says nothing about the code: the whole run has a budget instead.
hypothesis.settings.register_profile("caposc", deadline=None, print_blob=True)
hypothesis.settings.load_profile("caposc")
