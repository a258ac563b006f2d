package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ListAssert;

/** Settings files for tests: writes them to a folder and loads them. */
record SettingsFiles(Path folder) {

    /** The least that a whole file must say. */
    static final String WHOLE = """
            name: mine
            dataset:
              url: file:text.txt
            model:
              layers: 2
              heads: 2
              width: 8
              sequenceLength: 4
            train:
              steps: 10
              batchTokens: 16
              microBatch: 4
            optimizer:
              learningRate: 1e-3
            """;

    Path write(String name, String text) {
        return write(name, text.getBytes(StandardCharsets.UTF_8));
    }

    Path write(String name, byte[] bytes) {
        try {
            return Files.write(folder.resolve(name), bytes);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** {@link #WHOLE} with {@code sets} on top. */
    RunSpec whole(String... sets) {
        return SpecLoader.load(write("whole.yaml", WHOLE).toString(), List.of(), List.of(sets));
    }

    /** Faults of {@code sets} over {@link #WHOLE}, as lines without the folder's name. */
    ListAssert<String> faultsOfSets(String... sets) {
        return faults(write("whole.yaml", WHOLE), List.of(), List.of(sets));
    }

    /** Faults of {@code config}, named {@code mine.yaml}, over {@link #WHOLE}. */
    ListAssert<String> faultsOfConfig(String config) {
        return faultsOfConfig(config.getBytes(StandardCharsets.UTF_8));
    }

    ListAssert<String> faultsOfConfig(byte[] config) {
        return faults(write("whole.yaml", WHOLE), List.of(write("mine.yaml", config)), List.of());
    }

    /** Faults of {@code text}, named {@code mine.yaml}, as the whole. */
    ListAssert<String> faultsOfFile(String text) {
        return faults(write("mine.yaml", text), List.of(), List.of());
    }

    ListAssert<String> faults(Path base, List<Path> configs, List<String> sets) {
        return assertThatThrownBy(() -> SpecLoader.load(base.toString(), configs, sets))
                .isInstanceOf(SpecException.class)
                .extracting(e -> ((SpecException) e)
                        .faults().stream()
                                .map(fault -> fault.toString().replace(folder + "/", ""))
                                .toList())
                .asInstanceOf(InstanceOfAssertFactories.list(String.class));
    }
}
