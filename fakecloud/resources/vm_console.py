"""Looking into VMs: ReadConsoleOutput, ReadAdminPassword.

https://docs.outscale.com/en/userguide/About-VMs.html
"""

from __future__ import annotations

import base64

from fakecloud.call import Call, action, shape_only
from fakecloud.kinds import Data


@shape_only("No operating system runs, so the console shows a short made-up boot log.")
def ReadConsoleOutput(call: Call, VmId: str) -> Data:
    """Return the console of a VM in Base64: a boot log with its host name, once it has booted."""
    vm = call.get("Vm", VmId)
    lines = []
    if vm.state in ("running", "stopping"):
        host = vm["PrivateDnsName"].split(".")[0]
        lines = [
            "[    0.000000] Linux version 6.8.0-outscale (fakecloud)",
            f"[    0.000000] DMI: OUTSCALE VM {vm['VmType']}",
            f"[    3.141593] cloud-init: Datasource DataSourceOutscale. VM {vm.id}",
            "",
            f"{host} login: ",
        ]
    output = base64.b64encode("\n".join(lines).encode()).decode()
    return {"ConsoleOutput": output, "VmId": vm.id}


@action
def ReadAdminPassword(call: Call, VmId: str) -> Data:
    """Return the password of a Windows VM: empty, as it is for Linux and after the first boot."""
    vm = call.get("Vm", VmId)
    return {"AdminPassword": "", "VmId": vm.id}
