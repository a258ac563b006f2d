package pacer.workflows.cli;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.Presets;
import picocli.CommandLine.UnmatchedArgumentException;

/** For {@code --seed 3} where it should be {@code --set seed=3}: settings are given in one way, however few letters they have. */
final class SettingHint {
    private SettingHint() {}

    /** A line for people; empty where no option that was not known bears a setting's name. */
    static Optional<String> of(UnmatchedArgumentException unmatched, List<String> arguments) {
        if (unmatched.getCommandLine().getCommandSpec().findOption("--set") == null) {
            return Optional.empty();
        }
        return unmatched.getUnmatched().stream()
                .filter(word -> word.startsWith("--"))
                .findFirst()
                .flatMap(word -> hint(word, arguments));
    }

    private static Optional<String> hint(String word, List<String> arguments) {
        int equals = word.indexOf('=');
        String name = camelCase(word.substring(2, equals < 0 ? word.length() : equals));
        int next = arguments.indexOf(word) + 1;
        boolean given = next < arguments.size() && !arguments.get(next).startsWith("-");
        String value = equals >= 0 ? word.substring(equals + 1) : given ? arguments.get(next) : "VALUE";
        String sets = CanonicalYaml.flatten(Presets.named("quickstart").spec()).keySet().stream()
                .filter(path -> path.equals(name) || path.endsWith("." + name))
                .map(path -> "--set " + Hints.quoted(path + "=" + value))
                .collect(Collectors.joining(" or "));
        return sets.isEmpty() ? Optional.empty() : Optional.of("A setting is given as " + sets);
    }

    private static String camelCase(String name) {
        StringBuilder camel = new StringBuilder();
        for (String part : name.split("-", -1)) {
            camel.append(
                    camel.isEmpty() || part.isEmpty()
                            ? part
                            : part.substring(0, 1).toUpperCase(Locale.ROOT) + part.substring(1));
        }
        return camel.toString();
    }
}
