"""The command line. Each command imports what it needs itself, so that all start fast."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer

from bpdemo import __version__
from bpdemo.cli.outlet import take_standard_output
from bpdemo.core.environment import forget_foreign
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.extras import ExtraMissing, extra_with, lacking, require_extra

app = typer.Typer(name="bpdemo", add_completion=False, pretty_exceptions_enable=False)

#: What the command line itself finds wrong, such as a missing option.
UsageError = cast(type[Exception], typer.BadParameter.__base__)

KnobOptions = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A setting, such as queue_capacity=8. Repeatable."
    ),
]
ScenarioOption = Annotated[
    str,
    typer.Option(help="steady, ramp, spike, sustained, retry_storm or closed."),
]


JoinWithin = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the next to join.")
]

RequestOption = Annotated[
    str | None,
    typer.Option("--request", metavar="'POST /path'", help="What to send instead of orders."),
]
JsonBodyOption = Annotated[
    str | None, typer.Option("--json-body", metavar="JSON", help="With --request: its body.")
]
BodyFileOption = Annotated[
    Path | None, typer.Option("--body-file", help="With --request: a file with its body.")
]
HeaderOptions = Annotated[
    list[str],
    typer.Option("--header", metavar="'NAME: VALUE'", help="With --request. Repeatable."),
]
OwnServiceOption = Annotated[
    bool,
    typer.Option(
        "--i-run-this-service",
        help="You run the service and may overload it. Without this, only this machine is sent to.",
    ),
]


@app.callback(invoke_without_command=True)
def about(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """The workshop on backpressure: a service on sale day, its load, and what to learn from it."""
    if version:
        typer.echo(f"bpdemo {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the box office until it is told to stop (Ctrl-C drains, a second one ends at once)."""
    forget_foreign()
    from bpdemo.assembly.service_process import run_server

    _warn_of_misspelt_variables()
    run_server(host, port, parse_knobs(knobs), until_stdin_closes=until_stdin_closes)


@app.command()
def worker(
    name: Annotated[str, typer.Option(help="What its log lines call it.")] = "",
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Process the orders that a service has promised, from the PostgreSQL they share."""
    forget_foreign()
    require_extra("bpdemo worker", "postgres")
    from bpdemo.assembly.worker_process import run_worker

    _warn_of_misspelt_variables()
    run_worker(parse_knobs(knobs), name, until_stdin_closes=until_stdin_closes)


@app.command()
def load(
    url: Annotated[str, typer.Option(help="The service, such as http://127.0.0.1:8000.")],
    scenario: ScenarioOption = "steady",
    rate: Annotated[
        float | None,
        typer.Option(
            help="Peak requests a second; closed: users.", show_default="100, or the file's own"
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to send.")] = 10.0,
    processes: Annotated[
        int, typer.Option(min=1, help="Load generators on this machine to share it.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="The same seed sends the same orders.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write summary and bins to this file.")
    ] = None,
    expect: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Let that many `bpdemo load-worker` send it instead."),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="With --expect: where workers join, if not on 127.0.0.1:5557.",
        ),
    ] = None,
    join_within: JoinWithin = 60.0,
    request: RequestOption = None,
    json_body: JsonBodyOption = None,
    body_file: BodyFileOption = None,
    header: HeaderOptions = [],  # noqa: B006 - typer copies it
    user: Annotated[
        Path | None,
        typer.Option(help="A Locust file with an OpenLoopUser, whose tasks to run instead."),
    ] = None,
    i_run_this_service: OwnServiceOption = False,
) -> None:
    """Drive a load with Locust and show what came of it.

    It sends orders, as to a box office; with --request, what any service
    takes; with --user, what your Locust file does.

    With --expect other machines send it: run `bpdemo load-worker` on them.
    It listens on loopback unless --listen says otherwise. Locust's protocol
    has no authentication and no encryption: anyone who reaches the port can
    join, and tell wrong counts. Use a network you trust, or a tunnel.
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
        i_run_this_service,
    )  # fmt: skip


@app.command()
def judge(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="module:app, from this folder, or a URL.")
    ],
    request: RequestOption = None,
    json_body: JsonBodyOption = None,
    body_file: BodyFileOption = None,
    header: HeaderOptions = [],  # noqa: B006 - typer copies it
    client_timeout_ms: Annotated[
        float, typer.Option(help="How long its clients wait for an answer.")
    ] = 500.0,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("reports"),
    i_run_this_service: OwnServiceOption = False,
) -> None:
    """Overload any service, and say what it does and what to change.

    It finds the capacity, then offers 2 and 5 times as much, a spike, and
    clients that hang up. An application (module:app) runs in a process of its
    own on plain uvicorn. What to send is GET / unless --request says more. It
    takes two to three minutes.
    """
    require_extra("bpdemo judge", "load")
    from bpdemo.cli.judge.judge import run_judge
    from bpdemo.cli.request_options import request_from

    sent = request_from(request, json_body, body_file, header)
    raise typer.Exit(run_judge(target, sent, client_timeout_ms, out, i_run_this_service))


@app.command()
def lab(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Where the course is put.")
    ] = Path("backpressure-workshop"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to try first.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="Open the current folder; only its exercises go into my-work/."
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
        str, typer.Option(metavar="HOST:PORT", help="Where `bpdemo load --expect` listens.")
    ],
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Workers to join with: one for each core, say.")
    ] = 1,
    join_within: JoinWithin = 60.0,
    i_run_this_service: OwnServiceOption = False,
) -> None:
    """Send a part of a load that `bpdemo load --expect N` drives elsewhere.

    It sends what that master asks for, to where it says: join no stranger.
    """
    require_extra("bpdemo load-worker", "load")
    from bpdemo.load.load_worker import run_load_worker

    run_load_worker(join, processes, join_within, i_run_this_service)


@app.command()
def simulate(
    scenario: ScenarioOption = "steady",
    rate: Annotated[float, typer.Option(help="Peak orders a second; closed: users.")] = 400.0,
    seconds: Annotated[float, typer.Option(help="Virtual seconds.")] = 30.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run.")] = 0,
    unprotected: Annotated[bool, typer.Option(help="Start from the naive service.")] = False,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write summary and bins to this file.")
    ] = None,
) -> None:
    """The same under virtual time: the real code, hours in seconds, no sockets."""
    if json_file is None:
        require_extra("bpdemo simulate without --json", "load")
    _warn_of_misspelt_variables()
    given = (parse_knobs(knobs), unprotected, scenario, rate, seconds, seed)
    if json_file is not None and any(lacking("load")):
        from bpdemo.cli.plain_simulation import run_plain_simulation

        run_plain_simulation(*given, json_file)
        return
    from bpdemo.cli.commands import run_simulation

    run_simulation(*given, json_file)


@app.command()
def demo(
    seconds: Annotated[float, typer.Option(help="Length of each of the two runs.")] = 12.0,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("reports"),
) -> None:
    """The whole story: one spike, once without protection and once with it."""
    require_extra("bpdemo demo", "load")
    from bpdemo.cli.demo.demo import run_demo

    raise typer.Exit(run_demo(seconds, out))


ExerciseName = Annotated[str, typer.Argument(metavar="NAME", help="Of an exercise, as 01a.")]


@app.command()
def check(name: ExerciseName) -> None:
    """Judge the answer in your saved notebook; exit code 0 if it passed."""
    require_extra("bpdemo check", "lab")
    from bpdemo.cli.exercise_commands import run_check

    raise typer.Exit(run_check(name))


@app.command()
def hint(
    name: ExerciseName,
    again: Annotated[bool, typer.Option(help="Begin with the first hint again.")] = False,
) -> None:
    """The next hint for an exercise; each has three."""
    from bpdemo.cli.exercise_commands import run_hint

    run_hint(name, again)


@app.command()
def progress() -> None:
    """All exercises, and how far you have come."""
    from bpdemo.cli.exercise_commands import run_progress

    run_progress()


@app.command()
def score(
    name: Annotated[str | None, typer.Option(help="As it stands on the board.")] = None,
    word: Annotated[str | None, typer.Option(help="The one that was revealed.")] = None,
    knobs: KnobOptions = [],  # noqa: B006 - typer copies it
) -> None:
    """Score the settings in your saved lesson 08 (or those given), and print your code."""
    require_extra("bpdemo score", "load")
    from bpdemo.cli.score_commands import run_score

    # Asked for only now: nobody types their name to be told what is missing.
    named = typer.prompt("Your name") if name is None else name
    revealed = typer.prompt("The word") if word is None else word
    raise typer.Exit(run_score(named, revealed, parse_knobs(knobs)))


@app.command()
def board(
    codes: Annotated[list[str] | None, typer.Argument(metavar="[CODE]...")] = None,
    file: Annotated[Path | None, typer.Option(help="A text with codes in it.")] = None,
) -> None:
    """Rank the codes of a room: given here, in a file, or pasted."""
    require_extra("bpdemo board", "load")
    from bpdemo.cli.score_commands import run_board

    raise typer.Exit(run_board(codes or [], file))


@app.command()
def doctor() -> None:
    """Is this machine ready? Each failing line says how to fix it."""
    from bpdemo.cli.doctor.doctor import run_doctor

    raise typer.Exit(run_doctor())


def parse_knobs(texts: list[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as settings. Raises `SettingsInvalid` for one without a `=`."""
    knobs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingsInvalid(text, "is not NAME=VALUE")
        knobs[name.strip().lower()] = value
    return knobs


def _warn_of_misspelt_variables() -> None:
    from bpdemo.core.settings import misspelt_in

    for name, meant in misspelt_in(os.environ).items():
        print(f"bpdemo: {name} sets nothing; did you mean {meant}?", file=sys.stderr)


def main() -> None:
    """Run the command line.

    What the user got wrong, or the system refused, is told in one line, with exit code 2; a service
    or a load generator that failed, with exit code 1. Ctrl-C is 130. A reader that left ends it
    with exit code 1 and no word.
    """
    _survive_narrow_consoles()
    given, outlet = sys.stdout, take_standard_output()
    try:
        code = _run()
        outlet.flush()
        if outlet.error:
            fail(f"standard output took no more ({outlet.error.strerror})")
        raise SystemExit(code)
    except BrokenPipeError:
        outlet.abandon()
        raise SystemExit(1) from None
    finally:
        sys.stdout = given


def _run() -> int:
    try:
        code = app(prog_name="bpdemo", standalone_mode=False)
    except (SettingsInvalid, ValueError, UsageError, ExtraMissing) as error:
        fail(error)
    except ModuleNotFoundError as error:
        if extra := extra_with(error.name):  # which a setting has asked for
            fail(ExtraMissing(f"{error.name} is not installed; this", extra))
        raise
    except typer.Abort:
        fail("interrupted", code=130)
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(": ".join(filter(None, (error.filename and str(error.filename), error.strerror))))
    except _failures() as error:
        fail(error, code=1)
    return code if isinstance(code, int) else 0


def fail(why: Exception | str, code: int = 2) -> NoReturn:
    """End with one line on standard error."""
    told = str(why)
    if isinstance(why, UsageError):
        told = _with_help(why)
    with suppress(OSError):  # it may be full, too
        print(f"bpdemo: {' '.join(told.split())}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def _with_help(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "bpdemo"
    return f"{error.format_message().rstrip('.')}. Try: {command} --help"


def _failures() -> tuple[type[Exception], ...]:
    # Asked for only when something has failed: these modules take their time to load.
    if any(lacking("load")):
        return ()  # then none of them has run
    from bpdemo.lab.services.host import ServiceFailed
    from bpdemo.load.driver import LoadFailed

    return LoadFailed, ServiceFailed


def _survive_narrow_consoles() -> None:
    # A Windows console may know neither × nor …: a question mark is better than an end.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
