"""How long one whole run takes, its parts, and what its functions need: `aws-tests/run --bodies 100000`."""

import datetime

from harness import runs, tables
from harness.processes import Watch


def a_whole_run(many):
    with Watch(many.emulator) as watch:
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
    print(f"\n  {'function':26} processes   peak MB   processor s")
    for name, physical_id in sorted(many.stack.resources.items()):
        if (need := watch.needs().get(physical_id)) is not None:
            print(f"  {name:26} {need.num_processes:9} {need.peak_megabytes:9.1f} {need.processor_seconds:13.1f}")
    assert tables.current(many.stack)["run"] == "timed"
