"""Security groups with their rules, and those that the CCM puts beside them.

Identity: the owner's tag; before it is tagged, an intent and the name inside the Net.
https://docs.outscale.com/en/userguide/About-Security-Groups.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from provider.engine import resource as resources
from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import holders, subnet
from provider.resources import want as wants
from provider.resources.net import Net
from provider.rules import firewall, names
from provider.rules.firewall import Rule

_FLOWS = {"Inbound": "InboundRules", "Outbound": "OutboundRules"}
_MEMBERS = "SecurityGroupsMembers"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SecurityGroup(Resource):
    """One security group; its key is its name without the uid of the cluster."""

    KIND: ClassVar[str] = "securityGroup"
    CONDITION: ClassVar[str] = "SecurityGroupsReady"
    ID_FILTER: ClassVar[str] = "SecurityGroupIds"
    OWN_TAGS: ClassVar[tuple[str, ...]] = names.OWN_TAGS
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"rules"})

    net: Net
    name: str
    description: str = dataclasses.field(default="", compare=False)
    rules: frozenset[Rule] = frozenset()
    """Rules by IP range. Rules by member are the CCM's, and nobody compares them."""
    is_authoritative: bool = dataclasses.field(default=True, compare=False)
    """Whether rules that nobody asked for are taken away."""
    members: tuple[Mapping[str, Any], ...] = dataclasses.field(
        default=(), compare=False, repr=False
    )
    """Rules by member, as the API shows them, each with its ``Flow``."""
    account: str = dataclasses.field(default="", compare=False)
    """Whose it is: as it is ours, this is the account of the cluster."""

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return the groups of the spec, or the automatic ones; raise ``Refusal``."""
        (net,) = want.of(Net)
        groups = firewall.groups(
            want.network, want.cluster, net.ip_range, want.of(subnet.Subnet), want.nat_ips
        )
        uses = want.network.use_existing.security_groups
        _check_names([group.key for group in groups])
        for group in groups:
            tags = names.role_tags(group.roles)
            if group.is_main:
                key, value = names.main_group_tag(want.uid)
                tags[key] = value
            yield cls(
                key=group.key,
                id=group.resource_id,
                net=net,
                name=names.group(group.key, want.uid),
                description=group.description,
                rules=frozenset(group.rules),
                is_authoritative=group.authoritative,
                tags=tags | {names.NAME: group.key},
                is_managed=not (uses or group.resource_id),
            )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find groups by the owner's tag; used ones by their ids, in the same Net."""
        used = scope.existing.get(cls.KIND, {})
        key, value = scope.owner
        for row in cloud.read("ReadSecurityGroups", Filters=wants.filters(scope, world, used)):
            tags = wants.tags_of(row)
            is_used = row["SecurityGroupId"] in used
            if used and not is_used and tags.get(key) != value:
                continue
            found = world.by_id(row.get("NetId", ""))
            net = found if isinstance(found, Net) else Net(key="used", id=row.get("NetId", ""))
            name = row["SecurityGroupName"]
            suffix = f"-{scope.about.get('uid', '')}"
            place = used.get(row["SecurityGroupId"], name.removesuffix(suffix))
            yield dataclasses.replace(
                cls._seen(row, place, net),
                is_managed=not is_used,
                stays=names.is_ccm_group(name) and not name.endswith(suffix),
            )

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str, net: Net) -> Self:
        rules = set()
        members = []
        for flow, field in _FLOWS.items():
            for each in row[field]:
                rules |= {_rule(flow, each, ip_range) for ip_range in each.get("IpRanges") or ()}
                if each.get(_MEMBERS):
                    members.append({**each, "Flow": flow})
        return cls(
            key=key,
            id=row["SecurityGroupId"],
            net=net,
            name=row["SecurityGroupName"],
            description=row.get("Description", ""),
            rules=frozenset(rules),
            members=tuple(members),
            account=str(row.get("AccountId", "")),
            tags=wants.tags_of(row),
        )

    @property
    def roles(self) -> frozenset[str]:
        """To what it applies."""
        return wants.roles_of(self.tags)

    def differences(self, observed: Self) -> tuple[resources.Difference, ...]:
        """Return whether rules are missing, or there are some that nobody asked for."""
        missing = self.rules - observed.rules
        surplus = self._surplus(observed)
        if not missing and not surplus:
            return ()
        return (RuleDifference("rules", tuple(surplus), tuple(missing)),)

    def _surplus(self, observed: Self) -> frozenset[Rule]:
        return observed.rules - self.rules if self.is_authoritative else frozenset()

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find a group of this name in this Net."""
        return {"NetIds": [self.net.id], "SecurityGroupNames": [self.name]}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the groups of this name in this Net."""
        rows = cloud.read("ReadSecurityGroups", Filters=dict(filters))
        return wants.alike(
            cls._seen(row, key, Net(key="default", id=str(row["NetId"]))) for row in rows
        )

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create it, or return what a create has left; the update that follows gives it its rules.

        Its name has the uid of the cluster in it, so that nobody else would have chosen it.
        """
        try:
            answer = cloud.call(
                "CreateSecurityGroup",
                NetId=self.net.id,
                SecurityGroupName=self.name,
                Description=self.description,
            )
        except errors.ApiError as error:
            left = wants.left_there(self, cloud, error)
            if left is None:
                raise
            return left
        return self._seen(answer["SecurityGroup"], self.key, self.net)

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Add what is missing, one call for each direction, then take away what is too much."""
        surplus = self._surplus(observed)
        for flow in _FLOWS:
            for action, rules in (
                ("CreateSecurityGroupRule", self.rules - observed.rules),
                ("DeleteSecurityGroupRule", surplus),
            ):
                wanted = _grouped(rule for rule in rules if rule.flow == flow)
                if wanted:
                    cloud.call(action, SecurityGroupId=observed.id, Flow=flow, Rules=wanted)
        return dataclasses.replace(observed, rules=(observed.rules | self.rules) - surplus)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete it, after its rules by member, which would hold other groups.

        When it is in use, tell by what.
        """
        for each in self.members:
            rule = {key: value for key, value in each.items() if key in _RULE_FIELDS}
            cloud.call(
                "DeleteSecurityGroupRule",
                SecurityGroupId=self.id,
                Flow=each["Flow"],
                Rules=[{**rule, _MEMBERS: each[_MEMBERS]}],
            )
        try:
            cloud.call("DeleteSecurityGroup", SecurityGroupId=self.id)
        except errors.ApiError as error:
            holders.explain(error, cloud, "security group", self.id)
            raise


_RULE_FIELDS = ("IpProtocol", "FromPortRange", "ToPortRange")


@dataclasses.dataclass(frozen=True)
class RuleDifference(resources.Difference):
    """Rules that are missing, or too many."""

    def __str__(self) -> str:
        parts = []
        if self.wanted:
            parts.append(f"{len(self.wanted)} rules are missing")
        if self.there:
            parts.append(f"{len(self.there)} rules are not wanted")
        return " and ".join(parts)


def _rule(flow: str, row: Mapping[str, Any], ip_range: str) -> Rule:
    return Rule(
        flow=flow,
        protocol=row["IpProtocol"],
        from_port=row.get("FromPortRange", -1),
        to_port=row.get("ToPortRange", -1),
        ip_range=ip_range,
    )


def _check_names(keys: Sequence[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise Refusal(
            f"spec.network.securityGroups has more than one {', '.join(twice)}, which is also what "
            "one without a name is called. Give each a name of its own."
        )


def _grouped(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return rules as the API takes them: one for all ranges of the same ports."""
    groups: dict[tuple[str, int, int], list[str]] = {}
    for rule in sorted(rules):
        ports = (rule.protocol, rule.from_port, rule.to_port)
        groups.setdefault(ports, []).append(rule.ip_range)
    return [
        {
            "IpProtocol": protocol,
            "FromPortRange": from_port,
            "ToPortRange": to_port,
            "IpRanges": ranges,
        }
        for (protocol, from_port, to_port), ranges in groups.items()
    ]


def with_role(want: wants.Want, role: str) -> list[SecurityGroup]:
    """Return the wanted groups with a role."""
    return [each for each in want.of(SecurityGroup) if role in each.roles]


def theirs(
    wanted: Collection[SecurityGroup], there: Iterable[SecurityGroup]
) -> frozenset[SecurityGroup]:
    """Return the groups that people have given to what is to have groups of ours only."""
    if not all(each.is_managed for each in wanted):
        return frozenset()
    return frozenset(each for each in there if not each.is_managed)


def seen(ids: Iterable[str], world: worlds.World) -> tuple[SecurityGroup, ...]:
    """Return the groups with these ids; of somebody else's, only the id is known."""
    found = []
    for id_ in ids:
        each = world.by_id(id_)
        if not isinstance(each, SecurityGroup):
            each = SecurityGroup(key=id_, id=id_, net=Net(key="used"), name=id_, is_managed=False)
        found.append(each)
    return tuple(sorted(found, key=lambda each: each.key))
