"""How long one whole run takes, and its parts: `aws-tests/run --bodies 100000`."""

import datetime

from harness import runs, tables


def a_whole_run(many):
    arn = runs.start(many.stack, "timed")
    run = runs.wait(many.stack, arn, timeout_seconds=3600).succeeded()
    entered = [
        (event["stateEnteredEventDetails"]["name"], event["timestamp"])
        for event in runs.history(many.stack, arn)
        if "stateEnteredEventDetails" in event
    ]
    ends = [time for _, time in entered[1:]] + [entered[0][1] + datetime.timedelta(seconds=run.seconds)]
    print(f"\n{run.output['items']:,} bodies on the emulator")
    for (name, began), ended in zip(entered, ends):
        print(f"  {name:20} {(ended - began).total_seconds():8.1f} s")
    print(f"  {'in all':20} {run.seconds:8.1f} s")
    assert tables.current(many.stack)["run"] == "timed"
