"""Product types: CreateProductType, DeleteProductType, ReadProductTypes.

https://docs.outscale.com/en/userguide/Software-Licenses.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, prune, seed
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row
from fakecloud.rules import images


def _visible(row: Row, account: str) -> bool:  # noqa: ARG001 - the same for every account
    return not row.id.startswith("pty-")


kind(
    "ProductType",
    id="ProductTypeId",
    prefix="pty",
    absent=5059,
    visible=_visible,
    read="ReadProductTypes",
    answer="ProductTypes",
)


@seed
def public_product_types(call: Call) -> None:
    """Give a region the product types that every image may carry."""
    for code, description in images.PRODUCTS.items():
        call.create("ProductType", {"Description": description}, id_=code)


@action
def CreateProductType(call: Call, Description: str, Vendor: str | None = None) -> Data:
    """Create a product type of the account's own."""
    data = {"Description": Description, **prune(Vendor=Vendor)}
    return {"ProductType": call.create("ProductType", data)}


@action
def DeleteProductType(call: Call, ProductTypeId: str, Force: bool = False) -> Data:
    """Delete a product type of the account; by force even when images carry it, which keep it."""
    product = call.own("ProductType", ProductTypeId)
    used = call.find("Image", "ProductCodes", ProductTypeId)
    if used and not Force:
        raise errors.refusal(
            9002, f"The image {used[0].id} carries {ProductTypeId}. Set Force to delete it anyway."
        )
    call.delete(product)
    return {}
