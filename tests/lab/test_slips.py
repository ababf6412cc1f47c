"""A learner's own slip is one line in the notebook; a fault of ours keeps its traceback."""

import inspect
import pkgutil
import re
from functools import cached_property
from importlib import import_module
from types import FunctionType
from typing import Any, ClassVar

import pytest
from IPython.core.interactiveshell import InteractiveShell

from bpdemo import lab
from bpdemo.core.members import forgiving_class
from bpdemo.core.settings import Settings
from bpdemo.core.slips import forgiving
from bpdemo.lab import lessons
from bpdemo.lab.contest.challenge import Challenge
from bpdemo.lab.exercises.table import Progress
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.lab.lessons.database import Database
from bpdemo.lab.lessons.fairness import parts_by
from bpdemo.lab.lessons.hops import attempts_by_layers
from bpdemo.lab.lessons.limit_rules import simulate_rule
from bpdemo.lab.lessons.outages import back_after_s, browsers_served, outage, payment_calls
from bpdemo.lab.lessons.shared.source import Source
from bpdemo.lab.lessons.shop_file import next_step
from bpdemo.lab.lessons.single_orders import send_at_once
from bpdemo.lab.lessons.sizing import Sizing
from bpdemo.lab.lessons.sweeps import Sweep, goodput_figure, sweep
from bpdemo.lab.lessons.timeouts import goodput_if_timeouts_differ
from bpdemo.lab.live.cockpit_panel import Cockpit
from bpdemo.lab.services.guest import GuestService
from bpdemo.lab.services.machine import Calibration
from bpdemo.lab.services.service import Service
from bpdemo.lab.talk.talk import Stage
from bpdemo.load.capacity import Capacity
from bpdemo.load.loads import RunningLoad
from bpdemo.load.run import LoadRun
from bpdemo.plan.request import Request
from bpdemo.results.waits import others_wait_ms
from bpdemo.sim.margin import margin
from bpdemo.sim.theory import QueueTheory, RetryStorm
from tests.support.jupyter import Kernel

SLIPS = [
    ("load(None, second=3)", "load() got an unexpected keyword argument 'second'. Did you mean"),
    ("load(serve, seconds=1)", "not the function serve. Did you mean serve(…)?"),
    ('load("http://…", seconds=1)', "url: no host is called"),
    ("load(OFFICE, request='POST /pay')", "request must be a Request or None, not 'POST /pay'"),
    ("load(OFFICE, clients=3)", "clients must be"),
    (
        "load(OFFICE, changes=5)",
        "changes must be pairs of a time in seconds and a mapping of knobs",
    ),
    ("load(OFFICE, on_progress=3)", "on_progress must be a function, not 3"),
    ("load(OFFICE, changes=[(1, {'worker': 3})])", "worker: there is no such setting; did you"),
    ("simulate({'queue_capcity': 3})", "queue_capcity: there is no such setting; did you mean"),
    ("simulate('protected')", "settings must be a Settings or a dict, not 'protected'"),
    ("simulate({}, times=-1)", "times"),
    ("simulate(by='clinet')", "by must be one of client, priority, not 'clinet'"),
    ("serve(queue_capcity=8)", "queue_capcity: there is no such setting; did you mean"),
    ("serve('protectd')", "protectd"),
    ("serve(name=3)", "name must be a text, not 3"),
    ("cockpit(serve)", "service must be a Service, not the function serve. Did you mean serve("),
    ("size(worker=8, service_s=0.04, deadline_s=0.5)", "'worker'. Did you mean workers?"),
    ("size(workers=8, service=0.04, deadline_s=0.5)", "'service'. Did you mean service_s?"),
    ("capacity_of(serve)", "not the function serve. Did you mean serve(…)?"),
    ("sweep('protectd', [1])", "protectd"),
    ("sweep('protected', 3)", "times must be a list, each entry a number, not 3"),
    ("challenge(3)", "word must be a text, not 3"),
    ("CHALLENGE.score()", "score() is missing a required argument: 'settings'"),
    ("CHALLENGE.score(3)", "settings must be a dict, not 3"),
    ("CHALLENGE.score(seting={})", "'seting'. Did you mean settings?"),
    ("CHALLENGE.code(3, {})", "name must be a text, not 3"),
    ("claim('goodput stays up', 0.3, at_least=0.85)", "✗ 0.3 is not ≥ 0.85: goodput stays up"),
    ("claim('goodput stays up', 0.3)", "takes one of at_least, at_most, between, equals"),
    ("claim('goodput stays up', 'high', at_least=1)", "value must be a number, not 'high'"),
    ("claim('goodput stays up', 1, at_least=1, runs=[3])", "runs must be a list of runs"),
    ("check('01z')", "there is no exercise '01z'"),
    ("check('01a')", "check takes your answer as well: check('01a', try_put)"),
    ("check(print)", "the name of the exercise comes first"),
    ("check()", "check() is missing a required argument: 'name'"),
    ("reveal('01z', 'x')", "there is no question '01z'. Did you mean"),
    ("reveal('01a', None)", "run must be a run, or a sentence, not None"),
    ("predict('01z')", "there is no question '01z'. Did you mean"),
    ("predict('mine', 'How many?', 3)", "choices must be a list"),
    ("show(3)", "show() takes a function, method, class or module"),
    ("fate_bars(3)", "runs must be a dict, each value a Run, not 3"),
    ("side_by_side(RUN, 4)", "b must be a Run, not 4"),
    ("line_figure({'a': 3}, title='', x='', y='')", "lines must be a dict, each value a dict"),
    ("RUN.figure('topp')", "panels must name some of top, middle, bottom"),
    ("RUN.marked(1.0, 'sale')", "marks must be pairs such as (4, "),
    ("RUN.marked((1.0,))", "marks must be pairs such as (4, "),
    ("fate_bars({})", "runs: there is no run to draw a bar for"),
    ("parts_by('RUN', 'client')", "run must be a Run, not 'RUN'"),
    ("browsers_served(RUN)", "run: nobody looked at an item in it"),
    ("send_at_once(None, ['anna'])", "service must be something with stats and url, not None"),
    ("payment_calls(RUN)", "services must be a Service, not <LoadRun"),
    ("simulate_rule(LOST, times=2)", "rule must return the limit from now on, a number, not None"),
    ("RUN.save(3)", "path must be a text or a Path, not 3"),
    ("LoadRun.open('nowhere.json')", "FileNotFoundError: [Errno 2]"),
    ("Request('POST', 'pay')", "path: 'pay' must begin with /"),
    ("Request('POST', '/pay', jsn={})", "'jsn'. Did you mean json?"),
    ("stage(9)", "full_page must be True or False, not 9. An act begins by its key, 1 to 5"),
    ("stage(worker=3)", "worker: there is no such setting; did you mean workers?"),
    ("STAGE.press('9')", "key must be one of 1, 2, 3, 4, 5, PageDown"),
    ("STAGE.play('9')", "key: there is no act '9'; there are 1, 2, 3, 4, 5"),
    ("STAGE.play(2)", "key: there is no act 2; there are 1, 2, 3, 4, 5"),
    ("cockpit(OFFICE, second=3)", "'second'. Did you mean seconds?"),
    ("Settings(3)", "Settings() takes its arguments by name, as in name=value; 3 has none"),
    ("Settings(worker=3)", "worker: there is no such setting; did you mean workers?"),
    ("Settings.unprotected(3)", "takes its arguments by name, as in name=value; 3 has none"),
    ("Settings.protected(workers='x')", "workers: 'x' is not a whole number from 1 to 1024"),
    ("Settings().changed(3)", "knobs must be a dict, not 3"),
    ("RUN.frames", "LoadRun has no 'frames'. Did you mean frame?"),
    ("RUN.require_valid(3)", "require_valid() takes no arguments; 3 is one too many"),
    ("RUN.figure('top', 3)", "figure() takes no more than panels; 3 is one too many"),
    ("load(OFFICE, 3)", "load() takes target first, and its other arguments by name (times, rate"),
    ("size(8, 0.04, 0.5)", "by name (workers, service_s, deadline_s, quiet_per_s); 8 has none"),
    ("theory.mmkc(1, 2, 3, 4)", "theory has no 'mmkc'. Did you mean mmck?"),
    ("theory.RetryStorm(3)", "RetryStorm() takes its arguments by name (load, workers"),
    ("lab.loads", "bpdemo.lab has no 'loads'. Did you mean load?"),
    ("theory.mmck(1, 0, 3, 4)", "service_rate=0 must be finite and > 0"),
    ("NotMeasured()", "NotMeasured() is missing a required argument: 'causes'"),
    ("NotMeasured(3)", "causes must be a list, each entry a text, not 3"),
    ("ClaimFailed()", "ClaimFailed() is missing a required argument: 'claim'"),
    ("LoadRun()", "LoadRun() is missing a required argument: 'records'"),
    ("RUN.summary['p99']", "this summary has no 'p99'. Did you mean p99_ms?"),
    ("RUN.summary['x']", "this summary has no 'x'; it has capacity_per_s, offered_per_s"),
    ("predict('mine', 'How many?', ['a'])", "choices: ['a'] leaves nothing to choose; give at"),
    ("predict('mine', 'How many?', [])", "choices: [] leaves nothing to choose; give at least"),
    ("predict('mine', 'How many?', ['a', 'a'])", "choices: ['a', 'a'] has one of them twice"),
    ("predict('mine', 'How many?', 'few')", "choices must be a list, each entry a text, not 'few'"),
    ("seconds(-3)", "full_s must be a number from 0.1 to 7200, not -3"),
    ("seconds(0)", "full_s must be a number from 0.1 to 7200, not 0"),
    ("seconds('x')", "full_s must be a number from 0.1 to 7200, not 'x'"),
    ("seconds(float('nan'))", "full_s must be a number from 0.1 to 7200, not nan"),
    ("ClaimFailed(3)", "claim must be what claim() gives, not 3"),
    ("Settings.protectd()", "Settings has no 'protectd'. Did you mean protected?"),
    ("Settings.workers", "Settings itself has no 'workers': Settings(…).workers is what one has"),
    ("Settings.zzzz", "Settings has no 'zzzz'; it has changed, "),
    ("LoadRun.opn('a.json')", "LoadRun has no 'opn'. Did you mean open?"),
    ("RUN.frame['ok_per_sec']", "this frame has no 'ok_per_sec'. Did you mean ok_per_s?"),
    ("RUN.frame['x']", "this frame has no 'x'; it has t_s, offered_per_s, ok_per_s"),
    ("RUN.frame[['t_s', 'x']]", "this frame has no 'x'; it has t_s, offered_per_s"),
    ("RUN.frame.ok_per_sec", "this frame has no 'ok_per_sec'. Did you mean ok_per_s?"),
    ("RUN.frame[RUN.frame.t_s > 0]['x']", "this frame has no 'x'; it has t_s, offered_per_s"),
    ("RUN.frame.loc[:, 'x']", "this frame has no 'x'; it has t_s, offered_per_s, ok_per_s"),
    ("RUN.summary.goodput_share", "a figure is asked for in brackets: summary['goodput_share']"),
    ("RUN.summary.godput", "this summary has no 'godput'. Did you mean goodput_per_s?"),
    ("RUN.save('nowhere/run.json')", "No such file or directory: 'nowhere/run.json'"),
    ("fate_bars({'a': RUN}, after_s=99)", "after_s must be a number from 0 to 1, not 99"),
    ("fate_bars({'a': RUN}, after_s=1)", "after_s must be below 1, when simulated ends"),
    ("side_by_side(RUN, RUN, names='ab')", "names must be two texts, one for each run, not 'ab'"),
    ("predict('01a', choices=['a', 'b'])", "question: a question of your own needs it, besides"),
    ("predict('mine', 'How many?')", "choices: a question of your own needs it, besides its name"),
    ("predict(3)", "name must be a text, such as '01a', not 3"),
    ("reveal(1, 'x')", "name must be a text, such as '01a', not 1"),
    ("hint('1a')", "there is no exercise '1a'. Did you mean 01a?"),
    ("load(OFFICE, background='no')", "background must be True or False, not 'no'"),
    (
        "load('http://10.0.0.1', i_run_this_service='no')",
        "i_run_this_service must be True or False",
    ),
    ("SWEEP[3]", "this sweep has no run at 3; it has them at 0.5, 2"),
    ("margin({}, loads=[0.5], most_s=1, seeds=1)[0.7]", "nothing was tried at a load of 0.7; the"),
    ("find_database(3)", "unseen must be a text, not 3"),
    ("from bpdemo.lab import loads", "ImportError: bpdemo.lab has no 'loads'. Did you mean load?"),
    ("Settings().worker", "Settings has no 'worker'. Did you mean workers?"),
    ("Settings().workers = 3", "workers: settings are frozen; a service is given"),
    ("theory.mmck(1, 2, 3)", "mmck() is missing a required argument: 'capacity'"),
    ("reveal('01a')", "is missing a required argument: 'run'; it needs name, run"),
    ("Request('GET /pay')", "is missing a required argument: 'path'; it needs method, path"),
    ("Request('GETT', '/pay')", "method: 'GETT' is none of HTTP's. Did you mean GET?"),
    ("Request('GET /pay', '/')", "method: 'GET /pay' cannot stand in a request"),
    ("simulate(name=3)", "name must be a text, not 3"),
    ("animate(name=3)", "name must be a text, not 3"),
    ("sweep('protected', [1], name=3)", "name must be a text, not 3"),
    ("sweep('protected', [])", "times: there is no load to drive; give some, such as [0.5, 2]"),
    ("claim('goodput stays up', 1, at_least=0, unit=3)", "unit must be a text, not 3"),
    ("simulate(workers=8)", "'workers': it is a setting, and they come together, as in {'workers'"),
    ("load(OFFICE, workers=8)", "'workers': it is a setting of the service, as in serve(workers="),
    (
        "simulate(Settings.unprotected)",
        "the method Settings.unprotected. Did you mean Settings.",
    ),
    ("serve(queue_policy='rejct')", "is not one of reject, block. Did you mean reject?"),
    ("simulate({'queue_discipline': 'LIFO'})", "priority, codel. Did you mean lifo?"),
    ("serve('unprotectd')", "is not one of unprotected, protected. Did you mean unprotected?"),
    ("serve(where='proces')", "is not one of thread, process. Did you mean process?"),
    ("simulate({}, scenario='stedy')", "not 'stedy'. Did you mean steady?"),
    ("simulate({}, by='clinet')", "not 'clinet'. Did you mean client?"),
    ("simulate({}, rate='fast')", "rate must be a number from 0.001 to 100000, not 'fast'"),
    ("simulate({}, changes=[(60, {})])", "changes: each time must be a number from 0 to 30"),
    (
        "load('box')",
        "'box' is a text, and no address such as http://127.0.0.1:8000. A service",
    ),
    ("capacity_of('box')", "'box' is a text, and no address such as http://127.0.0.1:8000"),
    ("load('localhost:8000')", "Did you mean http://localhost:8000?"),
    ("calibrate('again')", "force: 'again' is neither True nor False"),
    ("goodput_figure()", "goodput_figure() takes one sweep or more; there is none"),
    ("next_step(9)", "step: 9 is not one of 1 to 5"),
    (
        "line_figure({'a': {'x': 1}}, title='', x='', y='')",
        "each key a number, each value a",
    ),
    ("goodput_if_timeouts_differ(RUN, median_s='x')", "median_s: 'x' is not a number from 0.001"),
    ("others_wait_ms(RUN, after_s=99)", "after_s: 99 is not a number from 0 to 1"),
    ("outage(5, 2)", "end_s: 2 is not a number of at least 5"),
    ("back_after_s(RUN, 99)", "since_s: 99 is not a number from 0 to 1"),
    ("attempts_by_layers(layers=0)", "layers: 0 is not a whole number of at least 1"),
    ("RUN.frame.groupby('ok_per_sec')", "this frame has no 'ok_per_sec'. Did you mean ok_per_s?"),
    ("RUN.frame.sort_values('nope')", "this frame has no 'nope'; it has t_s, offered_per_s"),
    ("RUN.frame.set_index(['t_s', 'x'])", "this frame has no 'x'; it has t_s, offered_per_s"),
    ("RUN.frame.drop(columns='x')", "this frame has no 'x'; it has t_s, offered_per_s"),
    ("RUN.frame.query('nope > 3')", "UndefinedVariableError: name 'nope' is not defined"),
    ("RUN.frame.agg('maen')", "'maen' is not a valid function"),
]


class Office:
    """What a load takes for a service; none of these loads comes so far as to start."""

    url = "http://127.0.0.1:1"
    capacity_per_s = 100.0
    settings = Settings()

    def tune(self, **knobs: Any) -> None: ...


@pytest.fixture(scope="module")
def run() -> Any:
    return lab.simulate(seconds=1)


@pytest.fixture
def shell(run) -> InteractiveShell:
    shell = InteractiveShell()
    shell.user_ns.update({name: getattr(lab, name) for name in lab.__all__})
    more = {"OFFICE": Office(), "CHALLENGE": lab.challenge("TIDE"), "RUN": run, "sweep": sweep}
    more |= {"lab": lab, "STAGE": object.__new__(Stage)}
    more |= {"parts_by": parts_by, "send_at_once": send_at_once}
    more |= {"simulate_rule": simulate_rule, "LOST": lambda *_: None}
    more |= {"browsers_served": browsers_served, "payment_calls": payment_calls}
    more |= {"goodput_figure": goodput_figure, "next_step": next_step, "outage": outage}
    more |= {"back_after_s": back_after_s, "attempts_by_layers": attempts_by_layers}
    more |= {"others_wait_ms": others_wait_ms}
    more |= {"goodput_if_timeouts_differ": goodput_if_timeouts_differ}
    more |= {"SWEEP": Sweep("naive", {0.5: run, 2: run}), "margin": margin}
    shell.user_ns.update(more)
    return shell


def told_of(shell: InteractiveShell, capsys, source: str) -> str:
    """What the notebook shows below the cell, its box's walls and line breaks taken away."""
    result = shell.run_cell(f"first = 1\n{source}")
    assert result.error_in_exec is not None, source
    lines = [line.strip("╭╮╰╯│─ ") for line in capsys.readouterr().out.splitlines()]
    return " ".join(filter(None, lines))


@pytest.mark.parametrize(("source", "told"), SLIPS, ids=[source for source, _ in SLIPS])
def test_a_slip_is_told_in_a_line(shell, capsys, source, told):
    """What is wrong and the learner's own line; no traceback, and no line of the package's."""
    shown = told_of(shell, capsys, source)
    assert told in shown
    assert f"line 2: {source}" in shown
    assert "Traceback" not in shown
    assert "bpdemo/" not in shown


def test_the_error_is_what_it_always_was():
    """Code that catches a slip catches it as before."""
    with pytest.raises(TypeError, match="Did you mean seconds"):
        lab.load("http://127.0.0.1:1", second=3)
    with pytest.raises(ValueError, match="no exercise"):
        lab.check("01z")


def test_a_fault_of_ours_keeps_its_traceback(shell, capsys):
    """A ValueError that nobody raised on purpose is a bug, and must show where it is."""
    names: dict[str, Any] = {"__name__": "bpdemo.broken"}
    exec("def broken():\n    return int('x')\n", names)
    shell.user_ns["broken"] = forgiving(names["broken"])
    shell.run_cell("broken()")
    assert "Traceback" in capsys.readouterr().out


def test_an_error_of_the_learners_own_code_keeps_its_traceback(shell, capsys):
    """What a learner's callback raises is theirs to find, line by line."""
    shell.run_cell(
        "def mine(progress):\n    raise ValueError('mine')\n"
        "from bpdemo.core.slips import forgiving\n"
        "forgiving(lambda call: call(1))(mine)"
    )
    told = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert "Traceback" in told
    assert "raise ValueError('mine')" in told


def told_of_an_interrupt(shell: InteractiveShell, capsys, source: str) -> str:
    shell.run_cell(source)
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).strip()


def test_an_interrupt_is_one_line_whatever_ran(shell, capsys):
    """The stop button is no error of anybody's: wherever it strikes in our code, no traceback."""
    names: dict[str, Any] = {"__name__": "bpdemo.slow"}
    exec("def slow():\n    raise KeyboardInterrupt\n", names)
    shell.user_ns["slow"] = forgiving(names["slow"])
    shown = told_of_an_interrupt(shell, capsys, "slow()")
    assert shown == "Stopped: slow() was interrupted."


def test_an_interrupt_of_the_learners_own_code_shows_where_it_hung(shell, capsys):
    """A function of theirs that never ends is theirs to find."""
    shell.run_cell("def mine():\n    raise KeyboardInterrupt")
    names: dict[str, Any] = {"__name__": "bpdemo.slow"}
    exec("def slow(call):\n    call()\n", names)
    shell.user_ns["slow"] = forgiving(names["slow"])
    assert "in mine()" in told_of_an_interrupt(shell, capsys, "slow(mine)")


#: What each takes first is never this.
NO_ARGUMENT = object()
FUNCTIONS = [name for name in lab.__all__ if isinstance(getattr(lab, name), FunctionType)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whatever_stands_first_by_mistake_is_told_in_a_line(shell, capsys, name):
    """Every function of the lab: an argument of another kind, one that it does not know, and one
    too many."""
    taken = inspect.signature(getattr(lab, name)).parameters
    shell.user_ns["NO_ARGUMENT"] = NO_ARGUMENT
    required = [p for p in taken.values() if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
    slips = [f"{name}({', '.join(['NO_ARGUMENT'] * 99)})", f"{name}(anything_else=3)"]
    if required:
        slips.append(f"{name}({', '.join(['NO_ARGUMENT'] * len(required))})")
    for source in slips:
        shown = told_of(shell, capsys, source)
        assert f"line 2: {source[:40]}" in shown
        assert "Traceback" not in shown, source


def of_the_lessons() -> dict[str, Any]:
    """What lessons call, by module and name."""
    found = pkgutil.walk_packages(lessons.__path__, f"{lessons.__name__}.")
    modules = [import_module(at.name) for at in found if ".shop." not in at.name]
    return {
        f"{module.__name__.removeprefix(lessons.__name__)[1:]}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and hasattr(value, "__wrapped__")
        if value.__module__ == module.__name__ and not name.startswith("_")
    }


def required_by(function: Any) -> list[str]:
    """The arguments that it must be given, as a call writes them down, each of the wrong kind."""
    taken = inspect.signature(function).parameters.values()
    must = [p for p in taken if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return [f"{p.name}=NO_ARGUMENT" if p.kind is p.KEYWORD_ONLY else "NO_ARGUMENT" for p in must]


#: Numbers of seconds, which anything may be until a load begins.
ANYTHING = ("outages.outage",)
OF_LESSONS = {
    name: function
    for name, function in of_the_lessons().items()
    if required_by(function) and name not in ANYTHING
}


@pytest.mark.parametrize("name", sorted(OF_LESSONS))
def test_what_a_lesson_calls_with_something_else_is_told_in_a_line(shell, capsys, name):
    """Every function of one lesson alone: what it takes is named, and no code of ours is shown."""
    shell.user_ns |= {"called": OF_LESSONS[name], "NO_ARGUMENT": NO_ARGUMENT}
    given = ", ".join(required_by(OF_LESSONS[name]))
    assert "Traceback" not in told_of(shell, capsys, f"called({given})"), name


#: What notebooks hold in their hands.
HELD = (
    *(Calibration, Capacity, Challenge, Cockpit, GuestService, LoadRun, QueueTheory, Request),
    *(Database, Progress, RetryStorm, RunningLoad, Service, Sizing, Source, Stage, Sweep, Verdict),
)


@pytest.mark.parametrize("kind", HELD, ids=lambda kind: kind.__name__)
def test_whatever_is_asked_of_a_thing_by_mistake_is_told_in_a_line(shell, capsys, kind):
    """A name that it has not, and each of its methods with too much or with what it knows not."""
    shell.user_ns |= {"thing": object.__new__(kind), "NO_ARGUMENT": NO_ARGUMENT}
    methods = {
        name: list(inspect.signature(value).parameters.values())
        for name, value in inspect.getmembers(kind, callable)
        if not name.startswith("_")
    }
    slips = ["thing.no_such_name"]
    for name, taken in methods.items():
        kinds = {parameter.kind for parameter in taken}
        if inspect.Parameter.VAR_POSITIONAL not in kinds:
            slips.append(f"thing.{name}({', '.join(['NO_ARGUMENT'] * 9)})")
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            slips.append(f"thing.{name}(anything_else=NO_ARGUMENT)")
    for source in slips:
        shown = told_of(shell, capsys, source)
        assert "Traceback" not in shown, source
        assert f"line 2: {source[:40]}" in shown


def test_what_a_function_of_the_lab_gives_is_held_as_well():
    """A new class among them is made forgiving, too."""
    gives = [inspect.signature(inspect.unwrap(getattr(lab, name))) for name in FUNCTIONS]
    named = {str(given.return_annotation) for given in gives}
    known = {kind.__name__ for kind in HELD}
    kinds = {name for name in named if name.isidentifier() and name[0].isupper()}
    assert kinds <= known | OF_LIBRARIES


#: A widget, a text: their names and methods are those of their libraries.
OF_LIBRARIES = {"Any", "None", "AnimatedRequests", "Hint"}


def test_a_property_that_fails_tells_its_own_reason():
    """The name is there: what went wrong inside it is not taken for a misspelling."""

    @forgiving_class
    class Thing:
        asked: ClassVar[list[str]] = []

        @property
        def broken(self) -> str:
            self.asked.append("broken")
            return str(self._nothing)  # type: ignore[attr-defined]

        @cached_property
        def kept(self) -> str:
            self.asked.append("kept")
            return str(self._nothing)  # type: ignore[attr-defined]

    assert not hasattr(Thing(), "other")
    for name in ("broken", "kept"):
        with pytest.raises(AttributeError, match="_nothing"):
            getattr(Thing(), name)
    assert Thing.asked == ["broken", "kept"]
    with pytest.raises(AttributeError, match="has no 'other'"):
        _ = Thing().other  # type: ignore[attr-defined]


def test_protected_settings_are_the_defaults():
    """The pair of `unprotected`, for those who ask for it by name."""
    assert Settings.protected() == Settings()
    assert Settings.protected(workers=3) == Settings(workers=3)


def test_each_of_several_is_judged_by_itself():
    """A function that takes any number of services stumbles for a reason of its own: no service
    is blamed for it."""

    @forgiving
    def stumbles(*runs: int) -> str:
        return str(runs[9])

    with pytest.raises(IndexError):
        stumbles(1, 2)
    with pytest.raises(TypeError, match=r"runs must be a whole number, not 'two'"):
        stumbles(1, "two")  # type: ignore[arg-type]


def test_every_front_end_is_given_the_box_itself(tmp_path):
    """JupyterLab and Voilà both show what the kernel sends as the error's traceback: the box."""
    with Kernel(tmp_path) as kernel:
        cell = kernel.begin("from bpdemo.lab import load, serve\nload(serve, second=3)")
        told = kernel.outcome(cell)
    assert told.error == "TypeError"
    lines = told.traceback.splitlines()
    assert lines[0].startswith("╭")
    assert "line 2: load(serve, second=3)" in lines[-2]
    assert len(lines) <= 7


def test_a_run_knows_the_number_beside_its_cell(tmp_path):
    """What a message sends its reader back to: IPython itself counts a cell before it runs, in some
    versions, and in others after it."""
    with Kernel(tmp_path) as kernel:
        kernel.run("from bpdemo.load.loads import _this_cell")
        cell = kernel.begin("print(_this_cell())\n1 / 0")
        told = kernel.outcome(cell)
    assert told.printed == "2\n"
    assert "In[2]" in told.traceback


@pytest.mark.parametrize("name", ["load", "simulate", "serve", "check", "claim"])
def test_help_and_signature_are_the_functions_own(name):
    """`help(load)` and a completion by Tab know every parameter."""
    function = getattr(lab, name)
    original = inspect.unwrap(function)
    assert function is not original
    assert inspect.signature(function) == inspect.signature(original)
    assert function.__doc__ == original.__doc__
