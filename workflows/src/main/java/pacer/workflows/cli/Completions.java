package pacer.workflows.cli;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.Presets;

/** Words that the completion script offers beside commands and options. */
final class Completions {
    /** Stands in picocli's script for what only the shell knows, at the time of completing. */
    private static final String RUNS = "the runs there are";

    private static final String SETTINGS = "COMPREPLY=( $( compReplyArray \"${NAMEVALUE_option_args[@]}\" ) )";

    private Completions() {}

    /** Names of the presets. */
    static final class OfPresets implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Presets.NAMES.iterator();
        }
    }

    /** Names of the settings. */
    static final class OfSettings implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return CanonicalYaml.flatten(Presets.named("quickstart").spec()).keySet().stream()
                    .map(name -> name + "=")
                    .iterator();
        }
    }

    /** The runs. */
    static final class OfRuns implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("last", RUNS).iterator();
        }
    }

    /**
     * picocli's script, with the runs of the folder that the command line or {@code PACER_RUNS} names, else {@code runs}; and with no
     * blank after a setting's name, as its value comes next.
     */
    static String finish(String script, Path runs) {
        return script.replace('"' + RUNS + '"', "$(_pacer_runs)")
                        .replace(SETTINGS, "type compopt &>/dev/null && compopt -o nospace\n      " + SETTINGS)
                + """

                # The folders of runs.
                function _pacer_runs() {
                  local folder=%s word previous=''
                  [ -z "${PACER_RUNS-}" ] || folder=$PACER_RUNS
                  for word in "${COMP_WORDS[@]}"; do
                    [ "$previous" != --runs ] || folder=$word
                    previous=$word
                  done
                  command ls "$folder" 2>/dev/null
                }
                """.formatted(Hints.quoted(runs.toAbsolutePath().toString()));
    }
}
