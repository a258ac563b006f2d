package pacer.workflows.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.data.BadDataException;
import pacer.trainer.eval.NoNumbersException;
import pacer.trainer.spec.Nearest;
import pacer.trainer.spec.SpecException;
import pacer.workflows.stack.StackEnvironment;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line. */
@Command(
        name = "pacer",
        synopsisSubcommandLabel = "COMMAND",
        description = "Trains a GPT from raw text to a trained, evaluated model.%n",
        commandListHeading = "%nCommands:%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExit codes:%n",
        footer = {
            "  0  done",
            "  1  failed",
            "  2  wrong options, settings, names or texts",
            "  3  stopped on request; a checkpoint is kept",
            "  4  finished, but the validation loss is above what the preset expects",
            "",
            "Begin with: pacer run"
        })
public final class Pacer implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "Show stack traces and the libraries' logs (or set PACER_DEBUG=1).")
    private boolean debug;

    // picocli acts on these two; no code reads them
    @SuppressWarnings("unused")
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    private boolean help;

    @SuppressWarnings("unused")
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version.")
    private boolean version;

    private static final Pattern ENUM_VALUES = Pattern.compile("one of \\[(.*)] \\(case-insensitive\\)");

    private final Console console;

    private Pacer(Console console) {
        this.console = console;
    }

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT); // numbers and names of folders are the same under every LANG
        if ("3".equals(System.getenv("PACER_STDERR"))) {
            StandardError.takeFrom(3);
        }
        Map<String, String> environment = System.getenv();
        int code;
        try {
            code = run(args, Console.standard(StackEnvironment.added(environment)));
        } catch (IOException e) {
            Console.standard(environment).complain(reason(e)); // of the stack that is up, or not
            code = Exit.FAILED;
        }
        // threads of libraries must not keep a finished command alive
        System.exit(code);
    }

    /** Runs one command line; the exit code. */
    static int run(String[] args, Console console) {
        return execute(asOptions(args), console);
    }

    /** {@code help run} as {@code run --help}. */
    private static String[] asOptions(String[] args) {
        if (args.length == 0 || !args[0].equals("help")) {
            return args;
        }
        if (args.length == 1) {
            return new String[] {"--help"};
        }
        return Commands.NAMES.contains(args[1]) ? new String[] {args[1], "--help"} : new String[] {args[1]};
    }

    private static int execute(String[] args, Console console) {
        Pacer pacer = new Pacer(console);
        CommandLine line = new CommandLine(pacer);
        // reading a command's annotations takes time: only the one that is meant is loaded, unless help lists all
        List<String> wanted = Commands.NAMES.contains(command(args)) ? List.of(command(args)) : Commands.NAMES;
        wanted.forEach(name -> line.addSubcommand(name, Commands.create(name, console)));
        line.getCommandSpec().versionProvider(new VersionCommand(console));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(Math.clamp(console.out().columns(), 80, 120));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(console.out().color() ? Ansi.ON : Ansi.OFF));
        line.setOut(new PrintWriter(console.out().out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
        line.setParameterExceptionHandler((e, arguments) -> pacer.misused(e, List.of(arguments)));
        line.setExecutionExceptionHandler((e, failed, result) -> pacer.failed(e));
        line.setExecutionStrategy(result -> {
            pacer.logs();
            return new CommandLine.RunLast().execute(result);
        });
        return line.execute(args);
    }

    private static String command(String[] args) {
        for (String arg : args) {
            if (!arg.startsWith("-")) {
                return arg;
            }
        }
        return "";
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(console.out().out());
        return Exit.USAGE;
    }

    private boolean debugging() {
        return debug || !console.environment().getOrDefault("PACER_DEBUG", "").isEmpty();
    }

    /** Libraries write to standard error only when asked: what matters of it comes as notices and errors of ours. */
    private void logs() {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", debugging() ? "info" : "off");
    }

    private int misused(ParameterException e, List<String> arguments) {
        if (e.getCommandLine().getParent() == null
                && e instanceof CommandLine.UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().getFirst().startsWith("-")) {
            String given = unmatched.getUnmatched().getFirst();
            String near = Nearest.among(given, Commands.NAMES)
                    .map(found -> found.question() + " ")
                    .orElse("");
            complain("no command " + given + "; " + near + "there is " + String.join(", ", Commands.NAMES));
            return trace(e, Exit.USAGE);
        }
        complain(inHelpsWords(e.getMessage()));
        if (e instanceof CommandLine.UnmatchedArgumentException unmatched) {
            SettingHint.of(unmatched, arguments).ifPresent(console.err()::println);
        }
        CommandLine.UnmatchedArgumentException.printSuggestions(
                e, e.getCommandLine().getErr());
        console.err().println("Help: " + console.program() + " " + path(e.getCommandLine()) + "--help");
        return trace(e, Exit.USAGE);
    }

    /** The library lists values as Java spells them. */
    private static String inHelpsWords(String message) {
        return ENUM_VALUES
                .matcher(message)
                .replaceAll(found ->
                        "one of " + Matcher.quoteReplacement(found.group(1).toLowerCase(Locale.ROOT)));
    }

    private static String path(CommandLine line) {
        return line.getParent() == null ? "" : line.getCommandName() + " ";
    }

    private int failed(Exception e) {
        return switch (e) {
            case Mistake m -> told(m, Exit.USAGE);
            case SpecException s -> told(s, Exit.USAGE);
            case BadInputException b -> told(b, Exit.USAGE);
            case InvalidFileException f -> told(f, Exit.USAGE);
            case BadDataException d -> told(d, Exit.USAGE);
            case NoNumbersException n -> told(n, Exit.FAILED);
            case IOException io -> {
                complain(reason(io));
                yield trace(io, Exit.FAILED);
            }
            default -> {
                complain("unexpected " + e + (debugging() ? "" : "; --debug shows where"));
                yield trace(e, Exit.FAILED);
            }
        };
    }

    private int told(Exception e, int code) {
        complain(e.getMessage());
        return trace(e, code);
    }

    private int trace(Exception e, int code) {
        if (debugging()) {
            e.printStackTrace(console.err());
        }
        return code;
    }

    private void complain(String message) {
        console.complain(message);
    }

    /** Java's file errors often say no more than the file's name. */
    static String reason(IOException e) {
        List<String> parts = new ArrayList<>();
        if (e instanceof FileSystemException file && file.getFile() != null) {
            parts.add(file.getFile());
            parts.add(
                    switch (file) {
                        case NoSuchFileException n -> "no such file";
                        case AccessDeniedException a -> "permission denied";
                        default -> file.getReason() == null ? file.getClass().getSimpleName() : file.getReason();
                    });
        } else {
            parts.add(e.getMessage() == null ? e.toString() : e.getMessage());
        }
        return String.join(": ", parts);
    }
}
