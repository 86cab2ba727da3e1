"""What existed before a create that was cut short is never taken for what it made."""

import threading

import pytest

from tests.functional.provider import driver


def _theirs(cloud):
    """Make what a neighbour has; return what lets go of it."""
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.0.0/24")["Subnet"]["SubnetId"]
    gate = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    cloud.call("LinkInternetService", InternetServiceId=gate, NetId=net)
    nic = cloud.call("CreateNic", SubnetId=subnet)["Nic"]["NicId"]
    address = cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    link = cloud.call("LinkPublicIp", PublicIpId=address, NicId=nic)["LinkPublicIpId"]
    spare = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    other = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    tags = [{"Key": "OscK8sClusterID/another", "Value": "owned"}]
    for each in (spare, other):
        cloud.call("CreateTags", ResourceIds=[each], Tags=tags)

    def unlink():
        cloud.call("UnlinkPublicIp", LinkPublicIpId=link)
        cloud.call("UnlinkInternetService", InternetServiceId=gate, NetId=net)
        cloud.call("DeleteTags", ResourceIds=[spare, other], Tags=tags)

    return unlink


@pytest.mark.parametrize("effect", ["refuse", "die before"])
@pytest.mark.parametrize("action", ["CreateNet", "CreatePublicIp", "CreateInternetService"])
def test_what_a_neighbour_lets_go_of_meanwhile_stays_theirs(action, effect):
    happy = driver.ClusterDriver()
    _theirs(driver.Direct(happy.fake))
    happy.settle()
    run = driver.ClusterDriver()
    let_go = _theirs(driver.Direct(run.fake))
    run.cloud.strike_at = happy.cloud.calls.index(action) + 1
    run.cloud.effect = effect
    while len(run.cloud.calls) < run.cloud.strike_at:
        run.step()
    let_go()
    run.settle()
    assert run.is_ready, run.conditions
    run.delete().settle()
    left = driver.inventory(run.fake)
    assert {kind: len(left[kind]) for kind in ("Nets", "PublicIps", "InternetServices")} == {
        "Nets": 2,
        "PublicIps": 1,
        "InternetServices": 2,
    }
    assert not [row for row in left["Nets"] if row["Tags"]]


MAKES = {
    "CreateNet": ("Net", {"IpRange": "10.0.0.0/16"}),
    "CreatePublicIp": ("PublicIp", {}),
    "CreateInternetService": ("InternetService", {}),
}


def _while_lost(action, tags=()):
    """Lose the answer of a create, at which a neighbour makes the same; return his and ours."""
    kind, about = MAKES[action]
    happy = driver.ClusterDriver().settle()
    run = driver.ClusterDriver()
    run.cloud.strike_at = happy.cloud.calls.index(action) + 1
    run.cloud.effect = "lose"
    while len(run.cloud.calls) < run.cloud.strike_at:
        run.step()
    cloud = driver.Direct(run.fake)
    ours = [row[f"{kind}Id"] for row in cloud.read(f"Read{kind}s") if not row["Tags"]]
    theirs = cloud.call(action, **about)[kind][f"{kind}Id"]
    if tags:
        cloud.call("CreateTags", ResourceIds=[theirs], Tags=tags)
    run.fake.clock.advance(30)
    return run, theirs, ours[-1]


def _stands(run, action, theirs, before):
    """Check that all is well, that there is one of it only, and that theirs is as it was."""
    kind, _ = MAKES[action]
    run.settle()
    assert run.is_ready, run.conditions
    rows = {row[f"{kind}Id"]: row for row in driver.Direct(run.fake).read(f"Read{kind}s")}
    assert rows.pop(theirs)["Tags"] == before
    assert len(rows) == 1
    run.delete().settle()
    left = driver.inventory(run.fake)[f"{kind}s"]
    assert [row[f"{kind}Id"] for row in left] == [theirs]


@pytest.mark.parametrize("action", MAKES)
def test_what_a_neighbour_makes_meanwhile_stays_theirs_with_any_tag(action):
    tags = [{"Key": "Name", "Value": "mine"}]
    run, theirs, _ = _while_lost(action, tags)
    _stands(run, action, theirs, tags)


@pytest.mark.parametrize("action", MAKES)
def test_a_person_says_which_is_ours(action):
    run, theirs, ours = _while_lost(action)
    run.step()
    message = run.conditions["Ready"][2]
    assert f"Tag the right one OscK8sClusterID/{driver.UID}=owned." in message
    assert theirs in message
    assert ours in message
    mark = [{"Key": f"OscK8sClusterID/{driver.UID}", "Value": "owned"}]
    driver.Direct(run.fake).call("CreateTags", ResourceIds=[ours], Tags=mark)
    _stands(run, action, theirs, [])


@pytest.mark.parametrize("action", MAKES)
def test_what_a_person_leaves_over_is_not_taken(action):
    run, theirs, ours = _while_lost(action)
    run.step()
    cloud, kind = driver.Direct(run.fake), MAKES[action][0]
    cloud.call(f"Delete{kind}", **{f"{kind}Id": ours})
    run.fake.clock.advance(60)
    run.step()
    assert f"any of {theirs} may be what it made" in run.conditions["Ready"][2]
    tags = [{"Key": "Name", "Value": "mine"}]
    cloud.call("CreateTags", ResourceIds=[theirs], Tags=tags)
    _stands(run, action, theirs, tags)


def test_clusters_that_are_killed_together_go_on_by_themselves():
    """What is looked for in the whole account bears its tag before anything is made with it."""
    happy = driver.ClusterDriver().settle()
    one = driver.ClusterDriver()
    two = driver.ClusterDriver(
        fake=one.fake, uid="5f1c0c5e-0000-4000-8000-000000000002", name="two"
    )
    for run in (one, two):
        run.cloud.effect = "die before"
        run.cloud.strike_at = happy.cloud.calls.index("CreateNatService") + 1
        while len(run.cloud.calls) < run.cloud.strike_at:
            run.step()
    for run in (one, two):
        run.settle()
        assert run.is_ready, run.conditions


# --- Several who make the same at the same time --------------------------------------------------

OTHER = "5f1c0c5e-0000-4000-8000-000000000002"


class Turns:
    """What a process holds alone; ``reached`` is set when somebody has to wait for it."""

    def __init__(self, reached):
        self._lock, self._reached = threading.Lock(), reached

    def __enter__(self):
        if self._lock.locked():
            self._reached.set()
        self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()


@pytest.mark.parametrize("action", MAKES)
def test_clusters_that_are_killed_while_both_make_the_same_go_on_by_themselves(action):
    one = driver.ClusterDriver()
    two = driver.ClusterDriver(fake=one.fake, uid=OTHER, name="two")
    runs, reached, dead = (one, two), threading.Event(), threading.Event()
    one.cloud.alone = two.cloud.alone = Turns(reached)

    def live(run):
        try:
            while not dead.is_set():
                run.step()
        finally:
            reached.set()

    other = threading.Thread(target=live, args=(two,))

    def dies(call, meanwhile):
        def dying(name, /, **request):
            if dead.is_set():
                raise driver.Killed
            answer = call(name, **request)
            if name == action:
                meanwhile()
                raise driver.Killed
            return answer

        return dying

    def lets_the_other_come():
        other.start()
        reached.wait()
        dead.set()

    def has_come():
        reached.set()
        dead.wait()

    calls = [run.cloud.call for run in runs]
    one.cloud.call = dies(one.cloud.call, lets_the_other_come)
    two.cloud.call = dies(two.cloud.call, has_come)
    live(one)
    other.join()
    for run, call in zip(runs, calls, strict=True):
        run.cloud.call = call
    _both_come_and_go(one, two, action)


def _cut_short(action, effect, **given):
    """Return a cluster whose process was killed before or after a create."""
    run = driver.ClusterDriver(**given)
    run.cloud.effect = effect
    run.cloud.strike_at = driver.ClusterDriver().settle().cloud.calls.index(action) + 1
    while len(run.cloud.calls) < run.cloud.strike_at:
        run.step()
    return run


def _meanwhile(run, action, happens, *, before=False):
    """Go on until an action is called, and let something happen right before or after that."""
    answered = run.cloud.call
    left = [happens]

    def call(name, /, **request):
        if name == action and before and left:
            left.pop()()
        answer = answered(name, **request)
        if name == action and left:
            left.pop()()
        return answer

    run.cloud.call = call
    while left:
        run.step()


def _claims(fake, action):
    """Return how many owners each resource of a kind has."""
    rows = driver.Direct(fake).read(f"Read{MAKES[action][0]}s")
    keys = [[tag["Key"] for tag in row["Tags"]] for row in rows]
    return [sum(key.startswith("OscK8sClusterID/") for key in each) for each in keys]


def _both_come_and_go(one, two, action):
    for run in (one, two):
        run.settle()
        assert run.is_ready, run.conditions
    assert _claims(one.fake, action) == [1, 1]
    one.delete().settle()
    two.settle()
    assert two.is_ready
    assert _claims(one.fake, action) == [1]
    two.delete().settle()
    assert _claims(one.fake, action) == []


@pytest.mark.parametrize("action", MAKES)
def test_what_a_neighbour_marks_a_moment_later_is_left_to_them(action):
    kind, about = MAKES[action]
    run = _cut_short(action, "die before")
    cloud = driver.Direct(run.fake)
    theirs = cloud.call(action, **about)[kind][f"{kind}Id"]
    tags = [{"Key": "Name", "Value": "mine"}]
    wait = run.clock.sleep

    def sleep(seconds):
        wait(seconds)
        cloud.call("CreateTags", ResourceIds=[theirs], Tags=tags)

    run.clock.sleep = sleep
    _stands(run, action, theirs, tags)


@pytest.mark.parametrize("action", MAKES)
def test_what_a_cluster_is_just_making_is_not_shared_with_one_that_was_cut_short(action):
    one = _cut_short(action, "die before")
    two = driver.ClusterDriver(fake=one.fake, uid=OTHER, name="two")
    _meanwhile(two, action, one.step)
    _both_come_and_go(one, two, action)


@pytest.mark.parametrize("action", MAKES)
def test_what_two_clusters_find_at_the_same_time_has_one_of_them(action):
    one = _cut_short(action, "die before")
    two = _cut_short(action, "die after", fake=one.fake, uid=OTHER, name="two")
    _meanwhile(two, "CreateTags", one.step, before=True)
    _both_come_and_go(one, two, action)
