package pacer.workflows.metrics;

import java.util.Map;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.Flops;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.TrainSpec;

/** Model FLOP/s of a training beside what its devices could do at best (MFU). */
final class Utilization {
    /** Dense bf16 FLOP/s by the makers' data sheets, by what a device's name contains. CPUs have no such number worth the name. */
    private static final Map<String, Double> PEAKS =
            Map.of("H100", 989.4e12, "H200", 989.4e12, "A100", 312e12, "RTX 4090", 165.2e12);

    private Utilization() {}

    /** From 0 to 1; null where the devices' peak is not known. */
    static Double of(RunSpec spec, TrainingEvent.Started started, Double tokensPerSecond) {
        Double peak = spec.train().precision() == TrainSpec.Precision.BF16 ? peak(started.device()) : null;
        return peak == null || tokensPerSecond == null
                ? null
                : Flops.perToken(spec.model(), started.parameters()) * tokensPerSecond / (peak * started.ranks());
    }

    private static Double peak(String device) {
        return PEAKS.entrySet().stream()
                .filter(known -> device.contains(known.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
    }
}
