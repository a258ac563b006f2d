package pacer.trainer.spec;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The name that was probably meant. */
public record Nearest(String name) {

    private static final int LONGEST = 40;

    /** Names under which nanoGPT's readers know our settings. */
    private static final Map<String, String> ELSEWHERE = Map.ofEntries(
            Map.entry("nlayer", "model.layers"),
            Map.entry("nhead", "model.heads"),
            Map.entry("nembd", "model.width"),
            Map.entry("blocksize", "model.sequenceLength"),
            Map.entry("vocabsize", "model.vocabulary"),
            Map.entry("batchsize", "train.batchTokens"),
            Map.entry("maxiters", "train.steps"),
            Map.entry("gradclip", "train.gradientClip"),
            Map.entry("dtype", "train.precision"),
            Map.entry("lr", "optimizer.learningRate"),
            Map.entry("warmupiters", "schedule.warmupSteps"),
            Map.entry("lrdecayiters", "schedule.decaySteps"),
            Map.entry("minlr", "schedule.floor"),
            Map.entry("evalinterval", "evaluation.everySteps"),
            Map.entry("evaliters", "evaluation.tokens"));

    public String question() {
        return "did you mean " + name + "?";
    }

    /** The name among {@code names} that {@code given} is a slip of. */
    public static Optional<Nearest> among(String given, Collection<String> names) {
        if (given.length() > LONGEST) {
            return Optional.empty();
        }
        String bare = bare(given);
        return names.stream()
                .filter(name -> slips(bare, bare(name)) <= Math.max(1, Math.min(bare.length(), name.length()) / 3)
                        || (bare.length() >= 3 && bare(name).startsWith(bare)))
                .min(Comparator.comparingInt(name -> slips(bare, bare(name))))
                .map(Nearest::new);
    }

    /** The setting or section that the unknown {@code path} is a slip of, or whose name it has in another section. */
    static Optional<Nearest> path(String path, Schema schema) {
        if (path.length() > LONGEST) {
            return Optional.empty();
        }
        String section = path.substring(0, Math.max(0, path.lastIndexOf('.')));
        String last = last(path);
        List<String> all = schema.settings().stream().map(Setting::path).toList();
        List<String> siblings = Stream.concat(all.stream(), schema.sections().keySet().stream())
                .filter(name ->
                        name.substring(0, Math.max(0, name.lastIndexOf('.'))).equals(section))
                .map(Nearest::last)
                .toList();
        return among(last, siblings)
                .map(near -> new Nearest(section.isEmpty() ? near.name : section + "." + near.name))
                .or(() -> all.stream()
                        .filter(name -> bare(last(name)).equals(bare(last)))
                        .findFirst()
                        .map(Nearest::new))
                .or(() -> Optional.ofNullable(ELSEWHERE.get(bare(last))).map(Nearest::new))
                .or(() -> among(path, all))
                .or(() -> all.stream()
                        .filter(name -> slips(bare(last), bare(last(name))) <= 1)
                        .findFirst()
                        .map(Nearest::new));
    }

    private static String last(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** Without what spelling habits differ in. */
    private static String bare(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[_-]", "");
    }

    /** Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours; Damerau 1964. */
    private static int slips(String a, String b) {
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                int differ = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                int least = Math.min(cost[i - 1][j - 1] + differ, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                cost[i][j] = swapped ? Math.min(least, cost[i - 2][j - 2] + 1) : least;
            }
        }
        return cost[a.length()][b.length()];
    }
}
