"""Where our answers have other keys than the document's examples, and why: nothing else may.

A departure is ``+Type.Key`` (ours has it, the example has not), ``-Type.Key`` (the example has it,
ours has not) or ``-Type`` (the example shows such an object, ours shows none).
"""

LB_ANSWERS = [
    ("CreateLoadBalancer", "ex1"),
    ("CreateLoadBalancer", "ex2"),
    ("CreateLoadBalancer", "ex3"),
    ("CreateLoadBalancerListeners", "ex1"),
    ("CreateLoadBalancerPolicy", "ex1"),
    ("CreateLoadBalancerPolicy", "ex2"),
    ("DeleteLoadBalancer", "ex1"),
    ("DeleteLoadBalancerListeners", "ex1"),
    ("DeleteLoadBalancerPolicy", "ex1"),
    ("ReadLoadBalancers", "ex1"),
    ("UpdateLoadBalancer", "ex1"),
    ("UpdateLoadBalancer", "ex2"),
    ("UpdateLoadBalancer", "ex3"),
    ("UpdateLoadBalancer", "ex4"),
]
VM_ANSWERS = [
    ("CreateVms", "ex1"),
    ("CreateVms", "ex2"),
    ("CreateVms", "ex3"),
    ("CreateVms", "ex4"),
    ("ReadVms", "ex1"),
    ("ReadVms", "ex2"),
]

# Why, what, and where.
_GROUPS = [
    (
        "The list of always-present fields has BackendIps; the example is older than the field.",
        ["+LoadBalancer.BackendIps"],
        LB_ANSWERS,
    ),
    (
        "The schema has the state, which clients wait for; the example is older than the field.",
        ["+LoadBalancer.State"],
        LB_ANSWERS,
    ),
    (
        "Recorded: a load balancer that is up shows its private IP, from a later read on.",
        ["+LoadBalancer.PrivateIp"],
        LB_ANSWERS[3:],
    ),
    (
        "The list of always-present fields has it, and so have the examples of other actions.",
        ["+LoadBalancer.SecuredCookies"],
        [("CreateLoadBalancerPolicy", "ex1"), ("CreateLoadBalancerPolicy", "ex2")],
    ),
    (
        "The scene's listener speaks HTTPS and has a certificate; the example's speaks HTTP.",
        ["+Listener.ServerCertificateId"],
        [("DeleteLoadBalancerPolicy", "ex1")],
    ),
    (
        "The example sets the policies of a listener, and forgets to show them there.",
        ["+Listener.PolicyNames"],
        [("UpdateLoadBalancer", "ex3")],
    ),
    (
        "Recorded: VMs show ShutdownBehaviorConfiguration; the examples of UpdateVm do as well.",
        ["+Vm.ShutdownBehaviorConfiguration"],
        VM_ANSWERS,
    ),
    (
        "The list of always-present fields has both; the example is older than they are.",
        ["+Vm.BootMode", "+Vm.TpmEnabled"],
        [("UpdateVm", "ex1"), ("UpdateVm", "ex2")],
    ),
    (
        "The list of always-present fields has them; the examples of ReadImages do as well.",
        ["+Image.BootModes", "+Image.SecureBoot", "+Image.TpmMandatory"],
        [("UpdateImage", f"ex{number}") for number in (1, 2, 3, 4)],
    ),
    (
        "The vendor's tests of the API find the StateComment of its own images not empty.",
        ["+StateComment.StateCode", "+StateComment.StateMessage"],
        [("ReadImages", "ex2")],
    ),
    (
        "Recorded: the route to the Net itself has the GatewayId 'local'.",
        ["+Route.GatewayId"],
        [
            ("CreateRouteTable", "ex1"),
            ("DeleteRoute", "ex1"),
            ("ReadRouteTables", "ex1"),
            ("ReadRouteTables", "ex2"),
            ("UpdateRoutePropagation", "ex1"),
        ],
    ),
    (
        "The list of always-present fields has it; the example of ReadRouteTables does as well.",
        ["+LinkRouteTable.NetId"],
        [("UpdateRoute", "ex1"), ("UpdateRoutePropagation", "ex1")],
    ),
    (
        "Recorded: rules have an identifier; the examples are older than the field.",
        ["+SecurityGroupRule.SecurityGroupRuleId"],
        [
            ("CreateSecurityGroup", "ex1"),
            ("CreateSecurityGroupRule", "ex1"),
            ("CreateSecurityGroupRule", "ex2"),
            ("DeleteSecurityGroupRule", "ex1"),
            ("DeleteSecurityGroupRule", "ex2"),
            ("ReadSecurityGroups", "ex1"),
        ],
    ),
    (
        "A name names a group in the public cloud only (vendor's tests); the example has a Net.",
        ["-SecurityGroup.NetId"],
        [("CreateSecurityGroupRule", "ex2"), ("DeleteSecurityGroupRule", "ex2")],
    ),
    (
        "A group of the public cloud has no outbound rule, the only one with IpRanges here.",
        ["-SecurityGroupRule.IpRanges"],
        [("CreateSecurityGroupRule", "ex2")],
    ),
    (
        "The example of AcceptNetPeering has it, and the schema does not say when it goes.",
        ["+NetPeering.ExpirationDate"],
        [
            ("CreateNetPeering", "ex1"),
            ("CreateNetPeering", "ex2"),
            ("ReadNetPeerings", "ex1"),
            ("ReadNetPeerings", "ex2"),
        ],
    ),
    (
        "The schema has the state of a tunnel; the example is older than the field.",
        ["+VgwTelemetry.State"],
        [
            ("CreateVpnConnection", "ex1"),
            ("ReadVpnConnections", "ex1"),
            ("ReadVpnConnections", "ex2"),
            ("UpdateVpnConnection", "ex1"),
        ],
    ),
    (
        "Keypairs take tags, so their schema has them; the example is older than the field.",
        ["+Keypair.Tags"],
        [("ReadKeypairs", "ex1")],
    ),
    (
        "Keypairs take tags, so their schema has them; the example is older than the field.",
        ["+KeypairCreated.Tags"],
        [("CreateKeypair", "ex1"), ("CreateKeypair", "ex2")],
    ),
    (
        "The schema has both dates; the example is older than they are.",
        ["+ServerCertificate.ExpirationDate", "+ServerCertificate.UploadDate"],
        [
            ("CreateServerCertificate", "ex1"),
            ("ReadServerCertificates", "ex1"),
            ("UpdateServerCertificate", "ex1"),
        ],
    ),
    (
        "The other examples of the certificate show its ORN.",
        ["+ServerCertificate.Orn"],
        [("UpdateServerCertificate", "ex1")],
    ),
    (
        "The example's request has a keypair and its answer has none, but the schema does.",
        ["+VmTemplate.KeypairName"],
        [("CreateVmTemplate", "ex1")],
    ),
    (
        "The other examples of the VM group show its template.",
        ["+VmGroup.VmTemplateId"],
        [("ReadVmGroups", "ex1")],
    ),
    (
        "The schema has both dates; the example is older than they are.",
        ["+VolumeUpdateTask.CompletionDate", "+VolumeUpdateTask.StartDate"],
        [("ReadVolumeUpdateTasks", "ex1")],
    ),
    (
        "The schema has the flags; the example is older than the field. (Shape only.)",
        ["+CatalogEntry.Flags"],
        [("ReadCatalog", "ex1"), ("ReadPublicCatalog", "ex1")],
    ),
    (
        "The simulated catalog begins in 2025; the example asks for an older one. (Shape only.)",
        ["-Catalogs"],
        [("ReadCatalogs", "ex1")],
    ),
    (
        "The example has no ResponseContext, but every answer of the API has one.",
        ["+ReadUserPolicyResponse.ResponseContext"],
        [("ReadUserPolicy", "ex1")],
    ),
    (
        "The example of CreateUser has both dates.",
        ["+User.CreationDate", "+User.LastModificationDate"],
        [("ReadUsers", "ex1")],
    ),
    (
        "The schema has them, and the examples of the other paged reads show them.",
        [
            "+ReadUsersResponse.HasMoreItems",
            "+ReadUsersResponse.MaxResultsLimit",
            "+ReadUsersResponse.MaxResultsTruncated",
        ],
        [("ReadUsers", "ex1")],
    ),
    (
        "FirstItem is 1, and one group has the identifier: the simulator counts from 0.",
        ["-UserGroup"],
        [("ReadUserGroups", "ex1")],
    ),
    (
        "The filter is an address without a mask; rules are kept with one (192.0.2.0/32).",
        ["-SecurityGroup"],
        [("ReadSecurityGroups", "ex2")],
    ),
    (
        "The example has an entry of two keys, one of them the price that it asks not to show.",
        ["-ConsumptionEntry.UnitPrice"],
        [("ReadConsumptionAccount", "ex1")],
    ),
    (
        "The simulator has no policies of Outscale's own (Scope OWS).",
        ["-Policy"],
        [("ReadPolicies", "ex1")],
    ),
]


def _expand():
    found = {}
    for why, departures, examples in _GROUPS:
        for example in examples:
            found.setdefault(example, {}).update(dict.fromkeys(departures, why))
    return found


EXCEPTIONS = _expand()
"""(action, request example) -> departure -> why."""
