package pacer.workflows;

import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.TrainSpec;

/** What a run's page in the Temporal UI says from the start. */
final class RunPage {
    private static final int SUMMARY_BYTES = 200;

    private RunPage() {}

    /** One line; the service takes 200 bytes. */
    static String summary(RunSpec spec) {
        String line = spec.description().isEmpty() ? spec.name() : spec.name() + ": " + spec.description();
        return line.length() <= SUMMARY_BYTES / 4 ? line : cut(line);
    }

    static String cut(String line) {
        StringBuilder kept = new StringBuilder();
        int bytes = 0;
        for (int c : line.codePoints().toArray()) {
            bytes += Character.toString(c).getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
            if (bytes > SUMMARY_BYTES) {
                break;
            }
            kept.appendCodePoint(c);
        }
        return kept.toString();
    }

    /** Markdown. */
    static String details(RunSpec spec, String note) {
        ModelSpec model = spec.model();
        TrainSpec train = spec.train();
        StringBuilder page = new StringBuilder();
        if (note != null && !note.isBlank()) {
            page.append("> ").append(note.strip().replace("\n", "\n> ")).append("\n\n");
        }
        page.append("- **data**: `").append(spec.dataset().url()).append("`\n");
        page.append("- **model**: %d layers, %d heads, %d wide, context %d\n"
                .formatted(model.layers(), model.heads(), model.width(), model.sequenceLength()));
        page.append("- **training**: %d steps of %d tokens, %s of %s, seed %d\n"
                .formatted(
                        train.steps(),
                        train.batchTokens(),
                        count(train.ranks(), "rank"),
                        count(train.threads(), "thread"),
                        spec.seed()));
        if (spec.expectation().validationLoss() > 0) {
            page.append("- **expected**: val loss at most ")
                    .append(spec.expectation().validationLoss())
                    .append('\n');
        }
        return page.toString();
    }

    static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }
}
