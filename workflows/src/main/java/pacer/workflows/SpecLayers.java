package pacer.workflows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import pacer.activities.run.Budget;
import pacer.activities.run.RunRequest;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.ExpectationSpec;
import pacer.trainer.spec.HellaSwagSpec;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.spec.WeightsSpec;

/**
 * The layers of a spec as a worker elsewhere needs them, and what they come to on this machine. A local text has its whole path
 * in both: a relative one would be another file to that worker, or to who resumes in another folder.
 *
 * @param preset a preset's name; null where the first of {@code configs} is a whole spec
 * @param configs YAML texts
 * @param sets settings on top, in their order
 * @param spec with everything filled in that needs no dataset
 */
public record SpecLayers(String preset, List<String> configs, List<String> sets, RunSpec spec) {
    private static final String URL = "dataset.url";
    private static final String FILE = "file:";

    /**
     * Reads them.
     *
     * @param preset as {@link SpecLoader#load} takes it, like {@code configs} and {@code sets}
     * @throws pacer.trainer.spec.SpecException with every fault of every layer
     */
    public static SpecLayers load(String preset, List<Path> configs, List<String> sets) throws IOException {
        RunSpec loaded = SpecLoader.load(preset, configs, sets);
        List<String> all = new ArrayList<>(sets);
        String url = absolute(loaded.dataset().url());
        if (!url.equals(loaded.dataset().url())) {
            all.add(URL + "=" + quoted(url));
            // a worker cannot tell that this is the preset's own text by another name, would expect nothing, and
            // describe another
            ExpectationSpec expected = loaded.expectation();
            all.add("expectation.validationLoss=" + expected.validationLoss());
            all.add("expectation.referenceLoss=" + expected.referenceLoss());
            all.add("expectation.referenceHellaSwag=" + expected.referenceHellaSwag());
            all.add("expectation.source=" + quoted(expected.source()));
            all.add("description=" + quoted(loaded.description()));
        }
        String mirrors =
                loaded.dataset().mirrorList().stream().map(SpecLayers::absolute).collect(Collectors.joining(" "));
        if (!mirrors.isEmpty()) {
            all.add("dataset.mirrors=" + quoted(mirrors));
        }
        WeightsSpec weights =
                loaded.weights().withFrom(absolute(loaded.weights().from()));
        if (!weights.equals(loaded.weights())) {
            all.add("weights.from=" + quoted(weights.from()));
        }
        HellaSwagSpec hellaSwag =
                loaded.hellaSwag().withFrom(absolute(loaded.hellaSwag().from()));
        if (!hellaSwag.equals(loaded.hellaSwag())) {
            all.add("hellaSwag.from=" + quoted(hellaSwag.from()));
        }
        List<String> texts = new ArrayList<>();
        boolean named = Presets.NAMES.contains(preset);
        if (!named) {
            texts.add(Files.readString(Path.of(preset)));
        }
        for (Path config : configs) {
            texts.add(Files.readString(config));
        }
        DatasetSpec dataset = loaded.dataset().withUrl(url).withMirrors(mirrors);
        RunSpec spec = SpecResolver.forMachine(
                loaded.withDataset(dataset).withWeights(weights).withHellaSwag(hellaSwag), Processor.here());
        return new SpecLayers(named ? preset : null, texts, all, spec);
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static String absolute(String url) {
        return !url.startsWith(FILE) || url.startsWith(FILE + "/")
                ? url
                : FILE + Path.of(url.substring(FILE.length())).toAbsolutePath().normalize();
    }

    /** Asks for the run {@code id} of this spec. */
    RunRequest request(String note, String id) {
        return new RunRequest(preset, null, configs, note, id, sets);
    }

    /** Asks for a new run of this spec, each time. */
    public RunRequest reproduction() {
        return new RunRequest(preset, null, configs, "a reproduction", null, sets);
    }

    /** Asks for runs of this spec with seeds of their own. */
    public RunRequest trial(String note, Budget budget) {
        return new RunRequest(preset, null, configs, note, null, sets).within(budget);
    }
}
