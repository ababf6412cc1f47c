"""The command line. Each command imports what it needs itself, so that all start fast."""

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, cast

import typer

from bpdemo import __version__
from bpdemo.cli.outlet import end, run_command
from bpdemo.cli.usage import by_option, told_usage
from bpdemo.core.environment import forget_foreign
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.extras import ExtraMissing, extra_with, lacking, require_extra

app = typer.Typer(name="bpdemo", add_completion=False, pretty_exceptions_enable=False)

#: How often clients retry where only their policy is given: as in a retry storm.
POLICY_RETRIES: Final = 3

#: What the command line itself finds wrong, such as a missing option.
UsageError = cast(type[Exception], typer.BadParameter.__base__)

KnobOptions = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting of the service, such as queue_capacity=8. Repeatable. A name that does not "
        "exist is answered with all names; GET /settings of a running service has unit and range.",
    ),
]
ScenarioOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Shape of the load: steady; ramp (rises from 0 to the rate); spike (the rate in the "
        "middle third, a tenth of it before and after); sustained (half of the rate, then the rate "
        "from one sixth of the run on); retry_storm (each failure is retried up to three times, "
        "without a pause); closed (a fixed number of users, each of whom waits for the answer).",
    ),
]


JoinWithin = Annotated[
    float,
    typer.Option(
        min=0, metavar="SECONDS", help="How long to wait, in seconds, until the next one joins."
    ),
]
SecondsOption = Annotated[
    float, typer.Option(metavar="SECONDS", help="Length of the load in seconds, 0.1 to 7200.")
]
UnprotectedOption = Annotated[
    bool,
    typer.Option(
        "--unprotected",
        help="Start from the naive service: an unbounded queue, no deadline, no breaker, "
        "retries without a budget.",
    ),
]
RetriesOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="How often a client tries again, at once, after a failure: 0 to 20.",
        show_default="0, or 3 with --retry-policy",
    ),
]
RetryPolicyOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Which of those retries the client library lets through: sre_throttling (the SRE "
        "book's, which keeps back first attempts, too), grpc_tokens, aws_bucket, aws_bucket_2025 "
        "(a retry costs less), linkerd_budget.",
        show_default="all of them",
    ),
]
JsonFileOption = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="Write the summary, and a row for each bin, to this file."
    ),
]
OutOption = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the report.")]

LoadRequestOption = Annotated[
    str | None,
    typer.Option(
        "--request",
        metavar="'POST /path'",
        help="Method and path to send, to any HTTP service.",
        show_default="POST /orders, as to the box office",
    ),
]
JudgeRequestOption = Annotated[
    str | None,
    typer.Option(
        "--request", metavar="'POST /path'", help="Method and path to send.", show_default="GET /"
    ),
]
JsonBodyOption = Annotated[
    str | None,
    typer.Option(
        "--json-body",
        metavar="JSON",
        help="With --request: the body to send, such as '{\"id\": 1}'.",
    ),
]
BodyFileOption = Annotated[
    Path | None,
    typer.Option("--body-file", metavar="FILE", help="With --request: a file with the body."),
]
HeaderOptions = Annotated[
    list[str],
    typer.Option("--header", metavar="'NAME: VALUE'", help="With --request: a header. Repeatable."),
]
OwnServiceOption = Annotated[
    bool,
    typer.Option(
        "--i-run-this-service",
        help="You run the service and may overload it. Without this option a load is sent only to "
        "addresses of this machine.",
    ),
]


@app.callback(invoke_without_command=True)
def about(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """A workshop on backpressure: a real service, a load beyond its capacity, and what helps.

    To begin: bpdemo lab opens the lessons in JupyterLab; bpdemo demo tells the
    whole story in the terminal; bpdemo doctor checks whether this machine is
    ready. Each command explains itself: bpdemo load --help.
    """
    if version:
        typer.echo(f"bpdemo {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. Beyond this machine it needs BPDEMO_ADMIN_TOKEN.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes any free port.")
    ] = 8000,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the service, a box office, until Ctrl-C.

    The first Ctrl-C drains: admitted orders are finished, new ones rejected.
    A second one ends it at once. Log lines go to standard error: readable on a
    terminal, else one JSON object per line (--set log_format=json or console).

    Examples:
      bpdemo serve --port 8080 --set workers=4 --set queue_capacity=8
      bpdemo serve --set store=embedded
    """
    _warn_of_what_exporters_ignore(knobs)
    forget_foreign()
    from bpdemo.assembly.service_process import run_server

    _warn_of_misspelt_variables()
    run_server(host, port, parse_knobs(knobs), until_stdin_closes=until_stdin_closes)


@app.command()
def worker(
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Its name in log lines.", show_default="worker- and its process id"
        ),
    ] = "",
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Process the orders that a service has accepted (202), from the database they share.

    The database is the PostgreSQL that the service uses. Several workers may
    run; each order is leased to one of them. Ctrl-C drains.

    Example, with the address that `bpdemo serve --set store=embedded` prints:
      bpdemo worker --set 'database_url=postgresql://...'
    """
    _warn_of_what_exporters_ignore(knobs)
    forget_foreign()
    require_extra("bpdemo worker", "postgres")
    from bpdemo.assembly.worker_process import run_worker

    _warn_of_misspelt_variables()
    run_worker(parse_knobs(knobs), name, until_stdin_closes=until_stdin_closes)


@app.command()
def load(
    url: Annotated[
        str,
        typer.Option(metavar="URL", help="Address of the service, such as http://127.0.0.1:8000."),
    ],
    scenario: ScenarioOption = "steady",
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Requests per second at the peak, 0.001 to 100000; with --scenario closed the "
            "number of users.",
            show_default="100, or what the file of --user says",
        ),
    ] = None,
    seconds: SecondsOption = 10.0,
    processes: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Load generators on this machine that share it."),
    ] = 1,
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same seed sends the same requests.")
    ] = 0,
    retries: RetriesOption = None,
    retry_policy: RetryPolicyOption = None,
    json_file: JsonFileOption = None,
    expect: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            metavar="N",
            help="Let this many `bpdemo load-worker` processes send the load instead.",
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="With --expect: the address at which they join.",
            show_default="127.0.0.1:5557",
        ),
    ] = None,
    join_within: JoinWithin = 60.0,
    request: LoadRequestOption = None,
    json_body: JsonBodyOption = None,
    body_file: BodyFileOption = None,
    header: HeaderOptions = [],  # noqa: B006 - typer copies it
    user: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A Locust file with an OpenLoopUser, whose tasks run instead.",
        ),
    ] = None,
    i_run_this_service: OwnServiceOption = False,
) -> None:
    """Send a load to a service and show what became of the requests.

    Locust sends it, open-loop: each request at its own time, however slow the
    answers are (--scenario closed alone waits for them). Each client waits 500
    ms for its answer, and then hangs up. It sends orders, as to the box office;
    with --request, what any service takes; with --user, what your Locust file
    does. Exit code 0 if the load was sent, whatever was answered.

    Examples:
      bpdemo load --url http://127.0.0.1:8000 --scenario spike --rate 400
      bpdemo load --url http://127.0.0.1:8000 --request 'GET /items/1'

    With --expect other machines send it: run `bpdemo load-worker` on them.
    It listens on loopback unless --listen says otherwise. Locust's protocol
    has no authentication and no encryption: anyone who reaches the port can
    join, and report false counts. Use a network you trust, or a tunnel.
    """
    require_extra("bpdemo load", "load")
    from bpdemo.cli.commands import Far, run_load
    from bpdemo.cli.request_options import request_from

    if expect and processes > 1:
        raise ValueError("processes: belongs to bpdemo load-worker where --expect is given")
    if listen and not expect:
        raise ValueError("expect: say how many workers are to join where --listen is given")
    far = Far(listen or "127.0.0.1:5557", expect, join_within) if expect else None
    sent = request_from(request, json_body, body_file, header)
    run_load(
        url, scenario, rate, seconds, processes, seed, json_file, far, sent, user,
        i_run_this_service, retrying(retries, retry_policy, scenario),
    )  # fmt: skip


@app.command()
def judge(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="An ASGI application of this folder, such as shop:app, or a URL, such as "
            "http://127.0.0.1:8000.",
        ),
    ],
    request: JudgeRequestOption = None,
    json_body: JsonBodyOption = None,
    body_file: BodyFileOption = None,
    header: HeaderOptions = [],  # noqa: B006 - typer copies it
    client_timeout_ms: Annotated[
        float,
        typer.Option(
            metavar="MS",
            help="How long, in milliseconds, its clients wait for an answer, 1 to 3600000.",
        ),
    ] = 500.0,
    out: OutOption = Path("reports"),
    i_run_this_service: OwnServiceOption = False,
) -> None:
    """Overload any service, and say how it behaves and what to change.

    The load is real, and so are its side effects: payments, mails, rows, and
    the load on every dependency behind the service, on localhost too. Judge a
    staging copy with stubs for what costs, and tell the owners of the rest.

    It finds the capacity, then offers 2 and 5 times as much, a spike, and
    clients that hang up. An application (module:app) runs in a process of its
    own on plain uvicorn. It takes two to three minutes, and writes a report in
    HTML. Exit code 0 if the capacity was found, else 1.

    Examples:
      bpdemo judge shop:app --request 'GET /items/1'
      bpdemo judge http://127.0.0.1:8000 --request 'POST /pay' --body-file a.json
    """
    require_extra("bpdemo judge", "load")
    from bpdemo.cli.judge.judge import run_judge
    from bpdemo.cli.request_options import request_from

    sent = request_from(request, json_body, body_file, header)
    raise typer.Exit(run_judge(target, sent, client_timeout_ms, out, i_run_this_service))


@app.command()
def lab(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder for the course; made if missing.")
    ] = Path("backpressure-workshop"),
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="The port to try first; if it is in use, one of the next twenty, or any.",
        ),
    ] = 8888,
    browser: Annotated[bool, typer.Option(help="Whether to open it in the browser.")] = True,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place",
            help="Open the current folder as it is; only its exercises are copied to my-work/.",
        ),
    ] = False,
) -> None:
    """Put the course into a folder and open it in JupyterLab, until Ctrl-C.

    What is in the folder already is never touched: your answers in my-work/
    stay as they are.
    """
    require_extra("bpdemo lab", "lab")
    from bpdemo.cli.workshop.workshop import run_lab

    home = Path() if in_place else folder
    raise typer.Exit(run_lab(home, port, browser, in_place, typer.echo))


@app.command()
def load_worker(
    join: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="The address at which `bpdemo load --expect` listens, such as 192.168.1.20:5557.",
        ),
    ],
    processes: Annotated[
        int,
        typer.Option(
            min=1, max=64, metavar="N", help="Load generators to join with, such as one per core."
        ),
    ] = 1,
    join_within: JoinWithin = 60.0,
    i_run_this_service: OwnServiceOption = False,
) -> None:
    """Send a part of a load that `bpdemo load --expect N` drives on another machine.

    It sends what that machine asks for, wherever it says: join only a machine
    you trust.
    """
    require_extra("bpdemo load-worker", "load")
    from bpdemo.load.load_worker import run_load_worker

    run_load_worker(join, processes, join_within, i_run_this_service)


@app.command()
def simulate(
    scenario: ScenarioOption = "steady",
    rate: Annotated[
        float,
        typer.Option(
            metavar="N",
            help="Orders per second at the peak, 0.001 to 100000; with --scenario closed the "
            "number of users. The capacity at the defaults is about 190 per second.",
        ),
    ] = 400.0,
    seconds: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Length in seconds of virtual time, 0.1 to 7200."),
    ] = 30.0,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same run.")] = 0,
    retries: RetriesOption = None,
    retry_policy: RetryPolicyOption = None,
    unprotected: UnprotectedOption = False,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    json_file: JsonFileOption = None,
) -> None:
    """Run the service's own code in virtual time: a load without sockets, in a moment.

    What `bpdemo load` measures on a running service, without one: minutes of
    load take seconds, and the same seed gives the same figures everywhere.

    Examples:
      bpdemo simulate --scenario spike --rate 400
      bpdemo simulate --rate 400 --unprotected --set payment_latency_s=0.06
      bpdemo simulate --rate 200 --unprotected --retry-policy grpc_tokens
    """
    if json_file is None:
        require_extra("bpdemo simulate without --json", "load")
    _warn_of_misspelt_variables()
    from bpdemo.plan.plan import Plan

    asked = parse_knobs(knobs)
    if unprotected:
        _warn_of_overruled(asked)
    plan = Plan(
        rate_per_s=rate, seconds=seconds, scenario=scenario, seed=seed,
        **retrying(retries, retry_policy, scenario),
    )  # fmt: skip
    given = (asked, unprotected, plan)
    if json_file is not None and any(lacking("load")):
        from bpdemo.cli.plain_simulation import run_plain_simulation

        run_plain_simulation(*given, json_file)
        return
    from bpdemo.cli.commands import run_simulation

    run_simulation(*given, json_file)


@app.command()
def margin(
    unprotected: UnprotectedOption = False,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    retries: Annotated[
        int, typer.Option(metavar="N", help="How often a client tries again, at once, 0 to 20.")
    ] = 3,
    retry_policy: RetryPolicyOption = None,
    slow_times: Annotated[
        float,
        typer.Option(metavar="X", help="The trigger: payments take so many times as long."),
    ] = 5.0,
    at: Annotated[
        list[float],
        typer.Option(
            metavar="LOAD",
            help="A load to look at, as a share of the capacity, such as 0.7. Repeatable.",
            show_default="0.3 to 0.95",
        ),
    ] = [],  # noqa: B006 - typer copies it
    most_seconds: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="The longest trigger tried, in seconds, 0.05 to 600."),
    ] = 60.0,
    seeds: Annotated[
        int,
        typer.Option(metavar="N", help="Runs that decide about each length: at the edge half."),
    ] = 9,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="The first of the seeds, of the clients and of the service; with --set seed=N "
            "the service has that one in every run.",
        ),
    ] = 0,
    processes: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Processes that share the seeds.")
    ] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Draw the map into this file.")
    ] = None,
) -> None:
    """Find how large a trigger the service survives, at each load.

    The trigger is a payment that is slow for a while. Where it lasts too long,
    the service stays stuck when it is over: from 30 to 60 seconds later no more
    than half of the orders are served in time. The service's own code, in
    virtual time; it takes a minute or two.

    Examples:
      bpdemo margin --unprotected
      bpdemo margin --unprotected --retries 1 --at 0.7 --set queue_capacity=8
    """
    if html_file is not None:
        require_extra("bpdemo margin --html", "load")
    _warn_of_misspelt_variables()
    from bpdemo.cli.margin_command import MarginAsked, run_margin

    asked = parse_knobs(knobs)
    if unprotected:
        _warn_of_overruled(asked)
    run_margin(
        MarginAsked(
            knobs=asked, unprotected=unprotected, retries=retries, retry_policy=retry_policy,
            slow_times=slow_times, loads=at, most_seconds=most_seconds, seeds=seeds, seed=seed,
            processes=processes, json_file=json_file, html_file=html_file,
        )
    )  # fmt: skip


@app.command()
def demo(
    seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Length in seconds of each of the two runs, 3 to 600."
        ),
    ] = 12.0,
    out: OutOption = Path("reports"),
) -> None:
    """Tell the whole story: one spike, once without protection and once with it.

    A verdict in words and numbers on the terminal, and a report in HTML. It
    takes about a minute.
    """
    require_extra("bpdemo demo", "load")
    _warn_of_misspelt_variables()
    _warn_of_overruled(instead=False)
    from bpdemo.cli.demo.demo import run_demo

    raise typer.Exit(run_demo(seconds, out))


ExerciseName = Annotated[str, typer.Argument(metavar="NAME", help="An exercise, such as 01a.")]


@app.command()
def check(name: ExerciseName) -> None:
    """Judge the answer to an exercise in your saved notebook.

    Run it in the folder of the course. Exit code 0 if the answer passed, else
    1. `bpdemo progress` lists the exercises.
    """
    require_extra("bpdemo check", "lab")
    from bpdemo.cli.exercise_commands import run_check

    raise typer.Exit(run_check(name))


@app.command()
def hint(
    name: ExerciseName,
    again: Annotated[
        bool, typer.Option("--again", help="Begin with the first hint again.")
    ] = False,
) -> None:
    """Show the next hint for an exercise; each has three."""
    from bpdemo.cli.exercise_commands import run_hint

    run_hint(name, again)


@app.command()
def progress() -> None:
    """List all exercises, and how far you have come."""
    from bpdemo.cli.exercise_commands import run_progress

    run_progress()


@app.command()
def score(
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Your name on the board; asked for if missing."),
    ] = None,
    word: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="The word that the room was told; asked for if missing."),
    ] = None,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
) -> None:
    """Score the settings of the challenge, and print your code for the board.

    They are read from your saved notebook of lesson 08, or given with --set.
    """
    require_extra("bpdemo score", "load")
    from bpdemo.cli.score_commands import run_score

    # Asked for only now: nobody types their name to be told what is missing.
    named = typer.prompt("Your name") if name is None else name
    revealed = typer.prompt("The word") if word is None else word
    raise typer.Exit(run_score(named, revealed, parse_knobs(knobs)))


@app.command()
def board(
    codes: Annotated[
        list[str] | None,
        typer.Argument(metavar="CODE", help="Codes as `bpdemo score` prints them."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A text file with codes in it.")
    ] = None,
) -> None:
    """Rank the codes of a room: given here, in a file, or pasted into the terminal."""
    require_extra("bpdemo board", "load")
    from bpdemo.cli.score_commands import run_board

    raise typer.Exit(run_board(codes or [], file))


@app.command()
def doctor() -> None:
    """Check whether this machine is ready for the workshop.

    One line per check; each warning and each failure says how to
    fix it. It measures what the machine can do, which takes about half a
    minute. Exit code 1 if a line says FAIL.
    """
    from bpdemo.cli.doctor.doctor import run_doctor

    raise typer.Exit(run_doctor())


def retrying(retries: int | None, policy: str | None, scenario: str) -> dict[str, Any]:
    """As a plan has it. A policy says what becomes of retries, so it is not asked for none, and
    ValueError where it is; a retry storm has its own."""
    from bpdemo.core.choices import RETRY_POLICIES
    from bpdemo.plan.retry_policies import require_retries

    if retries is None:
        retries = 0 if policy is None else POLICY_RETRIES
    elif policy in RETRY_POLICIES and scenario != "retry_storm":  # another name is told by the plan
        require_retries(policy, retries)
    return {"retries": retries, "retry_policy": policy}


def parse_knobs(texts: list[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as settings. Raises `SettingsInvalid` for any other."""
    knobs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingsInvalid("set", f"{text!r} is not NAME=VALUE, such as queue_capacity=8")
        knobs[name.strip().lower()] = value
    return knobs


def _warn_of_misspelt_variables() -> None:
    from bpdemo.core.settings import misspelt_in

    for name, meant in misspelt_in(os.environ).items():
        print(f"bpdemo: {name} sets nothing; did you mean {meant}?", file=sys.stderr)


def _warn_of_overruled(knobs: Collection[str] = (), instead: bool = True) -> None:
    """What the environment says of the naive service in vain."""
    from bpdemo.core.settings import overruled_in

    for variable, name in overruled_in(os.environ, knobs).items():
        better = f"; --set {name}=… does" if instead else ""
        told = f"bpdemo: {variable} sets nothing of the unprotected service{better}"
        print(told, file=sys.stderr)


def _warn_of_what_exporters_ignore(knobs: list[str]) -> None:
    """Only where spans are exported; before those variables are forgotten."""
    from bpdemo.core.foreign_variables import not_obeyed

    if "traces=otlp" in knobs or os.environ.get("BPDEMO_TRACES") == "otlp":
        for name in not_obeyed(os.environ):
            print(f"bpdemo: {name} has no effect on the spans of bpdemo", file=sys.stderr)


def main() -> None:
    """Run the command line.

    What the user got wrong, or the system refused, is told in one line, with exit code 2; a service
    or a load generator that failed, with exit code 1. Ctrl-C is 130. A reader that left ends it
    with exit code 1 and no word.
    """
    run_command(_run)


def _run() -> int:
    try:
        code = app(prog_name="bpdemo", standalone_mode=False)
    except (SettingsInvalid, ValueError, UsageError, ExtraMissing) as error:
        fail(error)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "bpdemo":
            raise  # an error of ours
        fail(_lacking(error.name))
    except typer.Abort:
        fail("interrupted", code=130)
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(": ".join(filter(None, (error.filename and str(error.filename), error.strerror))))
    except _failures() as error:
        fail(error, code=1)
    return code if isinstance(code, int) else 0


def _lacking(module: str | None) -> ExtraMissing | str:
    """What to install for a module that something, such as a setting, has asked for."""
    extra = extra_with(module)
    if extra is None and any(lacking("lab")):  # a package of another one's, such as IPython
        extra = "lab"
    if extra is None:
        return f"{module} is not installed, and bpdemo cannot do without it: install bpdemo again"
    return ExtraMissing(f"{module} is not installed; this", extra)


def fail(why: Exception | str, code: int = 2) -> NoReturn:
    """End with one line on standard error."""
    told = str(why)
    if isinstance(why, UsageError):
        told = told_usage(why)
    elif isinstance(why, SettingsInvalid):
        told = _told_setting(why)
    elif isinstance(why, ValueError):
        told = by_option(told, _options())
    end(told, code)


def _told_setting(why: SettingsInvalid) -> str:
    """There may be no running service to ask for all settings; a setting is no option, even where
    both are called the same, such as `seed`."""
    from bpdemo.core.settings import WHERE_LISTED, Settings

    told = str(why)
    if why.field not in Settings.model_fields:
        told = by_option(told, _options())
    return told.replace(WHERE_LISTED, f"they are {', '.join(Settings.model_fields)}")


def _options() -> list[str]:
    """Those of the command that was asked for."""
    commands = getattr(typer.main.get_command(app), "commands", {})
    command = next((commands[word] for word in sys.argv[1:] if word in commands), None)
    return [name for each in getattr(command, "params", ()) for name in each.opts]


def _failures() -> tuple[type[Exception], ...]:
    # Asked for only when something has failed: these modules take their time to load.
    if any(lacking("load")):
        return ()  # then none of them has run
    from bpdemo.lab.services.host import ServiceFailed
    from bpdemo.load.driver import LoadFailed

    return LoadFailed, ServiceFailed
