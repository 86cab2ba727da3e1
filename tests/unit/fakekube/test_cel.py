"""CEL: what expressions mean, and how they are refused."""

import pytest

from fakekube.schema import cel, cel_types

THING = {
    "type": "object",
    "properties": {
        "a": {"type": "string"},
        "n": {"type": "integer"},
        "f": {"type": "number"},
        "l": {"type": "array", "items": {"type": "string"}},
        "m": {"type": "object", "additionalProperties": {"type": "string"}},
        "x": {"x-kubernetes-int-or-string": True},
        "d": {"type": "string", "format": "date-time"},
        "u": {"type": "string", "format": "duration"},
        "b": {"type": "string", "format": "byte"},
        "a-b": {"type": "string"},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    },
}
TYPE = cel_types.of_schema(THING)
VALUE = {
    "a": "abc",
    "n": 5,
    "f": 2,
    "l": ["a", "b"],
    "m": {"k": "v"},
    "x": "5%",
    "d": "2024-01-01T00:00:00Z",
    "u": "1h",
    "b": "YWJj",
    "a-b": "dash",
    "set": ["p", "q"],
}


def evaluate(source, value=VALUE):
    return cel.compile_expression(source, {"self": TYPE}).evaluate({"self": value})


@pytest.mark.parametrize(
    "source",
    [
        "self.l.all(x, self.l.exists_one(y, x == y))",
        "self.l.map(x, x + '!') == ['a!', 'b!'] && self.l.filter(x, x > 'a') == ['b']",
        "self.l.map(x, x == 'a', x.size()).sum() == 1",
        "self.l.transformMap(i, v, v + string(i)) == {0: 'a0', 1: 'b1'}",
        "self.m.all(k, v, k == 'k' && v == 'v') && 'k' in self.m && !('z' in self.m)",
        "has(self.a) && !has(self.m.z) && self.?m[?'z'].orValue('none') == 'none'",
        "optional.of(self.a).optMap(x, x.size()).value() == 3",
        "self.f / 4.0 == 0.5 && self.n / 2 == 2 && -self.n % 3 == -2",
        "self.n < 5.5 && self.n <= 5u && dyn(self.n) == 5.0",
        "type(self.x) == string && self.x.endsWith('%')",
        "self.d < timestamp('2024-01-02T00:00:00Z') && self.d.getFullYear() == 2024",
        "self.u == duration('60m') && string(self.u) == '3600s'",
        "self.b == b'abc' && self.a__dash__b == 'dash'",
        "self.set == ['q', 'p'] && self.l != ['b', 'a']",
        "(1 / 0 == 1 || true) && [0, 2].exists(x, 4 / x == 2)",
        "'%s|%d|%.1f|%x'.format([self.l, self.n, self.f, 255]) == '[a, b]|5|2.0|ff'",
        "'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'Ab'.lowerAscii() == 'ab'",
        "'hello'.replace('l', 'L', 1).substring(1, 3) == 'eL' && ' x '.trim() == 'x'",
        "'ab12'.find('[0-9]+') == '12' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
        "[1, 3, 2].max() == 3 && ![2, 1].isSorted() && ['a', 'b', 'a'].lastIndexOf('a') == 2",
        "sets.contains(self.l, ['a']) && sets.equivalent([1, 1], [1])",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1k') == quantity('1000')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && ip('::1').family() == 6 && !isIP('1.2')",
        "url('https://a.example:8080/p?q=1').getPort() == '8080'",
        "semver('1.2.3').isGreaterThan(semver('1.2.3-rc.1')) && isSemver('v1.2', true)",
        "!format.dns1123Label().validate('ok').hasValue()",
        "format.named('dns1123Label').value().validate('No').hasValue()",
        "size('👍') == 1 && r'\\d' == '\\\\d' && 'caf\\u00e9'.matches('^caf.$')",
    ],
)
def test_it_means_what_the_real_server_means(source):
    assert evaluate(source) is True


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("self.zz == 1", "1:5: undefined field 'zz'"),
        ("zz == 1", "1:1: undeclared reference to 'zz' (in container '')"),
        ("self.a.foo()", "1:11: undeclared reference to 'foo' (in container '')"),
        ("self.a == 1", "1:8: found no matching overload for '_==_' applied to '(string, int)'"),
        ("self.n.startsWith('a')", "applied to 'int.(string)'"),
        ("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
        ("self.n.all(x, true)", "expression of type 'int' cannot be range of a comprehension"),
        ("self.a.matches('[a')", "1:16: invalid matches argument"),
        ("self.a ==", "1:10: Syntax error: mismatched input '<EOF>'"),
        ("self.a\n  .b", "2:3: type 'string' does not support field selection"),
        ("math.greatest(1, 2)", "undeclared reference to 'greatest'"),
        ("(" * 200 + "1" + ")" * 200, "expression recursion limit exceeded"),
    ],
)
def test_a_wrong_expression_is_refused_where_it_is_wrong(source, problem):
    with pytest.raises(cel.SyntaxProblem) as refused:
        cel.compile_expression(source, {"self": TYPE})
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("self.m['z']", "no such key: z"),
        ("self.l[5]", "index out of bounds: 5"),
        ("self.n / 0", "division by zero"),
        ("self.n + 9223372036854775807", "integer overflow"),
        ("int(self.a)", "type conversion error from 'string' to 'int'"),
        ("self.x < 5", "no such overload"),
        ("[self.n].filter(x, x > 9).min()", "min called on empty list"),
    ],
)
def test_an_expression_without_a_value_says_why(source, problem):
    with pytest.raises(cel.CelError) as refused:
        evaluate(source)
    assert str(refused.value) == problem


def test_a_condition_of_admission_sees_the_request():
    program = cel.compile_condition("request.operation == 'CREATE' && object.metadata.name != ''")
    values = {"request": {"operation": "CREATE"}, "object": {"metadata": {"name": "x"}}}
    assert program.evaluate(values) is True


def test_a_condition_must_be_true_or_false():
    with pytest.raises(cel.WrongType):
        cel.compile_condition("'x' + object.metadata.name")
