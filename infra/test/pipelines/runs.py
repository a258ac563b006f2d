"""Runs: the traces they leave in every service, wrong input, what steers and what stops them."""

import json
import subprocess

from .servers import HOME, check, until

SMALL = ["--set", "train.steps=400", "--set", "evaluation.everySteps=100"]


def a_run_leaves_its_traces_everywhere(stack):
    told = json.loads(stack.pacer("run", *SMALL, "--note", "of the stack test", "-o", "json"))["run"]
    run = told["id"]
    check(told["status"] == "finished", f"{run} is finished")
    info = stack.temporal("workflow", "describe", "-w", run)["workflowExecutionInfo"]
    check(info["status"].endswith("COMPLETED"), "Temporal: the workflow is completed")
    check("verdict" in info.get("memo", {}).get("fields", {}), "Temporal: the memo has the verdict")
    record = json.loads((stack.folder / "runs" / run / "run.json").read_text())
    commit = record["environment"]["commit"]
    checkout = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HOME, capture_output=True, text=True)
    check(checkout.returncode != 0 or commit == checkout.stdout.strip(), "its record has the commit")
    loss = next(s for s in record["stages"] if s["stage"] == "evaluate")["result"]["validationLoss"]
    found = until("the run among those searched for", lambda: stack.temporal("workflow", "list", "--query", " AND ".join([
        "PacerPreset='quickstart'", "PacerStage='publish'", "PacerStep=400", f"PacerValidationLoss={loss!r}", f"PacerCommit='{commit}'",
        "PacerVerdict='none'"])))
    check([w["execution"]["workflowId"] for w in found] == [run], "Temporal: preset, stage, step, val loss, commit, verdict find it")

    def tracked():
        runs = stack.post("mlflow", "/api/2.0/mlflow/runs/search", {
            "experiment_ids": ["1"], "filter": f"tags.`pacer.run` = '{run}'"}).get("runs", [])
        return runs and runs[0]["info"]["status"] == "FINISHED" and runs
    mlflow = until("MLflow has the finished run", tracked)
    check(len(mlflow) == 1, "MLflow: one run, finished")
    history = stack.get("mlflow", f"/api/2.0/mlflow/metrics/get-history?run_id={mlflow[0]['info']['run_id']}&metric_key=train/loss&max_results=10000")["metrics"]
    check([m["step"] for m in history] == list(range(1, 401)), "MLflow: each step's loss once, in order")
    until("everything is in MLflow", lambda: stack.temporal(
        "workflow", "list", "--query", "WorkflowType='TrackRun' AND ExecutionStatus='Completed'"))
    version = stack.get("mlflow", "/api/2.0/mlflow/registered-models/alias?name=quickstart&alias=best")["model_version"]
    check(version["run_id"] == mlflow[0]["info"]["run_id"], "MLflow: a model version with the alias best")

    bucket = stack.folder / "stack" / "s3" / "pacer"
    shards = list((bucket / "shards").iterdir())
    digests = {subprocess.run(["sha256sum", s], capture_output=True, text=True, check=True).stdout[:64] for s in shards}
    check(shards and digests == {s.stem for s in shards}, "S3: shards lie under their digests")
    check((bucket / "checkpoints" / run / "step-000400" / "manifest.json").exists(), "S3: the last checkpoint")


def a_second_run_makes_no_data_again(stack):
    record = json.loads(stack.pacer("run", "--new", "--set", "train.steps=20", "-o", "json"))["run"]
    reused = {s["stage"]: s["reused"] for s in record["stages"]}
    check(reused["dataset"] and reused["stage"], "a second run neither tokenizes nor stages")


def hellaswag_is_measured(stack):
    """With examples of its own; that the panel shows them is for every_panel_has_data."""
    examples = stack.folder / "hellaswag.jsonl"
    endings = ["sat by the fire.", "was a Thursday.", "of of the the.", "closed the door."]
    examples.write_text("".join(json.dumps({"ctx": f"The old man number {n}", "endings": endings, "label": n % 4}) + "\n" for n in range(8)))
    record = json.loads(stack.pacer(
        "run", "--new", "--set", "dataset.tokenizer=gpt2", "--set", "model.vocabulary=50257", "--set", "model.layers=1", "--set", "model.width=32",
        "--set", "train.steps=40", "--set", "hellaSwag.examples=8", "--set", "hellaSwag.everySteps=10", "--set", f"hellaSwag.from=file:{examples}",
        "--set", "hellaSwag.sha256=", "--set", "expectation.referenceHellaSwag=0.2955", "--set", "expectation.validationLoss=12", "-o", "json"))["run"]
    run, share = record["id"], next(s for s in record["stages"] if s["stage"] == "evaluate")["result"]["hellaSwag"]
    check(share * 8 in range(9), "HellaSwag is measured at the end")
    check("HellaSwag" in stack.query(run, "__temporal_workflow_metadata")["currentDetails"], "Temporal: the run's page has it")
    until("Prometheus: the share measured last and the published one", lambda: [
        [float(series["value"][1]) for series in stack.get("prometheus", f"/api/v1/query?query={name}")["data"]["result"]]
        for name in ("pacer_hellaswag_accuracy_ratio", "pacer_reference_hellaswag_accuracy_ratio")] == [[share], [0.2955]])


def wrong_input_fails_at_once(stack):
    for name, body, words in [
            ("typo", {"presett": "quickstart"}, "did you mean preset?"),
            ("preset", {"preset": "quikstart"}, "did you mean quickstart?"),
            ("list", [1, 2], "must be an object"),
            ("type", {"preset": 5}, "preset: 5, must be the name of a preset"),
            ("setting", {"preset": "quickstart", "overrides": {"train": {"stepps": 1}}}, "did you mean train.steps?"),
            ("nothing", "null", "preset: missing")]:
        stack.start(f"wrong-{name}", body)
        until(f"wrong-{name} failed", lambda: stack.status(f"wrong-{name}") == "FAILED", 30)
        check(words in json.dumps(stack.temporal("workflow", "describe", "-w", f"wrong-{name}")), f"UI input ({name}): {words}")


def updates_steer_a_run(stack):
    stack.start("steered", {"preset": "quickstart", "overrides": {"train.steps": 20000}, "note": "steered"})
    until("it trains", lambda: stack.step("steered") > 0)
    told = stack.query("steered", "__temporal_workflow_metadata")["definition"]
    undescribed = [d["name"] for kind in told if kind.endswith("Definitions") for d in told[kind] if not d.get("description")]
    names = {d["name"] for kind in ("queryDefinitions", "updateDefinitions") for d in told[kind]}
    check({"progress", "lossCurve", "spec", "pause", "resume", "checkpointNow", "extend", "stopEarly"} <= names and not undescribed,
          f"each query, signal and update is described {' '.join(undescribed)}".rstrip())
    until("it is found by its stage and a validation loss", lambda: stack.temporal(
        "workflow", "list", "--query", "WorkflowId='steered' AND PacerStage='train' AND PacerValidationLoss>0 AND PacerStep>0"))
    check("step-" in json.dumps(stack.update("steered", "checkpointNow")), "update checkpointNow writes one")
    stack.update("steered", "pause")
    check("paused already" in stack.update("steered", "pause", fails=True), "update pause pauses, once")
    check("20,500" in json.dumps(stack.update("steered", "extend", 500)), "update extend moves the end")
    before = stack.step("steered")
    stack.update("steered", "resume")
    until("it trains again", lambda: stack.step("steered") > before)  # until then the answer is the attempt's before
    stack.update("steered", "stopEarly")
    until("it came to its end", lambda: stack.status("steered") == "COMPLETED")
    check("training ended at step" in json.dumps(stack.temporal("workflow", "describe", "-w", "steered")), "update stopEarly evaluates and publishes")
    check(len(stack.query("steered", "lossCurve")["points"]) > 0, "query lossCurve has points")
    check("sequenceLength" in stack.query("steered", "spec"), "query spec has the spec")


def a_budget_stops_a_run(stack):
    told = json.loads(stack.pacer("run", "--new", "--set", "train.steps=100000", "--budget", "0.1min", "-o", "json", code=3))["run"]
    check("over budget" in told["failure"], "a budget stops a run with a checkpoint")
