package pacer.workflows.cli;

import java.util.List;
import java.util.concurrent.Callable;

/** The subcommands by name, in the order in which help lists them. */
final class Commands {
    static final List<String> NAMES = List.of(
            "run",
            "resume",
            "sweep",
            "record",
            "train",
            "sample",
            "eval",
            "export",
            "parity",
            "bench",
            "presets",
            "plan",
            "runs",
            "compare",
            "report",
            "publish",
            "up",
            "status",
            "logs",
            "down",
            "worker",
            "schedule",
            "promote",
            "codec",
            "doctor",
            "version",
            "completion");

    private Commands() {}

    static Callable<Integer> create(String name, Console console) {
        return switch (name) {
            case "run" -> new RunCommand(console);
            case "sweep" -> new SweepCommand(console);
            case "record" -> new RecordCommand(console);
            case "resume" -> new ResumeCommand(console);
            case "train" -> new TrainCommand(console);
            case "sample" -> new SampleCommand(console);
            case "eval" -> new EvalCommand(console);
            case "export" -> new ExportCommand(console);
            case "parity" -> new ParityCommand(console);
            case "bench" -> new BenchCommand(console);
            case "presets" -> new PresetsCommand(console);
            case "plan" -> new PlanCommand(console);
            case "runs" -> new RunsCommand(console);
            case "compare" -> new CompareCommand(console);
            case "report" -> new ReportCommand(console);
            case "publish" -> new PublishCommand(console);
            case "up" -> new UpCommand(console);
            case "status" -> new StatusCommand(console);
            case "logs" -> new LogsCommand(console);
            case "down" -> new DownCommand(console);
            case "worker" -> new WorkerCommand(console);
            case "schedule" -> new ScheduleCommand(console);
            case "promote" -> new PromoteCommand(console);
            case "codec" -> new CodecCommand(console);
            case "doctor" -> new DoctorCommand(console);
            case "version" -> new VersionCommand(console);
            case "completion" -> new CompletionCommand(console);
            default -> throw new IllegalArgumentException("no command " + name);
        };
    }
}
