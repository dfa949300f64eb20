"""Random sequences with the columns that they feed, for the property tests.

Each case aims at one verdict, so that rare ones come up as well; what it really is, the oracle says.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tests.support.properties.cases import SERIALS, Case, Column
from tests.support.properties.oracle import LARGEST, Wish

#: The integers that a type takes.
HOLDS = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-LARGEST - 1, LARGEST),
    "numeric": (-LARGEST - 1, LARGEST),
    "numeric(3,0)": (-999, 999),
    "numeric(5,0)": (-99_999, 99_999),
    "numeric(10,0)": (-(10**10) + 1, 10**10 - 1),
    "numeric(18,0)": (-(10**18) + 1, 10**18 - 1),
    "numeric(20,0)": (-LARGEST - 1, LARGEST),
    "numeric(6,2)": (-9_999, 9_999),
    "text": (-LARGEST - 1, LARGEST),
}
#: The kinds of column that are counted, with the types of each.
KINDS = {
    "smallint": ["smallint"],
    "integer": ["integer"],
    "bigint": ["bigint"],
    "numeric": ["numeric"],
    "numeric(p,s)": [name for name in HOLDS if name.startswith("numeric(")],
    "domain": ["integer"],
    "text": ["text"],
}
DOMAINS = ["public.whole", "public.positive_or_not"]
GOALS = ["in_sync", "behind", "exhausted", "outlier", "margin", "skipped", "anything"]


@st.composite
def _wishes(draw: st.DrawFn, goal: str) -> Wish:
    margins = {"margin": [1, 1, 2, 3, 0], "anything": [0, 1, 2, 3]}.get(goal, [0, 0, 0, 1])
    jumps = {"outlier": [1_000, 1_000, 100, 10, 1, 10_000_000], "anything": [10_000_000, 1_000, 10, 1]}
    return Wish(
        margin=draw(st.sampled_from(margins)),
        max_jump=draw(st.sampled_from(jumps.get(goal, [10_000_000, 10_000_000, 1_000]))),
        outliers="report" if goal == "outlier" else draw(st.sampled_from(["report", "report", "follow", "ignore"])),
        interleaved=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def _cases(draw: st.DrawFn, number: int, wish: Wish, goal: str, kind: str, upward: bool) -> Case:
    step = draw(st.sampled_from([1, 1, 1, 2, 5, 10, 50]) | st.integers(1, 50) | st.sampled_from([1_000, 2**31]))
    shapes = draw(_shapes(kind))
    first = shapes[0][0]
    tied = first["feed"] in ("serial", "always", "by default")
    data_type = first["type"] if tied else draw(st.sampled_from(list(SERIALS)))
    holds = [HOLDS[column["type"]] for columns in shapes for column in columns]
    held_low, held_high = max(low for low, _ in holds), min(high for _, high in holds)
    low, high = draw(_bounds(data_type, held_low, held_high, upward))
    step = step if upward else -step
    cycle = goal == "skipped"
    cache = draw(st.sampled_from([1, 1, 1, 2, 10]))

    ends = [max(low, held_low), min(high, held_high)]
    first_end, last_end = ends if upward else ends[::-1]
    room_ahead = goal in ("in_sync", "behind", "outlier")
    anchors = [first_end, first_end, last_end, (low + high) // 2] if room_ahead else [*ends, last_end, low, high]
    near = _near([*anchors, 0], step)
    start = draw(st.sampled_from([low, high]) | near.map(_clip(low, high)))
    if goal == "exhausted":
        reached = draw(st.integers(0, 3 if wish.margin else 1))
        last, is_called = _clip(low, high)(last_end - reached * step), draw(st.sampled_from([True, True, True, False]))
    elif goal == "margin":
        last, is_called = draw(near.map(_clip(low, high))), True
    else:
        last, is_called = draw(near.map(_clip(low, high))), draw(st.booleans())
    state: tuple[str, ...] = (f"SELECT setval('{{}}', {last}, {is_called})",)
    if draw(st.integers(0, 5)) == 0 and goal not in ("exhausted", "margin"):
        calls = draw(st.integers(0, 2)) if low <= start + 2 * step <= high else 0
        last, is_called = start + (calls - 1) * step * (calls > 0), calls > 0
        state = ("SELECT nextval('{}')",) * calls
    next_value = last + step * is_called

    tables = []
    for columns in shapes:
        made = []
        for column in columns:
            is_first = not tables and not made
            values = draw(_values(goal, HOLDS[column["type"]], (low, high), next_value, step, wish, is_first=is_first))
            made.append(Column(**column, rows=draw(_literals(column, values))))
        tables.append(tuple(made))
    own = None
    if ends[0] <= ends[1] and draw(st.integers(0, 7)) == 7:
        inside = draw(_near([next_value, *ends], step).map(_clip(*ends)))
        own = (inside - draw(st.integers(0, 100)), inside + draw(st.integers(0, 100) | st.just(10**6)))
    return Case(
        number=number,
        goal=goal,
        data_type=data_type,
        options=f"INCREMENT {step} MINVALUE {low} MAXVALUE {high} START {start} CACHE {cache}" + " CYCLE" * cycle,
        increment=step,
        cycle=cycle,
        cache=cache,
        owned=not tied and draw(st.booleans()),
        own=own,
        state=state,
        tables=tuple(tables),
    )


@st.composite
def _shapes(draw: st.DrawFn, kind: str) -> list[list[dict[str, str]]]:
    """Return one to three columns in one or two tables; the first is of `kind`."""
    sizes = draw(st.sampled_from([[1], [1], [1], [2], [1, 1], [1, 2], [3]]))
    shapes = []
    for i, size in enumerate(sizes):
        columns = []
        for j in range(size):
            its_kind = kind if i == j == 0 else draw(st.sampled_from(list(KINDS)))
            base = draw(st.sampled_from(KINDS[its_kind]))
            feeds = ["default", "default", "late"]
            if its_kind == "domain" and base == "integer":
                feeds.append("domain")
            if i == j == 0 and size == 1 and base in SERIALS and its_kind != "domain":
                feeds += ["serial", "always", "by default"]
            indexes = ["none", "unique", "plain", "partial", "leading", "second", "unique"]
            declared = draw(st.sampled_from(DOMAINS)) if its_kind == "domain" and base == "integer" else base
            columns.append(
                {
                    "name": f"c{j}",
                    "kind": its_kind,
                    "type": base,
                    "declared": declared,
                    "feed": draw(st.sampled_from(feeds)),
                    "index": draw(st.sampled_from([*indexes, "primary"] if size == 1 else indexes)),
                }
            )
        shapes.append(columns)
    return shapes


@st.composite
def _bounds(draw: st.DrawFn, data_type: str, held_low: int, held_high: int, upward: bool) -> tuple[int, int]:
    """Return MINVALUE and MAXVALUE: the defaults, all that the type has, or a window near some limit."""
    low, high = HOLDS[data_type]
    how = draw(st.sampled_from(["default", "all", "window", "window"]))
    if how == "default":
        return (1, high) if upward else (low, -1)
    if how == "all":
        return low, high
    around = draw(st.sampled_from([low, high, held_low, held_high, 0, 0]))
    span = draw(st.integers(1, 60) | st.sampled_from([1_000, 100_000, 10**10]))
    first = max(low, min(high - 1, around - draw(st.integers(0, span))))
    return first, min(high, first + span)


def _clip(low: int, high: int) -> Callable[[int], int]:
    return lambda value: max(low, min(high, value))


def _near(anchors: list[int], step: int) -> st.SearchStrategy[int]:
    """Return integers at, a few values from or a few steps from one of the anchors."""
    return st.builds(
        lambda anchor, offset, steps: anchor + offset + steps * step,
        st.sampled_from(anchors),
        st.integers(-2, 2),
        st.integers(-4, 4),
    )


@st.composite
def _values(
    draw: st.DrawFn,
    goal: str,
    holds: tuple[int, int],
    bounds: tuple[int, int],
    next_value: int,
    step: int,
    wish: Wish,
    *,
    is_first: bool,
) -> list[int]:
    """Return the integers of one column."""
    sign = 1 if step > 0 else -1
    low, high = max(holds[0], bounds[0]), min(holds[1], bounds[1])
    jumped = next_value + sign * wish.max_jump
    anchors = [
        next_value,
        next_value,
        next_value + 20 * step,
        *holds,
        *bounds,
        0,
        jumped,
        jumped + sign * wish.max_jump,
    ]
    values = draw(st.lists(_near(anchors, step), max_size=6))
    last_before = next_value - sign

    def is_ahead(value: int) -> bool:
        return low <= value <= high and (value >= next_value if step > 0 else value <= next_value)

    match goal:
        case "in_sync" | "exhausted":
            values = [value for value in values if not is_ahead(value)]
        case "margin":
            values = [value for value in values if not is_ahead(value)]
            values.append(last_before - sign * draw(st.integers(0, 3 * abs(step))))
        case "behind":
            # The last of them are more calls of nextval() than one transaction makes.
            steps = st.integers(0, 5) | st.sampled_from([9_999, 10_000, 10_001, 12_345])
            distance = draw(steps.map(lambda n: n * abs(step)) | st.integers(0, 500))
            values.append(_clip(low, high)(next_value + sign * distance) if low <= high else 0)
        case "outlier":
            values = [value for value in values if not is_ahead(value) or abs(value - next_value) <= 2 * abs(step)]
            if is_first:
                # Close to max_jump on either side, from the last row before it, or from the next value.
                base = max([next_value, *filter(is_ahead, values)], key=lambda value: sign * value)
                far = wish.max_jump + draw(st.sampled_from([0, 0, 1, 1, 1, 2, 50]))
                far = far * abs(step) - draw(st.sampled_from([0, 0, 1]))
                values.append(_clip(low, high)(base + sign * far))
    return [value for value in values if holds[0] <= value <= holds[1]]


@st.composite
def _literals(draw: st.DrawFn, column: dict[str, str], values: list[int]) -> tuple[str, ...]:
    """Return the rows as SQL, with what the type has beyond integers, without what its constraints refuse."""
    literals = [f"'{value}'" for value in values]
    if column["type"] == "numeric":
        literals += draw(st.lists(st.sampled_from(["'NaN'", "'1e30'", "'-1e30'", "'0.4'", "'-7.5'"]), max_size=1))
        literals += [f"{value}.6" for value in values[:1] if draw(st.integers(0, 3)) == 0]
    if column["type"] == "text":
        literals += draw(st.lists(st.sampled_from(["'007'", "'+7'", "' 7'", "'none'", "'-0'", "'7.0'"]), max_size=2))
    if column["type"] == "numeric(20,0)":
        literals += draw(st.lists(st.sampled_from(["99999999999999999999", "-99999999999999999999"]), max_size=1))
    if column["index"] in ("unique", "primary"):
        literals = list(dict.fromkeys(literals))
    elif literals:
        literals += draw(st.lists(st.sampled_from(literals), max_size=1))
    if column["index"] != "primary" and column["feed"] not in ("serial", "always", "by default"):
        literals += ["NULL"] * draw(st.integers(0, 1))
    return tuple(draw(st.permutations(literals)))


@st.composite
def batches(
    draw: st.DrawFn, goal: str, kinds: tuple[str, ...] = tuple(KINDS), directions: tuple[bool, ...] = (True, False)
) -> tuple[Wish, list[Case]]:
    """Return up to six cases that are looked at in one run; kinds and directions take turns."""
    wish = draw(_wishes(goal))
    turn = draw(st.integers(0, len(kinds) * len(directions) - 1))
    many = draw(st.integers(1, 6))
    return wish, [
        draw(
            _cases(
                i, wish, goal, kinds[(turn + i) % len(kinds)], directions[(turn // len(kinds) + i) % len(directions)]
            )
        )
        for i in range(many)
    ]
