package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.List;
import pacer.activities.publishing.report.Quantities;

/** One line that says how far training is, fitted to the width at hand: with less room it says less. */
final class ProgressBar {
    private static final String EIGHTHS = " ▏▎▍▌▋▊▉";
    private static final int SHORTEST = 6;
    private static final int LONGEST = 40;

    private ProgressBar() {}

    /** The line, at most {@code width} columns of it. */
    static String line(Pace pace, int width, Terminal terminal) {
        String start = "● Train ";
        List<String> facts = facts(pace, "mean loss ");
        if (start.length() + SHORTEST + length(facts) > width) {
            facts = facts(pace, "loss ");
        }
        while (facts.size() > 1 && start.length() + SHORTEST + length(facts) > width) {
            facts.removeLast();
        }
        int room = width - start.length() - length(facts);
        String bar = room < SHORTEST ? "" : bar(pace.fraction(), Math.min(room, LONGEST), terminal);
        return terminal.paint(Tone.ACCENT, "●") + " Train " + bar + (bar.isEmpty() ? "" : "  ")
                + String.join("  ", inOrder(facts));
    }

    /** The same facts as a line of a log. */
    static String plain(Pace pace) {
        List<String> facts = facts(pace, "mean loss ");
        return "step " + String.join("  ", inOrder(facts)).strip();
    }

    /** The most important first. Each keeps its width while numbers change, so that the bar does not tremble. */
    private static List<String> facts(Pace pace, String loss) {
        List<String> facts = new ArrayList<>();
        facts.add(steps(pace));
        if (pace.doing() != null) {
            facts.add(Terminal.harmless(pace.doing()));
        }
        fact(facts, loss, Quantities.loss(pace.loss()), 6, pace.loss());
        fact(facts, "ETA ", remaining(pace.eta()), 4, pace.eta());
        fact(facts, "lr ", Quantities.rate(pace.learningRate()), 7, pace.learningRate());
        fact(facts, "", Quantities.count(pace.tokensPerSecond()) + " tok/s", 11, pace.tokensPerSecond());
        fact(facts, "val ", Quantities.loss(pace.validationLoss()), 6, pace.validationLoss());
        return facts;
    }

    private static String remaining(double seconds) {
        if (seconds >= 600 && seconds < 3599.5) {
            return Math.round(seconds / 60) + " min"; // seconds that far away only take room
        }
        if (seconds >= 59.5 && seconds < 600) {
            long whole = Math.round(seconds);
            return "%d:%02d min".formatted(whole / 60, whole % 60);
        }
        return seconds < 59.5 ? Math.round(Math.ceil(seconds)) + " s" : Quantities.duration(seconds);
    }

    private static void fact(List<String> facts, String name, String value, int width, double number) {
        if (!Double.isNaN(number)) {
            facts.add(name + value + " ".repeat(Math.max(0, width - value.length())));
        }
    }

    /** Kept by importance above; read in the order of a sentence here, time last. */
    private static List<String> inOrder(List<String> facts) {
        List<String> ordered = new ArrayList<>(facts);
        ordered.stream().filter(f -> f.startsWith("ETA ")).findFirst().ifPresent(eta -> {
            ordered.remove(eta);
            ordered.add(eta);
        });
        return ordered;
    }

    private static int length(List<String> facts) {
        return facts.stream().mapToInt(f -> f.length() + 2).sum();
    }

    private static String steps(Pace pace) {
        if (pace.totalSteps() <= 0) {
            return "starting";
        }
        String total = Quantities.grouped(pace.totalSteps());
        String done = Quantities.grouped(Math.max(0, pace.step()));
        return " ".repeat(Math.max(0, total.length() - done.length())) + done + "/" + total;
    }

    private static String bar(double fraction, int width, Terminal terminal) {
        int eighths = (int) Math.floor(fraction * width * 8);
        int full = eighths / 8;
        String head = full < width ? EIGHTHS.substring(eighths % 8, eighths % 8 + 1) : "";
        String done = "█".repeat(full) + (head.equals(" ") ? "" : head);
        return terminal.paint(Tone.ACCENT, done) + terminal.paint(Tone.QUIET, "░".repeat(width - done.length()));
    }
}
