package pacer.trainer.memory;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.trainer.spec.Preset;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecResolver;

/** What a preset's header says of memory. */
public final class MemoryFact {
    private static final int MANY = 8;
    private static final Pattern ON_A_CPU = Pattern.compile("([0-9.]+ [MG]B) on a CPU");

    private MemoryFact() {}

    /** Worked out from the settings: a GPU of eight, where the batch can be divided so, the only one, and a CPU with bf16 and two threads. */
    public static String of(Preset preset) {
        RunSpec spec = SpecResolver.resolve(preset.spec(), new Processor(2, true), preset.vocabulary());
        int sequences = spec.train().batchTokens() / spec.model().sequenceLength();
        Hardware gpus = new Hardware.Gpus(spec.train().precision(), 1);
        String one = size(MemoryPlan.of(spec, 1, gpus).need());
        String cpu = size(MemoryPlan.of(spec, 1, MemoryPlan.cpu(spec)).need());
        return sequences % MANY == 0
                ? "%s a GPU on 8xH100, %s on one; %s on a CPU of two threads"
                        .formatted(size(MemoryPlan.of(spec, MANY, gpus).need()), one, cpu)
                : "%s on a GPU; %s on a CPU of two threads".formatted(one, cpu);
    }

    /** What a header says of a CPU, empty where it says nothing. */
    public static Optional<String> onCpu(Preset preset) {
        Matcher found = ON_A_CPU.matcher(preset.facts().getOrDefault("memory", ""));
        return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }

    private static String size(long bytes) {
        return bytes < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
    }
}
