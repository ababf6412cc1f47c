"""Play the acts of the talk for real and keep them: what key R of the live demo shows.

Writes bpdemo/lab/talk/recordings/act_1.json.gz and so on. An act on a machine that was busy is
played once more; one that is still not valid is not kept.
"""

from pathlib import Path

from bpdemo.lab.talk.acts import ACTS
from bpdemo.lab.talk.talk import stage
from bpdemo.results.validity import NotMeasured

#: Enough orders a second for smooth lines; the files stay small.
WORKERS = 8
FOLDER = Path(__file__).parents[1] / "bpdemo" / "lab" / "talk" / "recordings"


def main() -> int:
    on = stage(workers=WORKERS)
    kept = 0
    for act in ACTS:
        for _ in range(2):
            try:
                run = on.play(act.key).require_valid()
            except NotMeasured as why:
                print(f"act {act.key}: {why}", flush=True)
                continue
            path = run.save(FOLDER / f"act_{act.key}.json.gz")
            size_kb = path.stat().st_size / 1000
            print(f"{path.name}, {size_kb:.0f} kB: {run.sentence}", flush=True)
            kept += 1
            break
    on.close()
    return 0 if kept == len(ACTS) else 1


if __name__ == "__main__":
    raise SystemExit(main())
