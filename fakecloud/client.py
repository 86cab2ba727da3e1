"""A view of a cloud with every action as a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakecloud.cloud import FakeCloud

Json = Any


class Client:
    """Every action as a method: ``client.CreateNet(IpRange="10.0.0.0/16")``."""

    def __init__(self, cloud: FakeCloud, account: str, region: str) -> None:
        self.cloud = cloud
        self.account = account
        self.region = region

    def __getattr__(self, action: str) -> Callable[..., dict[str, Json]]:
        if action not in self.cloud.document.actions:
            raise AttributeError(f"The API has no action {action}.")

        def act(**request: Json) -> dict[str, Json]:
            return self.cloud.call(action, account=self.account, region=self.region, **request)

        return act
